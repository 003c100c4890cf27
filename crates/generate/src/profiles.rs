//! What other standards of packaging want: texts at the top of a package that make it one of theirs too.
//!
//! `docs/decisions/0012-profiles.md` says what is in them and why.

mod bagit;
mod frictionless;
mod licence;
mod media;
mod ro_crate;

use std::collections::BTreeSet;

use pdp_manifest::{Manifest, PackagePath, Profile, Sha256Digest};

use crate::csv_table::CsvTables;

/// A member of the package that is neither data nor the manifest, and is known before it is packed.
#[derive(Debug, Clone, Copy)]
pub struct Paper<'a> {
    /// Its member.
    pub path: &'a PackagePath,
    /// Its content.
    pub text: &'a str,
}

/// A text that a profile adds: its name at the top of the package, and its content.
pub type ProfileText = (&'static str, String);

/// The members that `profile` adds, all at the top of the package.
#[must_use]
pub const fn members(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Bagit => &[bagit::DECLARATION, bagit::INFO, bagit::PAYLOAD, bagit::TAGS],
        Profile::Frictionless => &[frictionless::DESCRIPTOR],
        Profile::RoCrate => &[ro_crate::METADATA],
    }
}

/// The texts that `profiles` add to a package with this manifest and these papers, `README.md` among them.
///
/// They follow from what is given alone. The manifest's own list of papers is not looked at: it has the digests of
/// these texts, so it comes after them.
#[must_use]
pub fn texts(
    manifest: &Manifest,
    profiles: &BTreeSet<Profile>,
    tables: &CsvTables,
    papers: &[Paper<'_>],
) -> Vec<ProfileText> {
    let mut members: Vec<Member> = papers.iter().map(|paper| Member::of(paper.path.as_str(), paper.text)).collect();
    let mut made: Vec<ProfileText> = Vec::new();
    let mut add = |path: &'static str, text: String, members: &mut Vec<Member>| {
        members.push(Member::of(path, &text));
        made.push((path, text));
    };
    if profiles.contains(&Profile::Frictionless) {
        add(frictionless::DESCRIPTOR, frictionless::descriptor(manifest, tables), &mut members);
    }
    if profiles.contains(&Profile::RoCrate) {
        add(ro_crate::METADATA, ro_crate::metadata(manifest, &members), &mut members);
    }
    if profiles.contains(&Profile::Bagit) {
        add(bagit::DECLARATION, bagit::declaration(), &mut members);
        add(bagit::INFO, bagit::info(manifest), &mut members);
        add(bagit::PAYLOAD, bagit::payload(manifest), &mut members);
        // Last, for it has the digests of all the others.
        made.push((bagit::TAGS, bagit::tags(&members)));
    }
    made.sort_unstable();
    made
}

/// A paper's place, size and digest.
struct Member {
    path: String,
    size: usize,
    digest: Sha256Digest,
}

impl Member {
    fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), size: text.len(), digest: Sha256Digest::of(text.as_bytes()) }
    }
}
