//! The version of the package format, and a package's identity.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::words::text_newtype;

/// A version `major.minor.patch` of the package format.
///
/// A reader understands every minor version of a major version it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FormatVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

/// Text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is not a version of the form major.minor.patch")]
pub struct VersionError(String);

impl FormatVersion {
    /// The version this library writes.
    pub const CURRENT: Self = Self { major: 1, minor: 0, patch: 0 };

    /// Whether this library can read packages of this version.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.major <= Self::CURRENT.major
    }
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for FormatVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || VersionError(text.chars().take(40).collect());
        let mut numbers = text.split('.').map(|part| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse::<u32>().map_err(|_| error()) } else { Err(error()) }
        });
        let version = Self {
            major: numbers.next().unwrap_or_else(|| Err(error()))?,
            minor: numbers.next().unwrap_or(Ok(0))?,
            patch: numbers.next().unwrap_or(Ok(0))?,
        };
        if numbers.next().is_some() { Err(error()) } else { Ok(version) }
    }
}

impl serde::Serialize for FormatVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for FormatVersion {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for FormatVersion {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FormatVersion".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+){0,2}$" })
    }
}

/// A package's identity: 32 hexadecimal digits that follow from its data.
///
/// Reading accepts what other writers use: 1 to 64 letters, digits and dashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PackageId(String);

impl PackageId {
    /// The identity as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageId {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if legal { Ok(Self(text.to_owned())) } else { Err(VersionError(text.chars().take(64).collect())) }
    }
}

text_newtype!(PackageId, { "type": "string", "pattern": "^[0-9A-Za-z-]{1,64}$", "description": "derived from the package's data" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!("1.0.0".parse(), Ok(FormatVersion::CURRENT));
        assert!("1.9.3".parse::<FormatVersion>().is_ok_and(FormatVersion::is_readable));
        assert!("2.0.0".parse::<FormatVersion>().is_ok_and(|v| !v.is_readable()));
        for bad in ["", "1.", "x", "1.0.0.0", "-1.0.0", "+1.0", "99999999999.0"] {
            assert!(bad.parse::<FormatVersion>().is_err(), "{bad}");
        }
    }
}
