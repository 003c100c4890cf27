//! The bars of one group, put together again.

use std::ops::Range;

use multiversion::multiversion;

use super::bits::unzigzag;
use super::decode::Wrong;
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
    pub(super) fn append(&self, rows: Range<usize>, columns: &mut Columns) {
        columns.ts.extend_from_slice(self.ts.get(rows.clone()).unwrap_or_default());
        columns.open.extend_from_slice(self.open.get(rows.clone()).unwrap_or_default());
        columns.high.extend_from_slice(self.high.get(rows.clone()).unwrap_or_default());
        columns.low.extend_from_slice(self.low.get(rows.clone()).unwrap_or_default());
        columns.close.extend_from_slice(self.close.get(rows.clone()).unwrap_or_default());
        columns.volume.extend_from_slice(self.volume.get(rows.clone()).unwrap_or_default());
        columns.flags.extend_from_slice(self.flags.get(rows).unwrap_or_default());
    }
}

/// Streams that are read side by side.
const LANES: usize = 4;

/// Reads `count` rows from `start` on, and puts their bars together.
#[multiversion(targets("x86_64+avx2+bmi1+bmi2+lzcnt", "aarch64+neon"))]
pub(super) fn group(
    head: &Head,
    streams: &mut [Stream<'_>],
    start: usize,
    count: usize,
    values: &mut Group,
    state: &mut State,
    rebuilt: &mut Rebuilt,
) -> Result<(), Wrong> {
    read(streams, start, count, values)?;
    rebuild(head, values, state, rebuilt);
    Ok(())
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
fn rebuild(head: &Head, values: &Group, state: &mut State, rebuilt: &mut Rebuilt) {
    let [gaps, closes, opens, highs, lows, volumes, flags, rests @ ..] = values;
    if gaps.iter().fold(0, |any, gap| any | gap) == 0 {
        for (place, number) in rebuilt.ts.iter_mut().zip(1_u64..) {
            *place = state.ts.wrapping_add(head.interval.wrapping_mul(number));
        }
        state.ts = state.ts.wrapping_add(head.interval.wrapping_mul(GROUP as u64));
    } else {
        for (place, gap) in rebuilt.ts.iter_mut().zip(gaps) {
            state.ts = state.ts.wrapping_add(gap.wrapping_add(1).wrapping_mul(head.interval));
            *place = state.ts;
        }
    }
    let mut before = [0; GROUP];
    for ((place, before), change) in rebuilt.close.iter_mut().zip(&mut before).zip(closes) {
        *before = state.close;
        state.close = state.close.wrapping_add(unzigzag(*change));
        *place = state.close;
    }
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
    rebuilt.volume = *volumes;
    for (place, flags) in rebuilt.flags.iter_mut().zip(flags) {
        *place = flags.to_le_bytes()[0];
    }
    let unit = head.price_unit.cast_signed();
    if unit != 1 {
        for prices in [&mut rebuilt.open, &mut rebuilt.high, &mut rebuilt.low, &mut rebuilt.close] {
            for price in prices.iter_mut() {
                *price = price.wrapping_mul(unit);
            }
        }
    }
    if head.volume_unit != 1 {
        for volume in &mut rebuilt.volume {
            *volume = volume.wrapping_mul(head.volume_unit);
        }
    }
    let [open_rest, high_rest, low_rest, close_rest, volume_rest] = rests;
    let add = |part: Part, rest: &[u64; GROUP], prices: &mut [i64; GROUP]| {
        if head.codings.get(part.position()) != Some(&Coding::Constant(0)) {
            for (price, rest) in prices.iter_mut().zip(rest) {
                *price = price.wrapping_add(rest.cast_signed());
            }
        }
    };
    add(Part::OpenRest, open_rest, &mut rebuilt.open);
    add(Part::HighRest, high_rest, &mut rebuilt.high);
    add(Part::LowRest, low_rest, &mut rebuilt.low);
    add(Part::CloseRest, close_rest, &mut rebuilt.close);
    if head.codings.get(Part::VolumeRest.position()) != Some(&Coding::Constant(0)) {
        for (volume, rest) in rebuilt.volume.iter_mut().zip(volume_rest) {
            *volume = volume.wrapping_add(*rest);
        }
    }
}
