//! What is looked for in the records of a file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::word_enum;

word_enum! {
    /// One thing that is looked for, from the gravest to the lightest.
    Check, "check" {
        /// The file as a whole cannot be read to its end.
        Damaged = "damaged",
        /// The file has no records.
        Empty = "empty",
        /// The last line breaks off and is no record.
        TornLastLine = "tornLastLine",
        /// A line or row that is no record.
        Unparsable = "unparsable",
        /// A record that stands in the file a second time, with the same bytes or values in every field.
        Duplicate = "duplicate",
        /// A record whose time lies before that of the record above it.
        OutOfOrder = "outOfOrder",
        /// A place where sequence numbers are missing.
        SequenceGap = "sequenceGap",
        /// A record with the sequence number of the record above it and other content.
        SequenceRepeat = "sequenceRepeat",
        /// A price below zero.
        NegativePrice = "negativePrice",
        /// A trade or bar with a price of zero.
        ZeroPrice = "zeroPrice",
        /// A size or volume below zero.
        NegativeSize = "negativeSize",
        /// A quote or book whose best bid lies above its best ask.
        CrossedQuote = "crossedQuote",
        /// A bar whose high is not its highest or whose low is not its lowest price.
        InconsistentBar = "inconsistentBar",
        /// A price that leaps away from both its neighbours and back.
        Outlier = "outlier",
    }
}

impl Check {
    /// What a finding of this kind is called, for one and for several of them.
    #[must_use]
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Damaged => ("damaged file", "damaged files"),
            Self::Empty => ("empty file", "empty files"),
            Self::TornLastLine => ("torn last line", "torn last lines"),
            Self::Unparsable => ("unparsable line", "unparsable lines"),
            Self::Duplicate => ("duplicate record", "duplicate records"),
            Self::OutOfOrder => ("step back in time", "steps back in time"),
            Self::SequenceGap => ("sequence gap", "sequence gaps"),
            Self::SequenceRepeat => ("repeated sequence number", "repeated sequence numbers"),
            Self::NegativePrice => ("negative price", "negative prices"),
            Self::ZeroPrice => ("price of zero", "prices of zero"),
            Self::NegativeSize => ("negative size", "negative sizes"),
            Self::CrossedQuote => ("crossed quote", "crossed quotes"),
            Self::InconsistentBar => ("inconsistent bar", "inconsistent bars"),
            Self::Outlier => ("price outlier", "price outliers"),
        }
    }

    /// How it is told, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Damaged => "the file as a whole cannot be read to its end",
            Self::Empty => "the file has no records",
            Self::TornLastLine => "the last line breaks off: it is no record and no newline ends it",
            Self::Unparsable => "a line or row that is no record",
            Self::Duplicate => {
                "a record that stands in the file a second time, byte for byte (in binary formats: with the same \
                 values in every field); compared with the 1,048,576 records before it at least"
            }
            Self::OutOfOrder => {
                "a record whose time lies before that of the record above it, or, in a file of several symbols, before \
                 that of the last record of its symbol"
            }
            Self::SequenceGap => {
                "a place where sequence numbers are missing; numbers that come late fill it. In a file of several symbols \
                 they are those of the file or of each symbol, whichever go by one more often. A file whose numbers \
                 usually jump (more than every tenth step; more than every second where there are fewer than 30) \
                 numbers something else and has no gaps"
            }
            Self::SequenceRepeat => "a record with the sequence number of the record above it and other content",
            Self::NegativePrice => "a record with a price below zero",
            Self::ZeroPrice => "a trade or bar with a price of zero (in a quote, zero stands for no quote)",
            Self::NegativeSize => "a record with a size or volume below zero",
            Self::CrossedQuote => "a quote or book whose best bid lies above its best ask, both above zero",
            Self::InconsistentBar => "a bar whose high lies below, or whose low lies above, another of its prices",
            Self::Outlier => {
                "a price (of a trade, the close of a bar, the middle of a quote) that leaps away from both the price \
                 before and the one after it, in one direction, by 1 % at least and by more than 15 times 1.4826 \
                 times the median size of the file's price changes"
            }
        }
    }

    /// Whether a file with such a finding keeps the package from an A.
    #[must_use]
    pub const fn spoils(self) -> bool {
        matches!(self, Self::Damaged | Self::Empty | Self::TornLastLine | Self::Unparsable)
    }
}

/// How often something was found, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Located {
    /// How often.
    pub count: u64,
    /// Lines (rows of Parquet, records of DBN) of the first ones, from 1, ascending; none for findings about a file as
    /// a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<u64>,
}
