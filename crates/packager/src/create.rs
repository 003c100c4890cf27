//! Making a package.
//!
//! scan -> one pass per file (count, times, shape, hash, compress) -> manifest and papers -> seal -> read back ->
//! rename.

mod fields;
mod options;
mod papers;
mod place;
mod quality;
mod schemas;
mod source;
mod totals;

use std::path::Path;

use pdp_archive::folder::FolderWriter;
use pdp_archive::tar::TarGzWriter;
use pdp_archive::target::write_atomically;
use pdp_archive::zip::ZipWriter;
use pdp_archive::{ArchiveError, ContainerWriter, MemberFacts, PackOptions, Target, pack};
use pdp_manifest::{
    CompressionLevel, ContainerFormat, FileEntry, FileQuality, ManifestText, PackageCompression, PackagePath,
};
use rayon::ThreadPool;

pub use self::options::{CreateOptions, CreateReport};
use self::schemas::Schemas;
use self::source::{FileSource, Source};
use crate::inspect::Findings;
use crate::scan::{DataFile, Scan, ScanOptions, Skipped, scan};
use crate::validate::validate_container;
use crate::{PackagerError, Progress, Stage};

/// Packs the data files below a root.
///
/// The package appears at its final name complete and, unless [`CreateOptions::read_back`] is off, verified; when
/// anything fails, nothing is left. The same files and options give the same bytes.
///
/// # Errors
/// [`PackagerError::NoData`] when nothing matches, and whatever keeps a file from being read or the package from being
/// written.
pub fn create(options: &CreateOptions, progress: &dyn Progress) -> Result<CreateReport, PackagerError> {
    let pool = crate::threads(options.threads)?;
    // Not inside the pool: this thread feeds the workers and waits for them.
    run(options, &pool, progress).map_err(|error| match error {
        // However a stop shows itself, it is a stop.
        _ if progress.is_cancelled() => PackagerError::Cancelled,
        error => error,
    })
}

fn run(options: &CreateOptions, pool: &ThreadPool, progress: &dyn Progress) -> Result<CreateReport, PackagerError> {
    check(options)?;
    let Scan { root: _, mut files, skipped } = pool.install(|| find(options, progress))?;
    let target = Target::new(&options.output, options.file_name())?;
    let mut writer = container(options, target)?;

    let bytes = files.iter().map(|file| file.size).sum();
    progress.begin(Stage::Packing, u64::try_from(files.len()).unwrap_or(0), bytes);
    let places = place::place(&mut files, options.layout).map_err(ArchiveError::from)?;
    let mut ordered: Vec<(DataFile, PackagePath)> = files.into_iter().zip(places).collect();
    ordered.sort_by(|a, b| a.1.cmp(&b.1));
    let mut gathered = Gathered { skipped, ..Gathered::default() };
    pack_data(&mut *writer, ordered, options, pool, progress, &mut gathered)?;
    if gathered.entries.is_empty() {
        let looked_for = looked_for(options);
        return Err(PackagerError::NoData { looked_for, found: "every file found was skipped".to_owned() });
    }

    let manifest = totals::manifest(options, &gathered);
    let papers = papers::papers(options, &manifest, &gathered)?;
    let (manifest, front) = papers::pack(&mut *writer, pool, manifest, papers)?;
    let sealed = writer.seal(&ManifestText::new(&manifest), front)?;
    let verified =
        options.read_back.then(|| pool.install(|| read_back(sealed.temporary_path(), progress))).transpose()?;
    let (size, archive_sha256) = (sealed.size, sealed.sha256);
    let package_path = sealed.publish(options.existing)?;
    // It was read back under the name it had until now.
    let verified = verified.map(|report| crate::ValidateReport { package_path: package_path.clone(), ..report });
    let sidecar_path = match archive_sha256 {
        Some(digest) => {
            let path = crate::sidecar::path_of(&package_path);
            write_atomically(&path, crate::sidecar::line(&digest, &options.file_name()).as_bytes())?;
            Some(path)
        }
        None => None,
    };
    Ok(CreateReport {
        package_path,
        sidecar_path,
        name: manifest.name,
        package_id: manifest.package_id,
        package_checksum: manifest.package_checksum.unwrap_or_else(|| pdp_manifest::Sha256Digest::of(b"")),
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
        skipped: gathered.skipped,
        warnings: gathered.warnings,
        verified,
    })
}

/// Everything learnt while the data files went by, in the order of the members.
#[derive(Default)]
struct Gathered {
    entries: Vec<FileEntry>,
    facts: Vec<MemberFacts>,
    quality: Vec<FileQuality>,
    schemas: Schemas,
    skipped: Vec<Skipped>,
    warnings: Vec<String>,
}

fn check(options: &CreateOptions) -> Result<(), PackagerError> {
    if let (Some(from), Some(to)) = (options.filters.start_date, options.filters.end_date)
        && from > to
    {
        return Err(PackagerError::Usage(format!("the start date {from} lies after the end date {to}")));
    }
    Ok(())
}

fn find(options: &CreateOptions, progress: &dyn Progress) -> Result<Scan, PackagerError> {
    let scan_options = ScanOptions { follow_links: options.follow_links, exclude: Some(options.output.clone()) };
    let everything = scan(&options.data_root, &scan_options, progress)?;
    let found = everything.summary();
    let chosen = everything.filtered(&options.filters);
    if chosen.files.is_empty() {
        return Err(PackagerError::NoData { looked_for: looked_for(options), found });
    }
    Ok(chosen)
}

