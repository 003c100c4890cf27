//! What each CSV file has in its columns, for its Table Schema.

use pdp_generate::CsvTable;
use pdp_manifest::Field;

use crate::inspect::Findings;
use crate::inspect::shape::Kind;

/// The columns of a CSV file; none for a file of another format.
///
/// The manifest has the fields of an event type over all files. This is what one file has: the same column is a number
/// of milliseconds in one and a text in another.
pub(super) fn found(findings: &Findings) -> Option<CsvTable> {
    let (dialect, shape) = (findings.csv.as_ref()?, findings.flat.as_ref()?);
    let fields: Vec<Field> = shape
        .fields
        .iter()
        .map(|(name, column)| Field {
            nullable: column.has(Kind::Null) || column.seen < shape.seen,
            example: column.example.clone(),
            ..Field::new(name.clone(), column.field_type())
        })
        .collect();
    let even =
        fields.len() == dialect.columns.len() && shape.fields.iter().all(|(_, column)| column.seen == shape.seen);
    // In a header, what is not UTF-8 was replaced.
    let utf8 = !findings.not_utf8 && !dialect.columns.iter().any(|name| name.contains(char::REPLACEMENT_CHARACTER));
    let regular = even && utf8 && findings.damage.is_none() && findings.tally.unparsable_count() == 0;
    Some(CsvTable { fields, regular })
}
