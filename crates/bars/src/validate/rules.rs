//! What a bar must be by itself.

use fxd::{Bar, Scale};

use super::report::Kind;
use crate::decimal::decimal_text;

/// The rules about prices that a bar breaks, each with what is there.
pub(super) fn broken(bar: &Bar, scale: Scale, mut take: impl FnMut(Kind, String)) {
    let Bar { open, high, low, close, .. } = *bar;
    let text = |price: i64| decimal_text(price.into(), scale);
    if high < low {
        take(Kind::Ohlc, format!("high {} is below low {}", text(high), text(low)));
    }
    for (name, price) in [("open", open), ("close", close)] {
        if high < price && high >= low {
            take(Kind::Ohlc, format!("high {} is below {name} {}", text(high), text(price)));
        }
        if low > price && high >= low {
            take(Kind::Ohlc, format!("low {} is above {name} {}", text(low), text(price)));
        }
    }
    for (name, price) in [("open", open), ("high", high), ("low", low), ("close", close)] {
        if price < 0 {
            take(Kind::NegativePrice, format!("{name} is {}, expected no price below zero", text(price)));
        }
    }
}

/// A bar's values, as a report shows them.
pub(super) fn shown(bar: &Bar, price: Scale, volume: Scale) -> String {
    let text = |value: i64| decimal_text(value.into(), price);
    format!(
        "open {} high {} low {} close {} volume {}",
        text(bar.open),
        text(bar.high),
        text(bar.low),
        text(bar.close),
        decimal_text(bar.volume.into(), volume)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_found_where_it_is_broken() {
        let found = |open, high, low, close| {
            let mut found = Vec::new();
            let bar = Bar { open, high, low, close, ..Bar::default() };
            broken(&bar, Scale::VOLUME, |kind, what| found.push(format!("{kind}: {what}")));
            found
        };
        assert!(found(2, 3, 1, 2).is_empty());
        assert!(found(1, 1, 1, 1).is_empty());
        assert_eq!(found(2, 1, 3, 2), ["ohlc: high 1 is below low 3"]);
        assert_eq!(found(4, 3, 1, 2), ["ohlc: high 3 is below open 4"]);
        assert_eq!(found(2, 3, 1, 4), ["ohlc: high 3 is below close 4"]);
        assert_eq!(found(2, 5, 3, 4), ["ohlc: low 3 is above open 2"]);
        assert_eq!(found(4, 5, 3, 2), ["ohlc: low 3 is above close 2"]);
        assert_eq!(found(2, 3, -1, 2), ["negative-price: low is -1, expected no price below zero"]);
    }
}
