//! The bars of one group, put together again.

use std::ops::Range;

use multiversion::multiversion;

use super::bits::unzigzag;
use super::decode::Wrong;
use super::fields::Fields;
use super::layout::{Coding, GROUP, Head, PARTS, Part};
use super::stream::{Lane, Stream, read_lanes, read_some};
use crate::Columns;

/// The values of all parts.
pub(super) type Group = [[u64; GROUP]; PARTS];

/// What the next group goes on from.
pub(super) struct State {
    /// The last timestamp.
    pub(super) ts: u64,
    /// The last close, in units.
    pub(super) close: i64,
}

/// Bars.
pub(super) struct Rebuilt {
    pub(super) ts: [u64; GROUP],
    open: [i64; GROUP],
    high: [i64; GROUP],
    low: [i64; GROUP],
    close: [i64; GROUP],
    volume: [u64; GROUP],
    flags: [u8; GROUP],
}

impl Default for Rebuilt {
    fn default() -> Self {
        let none = [0; GROUP];
        Self { ts: [0; GROUP], open: none, high: none, low: none, close: none, volume: [0; GROUP], flags: [0; GROUP] }
    }
}

impl Rebuilt {
    /// Adds some of the bars to columns.
    pub(super) fn append(&self, rows: Range<usize>, fields: Fields, columns: &mut Columns) {
        fn add<T: Copy>(from: &[T; GROUP], rows: &Range<usize>, wanted: bool, to: &mut Vec<T>) {
            if wanted {
                to.extend_from_slice(from.get(rows.clone()).unwrap_or_default());
            }
        }
        add(&self.ts, &rows, true, &mut columns.ts);
        add(&self.open, &rows, fields.has(Fields::OPEN), &mut columns.open);
        add(&self.high, &rows, fields.has(Fields::HIGH), &mut columns.high);
        add(&self.low, &rows, fields.has(Fields::LOW), &mut columns.low);
        add(&self.close, &rows, fields.has(Fields::CLOSE), &mut columns.close);
        add(&self.volume, &rows, fields.has(Fields::VOLUME), &mut columns.volume);
        add(&self.flags, &rows, fields.has(Fields::FLAGS), &mut columns.flags);
    }
}

/// Streams that are read side by side.
const LANES: usize = 4;

