//! The prices and sizes of one record, as far as they are checked.

/// What a number in a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// Of a trade.
    Price,
    /// Best bid of a quote or book.
    Bid,
    /// Best ask of a quote or book.
    Ask,
    Open,
    High,
    Low,
    Close,
    /// Any size or volume.
    Size,
}

/// The prices of one record; NaN for those it has not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amounts {
    prices: [f64; PRICES],
    negative_size: bool,
    /// Which amounts there are, as bits.
    kinds: u16,
}

const PRICES: usize = 7;

impl Default for Amounts {
    fn default() -> Self {
        Self { prices: [f64::NAN; PRICES], negative_size: false, kinds: 0 }
    }
}

impl Amounts {
    /// Takes a number; where a record has two of a kind, the first counts.
    pub(crate) fn set(&mut self, amount: Amount, value: f64) {
        self.kinds |= 1 << bit(amount);
        if amount == Amount::Size {
            self.negative_size |= value < 0.0;
        } else if let Some(price) = self.prices.get_mut(place(amount))
            && price.is_nan()
        {
            *price = value;
        }
    }

    /// Which amounts the record has, as bits that [`has`] reads.
    pub(crate) const fn kinds(&self) -> u16 {
        self.kinds
    }

    fn get(&self, amount: Amount) -> f64 {
        self.prices.get(place(amount)).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn has_negative_price(&self) -> bool {
        self.prices.iter().any(|price| *price < 0.0)
    }

    pub(crate) const fn has_negative_size(&self) -> bool {
        self.negative_size
    }

    /// Of a trade or bar; a quote of zero is no quote.
    pub(crate) fn has_zero_price(&self) -> bool {
        [Amount::Price, Amount::Open, Amount::High, Amount::Low, Amount::Close]
            .into_iter()
            .any(|amount| self.get(amount) == 0.0)
    }

    pub(crate) fn is_crossed(&self) -> bool {
        let (bid, ask) = (self.get(Amount::Bid), self.get(Amount::Ask));
        bid > 0.0 && ask > 0.0 && bid > ask
    }

    /// Whether the high lies below, or the low above, another price of the bar.
    pub(crate) fn is_inconsistent_bar(&self) -> bool {
        let (high, low) = (self.get(Amount::High), self.get(Amount::Low));
        [Amount::Open, Amount::Close, Amount::High, Amount::Low]
            .into_iter()
            .map(|amount| self.get(amount))
            .any(|price| price > high || price < low)
    }

    /// The one price that stands for the record: of the trade, the close of the bar, the middle of the quote.
    pub(crate) fn representative(&self) -> Option<f64> {
        let (bid, ask) = (self.get(Amount::Bid), self.get(Amount::Ask));
        let middle = if bid > 0.0 && ask > 0.0 { f64::midpoint(bid, ask) } else { f64::NAN };
        [self.get(Amount::Price), self.get(Amount::Close), middle].into_iter().find(|price| *price > 0.0)
    }
}

const fn bit(amount: Amount) -> usize {
    if matches!(amount, Amount::Size) { PRICES } else { place(amount) }
}

/// Whether a set of amounts has this one.
pub(crate) const fn has(kinds: u16, amount: Amount) -> bool {
    kinds & (1 << bit(amount)) != 0
}

const fn place(amount: Amount) -> usize {
    match amount {
        Amount::Price | Amount::Size => 0,
        Amount::Bid => 1,
        Amount::Ask => 2,
        Amount::Open => 3,
        Amount::High => 4,
        Amount::Low => 5,
        Amount::Close => 6,
    }
}

/// What a field of this name holds, in the spellings of collectors and vendors.
pub(crate) fn amount_named(name: &str) -> Option<Amount> {
    // Longer names are of something else, and most fields are none of these.
    if name.len() > 24 {
        return None;
    }
    let plain: String =
        name.chars().filter(|c| !matches!(c, '_' | ' ' | '-')).map(|c| c.to_ascii_lowercase()).collect();
    Some(match plain.as_str() {
        "price" | "px" | "p" | "lastprice" | "tradeprice" => Amount::Price,
        "bid" | "bidprice" | "bestbid" | "bidpx" | "bidpx00" | "bids[0].price" | "bidclose" => Amount::Bid,
        "ask" | "askprice" | "bestask" | "askpx" | "askpx00" | "asks[0].price" | "askclose" | "offer" => Amount::Ask,
        "open" | "o" | "openprice" => Amount::Open,
        "high" | "h" | "highprice" => Amount::High,
        "low" | "l" | "lowprice" => Amount::Low,
        "close" | "c" | "closeprice" => Amount::Close,
        "size" | "q" | "v" | "qty" | "quantity" | "volume" | "bidsize" | "asksize" | "amount" | "bidsz" | "asksz" => {
            Amount::Size
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(values: &[(Amount, f64)]) -> Amounts {
        let mut amounts = Amounts::default();
        for (amount, value) in values {
            amounts.set(*amount, *value);
        }
        amounts
    }

    #[test]
    fn what_is_wrong_with_a_record() {
        use Amount::{Ask, Bid, Close, High, Low, Open, Price, Size};
        let nothing = Amounts::default();
        assert!(!nothing.has_negative_price() && !nothing.has_zero_price() && !nothing.is_crossed());
        assert!(!nothing.is_inconsistent_bar() && nothing.representative().is_none());
        assert!(record(&[(Bid, 2.0), (Ask, 1.0)]).is_crossed());
        assert!(!record(&[(Bid, 1.0), (Ask, 1.0)]).is_crossed(), "locked is not crossed");
        assert!(!record(&[(Bid, 1.0), (Ask, 0.0)]).is_crossed() && !record(&[(Bid, 1.0), (Ask, 0.0)]).has_zero_price());
        assert!(record(&[(Price, 0.0)]).has_zero_price() && record(&[(Price, -1.0)]).has_negative_price());
        let bar = |high, low| record(&[(Open, 2.0), (High, high), (Low, low), (Close, 3.0)]);
        assert!(!bar(3.0, 2.0).is_inconsistent_bar());
        assert!(bar(2.9, 2.0).is_inconsistent_bar() && bar(3.0, 2.1).is_inconsistent_bar());
        assert_eq!(bar(3.0, 2.0).representative(), Some(3.0));
        assert_eq!(record(&[(Bid, 1.0), (Ask, 2.0)]).representative(), Some(1.5));
        assert!(record(&[(Size, 1.0), (Size, -2.0)]).has_negative_size());
        assert_eq!(record(&[(Price, 1.0), (Price, 2.0)]).representative(), Some(1.0));
    }
}
