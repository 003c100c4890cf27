//! A row read the quick way, which takes the plainest rows only.
//!
//! Most lines of most files are plain: a timestamp of one of a few shapes, decimals of a few digits, a symbol that is that of
//! the row before. This reads such a line once from left to right without looking for its end or its fields first. It gives up
//! at anything else, without a reason; [`row::read`](super::row::read) then reads the line again and says what is wrong, if
//! anything is. Whatever this does read, that reads the same.

use fxd::Bar;

use super::context::{Context, Scaler};
use super::layout::{Layout, Prices, Role};
use super::pattern::Pattern;
use super::swar::{self, Number};
use crate::Ids;
use crate::calendar::{DAY, DAY_SECONDS, SECOND, day_of};
use crate::clock::Clock;
use crate::moment::Unit;
use crate::runs::Runs;

/// The quick reader of a block. Remembers the last row's date and symbol, as the next row's are mostly the same.
#[derive(Debug)]
pub(crate) struct Quick<'a> {
    roles: &'a [Role],
    separator: u8,
    zoned: bool,
    nanoseconds: bool,
    prices: Prices,
    price: Scaler,
    volume: Scaler,
    lowest: i64,
    highest: i64,
    volume_max: u64,
    /// The ten bytes of the last date, and its days since 1970.
    date: (u64, u16),
    day: u64,
    /// The last symbol, and its run.
    symbol: Vec<u8>,
    pub(crate) run: usize,
    /// The last symbol and the byte behind it, if they are short.
    short: Memo,
    /// By column the last short field, which is mostly that of the next row too.
    memos: Vec<Memo>,
    /// How the last short price was written, which is mostly how the next one is.
    shape: Shape,
}

/// A field of seven bytes at most and the byte behind it, as the lowest bytes of a word.
#[derive(Debug, Clone, Copy)]
struct Memo {
    word: u64,
    mask: u64,
    length: usize,
    /// The number that it is, where it is an id.
    id: Option<u32>,
}

impl Memo {
    /// What no field is.
    const NONE: Self = Self { word: 1, mask: 0, length: 0, id: None };

    /// What a column has before any row: kinds are all that of the first row.
    fn before(role: Role, layout: &Layout) -> Self {
        let plain = |byte: &u8| *byte != layout.separator && !matches!(byte, b'"' | b'\r' | b'\n');
        if role != Role::Kind || !layout.record.iter().all(plain) {
            return Self::NONE;
        }
        let mut text = layout.record.clone();
        text.push(layout.separator);
        text.resize(text.len().max(8), 0);
        Self::of(&text, 0, layout.record.len(), None).unwrap_or(Self::NONE)
    }

    /// A field, if it is short enough.
    #[inline]
    fn of(data: &[u8], at: usize, length: usize, id: Option<u32>) -> Option<Self> {
        let mask = u64::MAX >> (8 * 7_usize.checked_sub(length)?);
        Some(Self { word: swar::load(data, at)? & mask, mask, length, id })
    }
}

/// How a price is written.
///
/// A price that is written as the one before needs no search for its end. So where the next field begins does not hang on the
/// bytes of this one, and the processor reads several fields at once.
#[derive(Debug, Clone, Copy)]
struct Shape {
    pattern: Pattern,
    /// What makes its digits units of the scale.
    factor: u64,
    length: usize,
}

impl Shape {
    /// That of no price.
    const NONE: Self = Self { pattern: Pattern::NONE, factor: 0, length: 0 };

    /// That of the price here: a whole number of units of the scale, `decimals` of whose digits are a fraction.
    #[inline]
    fn of(data: &[u8], at: usize, length: usize, decimals: u32, scale: u32) -> Option<Self> {
        let point = memchr::memchr(b'.', data.get(at..at + length)?).and_then(|point| u32::try_from(point).ok());
        let digits = u32::try_from(length).ok()?;
        let pattern = Pattern::of(data, at, digits, point, decimals.saturating_sub(scale))?;
        let more = scale.saturating_sub(decimals);
        // Less than 2^63 together.
        (digits + more <= 18).then_some(Self { pattern, factor: 10_u64.pow(more), length })
    }
}

/// A row that was plain.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) bar: Bar,
    pub(crate) ids: Ids,
    /// Where the next line begins.
    pub(crate) next: usize,
}

