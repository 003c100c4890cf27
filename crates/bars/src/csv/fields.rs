//! A line cut into its fields.

use std::borrow::Cow;

/// The most fields a line may have: what a first line makes room for.
pub(crate) const MOST: usize = 256;

/// The fields of a line without its end. A field may be quoted, with `""` for a quote inside; one that is not closed, or
/// that goes on behind its closing quote, ends the iteration with `None` inside.
pub(crate) struct Fields<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

/// A field, and what follows its separator if there is one.
type Cut<'a> = (Cow<'a, [u8]>, Option<&'a [u8]>);

impl<'a> Fields<'a> {
    pub(crate) const fn new(line: &'a [u8], separator: u8) -> Self {
        Self { rest: Some(line), separator }
    }

    /// A field that starts behind a quote, and what follows its separator.
    fn quoted(&self, text: &'a [u8]) -> Option<Cut<'a>> {
        let mut value = Vec::new();
        let mut rest = text;
        loop {
            let at = memchr::memchr(b'"', rest)?;
            let (part, behind) = (rest.get(..at)?, rest.get(at + 1..)?);
            value.extend_from_slice(part);
            match behind.split_first() {
                Some((b'"', after)) => {
                    value.push(b'"');
                    rest = after;
                }
                None => return Some((Cow::Owned(value), None)),
                Some((byte, after)) if *byte == self.separator => return Some((Cow::Owned(value), Some(after))),
                Some(_) => return None,
            }
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<Cow<'a, [u8]>>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if let Some((b'"', text)) = rest.split_first() {
            let Some((value, rest)) = self.quoted(text) else { return Some(None) };
            self.rest = rest;
            return Some(Some(value));
        }
        Some(Some(Cow::Borrowed(match memchr::memchr(self.separator, rest) {
            Some(at) => {
                self.rest = rest.get(at + 1..);
                rest.get(..at).unwrap_or_default()
            }
            None => rest,
        })))
    }
}

/// A line without its end, be it `\n` or `\r\n`.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a line holds nothing.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_into_fields() {
        for (line, fields) in [
            ("", vec![Some("")]),
            ("a", vec![Some("a")]),
            ("a,b", vec![Some("a"), Some("b")]),
            (",", vec![Some(""), Some("")]),
            ("\"a,b\",c", vec![Some("a,b"), Some("c")]),
            ("\"a\"\"b\"", vec![Some("a\"b")]),
            ("\"\"", vec![Some("")]),
            ("\"\",", vec![Some(""), Some("")]),
            ("a,\"b", vec![Some("a"), None]),
            ("\"a\"b,c", vec![None]),
            ("a\"b,c", vec![Some("a\"b"), Some("c")]),
        ] {
            let found: Vec<_> = Fields::new(line.as_bytes(), b',').collect();
            let found: Vec<_> =
                found.iter().map(|field| field.as_deref().map(|text| std::str::from_utf8(text).unwrap())).collect();
            assert_eq!(found, fields, "{line}");
        }
    }
}
