//! What was found.

use std::collections::BTreeMap;
use std::fmt;

use fxd::Scale;

use super::gaps::Gaps;
use crate::convert::Where;
use crate::market::NotCovered;
use crate::resample::Timeframe;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A row or file that cannot be read: NaN, text, too few fields, a damaged file.
    Unreadable,
    /// A volume below zero.
    NegativeVolume,
    /// A price below zero.
    NegativePrice,
    /// High is below low, open or close; or low is above open or close.
    Ohlc,
    /// A bar without volume.
    ZeroVolume,
    /// A bar that does not begin where bars of its timeframe begin.
    Alignment,
    /// A bar of another month than its file's name says.
    Month,
    /// Two bars of a series at one time.
    Duplicate,
    /// A bar that is earlier than the one before it.
    Order,
    /// A gap that nothing explains.
    Gap,
    /// A bar that the raw data has no bars for.
    Extra,
    /// Raw bars of which no bar was made.
    Missing,
    /// A volume that is not that of the raw bars.
    Volume,
    /// A price that is not that of the raw bars.
    Price,
    /// Raw data that cannot be read.
    Raw,
}

impl Kind {
    /// All of them, in the order of a report.
    pub const ALL: [Self; 15] = [
        Self::Unreadable,
        Self::Order,
        Self::Duplicate,
        Self::Ohlc,
        Self::NegativePrice,
        Self::NegativeVolume,
        Self::ZeroVolume,
        Self::Alignment,
        Self::Month,
        Self::Gap,
        Self::Volume,
        Self::Price,
        Self::Missing,
        Self::Extra,
        Self::Raw,
    ];

    /// What a report calls it, in `kebab-case`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NegativeVolume => "negative-volume",
            Self::NegativePrice => "negative-price",
            Self::Ohlc => "ohlc",
            Self::ZeroVolume => "zero-volume",
            Self::Alignment => "alignment",
            Self::Month => "month",
            Self::Duplicate => "duplicate",
            Self::Order => "order",
            Self::Gap => "gap",
            Self::Extra => "extra",
            Self::Missing => "missing",
            Self::Volume => "volume",
            Self::Price => "price",
            Self::Raw => "raw",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What about.
    pub kind: Kind,
    /// The symbol, where it is known.
    pub symbol: String,
    /// Where.
    pub place: Where,
    /// The bar's time, where it is known, in nanoseconds since the Unix epoch.
    pub ts: Option<u64>,
    /// What is there and what was expected.
    pub what: String,
}

/// Bars held against the raw bars that they are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeCheck {
    /// The volume of the bars, at the report's scale.
    pub bars: u128,
    /// The volume of the raw bars.
    pub raw: u128,
    /// How many raw bars there are.
    pub raw_bars: u64,
}

/// What was found in the files of a symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The symbol, as the directory or the files' names say it.
    pub symbol: String,
    /// The timeframe that was asked for, that names say, or that the bars have.
    pub timeframe: Option<Timeframe>,
    /// Files that were read.
    pub files: u64,
    /// Bars that could be read.
    pub bars: u64,
    /// Of them those that are flagged as made up.
    pub filled: u64,
    /// Bars without volume, whether that is a finding or not.
    pub zero_volume: u64,
    /// The first bar's time.
    pub first: Option<u64>,
    /// The last bar's time.
    pub last: Option<u64>,
    /// How often each kind was found.
    pub counts: BTreeMap<Kind, u64>,
    /// The first findings of each kind.
    pub findings: Vec<Finding>,
    /// Gaps of each series, and why.
    pub gaps: Vec<Gaps>,
    /// The check against raw data, where it was asked for.
    pub volume: Option<VolumeCheck>,
    /// Decimals of volumes.
    pub volume_scale: Scale,
    /// What explained gaps: the calendar's name, halts, how long no trade may be.
    pub explained_by: String,
    /// Why the calendar could not be used.
    pub not_covered: Option<NotCovered>,
}

impl Report {
    /// How much was found.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// Findings as they come: all are counted, the first of each kind kept.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) counts: BTreeMap<Kind, u64>,
    pub(super) kept: Vec<Finding>,
    pub(super) most: u64,
}

impl Findings {
    pub(super) fn add(&mut self, kind: Kind, finding: impl FnOnce() -> Finding) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= self.most {
            self.kept.push(finding());
        }
    }
}
