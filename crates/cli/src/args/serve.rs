//! The arguments of `pdp serve`, and the types of its settings.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{BoolishValueParser, OsStringValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::values::{parse, size};

/// What is not given here, nor in the environment, comes from the file, or has a default.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ServeArgs {
    /// Where the packages are that are served [default: packages]
    #[arg(long, value_name = "DIR", env = "PDP_PACKAGES", hide_env_values = true)]
    pub(crate) packages: Option<PathBuf>,
    /// Where to listen: an address with a port (0 for any that is free), or a port alone for this machine only; may be given
    /// several times, or as a list separated by commas [default: localhost:8080]
    #[arg(long, value_name = "ADDRESS", env = "PDP_LISTEN", value_delimiter = ',', value_parser = parse::<Address>, hide_env_values = true)]
    pub(crate) listen: Option<Vec<Address>>,
    /// A file that holds the token that requests must bring; or put the token itself into PDP_TOKEN. Without one, only this
    /// machine can be listened to
    #[arg(long, value_name = "FILE", env = "PDP_TOKEN_FILE", value_parser = OsStringValueParser::new().map(PathBuf::from), hide_env_values = true)]
    pub(crate) token_file: Option<PathBuf>,
    /// A further name that requests may be addressed to, with or without a port: that of a proxy, for example; may be given
    /// several times
    #[arg(long, value_name = "NAME", env = "PDP_ALLOW_HOST", value_delimiter = ',', value_parser = host, hide_env_values = true)]
    pub(crate) allow_host: Option<Vec<String>>,
    /// Change nothing: no package is created, uploaded, imported or deleted
    #[arg(long, value_name = "BOOL", env = "PDP_READ_ONLY", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = BoolishValueParser::new(), hide_env_values = true, hide_possible_values = true)]
    pub(crate) read_only: Option<bool>,
    /// Most connections at once; who has asked nothing gives way to who asks [default: 8192]
    #[arg(long, value_name = "N", env = "PDP_MAX_CONNECTIONS", help_heading = "Limits", hide_env_values = true)]
    pub(crate) max_connections: Option<usize>,
    /// How long the head of a request may take, such as 10s [default: 10s]
    #[arg(long, value_name = "TIME", env = "PDP_HEADER_TIMEOUT", value_parser = parse::<Seconds>, help_heading = "Limits", hide_env_values = true)]
    pub(crate) header_timeout: Option<Seconds>,
    /// Most bytes of an uploaded package, such as 20GB [default: 64GiB]
    #[arg(long, value_name = "SIZE", env = "PDP_MAX_UPLOAD_SIZE", value_parser = parse::<Size>, help_heading = "Limits", hide_env_values = true)]
    pub(crate) max_upload_size: Option<Size>,
    /// Most bytes of all packages together, above which none is created or uploaded [default: no limit]
    #[arg(long, value_name = "SIZE", env = "PDP_MAX_PACKAGES_SIZE", value_parser = parse::<Size>, help_heading = "Limits", hide_env_values = true)]
    pub(crate) max_packages_size: Option<Size>,
    /// How many packages are created, imported or validated at once [default: 1]
    #[arg(long, value_name = "N", env = "PDP_JOBS", help_heading = "Limits", hide_env_values = true)]
    pub(crate) jobs: Option<usize>,
    /// How many of these wait for their turn before more are refused [default: 16]
    #[arg(long, value_name = "N", env = "PDP_QUEUE", help_heading = "Limits", hide_env_values = true)]
    pub(crate) queue: Option<usize>,
    /// The log on standard error: text, json (an object a line) [default: text]
    #[arg(
        long,
        value_name = "FORMAT",
        env = "PDP_LOG_FORMAT",
        value_enum,
        hide_possible_values = true,
        help_heading = "Log",
        hide_env_values = true
    )]
    pub(crate) log_format: Option<LogFormat>,
    /// The least that is logged: off, error, warn, info (every request), debug, trace [default: info]
    #[arg(
        long,
        value_name = "LEVEL",
        env = "PDP_LOG_LEVEL",
        value_enum,
        hide_possible_values = true,
        help_heading = "Log",
        hide_env_values = true
    )]
    pub(crate) log_level: Option<LogLevel>,
    /// A file of settings in TOML, under the names that they have here
    #[arg(long, value_name = "FILE", env = "PDP_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,
    /// Print the settings as they result, each with where it comes from, and end
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Open the page in the browser
    #[arg(long)]
    pub(crate) open: bool,
}