/// Reads `count` rows from `start` on, and puts their bars together.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt", "aarch64+neon"))]
#[allow(clippy::too_many_arguments, reason = "what is read, what it is read to, and where it goes on")]
pub(super) fn group(
    head: &Head,
    fields: Fields,
    streams: &mut [Stream<'_>],
    start: usize,
    count: usize,
    values: &mut Group,
    state: &mut State,
    rebuilt: &mut Rebuilt,
) -> Result<(), Wrong> {
    read(streams, start, count, values)?;
    rebuild(head, fields, count, values, state, rebuilt)
}

#[inline(always)]
fn read(streams: &mut [Stream<'_>], start: usize, count: usize, values: &mut Group) -> Result<(), Wrong> {
    const WRONG: Wrong = "a group of coded columns chooses a code that is none";
    let mut tokens = [[0_u8; GROUP]; PARTS];
    let mut lanes: [Option<Lane<'_>>; PARTS] = [None; PARTS];
    let mut used = 0;
    for stream in streams.iter() {
        if let Stream::Tokens(stream) = stream {
            if let Some(place) = lanes.get_mut(used) {
                *place = Some(stream.lane(start / GROUP).ok_or(WRONG)?);
            }
            used += 1;
        }
    }
    let lanes_used = lanes.get_mut(..used).unwrap_or_default();
    for (lanes, tokens) in lanes_used.chunks_mut(LANES).zip(tokens.chunks_mut(LANES)) {
        match (&mut *lanes, tokens) {
            _ if count < GROUP => {}
            ([Some(a), Some(b), Some(c), Some(d)], [ta, tb, tc, td]) => side_by_side([a, b, c, d], [ta, tb, tc, td]),
            ([Some(a), Some(b), Some(c)], [ta, tb, tc, ..]) => side_by_side([a, b, c], [ta, tb, tc]),
            ([Some(a), Some(b)], [ta, tb, ..]) => side_by_side([a, b], [ta, tb]),
            ([Some(a)], [ta, ..]) => side_by_side([a], [ta]),
            _ => return Err(WRONG),
        }
    }
    if count < GROUP {
        for (lane, tokens) in lanes_used.iter_mut().flatten().zip(&mut tokens) {
            read_some(lane, tokens.get_mut(..count).unwrap_or_default());
        }
    }
    let mut read = lanes_used.iter().flatten().zip(&tokens);
    for (stream, values) in streams.iter_mut().zip(values.iter_mut()) {
        match stream {
            Stream::Constant(value) => {
                if start == 0 {
                    values.fill(*value);
                }
            }
            Stream::Tokens(stream) => {
                let (lane, tokens) = read.next().ok_or(WRONG)?;
                stream.put(tokens, count, lane.bit(), values);
            }
            Stream::Sparse(stream) => stream.put(start, values),
        }
    }
    Ok(())
}

#[inline(always)]
fn side_by_side<const N: usize>(lanes: [&mut Lane<'_>; N], tokens: [&mut [u8; GROUP]; N]) {
    let mut copies = lanes.each_ref().map(|lane| **lane);
    let mut found = [[0; GROUP]; N];
    read_lanes(&mut copies, &mut found);
    for (place, copy) in lanes.into_iter().zip(copies) {
        *place = copy;
    }
    for (place, found) in tokens.into_iter().zip(found) {
        *place = found;
    }
}

#[inline(always)]
fn rebuild(
    head: &Head,
    fields: Fields,
    count: usize,
    values: &Group,
    state: &mut State,
    rebuilt: &mut Rebuilt,
) -> Result<(), Wrong> {
    let [gaps, _, _, _, _, volumes, flags, _, _, _, _, rests] = values;
    if gaps.iter().fold(0, |any, gap| any | gap) == 0 {
        for (place, number) in rebuilt.ts.iter_mut().zip(1_u64..) {
            *place = state.ts.wrapping_add(head.interval.wrapping_mul(number));
        }
        state.ts = state.ts.wrapping_add(head.interval.wrapping_mul(GROUP as u64));
    } else {
        if most(gaps, count) >= crate::MAX_TS / head.interval {
            return Err("a timestamp of coded columns is later than time");
        }
        for (place, gap) in rebuilt.ts.iter_mut().zip(gaps) {
            state.ts = state.ts.wrapping_add(gap.wrapping_add(1).wrapping_mul(head.interval));
            *place = state.ts;
        }
    }
    if fields.need(Part::Close) {
        prices(head, fields, count, values, state, rebuilt)?;
    }
    if fields.has(Fields::FLAGS) {
        if most(flags, count) > 0xFF {
            return Err("flags of coded columns have more than eight bits");
        }
        for (place, flags) in rebuilt.flags.iter_mut().zip(flags) {
            *place = flags.to_le_bytes()[0];
        }
    }
    if !fields.has(Fields::VOLUME) {
        return Ok(());
    }
    rebuilt.volume = *volumes;
    if head.volume_unit != 1 {
        for volume in &mut rebuilt.volume {
            *volume = volume.wrapping_mul(head.volume_unit);
        }
    }
    if head.codings.get(Part::VolumeRest.position()) != Some(&Coding::Constant(0)) {
        if most(rests, count) >= head.volume_unit {
            return Err(BAD_REST);
        }
        for (volume, rest) in rebuilt.volume.iter_mut().zip(rests) {
            *volume = volume.wrapping_add(*rest);
        }
    }
    Ok(())
}

const BAD_REST: Wrong = "a rest of coded columns is not below its unit";

/// The largest of the first values.
#[inline(always)]
fn most(values: &[u64; GROUP], count: usize) -> u64 {
    values.iter().take(count).fold(0, |most, value| most.max(*value))
}

#[inline(always)]
fn prices(
    head: &Head,
    fields: Fields,
    count: usize,
    values: &Group,
    state: &mut State,
    rebuilt: &mut Rebuilt,
) -> Result<(), Wrong> {
    let [_, closes, opens, highs, lows, _, _, open_rest, high_rest, low_rest, close_rest, _] = values;
    let mut before = [0; GROUP];
    for ((place, before), change) in rebuilt.close.iter_mut().zip(&mut before).zip(closes) {
        *before = state.close;
        state.close = state.close.wrapping_add(unzigzag(*change));
        *place = state.close;
    }
    // Behind the last row nothing was read.
    state.close = count.checked_sub(1).and_then(|last| rebuilt.close.get(last)).copied().unwrap_or(state.close);
    if fields.need(Part::Open) {
        for ((place, before), change) in rebuilt.open.iter_mut().zip(&before).zip(opens) {
            *place = before.wrapping_add(unzigzag(*change));
        }
        let body = || rebuilt.open.iter().zip(&rebuilt.close);
        let [high_signed, low_signed] = head.signed;
        for ((place, (open, close)), above) in rebuilt.high.iter_mut().zip(body()).zip(highs) {
            let above = if high_signed { unzigzag(*above) } else { above.cast_signed() };
            *place = (*open).max(*close).wrapping_add(above);
        }
        for ((place, (open, close)), below) in rebuilt.low.iter_mut().zip(body()).zip(lows) {
            let below = if low_signed { unzigzag(*below) } else { below.cast_signed() };
            *place = (*open).min(*close).wrapping_sub(below);
        }
    }
    let unit = head.price_unit.cast_signed();
    for (field, part, prices, rest) in [
        (Fields::OPEN, Part::OpenRest, &mut rebuilt.open, open_rest),
        (Fields::HIGH, Part::HighRest, &mut rebuilt.high, high_rest),
        (Fields::LOW, Part::LowRest, &mut rebuilt.low, low_rest),
        (Fields::CLOSE, Part::CloseRest, &mut rebuilt.close, close_rest),
    ] {
        if !fields.has(field) {
            continue;
        }
        if unit != 1 {
            for price in prices.iter_mut() {
                *price = price.wrapping_mul(unit);
            }
        }
        if head.codings.get(part.position()) != Some(&Coding::Constant(0)) {
            if most(rest, count) >= head.price_unit {
                return Err(BAD_REST);
            }
            for (price, rest) in prices.iter_mut().zip(rest) {
                *price = price.wrapping_add(rest.cast_signed());
            }
        }
    }
    Ok(())
}
