//! Streams of numbers to bytes.

use super::bits::{BitWriter, put_number};
use super::huffman::{Code, Counts};
use super::layout::{Coding, GROUP, Head, Page};
use super::model;
use super::token::{TOKENS, extra_bits, token};
use crate::Bar;

/// How often groups choose a code, and codes are made for those that chose them.
const ROUNDS: usize = 3;
/// What a token costs a code that has none for it.
const NO_CODE: u32 = 32;
/// A stream of which at least one value in so many is not the usual one is not looked at as sparse.
const SPARSE: usize = 3;

/// Codes bars, which are in order. `page_rows` is a multiple of 64 of at most 65,536; a page is what is decoded at least.
///
/// Gives nothing for no bars.
#[must_use]
pub fn encode(bars: &[Bar], page_rows: usize) -> Vec<u8> {
    let page_rows = page_rows.clamp(GROUP, super::layout::MAX_PAGE).next_multiple_of(GROUP);
    let Some(first) = bars.first() else { return Vec::new() };
    let taken = model::take(bars, page_rows);
    let mut pages: Vec<Page> = taken
        .starts
        .iter()
        .map(|(first_ts, base)| Page { first_ts: *first_ts, base: *base, ..Page::default() })
        .collect();
    let mut strings: Vec<Vec<Vec<u8>>> = vec![Vec::new(); pages.len()];
    let mut codings = Vec::with_capacity(taken.parts.len());
    for values in &taken.parts {
        let stream = Stream::of(values, page_rows);
        for (of_page, coded) in strings.iter_mut().zip(stream.pages) {
            of_page.extend(coded);
        }
        codings.push(stream.coding);
    }
    for (page, strings) in pages.iter_mut().zip(&strings) {
        page.lengths = strings.iter().map(Vec::len).collect();
    }
    let head = Head {
        rows: bars.len(),
        page_rows,
        first_ts: first.ts,
        interval: taken.interval,
        price_unit: taken.price_unit,
        volume_unit: taken.volume_unit,
        signed: taken.signed,
        codings,
    };
    let mut bytes = Vec::new();
    head.write(&pages, &mut bytes);
    for string in strings.iter().flatten() {
        bytes.extend_from_slice(string);
    }
    bytes
}

/// A stream that is coded.
struct Stream {
    coding: Coding,
    /// Of each page its byte strings.
    pages: Vec<Vec<Vec<u8>>>,
}

impl Stream {
    /// Codes values in the way that takes fewest bytes.
    fn of(values: &[u64], page_rows: usize) -> Self {
        let usual = most(values);
        let others = values.iter().filter(|value| **value != usual).count();
        let pages = values.len().div_ceil(page_rows);
        if others == 0 {
            return Self { coding: Coding::Constant(usual), pages: vec![Vec::new(); pages] };
        }
        let mut best: Option<Self> = None;
        let mut try_one = |stream: Self| {
            if best.as_ref().is_none_or(|best| stream.len() < best.len()) {
                best = Some(stream);
            }
        };
        if others < values.len() / SPARSE {
            try_one(Self::sparse(values, page_rows, usual, false));
            if others > 8 {
                try_one(Self::sparse(values, page_rows, usual, true));
            }
        }
        // A code takes a bit at least.
        if others > values.len() / 64 {
            try_one(Self::tokens(values, page_rows));
        }
        best.unwrap_or_else(|| Self::tokens(values, page_rows))
    }

    fn len(&self) -> usize {
        let mut head = Vec::new();
        self.coding.write(&mut head);
        // A length takes a byte or two.
        head.len() + self.pages.iter().flatten().map(|string| string.len() + 2).sum::<usize>()
    }

    fn sparse(values: &[u64], page_rows: usize, usual: u64, tokens: bool) -> Self {
        let others = |page: &[u64]| {
            let mut next = 0;
            let mut others = Vec::new();
            for (row, value) in page.iter().enumerate().filter(|(_, value)| **value != usual) {
                others.push(((row - next) as u64, *value));
                next = row + 1;
            }
            others
        };
        let of_pages: Vec<Vec<(u64, u64)>> = values.chunks(page_rows).map(others).collect();
        let codes = tokens.then(|| {
            let (mut places, mut numbers) = ([0; TOKENS], [0; TOKENS]);
            for (place, value) in of_pages.iter().flatten() {
                count(&mut places, token(*place));
                count(&mut numbers, token(*value));
            }
            Box::new((Code::of(&places), Code::of(&numbers)))
        });
        let written = |others: &Vec<(u64, u64)>| {
            let mut bytes = Vec::new();
            put_number(&mut bytes, others.len() as u64);
            match &codes {
                None => {
                    for (place, value) in others {
                        put_number(&mut bytes, *place);
                        put_number(&mut bytes, *value);
                    }
                }
                Some(codes) => {
                    let mut bits = BitWriter::default();
                    for (code, value) in others.iter().flat_map(|(place, value)| [(&codes.0, place), (&codes.1, value)])
                    {
                        let token = token(*value);
                        let (taken, length) = code.get(token);
                        bits.put(taken, length);
                        bits.put(extra_of(*value, token), extra_bits(token));
                    }
                    bytes.extend(bits.finish());
                }
            }
            vec![bytes]
        };
        let pages = of_pages.iter().map(written).collect();
        Self { coding: Coding::Sparse { usual, codes }, pages }
    }

