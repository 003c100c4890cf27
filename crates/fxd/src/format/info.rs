//! What a file says of where its bars are from, and at which scale they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::interval::Interval;
use super::metadata::MAX_INFO;
use crate::Scale;

/// The INFO section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// The program that made the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator: Option<String>,
    /// Decimals of prices.
    #[serde(default = "price_scale", with = "decimals")]
    pub price_scale: Scale,
    /// Decimals of volumes.
    #[serde(default = "volume_scale", with = "decimals")]
    pub volume_scale: Scale,
    /// Seconds from one bar to the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bar_interval: Option<u64>,
    /// The intervals that bars of each symbol are rolled up to; version 4 alone has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollups: Vec<Interval>,
    /// Where the bars are from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The time zone that the source's timestamps were in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_time_zone: Option<String>,
    /// What else somebody wanted to say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub user: BTreeMap<String, String>,
    /// Members that this release does not know.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

const fn price_scale() -> Scale {
    Scale::PRICE
}

const fn volume_scale() -> Scale {
    Scale::VOLUME
}

impl Default for Info {
    fn default() -> Self {
        Self {
            creator: None,
            price_scale: Scale::PRICE,
            volume_scale: Scale::VOLUME,
            bar_interval: None,
            rollups: Vec::new(),
            source: None,
            source_time_zone: None,
            user: BTreeMap::new(),
            other: BTreeMap::new(),
        }
    }
}

impl Info {
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Texts, numbers and maps with text keys are what JSON can always say.
        serde_json::to_vec(self).unwrap_or_else(|_| b"{}".to_vec())
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_INFO {
            return Err(format!("INFO has {} bytes, at most {MAX_INFO} are read", bytes.len()));
        }
        serde_json::from_slice(bytes).map_err(|error| format!("INFO: {error}"))
    }

    /// Whether the section would be too long to be read again.
    pub(crate) fn is_too_long(&self) -> bool {
        self.encode().len() > MAX_INFO
    }
}

mod decimals {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::Scale;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(super) fn serialize<S: Serializer>(scale: &Scale, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(scale.decimals())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Scale, D::Error> {
        let decimals = u8::deserialize(deserializer)?;
        Scale::new(decimals).ok_or_else(|| D::Error::custom(format!("{decimals} decimals, at most 18 are known")))
    }
}
