//! What a manifest promises of the stream behind it.

use std::collections::HashMap;
use std::path::Path;

use pdp_archive::{ArchiveError, Limits};
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{Manifest, PackagePath, Sha256Digest};

use crate::{Finding, PackagerError};

/// A manifest that was read from the front of a stream, and the members that must follow.
pub(super) struct Expected {
    pub(super) manifest: Manifest,
    /// Its text, byte for byte.
    pub(super) text: Vec<u8>,
    members: HashMap<PackagePath, Promise>,
}

/// What the manifest says of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Promise {
    pub(super) size: Option<u64>,
    pub(super) digest: Option<Sha256Digest>,
}

impl Expected {
    /// Reads the manifest, and refuses what can be seen to be wrong before a member has come.
    pub(super) fn new(text: Vec<u8>, stream: &Path, limits: &Limits) -> Result<Self, PackagerError> {
        let manifest = pdp_manifest::json::parse(&text)
            .map_err(|source| PackagerError::Manifest { package: stream.to_owned(), source })?;
        let declared = manifest.declared();
        crate::package::check_places(stream, declared.map(|declared| declared.path), &manifest)?;
        let findings: Vec<Finding> = crate::validate::totals(&manifest);
        if !findings.is_empty() {
            let summary = "the package is not what it claims to be; nothing was imported".to_owned();
            let findings = findings.iter().map(ToString::to_string).collect();
            return Err(PackagerError::Invalid { summary, findings });
        }
        let members: HashMap<PackagePath, Promise> = manifest
            .declared()
            .map(|declared| {
                let promise = Promise { size: declared.size, digest: declared.digest.copied() };
                (declared.path.clone(), promise)
            })
            .collect();
        let expected = Self { manifest, text, members };
        let refuse = |what, actual, limit| Err(ArchiveError::Limit { what, actual, limit }.into());
        let count = expected.count().saturating_add(1);
        if count > limits.max_members {
            return refuse("number of members", count, limits.max_members);
        }
        if expected.bytes() > limits.max_total_bytes {
            return refuse("size of all members", expected.bytes(), limits.max_total_bytes);
        }
        Ok(expected)
    }

    /// How many members the manifest declares.
    pub(super) fn count(&self) -> u64 {
        u64::try_from(self.members.len()).unwrap_or(u64::MAX)
    }

    /// Bytes of the manifest and of all members whose size it states.
    pub(super) fn bytes(&self) -> u64 {
        let own = u64::try_from(self.text.len()).unwrap_or(u64::MAX);
        self.members.values().filter_map(|promise| promise.size).fold(own, u64::saturating_add)
    }

    /// What is promised of a member that comes with this size.
    pub(super) fn promise(&self, path: &PackagePath, size: u64) -> Result<Promise, PackagerError> {
        match self.members.get(path) {
            None if path.as_str() == MANIFEST_PATH => Err(disagree(format!("{path}: it comes twice"))),
            None => Err(disagree(format!("{path}: in the package, not declared in the manifest"))),
            Some(Promise { size: Some(stated), .. }) if *stated != size => {
                Err(disagree(format!("{path}: size: expected {stated}, actual {size}")))
            }
            Some(promise) => Ok(*promise),
        }
    }

    /// Whether everything that is declared is among the members for which `came` holds.
    pub(super) fn all(&self, came: impl Fn(&PackagePath) -> bool) -> Result<(), PackagerError> {
        let mut missing: Vec<&PackagePath> = self.members.keys().filter(|path| !came(path)).collect();
        missing.sort();
        match missing.first() {
            None => Ok(()),
            Some(path) => {
                let others = match missing.len() {
                    1 => String::new(),
                    count => format!(" (and {} more)", count - 1),
                };
                Err(disagree(format!("{path}: declared in the manifest, not in the package{others}")))
            }
        }
    }
}

fn disagree(finding: String) -> PackagerError {
    let summary = "the package and its manifest disagree; nothing was imported".to_owned();
    PackagerError::Invalid { summary, findings: vec![finding] }
}
