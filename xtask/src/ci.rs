//! `cargo xtask ci`: everything that must hold before a change lands.

use std::path::Path;

use anyhow::Result;

use crate::{layers, process, spec, test, tools};

pub(crate) fn run(root: &Path) -> Result<()> {
    let cargo = process::cargo();
    process::run(root, &cargo, &["fmt", "--all", "--check"])?;
    layers::run(root)?;
    spec::run(root, false)?;
    process::run(
        root,
        &cargo,
        &["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"],
    )?;
    let with_async = ["clippy", "-p", "pdp-packager", "--all-targets", "--features", "async", "--locked", "--quiet"];
    process::run(root, &cargo, &[with_async.as_slice(), &["--", "-D", "warnings"]].concat())?;
    let arrow =
        ["clippy", "-p", "fxd", "--all-targets", "--features", "arrow", "--locked", "--quiet", "--", "-D", "warnings"];
    process::run(root, &cargo, &arrow)?;
    let strict = [("RUSTDOCFLAGS", "-D warnings".to_owned())];
    process::run_with(
        root,
        &cargo,
        &["doc", "--workspace", "--features", test::FEATURES, "--no-deps", "--locked", "--quiet"],
        &strict,
    )?;
    tools::cargo_deny(root)?;
    process::run(root, &cargo, &["deny", "--all-features", "check", "bans", "licenses", "sources"])?;
    test::run(root, &[])
}
