//! Reports as text.

use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, SecondsFormat};
use fxd::store::{Appended, Repaired, Source, Verified, Written};

use super::convert::Converted;

/// A moment in RFC 3339.
pub(crate) fn moment(ts: u64) -> String {
    i64::try_from(ts).map_or_else(
        |_| format!("{ts} ns"),
        |nanos| DateTime::from_timestamp_nanos(nanos).to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}

/// A part of a whole with two decimals.
pub(crate) fn ratio(part: u64, of: u64) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    let hundredths = (u128::from(part) * 100 + u128::from(of) / 2) / u128::from(of);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// A number and its unit, with an s where it is not one.
pub(crate) fn count(number: u64, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// How many series are rolled up, if any are.
fn series(number: u64) -> String {
    if number == 0 { String::new() } else { format!(", with {number} series of longer intervals") }
}

pub(crate) fn converted(report: &Converted, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    if quiet {
        return writeln!(out, "{}", report.output.display());
    }
    writeln!(out, "File       {}", report.output.display())?;
    writeln!(out, "Symbols    {}{}", report.symbols, series(report.series))?;
    writeln!(out, "Bars       {}", report.records)?;
    if report.dropped > 0 {
        writeln!(out, "Dropped    {}, duplicates", count(report.dropped, "bar"))?;
    }
    if let Some(blocks) = report.blocks {
        writeln!(out, "Blocks     {blocks}")?;
    }
    writeln!(out, "Bytes      {}, {} a bar", report.bytes, ratio(report.bytes, report.records))
}

pub(crate) fn appended(file: &Path, report: &Appended, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    if quiet {
        return Ok(());
    }
    writeln!(out, "File       {}, {} bytes", file.display(), report.bytes)?;
    writeln!(out, "Added      {}", count(report.added, "bar"))?;
    writeln!(out, "Skipped    {}, there already", count(report.skipped, "bar"))?;
    writeln!(out, "Symbols    {} new", report.new_symbols)?;
    writeln!(
        out,
        "Written    {}, {} bytes; {} bytes of symbols, indexes and metadata",
        count(report.blocks, "block"),
        report.block_bytes,
        report.other_bytes
    )
}

pub(crate) fn compacted(
    file: &Path,
    before: u64,
    written: &Written,
    quiet: bool,
    out: &mut dyn Write,
) -> io::Result<()> {
    if quiet {
        return Ok(());
    }
    writeln!(out, "File       {}", file.display())?;
    writeln!(out, "Bars       {} in {}", written.records, count(written.blocks, "block"))?;
    writeln!(out, "Bytes      {}, before {before}", written.bytes)
}

pub(crate) fn repaired(file: &Path, report: &Repaired, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    if quiet {
        return Ok(());
    }
    let source = match report.source {
        Source::Sound => "the store is sound; no more than a tail of an unfinished append was dropped",
        Source::Commit => "the newest commit, sound to the last byte",
        Source::Blocks => "blocks whose checksums hold",
    };
    writeln!(out, "File       {}", file.display())?;
    writeln!(out, "From       {source}")?;
    writeln!(out, "Bars       {} in {}", report.written.records, count(report.written.blocks, "block"))?;
    if let Some(damaged) = &report.damaged {
        writeln!(out, "Damaged    kept as {}", damaged.display())?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "Note       {note}"))
}

pub(crate) fn verified(file: &Path, verified: &Verified, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    for damage in &verified.findings {
        writeln!(out, "{}: {damage}", file.display())?;
    }
    if quiet || !verified.is_sound() {
        return Ok(());
    }
    let how =
        if verified.checksums { "every byte checked" } else { "structure checked; --checksums checks every byte" };
    writeln!(out, "Sound      {}, {how}", file.display())?;
    writeln!(
        out,
        "Holds      {} of {}{} in {}, {}, {} bytes",
        count(verified.records, "bar"),
        count(verified.symbols, "symbol"),
        series(verified.series),
        count(verified.blocks, "block"),
        count(verified.commits, "commit"),
        verified.bytes
    )?;
    if verified.tail > 0 {
        writeln!(out, "Tail       {} bytes of an append that did not come to its end; they do no harm", verified.tail)?;
    }
    Ok(())
}

pub(crate) fn queried(output: &Path, records: u64, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    if quiet {
        return writeln!(out, "{}", output.display());
    }
    writeln!(out, "File       {}, {}", output.display(), count(records, "bar"))
}
