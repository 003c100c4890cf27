//! Names of tables and columns.

use std::collections::BTreeSet;

/// The longest name that PostgreSQL keeps whole, in bytes.
const MAX_BYTES: usize = 63;

/// `bidPrice`, `BidPrice` and `bid-price` as `bid_price`; what is no letter or digit is `_`.
pub(super) fn snake(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    let mut before: Option<char> = None;
    while let Some(c) = chars.next() {
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| {
                b.is_lowercase()
                    || b.is_numeric()
                    || (b.is_uppercase() && chars.peek().is_some_and(|n| n.is_lowercase()))
            });
        if starts_word {
            out.push('_');
        }
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        } else if !out.ends_with('_') {
            out.push('_');
        }
        before = Some(c);
    }
    let trimmed = out.trim_matches('_');
    if trimmed.is_empty() { "column".to_owned() } else { trimmed.to_owned() }
}

/// Names given out once, without regard to case.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// This name, cut to what every engine keeps and numbered if it is taken.
    pub(super) fn take(&mut self, wanted: &str) -> String {
        let mut number = 1;
        loop {
            let suffix = if number == 1 { String::new() } else { format!("_{number}") };
            let mut name = wanted.to_owned();
            while name.len() + suffix.len() > MAX_BYTES {
                name.pop();
            }
            name.push_str(&suffix);
            if self.0.insert(name.to_lowercase()) {
                return name;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (name, expected) in [
            ("L2Snapshot", "l2_snapshot"),
            ("BboQuote", "bbo_quote"),
            ("receivedAtUtc", "received_at_utc"),
            ("estimatedLatencyMs", "estimated_latency_ms"),
            ("payload.timestamp", "payload_timestamp"),
            ("asks[0].price", "asks_0_price"),
            ("HTTPServer", "http_server"),
            ("open \"x\"'; drop", "open_x_drop"),
            ("Größe €", "größe"),
            ("価格", "価格"),
            ("--", "column"),
        ] {
            assert_eq!(snake(name), expected, "{name}");
        }
    }

    #[test]
    fn no_name_twice() {
        let mut names = Names::default();
        let long = "x".repeat(80);
        let taken = ["a", "A", "a_2", &long, &long].map(|name| names.take(name));
        assert_eq!(taken[..3], ["a", "A_2", "a_2_2"].map(str::to_owned));
        assert_eq!((taken[3].len(), taken[4].len()), (63, 63));
        assert_ne!(taken[3], taken[4]);
    }
}
