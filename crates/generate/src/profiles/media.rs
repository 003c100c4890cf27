//! Media types.

use pdp_manifest::{ContentEncoding, DataFormat, FileEntry};

/// The media type of what a data file holds, its compression aside.
pub(super) const fn content(format: DataFormat) -> &'static str {
    match format {
        DataFormat::Jsonl => "application/jsonl",
        DataFormat::Csv => "text/csv",
        DataFormat::Parquet => "application/vnd.apache.parquet",
        DataFormat::Fxd | DataFormat::Dbn => "application/octet-stream",
    }
}

/// The media type of a data file as it lies there.
pub(super) const fn stored(file: &FileEntry) -> &'static str {
    match file.encoding {
        ContentEncoding::Identity => content(file.format),
        ContentEncoding::Gzip => "application/gzip",
        ContentEncoding::Zstd => "application/zstd",
    }
}

/// The media type of a paper, by its name.
pub(super) fn paper(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("md") => "text/markdown",
        Some("json") => "application/json",
        Some("html") => "text/html",
        Some("py") => "text/x-python",
        Some("R") => "text/x-r-source",
        Some("sql") => "application/sql",
        _ => "text/plain",
    }
}
