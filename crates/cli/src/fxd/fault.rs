//! What errors of stores and of files of bars mean for the way a program ends.

use std::io;

use fxd::{BadBarReason, FxdError};
use pdp_bars::convert::ConvertError;
use pdp_bars::fetch::FetchError;
use pdp_bars::{BarsError, Problem};
use pdp_packager::ErrorKind;

/// An error of a store or of a file of bars.
pub(crate) enum Fault<'e> {
    Store(&'e FxdError),
    Bars(&'e BarsError),
    Convert(&'e ConvertError),
    Fetch(&'e FetchError),
}

impl<'e> Fault<'e> {
    /// The error, if it is one of these.
    pub(crate) fn of(error: &'e anyhow::Error) -> Option<Self> {
        let convert = error.downcast_ref().map(|error| match error {
            ConvertError::Bars(error) => Self::Bars(error),
            ConvertError::Store(error) => Self::Store(error),
            error => Self::Convert(error),
        });
        let convert = convert.or_else(|| error.downcast_ref().map(Self::Fetch));
        convert.or_else(|| error.downcast_ref().map(Self::Store)).or_else(|| error.downcast_ref().map(Self::Bars))
    }

    /// What kind of end it is.
    pub(crate) fn kind(&self) -> ErrorKind {
        let io = |error: &io::Error| match error.kind() {
            io::ErrorKind::NotFound => ErrorKind::NotFound,
            _ => ErrorKind::Failed,
        };
        match self {
            Self::Store(FxdError::Io { source, .. }) => io(source),
            Self::Store(FxdError::NoSymbol { .. }) => ErrorKind::NotFound,
            Self::Store(
                FxdError::NotFxd { .. }
                | FxdError::UnsupportedVersion { .. }
                | FxdError::UnsupportedFeature { .. }
                | FxdError::Damaged { .. },
            ) => ErrorKind::Invalid,
            // What a compressed file that is damaged gives.
            Self::Bars(BarsError::Read { source, .. })
                if matches!(
                    source.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof
                ) =>
            {
                ErrorKind::Invalid
            }
            Self::Bars(BarsError::Read { source, .. }) => io(source),
            Self::Bars(BarsError::Row { problem: Problem::NoZone { .. } | Problem::NoSymbol, .. }) => ErrorKind::Usage,
            Self::Bars(BarsError::Row { .. } | BarsError::File { .. }) => ErrorKind::Invalid,
            Self::Convert(
                ConvertError::StepBack { .. }
                | ConvertError::Duplicate { .. }
                | ConvertError::Publishers { .. }
                | ConvertError::Taken { .. },
            ) => ErrorKind::Invalid,
            Self::Convert(ConvertError::Interrupted) | Self::Fetch(FetchError::Interrupted) => ErrorKind::Interrupted,
            Self::Fetch(
                FetchError::Key(_) | FetchError::Request(_) | FetchError::Taken { .. } | FetchError::Unknown { .. },
            ) => ErrorKind::Usage,
            Self::Fetch(FetchError::NoSymbol { .. } | FetchError::Api { status: 404, .. }) => ErrorKind::NotFound,
            Self::Fetch(FetchError::Api { status: 400 | 422, .. }) => ErrorKind::Usage,
            Self::Fetch(FetchError::State { .. }) => ErrorKind::Invalid,
            Self::Convert(ConvertError::Scale { .. }) => ErrorKind::Invalid,
            _ => ErrorKind::Failed,
        }
    }

    /// What the message says; these errors name their causes themselves.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Store(error) => error.to_string(),
            Self::Bars(error) => error.to_string(),
            Self::Convert(error) => error.to_string(),
            Self::Fetch(error) => error.to_string(),
        }
    }

    /// A failure to write rows.
    pub(crate) fn output(&self) -> Option<&'e io::Error> {
        match self {
            Self::Bars(BarsError::Write(error)) => Some(error),
            _ => None,
        }
    }

    /// What a person can do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Store(FxdError::Exists { .. }) => Some("give another name, or --overwrite where the command has it"),
            Self::Store(FxdError::Damaged { .. }) => {
                Some("`fx-store verify --checksums` shows what is wrong, `fx-store repair` saves what can be saved")
            }
            Self::Store(FxdError::Bar(bad)) => match bad.why {
                BadBarReason::DoesNotFit { .. } => Some("versions 3 and 4 of the format hold any value of 64 bits"),
                _ => None,
            },
            Self::Store(FxdError::Refused(why)) if why.contains("decimals of prices and volumes is lost") => Some(
                "--price-scale and --volume-scale say them; stores made without them have 5 and 0, or more where the data did",
            ),
            Self::Bars(BarsError::Row { problem: Problem::Value { field, expected, .. }, .. })
                if field != "timestamp"
                    && (expected.starts_with("a price from") || expected.starts_with("a volume from")) =>
            {
                Some(
                    "in `pdp fxd convert` fewer decimals (--price-scale, --volume-scale) leave more before the point; versions 3 and 4 of the format \
                     hold 64 bits, 1 and 2 hold 32",
                )
            }
            Self::Bars(BarsError::Row { problem: Problem::Decimals { .. }, .. }) => Some(
                "`pdp fxd convert` has --price-scale and --volume-scale for up to 18 decimals; `pdp bars` takes those of the data, up to 12",
            ),
            Self::Bars(BarsError::Unwritable { why, .. }) if why.contains("column of flags") => {
                Some("--flags writes the column of flags")
            }
            Self::Bars(BarsError::File { why, .. }) if why.contains("says no kind of file") => {
                Some("--from says what kind of file it is")
            }
            Self::Convert(ConvertError::StepBack { .. }) => Some(
                "`pdp fxd convert --sort` and `pdp bars import` take rows in any order; --on-duplicate says what becomes of repeated times",
            ),
            Self::Fetch(FetchError::Key(_)) => {
                Some("put DATABENTO_API_KEY=db-... into the environment or a file .env here")
            }
            Self::Fetch(FetchError::Api { status: 401, .. }) => {
                Some("the key is wrong or was revoked: see DATABENTO_API_KEY in the environment or in .env")
            }
            Self::Fetch(FetchError::Spent { .. }) => {
                Some("--max-cost allows more; what `pdp bars fetch` has fetched is kept, and it goes on from there")
            }
            Self::Fetch(FetchError::Cost { .. }) => {
                Some("--dry-run shows what each month costs; --max-cost allows more")
            }
            Self::Fetch(FetchError::NoSymbol { .. }) => {
                Some("`pdp bars symbols` says on which days a symbol is there; --stype says what kind of symbol it is")
            }
            Self::Fetch(FetchError::Network { .. } | FetchError::Answer { .. } | FetchError::Wrong { .. }) => {
                Some("try again; months that `pdp bars fetch` has fetched are kept, and it goes on from there")
            }
            Self::Convert(ConvertError::Duplicate { .. }) => {
                Some("--on-duplicate first or last keeps one of them, identical one of equal ones")
            }
            _ => None,
        }
    }
}
