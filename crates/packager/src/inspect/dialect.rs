//! How the text of a CSV file is split: told by its first rows.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use pdp_manifest::CsvDialect;

use super::clock;

/// A dialect and the reader for it.
pub(crate) fn reader(dialect: &CsvDialect) -> Reader {
    let byte = |c: char| u8::try_from(c).unwrap_or(b',');
    ReaderBuilder::new().delimiter(byte(dialect.delimiter)).comment(dialect.comment.map(byte)).build()
}

/// The dialect of a file that begins with `head`.
///
/// The delimiter is the one of `, ; tab |` that the first rows have most evenly; the first row is a header when no
/// field of it is empty, a number or a time.
pub(crate) fn sniff(head: &[u8]) -> CsvDialect {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let comment = text.iter().find(|byte| !byte.is_ascii_whitespace()).filter(|byte| **byte == b'#').map(|_| '#');
    let mut best = (0, CsvDialect { delimiter: ',', has_header: false, comment, columns: Vec::new() }, Vec::new());
    for delimiter in [',', ';', '\t', '|'] {
        let dialect = CsvDialect { delimiter, ..best.1.clone() };
        let rows = first_rows(text, &dialect, 5);
        let width = rows.first().map_or(0, Vec::len);
        let even = rows.iter().filter(|row| row.len() == width).count();
        let score = if width > 1 { width * even } else { 0 };
        if score > best.0 || (best.2.is_empty() && !rows.is_empty()) {
            best = (score, dialect, rows);
        }
    }
    let (_, mut dialect, rows) = best;
    let first = rows.first().map(Vec::as_slice).unwrap_or_default();
    // A column may be without a name, as an index is, and two may share one; a number or a time is no name.
    let named = first.iter().filter(|field| !field.trim().is_empty()).count();
    let names = first.iter().all(|field| field.trim().is_empty() || is_name(field));
    let mostly_named = named > 0 && (named == first.len() || named * 2 > first.len());
    dialect.has_header = names && mostly_named && headed(&rows);
    dialect.columns = if dialect.has_header { unique_names(first) } else { usual_columns(first) };
    dialect
}

fn is_name(field: &str) -> bool {
    !field.trim().is_empty() && field.trim().parse::<f64>().is_err() && clock::parse(field).is_none()
}

/// Whether the first of these rows can be a header. Where it has doubled or missing names, the row below must have a
/// number or a time where it has a name, lest words be taken for names.
fn headed(rows: &[Vec<String>]) -> bool {
    let Some(first) = rows.first() else { return false };
    let plain = first
        .iter()
        .enumerate()
        .all(|(i, field)| !field.trim().is_empty() && first.iter().skip(i + 1).all(|other| other != field));
    let below = rows.get(1).is_some_and(|row| {
        first
            .iter()
            .zip(row)
            .any(|(name, field)| !name.trim().is_empty() && !field.trim().is_empty() && !is_name(field))
    });
    plain || below
}

/// Names that differ: `column_3` for the third without one, `a.1` for a second `a`.
fn unique_names(names: &[String]) -> Vec<String> {
    let mut unique: Vec<String> = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let base = if name.trim().is_empty() { format!("column_{}", at + 1) } else { name.clone() };
        let mut name = base.clone();
        let mut copies = 0;
        while unique.contains(&name) || copies > 0 && names.contains(&name) {
            copies += 1;
            name = format!("{base}.{copies}");
        }
        unique.push(name);
    }
    unique
}

/// Names for the columns of a row without a header: those of the bar files that come without one, or numbers.
fn usual_columns(row: &[String]) -> Vec<String> {
    const BARS: [&str; 6] = ["timestamp", "open", "high", "low", "close", "volume"];
    const KLINES: [&str; 12] = [
        "open_time",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "close_time",
        "quote_volume",
        "trades",
        "taker_buy_volume",
        "taker_buy_quote_volume",
        "ignore",
    ];
    let timed = row.first().is_some_and(|field| clock::parse(field).is_some());
    let numeric = row.iter().skip(1).all(|field| field.trim().parse::<f64>().is_ok());
    let usual: &[&str] = match row.len() {
        6 if timed && numeric => &BARS,
        12 if timed && numeric => &KLINES,
        _ => &[],
    };
    if !usual.is_empty() {
        return usual.iter().map(|name| (*name).to_owned()).collect();
    }
    let mut names: Vec<String> = (1..=row.len()).map(|n| format!("column_{n}")).collect();
    if let (true, Some(first)) = (timed, names.first_mut()) {
        "timestamp".clone_into(first);
    }
    names
}

/// The first rows of `text`; the last line counts as one even when it breaks off.
fn first_rows(text: &[u8], dialect: &CsvDialect, most: usize) -> Vec<Vec<String>> {
    let mut reader = reader(dialect);
    let text = [text, b"\n"].concat();
    let mut fields = vec![0; text.len()];
    let mut ends = vec![0; text.len() + 1];
    let mut rest = text.as_slice();
    let mut rows = Vec::new();
    while rows.len() < most {
        let (result, taken, wrote, count) = reader.read_record(rest, &mut fields, &mut ends);
        rest = rest.get(taken..).unwrap_or_default();
        let mut count = count;
        if result == ReadRecordResult::InputEmpty && rows.is_empty() && wrote + count > 0 {
            // An open quote: the end of the text closes the row.
            let open = (fields.get_mut(wrote..).unwrap_or_default(), ends.get_mut(count..).unwrap_or_default());
            count += reader.read_record(&[], open.0, open.1).3;
            rows.push(split(&fields, ends.get(..count).unwrap_or_default()));
        }
        if result != ReadRecordResult::Record {
            break;
        }
        rows.push(split(&fields, ends.get(..count).unwrap_or_default()));
    }
    rows
}

/// The fields of a row as text; bytes that are not UTF-8 are replaced.
fn split(fields: &[u8], ends: &[usize]) -> Vec<String> {
    let mut start = 0;
    ends.iter()
        .map(|&end| {
            let field = fields.get(start..end).unwrap_or_default();
            start = end;
            String::from_utf8_lossy(field).into_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects() {
        let cases: [(&str, char, bool, &str); 13] = [
            ("a,b\n1,2\n", ',', true, "a|b"),
            ("20250101 180000;1.0;1.1;0.9;1.0;0\n", ';', false, "timestamp|open|high|low|close|volume"),
            ("datetime;open;close\n2012-01-01;1;2\n", ';', true, "datetime|open|close"),
            ("1672531436,90.5,1.1\n1672531471,90.4,1.0\n", ',', false, "timestamp|column_2|column_3"),
            ("AAPL\t1\nMSFT\t2\n", '\t', false, "column_1|column_2"),
            ("# note\nx|y\n1|2\n", '|', true, "x|y"),
            ("\"a,1\",b\n\"x\ny\",2\n", ',', true, "a,1|b"),
            ("only,one", ',', true, "only|one"),
            ("", ',', false, ""),
            (",timestamp,price\n0,2024-01-03,1.5\n", ',', true, "column_1|timestamp|price"),
            ("t,price,price,price.1\n1,2,3,4\n", ',', true, "t|price|price.2|price.1"),
            ("a,a\nb,c\n", ',', false, "column_1|column_2"),
            (",,x\n1,2,3\n", ',', false, "column_1|column_2|column_3"),
        ];
        for (text, delimiter, header, columns) in cases {
            let dialect = sniff(text.as_bytes());
            assert_eq!(dialect.delimiter, delimiter, "{text:?}");
            assert_eq!(dialect.has_header, header, "{text:?}");
            assert_eq!(dialect.columns.join("|"), columns, "{text:?}");
        }
    }
}
