//! The text that keys and signatures are: comment lines and lines of Base64.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use crate::FormatError;

/// How many bytes the file of a key may have.
pub const KEY_LIMIT: usize = 64 * 1024;
/// How many bytes a signature may have.
pub const SIGNATURE_LIMIT: usize = 64 * 1024;

/// What the first line of every file begins with.
pub(crate) const COMMENT: &str = "untrusted comment: ";
/// The algorithm of keys, and of signatures over the text itself.
pub(crate) const ED25519: [u8; 2] = *b"Ed";

/// A file of at most [`KEY_LIMIT`] bytes; of a larger one, one byte more than that, which parsing refuses.
pub(crate) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    // All at once, so that growing leaves no copies of a secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_LIMIT + 64));
    let limit = u64::try_from(KEY_LIMIT + 1).map_err(io::Error::other)?;
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The `N` lines of a text, with or without carriage returns, after which only empty ones may follow.
pub(crate) fn lines<const N: usize>(bytes: &[u8], limit: usize) -> Result<[&str; N], FormatError> {
    if bytes.len() > limit {
        return Err(FormatError::TooLarge { limit });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| FormatError::NotText { offset: error.valid_up_to() })?;
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let mut found = [""; N];
    for (number, slot) in (1..).zip(&mut found) {
        let missing =
            || FormatError::Line { line: number, expected: "another line", found: "the end of the text".to_owned() };
        *slot = lines.next().ok_or_else(missing)?;
    }
    match lines.find(|line| !line.is_empty()) {
        None => Ok(found),
        Some(more) => Err(FormatError::Line { line: N + 1, expected: "the end of the text", found: described(more) }),
    }
}

/// The comment of a line that begins with `prefix`.
pub(crate) fn comment<'a>(number: usize, prefix: &'static str, line: &'a str) -> Result<&'a str, FormatError> {
    line.strip_prefix(prefix).ok_or_else(|| FormatError::Line {
        line: number,
        expected: prefix.trim_end(),
        found: described(line),
    })
}

/// Decodes a line that holds exactly `N` bytes, in the one way there is to write them.
pub(crate) fn decode<const N: usize>(
    number: usize,
    expected: &'static str,
    line: &str,
    into: &mut [u8; N],
) -> Result<(), FormatError> {
    match Base64::decode(line, into) {
        Ok(decoded) if decoded.len() == N => Ok(()),
        _ => Err(FormatError::Line { line: number, expected, found: described(line) }),
    }
}

/// Bytes as Base64.
pub(crate) fn encode(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// A line by its length, for its content may be a secret.
pub(crate) fn described(line: &str) -> String {
    format!("a line of {} bytes that is something else", line.len())
}

/// Takes a record of fixed size apart, field by field.
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(crate) const fn of(record: &'a [u8]) -> Self {
        Self(record)
    }

    /// The next `N` bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], FormatError> {
        let (field, rest) = self.0.split_first_chunk().ok_or_else(|| FormatError::Line {
            line: 2,
            expected: "a longer record",
            found: "its end".to_owned(),
        })?;
        self.0 = rest;
        Ok(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_system() {
        for text in ["a\nb\n", "a\r\nb\r\n", "a\nb", "a\nb\n\n\r\n"] {
            assert_eq!(lines(text.as_bytes(), 100), Ok(["a", "b"]), "{text:?}");
        }
    }

    #[test]
    fn too_few_too_many_too_long_and_no_text() {
        assert!(matches!(lines::<2>(b"a", 9), Err(FormatError::Line { line: 2, .. })));
        assert!(matches!(lines::<2>(b"a\nb\n\nc", 9), Err(FormatError::Line { line: 3, .. })));
        assert_eq!(lines::<2>(b"a\nb", 2), Err(FormatError::TooLarge { limit: 2 }));
        assert_eq!(lines::<2>(b"a\n\xff", 9), Err(FormatError::NotText { offset: 2 }));
    }

    #[test]
    fn base64_of_one_length_and_one_spelling() {
        let mut two = [0; 2];
        assert_eq!(decode(1, "x", "//8=", &mut two), Ok(()));
        assert_eq!(two, [255, 255]);
        for other in ["", "//8", "//9=", "//8==", "//8= ", " //8=", "//==", "////", "__8=", "//8=\0", "é8="] {
            assert!(decode(1, "x", other, &mut two).is_err(), "{other}");
        }
    }
}
