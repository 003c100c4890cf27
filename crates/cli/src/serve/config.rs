//! The settings of `pdp serve`: options, environment, file and defaults, in this order; and where each comes from.

use std::fmt::{self, Display, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;
use pdp_http::Token;
use pdp_packager::PackagerError;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Visitor};

use crate::args::serve::{Address, LogFormat, LogLevel, Seconds, ServeArgs, Size, host};

/// A value and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Set<T> {
    pub(crate) value: T,
    from: From,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Option(&'static str),
    Environment(&'static str),
    File,
    Default,
}

impl Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => write!(f, "--{name}"),
            Self::Environment(name) => f.write_str(name),
            Self::File => f.write_str("--config"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The settings as they result.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) data_root: Set<PathBuf>,
    pub(crate) packages: Set<PathBuf>,
    pub(crate) listen: Set<Vec<Address>>,
    token_file: Option<Set<PathBuf>>,
    token_in_environment: bool,
    pub(crate) allow_host: Set<Vec<String>>,
    pub(crate) read_only: Set<bool>,
    pub(crate) max_connections: Set<usize>,
    pub(crate) header_timeout: Set<Seconds>,
    pub(crate) max_upload_size: Set<Size>,
    pub(crate) max_packages_size: Option<Set<Size>>,
    pub(crate) jobs: Set<usize>,
    pub(crate) queue: Set<usize>,
    pub(crate) log_format: Set<LogFormat>,
    pub(crate) log_level: Set<LogLevel>,
}

/// The environment's variable with the token itself.
const TOKEN: &str = "PDP_TOKEN";
/// Most bytes of files that are read here.
const LONGEST_FILE: u64 = 1 << 20;

/// The file of settings.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct File {
    data_root: Option<PathBuf>,
    packages: Option<PathBuf>,
    listen: Option<Vec<Parsed<Address>>>,
    token_file: Option<PathBuf>,
    allow_host: Option<Vec<HostName>>,
    read_only: Option<bool>,
    max_connections: Option<usize>,
    header_timeout: Option<Parsed<Seconds>>,
    max_upload_size: Option<Parsed<Size>>,
    max_packages_size: Option<Parsed<Size>>,
    jobs: Option<usize>,
    queue: Option<usize>,
    log_format: Option<LogFormat>,
    log_level: Option<LogLevel>,
}

/// A value in the words of the command line; numbers need no quotes.
#[derive(Debug)]
struct Parsed<T>(T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(Word)?;
        text.parse().map(Self).map_err(|error| D::Error::custom(format_args!("\"{text}\": {error}")))
    }
}

#[derive(Debug)]
struct HostName(String);

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        host(&text).map(Self).map_err(|error| D::Error::custom(format_args!("\"{text}\": {error}")))
    }
}

struct Word;

impl Visitor<'_> for Word {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }
}

fn usage(message: String) -> PackagerError {
    PackagerError::Usage(message)
}

/// Reads a small text file.
fn read(path: &Path, what: &str) -> Result<String, PackagerError> {
    use std::io::Read as _;
    let shown = path.display();
    let mut text = String::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(LONGEST_FILE).read_to_string(&mut text));
    file.map(|_| text).map_err(|error| usage(format!("{what} {shown}: {error}")))
}

