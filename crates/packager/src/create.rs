//! Making a package.
//!
//! scan -> one pass per file (count, times, shape, hash, compress) -> manifest and papers -> seal -> read back ->
//! rename.

mod fields;
mod options;
mod papers;
mod parts;
mod place;
mod quality;
pub(crate) mod schemas;
mod source;
mod tables;
mod totals;

use std::path::Path;

use pdp_archive::folder::FolderWriter;
use pdp_archive::tar::TarGzWriter;
use pdp_archive::zip::ZipWriter;
use pdp_archive::{ArchiveError, ContainerWriter, MemberFacts, PackOptions, Target, pack};
use pdp_generate::CsvTables;
use pdp_manifest::{
    CompressionLevel, ContainerFormat, DataFormat, FileEntry, FileQuality, PackageCompression, PackagePath,
};
use rayon::ThreadPool;

pub use self::options::{CreateOptions, CreateReport, MIN_PART_SIZE};
pub(crate) use self::parts::signed_text;
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
    create_in(&options.output, options, progress)
}

/// As [`create`], with the package in `directory`; what lies in [`CreateOptions::output`] is still no data.
pub(crate) fn create_in(
    directory: &Path,
    options: &CreateOptions,
    progress: &dyn Progress,
) -> Result<CreateReport, PackagerError> {
    let pool = crate::threads(options.threads)?;
    // Not inside the pool: this thread feeds the workers and waits for them.
    run(directory, options, &pool, progress).map_err(|error| match error {
        // However a stop shows itself, it is a stop.
        _ if progress.is_cancelled() => PackagerError::Cancelled,
        error => error,
    })
}

fn run(
    directory: &Path,
    options: &CreateOptions,
    pool: &ThreadPool,
    progress: &dyn Progress,
) -> Result<CreateReport, PackagerError> {
    check(options)?;
    let Scan { root: _, mut files, skipped } = pool.install(|| find(options, progress))?;
    let bytes = files.iter().map(|file| file.size).sum();
    progress.begin(Stage::Packing, u64::try_from(files.len()).unwrap_or(0), bytes);
    let places = place::place(&mut files, options.layout, &options.profiles).map_err(ArchiveError::from)?;
    let mut ordered: Vec<(DataFile, PackagePath)> = files.into_iter().zip(places).collect();
    ordered.sort_by(|a, b| a.1.cmp(&b.1));

    let mut gathered = Gathered { skipped, ..Gathered::default() };
    let make = || container(options, Target::new(directory, options.file_name())?);
    let writers = match options.max_size {
        None => {
            let mut writer = make()?;
            pack_data(&mut *writer, ordered, options, pool, progress, &mut gathered)?;
            vec![(writer, gathered)]
        }
        Some(most) => parts::pack(most, &make, ordered, options, pool, progress, gathered)?,
    };
    if writers.iter().all(|(_, gathered)| gathered.entries.is_empty()) && !options.without_data {
        let looked_for = looked_for(options);
        return Err(PackagerError::NoData { looked_for, found: "every file found was skipped".to_owned() });
    }
    let sealed = parts::seal(writers, options, pool)?;
    let mut finished = Vec::with_capacity(sealed.len());
    for part in &sealed {
        let verify = || read_back(part.sealed.temporary_path(), progress);
        finished.push(options.read_back.then(|| pool.install(verify)).transpose()?);
    }
    // All parts are whole and verified before any of them gets its name.
    parts::publish(sealed, finished, options)
}

/// Everything learnt while the data files went by, in the order of the members.
#[derive(Default)]
struct Gathered {
    entries: Vec<FileEntry>,
    facts: Vec<MemberFacts>,
    quality: Vec<FileQuality>,
    schemas: Schemas,
    tables: CsvTables,
    skipped: Vec<Skipped>,
    warnings: Vec<String>,
}

/// What is learnt, by the part that it concerns.
trait Parts {
    /// What is known of the part that the last member went to.
    fn current(&mut self) -> &mut Gathered;
}

impl Parts for Gathered {
    fn current(&mut self) -> &mut Gathered {
        self
    }
}

fn check(options: &CreateOptions) -> Result<(), PackagerError> {
    if let (Some(from), Some(to)) = (options.filters.start_date, options.filters.end_date)
        && from > to
    {
        return Err(PackagerError::Usage(format!("the start date {from} lies after the end date {to}")));
    }
    if let Some(path) = options.extras.keys().find(|path| !path.as_str().starts_with("metadata/")) {
        return Err(PackagerError::Usage(format!("the paper {path} is not below metadata/")));
    }
    if let Some(most) = options.max_size
        && most < MIN_PART_SIZE
    {
        return Err(PackagerError::Usage(format!(
            "a largest size of {most} bytes; parts have at least {MIN_PART_SIZE}"
        )));
    }
    Ok(())
}

fn find(options: &CreateOptions, progress: &dyn Progress) -> Result<Scan, PackagerError> {
    let scan_options = ScanOptions { follow_links: options.follow_links, exclude: Some(options.output.clone()) };
    let everything = scan(&options.data_root, &scan_options, progress)?;
    let found = everything.summary();
    let mut chosen = everything.filtered(&options.filters);
    if options.without_data {
        chosen.files.clear();
    } else if chosen.files.is_empty() {
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

fn container(options: &CreateOptions, target: Target) -> Result<Box<dyn ContainerWriter>, ArchiveError> {
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
    parts: &mut dyn Parts,
) -> Result<(), PackagerError> {
    // Only these two papers speak of values.
    let measure = options.quality_report || options.data_dictionary;
    let source = |(file, member)| Source::File(Box::new(FileSource::new(file, member, measure, progress)));
    let sources = files.into_iter().map(source);
    let mut unreadable = None;
    let outcome = pack(writer, sources, &PackOptions { pool }, &mut |source, outcome| {
        let Source::File(source) = source else { return Ok(()) };
        let (file, member, findings, changed) = source.into_parts();
        let gathered = parts.current();
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
        if findings.tally.is_torn() {
            self.warnings.push(format!("{}: its last line breaks off", file.relative));
        }
        if !findings.counted {
            let format = file.format;
            let why = match format {
                DataFormat::Fxd => "its records could not be counted".to_owned(),
                _ => format!("the records of {format} files are not counted"),
            };
            self.warnings.push(format!("{}: {why}", file.relative));
        }
        if findings.tally.unzoned {
            self.warnings.push(format!("{}: its times have no offset and are taken as UTC", file.relative));
        }
        self.schemas.add(&file.event_type, &findings);
        self.tables.extend(tables::found(&findings).map(|table| (member.clone(), table)));
        self.entries.push(FileEntry {
            path: member.clone(),
            symbol: file.symbol.clone(),
            event_type: file.event_type.clone(),
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
        let (tally, counted, damage) = (findings.tally, findings.counted, findings.damage);
        self.quality.push(tally.quality(member, file.symbol, file.event_type, counted, damage));
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
