//! What each column of a file is, told from its first lines.

use std::borrow::Cow;

use super::fields::{Fields, MOST};
use super::names::Names;
use crate::decimal::Decimal;
use crate::problem::shown;
use crate::{CsvFormat, Problem};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Date and time.
    Timestamp,
    /// The date alone, where the time has a column of its own.
    Date,
    /// The time of day alone.
    Time,
    Symbol,
    Open,
    High,
    Low,
    Close,
    Volume,
    Flags,
    Publisher,
    /// Only where instruments are read apart.
    Instrument,
    /// The kind of record, which must be that of the first row.
    Kind,
    /// Nothing that a bar keeps.
    Other,
}

/// How prices are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prices {
    /// As decimals.
    Decimal,
    /// As decimals that always have a point.
    Pointed,
    /// As whole numbers of 1e-9.
    Nano,
}

/// How a file's lines are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) separator: u8,
    pub(crate) roles: Vec<Role>,
    /// Whether the first line is a header.
    pub(crate) header: bool,
    pub(crate) prices: Prices,
    /// Whether timestamps that are whole numbers count nanoseconds, whatever their size.
    pub(crate) nanoseconds: bool,
    /// Whether the symbol column holds instrument ids, for want of symbols.
    pub(crate) instruments: bool,
    /// What the column of kinds holds in the first row: bars of a second and of a minute are of two.
    pub(crate) record: Vec<u8>,
}

impl Layout {
    /// Tells from the first line that is not blank and the one after it; or says what is wrong with the first.
    pub(crate) fn of(first: &[u8], second: &[u8], format: CsvFormat, apart: bool) -> Result<Self, Problem> {
        if first.contains(&b'\r') {
            return Err(Problem::Line {
                expected: "lines that end in LF or CR LF, but this one has CR alone in it".into(),
            });
        }
        let separator = separator(first);
        let mut fields = Vec::new();
        for field in Fields::new(first, separator) {
            let field =
                field.ok_or(Problem::Line { expected: "quotes to be closed and followed by a separator".into() })?;
            if fields.len() == MOST {
                return Err(Problem::Fields { found: MOST + 1, expected: MOST });
            }
            fields.push(field);
        }
        let named = Names::of(&fields);
        let (mut roles, header) = match named.roles(&fields)? {
            Some(roles) => (roles, true),
            None => (unnamed(&fields, format).ok_or_else(|| neither(&named, first, &fields, format))?, false),
        };
        let databento = match format {
            CsvFormat::Databento => true,
            CsvFormat::Auto => named.is_databento(),
            _ => false,
        };
        if format == CsvFormat::Databento && header && !named.is_databento() {
            return Err(Problem::Line {
                expected: "the header of a Databento file: ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume"
                    .into(),
            });
        }
        let mut instruments = false;
        let at = if header { named.instrument() } else { Some(3).filter(|_| databento) };
        if apart {
            if let Some(role) = at.and_then(|at| roles.get_mut(at)) {
                *role = Role::Instrument;
            }
        } else if !roles.contains(&Role::Symbol) && databento {
            // Rows of several instruments must not run together.
            if let Some(role) = at.and_then(|at| roles.get_mut(at)) {
                *role = Role::Symbol;
                instruments = true;
            }
        }
        let record = Vec::new();
        let mut layout =
            Self { separator, roles, header, prices: Prices::Decimal, nanoseconds: databento, instruments, record };
        if databento {
            let row = if header { second } else { first };
            let of = |role: Role| {
                let at = layout.roles.iter().position(|one| *one == role)?;
                Fields::new(row, separator).nth(at).flatten()
            };
            let price = of(Role::Open).unwrap_or_default();
            let prices = [Role::Open, Role::High, Role::Low, Role::Close].into_iter().filter_map(of);
            let pointed = prices.into_iter().any(|price| price.contains(&b'.'));
            let record = of(Role::Kind).unwrap_or_default().into_owned();
            layout.prices = if pointed { Prices::Pointed } else { nano(&price)? };
            layout.record = record;
        }
        if layout.record.is_empty() {
            // Another's column of that name, or one that says nothing.
            layout.roles.iter_mut().filter(|role| **role == Role::Kind).for_each(|role| *role = Role::Other);
        }
        Ok(layout)
    }
}

