//! New keys.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::derivation::Cost;
use crate::secret_key::{BLAKE2B, HIDDEN, NO_PASSWORD, RECORD, SCRYPT, checksum, combine};
use crate::wire::{self, COMMENT, ED25519};
use crate::{GenerateError, KeyId, PublicKey};

/// The longest password that minisign reads.
const PASSWORD_LIMIT: usize = 1023;

/// A new secret key and its public half, as the files that minisign keeps them in.
pub struct KeyPair {
    secret: Zeroizing<String>,
    public: PublicKey,
}

impl KeyPair {
    /// Makes keys as `minisign -G` does, without a password as `minisign -G -W`.
    ///
    /// A password costs a second or more and 1 GiB of memory, here and whenever the key is read, as it does with minisign.
    pub fn generate(password: Option<&str>) -> Result<Self, GenerateError> {
        Self::generate_at(password, Cost::SENSITIVE)
    }

    pub(crate) fn generate_at(password: Option<&str>, cost: Cost) -> Result<Self, GenerateError> {
        if let Some(found) = password.and_then(unfit) {
            return Err(GenerateError::Password { found });
        }
        let (mut key_id, mut seed, mut salt) = ([0; 8], Zeroizing::new([0; 32]), [0; 32]);
        for random in [key_id.as_mut_slice(), seed.as_mut_slice(), salt.as_mut_slice()] {
            getrandom::fill(random).map_err(|error| GenerateError::Random { reason: error.to_string() })?;
        }
        let key = SigningKey::from_bytes(&seed);
        let public = PublicKey::new(KeyId::from_bytes(key_id), key.verifying_key());
        let point = key.verifying_key().to_bytes();

        let mut hidden = Zeroizing::new([0; HIDDEN]);
        let checksum = checksum(&key_id, &seed, &point);
        // minisign leaves the checksum out of a key without password, and never looks at it; others want it there.
        for (byte, value) in hidden.iter_mut().zip(key_id.iter().chain(seed.iter()).chain(&point).chain(&checksum)) {
            *byte = *value;
        }
        let mut record = Zeroizing::new(Vec::with_capacity(RECORD));
        record.extend(ED25519);
        if let Some(password) = password {
            combine(&mut hidden, &*cost.derive(password, &salt)?);
            record.extend(SCRYPT.into_iter().chain(BLAKE2B).chain(salt));
            record.extend(cost.operations.to_le_bytes().into_iter().chain(cost.memory.to_le_bytes()));
        } else {
            record.extend(NO_PASSWORD.into_iter().chain(BLAKE2B).chain([0; 32 + 8 + 8]));
        }
        record.extend(hidden.iter());
        let encoded = Zeroizing::new(wire::encode(&record));
        let kind = if password.is_some() { "encrypted " } else { "" };
        let secret = Zeroizing::new(format!("{COMMENT}minisign {kind}secret key\n{}\n", *encoded));
        Ok(Self { secret, public })
    }

    /// The text of the secret key's file, for its owner's eyes only.
    #[must_use]
    pub fn secret_text(&self) -> &str {
        &self.secret
    }

    /// The text of the public key's file.
    #[must_use]
    pub fn public_text(&self) -> String {
        self.public.to_text()
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    /// The identifier of both.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.public.key_id()
    }

    /// Writes both files, the secret one readable by its owner alone where the system knows such a thing.
    ///
    /// A file that is there already is never replaced: it may be the only copy of a key.
    pub fn save(&self, secret: &Path, public: &Path) -> Result<(), GenerateError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| GenerateError::Io { action: "writing the new key", path, source }
        };
        write_new(secret, &self.secret, true).map_err(failed(secret))?;
        write_new(public, &self.public_text(), false).map_err(|source| {
            // Half a pair is of no use, and would be in the way of the next attempt.
            let _ = std::fs::remove_file(secret);
            failed(public)(source)
        })
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.key_id())
    }
}