fn looked_for(options: &CreateOptions) -> String {
    let filters = &options.filters;
    let list = |words: Vec<String>| words.join(",");
    let mut parts = vec![format!("looked in {}", options.data_root.display())];
    if !filters.symbols.is_empty() {
        parts.push(format!("symbols {}", list(filters.symbols.iter().map(ToString::to_string).collect())));
    }
    if !filters.event_types.is_empty() {
        parts.push(format!("event types {}", list(filters.event_types.iter().map(ToString::to_string).collect())));
    }
    if let Some(date) = filters.start_date {
        parts.push(format!("from {date}"));
    }
    if let Some(date) = filters.end_date {
        parts.push(format!("to {date}"));
    }
    parts.join(", ")
}

fn container(options: &CreateOptions, target: Target) -> Result<Box<dyn ContainerWriter>, PackagerError> {
    Ok(match options.format {
        ContainerFormat::Folder => Box::new(FolderWriter::create(target)?),
        ContainerFormat::Zip => Box::new(ZipWriter::create(target, options.compression, options.created_at)?),
        ContainerFormat::TarGz => Box::new(TarGzWriter::create(target, options.compression, options.created_at)?),
    })
}

/// The method that the container really uses.
fn method(options: &CreateOptions) -> PackageCompression {
    match (options.format, options.compression) {
        // Without compression, too, a TAR.GZ is in gzip.
        (ContainerFormat::TarGz, _) => PackageCompression::Gzip,
        (ContainerFormat::Folder, _) | (_, CompressionLevel::None) => PackageCompression::Store,
        (ContainerFormat::Zip, _) => PackageCompression::Deflate,
    }
}

fn pack_data(
    writer: &mut dyn ContainerWriter,
    files: Vec<(DataFile, PackagePath)>,
    options: &CreateOptions,
    pool: &ThreadPool,
    progress: &dyn Progress,
    gathered: &mut Gathered,
) -> Result<(), PackagerError> {
    let sources =
        files.into_iter().map(|(file, member)| Source::File(Box::new(FileSource::new(file, member, progress))));
    let mut unreadable = None;
    let outcome = pack(writer, sources, &PackOptions { pool }, &mut |source, outcome| {
        let Source::File(source) = source else { return Ok(()) };
        let (file, member, findings, changed) = source.into_parts();
        match outcome {
            Ok(facts) => gathered.add(file, member, findings, changed, facts),
            Err(error) if options.skip_unreadable => {
                gathered.skipped.push(Skipped { path: file.relative, reason: error.to_string() });
            }
            Err(source) => {
                let stop = std::io::Error::from(source.kind());
                unreadable = Some(PackagerError::Unreadable { path: file.relative.into(), source });
                return Err(ArchiveError::Source { member, source: stop });
            }
        }
        Ok(())
    });
    match (outcome, unreadable) {
        (Err(_), Some(error)) => Err(error),
        (outcome, _) => Ok(outcome?),
    }
}

impl Gathered {
    fn add(
        &mut self,
        file: DataFile,
        member: PackagePath,
        findings: Findings,
        changed: Option<String>,
        facts: MemberFacts,
    ) {
        let remarks = file.warnings.into_iter().chain(changed).chain(findings.damage.clone());
        self.warnings.extend(remarks.map(|remark| format!("{}: {remark}", file.relative)));
        let unparsable = findings.tally.unparsable_count();
        if unparsable > 0 {
            self.warnings.push(format!("{}: {unparsable} unparsable, which are no records", file.relative));
        }
        if !findings.counted {
            let format = file.format;
            self.warnings.push(format!("{}: the records of {format} files are not counted", file.relative));
        }
        if findings.tally.unzoned {
            self.warnings.push(format!("{}: its times have no offset and are taken as UTC", file.relative));
        }
        self.schemas.add(&file.event_type, &findings);
        self.quality.push(findings.tally.quality(
            member.clone(),
            file.symbol.clone(),
            file.event_type.clone(),
            findings.counted,
            findings.damage,
        ));
        self.entries.push(FileEntry {
            path: member,
            symbol: file.symbol,
            event_type: file.event_type,
            date: file.date.map(crate::scan::conventions::FileDate::start),
            source: file.source,
            format: file.format,
            encoding: file.encoding,
            size_bytes: facts.size,
            uncompressed_size_bytes: Some(findings.uncompressed_size),
            event_count: findings.counted.then_some(findings.tally.records),
            checksum_sha256: Some(facts.sha256),
            first_timestamp: findings.tally.earliest,
            last_timestamp: findings.tally.latest,
            schema_version: findings.schema_version,
            csv: findings.csv,
        });
        self.facts.push(facts);
    }
}

fn read_back(path: &Path, progress: &dyn Progress) -> Result<crate::ValidateReport, PackagerError> {
    let report = validate_container(path, progress)?;
    if report.valid {
        return Ok(report);
    }
    let findings = report.findings.iter().map(ToString::to_string).collect();
    Err(PackagerError::Invalid { summary: "the package as written does not verify".to_owned(), findings })
}