impl Config {
    /// Puts together what was given; `data_root` is an option of every command.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub(crate) fn resolve(args: ServeArgs, data_root: PathBuf, given: &ArgMatches) -> Result<Self, PackagerError> {
        let file = match &args.config {
            None => File::default(),
            Some(path) => {
                let text = read(path, "settings file")?;
                toml::from_str(&text)
                    .map_err(|error| usage(format!("settings file {}: {}", path.display(), error.to_string().trim())))?
            }
        };
        let source = |id: &str| given.value_source(id);
        let data_root_given = source("data_root").is_some_and(|source| source != ValueSource::DefaultValue);
        let pick = Pick { given };
        let addresses = |many: Vec<Parsed<Address>>| many.into_iter().map(|one| one.0).collect();
        let hosts = |many: Vec<HostName>| many.into_iter().map(|one| one.0).collect();
        Ok(Self {
            data_root: pick.of(
                ("data-root", "data_root", "PDP_DATA_ROOT"),
                data_root_given.then_some(data_root),
                file.data_root,
                "data".into(),
            ),
            packages: pick.of(
                ("packages", "packages", "PDP_PACKAGES"),
                args.packages,
                file.packages,
                "packages".into(),
            ),
            listen: pick.of(
                ("listen", "listen", "PDP_LISTEN"),
                args.listen,
                file.listen.map(addresses),
                vec![Address::Loopback(8080)],
            ),
            // A variable that is set to nothing is how some programs take one away.
            token_file: pick
                .some(("token-file", "token_file", "PDP_TOKEN_FILE"), args.token_file, file.token_file)
                .filter(|set| matches!(set.from, From::Option(_)) || !set.value.as_os_str().is_empty()),
            token_in_environment: std::env::var_os(TOKEN).is_some_and(|text| !text.is_empty()),
            allow_host: pick.of(
                ("allow-host", "allow_host", "PDP_ALLOW_HOST"),
                args.allow_host,
                file.allow_host.map(hosts),
                Vec::new(),
            ),
            read_only: pick.of(("read-only", "read_only", "PDP_READ_ONLY"), args.read_only, file.read_only, false),
            max_connections: pick.of(
                ("max-connections", "max_connections", "PDP_MAX_CONNECTIONS"),
                args.max_connections,
                file.max_connections,
                8192,
            ),
            header_timeout: pick.of(
                ("header-timeout", "header_timeout", "PDP_HEADER_TIMEOUT"),
                args.header_timeout,
                file.header_timeout.map(|parsed| parsed.0),
                Seconds(Duration::from_secs(10)),
            ),
            max_upload_size: pick.of(
                ("max-upload-size", "max_upload_size", "PDP_MAX_UPLOAD_SIZE"),
                args.max_upload_size,
                file.max_upload_size.map(|parsed| parsed.0),
                Size(64 << 30),
            ),
            max_packages_size: pick.some(
                ("max-packages-size", "max_packages_size", "PDP_MAX_PACKAGES_SIZE"),
                args.max_packages_size,
                file.max_packages_size.map(|parsed| parsed.0),
            ),
            jobs: pick.of(("jobs", "jobs", "PDP_JOBS"), args.jobs, file.jobs, 1),
            queue: pick.of(("queue", "queue", "PDP_QUEUE"), args.queue, file.queue, 16),
            log_format: pick.of(
                ("log-format", "log_format", "PDP_LOG_FORMAT"),
                args.log_format,
                file.log_format,
                LogFormat::Text,
            ),
            log_level: pick.of(
                ("log-level", "log_level", "PDP_LOG_LEVEL"),
                args.log_level,
                file.log_level,
                LogLevel::Info,
            ),
        })
    }

    /// The token, where there is one.
    ///
    /// # Errors
    /// Two are given, one cannot be read, or is none; or there is none although others than this machine can ask.
    pub(crate) fn token(&self) -> Result<Option<Token>, PackagerError> {
        let from_file = |path: &Path| {
            let text = read(path, "token file")?;
            Token::new(text.trim()).map_err(|error| usage(format!("token file {}: {error}", path.display())))
        };
        let token = match (&self.token_file, self.token_in_environment) {
            // Who says it here means it, whatever lies about in the environment.
            (Some(Set { value, from: From::Option(_) }), _) => Some(from_file(value)?),
            (Some(Set { from: From::Environment(name), .. }), true) => {
                return Err(usage(format!("both {TOKEN} and {name} are set; unset one of them")));
            }
            (_, true) => {
                let text = std::env::var(TOKEN).map_err(|_| usage(format!("{TOKEN} is not text")))?;
                Some(Token::new(text.trim()).map_err(|error| usage(format!("{TOKEN}: {error}")))?)
            }
            (Some(Set { value, .. }), false) => Some(from_file(value)?),
            (None, false) => None,
        };
        match self.listen.value.iter().find(|address| !address.is_private()) {
            Some(address) if token.is_none() => Err(usage(format!(
                "{address} can be reached from other machines, so a token is needed: put one of at least {} characters \
                 into a file, for example with 'openssl rand -hex 32 > token.txt', and say --token-file token.txt; or set \
                 {TOKEN}",
                pdp_http::MIN_TOKEN_BYTES
            ))),
            _ => Ok(token),
        }
    }

    /// The settings as a file of settings, with where each comes from; the token is only said to be there.
    pub(crate) fn print(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: Option<toml::Value>, from: From| {
            let text = match value {
                Some(value) => format!("{name} = {value}"),
                None => format!("# {name} is not set"),
            };
            let _ = writeln!(out, "{text:<48}  # {from}");
        };
        let path = |path: &Path| toml::Value::String(path.to_string_lossy().into_owned());
        let text = |value: &dyn Display| toml::Value::String(value.to_string());
        let number = |value: usize| toml::Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
        let list = |values: Vec<String>| toml::Value::Array(values.into_iter().map(toml::Value::String).collect());
        line("data-root", Some(path(&self.data_root.value)), self.data_root.from);
        line("packages", Some(path(&self.packages.value)), self.packages.from);
        let addresses = self.listen.value.iter().map(ToString::to_string).collect();
        line("listen", Some(list(addresses)), self.listen.from);
        match &self.token_file {
            Some(set) => line("token-file", Some(path(&set.value)), set.from),
            None => line("token-file", None, From::Default),
        }
        line("allow-host", Some(list(self.allow_host.value.clone())), self.allow_host.from);
        line("read-only", Some(toml::Value::Boolean(self.read_only.value)), self.read_only.from);
        line("max-connections", Some(number(self.max_connections.value)), self.max_connections.from);
        line("header-timeout", Some(text(&self.header_timeout.value)), self.header_timeout.from);
        line("max-upload-size", Some(text(&self.max_upload_size.value)), self.max_upload_size.from);
        match &self.max_packages_size {
            Some(set) => line("max-packages-size", Some(text(&set.value)), set.from),
            None => line("max-packages-size", None, From::Default),
        }
        line("jobs", Some(number(self.jobs.value)), self.jobs.from);
        line("queue", Some(number(self.queue.value)), self.queue.from);
        line("log-format", Some(text(&self.log_format.value)), self.log_format.from);
        line("log-level", Some(text(&self.log_level.value)), self.log_level.from);
        if self.token_in_environment {
            let _ = writeln!(out, "{:<48}  # {TOKEN}", "# the token is set");
        }
        out
    }
}

/// Chooses among what was given.
struct Pick<'m> {
    given: &'m ArgMatches,
}

impl Pick<'_> {
    fn of<T>(
        &self,
        names: (&'static str, &'static str, &'static str),
        given: Option<T>,
        file: Option<T>,
        default: T,
    ) -> Set<T> {
        self.some(names, given, file).unwrap_or(Set { value: default, from: From::Default })
    }

    /// `names` are those of the option, of its argument, and of the environment's variable.
    fn some<T>(
        &self,
        (option, id, variable): (&'static str, &'static str, &'static str),
        given: Option<T>,
        file: Option<T>,
    ) -> Option<Set<T>> {
        let from = match self.given.value_source(id) {
            Some(ValueSource::EnvVariable) => From::Environment(variable),
            _ => From::Option(option),
        };
        let given = given.map(|value| Set { value, from });
        given.or_else(|| file.map(|value| Set { value, from: From::File }))
    }
}
