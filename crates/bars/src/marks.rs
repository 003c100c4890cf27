//! What series are called in stores, which have no columns for ids.

use crate::Ids;

/// A symbol with the ids that tell its series apart behind it: `ES.c.0@118`, `SPY#39`, `ES.c.0@118#2`.
pub(crate) fn marked(symbol: &str, instrument: Option<u32>, publisher: Option<u32>) -> String {
    let mut name = symbol.to_owned();
    if let Some(instrument) = instrument {
        name += &format!("@{instrument}");
    }
    if let Some(publisher) = publisher {
        name += &format!("#{publisher}");
    }
    name
}

/// The ids behind a symbol, if a name is that symbol with such; the name of another symbol is left as it is.
pub(crate) fn ids_behind(symbol: &str, name: &str) -> Option<Ids> {
    let marks = name.strip_prefix(symbol).filter(|marks| !marks.is_empty())?;
    let (instrument, publisher) = match marks.split_once('#') {
        Some((instrument, publisher)) => (instrument, Some(publisher.parse().ok()?)),
        None => (marks, None),
    };
    let instrument = match instrument {
        "" => None,
        marked => Some(marked.strip_prefix('@')?.parse().ok()?),
    };
    // Only what is written so: not with a sign or zeros in front.
    let ids = Ids { publisher, instrument };
    (marked(symbol, instrument, publisher) == name).then_some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_from_names() {
        for (instrument, publisher, name) in
            [(Some(118), None, "ES.c.0@118"), (None, Some(39), "ES.c.0#39"), (Some(0), Some(2), "ES.c.0@0#2")]
        {
            assert_eq!(marked("ES.c.0", instrument, publisher), name);
            assert_eq!(ids_behind("ES.c.0", name), Some(Ids { publisher, instrument }), "{name}");
        }
        for name in [
            "ES.c.0",
            "ES.c.01",
            "ES.c.0@",
            "ES.c.0@x",
            "ES.c.0@+1",
            "ES.c.0#01",
            "ES.c.0#2@1",
            "NQ@1",
            "ES.c.0@99999999999",
        ] {
            assert_eq!(ids_behind("ES.c.0", name), None, "{name}");
        }
    }
}
