//! Records counted again and held against what the package says of them.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read, Seek as _};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use pdp_archive::{ArchiveError, MemberInfo};
use pdp_manifest::{
    DataFormat, EventSchema, EventType, Field, FieldType, FileEntry, Manifest, PackagePath, QualitySummary, time,
};
use serde_json::Value;

use super::{Finding, ValidateReport, count, finding};
use crate::create::schemas::Schemas;
use crate::inspect::conform::JsonSchema;
use crate::inspect::shape::{Kind, Shape};
use crate::inspect::{Findings, Inspection, Violations, at_random, is_read_at_random};
use crate::package::Package;
use crate::report::JSON_PATH;
use crate::{PackagerError, Progress, Stage};

/// A schema that is larger describes no records.
const MAX_SCHEMA: u64 = 16 << 20;
const BLOCK: usize = 256 << 10;

/// Counts every record again and holds it against the package's schemas.
///
/// `own` is whether the package was made by this library, so that its fields are described as here.
pub(super) fn check(
    package: &Package,
    own: bool,
    report: &mut ValidateReport,
    progress: &dyn Progress,
) -> Result<(), PackagerError> {
    let schemas = schemas(package, report);
    let files: HashMap<&PackagePath, &FileEntry> =
        package.manifest.files.iter().map(|entry| (&entry.path, entry)).collect();
    progress.begin(Stage::Verifying, count(files.len()), files.values().map(|entry| entry.size_bytes).sum());
    let recounted = Mutex::new(Schemas::default());
    let outcome = Mutex::new((Vec::new(), Vec::new(), 0_u64, 0_u64));
    package.container.visit(&|info| files.contains_key(&info.path), &|info, body| {
        let Some(entry) = files.get(&info.path) else { return Ok(()) };
        let findings = match look(entry, schemas.get(&entry.event_type), body, progress) {
            Ok(findings) => findings,
            // Damage of the container was found when the member was hashed.
            Err(_) if !progress.is_cancelled() => return Ok(()),
            Err(error) => return Err(interrupted(info, &error)),
        };
        progress.advance(1, 0);
        let found = compare(&package.manifest, entry, &findings);
        recounted.lock().unwrap_or_else(PoisonError::into_inner).add(&entry.event_type, &findings);
        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
        outcome.0.extend(found);
        outcome.2 += u64::from(findings.counted);
        outcome.3 += findings.tally.records;
        Ok(())
    })?;
    let (findings, mut warnings, files, records) = outcome.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.findings.extend(findings);
    report.findings.extend(quality(package));
    // Another maker may say the same in other words; and of a file that was not looked at nothing is known.
    if own && files == count(package.manifest.files.len()) {
        let recounted = recounted.into_inner().unwrap_or_else(PoisonError::into_inner).columns();
        report.findings.extend(fields(&package.manifest, &recounted));
    }
    warnings.sort();
    report.warnings.extend(warnings);
    report.checks.deep = true;
    (report.checks.deep_files, report.checks.deep_records) = (files, records);
    Ok(())
}

fn interrupted(info: &MemberInfo, error: &io::Error) -> ArchiveError {
    ArchiveError::Member { member: info.path.to_string(), reason: error.to_string() }
}

/// The JSON Schemas in the package, by event type.
fn schemas(package: &Package, report: &mut ValidateReport) -> BTreeMap<EventType, Arc<JsonSchema>> {
    let mut schemas = BTreeMap::new();
    for event_type in &package.manifest.event_types {
        let has_json = |entry: &&FileEntry| &entry.event_type == event_type && entry.format == DataFormat::Jsonl;
        if !package.manifest.files.iter().any(|entry| has_json(&entry)) {
            continue;
        }
        let name = format!("metadata/schemas/{event_type}.json");
        let member = name.parse::<PackagePath>().ok();
        let member = member.filter(|path| package.container.members().iter().any(|info| info.path == *path));
        let Some(member) = member else {
            report
                .warnings
                .push(format!("there is no {name}, so {event_type} records are counted and held to nothing"));
            continue;
        };
        let read = package.container.read(&member, MAX_SCHEMA).map_err(|error| error.to_string());
        match read.and_then(|bytes| JsonSchema::parse(&bytes)) {
            Ok(schema) => {
                if !schema.unchecked.is_empty() {
                    let words: Vec<&str> = schema.unchecked.iter().map(String::as_str).collect();
                    report.warnings.push(format!("{name}: not checked: {}", words.join(", ")));
                }
                schemas.insert(event_type.clone(), Arc::new(schema));
            }
            Err(reason) => report.findings.push(finding(Some(&member), "schema", "a JSON Schema", reason)),
        }
    }
    schemas
}

