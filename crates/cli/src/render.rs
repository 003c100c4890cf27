//! Reports as people read them.

mod quality;

use std::io::{self, Write};

use std::path::PathBuf;

use pdp_packager::{CreateReport, ImportReport, ListReport, SetReport, ValidateReport};
use serde::Serialize;

pub(crate) use self::quality::{Paper, quality};

/// Files that a listing shows unless all are asked for.
const LISTED: usize = 20;
/// Remarks that are shown one by one.
const REMARKS: usize = 20;

/// The text with control characters, line ends aside, written out as what they are.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push(c),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

/// What was packed.
pub(crate) fn created(report: &CreateReport, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let path = report.package_path.display();
    if quiet {
        return match report.parts.as_slice() {
            [] => writeln!(out, "{path}"),
            parts => parts.iter().try_for_each(|part| writeln!(out, "{}", part.display())),
        };
    }
    if report.parts.is_empty() {
        writeln!(out, "Package    {path}")?;
    }
    for part in &report.parts {
        writeln!(out, "Part       {}", part.display())?;
    }
    writeln!(out, "Id         {}", report.package_id)?;
    let (files, events) = (counted(report.total_files, "file"), counted(report.total_events, "record"));
    writeln!(out, "Contents   {files}, {events}, {} uncompressed", size(report.uncompressed_size_bytes))?;
    writeln!(out, "Symbols    {}", some(&report.symbols))?;
    writeln!(out, "Types      {}", some(&report.event_types))?;
    if let Some(range) = &report.date_range {
        writeln!(out, "Dates      {} to {}", range.start.date_naive(), range.end.date_naive())?;
    }
    let of = report.data_size_bytes;
    writeln!(out, "Size       {}{}", size(report.package_size_bytes), share(report.package_size_bytes, of))?;
    if let Some(grade) = report.quality_grade {
        writeln!(out, "Quality    {grade}")?;
    }
    if let Some(digest) = report.archive_sha256.filter(|_| report.parts.is_empty()) {
        writeln!(out, "SHA-256    {digest}")?;
    }
    if let Some(signature) = &report.signature_path {
        writeln!(out, "Signature  {}", signature.display())?;
    }
    match &report.verified {
        Some(checks) => {
            writeln!(out, "Verified   {} of {} checksums", checks.checks.checksums, checks.checks.presence)?;
        }
        None => writeln!(out, "Verified   no (--skip-checksums)")?,
    }
    // As it was called, so that the lines work as they stand.
    let program = std::env::args().next().unwrap_or_else(|| "pdp".to_owned());
    let (pdp, path) = (quoted(&program), quoted(&path));
    writeln!(
        out,
        "\nNext: {pdp} validate {path}\n      {pdp} list {path}\n      {pdp} report {path}\n      {pdp} import {path} --destination DIR"
    )
}

/// Remarks on what was packed, to standard error.
pub(crate) fn warnings(report: &CreateReport) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let skipped = report.skipped.iter().map(|skipped| format!("skipped {}: {}", skipped.path, skipped.reason));
    let all: Vec<String> = skipped.chain(report.warnings.iter().cloned()).collect();
    for remark in all.iter().take(REMARKS) {
        writeln!(err, "Warning: {}", remark.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))?;
    }
    if all.len() > REMARKS {
        writeln!(err, "Warning: and {} more; --json has them all", all.len() - REMARKS)?;
    }
    Ok(())
}

