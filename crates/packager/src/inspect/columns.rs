//! What tabular data is about, by the names of its columns.

use pdp_manifest::EventType;

/// The event type whose records have columns like these; `None` when they tell nothing.
pub(crate) fn event_type<'a>(names: impl Iterator<Item = &'a str>) -> Option<EventType> {
    let names: Vec<String> = names.map(|name| name.to_ascii_lowercase().replace(['_', ' ', '-'], "")).collect();
    let has = |wanted: &[&str]| wanted.iter().any(|word| names.iter().any(|name| name == word));
    let levels = |side: &str| names.iter().filter(|name| name.starts_with(side)).count();
    let found = if has(&["open"]) && has(&["high"]) && has(&["low"]) && has(&["close"]) {
        "AggregateBar"
    } else if has(&["bidsjson", "bidlevels"]) || (levels("bids[") > 2 && levels("asks[") > 2) {
        "L2Snapshot"
    } else if has(&["bid", "bidprice", "bidpx"]) && has(&["ask", "askprice", "askpx"]) {
        "BboQuote"
    } else if has(&["price"]) && has(&["size", "amount", "qty", "quantity", "volume"]) && !has(&["updatetype"]) {
        "Trade"
    } else {
        return None;
    };
    found.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_tell() {
        for (columns, expected) in [
            ("timestamp,open,high,low,close,volume", Some("AggregateBar")),
            ("Timestamp,Symbol,BidPrice,BidSize,AskPrice,AskSize", Some("BboQuote")),
            ("exchange,symbol,timestamp,id,side,price,amount", Some("Trade")),
            (
                "timestamp,asks[0].price,asks[0].amount,asks[1].price,bids[0].price,bids[0].amount,bids[1].price",
                Some("L2Snapshot"),
            ),
            ("symbol,side,update_type,price,qty", None),
            ("column_1,column_2", None),
        ] {
            let found = event_type(columns.split(','));
            assert_eq!(found.as_ref().map(EventType::as_str), expected, "{columns}");
        }
    }
}
