//! Values as tokens: what is small stands for itself, what is large for its leading bits, with the others as they are.

/// Values below stand for themselves.
pub(super) const DIRECT: u64 = 128;
/// How many tokens there are: 128 values, and two for each power of two from 2^7 to 2^63.
pub(super) const TOKENS: usize = 242;

/// The token of a value.
#[inline]
pub(super) fn token(value: u64) -> u8 {
    let token = if value < DIRECT {
        value
    } else {
        let power = u64::from(63 - value.leading_zeros());
        DIRECT + (power - 7) * 2 + (value >> (power - 1) & 1)
    };
    token.to_le_bytes()[0]
}

/// How many bits follow a token.
#[inline(always)]
pub(super) const fn extra_bits(token: u8) -> u32 {
    if token < 128 { 0 } else { (token as u32 - 128) / 2 + 6 }
}

/// The value of a token with the bits that follow it as zeros; those of tokens that are none do not matter.
#[inline(always)]
pub(super) const fn base(token: u8) -> u64 {
    if token < 128 { token as u64 } else { (2 | (token & 1) as u64) << (extra_bits(token) & 63) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_are_their_tokens_and_what_follows(value: u64, shift in 0_u32..64) {
            let value = value >> shift;
            let token = token(value);
            let extra = value & ((1 << extra_bits(token)) - 1);
            prop_assert!((token as usize) < TOKENS);
            prop_assert_eq!(base(token) | extra, value);
        }
    }

    #[test]
    fn tokens_grow_with_values() {
        assert_eq!([0, 127, 128, 191, 192, 255, 256].map(token), [0, 127, 128, 128, 129, 129, 130]);
        assert_eq!((token(u64::MAX), token(1 << 63)), (241, 240));
        assert_eq!((extra_bits(241), base(241)), (62, 3 << 62));
    }
}