    fn tokens(values: &[u64], page_rows: usize) -> Self {
        let tokens: Vec<u8> = values.iter().map(|value| token(*value)).collect();
        let extra = tokens.iter().any(|token| extra_bits(*token) > 0);
        let choices = Choices::of(&tokens);
        let choice_bits = Coding::choice_bits(choices.codes.len());
        let groups = page_rows / GROUP;
        let mut pages = Vec::new();
        for (page, (tokens, values)) in tokens.chunks(page_rows).zip(values.chunks(page_rows)).enumerate() {
            let of_page = choices.of_groups.get(page * groups..).unwrap_or_default();
            let mut codes = BitWriter::default();
            for choice in of_page.iter().take(tokens.len().div_ceil(GROUP)) {
                codes.put(u64::from(*choice), choice_bits);
            }
            let mut extras = BitWriter::default();
            for ((tokens, values), choice) in tokens.chunks(GROUP).zip(values.chunks(GROUP)).zip(of_page) {
                let Some(code) = choices.codes.get(usize::from(*choice)) else { continue };
                for (token, value) in tokens.iter().zip(values) {
                    let (bits, length) = code.get(*token);
                    codes.put(bits, length);
                    extras.put(extra_of(*value, *token), extra_bits(*token));
                }
            }
            let mut strings = vec![codes.finish()];
            if extra {
                strings.push(extras.finish());
            }
            pages.push(strings);
        }
        Self { coding: Coding::Tokens { codes: choices.codes, extra }, pages }
    }
}

const fn extra_of(value: u64, token: u8) -> u64 {
    value & ((1 << extra_bits(token)) - 1)
}

fn count(counts: &mut Counts, token: u8) {
    if let Some(count) = counts.get_mut(usize::from(token)) {
        *count += 1;
    }
}

/// A value that more than half are, if there is one; else any (Boyer and Moore).
fn most(values: &[u64]) -> u64 {
    let (mut candidate, mut votes) = (0, 0_usize);
    for value in values {
        if votes == 0 {
            candidate = *value;
        }
        votes = if *value == candidate { votes + 1 } else { votes - 1 };
    }
    candidate
}

/// Codes, and which of them each group of rows takes.
struct Choices {
    codes: Vec<Code>,
    of_groups: Vec<u8>,
}

impl Choices {
    /// One code for all, or two, which those groups share that are alike, if that takes fewer bits.
    fn of(tokens: &[u8]) -> Self {
        let groups = tokens.len().div_ceil(GROUP);
        let one = vec![0; groups];
        let (codes, bits) = codes_of(tokens, &one, 1);
        let single = Self { codes, of_groups: one };
        if groups < 8 {
            return single;
        }
        // Groups that cost much against those that cost little: quiet times and loud ones.
        let costs = single.codes.first().map(|code| costs(tokens, code)).unwrap_or_default();
        let mut sorted = costs.clone();
        sorted.sort_unstable();
        let middle = sorted.get(groups / 2).copied().unwrap_or(0);
        let mut of_groups: Vec<u8> = costs.iter().map(|cost| u8::from(*cost >= middle)).collect();
        for _ in 0..ROUNDS {
            let (codes, _) = codes_of(tokens, &of_groups, 2);
            let [first, second] = codes.as_slice() else { break };
            let both = costs_of(tokens, first, second);
            of_groups = both.iter().map(|(first, second)| u8::from(second < first)).collect();
        }
        let (codes, bits_of_two) = codes_of(tokens, &of_groups, 2);
        let both_used = of_groups.contains(&0) && of_groups.contains(&1);
        if both_used && bits_of_two + groups as u64 + 64 * 8 < bits { Self { codes, of_groups } } else { single }
    }
}

/// The best code for the groups that chose each, and the bits that all take.
fn codes_of(tokens: &[u8], of_groups: &[u8], codes: usize) -> (Vec<Code>, u64) {
    let mut counts = vec![[0; TOKENS]; codes];
    for (group, choice) in tokens.chunks(GROUP).zip(of_groups) {
        if let Some(counts) = counts.get_mut(usize::from(*choice)) {
            for token in group {
                count(counts, *token);
            }
        }
    }
    let codes: Vec<Code> = counts.iter().map(Code::of).collect();
    let bits = |(code, counts): (&Code, &Counts)| -> u64 {
        (0_u8..).zip(counts).map(|(token, count)| u64::from(*count) * u64::from(code.length(token).unwrap_or(0))).sum()
    };
    let bits = codes.iter().zip(&counts).map(bits).sum();
    (codes, bits)
}

fn cost(tokens: &[u8], code: &Code) -> u32 {
    tokens.iter().map(|token| code.length(*token).unwrap_or(NO_CODE)).sum()
}

fn costs(tokens: &[u8], code: &Code) -> Vec<u32> {
    tokens.chunks(GROUP).map(|group| cost(group, code)).collect()
}

fn costs_of(tokens: &[u8], first: &Code, second: &Code) -> Vec<(u32, u32)> {
    tokens.chunks(GROUP).map(|group| (cost(group, first), cost(group, second))).collect()
}
