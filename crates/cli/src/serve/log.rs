//! The log: a line for each event on standard error, as text or as JSON.
//!
//! What clients send comes into it, so a line holds nothing that speaks to a terminal or ends the line: such characters are
//! escaped, in the text and in the JSON.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::args::serve::{LogFormat, LogLevel};

/// Begins to log.
pub(super) fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // Only the first one in a process has an effect, and there is no other.
    let _ = tracing_subscriber::registry().with(Lines(format).with_filter(level)).try_init();
    // What a panic says may come from a request, too.
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(at, "a panic");
    }));
}

struct Lines(LogFormat);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (level, target) = (event.metadata().level().as_str(), event.metadata().target());
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let line = match self.0 {
            LogFormat::Text => text(&time, level, fields),
            LogFormat::Json => json(&time, level, target, fields),
        };
        // In one piece, so that lines of several threads do not mix. A log that nobody can read is no reason to end.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }
}

/// What an event says.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        match value {
            Value::String(text) if field.name() == "message" => self.message = text,
            value => self.others.push((field.name(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }
}

/// Whether a character could do something else than be seen.
fn is_active(c: char) -> bool {
    // The standard library escapes what cannot be printed: controls, marks of direction, what is not assigned.
    !matches!(c, '"' | '\\' | '\'') && c.escape_debug().len() > 1
}

fn text(time: &str, level: &str, fields: Fields) -> String {
    let mut line = format!("{time} {level:<5} ");
    let seen = |out: &mut String, text: &str| {
        for c in text.chars() {
            if is_active(c) { out.extend(c.escape_default()) } else { out.push(c) }
        }
    };
    seen(&mut line, &fields.message);
    for (name, value) in fields.others {
        let _ = write!(line, " {name}=");
        match value {
            // Quoted where it could be taken for something else.
            Value::String(text) if text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '=' | '\\')) => {
                line.push_str(&text);
            }
            Value::String(text) => {
                let quoted = Value::String(text).to_string();
                seen(&mut line, &quoted);
            }
            other => line.push_str(&other.to_string()),
        }
    }
    line.push('\n');
    line
}

fn json(time: &str, level: &str, target: &str, fields: Fields) -> String {
    let mut object = Map::new();
    for (name, value) in [("time", time), ("level", level), ("target", target), ("message", &fields.message)] {
        object.insert(name.to_owned(), value.into());
    }
    for (name, value) in fields.others {
        object.insert(name.to_owned(), value);
    }
    let mut line = String::new();
    let mut units = [0; 2];
    for c in Value::Object(object).to_string().chars() {
        if is_active(c) {
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(line, "\\u{unit:04x}");
            }
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const NASTY: &str = "a\u{1b}[2J\n\r\u{7f}\u{9b}31m\u{202e}\u{e0001} \"é\" = \\";

    fn fields() -> Fields {
        Fields {
            message: NASTY.to_owned(),
            others: vec![("path", NASTY.into()), ("plain", "/a/b".into()), ("n", 5.into())],
        }
    }

    #[test]
    fn a_line_of_text_is_one_line_and_speaks_to_nobody() {
        let line = text("T", "INFO", fields());
        assert!(line.trim_end_matches('\n').chars().all(|c| !is_active(c)), "{line:?}");
        assert!(line.ends_with(" plain=/a/b n=5\n") && line.contains("é") && line.contains("\\u{1b}[2J\\n\\r"));
    }

    #[test]
    fn a_line_of_json_is_one_line_and_says_the_same() {
        let line = json("T", "INFO", "t", fields());
        assert!(line.trim_end_matches('\n').chars().all(|c| !is_active(c)), "{line:?}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&read["message"], &read["path"], &read["n"]), (&NASTY.into(), &NASTY.into(), &5.into()));
    }
}
