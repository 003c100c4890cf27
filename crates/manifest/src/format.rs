//! Containers, levels, and the formats of data files.

use crate::words::word_enum;

word_enum! {
    /// What holds the members of a package.
    ContainerFormat, "package format" {
        /// A ZIP archive.
        Zip = "Zip",
        /// A tar archive in gzip.
        TarGz = "TarGz" | "tar.gz" | "tgz",
        /// A plain directory.
        Folder = "Folder" | "dir" | "directory",
    }
}

impl ContainerFormat {
    /// What a package's file name ends with, the dot included; empty for a folder.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Zip => ".zip",
            Self::TarGz => ".tar.gz",
            Self::Folder => "",
        }
    }
}

word_enum! {
    /// How hard members are compressed.
    CompressionLevel, "compression level" {
        /// Members keep their bytes.
        None = "none",
        /// Deflate, level 1.
        Fast = "fast",
        /// Deflate, level 6.
        Balanced = "balanced",
        /// Deflate, level 9.
        Maximum = "maximum" | "max",
    }
}

impl CompressionLevel {
    /// The Deflate level, 0 for none.
    #[must_use]
    pub const fn deflate_level(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Fast => 1,
            Self::Balanced => 6,
            Self::Maximum => 9,
        }
    }
}

word_enum! {
    /// The method with which a package's members really are compressed.
    PackageCompression, "package compression" {
        /// Raw Deflate, as in ZIP.
        Deflate = "Deflate",
        /// No compression.
        Store = "Store" | "stored" | "none",
        /// Gzip, as in TAR.GZ.
        Gzip = "Gzip",
    }
}

word_enum! {
    /// The format of a data file, its own compression aside.
    DataFormat, "data format" {
        /// One JSON object a line.
        Jsonl = "jsonl",
        /// Delimited text.
        Csv = "csv",
        /// Apache Parquet.
        Parquet = "parquet",
        /// An FX-Store file.
        Fxd = "fxd",
        /// Databento Binary Encoding.
        Dbn = "dbn",
    }
}

word_enum! {
    /// The compression a data file itself came with, told by its bytes and not by its name.
    ContentEncoding, "compression type" {
        /// None.
        Identity = "none" | "identity",
        /// Gzip, of one or several members.
        Gzip = "gzip" | "gz",
        /// Zstandard.
        Zstd = "zstd" | "zst",
    }
}

impl ContentEncoding {
    /// Whether there is a compression at all.
    #[must_use]
    pub const fn is_compressed(self) -> bool {
        !matches!(self, Self::Identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_unknown_ones_named() {
        assert_eq!("ZIP".parse(), Ok(ContainerFormat::Zip));
        assert_eq!("tar.gz".parse(), Ok(ContainerFormat::TarGz));
        assert_eq!("max".parse(), Ok(CompressionLevel::Maximum));
        assert_eq!(CompressionLevel::Maximum.to_string(), "maximum");
        let error = "best".parse::<CompressionLevel>().map_err(|e| e.to_string());
        assert_eq!(error, Err("unknown compression level \"best\"; allowed: none, fast, balanced, maximum".to_owned()));
    }
}
