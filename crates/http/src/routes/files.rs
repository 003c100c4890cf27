//! What is to be said about packages as files: downloads, members, uploads, deletion.

use axum::Router;
use axum::http::Method;
use serde_json::{Value, json};

use crate::State;
use crate::openapi::{Api, Operation};
use crate::problem::Kind;
use crate::reading::ListedPackage;

const EXAMPLE: &str = "my-package_20240103_120000.zip";
const MEMBER: &str = "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl";
const ID: &str = "0123456789abcdef0123456789abcdef";

/// Registers `router`, which answers them.
pub(super) fn add(api: &mut Api, router: Router<State>) {
    let listed = api.schema::<ListedPackage>();
    let mut operations = vec![delete(), one_shot(listed)];
    for method in [Method::GET, Method::HEAD] {
        operations.push(download(&method));
        operations.push(member(&method));
    }
    operations.extend(tus());
    api.merge(router, operations);
}

fn text() -> Value {
    json!({"type": "string"})
}

fn binary(kinds: &[&'static str]) -> Vec<(&'static str, Value)> {
    kinds.iter().map(|kind| (*kind, json!({}))).collect()
}

/// The headers that ask for a part of a file, or for it only under a condition.
fn conditional(operation: Operation) -> Operation {
    operation
        .header("If-None-Match", false, "Answer 304 when the file still has this entity tag", text())
        .gives_as(304, "The file is as the client has it", &[])
        .with(304, "ETag", "The file's entity tag")
}

fn download(method: &Method) -> Operation {
    let (id, summary) = match *method {
        Method::HEAD => ("headDownload", "Ask about a download"),
        _ => ("downloadPackage", "Download a package"),
    };
    let kinds = ["application/zip", "application/gzip", "text/plain", "application/octet-stream"];
    let content = if *method == Method::HEAD { Vec::new() } else { binary(&kinds) };
    let parts = if *method == Method::HEAD {
        Vec::new()
    } else {
        binary(&[kinds.as_slice(), &["multipart/byteranges"]].concat())
    };
    let operation = Operation::new(method.clone(), "/api/packaging/download/{fileName}", id, "files")
        .says(
            summary,
            "The file as it lies there, with `Range`, `If-Range` and entity tags; also the `.sha256` and `.minisig` beside it. \
             `as=tar.gz` packs it anew as TAR.GZ while it is sent, each member verified; a package that turns out damaged breaks \
             the connection off.",
        )
        .segment("fileName", "The package: its file name", EXAMPLE)
        .takes("as", "Send the package as TAR.GZ, whatever it is", json!({"type": "string", "enum": ["tar.gz"]}))
        .header("Range", false, "Which bytes", text())
        .header("If-Range", false, "Give the range only when the file still has this entity tag or date", text())
        .gives_as(200, "The file", &content)
        .with(200, "ETag", "The file's entity tag")
        .with(200, "Accept-Ranges", "`bytes`")
        .with(200, "Content-Disposition", "The file's name")
        .gives_as(206, "The bytes that were asked for", &parts)
        .with(206, "Content-Range", "Which they are")
        .problems(&[Kind::NotFound, Kind::RangeNotSatisfiable, Kind::PreconditionFailed, Kind::InvalidPackage]);
    conditional(operation)
}

fn member(method: &Method) -> Operation {
    let (id, summary) = match *method {
        Method::HEAD => ("headMember", "Ask about one file of a package"),
        _ => ("getMember", "Read one file of a package"),
    };
    let kinds = [
        "application/jsonl",
        "application/json",
        "text/csv",
        "text/plain",
        "text/markdown",
        "application/vnd.apache.parquet",
        "application/octet-stream",
        "application/gzip",
        "application/zstd",
    ];
    let content = if *method == Method::HEAD { Vec::new() } else { binary(&kinds) };
    let operation = Operation::new(method.clone(), "/api/packaging/member", id, "files")
        .says(summary, "One member, verified while it is sent; one that turns out damaged breaks the connection off.")
        .needs("path", "The package: its file name in the directory of packages", EXAMPLE)
        .needs("member", "The member's path in the package", MEMBER)
        .gives_as(200, "The member", &content)
        .with(200, "ETag", "The member's SHA-256")
        .problems(&[Kind::NotFound, Kind::InvalidPackage]);
    conditional(operation)
}

fn delete() -> Operation {
    Operation::new(Method::DELETE, "/api/packaging/{fileName}", "deletePackage", "files")
        .says("Delete a package", "The package and its `.sha256` and `.minisig`. A download that runs is completed.")
        .segment("fileName", "The package: its file name", EXAMPLE)
        .gives_as(204, "It is gone", &[])
        .problems(&[Kind::NotFound, Kind::Conflict])
}

fn one_shot(listed: Value) -> Operation {
    Operation::new(Method::POST, "/api/packaging/upload", "uploadPackage", "files")
        .says(
            "Upload a package",
            "The whole package as the body, or, with `Tus-Resumable: 1.0.0`, the beginning of a resumable upload as of \
             [tus 1.0](https://tus.io/protocols/resumable-upload) (creation, creation-with-upload, checksum, termination, \
             expiration). A package gets its name when it has arrived whole and was validated; what is no valid package is \
             refused and removed.",
        )
        .takes("fileName", "The package's file name, ending in .zip, .tar.gz or .tgz", text())
        .header("Tus-Resumable", false, "`1.0.0` for a resumable upload", text())
        .header("Upload-Length", false, "tus: how many bytes will come", text())
        .header("Upload-Metadata", false, "tus: `filename` and the file name in Base64", text())
        .header("Upload-Checksum", false, "tus: `sha256` or `sha1` and the digest in Base64", text())
        .bytes(&["application/octet-stream", "application/zip", "application/gzip", "application/offset+octet-stream"], "The package")
        .gives(201, "It is there; or, with tus, the upload was begun", listed)
        .with(201, "Location", "Where the package can be downloaded, or the upload goes on")
        .problems(&[Kind::Conflict, Kind::Invalid, Kind::InvalidPackage, Kind::NoSpace, Kind::LengthRequired, Kind::PreconditionFailed])
}

fn tus() -> Vec<Operation> {
    const PATH: &str = "/api/packaging/upload/{id}";
    let version = || json!({"type": "string", "enum": ["1.0.0"]});
    let base = |method, id| {
        Operation::new(method, PATH, id, "files")
            .segment("id", "The upload", ID)
            .header("Tus-Resumable", true, "The version of the protocol", version())
            .problems(&[Kind::NotFound, Kind::Gone, Kind::PreconditionFailed])
    };
    vec![
        base(Method::HEAD, "headUpload")
            .says("Ask how far an upload is", "tus 1.0.")
            .gives_as(200, "How far it is", &[])
            .with(200, "Upload-Offset", "Bytes that have arrived and are on the disk"),
        base(Method::PATCH, "patchUpload")
            .says(
                "Go on with an upload",
                "tus 1.0. The answer to the last bytes comes when the package was validated and has its name.",
            )
            .header("Upload-Offset", true, "Where these bytes begin", text())
            .header("Upload-Checksum", false, "`sha256` or `sha1` and the digest of these bytes in Base64", text())
            .bytes(&["application/offset+octet-stream"], "The bytes that come next")
            .gives_as(204, "They have arrived", &[])
            .with(204, "Upload-Offset", "Bytes that have arrived in all")
            .gives_as(
                460,
                "tus: the bytes are not those of `Upload-Checksum`",
                &[("application/problem+json", json!({"$ref": "#/components/schemas/Problem"}))],
            )
            .problems(&[Kind::Conflict, Kind::Locked, Kind::InvalidPackage, Kind::NoSpace]),
        base(Method::DELETE, "deleteUpload")
            .says("Give an upload up", "tus 1.0.")
            .gives_as(204, "It is gone", &[])
            .problems(&[Kind::Locked]),
    ]
}
