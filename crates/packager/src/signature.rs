//! The `.minisig` file beside a package: a signature over the listing of all its members.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use pdp_archive::disk::open_file;
use pdp_archive::target::write_atomically;
use pdp_manifest::{Manifest, Sha256Digest};
use pdp_sign::{PublicKey, SIGNATURE_LIMIT, SecretKey, UNTRUSTED_COMMENT, VerifyError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::PackagerError;
use crate::create::signed_text;
use crate::package::Package;
use crate::validate::Finding;

/// Who signed a package.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignatureReport {
    /// The key, as minisign prints it.
    pub key_id: String,
    /// What the signer said; it is signed too.
    pub trusted_comment: String,
}

/// Where the signature of a package lies.
pub(crate) fn path_of(package: &Path) -> PathBuf {
    let mut name = OsString::from(package);
    name.push(".minisig");
    name.into()
}

/// Signs a package; the same package and key give the same signature.
pub(crate) fn write(
    key: &SecretKey,
    manifest: &Manifest,
    manifest_digest: &Sha256Digest,
    package: &Path,
    time: DateTime<Utc>,
) -> Result<PathBuf, PackagerError> {
    let text = signed_text(manifest, manifest_digest)
        .ok_or_else(|| PackagerError::Usage("a package without checksums cannot be signed".to_owned()))?;
    let name = package.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let comment = format!("timestamp:{}\tfile:{name}\thashed", time.timestamp());
    let signature = pdp_sign::sign(text.as_bytes(), key, &comment, UNTRUSTED_COMMENT)
        .map_err(|error| PackagerError::Usage(error.to_string()))?;
    let path = path_of(package);
    write_atomically(&path, signature.as_bytes())?;
    Ok(path)
}

/// Holds the signature beside a package against the listing of its members.
///
/// # Errors
/// The signature file is there and cannot be read.
pub(crate) fn check(
    package: &Package,
    listing: Option<&str>,
    key: &PublicKey,
) -> Result<Result<SignatureReport, Finding>, PackagerError> {
    let path = path_of(&package.path);
    let finding = |check: &'static str, expected: String, actual: String| {
        Ok(Err(Finding { member: None, check, expected, actual }))
    };
    let by = format!("a signature by key {}", key.key_id());
    let mut signature = Vec::new();
    let limit = u64::try_from(SIGNATURE_LIMIT).unwrap_or(u64::MAX).saturating_add(1);
    match open_file(&path, package.follow_links).and_then(|file| file.take(limit).read_to_end(&mut signature)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return finding("signature missing", by, format!("no {}", path.display()));
        }
        Err(error) => return Err(PackagerError::io("reading", path)(error)),
    }
    let Some(listing) = listing else {
        return finding("signature", by, "members that have no checksum, which nobody can have signed".to_owned());
    };
    match pdp_sign::verify(listing.as_bytes(), &signature, key) {
        Ok(verified) => {
            Ok(Ok(SignatureReport { key_id: verified.key_id.to_string(), trusted_comment: verified.trusted_comment }))
        }
        Err(VerifyError::OtherKey { signed_by, .. }) => {
            finding("signature key", by, format!("a signature by key {signed_by}"))
        }
        Err(VerifyError::Changed { key_id }) => {
            let actual =
                format!("key {key_id} signed something else: a member, the manifest or the signature was changed");
            finding("signature", format!("{by} over these members"), actual)
        }
        Err(VerifyError::TrustedComment { .. }) => {
            finding("signature comment", by, "a trusted comment that was changed".to_owned())
        }
        Err(error) => finding("signature form", by, error.to_string()),
    }
}

/// Whether there is a signature beside a package.
pub(crate) fn is_beside(package: &Path) -> bool {
    path_of(package).is_file()
}
