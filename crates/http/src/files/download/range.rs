//! Byte ranges of a request (RFC 9110, section 14).

/// Most parts of one answer.
pub(super) const MAX_PARTS: usize = 16;

/// Bytes from `start` up to and without `end`; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    pub(super) const fn len(self) -> u64 {
        self.end - self.start
    }
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These parts, which neither overlap nor touch each other.
    Parts(Vec<Span>),
    /// Nothing that there is.
    Nothing,
}

/// What the value of a `Range` header wants of `size` bytes.
///
/// A value that is not understood is as good as none. Ranges that overlap or touch are one; a request for more than
/// [`MAX_PARTS`] apart from each other gets the whole.
pub(super) fn wanted(value: &str, size: u64) -> Wanted {
    let Some(ranges) = parse(value, size) else { return Wanted::Whole };
    // With its place in the request, for the order of the answer.
    let mut spans: Vec<(Span, usize)> = ranges.into_iter().flatten().zip(0..).collect();
    if spans.is_empty() {
        return Wanted::Nothing;
    }
    spans.sort_by_key(|(span, _)| span.start);
    let mut parts: Vec<(Span, usize)> = Vec::new();
    for (span, place) in spans {
        match parts.last_mut().filter(|(last, _)| span.start <= last.end) {
            Some((last, first)) => {
                last.end = last.end.max(span.end);
                *first = place.min(*first);
            }
            None => parts.push((span, place)),
        }
    }
    if parts.len() > MAX_PARTS {
        return Wanted::Whole;
    }
    parts.sort_by_key(|(_, place)| *place);
    Wanted::Parts(parts.into_iter().map(|(span, _)| span).collect())
}

/// Each range that is asked for, none in the place of one that lies outside; none at all where the text is malformed.
fn parse(value: &str, size: u64) -> Option<Vec<Option<Span>>> {
    let (unit, list) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let ranges: Option<Vec<_>> = list
        .split(',')
        .map(|range| range.trim_matches([' ', '\t']))
        .filter(|range| !range.is_empty())
        .map(|range| one(range, size))
        .collect();
    ranges.filter(|ranges| !ranges.is_empty())
}

fn one(range: &str, size: u64) -> Option<Option<Span>> {
    let (first, last) = range.split_once('-')?;
    let span = match (first, last) {
        ("", last) => Span { start: size.saturating_sub(number(last)?), end: size },
        (first, "") => Span { start: number(first)?, end: size },
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            Span { start: first, end: last.saturating_add(1).min(size) }
        }
    };
    Some(Some(span).filter(|span| span.start < span.end))
}

/// Digits; a number too large for any file is the largest there is.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(spans: &[(u64, u64)]) -> Wanted {
        Wanted::Parts(spans.iter().map(|(start, end)| Span { start: *start, end: *end }).collect())
    }

    #[test]
    fn single_open_and_suffix_ranges() {
        assert_eq!(wanted("bytes=0-0", 10), parts(&[(0, 1)]));
        assert_eq!(wanted("bytes=2-", 10), parts(&[(2, 10)]));
        assert_eq!(wanted("bytes=-3", 10), parts(&[(7, 10)]));
        assert_eq!(wanted("bytes=-30", 10), parts(&[(0, 10)]));
        assert_eq!(wanted("Bytes= 4-400 ,", 10), parts(&[(4, 10)]));
        assert_eq!(wanted("bytes=0-99999999999999999999999999", 10), parts(&[(0, 10)]));
    }

    #[test]
    fn what_lies_outside_is_nothing_and_what_is_malformed_is_not_there() {
        for outside in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-", "bytes=10-,-0"] {
            assert_eq!(wanted(outside, 10), Wanted::Nothing, "{outside}");
        }
        assert_eq!(wanted("bytes=0-", 0), Wanted::Nothing);
        for malformed in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "bytes=0x1-2",
            "lines=1-2",
            "bytes=1-2-3",
            "bytes=+1-2",
        ] {
            assert_eq!(wanted(malformed, 10), Wanted::Whole, "{malformed}");
        }
    }

    #[test]
    fn ranges_that_overlap_or_touch_are_one_and_the_others_keep_their_order() {
        assert_eq!(wanted("bytes=8-9,0-1,3-3", 10), parts(&[(8, 10), (0, 2), (3, 4)]));
        assert_eq!(wanted("bytes=8-9,0-4,3-6,20-30", 10), parts(&[(8, 10), (0, 7)]));
        assert_eq!(wanted("bytes=0-1,2-3", 10), parts(&[(0, 4)]));
        let many = |gap: u64| {
            let list: Vec<_> = (0..1000).map(|i| format!("{}-{}", i * gap, i * gap + 5)).collect();
            format!("bytes={}", list.join(","))
        };
        assert_eq!(wanted(&many(1), 10_000), parts(&[(0, 1005)]));
        assert_eq!(wanted(&many(10), 20_000), Wanted::Whole);
    }
}