/// What was checked and found.
pub(crate) fn validated(report: &ValidateReport, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let path = report.package_path.display();
    let checks = &report.checks;
    if !quiet {
        writeln!(out, "{:<18} {} members", "structure", checks.structure)?;
        writeln!(out, "{:<18} {} declared members looked for", "presence", checks.presence)?;
        writeln!(out, "{:<18} {} of {} compared", "sizes", checks.sizes, checks.presence)?;
        writeln!(out, "{:<18} {} of {} hashed", "sha256", checks.checksums, checks.presence)?;
        writeln!(out, "{:<18} {}", "totals", done(checks.totals))?;
        writeln!(out, "{:<18} {}", "package checksum", done(checks.package_checksum))?;
        writeln!(out, "{:<18} {}", "package size", done(checks.package_size))?;
        writeln!(
            out,
            "{:<18} {}",
            "sidecar .sha256",
            if checks.sidecar { "compared" } else { "none beside the package" }
        )?;
        if checks.deep {
            let files = counted(checks.deep_files, "file");
            let records = counted(checks.deep_records, "record");
            writeln!(out, "{:<18} {records} in {files} counted again, held to the schemas", "records")?;
        }
    }
    if let Some(signature) = &report.signature {
        writeln!(out, "{:<18} by key {}: {}", "signature", signature.key_id, signature.trusted_comment.escape_debug())?;
    }
    for warning in &report.warnings {
        writeln!(out, "warning            {warning}")?;
    }
    findings(&report.findings, out)?;
    if report.valid {
        writeln!(out, "VALID              {path}")
    } else {
        writeln!(out, "INVALID            {path}: {}", counted(count(report.findings.len()), "finding"))
    }
}

fn findings(findings: &[pdp_packager::Finding], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let member = finding.member.as_deref().unwrap_or("(package)");
        writeln!(out, "INVALID            {member}: {}", finding.check)?;
        writeln!(out, "    expected       {}", finding.expected)?;
        writeln!(out, "    actual         {}", finding.actual)?;
    }
    Ok(())
}

/// What was checked and found in the parts of a package.
pub(crate) fn validated_set(report: &SetReport, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    for part in &report.parts {
        validated(part, quiet, out)?;
    }
    findings(&report.findings, out)?;
    let parts = counted(count(report.parts.len()), "part");
    let packages = counted(count(report.parts.len()), "package");
    let bad = report.parts.iter().filter(|part| !part.valid).count();
    match (report.valid, &report.set_id) {
        (true, Some(_)) => writeln!(out, "VALID              a whole package in {parts}"),
        (true, None) => writeln!(out, "VALID              {packages}"),
        (false, None) if report.findings.is_empty() => writeln!(out, "INVALID            {bad} of {packages}"),
        (false, _) => writeln!(out, "INVALID            not one whole, valid package: {parts} looked at"),
    }
}

/// A pair of keys that was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyReport {
    pub(crate) key_id: String,
    pub(crate) secret_key: PathBuf,
    pub(crate) public_key: PathBuf,
}

/// Where the keys lie.
pub(crate) fn key(report: &KeyReport, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    if quiet {
        return writeln!(out, "{}", report.key_id);
    }
    writeln!(out, "Key        {}", report.key_id)?;
    writeln!(out, "Secret     {} (keep it to yourself)", report.secret_key.display())?;
    writeln!(out, "Public     {} (give it to those who are to check)", report.public_key.display())
}

/// What a package holds.
pub(crate) fn listed(report: &ListReport, all: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Package    {}", report.name)?;
    writeln!(out, "Id         {}", report.package_id)?;
    if let Some(text) = &report.description {
        writeln!(out, "About      {}", text.escape_debug())?;
    }
    writeln!(out, "Created    {}", report.created_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))?;
    let compression = report.compression.map_or_else(String::new, |method| format!(", {method}"));
    let layout = report.layout.map_or_else(String::new, |layout| format!(", {layout}"));
    writeln!(out, "Format     {}{compression}{layout}, {}", report.format, size(report.package_size_bytes))?;
    writeln!(out, "Symbols    {}", some(&report.symbols))?;
    writeln!(out, "Types      {}", some(&report.event_types))?;
    if !report.sources.is_empty() {
        writeln!(out, "Sources    {}", some(&report.sources))?;
    }
    if let Some(range) = &report.date_range {
        let days = range.trading_days.map_or_else(String::new, |days| format!(", {}", counted(days, "day with data")));
        writeln!(out, "Dates      {} to {}{days}", range.start.date_naive(), range.end.date_naive())?;
    }
    if let Some(grade) = report.quality_grade {
        writeln!(out, "Quality    {grade}")?;
    }
    if !report.tags.is_empty() {
        writeln!(out, "Tags       {}", report.tags.join(", "))?;
    }
    let (files, events) = (counted(report.total_files, "file"), counted(report.total_events, "record"));
    writeln!(out, "Contents   {files}, {events}\n")?;
    writeln!(out, "{:>12} {:>12}  {:<14} {:<14} {:<10}  FILE", "RECORDS", "BYTES", "SYMBOL", "TYPE", "DATE")?;
    let most = if all { usize::MAX } else { LISTED };
    for file in report.files.iter().take(most) {
        let records = file.event_count.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let date = file.date.map_or_else(|| "-".to_owned(), |date| date.to_string());
        let (symbol, kind) = (&file.symbol, &file.event_type);
        writeln!(out, "{records:>12} {:>12}  {symbol:<14} {kind:<14} {date:<10}  {}", file.size_bytes, file.path)?;
    }
    if report.files.len() > most {
        writeln!(out, "{:>12} more files; --all shows them", report.files.len() - most)?;
    }
    Ok(())
}

