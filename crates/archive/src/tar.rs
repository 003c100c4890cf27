//! TAR.GZ.
//!
//! What this library writes is *framed*: every file is a gzip member of its own, large ones are several, and every gzip
//! member says in its header how long it is. Any tar tool reads it as one stream; this library reads any file of it
//! without the others, and many at once. Archives that other tools made are read as one stream, from the front;
//! [`TarCheck`] holds to the same rules a stream that is no file.

mod check;
mod entry;
mod framed;
mod gzip;
mod header;
mod pax;
mod stream;
mod writer;

pub use check::TarCheck;
pub use entry::Entry;
pub use framed::FramedTarReader;
pub use header::entry_head;
pub use stream::StreamedTarReader;
pub use writer::TarGzWriter;

pub(crate) use gzip::{encode, encode_all, encode_fixed, is_framed};

/// Tar counts in blocks of this many bytes.
pub const BLOCK: usize = 512;
/// Most bytes that one gzip member of a framed archive may hold.
pub(crate) const FRAME_MAX: u32 = 8 << 20;

/// How many zero bytes follow `size` bytes of content.
pub(crate) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}
