//! Apache Parquet: counted by its footer, its columns read batch by batch.

mod cells;
mod kinds;
mod rows;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::Compression;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use self::kinds::Meaning;
use self::rows::Rows;
use super::Findings;
use super::amounts::amount_named;
use super::record;
use super::shape::{Kind, Role, Shape};
use super::tally::Tally;

/// Names of the column that tells a row's time, best first.
const TIMES: [&str; 8] = ["timestamp", "ts_event", "time", "datetime", "date", "starttime", "open_time", "ts_init"];

/// Looks into a Parquet file: with `measure` at every value, else at symbols and times alone. `Err` says in words why it
/// cannot be read.
pub(crate) fn inspect(file: &File, measure: bool) -> Result<Findings, String> {
    // The reader is another project's; a file that makes it panic is a file that cannot be read.
    catch_unwind(AssertUnwindSafe(|| read(file, measure).map_err(|error| error.to_string())))
        .unwrap_or_else(|_| Err("its structure is damaged".to_owned()))
}

fn read(file: &File, measure: bool) -> parquet::errors::Result<Findings> {
    let reader = SerializedFileReader::new(file.try_clone()?)?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let mut findings = Findings { counted: true, tally: Tally::new(measure), ..Findings::default() };
    let records = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);

    let meanings: Vec<Meaning> = schema.columns().iter().map(|column| Meaning::of(column)).collect();
    let mut shape = shape(schema, &meanings, records);
    let mut rows = Rows::new(measure);
    // The footer counts the rows; a column that cannot be decoded takes its values away and not the count.
    if let Err(error) = rows.read(&reader, &meanings, &mut shape, &mut findings) {
        findings.tally = Tally::default();
        findings.tally.unknown(records);
        findings.damage = Some(format!("its columns cannot be read: {error}"));
    } else if findings.tally.records != records {
        findings.damage = Some(format!("its footer says {records} rows, its columns have {}", findings.tally.records));
    }
    findings.event_type = super::columns::event_type(schema.columns().iter().map(|column| column.name()));
    findings.guessed_type = true;
    findings.already_compressed = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .any(|chunk| chunk.compression() != Compression::UNCOMPRESSED);
    findings.flat = Some(shape);
    Ok(findings)
}

/// The columns, each with its part, none of their values seen yet.
fn shape(schema: &SchemaDescriptor, meanings: &[Meaning], records: u64) -> Shape {
    let names: Vec<String> = schema.columns().iter().map(|column| column.path().string()).collect();
    let named =
        |wanted: &[&str]| wanted.iter().find_map(|word| names.iter().position(|name| name.eq_ignore_ascii_case(word)));
    let (symbol, source, time) = (named(&["symbol", "ticker"]), named(&["source"]), named(&TIMES));
    let mut shape = Shape::default();
    shape.note(Kind::Object, 1);
    shape.seen = records;
    for (at, (name, meaning)) in names.iter().zip(meanings).enumerate() {
        let place = Some(at);
        let role = match record::role(name, 1) {
            _ if place == symbol => Role::Symbol,
            _ if place == source => Role::Source,
            _ if place == time && !meaning.is_list => Role::Time,
            Role::Time | Role::FallbackTime => Role::FallbackTime,
            part @ (Role::Sequence | Role::Code) => part,
            _ => name.rsplit('.').next().and_then(amount_named).map_or(Role::None, Role::Amount),
        };
        if let Some((_, field)) = shape.field(name, at, || role).and_then(|at| shape.fields.get_mut(at)) {
            field.note(meaning.kind, records);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn look(bytes: &[u8]) -> Result<Findings, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        inspect(&file, true)
    }

    #[test]
    fn every_cut_and_every_damaged_byte_ends_in_findings_or_an_error() {
        let sample =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/sample-data/MSFT/BboQuote/2024-01-03.parquet");
        let good = std::fs::read(sample).unwrap();
        let findings = look(&good).unwrap();
        assert_eq!((findings.tally.records, findings.symbols.first()), (200, Some("MSFT")));
        assert!(findings.already_compressed && findings.damage.is_none());
        // The default hook would print every panic that is caught.
        std::panic::set_hook(Box::new(|_| {}));
        for len in (0..good.len()).step_by(7) {
            assert!(look(&good[..len]).is_err(), "cut to {len}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x11;
            let _ = look(&bytes);
        }
        let _ = std::panic::take_hook();
    }
}