/// What was imported.
pub(crate) fn imported(report: &ImportReport, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let to = report.destination.display();
    if quiet {
        return writeln!(out, "{to}");
    }
    if report.completed_earlier_import {
        writeln!(out, "An earlier import into {to} had been interrupted; it was completed first.")?;
    }
    let parts = if report.parts > 1 { format!(", {} parts,", report.parts) } else { String::new() };
    writeln!(out, "Imported   {}{parts} to {to}", report.name)?;
    let (files, events) = (counted(report.total_files, "data file"), counted(report.total_events, "record"));
    writeln!(out, "Contents   {files}, {events}")?;
    let (added, replaced, unchanged) = (report.added, report.replaced, report.unchanged);
    writeln!(
        out,
        "Files      {added} added, {replaced} replaced, {unchanged} unchanged; {}",
        size(report.bytes_written)
    )?;
    for file in &report.merged {
        let (added, identical) = (counted(file.added_records, "record"), file.identical_records);
        write!(out, "Merged     {}: {added} added to {}, {identical} identical", file.path, file.existing_records)?;
        match file.conflicting_records {
            0 => writeln!(out)?,
            some => writeln!(out, ", {some} that share time and sequence number and differ (all kept)")?,
        }
    }
    for (word, paths) in [("Kept", &report.kept), ("Beside", &report.renamed)] {
        for path in paths {
            writeln!(out, "{word:<10} {path}")?;
        }
    }
    writeln!(out, "Verified   {}", if report.validated { "every checksum" } else { "no (--skip-validation)" })?;
    writeln!(out, "Papers     {}", report.papers_path.display())
}

fn done(checked: bool) -> &'static str {
    if checked { "recomputed" } else { "not stated" }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// `1 file`, `2 files`, with commas between thousands.
fn counted(number: u64, what: &str) -> String {
    let text = grouped(number);
    // `day with data` becomes `days with data`.
    let plural = if number == 1 { "" } else { "s" };
    match what.split_once(' ') {
        Some((noun, rest)) if noun == "day" => format!("{text} {noun}{plural} {rest}"),
        _ => format!("{text} {what}{plural}"),
    }
}

fn size(bytes: u64) -> String {
    indicatif::DecimalBytes(bytes).to_string()
}

/// ` (12.3% of the data)`.
fn share(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(whole.max(1));
    if part > whole { String::new() } else { format!(" ({}.{}% of the data files)", tenths / 10, tenths % 10) }
}

/// The first of many words.
fn some<T: ToString>(words: &[T]) -> String {
    const MOST: usize = 12;
    let mut text = words.iter().take(MOST).map(T::to_string).collect::<Vec<_>>().join(", ");
    if words.len() > MOST {
        text.push_str(&format!(" and {} more", words.len() - MOST));
    }
    text
}

/// A path as a shell takes it.
fn quoted(path: &impl ToString) -> String {
    let text = path.to_string();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '+' | '=' | '@');
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_a_package_says_does_not_speak_to_the_terminal() {
        assert_eq!(super::printable("a\u{1b}[31mred\u{7}\n\u{9b}é\t"), "a\\u{1b}[31mred\\u{7}\n\\u{9b}é\\t");
    }
}
