//! The licence of the data: what the maker says under `license` in the custom metadata, never a guess.

use pdp_manifest::Manifest;
use serde_json::Value;

/// What the maker says, on one line.
pub(super) fn stated(manifest: &Manifest) -> Option<String> {
    let named = |key: &str| ["license", "licence"].iter().any(|word| key.trim().eq_ignore_ascii_case(word));
    let value = manifest.custom_metadata.iter().find(|(key, _)| named(key)).map(|(_, value)| value)?;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = crate::show::one_line(text.trim());
    (!text.is_empty()).then_some(text)
}

/// Whether it is the address of a licence.
pub(super) fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b))
    })
}

/// Whether it looks like the identifier of a licence, such as `CC-BY-4.0`.
pub(super) fn is_identifier(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}
