//! Public keys.

use std::ffi::OsStr;
use std::path::Path;
use std::str::FromStr;

use ed25519_dalek::VerifyingKey;

use crate::wire::{self, COMMENT, ED25519, Fields};
use crate::{FormatError, KEY_LIMIT, KeyError, KeyId};

/// Algorithm, identifier and key.
const RECORD: usize = 2 + 8 + 32;
const EXPECTED: &str = "a public key of 56 Base64 characters";

/// A key to verify signatures with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key_id: KeyId,
    point: VerifyingKey,
}

impl PublicKey {
    /// The key itself in Base64, as minisign's `-P` takes it, or the path of a `.pub` file.
    pub fn read(path_or_base64: impl AsRef<OsStr>) -> Result<Self, KeyError> {
        let given = path_or_base64.as_ref();
        if let Some(key) = given.to_str().and_then(|text| text.parse().ok()) {
            return Ok(key);
        }
        let path = Path::new(given);
        let bytes = wire::read(path).map_err(|source| KeyError::Io {
            action: "looking for a public key in",
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &bytes)
    }

    /// The text of a `.pub` file; `file` is for messages.
    pub fn parse(file: &Path, bytes: &[u8]) -> Result<Self, KeyError> {
        Self::parse_text(bytes).map_err(|source| KeyError::NotAKey { file: file.to_owned(), kind: "public", source })
    }

    /// The identifier, which signatures name the key by.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The key in Base64, as minisign's `-P` takes it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        let mut record = Vec::with_capacity(RECORD);
        record.extend(ED25519);
        record.extend(self.key_id.to_bytes());
        record.extend(self.point.as_bytes());
        wire::encode(&record)
    }

    /// The text of a `.pub` file.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{COMMENT}minisign public key {}\n{}\n", self.key_id, self.to_base64())
    }

    pub(crate) const fn new(key_id: KeyId, point: VerifyingKey) -> Self {
        Self { key_id, point }
    }

    /// Whether `signature` is this key's over `message`; signatures that another message could share are none.
    pub(crate) fn holds(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.point.verify_strict(message, &signature).is_ok()
    }

    fn parse_text(bytes: &[u8]) -> Result<Self, FormatError> {
        let [first, second] = wire::lines(bytes, KEY_LIMIT)?;
        wire::comment(1, COMMENT, first)?;
        Self::parse_line(2, second)
    }

    fn parse_line(number: usize, line: &str) -> Result<Self, FormatError> {
        let refused = |found: &str| FormatError::Line { line: number, expected: EXPECTED, found: found.to_owned() };
        let mut record = [0; RECORD];
        wire::decode(number, EXPECTED, line, &mut record)?;
        let mut fields = Fields::of(&record);
        if *fields.take()? != ED25519 {
            return Err(refused("one of an unknown algorithm"));
        }
        let key_id = KeyId::from_bytes(*fields.take()?);
        let point = VerifyingKey::from_bytes(fields.take()?).map_err(|_| refused("bytes that are no point"))?;
        if point.is_weak() {
            return Err(refused("a point that anyone can sign for"));
        }
        Ok(Self { key_id, point })
    }
}

impl FromStr for PublicKey {
    type Err = FormatError;

    /// The key in Base64.
    fn from_str(text: &str) -> Result<Self, FormatError> {
        Self::parse_line(1, text)
    }
}