impl<'a> Quick<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Self {
            roles: &context.layout.roles,
            separator: context.layout.separator,
            zoned: context.zone.is_some(),
            nanoseconds: context.layout.nanoseconds,
            prices: context.layout.prices,
            price: Scaler::new(context.fit.price_scale),
            volume: Scaler::new(context.fit.volume_scale),
            lowest: *context.fit.prices.start(),
            highest: *context.fit.prices.end(),
            volume_max: context.fit.volume_max,
            date: (0, 0),
            day: 0,
            symbol: Vec::new(),
            run: 0,
            short: Memo::NONE,
            memos: context.layout.roles.iter().map(|role| Memo::before(*role, &context.layout)).collect(),
            shape: Shape::NONE,
        }
    }

    /// Takes another symbol for the last row's; an empty one where rows name none.
    pub(crate) fn is_of(&mut self, run: usize, symbol: &[u8]) {
        self.run = run;
        self.symbol.clear();
        // What stands in quotes is not the same without them.
        if !symbol.iter().any(|byte| *byte == self.separator || matches!(byte, b'"' | b'\r' | b'\n')) {
            self.symbol.extend_from_slice(symbol);
        }
        self.short = Memo::NONE;
    }

    /// Reads the row that begins at `at`, and sets `run` to its symbol's, if all of it is plain.
    #[inline]
    pub(crate) fn row(&mut self, data: &[u8], at: usize, clock: &mut Clock, runs: &Runs) -> Option<Plain> {
        let (last, roles) = self.roles.split_last()?;
        let mut bar = Bar::default();
        let mut ids = Ids::default();
        let mut at = at;
        for (column, role) in roles.iter().enumerate() {
            at = self.field(*role, column, data, at, clock, runs, &mut bar, &mut ids)?;
            if *data.get(at)? != self.separator {
                return None;
            }
            at += 1;
        }
        at = self.field(*last, roles.len(), data, at, clock, runs, &mut bar, &mut ids)?;
        if *data.get(at)? == b'\r' {
            at += 1;
        }
        (*data.get(at)? == b'\n').then_some(Plain { bar, ids, next: at + 1 })
    }

    /// Reads a field and returns where it ends.
    #[inline(always)]
    #[expect(clippy::too_many_arguments, reason = "the row so far, kept in registers")]
    fn field(
        &mut self,
        role: Role,
        column: usize,
        data: &[u8],
        at: usize,
        clock: &mut Clock,
        runs: &Runs,
        bar: &mut Bar,
        ids: &mut Ids,
    ) -> Option<usize> {
        Some(match role {
            Role::Open => self.price(data, at, &mut bar.open)?,
            Role::High => self.price(data, at, &mut bar.high)?,
            Role::Low => self.price(data, at, &mut bar.low)?,
            Role::Close => self.price(data, at, &mut bar.close)?,
            Role::Timestamp => self.timestamp(data, at, clock, &mut bar.ts)?,
            Role::Symbol => self.symbol(data, at, runs)?,
            Role::Volume => {
                let number = swar::number(data, at)?;
                bar.volume =
                    self.volume.apply(number.mantissa, number.decimals).filter(|size| *size <= self.volume_max)?;
                number.end
            }
            Role::Flags => {
                let (value, length) = swar::digits(data, at)?;
                bar.flags = u8::try_from(value).ok().filter(|_| length > 0)?;
                at + length as usize
            }
            // Another kind is for the complete reader to refuse.
            Role::Kind => self.same(column, data, at)?.1,
            Role::Publisher | Role::Instrument | Role::Other => {
                let (id, end) = match self.same(column, data, at) {
                    Some(same) => same,
                    None => self.other(role, column, data, at)?,
                };
                match role {
                    Role::Publisher => ids.publisher = id,
                    Role::Instrument => ids.instrument = id,
                    _ => {}
                }
                end
            }
            // Rare enough to be left to the complete reader.
            Role::Date | Role::Time => return None,
        })
    }

    #[inline(always)]
    fn price(&mut self, data: &[u8], at: usize, price: &mut i64) -> Option<usize> {
        let Shape { pattern, factor, length } = &self.shape;
        let Some(digits) = pattern.read(data, at) else { return self.other_price(data, at, price) };
        let value = i64::try_from(digits * factor).ok()?;
        if value < self.lowest || value > self.highest {
            return None;
        }
        *price = value;
        Some(at + length)
    }

    /// A price that is not written as the one before.
    #[inline(never)]
    fn other_price(&mut self, data: &[u8], at: usize, price: &mut i64) -> Option<usize> {
        let Number { mantissa, mut decimals, end } = swar::number(data, at)?;
        if self.prices != Prices::Decimal {
            let pointed = data.get(at..end)?.contains(&b'.');
            if pointed != (self.prices == Prices::Pointed) {
                return None;
            }
            if !pointed {
                decimals = 9;
            }
        }
        let value = i64::try_from(self.price.apply(mantissa, decimals)?).ok()?;
        if value < self.lowest || value > self.highest || (mantissa == NONE && decimals == 9) {
            return None;
        }
        *price = value;
        if let Some(shape) = Shape::of(data, at, end - at, decimals, self.price.scale()) {
            self.shape = shape;
        }
        Some(end)
    }

    /// A field that is that of the row before: the id that it is, and where it ends.
    #[inline(always)]
    fn same(&self, column: usize, data: &[u8], at: usize) -> Option<(Option<u32>, usize)> {
        let memo = self.memos.get(column)?;
        (swar::load(data, at)? & memo.mask == memo.word).then_some((memo.id, at + memo.length))
    }

    /// A field that is not: the id that it is, and where it ends.
    #[inline(never)]
    fn other(&mut self, role: Role, column: usize, data: &[u8], at: usize) -> Option<(Option<u32>, usize)> {
        let (id, end) = if role == Role::Other {
            (None, self.skip(data, at)?)
        } else {
            let (value, length) = swar::digits(data, at).filter(|(_, length)| *length > 0)?;
            let most = if role == Role::Publisher { u16::MAX.into() } else { u32::MAX };
            let id = u32::try_from(value).ok().filter(|id| *id <= most)?;
            (Some(id), at + length as usize)
        };
        let length = end - at;
        if let (Some(memo), Some(new)) = (self.memos.get_mut(column), Memo::of(data, at, length, id)) {
            *memo = new;
        }
        Some((id, end))
    }

    /// The run of the symbol here, if it has one.
    #[inline(always)]
    fn symbol(&mut self, data: &[u8], at: usize, runs: &Runs) -> Option<usize> {
        if swar::load(data, at).is_some_and(|word| word & self.short.mask == self.short.word) {
            return Some(at + self.short.length);
        }
        let behind = data.get(at..)?.strip_prefix(self.symbol.as_slice()).and_then(<[u8]>::first);
        let ends = behind.is_some_and(|byte| *byte == self.separator || matches!(byte, b'\n' | b'\r'));
        if ends && !self.symbol.is_empty() {
            self.short = Memo::of(data, at, self.symbol.len(), None).unwrap_or(Memo::NONE);
            return Some(at + self.symbol.len());
        }
        self.other_symbol(data, at, runs)
    }

    #[inline(never)]
    fn other_symbol(&mut self, data: &[u8], at: usize, runs: &Runs) -> Option<usize> {
        let end = self.skip(data, at)?;
        let symbol = data.get(at..end)?;
        if symbol.is_empty() {
            return None;
        }
        let run = runs.find(symbol)?;
        self.is_of(run, symbol);
        Some(end)
    }

    /// The end of a field whatever it holds, if it is not quoted.
    #[inline]
    fn skip(&self, data: &[u8], at: usize) -> Option<usize> {
        let rest = data.get(at..)?;
        let length = rest.iter().position(|byte| *byte == self.separator || matches!(byte, b'\n' | b'\r' | b'"'))?;
        (rest.get(length) != Some(&b'"')).then_some(at + length)
    }

    #[inline(always)]
    fn timestamp(&mut self, data: &[u8], at: usize, clock: &mut Clock, ts: &mut u64) -> Option<usize> {
        match (data.get(at + 4)?, data.get(at + 8)?) {
            (b'-', _) => self.iso(data, at, clock, ts),
            (_, b' ') => self.compact(data, at, clock, ts),
            _ => self.count(data, at, clock, ts),
        }
    }

    /// `2024-01-31T12:00:00`, perhaps with a fraction, and with `Z`, `+00:00` or nothing.
    #[inline(always)]
    fn iso(&mut self, data: &[u8], at: usize, clock: &mut Clock, ts: &mut u64) -> Option<usize> {
        self.date(data, at, iso_day)?;
        if !matches!(data.get(at + 10)?, b'T' | b' ') {
            return None;
        }
        let seconds = swar::clock(data, at + 11)?;
        let mut end = at + 19;
        let mut nanos = 0;
        let mut next = *data.get(end)?;
        if next == b'.' {
            let (value, length) = fraction(data, end + 1)?;
            nanos = value * 10_u64.pow(9_u32.checked_sub(length).filter(|_| length > 0)?);
            end += 1 + length as usize;
            next = *data.get(end)?;
        }
        if next == b'Z' {
            *ts = self.day * DAY + seconds * SECOND + nanos;
            end += 1;
        } else if next == b'+' {
            if data.get(end..end + 6)? != b"+00:00" {
                return None;
            }
            *ts = self.day * DAY + seconds * SECOND + nanos;
            end += 6;
        } else {
            *ts = self.local(seconds, clock)? + nanos;
        }
        (*ts <= fxd::MAX_TS).then_some(end)
    }

    /// `20240131 120000`.
    #[inline(always)]
    fn compact(&mut self, data: &[u8], at: usize, clock: &mut Clock, ts: &mut u64) -> Option<usize> {
        self.date(data, at, compact_day)?;
        let seconds = swar::compact_clock(data, at + 9)?;
        *ts = self.local(seconds, clock)?;
        (*ts <= fxd::MAX_TS).then_some(at + 15)
    }

    /// A count since 1970 of the unit that this block's counts have.
    #[inline(always)]
    fn count(&self, data: &[u8], at: usize, clock: &Clock, ts: &mut u64) -> Option<usize> {
        let (count, length) = swar::digits(data, at)?;
        let unit = if self.nanoseconds {
            Unit::Nanoseconds
        } else {
            // Lengths that may be a date, and the first row of a block, are for the complete reader.
            if !matches!(length, 10 | 13 | 16 | 19) {
                return None;
            }
            let unit = clock.counted()?.unit;
            Unit::of(count).filter(|found| *found == unit)?
        };
        *ts = unit.to_nanos(count).filter(|_| length > 0)?;
        Some(at + length as usize)
    }

    /// Makes `day` that of the date here.
    #[inline(always)]
    fn date(&mut self, data: &[u8], at: usize, read: fn(&[u8]) -> Option<i64>) -> Option<()> {
        let word = swar::load(data, at)?;
        let tail = match data.get(at + 8..)? {
            [first, second, ..] if *first != b' ' => u16::from_le_bytes([*first, *second]),
            _ => 0,
        };
        if (word, tail) != self.date {
            // Days before 1970 are left to the complete reader.
            self.day = u64::try_from(read(data.get(at..at + 10)?)?).ok()?;
            self.date = (word, tail);
        }
        Some(())
    }

    /// Nanoseconds of a time of `day` on the zone's clock.
    #[inline(always)]
    fn local(&self, seconds: u64, clock: &mut Clock) -> Option<u64> {
        if !self.zoned {
            return None;
        }
        let local = self.day.cast_signed() * DAY_SECONDS + seconds.cast_signed();
        let east = clock.east(local).ok()?;
        u64::try_from(local - east).ok()?.checked_mul(SECOND)
    }
}

