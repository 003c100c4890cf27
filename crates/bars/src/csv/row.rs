//! A row read the complete way: whatever a field may hold, and what is wrong with it.

use std::borrow::Cow;

use fxd::{Bar, Scale};

use super::context::Context;
use super::fields::Fields;
use super::layout::{LEAST, Prices, Role};
use crate::clock::Clock;
use crate::decimal::{Decimal, Refusal, decimal_text};
use crate::problem::shown;
use crate::{Ids, Place, Problem};

/// A row of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) bar: Bar,
    /// Empty if the row names none.
    pub(crate) symbol: Cow<'a, [u8]>,
    pub(crate) ids: Ids,
}

/// Reads a line without its end.
pub(crate) fn read<'a>(context: &Context, clock: &mut Clock, line: &'a [u8], place: Place) -> Result<Row<'a>, Problem> {
    read_fields(context, clock, line, place).map_err(|problem| {
        // Too many or too few fields explain a strange one better than what it holds.
        let (found, expected) = (Fields::new(line, context.layout.separator).count(), context.layout.roles.len());
        match problem {
            Problem::Value { .. } if found != expected => Problem::Fields { found, expected },
            problem => problem,
        }
    })
}

fn read_fields<'a>(context: &Context, clock: &mut Clock, line: &'a [u8], place: Place) -> Result<Row<'a>, Problem> {
    let layout = &context.layout;
    let fields = Fields::new(line, layout.separator);
    let count = |found: usize| Problem::Fields { found, expected: layout.roles.len() };
    let mut row = Row::default();
    let mut date = None;
    let mut time = None;
    let mut found = 0;
    for (at, field) in fields.enumerate() {
        let field =
            field.ok_or(Problem::Line { expected: "quotes to be closed and followed by a separator".into() })?;
        let Some(role) = layout.roles.get(at) else {
            return Err(count(Fields::new(line, layout.separator).count()));
        };
        found += 1;
        match role {
            Role::Timestamp => row.bar.ts = clock.read(&field, place)?,
            Role::Date => date = Some(field),
            Role::Time => time = Some(field),
            Role::Symbol => row.symbol = field,
            Role::Open => row.bar.open = price(context, "open", &field)?,
            Role::High => row.bar.high = price(context, "high", &field)?,
            Role::Low => row.bar.low = price(context, "low", &field)?,
            Role::Close => row.bar.close = price(context, "close", &field)?,
            // Where bars are added up, what is not known is not nothing.
            Role::Volume if field.is_empty() && context.rules.apart => {
                return Err(Problem::value("volume", &field, "a number; nothing is not 0"));
            }
            Role::Volume => row.bar.volume = context.fit.volume(&field)?,
            Role::Flags => row.bar.flags = number("flags", &field, "a whole number from 0 to 255", 0)?,
            Role::Publisher => {
                let number = |text| number::<u16>("publisher_id", text, "a whole number from 0 to 65535", 0);
                row.ids.publisher = if field.is_empty() { None } else { Some(number(&field)?.into()) };
            }
            Role::Instrument => {
                let number = |text| number("instrument_id", text, "a whole number of 32 bits", 0);
                row.ids.instrument = if field.is_empty() { None } else { Some(number(&field)?) };
            }
            Role::Kind if *field != *layout.record => {
                return Err(Problem::value(
                    "rtype",
                    &field,
                    format!("{}, as in the first row: bars of another length are others", shown(&layout.record)),
                ));
            }
            Role::Kind | Role::Other => {}
        }
    }
    if found != layout.roles.len() {
        return Err(count(found));
    }
    if let (Some(date), Some(time)) = (date, time) {
        row.bar.ts = clock.read_parts(&date, &time, place)?;
    }
    Ok(row)
}

/// The time that a line says, whatever else is wrong with it.
pub(crate) fn timestamp(context: &Context, clock: &mut Clock, line: &[u8], place: Place) -> Option<u64> {
    let field = |role: Role| {
        let at = context.layout.roles.iter().position(|one| *one == role)?;
        Fields::new(line, context.layout.separator).nth(at).flatten()
    };
    match (field(Role::Timestamp), field(Role::Date), field(Role::Time)) {
        (Some(timestamp), ..) => clock.read(&timestamp, place).ok(),
        (_, Some(date), Some(time)) => clock.read_parts(&date, &time, place).ok(),
        _ => None,
    }
}

/// A price, however the file writes them.
fn price(context: &Context, field: &'static str, text: &[u8]) -> Result<i64, Problem> {
    let fit = &context.fit;
    let pointed = text.contains(&b'.');
    match context.layout.prices {
        Prices::Decimal => fit.price(field, text),
        Prices::Pointed if pointed || is_small(text) => fit.price(field, text),
        Prices::Pointed => Err(Problem::value(
            field,
            text,
            "a price with a point, as in the first row: one so large without it may count 1e-9",
        )),
        Prices::Nano if pointed => Err(Problem::value(
            field,
            text,
            "a whole number of 1e-9, as in the first row: the prices here have no point",
        )),
        Prices::Nano if text == UNDEFINED => Err(Problem::value(field, text, "a price, not the sign for none")),
        Prices::Nano => Decimal::parse(text)
            .ok_or(Refusal::NotANumber)
            .and_then(|decimal| Decimal { exponent: decimal.exponent.saturating_sub(9), ..decimal }.at(fit.price_scale))
            .and_then(|value| fit.price_units(value))
            .map_err(|refusal| {
                // Said as the decimal that it is, so that its decimals can be counted.
                let units = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
                let exact = units.zip(Scale::new(9)).map(|(units, nano)| decimal_text(units.into(), nano));
                fit.price_problem(field, exact.as_deref().map_or(text, str::as_bytes), refusal)
            }),
    }
}

/// Whether a price without a point is no number of 1e-9, as 168 is none: then it is a decimal like those that have one.
fn is_small(text: &[u8]) -> bool {
    let units = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    units.is_some_and(|units| units.unsigned_abs() < LEAST)
}

/// What Databento writes where there is no price: the largest i64.
const UNDEFINED: &[u8] = b"9223372036854775807";

/// A small whole number; nothing is `none`.
fn number<T: std::str::FromStr>(
    field: &'static str,
    text: &[u8],
    expected: &'static str,
    none: T,
) -> Result<T, Problem> {
    if text.is_empty() {
        return Ok(none);
    }
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Problem::value(field, text, expected))
}
