//! Where there is no route.

use crate::problem::{Kind, Problem};

pub(super) async fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "there is nothing at this path")
}

pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "the Allow header names the methods that this path has")
}