/// Looks into a member.
fn look(
    entry: &FileEntry,
    schema: Option<&Arc<JsonSchema>>,
    body: &mut dyn Read,
    progress: &dyn Progress,
) -> io::Result<Findings> {
    if is_read_at_random(entry.format) {
        // It is read here and there, which a compressed member cannot be.
        let mut file = tempfile::tempfile()?;
        let mut counted = Counted { body, progress };
        io::copy(&mut counted, &mut file)?;
        file.rewind()?;
        return Ok(at_random(entry.format, &file, true));
    }
    let mut inspection = match (entry.format, schema) {
        (DataFormat::Jsonl, Some(schema)) => Inspection::held_to(schema.clone(), entry.encoding),
        (format, _) => Inspection::new(format, entry.encoding, true),
    };
    let mut counted = Counted { body, progress };
    let mut block = vec![0; BLOCK];
    loop {
        match counted.read(&mut block) {
            Ok(0) => break,
            Ok(n) => inspection.feed(block.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(inspection.finish())
}

/// Tells the progress of what it reads.
struct Counted<'a> {
    body: &'a mut dyn Read,
    progress: &'a dyn Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_cancelled() {
            return Err(io::Error::other(PackagerError::Cancelled));
        }
        let n = self.body.read(buffer)?;
        self.progress.advance(0, count(n));
        Ok(n)
    }
}

/// What the manifest says of a file against what was found in it.
fn compare(manifest: &Manifest, entry: &FileEntry, found: &Findings) -> Vec<Finding> {
    let mut wrong = Vec::new();
    let path = Some(&entry.path);
    let tally = &found.tally;
    if let Some(stated) = entry.event_count
        && found.counted
        && stated != tally.records
    {
        wrong.push(finding(path, "eventCount", stated, tally.records));
    }
    // What is read at random is not decompressed as a whole.
    if let Some(stated) = entry.uncompressed_size_bytes
        && !is_read_at_random(entry.format)
        && stated != found.uncompressed_size
    {
        wrong.push(finding(path, "uncompressedSizeBytes", stated, found.uncompressed_size));
    }
    let times = [
        ("firstTimestamp", entry.first_timestamp, tally.earliest),
        ("lastTimestamp", entry.last_timestamp, tally.latest),
    ];
    for (check, stated, actual) in times {
        if let Some(stated) = stated
            && Some(stated) != actual
        {
            let actual = actual.map_or_else(|| "no time".to_owned(), shown);
            wrong.push(finding(path, check, shown(stated), actual));
        }
    }
    wrong.extend(violations(entry, &found.violations));
    if let (Some(schema), Some(shape)) = (manifest.schemas.get(&entry.event_type), &found.flat) {
        wrong.extend(columns(entry, schema, shape));
    }
    wrong
}

fn shown(instant: DateTime<Utc>) -> String {
    time::format(instant)
}

fn violations(entry: &FileEntry, violations: &Violations) -> Option<Finding> {
    let first = violations.first.as_deref()?;
    let lines: Vec<String> = violations.lines.iter().map(ToString::to_string).collect();
    let more = if violations.count > count(lines.len()) { " and more" } else { "" };
    let actual = format!("{} are not (lines {}{more}); the first: {first}", violations.count, lines.join(", "));
    let expected = format!("records as metadata/schemas/{}.json says", entry.event_type);
    Some(finding(Some(&entry.path), "schema", expected, actual))
}

