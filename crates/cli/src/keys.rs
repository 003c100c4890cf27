//! Keys as a person names them: files, Base64, and a password from the environment.

use std::io;
use std::path::Path;

use pdp_packager::PackagerError;
use pdp_packager::sign::{GenerateError, KeyError, KeyPair, PublicKey, SecretKey};

/// Where the password of a secret key comes from.
const PASSWORD: &str = "PDP_KEY_PASSWORD";

fn usage(error: impl std::fmt::Display) -> PackagerError {
    PackagerError::Usage(error.to_string())
}

/// A file that cannot be read is not wrong usage.
fn key_error(error: KeyError) -> PackagerError {
    match error {
        KeyError::Io { path, source, .. } if source.kind() == io::ErrorKind::NotFound => {
            PackagerError::NotFound { what: "key", path }
        }
        KeyError::Io { action, path, source } => PackagerError::Io { action, path, source },
        error => usage(error),
    }
}

fn password() -> io::Result<Option<String>> {
    match std::env::var(PASSWORD) {
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{PASSWORD}: {error}"))),
    }
}

/// The secret key in a file.
///
/// # Errors
/// It is none, or its password is missing or wrong.
pub(crate) fn secret(path: &Path) -> Result<SecretKey, PackagerError> {
    SecretKey::read(path, &password).map_err(|error| match error {
        KeyError::PasswordNeeded { .. } => usage(format!("{error}; set {PASSWORD}")),
        error => key_error(error),
    })
}

/// The public key in a file, or the one that the text itself is.
///
/// # Errors
/// It is none.
pub(crate) fn public(file_or_text: &str) -> Result<PublicKey, PackagerError> {
    PublicKey::read(file_or_text).map_err(key_error)
}

/// Makes a pair of keys and writes both.
///
/// # Errors
/// A file exists, or there is no password where one is wanted.
pub(crate) fn generate(secret: &Path, public: &Path, no_password: bool) -> Result<KeyPair, PackagerError> {
    let password = if no_password { None } else { password().map_err(usage)? };
    if password.is_none() && !no_password {
        return Err(usage(format!("set {PASSWORD} to the password for the secret key, or say --no-password")));
    }
    let pair = KeyPair::generate(password.as_deref()).map_err(usage)?;
    pair.save(secret, public).map_err(|error| match error {
        GenerateError::Io { action, path, source } if source.kind() != io::ErrorKind::AlreadyExists => {
            PackagerError::Io { action, path, source }
        }
        error => usage(error),
    })?;
    Ok(pair)
}