const AFTER_HELP: &str = "\
An option wins over the environment, which wins over the file (--config). Only this machine can
reach the server unless --listen says otherwise; then a token is needed:

  pdp serve --open
  pdp serve --listen 192.168.1.5:8080 --token-file token.txt
  pdp serve --allow-host pdp.example.org --token-file token.txt      behind a proxy with TLS

Ctrl-C ends the server when the requests in flight are answered; a second one ends it at once.";

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// There.
    At(SocketAddr),
    /// On this machine's loopback, in both families.
    Loopback(u16),
}

impl Address {
    /// Whether only this machine reaches it.
    pub(crate) fn is_private(self) -> bool {
        match self {
            Self::At(address) => address.ip().is_loopback(),
            Self::Loopback(_) => true,
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = text.strip_prefix("localhost:").unwrap_or(text);
        if let Ok(port) = port.parse() {
            return Ok(Self::Loopback(port));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self::At(address));
        }
        let hint = match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => format!("; with a port it is {text}:8080"),
            Ok(IpAddr::V6(_)) => format!("; with a port it is [{text}]:8080"),
            Err(_) => String::new(),
        };
        Err(format!("expected an address and a port, such as 127.0.0.1:8080, [::1]:8080, localhost:8080 or 8080{hint}"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => write!(f, "{address}"),
            Self::Loopback(port) => write!(f, "localhost:{port}"),
        }
    }
}

/// A time span: seconds, or with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) Duration);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected a time of at most a day such as 10s, 500ms or 2m";
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor: u64 = match unit.trim() {
            "ms" => 1,
            "" | "s" => 1000,
            "m" | "min" => 60 * 1000,
            "h" => 60 * 60 * 1000,
            _ => return Err(expected),
        };
        let ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or(expected)?;
        if (1..=24 * 60 * 60 * 1000).contains(&ms) { Ok(Self(Duration::from_millis(ms))) } else { Err(expected) }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{}s", self.0.as_secs()),
            _ => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        size(text).map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 7] = [
            (1 << 40, "TiB"),
            (1_000_000_000_000, "TB"),
            (1 << 30, "GiB"),
            (1_000_000_000, "GB"),
            (1 << 20, "MiB"),
            (1_000_000, "MB"),
            (1 << 10, "KiB"),
        ];
        let whole = |(unit, _): &&(u64, &str)| self.0 > 0 && self.0.is_multiple_of(*unit);
        if let Some((unit, name)) = UNITS.iter().find(whole) {
            return write!(f, "{}{name}", self.0 / unit);
        }
        write!(f, "{}", self.0)
    }
}

/// A name that requests may be addressed to.
pub(crate) fn host(text: &str) -> Result<String, String> {
    if pdp_http::is_host_name(text) {
        return Ok(text.to_owned());
    }
    Err("expected the name of a host, or its address, with or without a port; no scheme and no path".to_owned())
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// The least that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// As the option has it.
macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default().as_str())
            }
        }
    )*};
}

shown!(LogFormat, LogLevel);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, shown, private) in [
            ("8080", "localhost:8080", true),
            ("localhost:0", "localhost:0", true),
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.8.9.1:80", "127.8.9.1:80", true),
            ("[::1]:80", "[::1]:80", true),
            ("0.0.0.0:80", "0.0.0.0:80", false),
            ("[::]:80", "[::]:80", false),
            ("[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:80", false),
            ("192.168.1.5:80", "192.168.1.5:80", false),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string().as_str(), address.is_private()), (shown, private));
            assert_eq!(address.to_string().parse(), Ok(address));
        }
        for text in ["", "localhost", "example.org:80", "127.0.0.1", "::1", "70000", ":80", "http://localhost:80"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_and_sizes_are_read_as_they_are_shown() {
        for (text, shown) in [("10", "10s"), ("1500ms", "1500ms"), ("2m", "120s"), ("24h", "86400s")] {
            let time: Seconds = text.parse().unwrap();
            assert_eq!(time.to_string(), shown);
            assert_eq!(shown.parse(), Ok(time));
        }
        for text in ["", "0", "-1", "1d", "25h", "s", "99999999999999999999"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
        for (text, shown) in
            [("64GiB", "64GiB"), ("20000MB", "20GB"), ("12345", "12345"), ("1536K", "1536KiB"), ("0", "0")]
        {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), shown);
        }
    }
}
