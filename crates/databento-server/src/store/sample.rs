//! Three made-up datasets of three months, the same every time, with the cases that are easily got wrong.

use std::ops::Range;

use dbn::{OhlcvMsg, Publisher, Schema};
use time::macros::date;
use time::{Date, Month};

use super::{Condition, Dataset, Store, bar};
use crate::moment::{SECOND, midnight, next};

/// The days of all of them.
const DAYS: Range<Date> = date!(2024 - 01 - 01)..date!(2024 - 04 - 01);
const LAST_SECOND: u64 = 86_399;
/// A price of 0.01 in units of 1e-9.
const CENT: i64 = 10_000_000;

pub(super) fn store() -> Store {
    Store::new().dataset(equities()).dataset(futures()).dataset(venues())
}

/// One publisher; instruments that change weekly, so that an id is another symbol's a week later; a symbol without bars in
/// February, and one that is listed in it.
fn equities() -> Dataset {
    let weeks = |first: u32| {
        (0..13).map(move |week: u32| {
            let start = DAYS.start + time::Duration::weeks(week.into());
            (first + week, start..start + time::Duration::WEEK)
        })
    };
    let dataset = Dataset::new("XNAS.ITCH", DAYS)
        .publisher(Publisher::XnasItchXnas, "Nasdaq TotalView-ITCH")
        .schema(Schema::Ohlcv1S)
        .schema_on(Schema::Ohlcv1D, DAYS.start..date!(2024 - 03 - 30))
        .unit_price(Schema::Ohlcv1S, 32.0)
        .unit_price(Schema::Ohlcv1D, 600.0)
        .condition(date!(2024 - 01 - 15), Condition::Degraded)
        .condition(date!(2024 - 02 - 14), Condition::Missing)
        .condition(date!(2024 - 03 - 14), Condition::Pending)
        .symbol("AAPL", weeks(6800))
        .symbol("MSFT", weeks(6801))
        .symbol("NEWB", [(9000, date!(2024 - 02 - 10)..DAYS.end)]);
    let publisher = u16::from(Publisher::XnasItchXnas);
    let id = |symbol: &str, day: Date| {
        let spans = dataset.symbols.get(symbol).map(Vec::as_slice).unwrap_or_default();
        spans.iter().find(|(_, days)| days.contains(&day)).map_or(0, |(id, _)| *id)
    };
    let mut seconds = Vec::new();
    let mut whole_days = Vec::new();
    for (symbol, first, cents) in
        [("AAPL", DAYS.start, 18_500), ("MSFT", DAYS.start, 37_000), ("NEWB", date!(2024 - 02 - 10), 900)]
    {
        let mut walk = Walk::new(symbol, cents * CENT, CENT);
        for day in days(&[1, 2, 14, 15, 31]).filter(|day| *day >= first) {
            let has_data = matches!(dataset.condition_of(day), Condition::Available | Condition::Degraded);
            if !has_data || (symbol == "MSFT" && day.month() == Month::February) {
                continue;
            }
            let instrument = id(symbol, day);
            let mine = walk.day(publisher, instrument, day, 120);
            whole_days.extend(sum(&mine).filter(|_| symbol == "AAPL" && day < date!(2024 - 03 - 30)));
            seconds.extend(mine);
        }
    }
    dataset.bars(Schema::Ohlcv1S, seconds).bars(Schema::Ohlcv1D, whole_days)
}

/// A continuous symbol that rolls, a second one that is there until then, and their parent.
fn futures() -> Dataset {
    let (roll, expired) = (date!(2024 - 03 - 15), date!(2024 - 03 - 16));
    let (march, june) = (17_077, 5_602);
    let publisher = u16::from(Publisher::GlbxMdp3Glbx);
    let mut bars = Vec::new();
    for (instrument, symbol, end) in [(march, "ESH4", expired), (june, "ESM4", DAYS.end)] {
        let mut walk = Walk::new(symbol, 480_000 * CENT, 25 * CENT);
        for day in days(&[1, 2, 14, 15, 31]).filter(|day| *day < end) {
            bars.extend(walk.day(publisher, instrument, day, 120));
        }
    }
    Dataset::new("GLBX.MDP3", DAYS)
        .publisher(Publisher::GlbxMdp3Glbx, "CME Globex MDP 3.0")
        .unit_price(Schema::Ohlcv1S, 280.0)
        .condition(date!(2024 - 02 - 15), Condition::Degraded)
        .symbol("ESH4", [(march, DAYS.start..expired)])
        .symbol("ESM4", [(june, DAYS)])
        .continuous("ES.c.0", [(march, DAYS.start..roll), (june, roll..DAYS.end)])
        .continuous("ES.c.1", [(june, DAYS.start..roll)])
        .parent("ES.FUT", ["ESH4", "ESM4"])
        .bars(Schema::Ohlcv1S, bars)
}

