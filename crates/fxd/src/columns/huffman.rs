//! Prefix codes of tokens: canonical, of at most eleven bits.

use super::bits::Reader;
use super::token::TOKENS;

/// The most bits of a code.
pub(super) const MAX_LEN: u32 = 11;
/// Entries of a table to decode by.
pub(super) const TABLE: usize = 1 << MAX_LEN;

/// How often each token occurs.
pub(super) type Counts = [u32; TOKENS];

/// The code that says that a token is the only one, and takes no bits.
const ALONE: u8 = 15;

/// A code for each token that occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    /// Bits of each token's code; 0 for one that has none, and [`ALONE`] for the only one.
    lengths: [u8; TOKENS],
    /// Codes, the first bit the lowest.
    codes: [u16; TOKENS],
}

impl Code {
    /// The code that takes fewest bits for what occurs so often.
    pub(super) fn of(counts: &Counts) -> Self {
        Self::with_lengths(lengths(counts)).unwrap_or(Self { lengths: [0; TOKENS], codes: [0; TOKENS] })
    }

    /// The canonical code of these lengths; `None` where they leave codes over or need more than there are.
    fn with_lengths(lengths: [u8; TOKENS]) -> Option<Self> {
        let mut of_length = [0_u32; MAX_LEN as usize + 1];
        let mut alone = 0;
        for &length in lengths.iter().filter(|length| **length > 0) {
            if length == ALONE {
                alone += 1;
            } else {
                *of_length.get_mut(length as usize)? += 1;
            }
        }
        let mut next = [0_u32; MAX_LEN as usize + 1];
        let mut code = 0;
        for (place, count) in next.iter_mut().zip(of_length).skip(1) {
            code <<= 1;
            *place = code;
            code += count;
        }
        let complete = code == 1 << MAX_LEN && alone == 0;
        if !complete && (code, alone) != (0, 1) {
            return None;
        }
        let mut codes = [0; TOKENS];
        for (place, &length) in codes.iter_mut().zip(&lengths) {
            if let Some(next) = next.get_mut(length as usize).filter(|_| length > 0) {
                // A first bit that is read first is the lowest one.
                let reversed = next.reverse_bits() >> (32 - u32::from(length));
                *place = u16::try_from(reversed).ok()?;
                *next += 1;
            }
        }
        Some(Self { lengths, codes })
    }

    /// The code of a token, and its bits.
    #[inline]
    pub(super) fn get(&self, token: u8) -> (u64, u32) {
        let at = token as usize;
        let code = self.codes.get(at).copied().unwrap_or(0);
        (code.into(), self.length(token).unwrap_or(0))
    }

    /// The bits of a token's code, if it has one.
    #[inline]
    pub(super) fn length(&self, token: u8) -> Option<u32> {
        match self.lengths.get(token as usize).copied().unwrap_or(0) {
            0 => None,
            ALONE => Some(0),
            length => Some(length.into()),
        }
    }

    /// Writes the lengths, four bits each, up to the last that is not zero: a zero is followed by how many more zeros follow.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        let used = self.lengths.iter().rposition(|length| *length > 0).map_or(0, |last| last + 1);
        let mut nibbles = Vec::with_capacity(used);
        let mut rest = self.lengths.get(..used).unwrap_or_default();
        while let Some((&length, behind)) = rest.split_first() {
            nibbles.push(length);
            rest = behind;
            if length == 0 {
                let more = rest.iter().take(15).take_while(|length| **length == 0).count();
                nibbles.push(more.to_le_bytes()[0]);
                rest = rest.get(more..).unwrap_or_default();
            }
        }
        bytes.push(used.to_le_bytes()[0]);
        for pair in nibbles.chunks(2) {
            let (low, high) = (pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0));
            bytes.push(low | high << 4);
        }
    }

    /// Reads lengths as [`write`](Self::write) writes them; `None` where they are cut off, or no code.
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let used = usize::from(reader.byte()?);
        let mut lengths = [0; TOKENS];
        let places = lengths.get_mut(..used)?;
        let mut pending = None;
        let mut nibble = || -> Option<u8> {
            if let Some(high) = pending.take() {
                return Some(high);
            }
            let byte = reader.byte()?;
            pending = Some(byte >> 4);
            Some(byte & 15)
        };
        let mut at = 0;
        while at < used {
            let length = nibble()?;
            *places.get_mut(at)? = length;
            at += 1;
            if length == 0 {
                at += usize::from(nibble()?);
            }
        }
        if at != used || pending.is_some_and(|rest| rest != 0) {
            return None;
        }
        Self::with_lengths(lengths)
    }

    /// Fills a table that has, for every next eleven bits, the token that they begin with, and in the lowest four bits how many
    /// of them it takes.
    pub(super) fn fill(&self, table: &mut [u16; TABLE]) {
        for (token, (&length, &code)) in (0_u16..).zip(self.lengths.iter().zip(&self.codes)) {
            match length {
                0 => {}
                ALONE => table.fill(token << 4),
                length => {
                    let entry = token << 4 | u16::from(length);
                    for place in table.iter_mut().skip(code.into()).step_by(1 << length) {
                        *place = entry;
                    }
                }
            }
        }
    }
}

