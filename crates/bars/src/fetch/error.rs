//! What can go wrong with fetching.

use std::io;
use std::path::{Path, PathBuf};

/// Bars could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There is no key, or it cannot be one. It is never repeated.
    #[error("{0}")]
    Key(&'static str),
    /// The request makes no sense.
    #[error("{0}")]
    Request(String),
    /// The API refused.
    #[error("{doing}: the API answered {status}: {message}")]
    Api {
        /// What was asked.
        doing: String,
        /// The HTTP status.
        status: u16,
        /// The API's word for the case, if it gave one.
        case: Option<String>,
        /// What it says.
        message: String,
    },
    /// The API could not be reached, or the connection broke.
    #[error("{doing}: {why}")]
    Network {
        /// What was asked.
        doing: String,
        /// Why, without the key.
        why: String,
    },
    /// The answer is not what was asked for.
    #[error("{doing}: {why}")]
    Answer {
        /// What was asked.
        doing: String,
        /// What came and what was expected.
        why: String,
    },
    /// The answer was not what was asked for, again and again.
    #[error("{doing}: {why}")]
    Wrong {
        /// What was asked.
        doing: String,
        /// What came and what was expected.
        why: String,
    },
    /// The dataset has no such symbol.
    #[error("{dataset} has no {stype} \"{symbol}\" from {start} to {end}")]
    NoSymbol {
        /// The symbol.
        symbol: String,
        /// The dataset.
        dataset: String,
        /// The kind of symbol.
        stype: String,
        /// The first day.
        start: String,
        /// The day behind the last.
        end: String,
    },
    /// It would cost more than is allowed.
    #[error("the data cost {cost:.4} US dollars, more than {most}: nothing was bought")]
    Cost {
        /// What it would cost.
        cost: f64,
        /// What it may.
        most: f64,
    },
    /// To ask again for what came wrong or broke off could cost more than is allowed.
    #[error("{doing}: {why}; to ask for it again could cost more than {most} US dollars in all")]
    Spent {
        /// What was asked.
        doing: String,
        /// What came.
        why: String,
        /// What it may cost.
        most: f64,
    },
    /// The directory holds something else.
    #[error("{}: it holds {there}, expected {asked}: give another directory", path.display())]
    Taken {
        /// The file that says so.
        path: PathBuf,
        /// What the directory is of.
        there: String,
        /// What was asked for.
        asked: String,
    },
    /// A file is there that was not fetched.
    #[error("{}: it was not fetched: move it away, or replace it with --replace", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
    /// The file that says what was fetched cannot be read.
    #[error("{}: {why}: mend it, or delete it and fetch with --replace, which buys every month again", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody asked for it to stop.
    #[error("interrupted")]
    Interrupted,
}

impl FetchError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// What the client says, without what could hold the key.
    pub(super) fn of(doing: &str, key: &str, error: databento::Error) -> Self {
        let doing = doing.to_owned();
        // A server may repeat what it was sent.
        let shown = |text: String| crate::problem::shown_at_length(&without_key(&text, key));
        match error {
            databento::Error::Api(error) => {
                Self::Api { doing, status: error.status_code.as_u16(), case: error.case, message: shown(error.message) }
            }
            databento::Error::Http(error) => {
                let timeout = if error.is_timeout() { "it takes too long: " } else { "" };
                let to = error.url().map_or(String::new(), |url| format!("{}: ", url.origin().ascii_serialization()));
                Self::Network { doing, why: shown(format!("{to}{timeout}{}", causes(&error.without_url()))) }
            }
            // What the connection says, or what unpacks the answer.
            databento::Error::Io(error) if is_of_connection(&error) => {
                Self::Network { doing, why: shown(causes(&error)) }
            }
            databento::Error::Io(error) => {
                let why = shown(format!("the answer is not DBN, or not all of it: {}", causes(&error)));
                Self::Network { doing, why }
            }
            databento::Error::Dbn(error) => {
                Self::Answer { doing, why: shown(format!("not the data that were asked for: {error}")) }
            }
            databento::Error::BadArgument { param_name, desc } if param_name != "key" => {
                Self::Request(format!("{param_name}: {desc}"))
            }
            databento::Error::BadArgument { .. } => Self::Key(NO_KEY),
            databento::Error::Json(_) => {
                Self::Answer { doing, why: "the answer is not what the API gives, expected JSON".to_owned() }
            }
            other => Self::Answer { doing, why: shown(other.to_string()) },
        }
    }

    /// An answer that was wrong too often, as a failure that does not pass.
    pub(super) fn last(self) -> Self {
        match self {
            Self::Answer { doing, why } => Self::Wrong { doing, why },
            other => other,
        }
    }

    /// Whether another try may help.
    pub(super) const fn is_passing(&self) -> bool {
        match self {
            Self::Api { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::Network { .. } | Self::Answer { .. } => true,
            _ => false,
        }
    }
}

pub(super) const NO_KEY: &str =
    "the key is not one of Databento's, expected 32 ASCII characters, as in DATABENTO_API_KEY=db-...";

/// Whether an error comes from the connection.
fn is_of_connection(error: &std::io::Error) -> bool {
    let mut cause = error.get_ref().map(|error| error as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if error.is::<reqwest::Error>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// An error with what it was caused by.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text += ": ";
            text += &more;
        }
        cause = error.source();
    }
    text
}

/// A text in which the key, plain or as HTTP sends it, is not.
fn without_key(text: &str, key: &str) -> String {
    use base64ct::Encoding as _;
    let sent = base64ct::Base64::encode_string(format!("{key}:").as_bytes());
    let without = text.replace(&sent, "(the key)");
    if key.is_empty() { without } else { without.replace(key, "(the key)") }
}