/// The digits of a fraction of a second. Most are nine zeros.
#[inline(always)]
fn fraction(data: &[u8], at: usize) -> Option<(u64, u32)> {
    let zeros = swar::load(data, at)? == u64::from_le_bytes(*b"00000000");
    if zeros && *data.get(at + 8)? == b'0' && !data.get(at + 9)?.is_ascii_digit() {
        return Some((0, 9));
    }
    swar::digits(data, at)
}

/// What Databento writes where there is no price.
const NONE: u64 = i64::MAX.unsigned_abs();

/// Days since 1970 of `2024-01-31`.
#[cold]
fn iso_day(text: &[u8]) -> Option<i64> {
    match text {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => day([*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2]),
        _ => None,
    }
}

/// Days since 1970 of `20240131` and two bytes more.
#[cold]
fn compact_day(text: &[u8]) -> Option<i64> {
    text.first_chunk::<8>().and_then(|digits| day(*digits))
}

fn day(digits: [u8; 8]) -> Option<i64> {
    let digits = digits.map(|byte| u32::from(byte.wrapping_sub(b'0')));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let [y1, y2, y3, y4, m1, m2, d1, d2] = digits;
    let year = y1 * 1000 + y2 * 100 + y3 * 10 + y4;
    // A day beyond 2262 would overflow when it becomes nanoseconds.
    day_of(year, m1 * 10 + m2, d1 * 10 + d2).filter(|_| year <= 2262)
}
