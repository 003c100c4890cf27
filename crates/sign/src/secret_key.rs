//! Secret keys.

use std::fmt;
use std::io;
use std::path::Path;

use blake2::{Blake2b256, Digest as _};
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::derivation::Cost;
use crate::wire::{self, COMMENT, ED25519, Fields};
use crate::{FormatError, KEY_LIMIT, KeyError, KeyId, PublicKey};

/// Says the password of a secret key, `None` when there is nobody to ask. Called once, and only for a key that needs one.
pub type AskPassword<'a> = &'a dyn Fn() -> io::Result<Option<String>>;

/// What is hidden by a password: identifier, seed, public half, checksum.
pub(crate) const HIDDEN: usize = 8 + 32 + 32 + 32;
/// Three algorithms, salt, two limits, and what may be hidden.
pub(crate) const RECORD: usize = 2 + 2 + 2 + 32 + 8 + 8 + HIDDEN;
pub(crate) const SCRYPT: [u8; 2] = *b"Sc";
pub(crate) const NO_PASSWORD: [u8; 2] = [0; 2];
pub(crate) const BLAKE2B: [u8; 2] = *b"B2";
const EXPECTED: &str = "a secret key of 212 Base64 characters";

/// A key to sign with.
pub struct SecretKey {
    key_id: KeyId,
    key: SigningKey,
}

/// A key's file taken apart.
struct Record {
    /// The salt and what the derivation may cost, when there is a password.
    protection: Option<([u8; 32], Cost)>,
    hidden: Zeroizing<[u8; HIDDEN]>,
}

impl SecretKey {
    /// Reads the file of a secret key.
    pub fn read(path: &Path, password: AskPassword<'_>) -> Result<Self, KeyError> {
        let bytes = wire::read(path).map_err(|source| KeyError::Io {
            action: "reading the secret key",
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &bytes, password)
    }

    /// The text of a secret key's file; `file` is for messages.
    pub fn parse(file: &Path, bytes: &[u8], password: AskPassword<'_>) -> Result<Self, KeyError> {
        let file = || file.to_owned();
        let not_a_key = |source| KeyError::NotAKey { file: file(), kind: "secret", source };
        let Record { protection, mut hidden } = Record::parse(bytes).map_err(not_a_key)?;
        if let Some((salt, cost)) = &protection {
            let password = password().map_err(|source| KeyError::Asking { file: file(), source })?;
            let password = Zeroizing::new(password.ok_or_else(|| KeyError::PasswordNeeded { file: file() })?);
            let mask = cost.derive(&password, salt).map_err(|source| KeyError::Derivation { file: file(), source })?;
            combine(&mut hidden, &mask);
        }
        match Self::open(&hidden, protection.is_some()).map_err(not_a_key)? {
            Some(key) => Ok(key),
            None if protection.is_some() => Err(KeyError::WrongPassword { file: file() }),
            None => Err(not_a_key(refused("one whose checksum is another"))),
        }
    }

    /// The identifier, which stands in the signatures.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::new(self.key_id, self.key.verifying_key())
    }

    /// The signature over `message`, always the same.
    pub(crate) fn signature(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The key in bytes that are not, or no longer, hidden; `None` when the checksum is another.
    fn open(bytes: &[u8; HIDDEN], was_hidden: bool) -> Result<Option<Self>, FormatError> {
        let mut fields = Fields::of(bytes);
        let (key_id, seed, public) = (fields.take()?, fields.take()?, fields.take()?);
        let checksum: &[u8; 32] = fields.take()?;
        // minisign leaves the checksum of a key without password empty.
        let has_checksum = was_hidden || *checksum != [0; 32];
        if has_checksum && *checksum != self::checksum(key_id, seed, public) {
            return Ok(None);
        }
        let key = SigningKey::from_bytes(seed);
        // Signing beside a foreign public half would give the secret one away.
        if key.verifying_key().as_bytes() != public {
            return Err(refused("one whose halves do not belong together"));
        }
        Ok(Some(Self { key_id: KeyId::from_bytes(*key_id), key }))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.key_id)
    }
}

impl Record {
    fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        let [first, second] = wire::lines(bytes, KEY_LIMIT)?;
        wire::comment(1, COMMENT, first)?;
        let mut record = Zeroizing::new([0; RECORD]);
        wire::decode(2, EXPECTED, second, &mut record)?;
        let mut fields = Fields::of(record.as_slice());
        let (algorithm, protection, checksum) = (*fields.take()?, *fields.take()?, *fields.take()?);
        if algorithm != ED25519 || checksum != BLAKE2B {
            return Err(refused("one of an unknown algorithm"));
        }
        let salt = *fields.take()?;
        let operations = u64::from_le_bytes(*fields.take()?);
        let memory = u64::from_le_bytes(*fields.take()?);
        let protection = match protection {
            NO_PASSWORD => None,
            SCRYPT => Some((salt, Cost { operations, memory })),
            _ => return Err(refused("one that is protected in an unknown way")),
        };
        Ok(Self { protection, hidden: Zeroizing::new(*fields.take()?) })
    }
}

fn refused(found: &str) -> FormatError {
    FormatError::Line { line: 2, expected: EXPECTED, found: found.to_owned() }
}

/// Hides bytes, or shows them again.
pub(crate) fn combine(bytes: &mut [u8; HIDDEN], mask: &[u8; HIDDEN]) {
    for (byte, mask) in bytes.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// What tells the right password from a wrong one.
pub(crate) fn checksum(key_id: &[u8; 8], seed: &[u8; 32], public: &[u8; 32]) -> [u8; 32] {
    let hasher = Blake2b256::new().chain_update(ED25519).chain_update(key_id);
    hasher.chain_update(seed).chain_update(public).finalize().into()
}
