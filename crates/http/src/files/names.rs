//! What names of files say: which are packages, and how their bytes are called over HTTP.

use std::fmt::Write as _;

use axum::http::HeaderValue;

use crate::roots::FileName;

/// Names of archives end in one of these.
const ARCHIVES: [&str; 3] = [".zip", ".tar.gz", ".tgz"];
/// What lies beside a package: its checksum, its signature.
pub(super) const SIDECARS: [&str; 2] = [".sha256", ".minisig"];

/// The kinds of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Archive {
    Zip,
    TarGz,
}

impl Archive {
    /// What a file of this name should be; none where it is no archive's name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (_, suffix) = split(name)?;
        Some(if suffix == ".zip" { Self::Zip } else { Self::TarGz })
    }

    /// Its media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Zip => "application/zip",
            Self::TarGz => "application/gzip",
        }
    }
}

/// Whether a file name ends as those of archives do.
pub(crate) fn is_archive(name: &str) -> bool {
    split(name).is_some()
}

/// The name of the package that a file lies beside; none where the name is no sidecar's.
pub(super) fn beside(name: &str) -> Option<&str> {
    SIDECARS.iter().find_map(|suffix| name.strip_suffix(suffix)).filter(|package| !package.is_empty())
}

/// The name without the suffix of an archive.
pub(super) fn stem(name: &str) -> &str {
    split(name).map_or(name, |(stem, _)| stem)
}

/// The name before the suffix of an archive, and that suffix, which may be written in either case.
fn split(name: &str) -> Option<(&str, &'static str)> {
    ARCHIVES.iter().find_map(|suffix| {
        let (stem, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
        (!stem.is_empty() && end.eq_ignore_ascii_case(suffix)).then_some((stem, *suffix))
    })
}

/// The media type of a member.
pub(super) fn media_type(member: &str) -> &'static str {
    let name = member.rsplit('/').next().unwrap_or(member);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "jsonl" | "ndjson" => "application/jsonl",
        "json" => "application/json",
        "csv" => "text/csv; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "txt" | "sql" | "py" | "r" | "sha256" => "text/plain; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "parquet" => "application/vnd.apache.parquet",
        "gz" => "application/gzip",
        "zst" => "application/zstd",
        _ => "application/octet-stream",
    }
}

/// A `Content-Disposition` by which a browser saves the body under this name (RFC 6266, RFC 8187).
pub(super) fn attachment(name: &str) -> HeaderValue {
    let plain: String = name
        .chars()
        .map(|c| if c == ' ' || (c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%')) { c } else { '_' })
        .collect();
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", encoded(name));
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// The name with everything but letters, digits and `-._~` as `%XX`, as a segment of a path has it.
pub(crate) fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The name that a segment of a path gives; none for everything that is no plain, visible name.
pub(super) fn segment(segment: Option<&str>) -> Option<FileName> {
    segment.and_then(FileName::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_archives_and_of_what_lies_beside_them() {
        assert_eq!(Archive::of("a.zip"), Some(Archive::Zip));
        assert_eq!(Archive::of("a.tar.gz"), Some(Archive::TarGz));
        assert_eq!(Archive::of("a.tgz"), Some(Archive::TarGz));
        assert_eq!(Archive::of("a.ZIP"), Some(Archive::Zip));
        for other in [".zip", "a.zip.sha256", "a.gz", "azip", ""] {
            assert_eq!(Archive::of(other), None, "{other}");
        }
        assert_eq!(beside("a.zip.sha256"), Some("a.zip"));
        assert_eq!(beside("a.minisig"), Some("a"));
        assert_eq!((beside(".sha256"), beside("a.zip")), (None, None));
        assert_eq!((stem("a.tar.gz"), stem("folder")), ("a", "folder"));
    }

    #[test]
    fn a_name_that_is_not_ascii_is_given_both_ways() {
        assert_eq!(
            attachment("Ünï 100%.zip").to_str().unwrap(),
            "attachment; filename=\"_n_ 100_.zip\"; filename*=UTF-8''%C3%9Cn%C3%AF%20100%25.zip"
        );
    }
}
