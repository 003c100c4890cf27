//! Signatures: the text of a `.minisig` file.

use std::borrow::Cow;

use blake2::{Blake2b512, Digest as _};

use crate::wire::{self, COMMENT, ED25519, Fields};
use crate::{CommentError, FormatError, KeyId, PublicKey, SIGNATURE_LIMIT, SecretKey, VerifyError};

/// The untrusted comment that minisign writes when it is told no other.
pub const UNTRUSTED_COMMENT: &str = "signature from minisign secret key";

/// Signatures over the BLAKE2b-512 digest of the text; those of [`ED25519`] are over the text itself.
const PREHASHED: [u8; 2] = *b"ED";
/// Algorithm, identifier and signature.
const RECORD: usize = 2 + 8 + 64;
const TRUSTED: &str = "trusted comment: ";
// minisign reads lines of 1024 and 8192 bytes, with prefix, line break and a zero byte.
const UNTRUSTED_LIMIT: usize = 1024 - COMMENT.len() - 2;
const TRUSTED_LIMIT: usize = 8192 - TRUSTED.len() - 2;

/// A signature that has been read and not yet verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    key_id: KeyId,
    is_prehashed: bool,
    signature: [u8; 64],
    trusted_comment: String,
    /// Over signature and trusted comment.
    global: [u8; 64],
}

/// What a signature that holds says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The key that signed.
    pub key_id: KeyId,
    /// The comment that was signed with the text; one line without control characters other than tabs.
    pub trusted_comment: String,
}

/// Signs `text` and `trusted_comment`, and puts an `untrusted_comment` in front that anyone may change.
///
/// Gives the text of a `.minisig` file, which depends on nothing but what is passed.
pub fn sign(
    text: &[u8],
    key: &SecretKey,
    trusted_comment: &str,
    untrusted_comment: &str,
) -> Result<String, CommentError> {
    check("trusted", trusted_comment, TRUSTED_LIMIT)?;
    check("untrusted", untrusted_comment, UNTRUSTED_LIMIT)?;
    let signature = key.signature(&Blake2b512::digest(text));
    let global = key.signature(&with_comment(&signature, trusted_comment));
    let mut record = Vec::with_capacity(RECORD);
    record.extend(PREHASHED);
    record.extend(key.key_id().to_bytes());
    record.extend(signature);
    Ok(format!(
        "{COMMENT}{untrusted_comment}\n{}\n{TRUSTED}{trusted_comment}\n{}\n",
        wire::encode(&record),
        wire::encode(&global)
    ))
}

/// Holds `text` and the text of a `.minisig` file against a key.
///
/// Both kinds of signature are taken: those that current minisign makes, and those over the text itself that older ones made.
pub fn verify(text: &[u8], signature: &[u8], key: &PublicKey) -> Result<Verified, VerifyError> {
    Signature::parse(signature)?.verify(text, key)
}

impl Signature {
    /// Reads the text of a `.minisig` file.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let [untrusted, record, trusted, global_line] = wire::lines(bytes, SIGNATURE_LIMIT)?;
        wire::comment(1, COMMENT, untrusted)?;
        let mut bytes = [0; RECORD];
        wire::decode(2, "a signature of 100 Base64 characters", record, &mut bytes)?;
        let mut fields = Fields::of(&bytes);
        let is_prehashed = match *fields.take()? {
            PREHASHED => true,
            ED25519 => false,
            _ => return Err(refused(2, "a signature of a known algorithm", "one of another")),
        };
        let key_id = KeyId::from_bytes(*fields.take()?);
        let signature = *fields.take()?;
        let trusted_comment = wire::comment(3, TRUSTED, trusted)?.to_owned();
        if trusted_comment.contains(is_control) {
            return Err(refused(3, "a comment without control characters", "one with some"));
        }
        let mut global = [0; 64];
        wire::decode(4, "a signature of 88 Base64 characters", global_line, &mut global)?;
        Ok(Self { key_id, is_prehashed, signature, trusted_comment, global })
    }

    /// The key that the signature names, which nothing proves before it is verified.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Holds the signature against a text and a key.
    pub fn verify(&self, text: &[u8], key: &PublicKey) -> Result<Verified, VerifyError> {
        let key_id = self.key_id;
        if key_id != key.key_id() {
            return Err(VerifyError::OtherKey { signed_by: key_id, expected: key.key_id() });
        }
        let message =
            if self.is_prehashed { Cow::Owned(Blake2b512::digest(text).to_vec()) } else { Cow::Borrowed(text) };
        if !key.holds(&message, &self.signature) {
            return Err(VerifyError::Changed { key_id });
        }
        if !key.holds(&with_comment(&self.signature, &self.trusted_comment), &self.global) {
            return Err(VerifyError::TrustedComment { key_id });
        }
        Ok(Verified { key_id, trusted_comment: self.trusted_comment.clone() })
    }
}

/// What the global signature is over.
fn with_comment(signature: &[u8; 64], trusted_comment: &str) -> Vec<u8> {
    [signature.as_slice(), trusted_comment.as_bytes()].concat()
}

fn refused(line: usize, expected: &'static str, found: &str) -> FormatError {
    FormatError::Line { line, expected, found: found.to_owned() }
}

/// Tabs stand in minisign's own comments.
fn is_control(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn check(which: &'static str, comment: &str, limit: usize) -> Result<(), CommentError> {
    if comment.len() > limit {
        return Err(CommentError { which, limit, found: format!("{} bytes", comment.len()) });
    }
    match comment.chars().find(|c| is_control(*c)) {
        Some(c) => Err(CommentError { which, limit, found: format!("\"{}\"", c.escape_debug()) }),
        None => Ok(()),
    }
}
