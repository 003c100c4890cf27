//! What a header's names say of the columns below them.

use std::borrow::Cow;

use super::layout::Role;
use crate::Problem;
use crate::problem::shown;

/// Where a header names what.
#[derive(Debug, Default)]
pub(crate) struct Names {
    timestamp: Vec<usize>,
    date: Vec<usize>,
    time: Vec<usize>,
    named: Vec<(usize, Role)>,
    /// The first column whose name only looks like a volume's.
    like_volume: Option<usize>,
    instrument: Option<usize>,
    ts_event: bool,
    publisher: bool,
}

impl Names {
    pub(crate) fn of(fields: &[Cow<'_, [u8]>]) -> Self {
        let mut names = Self::default();
        for (at, field) in fields.iter().enumerate() {
            let name = String::from_utf8_lossy(field).trim().trim_matches(['<', '>']).to_lowercase();
            let role = match name.as_str() {
                "timestamp" | "ts_event" | "datetime" | "date_time" | "open_time" | "opentime" | "open time" | "ts" => {
                    names.ts_event |= name == "ts_event";
                    names.timestamp.push(at);
                    continue;
                }
                "date" => {
                    names.date.push(at);
                    continue;
                }
                "time" => {
                    names.time.push(at);
                    continue;
                }
                "symbol" | "ticker" | "instrument" => Role::Symbol,
                "open" | "o" => Role::Open,
                "high" | "h" => Role::High,
                "low" | "l" => Role::Low,
                "close" | "c" => Role::Close,
                "volume" | "vol" | "v" => Role::Volume,
                "flags" => Role::Flags,
                "rtype" => Role::Kind,
                "publisher_id" => {
                    names.publisher = true;
                    Role::Publisher
                }
                "instrument_id" => {
                    names.instrument = Some(at);
                    continue;
                }
                _ => {
                    if name.contains("volume") && !name.contains("quote") && names.like_volume.is_none() {
                        names.like_volume = Some(at);
                    }
                    continue;
                }
            };
            names.named.push((at, role));
        }
        names
    }

    /// The column of instrument ids.
    pub(crate) const fn instrument(&self) -> Option<usize> {
        self.instrument
    }

    /// Whether these are the names that Databento gives.
    pub(crate) const fn is_databento(&self) -> bool {
        self.ts_event && (self.publisher || self.instrument.is_some())
    }

    /// Whether any is a name that a column of bars has.
    pub(crate) fn are_any(&self) -> bool {
        self.has_time() || !self.named.is_empty()
    }

    fn has(&self, role: Role) -> bool {
        self.named.iter().any(|(_, named)| *named == role)
    }

    /// Whether there is anything to read the time from.
    fn has_time(&self) -> bool {
        !(self.timestamp.is_empty() && self.date.is_empty() && self.time.is_empty())
    }

    /// The columns, if these are the names of a bar's; or why they are not clear.
    pub(crate) fn roles(&self, fields: &[Cow<'_, [u8]>]) -> Result<Option<Vec<Role>>, Problem> {
        let prices = [Role::Open, Role::High, Role::Low, Role::Close];
        if !(self.has_time() && prices.iter().all(|role| self.has(*role))) {
            return Ok(None);
        }
        let mut roles = vec![Role::Other; fields.len()];
        let mut set = |at: usize, role: Role| -> Result<(), Problem> {
            if roles.contains(&role) {
                let name = fields.get(at).map(|field| shown(field)).unwrap_or_default();
                return Err(Problem::Line {
                    expected: format!("one column for each field of a bar, but \"{name}\" is a second of its kind")
                        .into(),
                });
            }
            if let Some(slot) = roles.get_mut(at) {
                *slot = role;
            }
            Ok(())
        };
        let clocks: [(&[usize], Role); 2] =
            match (self.timestamp.as_slice(), self.date.as_slice(), self.time.as_slice()) {
                ([], date, []) => [(date, Role::Timestamp), (&[], Role::Time)],
                ([], [], time) => [(time, Role::Timestamp), (&[], Role::Time)],
                ([], date, time) => [(date, Role::Date), (time, Role::Time)],
                (timestamp, _, _) => [(timestamp, Role::Timestamp), (&[], Role::Time)],
            };
        for (columns, role) in clocks {
            for at in columns {
                set(*at, role)?;
            }
        }
        for (at, role) in &self.named {
            set(*at, *role)?;
        }
        if let Some(at) = self.like_volume.filter(|_| !self.has(Role::Volume)) {
            let name = fields.get(at).map(|field| shown(field)).unwrap_or_default();
            return Err(Problem::Line {
                expected: format!("a column volume, but there is only \"{name}\": name the one that is meant so")
                    .into(),
            });
        }
        Ok(Some(roles))
    }

    /// The error for names that are not all of a bar's.
    pub(crate) fn missing(&self) -> Problem {
        let mut missing: Vec<&str> = Vec::new();
        if !self.has_time() {
            missing.push("timestamp");
        }
        for (role, name) in [(Role::Open, "open"), (Role::High, "high"), (Role::Low, "low"), (Role::Close, "close")] {
            if !self.has(role) {
                missing.push(name);
            }
        }
        Problem::Line {
            expected: format!(
                "names for timestamp, open, high, low and close, but there is none for {}",
                missing.join(", ")
            )
            .into(),
        }
    }
}