/// Why minisign could not be given this password.
fn unfit(password: &str) -> Option<&'static str> {
    if password.is_empty() {
        return Some("an empty one, which protects nothing");
    }
    if password.len() > PASSWORD_LIMIT {
        return Some("a longer one");
    }
    password.contains(['\0', '\r', '\n']).then_some("a line break or a zero byte in it")
}

#[cfg_attr(not(unix), expect(unused_variables, reason = "files are as private there as their directory"))]
fn write_new(path: &Path, text: &str, private: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    let mut file = options.open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // It is ours, and holds less than a key.
        let _ = std::fs::remove_file(path);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{KeyError, SecretKey};

    fn read(text: &str, password: Option<&str>) -> Result<SecretKey, KeyError> {
        SecretKey::parse(Path::new("my.key"), text.as_bytes(), &|| Ok(password.map(str::to_owned)))
    }

    #[test]
    fn new_keys_open_with_their_password_and_no_other() {
        let keys = KeyPair::generate_at(Some("pässword"), Cost::LOW).unwrap();
        let key = read(keys.secret_text(), Some("pässword")).unwrap();
        assert_eq!((key.key_id(), key.public_key()), (keys.key_id(), keys.public_key()));
        for wrong in ["password", "pässword ", ""] {
            assert!(matches!(read(keys.secret_text(), Some(wrong)), Err(KeyError::WrongPassword { .. })), "{wrong}");
        }
        assert!(matches!(read(keys.secret_text(), None), Err(KeyError::PasswordNeeded { .. })));
        assert_eq!(format!("{keys:?}"), format!("KeyPair({})", keys.key_id()));
    }

    #[test]
    fn no_two_pairs_are_alike() {
        let [one, two] = [None, None].map(|password| KeyPair::generate(password).unwrap());
        assert_ne!(one.key_id(), two.key_id());
        assert_ne!(one.secret_text(), two.secret_text());
        assert_ne!(one.public_key(), two.public_key());
    }

    #[test]
    fn passwords_that_minisign_could_not_read_are_refused() {
        for unfit in ["", "two\nlines", "\r", "zero\0", &"x".repeat(1024)] {
            let error = KeyPair::generate_at(Some(unfit), Cost::LOW).unwrap_err();
            assert!(matches!(error, GenerateError::Password { .. }), "{error}");
        }
        assert!(KeyPair::generate_at(Some(&"x".repeat(1023)), Cost::LOW).is_ok());
    }

    #[test]
    fn costs_that_would_exhaust_the_machine_are_refused_before_anything_is_allocated() {
        let keys = KeyPair::generate_at(Some("x"), Cost::LOW).unwrap();
        let line = keys.secret_text().lines().nth(1).unwrap();
        let mut record = [0; RECORD];
        wire::decode(2, "", line, &mut record).unwrap();
        record[38..54].fill(0xff);
        let hostile = format!("{COMMENT}\n{}\n", wire::encode(&record));
        let error = read(&hostile, Some("x")).unwrap_err();
        assert!(matches!(error, KeyError::Derivation { .. }), "{error}");
    }

    #[test]
    fn saving_replaces_nothing_and_keeps_the_secret_private() {
        let home = tempfile::tempdir().unwrap();
        let (secret, public) = (home.path().join("my.key"), home.path().join("my.pub"));
        let keys = KeyPair::generate(None).unwrap();
        keys.save(&secret, &public).unwrap();
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), keys.secret_text());
        assert_eq!(std::fs::read_to_string(&public).unwrap(), keys.public_text());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let other = KeyPair::generate(None).unwrap();
        assert!(other.save(&secret, &public).is_err());
        assert_eq!(std::fs::read_to_string(&secret).unwrap(), keys.secret_text());
        // Where only the public one is in the way, no secret one is left behind.
        std::fs::remove_file(&secret).unwrap();
        assert!(other.save(&secret, &public).is_err());
        assert!(!secret.exists());
    }
}
