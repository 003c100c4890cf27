//! Names of members inside a package.

use std::str::FromStr;

use thiserror::Error;

use crate::portable::{self, NameFault};
use crate::words::text_newtype;

/// Longest path inside a package, in bytes of UTF-8.
pub const MAX_PATH_BYTES: usize = 4096;
/// Most components a path may have.
pub const MAX_DEPTH: usize = 64;

/// The name of a member inside a package: relative, `/`-separated and usable on every system.
///
/// Invariants, checked by the only constructor:
/// * no empty, `.` or `..` component, no leading or trailing `/`;
/// * no backslash, colon or other character that some system reserves, no control or invisible character;
/// * no component that ends in a dot or space or is a Windows device name;
/// * at most 255 bytes a component, [`MAX_PATH_BYTES`] in all, [`MAX_DEPTH`] components.
///
/// Ordered by bytes, which is the order of members in a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackagePath(String);

/// A name that cannot be a [`PackagePath`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PathError {
    /// A component breaks a rule.
    #[error("unsafe or non-portable name \"{shown}\": {fault}", shown = .path.escape_debug())]
    Component {
        /// The whole name.
        path: String,
        /// The rule.
        fault: NameFault,
    },
    /// It begins with `/`.
    #[error("unsafe name \"{shown}\": an absolute path", shown = .path.escape_debug())]
    Absolute {
        /// The whole name.
        path: String,
    },
    /// Longer than [`MAX_PATH_BYTES`] or deeper than [`MAX_DEPTH`].
    #[error(
        "a name of {bytes} bytes and {depth} components; at most {MAX_PATH_BYTES} bytes and {MAX_DEPTH} components are allowed"
    )]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// Its number of components.
        depth: usize,
    },
}

impl PackagePath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, outermost first; never empty.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The last component.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Two paths with one key would be one file on some system.
    #[must_use]
    pub fn collision_key(&self) -> String {
        portable::collision_key(&self.0)
    }
}

impl FromStr for PackagePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let depth = text.bytes().filter(|&b| b == b'/').count() + 1;
        if text.len() > MAX_PATH_BYTES || depth > MAX_DEPTH {
            return Err(PathError::TooLong { bytes: text.len(), depth });
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute { path: text.to_owned() });
        }
        for component in text.split('/') {
            portable::check_component(component)
                .map_err(|fault| PathError::Component { path: text.to_owned(), fault })?;
        }
        Ok(Self(text.to_owned()))
    }
}

text_newtype!(PackagePath, {
    "type": "string",
    "minLength": 1,
    "maxLength": 4096,
    "pattern": "^[^/\\\\:*?\"<>|]+(/[^/\\\\:*?\"<>|]+)*$",
    "description": "relative path inside the package, separated by /, usable on every system",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t001_to_t010_unsafe_names_are_refused() {
        let long = "x".repeat(256);
        let deep = vec!["d"; 300].join("/");
        let very_long = vec!["d".repeat(200); 30].join("/");
        for name in [
            "../x",
            "a/../../x",
            "a/./../..//x",
            "/etc/x",
            "C:\\x",
            "C:x",
            "\\\\server\\share\\x",
            "\\\\?\\C:\\x",
            "..\\x",
            "a\\..\\..\\x",
            "",
            ".",
            "..",
            "///",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a.",
            "a ",
            "a/.. /b",
            "CON",
            "x/aux.txt",
            "Com1 .csv",
            "file.txt:evil",
            "a/",
            "a//b",
            &long,
            &deep,
            &very_long,
        ] {
            assert!(name.parse::<PackagePath>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn ordinary_names_are_kept() {
        for name in ["manifest.json", "data/2024-01-03/AAPL/Trade/AAPL Trade.jsonl.gz", "data/名前/é.csv", "e\u{301}"]
        {
            assert_eq!(name.parse::<PackagePath>().map(|p| p.to_string()), Ok(name.to_owned()));
        }
        let path: PackagePath = "data/a/b.csv".parse().unwrap_or_else(|_| unreachable!());
        assert_eq!(path.file_name(), "b.csv");
        assert_eq!(path.components().collect::<Vec<_>>(), ["data", "a", "b.csv"]);
    }

    #[test]
    fn errors_show_control_characters_escaped() {
        let error = "a\u{1b}[31m".parse::<PackagePath>().map_err(|e| e.to_string());
        assert!(error.is_err_and(|text| text.contains("\\u{1b}") && !text.contains('\u{1b}')));
    }

    proptest::proptest! {
        #[test]
        fn sanitized_components_always_make_a_path(name in ".{0,300}") {
            let clean = portable::sanitize_component(&name);
            proptest::prop_assert!(clean.parse::<PackagePath>().is_ok(), "{clean:?}");
        }
    }
}
