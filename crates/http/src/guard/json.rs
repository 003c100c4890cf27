//! What a JSON body must be before a route sees it: well formed, no key twice in an object, neither deep nor endless.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::problem::{Kind, Problem};

/// How deep values may lie in one another.
const DEEPEST: u32 = 32;
/// Most values in a body, in all depths together.
const MOST_VALUES: u32 = 65_536;

pub(super) fn check(bytes: &[u8]) -> Result<(), Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let mut left = MOST_VALUES;
    let read = Value { depth: 0, left: &mut left }.deserialize(&mut reader);
    let problem = |error: serde_json::Error| Problem::new(Kind::BadRequest, format!("the body: {error}"));
    read.and_then(|()| reader.end()).map_err(problem)
}

/// One value, which is read and forgotten.
struct Value<'a> {
    depth: u32,
    left: &'a mut u32,
}

impl Value<'_> {
    fn inner<E: Error>(&mut self) -> Result<Value<'_>, E> {
        let depth = self.depth + 1;
        if depth > DEEPEST {
            return Err(E::custom(format_args!("values lie more than {DEEPEST} deep in one another")));
        }
        let Some(left) = self.left.checked_sub(1) else {
            return Err(E::custom(format_args!("more than {MOST_VALUES} values")));
        };
        *self.left = left;
        Ok(Value { depth, left: self.left })
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.inner()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            entries.next_value_seed(self.inner()?)?;
            if let Some(key) = keys.replace(key) {
                let shown: String = key.escape_debug().take(64).collect();
                return Err(A::Error::custom(format_args!("the key \"{shown}\" is there twice")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        check(text.as_bytes()).map_or_else(|problem| problem.detail, |()| "good".to_owned())
    }

    #[test]
    fn good_bodies() {
        let long = format!("[{}0]", "0,".repeat(60_000));
        let deep = format!("{}{}", "[".repeat(32), "]".repeat(32));
        for text in ["{}", " {\"a\":[1,-2,3.5e3,true,null,\"\\u00e9\"],\"b\":{\"a\":1}} ", "\"x\"", &long, &deep] {
            assert_eq!(said(text), "good");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let deep = "[".repeat(100_000);
        let wide = format!("[{}0]", "0,".repeat(70_000));
        let digits = format!("[1{}]", "0".repeat(900_000));
        for (text, expected) in [
            (deep.as_str(), "more than 32 deep"),
            (&wide, "more than 65536 values"),
            (&digits, "number out of range"),
            ("{\"a\":1,\"b\":2,\"a\":3}", "the key \"a\" is there twice"),
            ("{\"x\":{\"a\\u0000\":1,\"a\\u0000\":1}}", "\\0\" is there twice"),
            ("{} {}", "trailing"),
            ("{\"a\":}", "line 1 column"),
            ("", "EOF"),
            ("\u{feff}{}", "expected value"),
            ("NaN", "expected value"),
        ] {
            assert!(said(text).contains(expected), "{}: {}", &text[..text.len().min(40)], said(text));
        }
        assert!(check(b"[\"\xff\"]").is_err());
    }
}