/// The lengths of the code that takes fewest bits, none longer than [`MAX_LEN`]: package-merge (Larmore and Hirschberg).
fn lengths(counts: &Counts) -> [u8; TOKENS] {
    let mut lengths = [0; TOKENS];
    let mut leaves: Vec<(u64, usize)> = counts
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0)
        .map(|(token, count)| (u64::from(*count), token))
        .collect();
    leaves.sort_unstable();
    if let [(_, only)] = leaves.as_slice() {
        if let Some(length) = lengths.get_mut(*only) {
            *length = ALONE;
        }
        return lengths;
    }
    // Each level has the leaves and, as one, each two of the level before, lightest first; of leaves it is noted that they are.
    let mut list: Vec<u64> = leaves.iter().map(|(count, _)| *count).collect();
    let mut levels = vec![vec![true; list.len()]];
    for _ in 1..MAX_LEN {
        let mut packages = list.chunks_exact(2).map(|pair| pair.iter().sum::<u64>()).peekable();
        let mut merged = Vec::with_capacity(leaves.len() * 2);
        let mut is_leaf = Vec::with_capacity(leaves.len() * 2);
        for (leaf, _) in &leaves {
            while let Some(package) = packages.next_if(|package| package < leaf) {
                merged.push(package);
                is_leaf.push(false);
            }
            merged.push(*leaf);
            is_leaf.push(true);
        }
        for package in packages {
            merged.push(package);
            is_leaf.push(false);
        }
        list = merged;
        levels.push(is_leaf);
    }
    // Of the last level the lightest 2n - 2; of each before, what the packages taken are made of.
    let mut taken = (leaves.len() * 2).saturating_sub(2);
    for is_leaf in levels.iter().rev() {
        let of_leaves = is_leaf.iter().take(taken).filter(|is_leaf| **is_leaf).count();
        for (_, token) in leaves.iter().take(of_leaves) {
            if let Some(length) = lengths.get_mut(*token) {
                *length += 1;
            }
        }
        taken = (taken - of_leaves) * 2;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::bits::{BitWriter, word};
    use super::*;

    /// Bits of the best code without a limit, by the textbook's algorithm.
    fn unlimited(counts: &Counts) -> u64 {
        let mut heap: std::collections::BinaryHeap<_> =
            counts.iter().filter(|count| **count > 0).map(|count| std::cmp::Reverse(u64::from(*count))).collect();
        let mut bits = 0;
        while heap.len() > 1 {
            let both = heap.pop().unwrap().0 + heap.pop().unwrap().0;
            bits += both;
            heap.push(std::cmp::Reverse(both));
        }
        bits
    }

    fn counts() -> impl Strategy<Value = Counts> {
        let one = (0..TOKENS, 0_u32..20, 0_u32..1000).prop_map(|(token, shift, count)| (token, count >> (shift / 2)));
        prop::collection::vec(one, 0..300).prop_map(|some| {
            let mut counts = [0; TOKENS];
            for (token, count) in some {
                counts[token] += count;
            }
            counts
        })
    }

    proptest! {
        #[test]
        fn codes_are_the_shortest_and_read_back(counts in counts()) {
            let code = Code::of(&counts);
            let all = || (0_u8..).zip(counts);
            let taken: u64 = all().map(|(token, count)| u64::from(count) * u64::from(code.get(token).1)).sum();
            let best = unlimited(&counts);
            let longest = all().filter_map(|(token, _)| code.length(token)).max().unwrap_or(0);
            prop_assert!(taken >= best && longest <= MAX_LEN);
            if longest < MAX_LEN {
                prop_assert_eq!(taken, best);
            }
            for (token, count) in all() {
                prop_assert_eq!(code.length(token).is_some(), count > 0);
            }
            let mut bytes = Vec::new();
            code.write(&mut bytes);
            if counts.iter().any(|count| *count > 0) {
                let mut reader = Reader::new(&bytes);
                prop_assert_eq!(Code::read(&mut reader).unwrap(), code.clone());
                prop_assert_eq!(reader.at(), bytes.len());
                for len in 0..bytes.len() {
                    prop_assert!(Code::read(&mut Reader::new(&bytes[..len])).is_none_or(|read| read != code));
                }
            } else {
                prop_assert!(Code::read(&mut Reader::new(&bytes)).is_none());
            }
            let tokens: Vec<u8> = all().filter(|(_, count)| *count > 0).map(|(token, _)| token).collect();
            let mut writer = BitWriter::default();
            for token in &tokens {
                let (bits, length) = code.get(*token);
                writer.put(bits, length);
            }
            let text = writer.finish();
            let mut table = [u16::MAX; TABLE];
            code.fill(&mut table);
            let mut at = 0;
            for token in tokens {
                let entry = table[usize::try_from(word(&text, at) % TABLE as u64).unwrap()];
                prop_assert_eq!(entry >> 4, u16::from(token));
                at += usize::from(entry & 15);
            }
        }

        #[test]
        fn no_bytes_make_a_code_that_is_none(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(code) = Code::read(&mut Reader::new(&bytes)) {
                let mut table = [u16::MAX; TABLE];
                code.fill(&mut table);
                prop_assert!(table.iter().all(|entry| usize::from(entry >> 4) < TOKENS && u32::from(entry & 15) <= MAX_LEN));
            }
        }
    }
}
