//! What the collector's known fields mean.

/// The meaning of the field at `path` in a record; empty for fields nobody has described.
pub(super) fn describe(path: &str) -> &'static str {
    let name = path.rsplit('.').next().unwrap_or(path);
    MEANINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, meaning)| meaning)
}

/// The collector's spelling of a column it knows, in any case; other names stay as they are.
pub(super) fn spelling(column: &str) -> String {
    let known = MEANINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(column));
    known.map_or(column, |(known, _)| known).to_owned()
}

const MEANINGS: [(&str, &str); 67] = [
    ("timestamp", "time of the event, UTC"),
    ("symbol", "instrument"),
    ("type", "event type: its name, or the collector's number for it"),
    ("kind", "kind of the payload"),
    ("sequence", "position in the collector's stream"),
    ("sequenceNumber", "position in the source's stream"),
    ("source", "provider that the record came from"),
    ("schemaVersion", "version of the record's form"),
    ("tier", "processing tier: 0 Raw, 1 Derived, 2 Enriched, 3 Processed"),
    ("exchangeTimestamp", "time at the exchange, UTC"),
    ("receivedAtUtc", "time of receipt, UTC; the year 1 where it was not set"),
    ("receivedAtMonotonic", "receipt on the collector's monotonic clock, ticks"),
    ("canonicalSymbol", "instrument in the collector's own naming"),
    ("canonicalizationVersion", "version of the rules that made the canonical fields"),
    ("canonicalVenue", "venue in the collector's own naming"),
    ("effectiveSymbol", "canonical symbol where there is one, else the symbol"),
    ("activityTraceId", "trace that the record belongs to"),
    ("activitySpanId", "span that the record belongs to"),
    ("activityTraceFlags", "flags of the trace"),
    ("hasOriginatingActivityContext", "whether the record belongs to a trace"),
    ("estimatedLatencyMs", "receipt less exchange time, milliseconds"),
    ("price", "price, in the quote currency"),
    ("size", "quantity, in units of the instrument"),
    ("aggressor", "side that took liquidity: 0 Unknown, 1 Buy, 2 Sell"),
    ("aggressorSide", "side that took liquidity"),
    ("venue", "trading venue"),
    ("streamId", "stream within the source"),
    ("rawConditions", "trade conditions as the source has them"),
    ("canonicalConditions", "trade conditions by the collector's numbers"),
    ("bidPrice", "best bid price, in the quote currency"),
    ("bidSize", "quantity at the best bid"),
    ("askPrice", "best ask price, in the quote currency"),
    ("askSize", "quantity at the best ask"),
    ("midPrice", "mean of best bid and best ask"),
    ("spread", "best ask less best bid"),
    ("bids", "bid levels, best first"),
    ("asks", "ask levels, best first"),
    ("side", "side of the book: 0 Bid, 1 Ask"),
    ("level", "depth in the book, 0 for the best"),
    ("marketMaker", "market maker at this level"),
    ("microPrice", "mid price weighted by the sizes at the best levels"),
    ("imbalance", "bid less ask size, as a share of both"),
    ("marketState", "0 Normal, 1 Closed, 2 Halted, 3 Unknown, 4 PreMarket, 5 AfterHours, 6 Auction"),
    ("sessionDate", "trading session"),
    ("startTime", "start of the bar, included, UTC"),
    ("endTime", "end of the bar, not included, UTC"),
    ("open", "first price of the bar"),
    ("high", "highest price of the bar"),
    ("low", "lowest price of the bar"),
    ("close", "last price of the bar"),
    ("volume", "quantity traded in the bar"),
    ("vwap", "volume-weighted average price"),
    ("tradeCount", "number of trades in the bar"),
    ("timeframe", "length of the bar: 0 Second, 1 Minute, 2 Hour, 3 Day"),
    ("range", "high less low"),
    ("bodySize", "distance of open and close"),
    ("isBullish", "whether the close lies above the open"),
    ("isBearish", "whether the close lies below the open"),
    ("changePercent", "close against open, per cent"),
    ("typicalPrice", "mean of high, low and close"),
    ("notional", "typical price times volume"),
    ("bidLevels", "number of bid levels"),
    ("askLevels", "number of ask levels"),
    ("bestBid", "best bid price"),
    ("bestAsk", "best ask price"),
    ("bidsJson", "bid levels as JSON text"),
    ("asksJson", "ask levels as JSON text"),
];
