//! BagIt 1.0, RFC 8493: the data is the payload, everything else is tag files.

use pdp_manifest::Manifest;

use super::Member;
use crate::show::one_line;

pub(super) const DECLARATION: &str = "bagit.txt";
pub(super) const INFO: &str = "bag-info.txt";
pub(super) const PAYLOAD: &str = "manifest-sha256.txt";
pub(super) const TAGS: &str = "tagmanifest-sha256.txt";

/// `bagit.txt`.
pub(super) fn declaration() -> String {
    "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_owned()
}

/// `bag-info.txt`.
pub(super) fn info(manifest: &Manifest) -> String {
    let octets: u64 = manifest.files.iter().map(|file| file.size_bytes).sum();
    let mut lines = vec![("External-Identifier", manifest.package_id.to_string())];
    let description = manifest.description.as_deref().map(one_line).filter(|text| !text.trim().is_empty());
    lines.push(("External-Description", description.unwrap_or_else(|| one_line(manifest.name.as_str()))));
    lines.push(("Bagging-Date", manifest.created_at.format("%Y-%m-%d").to_string()));
    let version = manifest.creator_version.as_deref().map(one_line).unwrap_or_default();
    lines.push(("Bag-Software-Agent", format!("Portable Data Packager {version}")));
    lines.push(("Payload-Oxum", format!("{octets}.{}", manifest.files.len())));
    if let (Some(set), Some(number), Some(total)) = (&manifest.set_id, manifest.part_number, manifest.total_parts) {
        lines.push(("Bag-Group-Identifier", set.to_string()));
        lines.push(("Bag-Count", format!("{number} of {total}")));
    }
    lines.into_iter().map(|(label, value)| format!("{label}: {}\n", value.trim())).collect()
}

/// `manifest-sha256.txt`: the data.
pub(super) fn payload(manifest: &Manifest) -> String {
    let line = |file: &pdp_manifest::FileEntry| {
        let digest = file.checksum_sha256?;
        Some(format!("{digest}  {}\n", encoded(file.path.as_str())))
    };
    manifest.files.iter().filter_map(line).collect()
}

/// `tagmanifest-sha256.txt`: everything else but itself and `manifest.json`, which has the digest of this very file.
pub(super) fn tags(members: &[Member]) -> String {
    let mut members: Vec<&Member> = members.iter().collect();
    members.sort_by(|a, b| a.path.cmp(&b.path));
    members.into_iter().map(|member| format!("{}  {}\n", member.digest, encoded(&member.path))).collect()
}

/// A path as RFC 8493 wants it: line ends and percent signs encoded, and only those.
fn encoded(path: &str) -> String {
    path.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_as_the_standard_has_it() {
        assert_eq!(encoded("data/a b/é%0D.csv"), "data/a b/é%250D.csv");
    }
}
