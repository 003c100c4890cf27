//! One event after the other, as the collector writes them.

use std::fmt::Write as _;

use anyhow::Result;
use chrono::Days;

use super::{Kind, Planned, Random};

const VENUES: [&str; 8] = ["XNAS", "ARCX", "XNAS", "BATS", "XNAS", "EDGX", "IEXG", "XNYS"];
/// Levels of a book, a side.
const DEPTH: usize = 5;
/// A second in the collector's ticks of 100 nanoseconds.
const SECOND: u64 = 10_000_000;
/// The session, UTC: half past two to nine in the evening.
const OPEN: u64 = 52_200 * SECOND;
const SESSION: u64 = 23_400 * SECOND;

/// One symbol's day of one type, event by event.
pub(super) struct Session<'a> {
    file: &'a Planned,
    random: Random,
    /// Ticks of the day.
    at: u64,
    seen: u64,
    step: u64,
    price: u64,
    sequence: u64,
    exchange: u64,
    /// Of the book's levels, bids first, in hundredths.
    sizes: [u64; 2 * DEPTH],
}

impl<'a> Session<'a> {
    pub(super) fn new(file: &'a Planned) -> Self {
        let mut random = Random::new(&file.path.to_string_lossy());
        let sizes = std::array::from_fn(|_| 1 + random.below(200_000));
        let step = (SESSION / (file.bytes / file.kind.line()).max(1)).max(2);
        let price = file.price + random.below(200);
        Self { file, random, at: OPEN, seen: OPEN, step, price, sequence: 0, exchange: 1_000_000, sizes }
    }

    /// Appends one event, a line.
    pub(super) fn event(&mut self, line: &mut String) -> Result<()> {
        let Planned { symbol, kind, .. } = *self.file;
        self.sequence += 1;
        // The exchange counts all symbols together.
        self.exchange += 1 + self.random.below(3000);
        // Many events come in bursts, the others after a pause.
        self.at += if self.random.below(3) == 0 { self.random.below(9000) } else { self.random.below(3 * self.step) };
        let at = match kind {
            Kind::AggregateBar => self.stamp(OPEN + (self.sequence - 1) * 60 * SECOND, SECOND),
            // The exchange stamps in microseconds.
            _ => self.stamp(self.at, 10),
        };
        let moved = if self.random.below(2) == 0 { self.random.below(13) } else { 6 };
        self.price = (self.price + moved).saturating_sub(6).max(100);
        let number = match kind {
            Kind::Trade => 3,
            Kind::BboQuote => 2,
            Kind::L2Snapshot => 1,
            Kind::AggregateBar => 12,
        };
        // The collector sees one event after the other, each a while after it happened.
        let happened = if kind == Kind::AggregateBar { OPEN + self.sequence * 60 * SECOND } else { self.at };
        self.seen = (self.seen + 1).max(happened + 1800 + self.random.below(400_000));
        let seen = if kind == Kind::AggregateBar { at.clone() } else { self.stamp(self.seen, 1) };
        write!(line, "{{\"timestamp\":\"{seen}\",\"symbol\":\"{symbol}\",\"type\":{number},\"payload\":")?;
        match kind {
            Kind::Trade => self.trade(line, &at)?,
            Kind::BboQuote => self.quote(line, &at)?,
            Kind::L2Snapshot => self.book(line, &at)?,
            Kind::AggregateBar => self.bar(line, &at)?,
        }
        let latency = 300 + self.random.below(20_000);
        let received = self.stamp(self.seen + latency, 1);
        writeln!(
            line,
            ",\"sequence\":{},\"source\":\"ALPACA\",\"schemaVersion\":1,\"tier\":0,\"receivedAtUtc\":\"{received}\"}}",
            self.sequence
        )?;
        Ok(())
    }

    fn trade(&mut self, line: &mut String, at: &str) -> Result<()> {
        let size = 1 + self.random.few(2000);
        // Two in five are executed inside the spread, at fractions of a cent.
        let inside = if self.random.below(5) < 2 { format!("{:02}", 1 + self.random.below(99)) } else { String::new() };
        let venue = VENUES.iter().cycle().nth(usize::try_from(self.random.few(8))?).unwrap_or(&"XNAS");
        write!(
            line,
            "{{\"kind\":\"trade\",\"timestamp\":\"{at}\",\"symbol\":\"{}\",\"price\":{}{inside},\"size\":{size},\"aggressor\":{},\
             \"sequenceNumber\":{},\"venue\":\"{venue}\"}}",
            self.file.symbol,
            money(self.price),
            1 + self.random.below(2),
            self.exchange,
        )?;
        Ok(())
    }

