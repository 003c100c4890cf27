//! A block of whole lines, read.

use std::borrow::Cow;

use super::context::Context;
use super::cut::LINE;
use super::fields::{is_blank, without_end};
use super::quick::Quick;
use super::row;
use crate::clock::Counted;
use crate::runs::{Building, Runs};
use crate::{Place, Problem};

/// What a block of lines holds. Lines are counted from the block's first, which is 1.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) runs: Vec<Building>,
    pub(crate) lines: u64,
    /// The block's first timestamp that is a count.
    pub(crate) counted: Option<Counted>,
}

/// What is wrong with a block's first line that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) problem: Problem,
}

/// Reads a block of whole lines; the last may lack its end.
pub(crate) fn read(context: &Context, block: &[u8]) -> Result<Parsed, Fault> {
    read_by(context, block, true)
}

/// Reads a block, plain rows the quick way or all rows the complete way: with the same outcome.
#[inline(always)]
fn read_by(context: &Context, block: &[u8], quickly: bool) -> Result<Parsed, Fault> {
    let mut clock = context.clock();
    let mut quick = Quick::new(context);
    let mut runs = Runs::default();
    let mut lines = 0_u64;
    let mut at = 0;
    let mut first = true;
    while at < block.len() {
        lines += 1;
        let place = Place::Line(lines);
        let fault = |problem| Fault { place, problem };
        // The first row is for the complete reader: it begins the symbol's run and tells the unit of counts.
        if quickly
            && !first
            && let Some(plain) = quick.row(block, at, &mut clock, &runs)
        {
            runs.push(quick.run, plain.bar, place, plain.ids, context.rules).map_err(fault)?;
            at = plain.next;
            continue;
        }
        let rest = block.get(at..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        at += length;
        let line = without_end(rest.get(..length).unwrap_or_default());
        if is_blank(line) {
            continue;
        }
        if line.len() > LINE {
            return Err(fault(Problem::long_line()));
        }
        let mut row = row::read(context, &mut clock, line, place).map_err(fault)?;
        if row.symbol.is_empty() {
            row.symbol = Cow::Borrowed(context.symbol.as_ref().ok_or_else(|| fault(Problem::NoSymbol))?.as_bytes());
        }
        let number = runs.find_or_begin(&row.symbol, place).map_err(fault)?;
        if std::mem::take(&mut first) {
            // As many rows as there would be if all were of this symbol and about as long.
            runs.reserve(number, block.len() / length.max(16) + block.len() / 1024 + 16);
        }
        runs.push(number, row.bar, place, row.ids, context.rules).map_err(fault)?;
        let named = context.layout.roles.contains(&super::layout::Role::Symbol);
        quick.is_of(number, if named { &row.symbol } else { &[] });
    }
    Ok(Parsed { runs: runs.into_list(), lines, counted: clock.into_counted() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::layout::Layout;
    use crate::runs::Rules;
    use crate::{CsvFormat, Fit, Ids, Order, Zone};
    use fxd::{Bar, Scale};
    use proptest::prelude::*;

    type Outcome = Result<(Vec<(String, Ids, Vec<Bar>)>, u64), Fault>;

    fn outcome(context: &Context, block: &[u8], quickly: bool) -> Outcome {
        read_by(context, block, quickly).map(|parsed| {
            let runs = parsed.runs.into_iter().map(|run| (run.symbol.to_string(), run.ids, run.bars)).collect();
            (runs, parsed.lines)
        })
    }

    fn context(header: &str, zone: Option<Zone>, scale: u8, order: Order) -> Context {
        let apart = order == Order::AsIs;
        let layout = Layout::of(header.as_bytes(), b"", CsvFormat::Auto, apart).unwrap();
        let fit = Fit { price_scale: Scale::new(scale).unwrap(), ..Fit::version_1() };
        Context {
            layout,
            fit,
            zone,
            symbol: Some("X".to_owned()),
            rules: Rules { order, apart, merge_instruments: false },
        }
    }

    fn timestamp() -> impl Strategy<Value = String> {
        (0_i64..9_300_000_000, 0_u32..1_000_000_000, 0_usize..14).prop_map(|(seconds, nanos, shape)| {
            let Some(time) = chrono::DateTime::from_timestamp(seconds, nanos) else { return String::new() };
            match shape {
                0 => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
                1 => time.format("%Y-%m-%d %H:%M:%S").to_string(),
                2 => time.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
                3 => time.format("%Y-%m-%dT%H:%M:%S%.9fZ").to_string(),
                4 => time.format("%Y-%m-%d %H:%M:%S+00:00").to_string(),
                5 => time.format("%Y-%m-%d %H:%M:%S+01:00").to_string(),
                6 => time.format("%Y%m%d %H%M%S").to_string(),
                7 => time.format("%Y%m%d %H%M%S%3f").to_string(),
                8 => seconds.to_string(),
                9 => (seconds * 1000).to_string(),
                10 => (seconds * 1_000_000).to_string(),
                11 => (i128::from(seconds) * 1_000_000_000).to_string(),
                12 => time.format("%Y%m%d%H%M%S").to_string(),
                _ => time.format("%Y-%m-%d").to_string(),
            }
        })
    }

    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => (0_u64..200_000, 0_u32..1_000_000, 0_usize..7)
                .prop_map(|(whole, part, digits)| format!("{whole}.{}", &format!("{part:06}")[..digits])),
            2 => (0_u64..100_000).prop_map(|whole| whole.to_string()),
            1 => "[-+]?[0-9]{0,12}\\.?[0-9]{0,12}(e-?[0-9])?",
            1 => Just(String::new()),
        ]
    }

    fn line() -> impl Strategy<Value = String> {
        let symbol =
            prop_oneof![4 => Just("EURUSD"), 2 => Just("6E"), 1 => Just("\"A,B\""), 1 => Just("A\"B"), 1 => Just("")];
        let end = prop_oneof![6 => Just("\n"), 2 => Just("\r\n"), 1 => Just(",\n"), 1 => Just("\n\n")];
        (timestamp(), symbol, proptest::collection::vec(number(), 5), end)
            .prop_map(|(time, symbol, numbers, end)| format!("{time},{symbol},{}{end}", numbers.join(",")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn plain_rows_read_the_same_both_ways(
            lines in proptest::collection::vec(line(), 1..6), zone in 0_usize..3, scale in 0_u8..9, checked in any::<bool>(), cut in 0_usize..40,
        ) {
            let zone = [None, Some(Zone::EST), Some(Zone::Named(chrono_tz::Tz::Europe__London))][zone];
            let order = if checked { Order::Checked } else { Order::AsIs };
            let context = context("timestamp,symbol,open,high,low,close,volume", zone, scale, order);
            let mut block = lines.concat();
            // The first row and the last of a block go the complete way, so some rows are repeated.
            block = format!("{}{block}{block}", lines[0]);
            block.truncate(block.len().saturating_sub(cut));
            prop_assert_eq!(outcome(&context, block.as_bytes(), true), outcome(&context, block.as_bytes(), false), "{}", block);
        }

        #[test]
        fn single_rows_read_the_same_both_ways(first in timestamp(), time in timestamp(), numbers in proptest::collection::vec(number(), 5), scale in 0_u8..9) {
            let context = context("timestamp,open,high,low,close,volume", Some(Zone::EST), scale, Order::AsIs);
            let block = format!("{first},1,1,1,1,1\n{time},{}\n{}", numbers.join(","), " ".repeat(64));
            prop_assert_eq!(outcome(&context, block.as_bytes(), true), outcome(&context, block.as_bytes(), false), "{}", block);
        }

        #[test]
        fn databento_rows_read_the_same_both_ways(prices in proptest::collection::vec(0_i64..60_000_000_000_000, 4), pretty in any::<bool>(), other in any::<bool>(), kind in 32_u8..35, ids in proptest::collection::vec((0_u32..3, 0_u32..3), 5), apart in any::<bool>(), scale in 0_u8..=9) {
            let text = |price: &i64, pretty: bool| {
                let price = price / 1000 * 1000;
                if pretty { format!("{}.{:09}", price / 1_000_000_000, price % 1_000_000_000) } else { price.to_string() }
            };
            let row_of = |kind: u8, at: usize, pretty: bool| {
                let prices: Vec<_> = prices.iter().map(|price| text(price, pretty)).collect();
                let (publisher, instrument) = if apart { ids[at] } else { (1, ids[at].1) };
                format!("1719878281000000000,{kind},{publisher},{instrument},{},2,ESU4\n", prices.join(","))
            };
            let row = |at, pretty| row_of(32, at, pretty);
            let header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol";
            let first = row(0, pretty);
            // Prices of less than 0.001 are taken for a mistake.
            let Ok(layout) = Layout::of(header.as_bytes(), first.as_bytes(), CsvFormat::Auto, apart) else { return Ok(()) };
            let fit = Fit::any(Scale::new(scale).unwrap(), Scale::VOLUME);
            let context = Context { layout, fit, zone: None, symbol: None, rules: Rules { order: Order::AsIs, apart, merge_instruments: false } };
            let block = format!("{first}{}{}{}{}", row(1, pretty), row(2, pretty != other), row_of(kind, 3, pretty), row(4, pretty));
            prop_assert_eq!(outcome(&context, block.as_bytes(), true), outcome(&context, block.as_bytes(), false), "{}", block);
        }

        #[test]
        fn no_bytes_panic(block in proptest::collection::vec(any::<u8>(), 0..200), text in "[0-9,;.:TZ \n\r\"-]{0,200}") {
            let context = context("timestamp,symbol,open,high,low,close,volume", None, 5, Order::Checked);
            for block in [block.as_slice(), text.as_bytes()] {
                let block = [b"2012-01-02T00:00:00Z,EURUSD,1,1,1,1,0\n", block].concat();
                prop_assert_eq!(outcome(&context, &block, true), outcome(&context, &block, false));
            }
        }
    }
}
