//! The parts of a package: one mostly, several where a largest size was asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pdp_archive::split::{Make, SplitWriter};
use pdp_archive::target::write_atomically;
use pdp_archive::{ContainerWriter, Sealed};
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{
    CompressionLevel, ContainerFormat, DateRange, Manifest, ManifestText, PackagePath, Profile, Sha256Digest, listing,
};
use rayon::ThreadPool;

use super::{CreateOptions, CreateReport, Gathered, Parts, pack_data, papers, totals};
use crate::scan::DataFile;
use crate::{PackagerError, Progress, ValidateReport, sidecar, signature};

/// Room for README, dictionary, quality page, schemas and scripts in every part.
const PAPERS: u64 = 384 << 10;

/// A part that is whole, under a temporary name.
pub(super) struct Part {
    pub(super) sealed: Sealed,
    manifest: Manifest,
    /// The text of its manifest, whose digest a signature covers.
    manifest_digest: Sha256Digest,
    gathered: Gathered,
}

/// A container with its data, and what was learnt of that.
pub(super) type Packed = (Box<dyn ContainerWriter>, Gathered);

/// What is learnt of every part while they are packed.
struct Learnt {
    parts: Vec<Gathered>,
    current: Arc<AtomicUsize>,
}

impl Parts for Learnt {
    fn current(&mut self) -> &mut Gathered {
        let at = self.current.load(Ordering::Relaxed);
        while self.parts.len() <= at {
            self.parts.push(Gathered::default());
        }
        match self.parts.get_mut(at) {
            Some(part) => part,
            None => unreachable!("there are as many parts as were begun"),
        }
    }
}

/// Packs `files` into as many containers as `most` bytes each make necessary.
pub(super) fn pack(
    most: u64,
    make: &Make<'_>,
    files: Vec<(DataFile, PackagePath)>,
    options: &CreateOptions,
    pool: &ThreadPool,
    progress: &dyn Progress,
    first: Gathered,
) -> Result<Vec<Packed>, PackagerError> {
    let plain = options.format == ContainerFormat::Folder || options.compression == CompressionLevel::None;
    let described = options.profiles.iter().map(|profile| room(*profile)).sum::<u64>() + (4 << 10);
    let each = if plain { described } else { described / 4 };
    let mut writer = SplitWriter::new(make, most.saturating_sub(PAPERS), each)?;
    let mut learnt = Learnt { parts: vec![first], current: writer.current() };
    pack_data(&mut writer, files, options, pool, progress, &mut learnt)?;
    let mut parts = learnt.parts;
    let containers = writer.into_parts();
    parts.resize_with(containers.len(), Gathered::default);
    Ok(containers.into_iter().zip(parts).collect())
}

/// Room for what a profile says of one file, uncompressed.
const fn room(profile: Profile) -> u64 {
    match profile {
        Profile::Bagit => 512,
        Profile::Frictionless => 6 << 10,
        Profile::RoCrate => 2 << 10,
    }
}

/// Gives every part its manifest and papers.
pub(super) fn seal(
    writers: Vec<Packed>,
    options: &CreateOptions,
    pool: &ThreadPool,
) -> Result<Vec<Part>, PackagerError> {
    let total = writers.len();
    let all = writers.iter().flat_map(|(_, gathered)| gathered.facts.iter().map(|facts| (&facts.path, &facts.sha256)));
    let set_id = (total > 1).then(|| listing::package_id(all));
    let mut parts = Vec::with_capacity(total);
    for (number, (mut writer, gathered)) in (1_usize..).zip(writers) {
        let mut manifest = totals::manifest(options, &gathered);
        manifest.part_number = u32::try_from(number).ok();
        manifest.total_parts = u32::try_from(total).ok();
        manifest.set_id.clone_from(&set_id);
        let texts = papers::papers(options, &manifest, &gathered)?;
        let (manifest, front) = papers::pack(&mut *writer, pool, manifest, texts)?;
        let text = ManifestText::new(&manifest);
        let sealed = writer.seal(&text, front)?;
        if let Some(most) = options.max_size.filter(|most| sealed.size > *most) {
            let what = match gathered.entries.as_slice() {
                [one] => format!("{} alone makes a part of", one.path),
                _ => format!("part {number} comes to"),
            };
            let size = sealed.size;
            return Err(PackagerError::Usage(format!("{what} {size} bytes, over the largest size of {most}")));
        }
        let sealed = sealed.named(options.part_name(number, total));
        let manifest_digest = Sha256Digest::of(&text.render(sealed.size));
        parts.push(Part { sealed, manifest, manifest_digest, gathered });
    }
    Ok(parts)
}