    fn quote(&mut self, line: &mut String, at: &str) -> Result<()> {
        let spread = 1 + self.random.few(3);
        let (bid, ask) = (self.price, self.price + spread);
        write!(
            line,
            "{{\"kind\":\"bbo\",\"timestamp\":\"{at}\",\"symbol\":\"{}\",\"bidPrice\":{},\"bidSize\":{},\"askPrice\":{},\
             \"askSize\":{},\"midPrice\":{}.{:03},\"spread\":{},\"sequenceNumber\":{},\"venue\":\"XNAS\"}}",
            self.file.symbol,
            money(bid),
            1 + self.random.few(4000),
            money(ask),
            1 + self.random.few(4000),
            (bid + ask) / 200,
            (bid + ask) % 200 * 5,
            money(spread),
            self.exchange,
        )?;
        Ok(())
    }

    /// A book in which most sizes differ from those of the one before.
    fn book(&mut self, line: &mut String, at: &str) -> Result<()> {
        for _ in 0..12 {
            let (level, size) = (usize::try_from(self.random.below(10))?, 1 + self.random.below(200_000));
            if let Some(slot) = self.sizes.get_mut(level) {
                *slot = size;
            }
        }
        let head = (at, self.file.symbol);
        write!(line, "{{\"kind\":\"l2\",\"timestamp\":\"{}\",\"symbol\":\"{}\"", head.0, head.1)?;
        for (side, (name, sizes)) in ["bids", "asks"].iter().zip(self.sizes.chunks(DEPTH)).enumerate() {
            write!(line, ",\"{name}\":[")?;
            let mut away = 0;
            for (level, size) in sizes.iter().enumerate() {
                away += 1 + self.random.few(4);
                let price = money(if side == 0 { self.price.saturating_sub(away) } else { self.price + away });
                let comma = if level == 0 { "" } else { "," };
                let size = money(*size);
                write!(line, "{comma}{{\"side\":{side},\"level\":{level},\"price\":{price},\"size\":{size}}}")?;
            }
            line.push(']');
        }
        write!(line, ",\"marketState\":0,\"sequenceNumber\":{}}}", self.exchange)?;
        Ok(())
    }

    fn bar(&mut self, line: &mut String, at: &str) -> Result<()> {
        let end = self.stamp(OPEN + self.sequence * 60 * SECOND, SECOND);
        let open = self.price;
        let close = (open + self.random.below(21)).saturating_sub(10).max(1);
        let (high, low) =
            (open.max(close) + self.random.below(8), open.min(close).saturating_sub(self.random.below(8)));
        self.price = close;
        write!(
            line,
            "{{\"kind\":\"aggregate_bar\",\"symbol\":\"{}\",\"startTime\":\"{at}\",\"endTime\":\"{end}\",\"open\":{},\"high\":{},\
             \"low\":{},\"close\":{},\"volume\":{},\"vwap\":{},\"tradeCount\":{},\"timeframe\":1,\"source\":\"ALPACA\",\
             \"sequenceNumber\":{}}}",
            self.file.symbol,
            money(open),
            money(high),
            money(low),
            money(close),
            1000 + self.random.below(90_000),
            money((high + low) / 2),
            10 + self.random.below(900),
            self.sequence,
        )?;
        Ok(())
    }

    /// The time of the day in ticks as the collector writes it, no finer than `unit`.
    fn stamp(&self, at: u64, unit: u64) -> String {
        let day = 86_400 * SECOND;
        let (date, at) = (self.file.date + Days::new(at / day), at % day);
        let (second, fraction) = (at / SECOND, at % SECOND);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let fraction = match unit {
            1 => format!(".{fraction:07}"),
            10 => format!(".{:06}", fraction / 10),
            _ => String::new(),
        };
        format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}+00:00")
    }
}

/// Hundredths as a decimal number.
fn money(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
