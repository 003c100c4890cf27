//! Which page sends a request.

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

use super::host::Authority;
use crate::problem::{Kind, Problem};

/// Refuses what a page of another origin sends. Programs that are no browsers name no origin, and may pass.
pub(super) fn check(headers: &HeaderMap, host: &Authority) -> Result<(), Problem> {
    let foreign = || Problem::new(Kind::Forbidden, "a page of another origin must not ask for this");
    if !headers.get_all("sec-fetch-site").iter().all(|site| matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return Err(foreign());
    }
    let same = |origin: &str| {
        let (scheme, authority) = origin.split_once("://")?;
        let port = match scheme {
            "http" => 80,
            // A proxy before us may speak TLS; nothing on the loopback does.
            "https" if !host.is_loopback() => 443,
            _ => return None,
        };
        Authority::parse(authority).filter(|origin| origin.same(host, port))
    };
    let mut given = headers.get_all(ORIGIN).iter();
    match (given.next(), given.next()) {
        (None, _) => Ok(()),
        (Some(origin), None) if origin.to_str().ok().and_then(same).is_some() => Ok(()),
        _ => Err(foreign()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn passes(host: &str, origin: &str) -> bool {
        let headers = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_str(origin).unwrap())]);
        check(&headers, &Authority::parse(host).unwrap()).is_ok()
    }

    #[test]
    fn only_the_origin_that_was_addressed() {
        assert!(passes("localhost:8080", "http://localhost:8080") && passes("[::1]:80", "http://[::1]"));
        assert!(passes("pdp.example", "https://pdp.example") && passes("pdp.example", "https://pdp.example:443"));
        for (host, origin) in [
            ("localhost:8080", "http://localhost:8081"),
            ("localhost:8080", "http://127.0.0.1:8080"),
            ("localhost:8080", "https://localhost:8080"),
            ("localhost:8080", "http://localhost"),
            ("localhost:8080", "null"),
            ("localhost:8080", ""),
            ("localhost:8080", "http://localhost:8080/"),
            ("localhost:8080", "http://localhost:8080 http://x"),
            ("localhost:8080", "http://x@localhost:8080"),
            ("localhost:8080", "http://localhost.evil.example:8080"),
            ("pdp.example", "https://evil.example"),
            ("pdp.example", "file://pdp.example"),
            ("pdp.example:80", "https://pdp.example"),
        ] {
            assert!(!passes(host, origin), "{host} {origin}");
        }
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts_too() {
        let host = Authority::parse("localhost").unwrap();
        for (site, good) in
            [("same-origin", true), ("none", true), ("same-site", false), ("cross-site", false), ("x", false)]
        {
            let headers = HeaderMap::from_iter([("sec-fetch-site".parse().unwrap(), HeaderValue::from_static(site))]);
            assert_eq!(check(&headers, &host).is_ok(), good, "{site}");
        }
    }
}
