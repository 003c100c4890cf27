//! Runs of digits, eight bytes at a time.
//!
//! Each function reads ahead of what it needs, and gives up where fewer bytes are left: the caller has a slower way for the
//! last line of a block.

/// The digit zero in each byte.
pub(super) const ZEROS: u64 = 0x3030_3030_3030_3030;
/// The highest bit of each byte.
pub(super) const HIGH: u64 = 0x8080_8080_8080_8080;

/// Eight bytes, the first lowest.
#[inline(always)]
pub(crate) fn load(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// The highest bit of each byte that is not a digit. `word` has been through `^ ZEROS`, so digits are 0 to 9.
#[inline(always)]
const fn not_digits(word: u64) -> u64 {
    // Adding 0x76 carries 10 and above into the highest bit; bytes that had it are kept out of the sum and put back.
    (((word & !HIGH) + 0x7676_7676_7676_7676) | word) & HIGH
}

/// The byte of the lowest bit set.
#[inline(always)]
const fn byte_of(mask: u64) -> u32 {
    mask.trailing_zeros() / 8
}

/// The value of eight digits of 0 to 9, the lowest byte first in the text.
#[inline(always)]
pub(super) const fn eight(digits: u64) -> u64 {
    // Pairs, then fours and eights at once: each multiplication adds neighbours at their weights.
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// The first `count` bytes of a word as a number; at most 8.
#[inline(always)]
const fn first(word: u64, count: u32) -> u64 {
    if count == 0 { 0 } else { eight(word << (64 - 8 * count)) }
}

/// A number without sign or exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    /// All its digits.
    pub(crate) mantissa: u64,
    /// How many of them are behind the point.
    pub(crate) decimals: u32,
    /// Where the byte behind it is.
    pub(crate) end: usize,
}

/// Reads digits with perhaps a point among them, at most 19 digits; there is at least one.
#[inline(always)]
pub(crate) fn number(data: &[u8], at: usize) -> Option<Number> {
    let word = load(data, at)? ^ ZEROS;
    let others = not_digits(word);
    let point = byte_of(others);
    let behind = others & others.wrapping_sub(1);
    // The usual price: seven digits at most and a point among them, and what ends it within eight bytes or right behind.
    if others != 0 && point > 0 && data.get(at + point as usize) == Some(&b'.') {
        let end = if behind != 0 {
            byte_of(behind)
        } else if data.get(at + 8).is_some_and(|byte| !byte.is_ascii_digit()) {
            8
        } else {
            return long(data, at);
        };
        let whole = (1_u64 << (8 * point)) - 1;
        let joined = (word & whole) | ((word >> 8) & !whole);
        return Some(Number { mantissa: first(joined, end - 1), decimals: end - point - 1, end: at + end as usize });
    }
    // The usual volume: seven digits at most, and no point.
    if others != 0 && point > 0 {
        return Some(Number { mantissa: first(word, point), decimals: 0, end: at + point as usize });
    }
    long(data, at)
}

/// As [`number`], for any length.
#[inline]
fn long(data: &[u8], at: usize) -> Option<Number> {
    let (whole, before) = digits(data, at)?;
    let mut end = at + before as usize;
    if data.get(end) != Some(&b'.') {
        return (before > 0).then_some(Number { mantissa: whole, decimals: 0, end });
    }
    let (part, behind) = digits(data, end + 1)?;
    end += 1 + behind as usize;
    if before == 0 || before + behind > 19 {
        return None;
    }
    let mantissa = whole * 10_u64.checked_pow(behind)? + part;
    Some(Number { mantissa, decimals: behind, end })
}

/// A run of up to 19 digits: its value and its length, which may be 0.
#[inline]
pub(crate) fn digits(data: &[u8], at: usize) -> Option<(u64, u32)> {
    let word = load(data, at)? ^ ZEROS;
    let others = not_digits(word);
    if others != 0 {
        let count = byte_of(others);
        return Some((first(word, count), count));
    }
    let high = eight(word);
    let word = load(data, at + 8)? ^ ZEROS;
    let others = not_digits(word);
    if others != 0 {
        let count = byte_of(others);
        return Some((high * 10_u64.pow(count) + first(word, count), 8 + count));
    }
    let high = high * 100_000_000 + eight(word);
    let word = load(data, at + 16)? ^ ZEROS;
    let count = byte_of(not_digits(word));
    if not_digits(word) == 0 || count > 3 {
        return None;
    }
    Some((high * 10_u64.pow(count) + first(word, count), 16 + count))
}

/// The seconds of the day that `HH:MM:SS` says.
#[inline(always)]
pub(crate) fn clock(data: &[u8], at: usize) -> Option<u64> {
    let word = load(data, at)? ^ u64::from_le_bytes(*b"00:00:00");
    // Digits may be up to 9, colons must be equal.
    let limits = u64::from_le_bytes([0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f, 0x76, 0x76]);
    if (((word & !HIGH) + limits) | word) & HIGH != 0 {
        return None;
    }
    let [hour, _, _, minute, _, _, second, _] = (word * 10).wrapping_add(word >> 8).to_le_bytes();
    day_seconds(hour, minute, second)
}

/// The seconds of the day that `HHMMSS` says.
#[inline(always)]
pub(crate) fn compact_clock(data: &[u8], at: usize) -> Option<u64> {
    let word = (load(data, at)? ^ ZEROS) & 0x0000_FFFF_FFFF_FFFF;
    if not_digits(word) != 0 {
        return None;
    }
    let [hour, _, minute, _, second, ..] = (word * 10).wrapping_add(word >> 8).to_le_bytes();
    day_seconds(hour, minute, second)
}

#[inline(always)]
fn day_seconds(hour: u8, minute: u8, second: u8) -> Option<u64> {
    (hour < 24 && minute < 60 && second < 60)
        .then_some(u64::from(hour) * 3600 + u64::from(minute) * 60 + u64::from(second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Room behind a text for what is read ahead.
    fn padded(text: &str) -> Vec<u8> {
        [text.as_bytes(), b",,,,,,,,,,,,,,,,,,,,,,,,"].concat()
    }

    #[test]
    fn numbers_are_read() {
        for (text, mantissa, decimals) in [
            ("1.29324", 129_324, 5),
            ("1.035030", 1_035_030, 6),
            ("46319.0", 463_190, 1),
            ("0.00002853", 2853, 8),
            ("5528.750000000", 5_528_750_000_000, 9),
            ("7", 7, 0),
            ("12345678", 12_345_678, 0),
            ("4294967295", 4_294_967_295, 0),
            ("9999999999999999999", 9_999_999_999_999_999_999, 0),
            ("1.", 1, 0),
            ("1234567.8", 12_345_678, 1),
            ("36304.20000000", 3_630_420_000_000, 8),
        ] {
            let end = text.len();
            assert_eq!(number(&padded(text), 0), Some(Number { mantissa, decimals, end }), "{text}");
        }
        for text in ["", ".5", "-1", "+1", ",", "10000000000.0000000000", "11111111111111111111"] {
            assert_eq!(number(&padded(text), 0), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(text in "[0-9]{0,19}") {
            let expected = text.parse().unwrap_or(0);
            prop_assert_eq!(digits(&padded(&text), 0), Some((expected, u32::try_from(text.len()).unwrap())));
        }

        #[test]
        fn numbers_are_those_of_the_slow_reader(text in "[0-9]{1,10}(\\.[0-9]{0,9})?") {
            let read = number(&padded(&text), 0).unwrap();
            let slow = crate::decimal::Decimal::parse(text.as_bytes()).unwrap().at(fxd::Scale::new(9).unwrap()).unwrap();
            prop_assert_eq!(i128::from(read.mantissa) * 10_i128.pow(9 - read.decimals), slow);
            prop_assert_eq!(read.end, text.len());
        }

        #[test]
        fn times_of_day_are_checked(text in "[0-9:;/]{8}") {
            let spaced = (text.as_bytes()[2] == b':' && text.as_bytes()[5] == b':')
                .then(|| chrono::NaiveTime::parse_from_str(&text, "%H:%M:%S").ok()).flatten();
            let spaced = spaced.filter(|_| !text.ends_with("60"));
            let seconds = |time: chrono::NaiveTime| u64::from(chrono::Timelike::num_seconds_from_midnight(&time));
            prop_assert_eq!(clock(text.as_bytes(), 0), spaced.map(seconds));
        }

        #[test]
        fn compact_times_of_day_are_checked(hour in 0_u32..30, minute in 0_u32..70, second in 0_u32..70, tail in any::<[u8; 2]>()) {
            let text = [format!("{hour:02}{minute:02}{second:02}").as_bytes(), &tail].concat();
            let expected = (hour < 24 && minute < 60 && second < 60)
                .then_some(u64::from(hour * 3600 + minute * 60 + second));
            prop_assert_eq!(compact_clock(&text, 0), expected);
        }

        #[test]
        fn no_bytes_panic(data in proptest::collection::vec(any::<u8>(), 0..48), at in 0_usize..60) {
            let _ = (number(&data, at), digits(&data, at), clock(&data, at), compact_clock(&data, at));
        }
    }
}