/// The scores of the manifest against those of the report beside it.
fn quality(package: &Package) -> Option<Finding> {
    let stated = package.manifest.quality.as_ref()?;
    let (report, _) = crate::report::read(package).ok()?;
    let words = |quality: &QualitySummary| format!("grade {}, {} of 100", quality.grade, quality.overall_score);
    let differs = *stated != report.summary;
    differs.then(|| finding(None, "quality", format!("{} as in {JSON_PATH}", words(&report.summary)), words(stated)))
}

/// The fields of the manifest against those of all records.
fn fields(manifest: &Manifest, recounted: &BTreeMap<EventType, EventSchema>) -> Vec<Finding> {
    let measured = |field: &Field| field.minimum.is_some() || !field.values.is_empty();
    let mut wrong = Vec::new();
    for (event_type, stated) in &manifest.schemas {
        let Some(actual) = recounted.get(event_type) else { continue };
        let is_measured = stated.fields.iter().any(measured);
        let mut differ = |name: &str, stated: String, actual: String| {
            if stated != actual {
                wrong.push(finding(None, "schema", format!("{event_type}.{name}: {actual}"), stated));
            }
        };
        for field in &stated.fields {
            let Some(found) = actual.fields.iter().find(|found| found.name == field.name) else { continue };
            if is_measured {
                differ(&field.name, told(field), told(found));
            }
        }
        let names = |schema: &EventSchema| {
            let mut names: Vec<&str> = schema.fields.iter().map(|field| field.name.as_str()).collect();
            names.sort_unstable();
            names.join(", ")
        };
        differ("fields", names(stated), names(actual));
    }
    wrong
}

/// All that a field says of its values.
fn told(field: &Field) -> String {
    let mut words = vec![field.field_type.to_string()];
    words.extend(field.unit.map(|unit| format!("unit {unit}")));
    words.extend(field.precision.zip(field.scale).map(|(precision, scale)| format!("({precision},{scale})")));
    words.extend(field.nullable.then(|| "nullable".to_owned()));
    let range = field.minimum.as_ref().zip(field.maximum.as_ref());
    words.extend(range.map(|(low, high)| format!("{low} to {high}")));
    words.extend((!field.values.is_empty()).then(|| Value::from(field.values.clone()).to_string()));
    words.join(" ")
}

/// The columns of a table against the fields of the manifest.
fn columns(entry: &FileEntry, schema: &EventSchema, shape: &Shape) -> Vec<Finding> {
    let mut wrong = Vec::new();
    for (name, column) in &shape.fields {
        let field = schema
            .fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name) || field.path.as_deref() == Some(name.as_str()));
        let Some(field) = field else {
            wrong.push(finding(Some(&entry.path), "schema", "a column of the manifest", format!("column {name}")));
            continue;
        };
        let actual = column.field_type();
        let fits = match (&field.field_type, &actual) {
            (stated, actual) if stated == actual => true,
            (_, FieldType::Null) | (FieldType::Mixed | FieldType::Other(_), _) => true,
            (FieldType::Double, FieldType::Decimal | FieldType::Long | FieldType::UnsignedLong)
            | (FieldType::Decimal, FieldType::Long | FieldType::UnsignedLong)
            | (FieldType::UnsignedLong, FieldType::Long)
            | (FieldType::DateTime, FieldType::Date) => true,
            // Without measuring, a count since 1970 is a number.
            (FieldType::DateTime, FieldType::Long) => field.unit.is_some(),
            _ => false,
        };
        if !fits {
            let (stated, actual) = (format!("{name} of type {}", field.field_type), actual.to_string());
            wrong.push(finding(Some(&entry.path), "schema", stated, actual));
        } else if column.has(Kind::Null) && !field.nullable {
            wrong.push(finding(Some(&entry.path), "schema", format!("a value of {name} in every row"), "rows without"));
        }
    }
    wrong
}