/// What units of 1e-9 make a price that is taken for one where nothing else shows that prices are such: 0.001.
pub(crate) const LEAST: u64 = 1_000_000;

/// Prices that are whole numbers of 1e-9, if the first one can be one.
fn nano(price: &[u8]) -> Result<Prices, Problem> {
    let units = std::str::from_utf8(price).ok().and_then(|text| text.parse::<i64>().ok());
    if units.is_some_and(|units| (1..LEAST).contains(&units.unsigned_abs())) {
        return Err(Problem::value(
            "open",
            price,
            "under Databento's names a price with a point, or units of 1e-9, of which these would be less than 0.001",
        ));
    }
    Ok(Prices::Nano)
}

/// The separator of a line: the first of these that cuts out enough fields for a bar.
fn separator(line: &[u8]) -> u8 {
    let count = |byte| memchr::memchr_iter(byte, line).count();
    [b';', b'\t', b','].into_iter().find(|byte| count(*byte) >= 4).unwrap_or(b',')
}

/// The columns of a line without a header, by their number and a look at the second.
fn unnamed(fields: &[Cow<'_, [u8]>], format: CsvFormat) -> Option<Vec<Role>> {
    use Role::{Close, Date, High, Kind, Low, Open, Other, Publisher, Symbol, Time, Timestamp, Volume};
    // A sign too, so that what is wrong with a negative count is said of it.
    if !matches!(fields.first()?.first()?, b'0'..=b'9' | b'-' | b'+') {
        return None;
    }
    let second = fields.get(1)?;
    let times = second.contains(&b':');
    let number = Decimal::parse(second).is_some();
    let plain = matches!(format, CsvFormat::Auto | CsvFormat::Plain);
    let roles: &[Role] = match fields.len() {
        6 if plain && times => &[Date, Time, Open, High, Low, Close],
        7 if plain && times => &[Date, Time, Open, High, Low, Close, Volume],
        7 if plain && !number => &[Timestamp, Symbol, Open, High, Low, Close, Volume],
        5 if plain => &[Timestamp, Open, High, Low, Close],
        6 if plain || format == CsvFormat::HistData => &[Timestamp, Open, High, Low, Close, Volume],
        12 if matches!(format, CsvFormat::Auto | CsvFormat::Binance) => {
            &[Timestamp, Open, High, Low, Close, Volume, Other, Other, Other, Other, Other, Other]
        }
        9 if format == CsvFormat::Databento => &[Timestamp, Kind, Publisher, Other, Open, High, Low, Close, Volume],
        10 if format == CsvFormat::Databento => {
            &[Timestamp, Kind, Publisher, Other, Open, High, Low, Close, Volume, Symbol]
        }
        _ => return None,
    };
    Some(roles.to_vec())
}

/// The error for a line that is neither a header nor a row.
fn neither(names: &Names, line: &[u8], fields: &[Cow<'_, [u8]>], format: CsvFormat) -> Problem {
    let digit = line.first().is_some_and(u8::is_ascii_digit);

    if names.are_any() && !digit {
        return names.missing();
    }
    let expected = match format {
        CsvFormat::HistData => "six fields: 20120201 000000;open;high;low;close;volume",
        CsvFormat::Databento => "a header, or the nine or ten fields of a Databento row",
        CsvFormat::Binance => "a header, or the twelve fields of a Binance kline",
        CsvFormat::Auto | CsvFormat::Plain => {
            "a header that names timestamp, open, high, low and close, or a row timestamp,open,high,low,close[,volume]"
        }
    };
    Problem::Line { expected: format!("{expected}; found {} fields in \"{}\"", fields.len(), shown(line)).into() }
}

#[cfg(test)]
mod tests {
    use super::Role::*;
    use super::*;

    fn layout(first: &str, second: &str, format: CsvFormat) -> Result<Layout, String> {
        Layout::of(first.as_bytes(), second.as_bytes(), format, false).map_err(|problem| problem.to_string())
    }

    #[test]
    fn layouts_are_told_from_the_first_line() {
        for (line, separator, header, roles) in [
            ("20120201 000000;1.5;1.5;1.5;1.5;0", b';', false, vec![Timestamp, Open, High, Low, Close, Volume]),
            ("2012-02-01T00:00:00Z,1.5,1.5,1.5,1.5", b',', false, vec![Timestamp, Open, High, Low, Close]),
            ("2019.01.02,17:02,1.5,1.5,1.5,1.5,0", b',', false, vec![Date, Time, Open, High, Low, Close, Volume]),
            ("2012-02-01T00:00:00Z,6E,1,1,1,1,0", b',', false, vec![Timestamp, Symbol, Open, High, Low, Close, Volume]),
            ("timestamp,open,high,low,close", b',', true, vec![Timestamp, Open, High, Low, Close]),
            ("datetime;open;high;low;close;volume", b';', true, vec![Timestamp, Open, High, Low, Close, Volume]),
            ("C\tL\tH\tO\tTicker\tDate", b'\t', true, vec![Close, Low, High, Open, Symbol, Timestamp]),
            (
                "<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
                b',',
                true,
                vec![Date, Time, Open, High, Low, Close, Volume],
            ),
            (
                "open_time,open,high,low,close,volume,close_time,quote_volume",
                b',',
                true,
                vec![Timestamp, Open, High, Low, Close, Volume, Other, Other],
            ),
        ] {
            let found = layout(line, "", CsvFormat::Auto).unwrap();
            assert_eq!((found.separator, found.header, found.roles), (separator, header, roles), "{line}");
        }
    }

    #[test]
    fn databento_prices_are_told_from_the_first_row() {
        let header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol";
        let pretty =
            layout(header, "2024-07-01T23:58:01.000000000Z,32,1,118,5528.750000000,1,1,1,2,ESU4", CsvFormat::Auto)
                .unwrap();
        assert_eq!((pretty.prices, pretty.instruments), (Prices::Pointed, false));
        let raw = layout(header, "1719878281000000000,32,1,118,5528750000000,1,1,1,2,ESU4", CsvFormat::Auto).unwrap();
        assert_eq!(raw.prices, Prices::Nano);
        let first =
            layout(header, "1719878281000000000,32,1,118,5528,5528.5,5528,5528,2,ESU4", CsvFormat::Auto).unwrap();
        assert_eq!(first.prices, Prices::Pointed);
        assert_eq!(raw.record, b"32");
        let whole = layout(header, "1719878281000000000,32,1,118,5528,1,1,1,2,ESU4", CsvFormat::Auto).unwrap_err();
        assert!(whole.contains("open is \"5528\", expected under Databento's names"), "{whole}");
        let bare = layout(header.trim_end_matches(",symbol"), "", CsvFormat::Auto).unwrap();
        assert_eq!(bare.roles.get(3), Some(&Symbol));
        assert!(bare.instruments);
    }

    #[test]
    fn a_first_line_that_is_nothing_is_explained() {
        for (line, expected) in [
            ("timestamp,open,high,low", "there is none for close"),
            ("open,high,low,close,volume", "there is none for timestamp"),
            ("2012-02-01,1,2,3", "found 4 fields"),
            ("1,2,3,4,5,6,7,8", "found 8 fields"),
            ("hello", "found 1 fields in \"hello\""),
            ("timestamp,open,high,low,close,x\r2024-01-01,1,1,1,1,1", "CR alone"),
            ("timestamp,open,high,low,close,c", "\"c\" is a second of its kind"),
            ("unix,date,open,high,low,close,Volume BTC", "only \"Volume BTC\""),
        ] {
            let error = layout(line, "", CsvFormat::Auto).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}
