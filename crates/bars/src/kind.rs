//! What kind of file it is, as its name says.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::options::UnknownName;

/// A kind of file that holds bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Lines of text; `.csv`, `.txt` or `.tsv`, perhaps with `.gz` or `.zst` behind it, or in a `.zip` that holds one such file.
    Csv,
    /// Apache Parquet; `.parquet`.
    Parquet,
    /// Databento Binary Encoding; `.dbn` or `.dbn.zst`.
    Dbn,
    /// A zip of LEAN's, whose path says what it holds; only where it is asked for.
    Lean,
}

impl Kind {
    /// The kind that a name says.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
        if ends(&[".parquet", ".pq"]) {
            Some(Self::Parquet)
        } else if ends(&[".dbn", ".dbn.zst"]) {
            Some(Self::Dbn)
        } else if name.ends_with(".zip") || crate::input::is_text(&name) {
            Some(Self::Csv)
        } else {
            None
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Dbn => "dbn",
            Self::Lean => "lean",
        })
    }
}

impl FromStr for Kind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "parquet" => Ok(Self::Parquet),
            "dbn" => Ok(Self::Dbn),
            "lean" => Ok(Self::Lean),
            _ => Err(UnknownName { text: crate::problem::shown(text.as_bytes()), expected: "csv, parquet, dbn, lean" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_from_names() {
        for (name, kind) in [
            ("a.csv", Some(Kind::Csv)),
            ("a/b.CSV.gz", Some(Kind::Csv)),
            ("a.txt.zst", Some(Kind::Csv)),
            ("a.tsv", Some(Kind::Csv)),
            ("a.zip", Some(Kind::Csv)),
            ("a.parquet", Some(Kind::Parquet)),
            ("a.dbn", Some(Kind::Dbn)),
            ("a.dbn.zst", Some(Kind::Dbn)),
            ("a.fxd", None),
            ("a.gz", None),
            ("csv", None),
        ] {
            assert_eq!(Kind::of(Path::new(name)), kind, "{name}");
        }
        for kind in [Kind::Csv, Kind::Parquet, Kind::Dbn] {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!("xlsx".parse::<Kind>().unwrap_err().to_string().contains("csv, parquet, dbn"));
    }
}
