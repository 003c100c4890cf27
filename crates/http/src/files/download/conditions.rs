//! Under which conditions a request wants an answer (RFC 9110, section 13).

use std::fs::Metadata;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use pdp_packager::manifest::digest::Hasher;

/// What tells one version of a file from another.
#[derive(Debug, Clone)]
pub(in crate::files) struct Validators {
    /// With its quotation marks.
    pub(in crate::files) etag: String,
    /// In whole seconds; none where the file's time cannot be told.
    pub(in crate::files) modified: Option<SystemTime>,
}

/// What the conditions come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::files) enum Verdict {
    /// They hold.
    Go,
    /// The client has it already.
    NotModified,
    /// The client wants another one.
    Failed,
}

impl Validators {
    /// Those of an open file. The tag depends on which file it is and when it was last changed, and shows nothing of that.
    pub(super) fn of(metadata: &Metadata) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&metadata.len().to_le_bytes());
        let modified = metadata.modified().ok();
        let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        hasher.update(&since.as_nanos().to_le_bytes());
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            for number in [metadata.dev(), metadata.ino()] {
                hasher.update(&number.to_le_bytes());
            }
            // A copy may bring an old time of modification with it, but never one of change.
            for number in [metadata.ctime(), metadata.ctime_nsec()] {
                hasher.update(&number.to_le_bytes());
            }
        }
        let digest = hasher.finish().to_string();
        let etag = format!("\"{}\"", digest.get(..32).unwrap_or(&digest));
        Self { etag, modified: modified.map(|_| UNIX_EPOCH + Duration::from_secs(since.as_secs())) }
    }

    /// Puts them into an answer.
    pub(in crate::files) fn put(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.etag) {
            headers.insert(header::ETAG, value);
        }
        if let Some(value) = self.modified.and_then(|time| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()) {
            headers.insert(header::LAST_MODIFIED, value);
        }
    }

    /// Holds the conditions of a request against them, in the order of section 13.2.2.
    pub(in crate::files) fn check(&self, headers: &HeaderMap) -> Verdict {
        if headers.contains_key(header::IF_MATCH) {
            if !self.is_listed(headers, &header::IF_MATCH, false) {
                return Verdict::Failed;
            }
        } else if let Some((own, given)) = self.modified.zip(date(headers, &header::IF_UNMODIFIED_SINCE))
            && own > given
        {
            return Verdict::Failed;
        }
        if headers.contains_key(header::IF_NONE_MATCH) {
            if self.is_listed(headers, &header::IF_NONE_MATCH, true) {
                return Verdict::NotModified;
            }
        } else if let Some((own, given)) = self.modified.zip(date(headers, &header::IF_MODIFIED_SINCE))
            && own <= given
        {
            return Verdict::NotModified;
        }
        Verdict::Go
    }

    /// Whether a range may be answered with a range: `If-Range` is not there, or names this version.
    pub(super) fn allow_range(&self, headers: &HeaderMap, now: SystemTime) -> bool {
        let Some(value) = headers.get(header::IF_RANGE) else { return true };
        let Ok(text) = value.to_str().map(str::trim) else { return false };
        if text.starts_with('"') || text.starts_with("W/") {
            return text == self.etag;
        }
        // A date tells versions apart only when more than its second has gone by.
        let Some((own, given)) = self.modified.zip(httpdate::parse_http_date(text).ok()) else { return false };
        own == given && now.duration_since(own).is_ok_and(|age| age >= Duration::from_secs(2))
    }

    /// Whether the tag is in a list, or the list is `*`; weak tags count where `weak` says so.
    fn is_listed(&self, headers: &HeaderMap, name: &HeaderName, weak: bool) -> bool {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        // Our tags have no comma in them, so one that is cut in two at its comma is none of ours.
        values.flat_map(|value| value.split(',')).map(str::trim).any(|tag| {
            let tag = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
            tag == "*" || tag == self.etag
        })
    }
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn version() -> Validators {
        let modified = Some(UNIX_EPOCH + Duration::from_secs(1_700_000_000));
        Validators { etag: "\"abc\"".to_owned(), modified }
    }

    const SAME: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const EARLIER: &str = "Tue, 14 Nov 2023 22:13:19 GMT";

    #[test]
    fn conditions_in_their_order() {
        use header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
        let check = |list: &[(HeaderName, &str)]| version().check(&headers(list));
        assert_eq!(check(&[]), Verdict::Go);
        assert_eq!(check(&[(IF_MATCH, "\"x\", \"abc\"")]), Verdict::Go);
        assert_eq!(check(&[(IF_MATCH, "*")]), Verdict::Go);
        assert_eq!(check(&[(IF_MATCH, "W/\"abc\"")]), Verdict::Failed);
        assert_eq!(check(&[(IF_MATCH, "\"x\""), (IF_NONE_MATCH, "\"abc\"")]), Verdict::Failed);
        assert_eq!(check(&[(IF_NONE_MATCH, "W/\"abc\"")]), Verdict::NotModified);
        assert_eq!(check(&[(IF_NONE_MATCH, "\"x\""), (IF_MODIFIED_SINCE, SAME)]), Verdict::Go);
        assert_eq!(check(&[(IF_MODIFIED_SINCE, SAME)]), Verdict::NotModified);
        assert_eq!(check(&[(IF_MODIFIED_SINCE, EARLIER)]), Verdict::Go);
        assert_eq!(check(&[(IF_MODIFIED_SINCE, "yesterday")]), Verdict::Go);
        assert_eq!(check(&[(IF_UNMODIFIED_SINCE, EARLIER)]), Verdict::Failed);
        assert_eq!(check(&[(IF_UNMODIFIED_SINCE, SAME)]), Verdict::Go);
        assert_eq!(check(&[(IF_MATCH, "\"abc\""), (IF_UNMODIFIED_SINCE, EARLIER)]), Verdict::Go);
    }

    #[test]
    fn a_range_is_only_for_the_version_that_is_named() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_100);
        let allow = |value: &str| version().allow_range(&headers(&[(header::IF_RANGE, value)]), now);
        assert!(version().allow_range(&HeaderMap::new(), now));
        assert!(allow("\"abc\"") && allow(SAME));
        for other in ["\"abd\"", "W/\"abc\"", EARLIER, "Tue, 14 Nov 2023 22:13:21 GMT", "", "abc"] {
            assert!(!allow(other), "{other}");
        }
        // Within its second a file may have been written twice.
        let at_once = UNIX_EPOCH + Duration::from_secs(1_700_000_001);
        assert!(!version().allow_range(&headers(&[(header::IF_RANGE, SAME)]), at_once));
    }
}
