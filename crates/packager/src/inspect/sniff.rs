//! What a file is, by its first bytes; its name is asked only where they do not tell.

use std::path::Path;

use pdp_manifest::{ContentEncoding, DataFormat};

/// Bytes that are enough to tell.
pub(crate) const HEAD: usize = 64 << 10;

/// Format and compression that a file's name promises; `None` for files that are no data.
pub(crate) fn by_name(name: &str) -> Option<(DataFormat, ContentEncoding)> {
    let lower = name.to_ascii_lowercase();
    let (stem, encoding) = match lower.strip_suffix(".gz") {
        Some(stem) => (stem, ContentEncoding::Gzip),
        None => match lower.strip_suffix(".zst") {
            Some(stem) => (stem, ContentEncoding::Zstd),
            None => (lower.as_str(), ContentEncoding::Identity),
        },
    };
    let format = match Path::new(stem).extension()?.to_str()? {
        "jsonl" => DataFormat::Jsonl,
        "csv" => DataFormat::Csv,
        "parquet" if !encoding.is_compressed() => DataFormat::Parquet,
        "fxd" if !encoding.is_compressed() => DataFormat::Fxd,
        "dbn" => DataFormat::Dbn,
        _ => return None,
    };
    Some((format, encoding))
}

/// The name without the extensions that [`by_name`] knows.
pub(crate) fn stem(name: &str) -> &str {
    let mut stem = name;
    for suffix in [".gz", ".zst", ".jsonl", ".csv", ".parquet", ".fxd", ".dbn"] {
        if let Some(at) = stem.len().checked_sub(suffix.len())
            && at > 0
            && stem.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        {
            stem = stem.get(..at).unwrap_or(stem);
        }
    }
    stem
}

/// The extensions that [`by_name`] knows, the first dot included.
pub(crate) fn extensions(name: &str) -> &str {
    name.get(stem(name).len()..).unwrap_or_default()
}

/// The compression of a file that begins with `head`.
pub(crate) fn encoding(head: &[u8]) -> ContentEncoding {
    match head {
        [0x1f, 0x8b, ..] => ContentEncoding::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ContentEncoding::Zstd,
        // A skippable frame may stand before the data.
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => ContentEncoding::Zstd,
        _ => ContentEncoding::Identity,
    }
}

/// The format of content that begins with `head`, its compression undone; `promised` where the bytes do not tell.
pub(crate) fn format(head: &[u8], promised: DataFormat) -> DataFormat {
    if head.starts_with(b"PAR1") {
        return DataFormat::Parquet;
    }
    if head.starts_with(b"DBN") && head.get(3).is_some_and(|version| *version < b' ') {
        return DataFormat::Dbn;
    }
    if head.starts_with(b"FXSTORE") {
        return DataFormat::Fxd;
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    match (first, promised) {
        (Some(b'{'), DataFormat::Csv) => DataFormat::Jsonl,
        // Text under the name of a binary format.
        (Some(b'{'), DataFormat::Parquet | DataFormat::Fxd) => DataFormat::Jsonl,
        _ => promised,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases = [
            ("a.jsonl", Some((DataFormat::Jsonl, ContentEncoding::Identity))),
            ("A.JSONL.GZ", Some((DataFormat::Jsonl, ContentEncoding::Gzip))),
            ("a.csv.zst", Some((DataFormat::Csv, ContentEncoding::Zstd))),
            ("a.dbn.zst", Some((DataFormat::Dbn, ContentEncoding::Zstd))),
            ("a.parquet", Some((DataFormat::Parquet, ContentEncoding::Identity))),
            ("a.fxd", Some((DataFormat::Fxd, ContentEncoding::Identity))),
            ("a.json", None),
            ("a.gz", None),
            ("jsonl", None),
            ("a.parquet.gz", None),
        ];
        for (name, expected) in cases {
            assert_eq!(by_name(name), expected, "{name}");
        }
        for (name, parts) in
            [("XRP_2019.jsonl.gz", ("XRP_2019", ".jsonl.gz")), ("a.b.csv", ("a.b", ".csv")), (".csv", (".csv", ""))]
        {
            assert_eq!((stem(name), extensions(name)), parts);
        }
    }

    #[test]
    fn bytes_win_over_names() {
        assert_eq!(encoding(b"\x1f\x8b\x08"), ContentEncoding::Gzip);
        assert_eq!(encoding(b"\x28\xb5\x2f\xfd"), ContentEncoding::Zstd);
        assert_eq!(encoding(b"{"), ContentEncoding::Identity);
        assert_eq!(format(b"PAR1....", DataFormat::Jsonl), DataFormat::Parquet);
        assert_eq!(format(b"\xef\xbb\xbf {\"a\":1}", DataFormat::Csv), DataFormat::Jsonl);
        assert_eq!(format(b"", DataFormat::Csv), DataFormat::Csv);
    }
}
