//! The name a person gives to a package.

use std::str::FromStr;

use thiserror::Error;

use crate::portable;
use crate::words::text_newtype;

/// Longest package name, in bytes.
pub const MAX_BYTES: usize = 200;

/// A package's name as typed: any text of 1 to [`MAX_BYTES`] bytes that is not blank.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PackageName(String);

/// Text that cannot name a package.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a package name must have 1 to {MAX_BYTES} bytes and not be blank; this one has {0} bytes")]
pub struct NameError(usize);

impl PackageName {
    /// The name as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A form of the name that can begin a file name on every system.
    #[must_use]
    pub fn file_stem(&self) -> String {
        let stem = portable::sanitize_component(self.0.trim());
        // A leading dot hides the file and a leading dash reads as an option.
        match stem.chars().next() {
            Some('.' | '-') => format!("_{stem}"),
            _ => stem,
        }
    }
}

impl FromStr for PackageName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() || text.len() > MAX_BYTES {
            return Err(NameError(text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

text_newtype!(PackageName, { "type": "string", "minLength": 1, "description": "the package's name, as typed" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_stems() -> Result<(), NameError> {
        for (typed, stem) in [
            ("my-research data", "my-research data"),
            ("a/b\\c:d", "a_b_c_d"),
            ("con", "_con"),
            (" dots... ", "dots"),
            ("../../etc", "_.._.._etc"),
            ("-rf", "_-rf"),
            ("名前", "名前"),
        ] {
            assert_eq!(typed.parse::<PackageName>()?.file_stem(), stem);
        }
        assert!("  ".parse::<PackageName>().is_err());
        Ok(())
    }
}
