//! Misbehaviour on request.
//!
//! A fault is given to the first requests that it matches, once unless it says otherwise, and then it is used up. A request gets
//! one fault at most: the one that was pushed first.

mod words;

use std::sync::{Arc, Mutex, PoisonError};

use time::Date;

use crate::Endpoint;
use crate::parameters::Parameters;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// The connection is closed after so many bytes of the body, which is left without its end.
    CutAfter(usize),
    /// Nothing is sent for a while.
    Stall {
        /// Not before so many bytes of the body; before the head if there is no number.
        after: Option<usize>,
        /// For how long; for ever if there is no number.
        millis: Option<u64>,
    },
    /// Another status. 429 and 500 come with the API's form of an error, 502 to 504 with the page of a gateway.
    Status {
        /// The status.
        status: u16,
        /// Seconds for the header `Retry-After`.
        retry_after: Option<u32>,
        /// The `case` of an error that has one.
        case: Option<String>,
    },
    /// A page of HTML with status 200.
    Page,
    /// Half of the body, ended as if it were whole. Of a compressed one, whole records can be read until there.
    Truncated,
    /// A record before the range and one after it, with those that were asked for.
    Outside,
    /// The second half of the records belongs to another instrument.
    OtherSymbol,
    /// The metadata only, with no records.
    NoRecords,
    /// A body of no bytes, with status 200.
    NoBody,
}

impl Effect {
    /// Whether it can only befall the records of `get_range`.
    const fn is_of_records(&self) -> bool {
        matches!(self, Self::Outside | Self::OtherSymbol | Self::NoRecords)
    }
}

/// Something that goes wrong, and with which requests. It can be written as a text, such as
/// `get_range:cut-after=1000:times=2:start=2024-02-01`; see [`Fault::from_str`](std::str::FromStr::from_str).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    effect: Effect,
    endpoint: Option<Endpoint>,
    start: Option<Date>,
    symbol: Option<String>,
    /// For ever if there is no number.
    times: Option<u32>,
}

impl Fault {
    /// This effect on the next request to `timeseries.get_range`.
    #[must_use]
    pub const fn new(effect: Effect) -> Self {
        Self { effect, endpoint: Some(Endpoint::GetRange), start: None, symbol: None, times: Some(1) }
    }

    /// [`Effect::CutAfter`].
    #[must_use]
    pub const fn cut_after(bytes: usize) -> Self {
        Self::new(Effect::CutAfter(bytes))
    }

    /// [`Effect::Stall`] before the head of the answer, for so many milliseconds or for ever.
    #[must_use]
    pub const fn stall(millis: Option<u64>) -> Self {
        Self::new(Effect::Stall { after: None, millis })
    }

    /// Status 429, to be asked again after so many seconds.
    #[must_use]
    pub const fn too_many_requests(retry_after: u32) -> Self {
        Self::new(Effect::Status { status: 429, retry_after: Some(retry_after), case: None })
    }

    /// [`Effect::Status`] with nothing but the status.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self::new(Effect::Status { status, retry_after: None, case: None })
    }

    /// On requests to this endpoint instead of `timeseries.get_range`.
    #[must_use]
    pub const fn on(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// On requests to any endpoint.
    #[must_use]
    pub const fn on_any(mut self) -> Self {
        self.endpoint = None;
        self
    }

    /// On requests whose range begins on this day.
    #[must_use]
    pub const fn starting(mut self, day: Date) -> Self {
        self.start = Some(day);
        self
    }

    /// On requests that name this symbol.
    #[must_use]
    pub fn of_symbol(mut self, symbol: impl Into<String>) -> Self {
        self.symbol = Some(symbol.into());
        self
    }

    /// On so many requests instead of one.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// On every request from now on.
    #[must_use]
    pub const fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn matches(&self, endpoint: Endpoint, parameters: &Parameters) -> bool {
        self.endpoint.is_none_or(|mine| mine == endpoint)
            && (endpoint == Endpoint::GetRange || !self.effect.is_of_records())
            && self.start.is_none_or(|day| parameters.first_day() == Some(day))
            && self.symbol.as_ref().is_none_or(|symbol| parameters.names(symbol))
    }
}

/// The faults of a server that are still to come. Clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// Adds one behind the others.
    pub fn push(&self, fault: Fault) {
        self.list(|faults| faults.push(fault));
    }

    /// Those that are not used up.
    #[must_use]
    pub fn left(&self) -> Vec<Fault> {
        self.list(|faults| faults.clone())
    }

    /// Takes all away.
    pub fn clear(&self) {
        self.list(Vec::clear);
    }

    /// The one that befalls this request, which is one time less to come.
    pub(crate) fn take(&self, endpoint: Endpoint, parameters: &Parameters) -> Option<Fault> {
        self.list(|faults| {
            let at = faults.iter().position(|fault| fault.matches(endpoint, parameters))?;
            let fault = faults.get_mut(at)?;
            let taken = Fault { times: fault.times.map(|_| 1), ..fault.clone() };
            if let Some(times) = &mut fault.times {
                *times = times.saturating_sub(1);
                if *times == 0 {
                    faults.remove(at);
                }
            }
            Some(taken)
        })
    }

    fn list<T>(&self, change: impl FnOnce(&mut Vec<Fault>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Fault {
    pub(crate) const fn effect(&self) -> &Effect {
        &self.effect
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn a_fault_befalls_what_it_matches_and_is_used_up() {
        let faults = Faults::default();
        faults.push(Fault::status(500).times(2).starting(date!(2024 - 02 - 01)).of_symbol("AAPL"));
        faults.push(Fault::status(503).on_any().always());
        let january = Parameters::of_form(b"start=2024-01-01&symbols=AAPL");
        let february = Parameters::of_form(b"start=1706745600000000000&symbols=MSFT,AAPL");
        let other = Parameters::of_form(b"start=2024-02-01&symbols=MSFT");
        let status = |endpoint, asked| match faults.take(endpoint, asked).map(|fault| fault.effect) {
            Some(Effect::Status { status, .. }) => status,
            _ => 200,
        };
        assert_eq!(status(Endpoint::GetRange, &january), 503);
        assert_eq!(status(Endpoint::GetRange, &other), 503);
        assert_eq!(status(Endpoint::GetCost, &february), 503);
        assert_eq!(status(Endpoint::GetRange, &february), 500);
        assert_eq!(status(Endpoint::GetRange, &february), 500);
        assert_eq!(status(Endpoint::GetRange, &february), 503);
        assert_eq!(faults.left().len(), 1);
        faults.clear();
        faults.push(Fault::new(Effect::NoRecords).on_any());
        assert_eq!(faults.take(Endpoint::GetCost, &january), None);
        assert!(faults.take(Endpoint::GetRange, &january).is_some());
    }
}
