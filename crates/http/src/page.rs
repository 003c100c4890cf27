//! The page at `/`: a few files in the binary, which talk to the API like anybody else.
//!
//! Nothing is built and nothing is loaded from elsewhere. The policy of its documents allows no other scripts, styles and
//! connections than this server's, and no server may show it in a frame.

use std::sync::OnceLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pdp_packager::manifest::Sha256Digest;

use crate::problem::{Kind, Problem};

/// What the page may do. The quality report is shown in a frame; drawings in style sheets are `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
    /// Its SHA-256 in quotes, once somebody asked for it.
    tag: OnceLock<String>,
}

macro_rules! assets {
    ($($name:literal: $content_type:ident,)*) => {
        [$(Asset {
            name: $name,
            content_type: $content_type,
            content: include_str!(concat!("../page/", $name)),
            tag: OnceLock::new(),
        }),*]
    };
}

static INDEX: Asset =
    Asset { name: "index.html", content_type: HTML, content: include_str!("../page/index.html"), tag: OnceLock::new() };

static ASSETS: [Asset; 25] = assets! {
    "activity.js": JAVASCRIPT,
    "api.js": JAVASCRIPT,
    "contents.js": JAVASCRIPT,
    "create.js": JAVASCRIPT,
    "dialog.js": JAVASCRIPT,
    "dom.js": JAVASCRIPT,
    "fields.js": JAVASCRIPT,
    "format.js": JAVASCRIPT,
    "icon.svg": SVG,
    "jobs.js": JAVASCRIPT,
    "main.js": JAVASCRIPT,
    "operate.js": JAVASCRIPT,
    "options.js": JAVASCRIPT,
    "package.js": JAVASCRIPT,
    "packages.js": JAVASCRIPT,
    "picker.js": JAVASCRIPT,
    "problem.js": JAVASCRIPT,
    "quality.js": JAVASCRIPT,
    "results.js": JAVASCRIPT,
    "running.js": JAVASCRIPT,
    "signin.js": JAVASCRIPT,
    "style.css": CSS,
    "table.js": JAVASCRIPT,
    "tus.js": JAVASCRIPT,
    "upload.js": JAVASCRIPT,
};

/// The page at `/` and its files below `/assets`.
pub(crate) fn router() -> Router {
    Router::new().route("/", get(index)).route("/assets/{file}", get(asset))
}

async fn index(headers: HeaderMap) -> Response {
    INDEX.answer(&headers)
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == file) {
        Some(asset) => asset.answer(&headers),
        None => Problem::new(Kind::NotFound, "the page has no such file").into_response(),
    }
}

impl Asset {
    /// The file, or the word that the browser's copy is still it.
    fn answer(&self, request: &HeaderMap) -> Response {
        let tag = self.tag.get_or_init(|| format!("\"{}\"", Sha256Digest::of(self.content.as_bytes())));
        let same = request.get_all(header::IF_NONE_MATCH).iter().any(|given| names(given, tag));
        let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { self.content.into_response() };
        let headers = response.headers_mut();
        if same {
            headers.remove(header::CONTENT_TYPE);
        } else {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        if let Ok(tag) = HeaderValue::from_str(tag) {
            headers.insert(header::ETAG, tag);
        }
        for (name, value) in FIXED {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Headers of every file.
const FIXED: [(HeaderName, &str); 4] = [
    // Kept, and asked for again each time: a new version of the program shows at once, at the price of a short answer.
    (header::CACHE_CONTROL, "no-cache"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Whether an `If-None-Match` names this tag; weak and strong tags are the same to it.
fn names(given: &HeaderValue, tag: &str) -> bool {
    let Ok(given) = given.to_str() else { return false };
    given.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    async fn ask(path: &str, known: Option<&str>) -> (StatusCode, HeaderMap, String) {
        let mut request = Request::get(path);
        if let Some(known) = known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        let response = router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn every_file_is_there_with_its_type_and_policy() {
        let types =
            [("/", HTML), ("/assets/style.css", CSS), ("/assets/main.js", JAVASCRIPT), ("/assets/icon.svg", SVG)];
        for (path, content_type) in types {
            let (status, headers, body) = ask(path, None).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers[header::CONTENT_TYPE], content_type);
            assert_eq!(headers[header::CACHE_CONTROL], "no-cache");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
            assert_eq!(headers[header::ETAG], format!("\"{}\"", Sha256Digest::of(body.as_bytes())));
        }
    }

    #[tokio::test]
    async fn a_copy_that_is_still_right_is_not_sent_again() {
        let (_, headers, _) = ask("/", None).await;
        let tag = headers[header::ETAG].to_str().unwrap();
        for known in [tag.to_owned(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let (status, headers, body) = ask("/", Some(&known)).await;
            assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
            assert_eq!(headers[header::ETAG], tag);
            assert!(!headers.contains_key(header::CONTENT_TYPE));
        }
        for other in ["\"other\"", tag.trim_matches('"'), ""] {
            assert_eq!(ask("/", Some(other)).await.0, StatusCode::OK, "{other}");
        }
    }

    #[tokio::test]
    async fn other_names_are_not_found() {
        for path in
            ["/assets/", "/assets/index.html", "/assets/..%2Findex.html", "/assets/main.js%00", "/assets/MAIN.JS"]
        {
            assert_eq!(ask(path, None).await.0, StatusCode::NOT_FOUND, "{path}");
        }
    }

    /// Every file beside the page is served, and whatever one of them names is one of them.
    #[test]
    fn the_files_name_each_other_and_nothing_else() {
        let mut there: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/page"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != INDEX.name)
            .collect();
        there.sort();
        assert_eq!(there, ASSETS.iter().map(|asset| asset.name).collect::<Vec<_>>());
        for asset in ASSETS.iter().chain([&INDEX]) {
            let imports = asset.content.split("from \"./").skip(1);
            for name in imports.chain(asset.content.split("\"assets/").skip(1)) {
                let name = name.split('"').next().unwrap();
                assert!(ASSETS.iter().any(|other| other.name == name), "{} names {name}", asset.name);
            }
        }
    }

    /// What a package says about itself stays text: no way in which a text becomes markup is used.
    #[test]
    fn no_text_becomes_markup() {
        for asset in &ASSETS {
            for way in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "new Function"]
            {
                assert!(!asset.content.contains(way), "{} in {}", way, asset.name);
            }
        }
    }
}
