//! The canonical listing: one line a member, whose digest stands for the whole package.

use std::str::FromStr as _;

use crate::{PackageId, PackagePath, Sha256Digest};

/// The canonical listing of `members`: sorted by path, `{sha256 hex}  {path}\n` each, as `sha256sum` prints them.
#[must_use]
pub fn canonical<'a>(members: impl IntoIterator<Item = (&'a PackagePath, &'a Sha256Digest)>) -> String {
    let mut lines: Vec<_> = members.into_iter().collect();
    lines.sort();
    let mut text = String::new();
    for (path, digest) in lines {
        text.push_str(&format!("{digest}  {path}\n"));
    }
    text
}

/// The checksum of a package: the digest of the canonical listing of all members but the manifest.
#[must_use]
pub fn package_checksum<'a>(members: impl IntoIterator<Item = (&'a PackagePath, &'a Sha256Digest)>) -> Sha256Digest {
    Sha256Digest::of(canonical(members).as_bytes())
}

/// The identity of a package: the first 32 hexadecimal digits of the digest of its data members' canonical listing.
///
/// It follows from the data alone: name, time and texts do not change it.
#[must_use]
pub fn package_id<'a>(data_members: impl IntoIterator<Item = (&'a PackagePath, &'a Sha256Digest)>) -> PackageId {
    let mut digits = package_checksum(data_members).to_string();
    digits.truncate(32);
    PackageId::from_str(&digits).unwrap_or_else(|_| unreachable!("hexadecimal digits are a legal identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_is_sorted_and_in_the_form_of_sha256sum() -> Result<(), crate::PathError> {
        let (a, b): (PackagePath, PackagePath) = ("data/a".parse()?, "data/b".parse()?);
        let (abc, empty) = (Sha256Digest::of(b"abc"), Sha256Digest::of(b""));
        let text = canonical([(&b, &empty), (&a, &abc)]);
        assert_eq!(
            text,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  data/a\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  data/b\n"
        );
        assert_eq!(package_checksum([(&a, &abc), (&b, &empty)]), Sha256Digest::of(text.as_bytes()));
        assert_eq!(package_id([(&a, &abc)]).as_str().len(), 32);
        Ok(())
    }
}
