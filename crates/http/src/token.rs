//! The secret that a request must bring.

use std::fmt;

/// A secret, which is compared in a time that does not depend on where it differs, and is never shown.
#[derive(Clone)]
pub struct Token(Vec<u8>);

/// Fewest bytes of a token.
pub const MIN_TOKEN_BYTES: usize = 16;

impl Token {
    /// A token of this text.
    ///
    /// # Errors
    /// It has fewer than [`MIN_TOKEN_BYTES`] bytes, or bytes that a header cannot carry.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if text.len() < MIN_TOKEN_BYTES {
            return Err("a token has at least 16 characters");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a token has printable ASCII characters and no spaces");
        }
        Ok(Self(text.as_bytes().to_vec()))
    }

    /// Whether `given` is this token.
    #[must_use]
    pub fn is(&self, given: &[u8]) -> bool {
        // The length is no secret; of the bytes, all are looked at.
        let difference = self.0.iter().zip(given).fold(0_u8, |sum, (own, other)| sum | (own ^ other));
        std::hint::black_box(difference) == 0 && self.0.len() == given.len()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_is_the_token() {
        let token = Token::new("0123456789abcdef").unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for other in ["0123456789abcdeg", "0123456789abcde", "0123456789abcdef0", "", "1123456789abcdef"] {
            assert!(!token.is(other.as_bytes()), "{other}");
        }
        assert!(Token::new("short").is_err() && Token::new("0123456789abc ef").is_err());
        assert!(!format!("{token:?}").contains("0123"));
    }
}
