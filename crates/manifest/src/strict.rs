//! A look at the whole manifest before any of it is believed: no object says a thing twice, and what must be an object
//! is one.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Lists whose elements are objects; as an array of values an element would be read field by field, unnamed.
const OF_OBJECTS: [&str; 2] = ["files", "supplementaryFiles"];

/// Checks the text of a manifest.
///
/// # Errors
/// Not JSON, not an object, or a key that stands twice in one object, also where nothing reads it.
pub(crate) fn check(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Look { place: Place::Top }.deserialize(&mut json)?;
    json.end()
}

#[derive(Clone, Copy)]
enum Place {
    /// The manifest itself.
    Top,
    /// A list of [`OF_OBJECTS`].
    List,
    /// An element of such a list.
    Element,
    Anywhere,
}

struct Look {
    place: Place,
}

impl<'de> DeserializeSeed<'de> for Look {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.place {
            Place::Top => deserializer.deserialize_map(self),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Look {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Place::Element => "an object",
            Place::Top => "a JSON object",
            _ => "a JSON value",
        })
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let place = match self.place {
            Place::List => Place::Element,
            Place::Element => return Err(A::Error::custom("an array where an object is expected")),
            _ => Place::Anywhere,
        };
        while seq.next_element_seed(Look { place })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys: HashSet<String> = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let listed = matches!(self.place, Place::Top) && OF_OBJECTS.contains(&key.as_str());
            let place = if listed { Place::List } else { Place::Anywhere };
            if let Some(twice) = keys.replace(key) {
                return Err(A::Error::custom(format_args!("key \"{}\" is there twice", twice.escape_debug())));
            }
            map.next_value_seed(Look { place })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_keys_and_arrays_for_objects_are_refused() {
        for (text, why) in [
            (r#"{"a":1,"a":2}"#, "\"a\" is there twice"),
            (r#"{"x":[{"b":{"c":1,"c":1}}]}"#, "\"c\" is there twice"),
            (r#"{"a":1,"\u0061":2}"#, "\"a\" is there twice"),
            (r#"{"files":[["data/x"]]}"#, "an array where an object"),
            (r#"{"supplementaryFiles":[{},["x"]]}"#, "an array where an object"),
            ("[1]", "a JSON object"),
            ("{} {}", "trailing"),
        ] {
            let error = check(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(check(br#"{"files":[{"a":[[1]]}],"tags":[["x"]],"supplementaryFiles":["README.md"]}"#).is_ok());
    }
}
