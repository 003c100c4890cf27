//! The headers of the tus protocol.

use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use base64ct::{Base64, Encoding as _};
use pdp_packager::manifest::digest::Hasher;
use sha1::{Digest as _, Sha1};

use crate::files::names::Archive;
use crate::problem::{Kind, Problem};
use crate::roots::FileName;

pub(super) const VERSION: &str = "1.0.0";
pub(super) const EXTENSIONS: &str = "creation,creation-with-upload,checksum,termination,expiration";
pub(super) const ALGORITHMS: &str = "sha256,sha1";
/// The media type of a piece of an upload.
pub(super) const PIECE: &str = "application/offset+octet-stream";
/// Most bytes of what a client calls its upload.
const MAX_METADATA: usize = 4 << 10;

pub(super) const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
pub(super) const EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
pub(super) const LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
pub(super) const CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
pub(super) const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
pub(super) const DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
pub(super) const CONCAT: HeaderName = HeaderName::from_static("upload-concat");
pub(super) const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");

/// A number in a header; none where the header is not there.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Problem::new(Kind::BadRequest, format!("{name}: expected a number of bytes")))
}

/// Refuses another version of the protocol.
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(RESUMABLE).is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    Err(Problem::new(Kind::PreconditionFailed, format!("{RESUMABLE}: expected {VERSION}")))
}

/// Puts the version into an answer of the protocol.
pub(super) fn versioned(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    headers.insert(VERSIONS, HeaderValue::from_static(VERSION));
    response
}

/// When an upload is given up.
pub(super) fn expires(headers: &mut HeaderMap, time: Option<SystemTime>) {
    if let Some(value) = time.and_then(|time| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()) {
        headers.insert(EXPIRES, value);
    }
}

/// The name that an upload is to have as a package.
pub(super) fn package_name(text: &str) -> Result<FileName, Problem> {
    let name = FileName::parse(text).filter(|name| Archive::of(name.as_str()).is_some());
    name.ok_or_else(|| {
        let detail = "fileName: expected a portable name without directories that ends in .zip, .tar.gz or .tgz";
        Problem::new(Kind::Invalid, detail)
    })
}

/// What a client calls its upload: the text as it was sent, and the name of the file in it.
pub(super) fn metadata(headers: &HeaderMap) -> Result<(String, Option<String>), Problem> {
    let Some(value) = headers.get(METADATA) else { return Ok((String::new(), None)) };
    let refuse = || Problem::new(Kind::BadRequest, format!("{METADATA}: expected names and Base64, between commas"));
    let text = value.to_str().ok().filter(|text| text.len() <= MAX_METADATA).ok_or_else(refuse)?;
    let mut name = None;
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, encoded) = pair.split_once(' ').unwrap_or((pair, ""));
        let decoded = Base64::decode_vec(encoded.trim()).map_err(|_| refuse())?;
        if key == "filename" {
            name = Some(String::from_utf8(decoded).map_err(|_| refuse())?);
        }
    }
    Ok((text.to_owned(), name))
}

/// A checksum that is to be compared.
#[derive(Clone)]
pub(super) struct Checksum {
    hash: Hash,
    expected: Vec<u8>,
}

#[derive(Clone)]
enum Hash {
    Sha1(Sha1),
    Sha256(Hasher),
}

impl Checksum {
    /// The one that the request states, where it does.
    pub(super) fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let Some(value) = headers.get(CHECKSUM) else { return Ok(None) };
        let refuse = || Problem::new(Kind::BadRequest, format!("{CHECKSUM}: expected one of {ALGORITHMS} and Base64"));
        let (algorithm, encoded) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(refuse)?;
        let (hash, len) = match algorithm {
            "sha1" => (Hash::Sha1(Sha1::new()), 20),
            "sha256" => (Hash::Sha256(Hasher::new()), 32),
            _ => return Err(refuse()),
        };
        let expected = Base64::decode_vec(encoded.trim()).ok().filter(|bytes| bytes.len() == len).ok_or_else(refuse)?;
        Ok(Some(Self { hash, expected }))
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Sha1(hash) => hash.update(bytes),
            Hash::Sha256(hash) => hash.update(bytes),
        }
    }

    /// Whether the bytes were those that were meant.
    pub(super) fn agrees(self) -> bool {
        match self.hash {
            Hash::Sha1(hash) => hash.finalize().as_slice() == self.expected,
            Hash::Sha256(hash) => hash.finish().as_bytes().as_slice() == self.expected,
        }
    }
}

/// What the protocol answers to a wrong checksum, with a status of its own.
pub(super) fn wrong_checksum() -> Problem {
    let problem = Problem::new(Kind::ChecksumMismatch, "the bytes are not those that the checksum was made of");
    Problem { status: 460, ..problem }
}
