//! ZIP, as APPNOTE.TXT 6.3.10 has it, with ZIP64 where it is needed.
//!
//! What the writer makes: local headers with sizes and CRC, UTF-8 names, no data descriptors, members back to back in
//! the order of the central directory, nothing before, between or behind them. The reader takes the archives of other
//! tools too, as long as local and central headers agree and no byte is unaccounted for.

mod directory;
mod member;
mod reader;
mod record;
mod writer;

pub use reader::ZipReader;
pub use writer::ZipWriter;