/// Gives every part its name, its checksum and its signature.
pub(super) fn publish(
    parts: Vec<Part>,
    verified: Vec<Option<ValidateReport>>,
    options: &CreateOptions,
) -> Result<CreateReport, PackagerError> {
    let total = parts.len();
    let mut report: Option<CreateReport> = None;
    for (number, (part, verified)) in (1_usize..).zip(parts.into_iter().zip(verified)) {
        let Part { sealed, manifest, manifest_digest, gathered } = part;
        let (size, archive_sha256) = (sealed.size, sealed.sha256);
        let file_name = options.part_name(number, total);
        let package_path = sealed.publish(options.existing)?;
        // It was read back under the name it had until now.
        let verified = verified.map(|report| ValidateReport { package_path: package_path.clone(), ..report });
        let sidecar_path = sidecar::path_of(&package_path);
        if let Some(digest) = archive_sha256 {
            write_atomically(&sidecar_path, sidecar::line(&digest, &file_name).as_bytes())?;
        }
        let signature_path = match &options.sign {
            Some(key) => Some(signature::write(key, &manifest, &manifest_digest, &package_path, options.created_at)?),
            None => None,
        };
        let one = CreateReport {
            package_path: package_path.clone(),
            sidecar_path: archive_sha256.map(|_| sidecar_path),
            signature_path,
            name: manifest.name,
            package_id: manifest.package_id,
            package_checksum: manifest.package_checksum.unwrap_or_else(|| Sha256Digest::of(b"")),
            archive_sha256,
            package_size_bytes: size,
            uncompressed_size_bytes: manifest.uncompressed_size_bytes.unwrap_or(0),
            data_size_bytes: manifest.files.iter().map(|file| file.size_bytes).sum(),
            total_files: manifest.total_files,
            total_events: manifest.total_events,
            symbols: manifest.symbols,
            event_types: manifest.event_types,
            date_range: manifest.date_range,
            quality_grade: manifest.quality.map(|quality| quality.grade),
            parts: if total > 1 { vec![package_path] } else { Vec::new() },
            skipped: gathered.skipped,
            warnings: gathered.warnings,
            verified,
        };
        match &mut report {
            None => report = Some(one),
            Some(whole) => join(whole, one),
        }
    }
    report.ok_or_else(|| PackagerError::Usage("there is nothing to pack".to_owned()))
}

/// Adds what a further part holds to the report of the whole.
fn join(whole: &mut CreateReport, part: CreateReport) {
    whole.package_size_bytes += part.package_size_bytes;
    whole.uncompressed_size_bytes += part.uncompressed_size_bytes;
    whole.data_size_bytes += part.data_size_bytes;
    whole.total_files += part.total_files;
    whole.total_events += part.total_events;
    whole.symbols.extend(part.symbols);
    whole.symbols.sort();
    whole.symbols.dedup();
    whole.event_types.extend(part.event_types);
    whole.event_types.sort();
    whole.event_types.dedup();
    whole.date_range = match (whole.date_range.take(), part.date_range) {
        (Some(one), Some(other)) => {
            let (start, end) = (one.start.min(other.start), one.end.max(other.end));
            let days = (end.date_naive() - start.date_naive()).num_days() + 1;
            // Days that several parts have would count twice.
            Some(DateRange { start, end, trading_days: None, calendar_days: u64::try_from(days).ok() })
        }
        (one, other) => one.or(other),
    };
    // The worst is what can be said of all.
    whole.quality_grade = whole.quality_grade.max(part.quality_grade);
    whole.parts.extend(part.parts);
    whole.skipped.extend(part.skipped);
    whole.warnings.extend(part.warnings);
    if let (Some(one), Some(other)) = (&mut whole.verified, part.verified) {
        one.checks.checksums += other.checks.checksums;
        one.checks.presence += other.checks.presence;
        one.checks.sizes += other.checks.sizes;
        one.checks.structure += other.checks.structure;
    }
}

/// The listing that a signature is made over: of every member, the manifest among them.
pub(crate) fn signed_text(manifest: &Manifest, manifest_digest: &Sha256Digest) -> Option<String> {
    let path: PackagePath = MANIFEST_PATH.parse().ok()?;
    let declared = manifest.declared().map(|claim| Some((claim.path, claim.digest?)));
    let mut members = declared.collect::<Option<Vec<_>>>()?;
    members.push((&path, manifest_digest));
    Some(listing::canonical(members))
}
