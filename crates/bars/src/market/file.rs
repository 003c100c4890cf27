//! Calendars that somebody wrote down.

use super::Closure;
use crate::Zone;
use crate::clock::Clock;
use crate::problem::{Place, shown};

/// A line is no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BadSpans {
    /// The line; the first is 1.
    pub line: u64,
    what: String,
}

/// What is closed, from lines `start,end[,why]`: two timestamps, or one date for all of that day in UTC. Blank lines, those that begin
/// with `#` and a first line that is a header are passed over.
///
/// # Errors
/// When a line is not as it should be. Timestamps without a zone are read in `zone`, if one is given.
pub fn closures_of(text: &str, zone: Option<Zone>) -> Result<Vec<Closure>, BadSpans> {
    let mut closures = Vec::new();
    for (line, fields) in lines(text) {
        let (start, end, why) = match fields.as_slice() {
            [day] => (*day, None, "closed"),
            [start, end] => (*start, Some(*end), "closed"),
            [start, end, why, ..] => (*start, Some(*end), *why),
            [] => continue,
        };
        let Some((start, end)) =
            span(start, end, zone).map_err(|what| BadSpans { line, what }).or_else(header(line))?
        else {
            continue;
        };
        closures.push(Closure { start, end, why: why.to_owned() });
    }
    closures.sort();
    Ok(closures)
}

/// What is closed between sessions, from lines `open,close` or `date,open,close`; and from the first session to the last.
///
/// # Errors
/// As [`closures_of`], and when sessions overlap.
pub fn sessions_of(text: &str, zone: Option<Zone>) -> Result<Vec<Closure>, BadSpans> {
    let mut sessions = Vec::new();
    for (line, fields) in lines(text) {
        let (start, end) = match fields.as_slice() {
            [start, end] | [_, start, end, ..] => (*start, *end),
            _ => return Err(BadSpans { line, what: "expected open,close or date,open,close".to_owned() }),
        };
        let found = span(start, Some(end), zone).map_err(|what| BadSpans { line, what }).or_else(header(line))?;
        sessions.extend(found.map(|(start, end)| (start, end, line)));
    }
    sessions.sort_unstable();
    let mut closures = Vec::new();
    for pair in sessions.windows(2) {
        let [(_, close, _), (open, _, line)] = pair else { continue };
        if close > open {
            return Err(BadSpans { line: *line, what: "the session begins before another has ended".to_owned() });
        }
        if close < open {
            closures.push(Closure { start: *close, end: *open, why: "closed".to_owned() });
        }
    }
    if let (Some((first, ..)), Some((_, last, _))) = (sessions.first(), sessions.last()) {
        closures.insert(0, Closure { start: 0, end: *first, why: "before the calendar".to_owned() });
        closures.push(Closure { start: *last, end: u64::MAX, why: "after the calendar".to_owned() });
    }
    Ok(closures)
}

fn lines(text: &str) -> impl Iterator<Item = (u64, Vec<&str>)> {
    let numbered = (1_u64..).zip(text.trim_start_matches('\u{feff}').lines());
    let told = numbered.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    told.map(|(number, line)| (number, line.splitn(3, ',').map(str::trim).collect()))
}

/// Lets a first line be a header.
fn header(line: u64) -> impl FnOnce(BadSpans) -> Result<Option<(u64, u64)>, BadSpans> {
    move |error| if line == 1 { Ok(None) } else { Err(error) }
}

fn span(start: &str, end: Option<&str>, zone: Option<Zone>) -> Result<Option<(u64, u64)>, String> {
    let mut clock = Clock::new(zone, None);
    let read = |text: &str, clock: &mut Clock| {
        clock.read(text.as_bytes(), Place::Line(1)).map_err(|problem| problem.to_string())
    };
    let Some(end) = end else {
        let midnight = Clock::new(Some(Zone::UTC), None).read(start.as_bytes(), Place::Line(1));
        let start = midnight.map_err(|problem| problem.to_string())?;
        return Ok(Some((start, start.saturating_add(crate::calendar::DAY))));
    };
    let (from, to) = (read(start, &mut clock)?, read(end, &mut clock)?);
    if from >= to {
        return Err(format!("{} is not before {}", shown(start.as_bytes()), shown(end.as_bytes())));
    }
    Ok(Some((from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_doubtful_ones_refused() {
        let text =
            "start,end,why\n# a comment\n2020-03-09T13:34:00Z,2020-03-09T13:49:00Z,circuit breaker\n2025-01-09\n";
        let closures = closures_of(text, None).unwrap();
        assert_eq!(closures.len(), 2);
        assert_eq!(
            (closures[0].end - closures[0].start, closures[0].why.as_str()),
            (900_000_000_000, "circuit breaker")
        );
        assert_eq!(closures[1].end - closures[1].start, crate::calendar::DAY);
        for (text, what) in [
            ("a,b\n2020-03-09T13:49:00Z,2020-03-09T13:34:00Z", "line 2: 2020"),
            ("a,b\n2020-03-09T13:49:00,2020-03-09T13:54:00", "no time zone"),
            ("a,b\nnever,2020-03-09T13:54:00Z", "never"),
        ] {
            let error = closures_of(text, None).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        let sessions = "date,open_utc,close_utc\n2024-07-02,2024-07-02T13:30:00Z,2024-07-02T20:00:00Z\n2024-07-03,2024-07-03T13:30:00Z,2024-07-03T17:00:00Z\n";
        let closures = sessions_of(sessions, None).unwrap();
        assert_eq!(closures.len(), 3);
        assert_eq!(closures[1].end - closures[1].start, 63_000_000_000_000);
        sessions_of(&(sessions.to_owned() + "2024-07-03,2024-07-03T16:30:00Z,2024-07-03T18:00:00Z\n"), None)
            .unwrap_err();
    }
}
