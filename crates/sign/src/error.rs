//! What can go wrong with keys and signatures.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::{DerivationError, KeyId};

/// Text that is not what minisign writes.
///
/// What was found is described and never quoted, for it may have been a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// More bytes than such a file can have.
    #[error("expected at most {limit} bytes, found more")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Bytes that are no text.
    #[error("expected UTF-8 text, found something else at byte {offset}")]
    NotText {
        /// Position of the first byte that is none.
        offset: usize,
    },
    /// A line that is not as it must be.
    #[error("line {line}: expected {expected}, found {found}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

/// A key that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file is no key of this kind, or is damaged.
    #[error("{file}: not a minisign {kind} key: {source}", file = .file.display())]
    NotAKey {
        /// The file.
        file: PathBuf,
        /// `secret` or `public`.
        kind: &'static str,
        /// What was expected and found.
        source: FormatError,
    },
    /// The key is protected by a password, and the caller has none.
    #[error("{file}: the secret key is protected by a password, and none was given", file = .file.display())]
    PasswordNeeded {
        /// The file.
        file: PathBuf,
    },
    /// The password does not open the key.
    #[error("{file}: wrong password for this secret key", file = .file.display())]
    WrongPassword {
        /// The file.
        file: PathBuf,
    },
    /// Asking for the password failed.
    #[error("asking for the password of {file}: {source}", file = .file.display())]
    Asking {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Opening the key would cost more than is granted to a file from outside.
    #[error("{file}: {source}", file = .file.display())]
    Derivation {
        /// The file.
        file: PathBuf,
        /// What it would cost.
        source: DerivationError,
    },
    /// The file could not be read.
    #[error("{action} {path}: {source}", path = .path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Keys that could not be made or saved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A password that minisign could not be given.
    #[error("expected a password of 1 to 1023 bytes on one line, found {found}")]
    Password {
        /// What is wrong with it.
        found: &'static str,
    },
    /// The system has no random bytes.
    #[error("the system gives no random bytes: {reason}")]
    Random {
        /// In the system's words.
        reason: String,
    },
    /// The password could not be made a key.
    #[error(transparent)]
    Derivation(#[from] DerivationError),
    /// A file could not be written.
    #[error("{action} {path}: {source}", path = .path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// A comment that a signature cannot carry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{which} comment: expected one line of at most {limit} bytes without control characters, found {found}")]
pub struct CommentError {
    /// `trusted` or `untrusted`.
    pub which: &'static str,
    /// How long minisign lets it be.
    pub limit: usize,
    /// What is wrong with it.
    pub found: String,
}

/// A signature that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// What should be a signature is none.
    #[error("not a minisign signature: {0}")]
    Malformed(#[from] FormatError),
    /// A signature, but by another key.
    #[error("signed by key {signed_by}, expected key {expected}")]
    OtherKey {
        /// The key that the signature names.
        signed_by: KeyId,
        /// The key it was held against.
        expected: KeyId,
    },
    /// The signature names the right key, but is not its signature over this text.
    #[error("the text is not what key {key_id} signed: it was changed, or the signature is forged")]
    Changed {
        /// The key.
        key_id: KeyId,
    },
    /// The text is what was signed, but the trusted comment is not.
    #[error("the trusted comment is not what key {key_id} signed: it was changed, or the signature is forged")]
    TrustedComment {
        /// The key.
        key_id: KeyId,
    },
}
