//! Timestamps and numbers as text, into a buffer.

use fxd::Scale;

use crate::calendar::{DAY, SECOND, date_of};

/// Writes timestamps; remembers the text of the last date.
#[derive(Debug, Default)]
pub(crate) struct Date {
    day: Option<u64>,
    text: Vec<u8>,
}

impl Date {
    /// Writes a moment in RFC 3339.
    #[inline]
    pub(crate) fn write(&mut self, ts: u64, out: &mut Vec<u8>) {
        let day = ts / DAY;
        if self.day != Some(day) {
            let (year, month, of_month) = date_of(day);
            self.text.clear();
            for (value, width) in [(year, 4), (month, 2), (of_month, 2)] {
                if !self.text.is_empty() {
                    self.text.push(b'-');
                }
                digits_into(value, width, &mut self.text);
            }
            self.text.push(b'T');
            self.day = Some(day);
        }
        out.extend_from_slice(&self.text);
        let seconds = ts % DAY / SECOND;
        digits_into(seconds / 3600, 2, out);
        out.push(b':');
        digits_into(seconds / 60 % 60, 2, out);
        out.push(b':');
        digits_into(seconds % 60, 2, out);
        let nanos = ts % SECOND;
        if nanos != 0 {
            out.push(b'.');
            if nanos.is_multiple_of(1_000_000) {
                digits_into(nanos / 1_000_000, 3, out);
            } else if nanos.is_multiple_of(1_000) {
                digits_into(nanos / 1_000, 6, out);
            } else {
                digits_into(nanos, 9, out);
            }
        }
        out.push(b'Z');
    }
}

/// Writes a number with exactly so many digits, at most 20.
#[inline]
fn digits_into(value: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut rest = value;
    for digit in digits.iter_mut().rev().take(width) {
        // A remainder of ten is one byte.
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    out.extend_from_slice(digits.get(20 - width.min(20)..).unwrap_or_default());
}

/// How many digits a number has.
#[inline]
const fn width(value: u64) -> usize {
    match value.checked_ilog10() {
        Some(power) => power as usize + 1,
        None => 1,
    }
}

/// Writes a number at a scale with exactly the scale's decimals.
#[inline]
pub(crate) fn decimal_into(negative: bool, size: u64, scale: Scale, out: &mut Vec<u8>) {
    if negative {
        out.push(b'-');
    }
    let unit = scale.unit();
    let whole = size / unit;
    digits_into(whole, width(whole), out);
    if scale.decimals() > 0 {
        out.push(b'.');
        digits_into(size % unit, usize::from(scale.decimals()), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::rfc3339;
    use crate::decimal::decimal_text;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_printed_is_what_the_slow_way_prints(
            ts in proptest::collection::vec(0..=fxd::MAX_TS, 1..5), unit in 0_u32..=9, value in any::<i64>(), decimals in 0_u8..=18,
        ) {
            let mut date = Date::default();
            for ts in ts {
                let ts = ts / 10_u64.pow(unit) * 10_u64.pow(unit);
                let mut out = Vec::new();
                date.write(ts, &mut out);
                prop_assert_eq!(String::from_utf8(out).unwrap(), rfc3339(ts));
            }
            let scale = Scale::new(decimals).unwrap();
            let mut out = Vec::new();
            decimal_into(value < 0, value.unsigned_abs(), scale, &mut out);
            prop_assert_eq!(String::from_utf8(out).unwrap(), decimal_text(value.into(), scale));
        }
    }
}