/// One symbol that is traded at several venues in the same seconds, at other prices.
fn venues() -> Dataset {
    let venues = [Publisher::DbeqBasicXchi, Publisher::DbeqBasicXcis, Publisher::DbeqBasicIexg];
    let mut bars = Vec::new();
    let mut walk = Walk::new("SPY", 47_500 * CENT, CENT);
    for day in days(&[1, 15, 31]) {
        for one in walk.day(0, 15_144, day, 180) {
            bars.extend((1..).zip(venues).map(|(away, venue)| {
                let prices = [one.open, one.high, one.low, one.close].map(|price| price + away * CENT);
                bar(
                    venue.into(),
                    one.hd.instrument_id,
                    one.hd.ts_event,
                    prices,
                    one.volume + u64::from(u16::from(venue)),
                )
            }));
        }
    }
    Dataset::new("DBEQ.BASIC", DAYS)
        .publisher(Publisher::DbeqBasicXchi, "DBEQ Basic - NYSE Texas")
        .publisher(Publisher::DbeqBasicXcis, "DBEQ Basic - NYSE National")
        .publisher(Publisher::DbeqBasicIexg, "DBEQ Basic - IEX")
        .unit_price(Schema::Ohlcv1S, 16.0)
        .symbol("SPY", [(15_144, DAYS)])
        .bars(Schema::Ohlcv1S, bars)
}

/// These days of each month; 31 is the last one.
fn days(wanted: &[u8]) -> impl Iterator<Item = Date> {
    let mut day = DAYS.start;
    std::iter::from_fn(move || {
        let this = day;
        day = next(day);
        (this < DAYS.end).then_some(this)
    })
    .filter(|day| {
        let is_last = next(*day).day() == 1;
        wanted.contains(&day.day()) && !is_last || is_last && wanted.contains(&31)
    })
}

/// The bar of a whole day.
fn sum(bars: &[OhlcvMsg]) -> impl Iterator<Item = OhlcvMsg> + use<> {
    let day = bars.first().zip(bars.last()).map(|(first, last)| {
        let high = bars.iter().map(|bar| bar.high).max().unwrap_or(first.high);
        let low = bars.iter().map(|bar| bar.low).min().unwrap_or(first.low);
        let volume = bars.iter().map(|bar| bar.volume).sum();
        bar(
            first.hd.publisher_id,
            first.hd.instrument_id,
            first.hd.ts_event,
            [first.open, high, low, last.close],
            volume,
        )
    });
    day.into_iter()
}

/// A price that wanders, the same way every time.
struct Walk {
    state: u64,
    price: i64,
    tick: i64,
}

impl Walk {
    fn new(name: &str, price: i64, tick: i64) -> Self {
        // FNV-1a, so that each symbol goes its own way.
        let seed = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self { state: seed | 1, price, tick }
    }

    /// A number below `most`.
    fn below(&mut self, most: u32) -> u32 {
        // xorshift64*: its upper half is the good one.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let high = u32::try_from(self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap_or_default();
        high % most
    }

    /// Bars of a day: its first second, its last one, and some between, at most `gap` seconds apart.
    fn day(&mut self, publisher: u16, instrument: u32, day: Date, gap: u32) -> Vec<OhlcvMsg> {
        let mut bars = Vec::new();
        let mut second = 0;
        loop {
            let moment = midnight(day) + second * SECOND;
            let ticks = |walk: &mut Self, most: u32| i64::from(walk.below(most)) * walk.tick;
            let open = self.price;
            let close = (open + ticks(self, 9) - 4 * self.tick).max(10 * self.tick);
            let high = open.max(close) + ticks(self, 3);
            let low = open.min(close) - ticks(self, 3);
            let volume = 1 + u64::from(self.below(500));
            bars.push(bar(publisher, instrument, moment, [open, high, low, close], volume));
            self.price = close;
            if second == LAST_SECOND {
                return bars;
            }
            second = (second + 1 + u64::from(self.below(gap))).min(LAST_SECOND);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_small_the_same_every_time_and_has_the_edges_of_months() {
        let store = store();
        let all = |store: &Store| {
            store.datasets().flat_map(|dataset| dataset.all_bars(Schema::Ohlcv1S).to_vec()).collect::<Vec<_>>()
        };
        let bars = all(&store);
        assert_eq!(bars, all(&super::store()));
        assert!((100_000..200_000).contains(&bars.len()), "{}", bars.len());
        assert!(bars.iter().all(|bar| bar.low > 0 && bar.low <= bar.open && bar.high >= bar.close));
        for name in ["XNAS.ITCH", "GLBX.MDP3", "DBEQ.BASIC"] {
            let bars = store.get(name).unwrap().all_bars(Schema::Ohlcv1S);
            for month in [date!(2024 - 01 - 01), date!(2024 - 02 - 01), date!(2024 - 03 - 01)] {
                let first = midnight(month);
                assert!(bars.iter().any(|bar| bar.hd.ts_event == first), "{name} {month}");
                let last = month.replace_day(month.month().length(2024)).unwrap();
                let last = midnight(last) + LAST_SECOND * SECOND;
                assert!(bars.iter().any(|bar| bar.hd.ts_event == last), "{name} {month}");
            }
        }
    }

    #[test]
    fn an_id_is_another_symbols_a_week_later() {
        let store = store();
        let symbols = &store.get("XNAS.ITCH").unwrap().symbols;
        assert_eq!(symbols["AAPL"][1].0, symbols["MSFT"][0].0);
        assert_eq!(symbols["AAPL"].last().unwrap().1.end, DAYS.end);
    }
}
