//! One part of one page, as it is read.

use super::bits::{Reader, bits, word};
use super::decode::Wrong;
use super::huffman::TABLE;
use super::layout::GROUP;
use super::token::{base, extra_bits};

/// A part of a page.
pub(super) enum Stream<'t> {
    /// All values are this one.
    Constant(u64),
    /// A token for each value.
    Tokens(Tokens<'t>),
    /// Most values are one.
    Sparse(Sparse),
}

/// Tokens, and how far they were read.
pub(super) struct Tokens<'t> {
    tables: &'t [[u16; TABLE]],
    choice_bits: u32,
    codes: &'t [u8],
    codes_len: usize,
    bit: usize,
    extras: Option<&'t [u8]>,
    extras_len: usize,
    extra_bit: usize,
}

/// What is usual, and the rows that are not, the last first.
pub(super) struct Sparse {
    usual: u64,
    others: Vec<(usize, u64)>,
}

/// Where a stream's codes of one group are read from.
#[derive(Clone, Copy)]
pub(super) struct Lane<'t> {
    table: &'t [u16; TABLE],
    bytes: &'t [u8],
    bit: usize,
}

impl<'t> Stream<'t> {
    pub(super) fn tokens(
        tables: &'t [[u16; TABLE]],
        choice_bits: u32,
        groups: usize,
        codes: (&'t [u8], usize),
        extras: Option<(&'t [u8], usize)>,
    ) -> Self {
        Self::Tokens(Tokens {
            tables,
            choice_bits,
            codes: codes.0,
            codes_len: codes.1,
            bit: groups * choice_bits as usize,
            extras: extras.map(|extras| extras.0),
            extras_len: extras.map_or(0, |extras| extras.1),
            extra_bit: 0,
        })
    }

    /// Whether all that the page has of the stream was read, and nothing else.
    pub(super) fn is_at_end(&self) -> bool {
        match self {
            Self::Constant(_) => true,
            Self::Tokens(tokens) => {
                ends(tokens.codes, tokens.bit, tokens.codes_len)
                    && ends(tokens.extras.unwrap_or_default(), tokens.extra_bit, tokens.extras_len)
            }
            Self::Sparse(sparse) => sparse.others.is_empty(),
        }
    }
}

/// Whether a string of so many bytes ends with this bit, but for zeros that fill its last byte.
fn ends(string: &[u8], bit: usize, len: usize) -> bool {
    let left = u32::from((bit.wrapping_neg() & 7).to_le_bytes()[0]);
    bit.div_ceil(8) == len && bits(string, bit, left) == 0
}

impl<'t> Tokens<'t> {
    /// Where the codes of a group are read from.
    #[inline(always)]
    pub(super) fn lane(&self, group: usize) -> Option<Lane<'t>> {
        let choice = match self.choice_bits {
            0 => 0,
            count => bits(self.codes, group * count as usize, count),
        };
        let table = self.tables.get(usize::try_from(choice).ok()?)?;
        Some(Lane { table, bytes: self.codes, bit: self.bit })
    }

    /// Puts the values of a group's tokens; `bit` is where the next group's codes start.
    #[inline(always)]
    pub(super) fn put(&mut self, tokens: &[u8; GROUP], count: usize, bit: usize, values: &mut [u64; GROUP]) {
        self.bit = bit;
        for (value, token) in values.iter_mut().zip(tokens) {
            *value = u64::from(*token);
        }
        let Some(extras) = self.extras else { return };
        let mut at = self.extra_bit;
        for (value, token) in values.iter_mut().zip(tokens).take(count) {
            let more = extra_bits(*token);
            // Bits that are not taken are cut off; there is nothing to branch on.
            *value = base(*token) | bits(extras, at, more);
            at += more as usize;
        }
        self.extra_bit = at;
    }
}

impl Sparse {
    /// Puts the values of a group.
    #[inline(always)]
    pub(super) fn put(&mut self, start: usize, values: &mut [u64; GROUP]) {
        values.fill(self.usual);
        while let Some((row, value)) = self.others.pop_if(|(row, _)| *row < start + GROUP) {
            if let Some(place) = values.get_mut(row - start) {
                *place = value;
            }
        }
    }
}

/// Reads as many whole groups of tokens as there are lanes, side by side: one waits for its table while others go on.
#[inline(always)]
pub(super) fn read_lanes<const N: usize>(lanes: &mut [Lane<'_>; N], tokens: &mut [[u8; GROUP]; N]) {
    for four in 0..GROUP / 4 {
        for (lane, tokens) in lanes.iter_mut().zip(tokens.iter_mut()) {
            let mut next = word(lane.bytes, lane.bit);
            let mut taken = 0;
            let (fours, _) = tokens.as_chunks_mut::<4>();
            let Some(places) = fours.get_mut(four) else { continue };
            for place in places {
                let entry = entry(lane.table, next);
                *place = (entry >> 4).to_le_bytes()[0];
                let length = u32::from(entry & 15);
                next >>= length;
                taken += length as usize;
            }
            lane.bit += taken;
        }
    }
}

/// Reads the last tokens of a page, fewer than a group.
#[inline(always)]
pub(super) fn read_some(lane: &mut Lane<'_>, tokens: &mut [u8]) {
    for place in tokens {
        let entry = entry(lane.table, word(lane.bytes, lane.bit));
        *place = (entry >> 4).to_le_bytes()[0];
        lane.bit += usize::from(entry & 15);
    }
}

impl Lane<'_> {
    pub(super) const fn bit(&self) -> usize {
        self.bit
    }
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "the mask keeps the index within the table, which the compiler sees")]
#[expect(clippy::cast_possible_truncation, reason = "only the lowest bits are wanted")]
fn entry(table: &[u16; TABLE], next: u64) -> u16 {
    table[next as usize & (TABLE - 1)]
}

/// A sparse stream of a page.
pub(super) fn sparse<'t>(
    bytes: &[u8],
    usual: u64,
    rows: usize,
    tables: Option<(&[u16; TABLE], &[u16; TABLE])>,
) -> Result<Stream<'t>, Wrong> {
    const BAD: Wrong = "a sparse stream of coded columns has places that are none";
    let mut reader = Reader::new(bytes);
    let count = reader.number().and_then(|count| usize::try_from(count).ok()).filter(|count| *count <= rows);
    let count = count.ok_or(BAD)?;
    let text = bytes.get(reader.at()..).unwrap_or_default();
    let mut bit = 0;
    let mut read = |table: Option<&[u16; TABLE]>| match table {
        None => reader.number(),
        Some(table) => {
            let entry = entry(table, word(text, bit));
            let token = (entry >> 4).to_le_bytes()[0];
            bit += usize::from(entry & 15);
            let more = bits(text, bit, extra_bits(token));
            bit += extra_bits(token) as usize;
            Some(base(token) | more)
        }
    };
    let mut others = Vec::with_capacity(count);
    let mut next = 0_usize;
    for _ in 0..count {
        let (place, value) =
            (read(tables.map(|(places, _)| places)).ok_or(BAD)?, read(tables.map(|(_, values)| values)).ok_or(BAD)?);
        let row = usize::try_from(place).ok().and_then(|place| next.checked_add(place)).filter(|row| *row < rows);
        let row = row.ok_or(BAD)?;
        others.push((row, value));
        next = row + 1;
    }
    let end = if tables.is_some() { ends(text, bit, text.len()) } else { reader.at() == bytes.len() };
    if !end {
        return Err(BAD);
    }
    others.reverse();
    Ok(Stream::Sparse(Sparse { usual, others }))
}
