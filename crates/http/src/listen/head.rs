//! Where the head of a request ends, and which body follows.
//!
//! The HTTP implementation decides what a request means. It hides, though, when a head has both `Content-Length` and
//! `Transfer-Encoding`, by which others may take the end of the body to be elsewhere; so heads are looked at as they pass.

/// What a head says of the body behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Framing {
    /// The value of `Content-Length`, where there is one that can be understood.
    pub(super) length: Option<u64>,
    /// Whether there is a `Content-Length`.
    pub(super) has_length: bool,
    /// Whether there is a `Transfer-Encoding`.
    pub(super) has_encoding: bool,
}

impl Framing {
    /// Whether the end of the body can be understood in two ways.
    pub(super) fn is_ambiguous(self) -> bool {
        self.has_length && self.has_encoding
    }
}

/// Most bytes of a name that matter: those of `transfer-encoding`.
const LONGEST_NAME: usize = 17;

/// Looks at one head, in pieces as they come.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    framing: Framing,
    /// Whether any byte but a line's end has come.
    begun: bool,
    /// Bytes of this line, without its end.
    line: usize,
    /// Of those, the first ones in small letters, until the colon.
    name: [u8; LONGEST_NAME],
    field: Field,
    last: u8,
}

/// What the bytes of a line belong to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Field {
    #[default]
    Name,
    Length {
        digits: bool,
        value: Option<u64>,
    },
    Other,
}

impl Scanner {
    /// Whether anything of the head has come.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Looks at `bytes`. When the head ends among them: how many of them belong to it, and what it says; the scanner is then
    /// ready for the next head.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<(usize, Framing)> {
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' {
                let empty = self.line == 0 || (self.line == 1 && self.last == b'\r');
                self.end_line();
                // Empty lines may stand before a head.
                if empty && self.begun {
                    return Some((at + 1, std::mem::take(self).framing));
                }
            } else {
                self.begun |= *byte != b'\r';
                self.byte(*byte);
            }
            self.last = *byte;
        }
        None
    }

    fn byte(&mut self, byte: u8) {
        match &mut self.field {
            Field::Name if byte == b':' => {
                let name = self.name.get(..self.line).unwrap_or_default();
                self.field = if name == b"content-length" {
                    self.framing.has_length = true;
                    Field::Length { digits: false, value: Some(0) }
                } else {
                    self.framing.has_encoding |= name == b"transfer-encoding";
                    Field::Other
                };
            }
            Field::Name => match self.name.get_mut(self.line) {
                Some(place) => *place = byte.to_ascii_lowercase(),
                None => self.field = Field::Other,
            },
            Field::Length { .. } if matches!(byte, b' ' | b'\t' | b'\r') => {}
            Field::Length { digits, value } => {
                *digits = true;
                let digit = char::from(byte).to_digit(10).map(u64::from);
                *value = value.zip(digit).and_then(|(value, digit)| value.checked_mul(10)?.checked_add(digit));
            }
            Field::Other => {}
        }
        self.line = self.line.saturating_add(1);
    }

    fn end_line(&mut self) {
        if let Field::Length { digits: true, value: Some(value) } = self.field {
            self.framing.length = Some(value);
        }
        self.line = 0;
        self.field = Field::Name;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Option<(usize, Framing)> {
        let whole = Scanner::default().scan(text.as_bytes());
        // In pieces of any size the result is the same.
        for size in 1..5 {
            let (mut scanner, mut before) = (Scanner::default(), 0);
            let found = text.as_bytes().chunks(size).find_map(|piece| {
                let found = scanner.scan(piece).map(|(at, framing)| (before + at, framing));
                before += piece.len();
                found
            });
            assert_eq!(found, whole, "{text:?} in pieces of {size}");
        }
        whole
    }

    #[test]
    fn heads_end_at_the_empty_line() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(scan(&format!("{head}GET")).unwrap().0, head.len());
        assert_eq!(scan("\r\n\nGET / HTTP/1.0\n\n").unwrap().0, 19);
        assert!(scan("GET / HTTP/1.1\r\nHost: a\r\n").is_none() && scan("\r\n\r\n\r\n").is_none());
    }

    #[test]
    fn framing() {
        for (fields, length, both) in [
            ("", None, false),
            ("Content-Length: 5\r\n", Some(5), false),
            ("CONTENT-LENGTH:\t 12 \r\n", Some(12), false),
            ("content-length: x\r\n", None, false),
            ("content-length: 99999999999999999999\r\n", None, false),
            ("Transfer-Encoding: chunked\r\n", None, false),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Some(5), true),
            ("transfer-encoding: chunked\r\nX: y\r\ncontent-length: 0\r\n", Some(0), true),
            ("transfer-encoding: x\r\ncontent-length:\r\n", None, true),
            ("X-Content-Length: 5\r\nX: Transfer-Encoding: chunked\r\n", None, false),
        ] {
            let (_, framing) = scan(&format!("POST / HTTP/1.1\r\n{fields}\r\n")).unwrap();
            assert_eq!((framing.length, framing.is_ambiguous()), (length, both), "{fields:?}");
        }
        let (_, framing) = scan("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n").unwrap();
        assert!(framing.has_encoding && !framing.has_length);
    }
}
