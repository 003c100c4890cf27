//! Containers of portable data packages.
//!
//! Two contracts, and what stands behind them:
//!
//! * [`ContainerWriter`] takes members as they are packed and seals them into a package. [`pack()`] feeds it: members are
//!   read, hashed and compressed on several threads, in one pass, and arrive in order, so the bytes do not depend on
//!   the number of threads.
//! * [`ContainerReader`] lists members and hands out their bytes, from any thread. Readers are strict: what two tools
//!   could read differently is refused.
//!
//! ZIP ([`zip`]), TAR.GZ ([`tar`]) and a plain directory ([`folder`]) stand behind both. The crate knows nothing of what members mean;
//! the one thing it takes from the manifest is that its text has a length that does not depend on the package's size.
//!
//! Memory is bounded by threads and blocks, whatever the size of a member.

pub mod contract;
mod deflate;
pub mod disk;
mod error;
pub mod folder;
mod names;
pub mod open;
pub mod pack;
mod positional;
pub mod split;
mod spool;
pub mod tar;
pub mod target;
pub mod zip;

pub use contract::{
    Codec, ContainerReader, ContainerWriter, MemberFacts, MemberInfo, MemberSource, Method, PreparedMember, Sealed,
};
pub use error::ArchiveError;
pub use names::NameSet;
pub use open::{Limits, open};
pub use pack::{PackOptions, pack, prepare};
pub use target::Target;
