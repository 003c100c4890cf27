//! A package as a plain directory.

mod reader;
mod writer;

pub use reader::FolderReader;
pub use writer::FolderWriter;
