//! A first look into a file: its format by its bytes, its subject by its first record.

use std::fs::File;
use std::io::{self, Read as _};

use chrono::NaiveDate;
use pdp_manifest::{ContentEncoding, DataFormat, EventType, Symbol};

use super::DataFile;
use super::conventions::{self, FileDate};
use super::walk::Candidate;
use crate::inspect::{self, Findings, Inspection, sniff};

/// Content that is looked at to find the first record.
const LOOK: usize = 256 << 10;

/// How much further a DBN file is read for it.
const DBN_LOOK: u64 = 8 << 20;

/// Tells what a file is. A file that cannot be read is told by its path alone and marked as unreadable.
pub(super) fn look(candidate: Candidate) -> DataFile {
    let components: Vec<&str> = candidate.components.iter().map(String::as_str).collect();
    let by_path = conventions::read(&components);
    let certain = by_path.follows_a_convention;
    let mut file = DataFile {
        path: candidate.path,
        relative: candidate.relative,
        size: candidate.size,
        format: candidate.promised.0,
        encoding: candidate.promised.1,
        symbol: by_path.symbol.unwrap_or_else(Symbol::unknown),
        event_type: by_path.event_type.unwrap_or_else(EventType::unknown),
        source: by_path.source,
        warnings: candidate.warnings,
        date: by_path.date,
        first_time: None,
        modified: candidate.modified,
        findings: None,
        unreadable: None,
    };
    match first_findings(&mut file) {
        Ok(Some(findings)) => settle(&mut file, &findings, certain),
        Ok(None) => {}
        Err(error) => file.unreadable = Some(error),
    }
    file
}

/// Opens the file, settles its format and looks at its beginning (at all of it where that is cheap).
fn first_findings(file: &mut DataFile) -> io::Result<Option<Findings>> {
    let mut handle = File::open(&file.path)?;
    let mut head = Vec::new();
    handle.by_ref().take(LOOK as u64).read_to_end(&mut head)?;
    if head.is_empty() {
        file.encoding = ContentEncoding::Identity;
        return Ok(None);
    }
    let named = file.encoding;
    file.encoding = sniff::encoding(&head);
    if named != file.encoding && named.is_compressed() {
        let (named, found) = (named.word(), file.encoding.word());
        file.warnings.push(format!("its name says {named}, its bytes are {found} compression"));
    }
    let content = if file.encoding.is_compressed() { decoded(&head, file.encoding) } else { head.clone() };
    file.format = sniff::format(&content, file.format);
    match file.format {
        DataFormat::Parquet | DataFormat::Fxd => {
            let findings = inspect::at_random(file.format, &handle, false);
            let settled = Findings {
                symbols: findings.symbols.clone(),
                source: findings.source.clone(),
                event_type: findings.event_type.clone(),
                guessed_type: findings.guessed_type,
                tally: findings.tally.first_only(),
                ..Findings::default()
            };
            file.findings = Some(Box::new(findings));
            Ok(Some(settled))
        }
        // Before the first record stands a list of every symbol, which may be long.
        DataFormat::Dbn => {
            let mut inspection = Inspection::new(file.format, file.encoding, false);
            inspection.feed(&head);
            let mut more = Vec::new();
            handle.take(DBN_LOOK).read_to_end(&mut more)?;
            inspection.feed(&more);
            Ok(Some(inspection.finish()))
        }
        DataFormat::Jsonl | DataFormat::Csv => {
            let mut inspection = Inspection::new(file.format, ContentEncoding::Identity, false);
            // The look may end within a line, which then is none.
            let whole = if content.len() < LOOK {
                content.len()
            } else {
                memchr::memrchr(b'\n', &content).map_or(content.len(), |end| end + 1)
            };
            inspection.feed(content.get(..whole).unwrap_or(&content));
            Ok(Some(inspection.finish()))
        }
    }
}

/// As much of the content as the first bytes of a compressed file give.
fn decoded(head: &[u8], encoding: ContentEncoding) -> Vec<u8> {
    let mut content = Vec::new();
    let limit = LOOK as u64;
    // The head ends in the middle of the data, so an error at its end is expected.
    let _ = match encoding {
        ContentEncoding::Gzip => flate2::read::MultiGzDecoder::new(head).take(limit).read_to_end(&mut content),
        ContentEncoding::Zstd => {
            zstd::stream::read::Decoder::new(head).and_then(|decoder| decoder.take(limit).read_to_end(&mut content))
        }
        ContentEncoding::Identity => Ok(0),
    };
    content
}

/// Holds what the path says against the first record; the record wins.
///
/// Only a path that follows a convention, which `certain` says, can be contradicted worth a remark.
fn settle(file: &mut DataFile, findings: &Findings, certain: bool) {
    settle_symbol(file, findings, certain);
    if let Some(event_type) = &findings.event_type
        && !event_type.is_unknown()
        && (file.event_type.is_unknown() || !findings.guessed_type)
        && !file.event_type.is_kind_of(event_type)
    {
        let by_path = std::mem::replace(&mut file.event_type, event_type.clone());
        if certain && !by_path.is_unknown() && by_path != file.event_type {
            file.warnings.push(format!("its path says event type {by_path}, its first record {}", file.event_type));
        }
    }
    if let Some(source) = findings.source.as_ref().and_then(|text| text.trim().parse().ok()) {
        file.source = Some(source);
    }
    let Some(first) = findings.tally.first else { return };
    file.first_time = Some(first.time);
    let day = first.time.date_naive();
    // A time without an offset cannot contradict a date.
    if let Some(date) = file.date
        && first.zoned
        && !(date.start()..=date.end()).contains(&day)
    {
        file.warnings.push(format!("its path says {}, its first record is of {day}", date.label()));
        file.date = Some(FileDate::Day(day));
    }
}

/// The name of data of several instruments that no path names.
const SEVERAL: &str = "MULTI";

fn settle_symbol(file: &mut DataFile, findings: &Findings, certain: bool) {
    let Some(first) = findings.symbols.first().and_then(|text| text.trim().parse::<Symbol>().ok()) else { return };
    let by_path = &file.symbol;
    if let Some(second) = findings.symbols.second() {
        // One record cannot speak for a file of several instruments; its path can.
        let remark = format!("it holds several symbols, {first} and {second} among them");
        if *by_path == Symbol::unknown() || (!certain && file.format == DataFormat::Dbn) {
            file.symbol = SEVERAL.parse().unwrap_or(first);
        }
        file.warnings.push(format!("{remark}; it is filed under {}", file.symbol));
        return;
    }
    // In a flat name a prefix cannot be told from a part of the symbol.
    let prefixed = by_path.file_form().to_lowercase().ends_with(&format!("_{}", first.file_form().to_lowercase()));
    if certain && *by_path != Symbol::unknown() && !by_path.matches(&first) && !prefixed {
        file.warnings.push(format!("its path says symbol {by_path}, its first record {first}"));
    }
    file.symbol = first;
}

/// The first and the last day on which a file has records, by reading all of it; `None` when it has no times.
pub(super) fn days(file: &DataFile) -> Option<(NaiveDate, NaiveDate)> {
    if let Some(findings) = &file.findings {
        return findings.tally.day_range();
    }
    let mut handle = File::open(&file.path).ok()?;
    let mut inspection = Inspection::new(file.format, file.encoding, false);
    let mut block = vec![0; 256 << 10];
    loop {
        match handle.read(&mut block) {
            Ok(0) => break,
            Ok(n) => inspection.feed(block.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    inspection.finish().tally.day_range()
}
