//! The key: which one is let in, and that none is ever written down.

use axum::http::{HeaderMap, header};
use base64ct::{Base64, Encoding as _};

/// A key that is taken; any other of its form is, too.
pub const KEY: &str = "db-0000000000000000000000000test";

/// The one key of the right form that is refused, as a key is that was revoked.
pub const WRONG_KEY: &str = "db-0000000000000000000000revoked";

/// How long a key is.
const LENGTH: usize = 32;

/// Whether a text could be a key.
pub(crate) fn is_key(text: &str) -> bool {
    text.len() == LENGTH && text.is_ascii() && text.starts_with("db-")
}

/// Whether a request has a key that is taken: as the name of HTTP's basic authentication, with no password.
pub(crate) fn is_let_in(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else { return false };
    let Some(encoded) = value.strip_prefix("Basic ") else { return false };
    let Ok(decoded) = Base64::decode_vec(encoded.trim()) else { return false };
    let Ok(text) = String::from_utf8(decoded) else { return false };
    text.strip_suffix(':').is_some_and(|key| is_key(key) && key != WRONG_KEY)
}

/// A value of a request as it may be written down.
pub(crate) fn without_keys(value: String) -> String {
    if is_key(&value) { "(a key)".to_owned() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(authorization: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        is_let_in(&headers)
    }

    #[test]
    fn keys_of_the_right_form_are_let_in_but_one() {
        let basic = |text: &str| asked(&format!("Basic {}", Base64::encode_string(text.as_bytes())));
        assert!(is_key(KEY) && is_key(WRONG_KEY));
        assert!(basic(&format!("{KEY}:")));
        assert!(!basic(&format!("{WRONG_KEY}:")));
        assert!(!basic(KEY) && !basic(&format!("{KEY}:word")) && !basic("db-short:") && !asked("Bearer x"));
        assert!(!asked("Basic ???") && !is_let_in(&HeaderMap::new()));
    }
}
