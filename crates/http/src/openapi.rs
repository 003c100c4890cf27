//! The OpenAPI 3.1 document, made from the routes and the types that they take and give.
//!
//! A route and its documentation are registered in one call ([`Api::on`]), so neither is there without the other. Schemas
//! are those that `schemars` makes of the request and report types, in JSON Schema 2020-12, which is what OpenAPI 3.1 speaks.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::State;
use crate::problem::{Kind, Problem};

/// What one route is for, what it takes and what it answers.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: BTreeMap<u16, Value>,
    open: bool,
}

impl Operation {
    pub(crate) fn new(method: Method, path: &'static str, id: &'static str, tag: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            tag,
            summary: "",
            description: "",
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            open: false,
        }
    }

    /// One line, and more of it.
    pub(crate) fn says(mut self, summary: &'static str, description: &'static str) -> Self {
        (self.summary, self.description) = (summary, description);
        self
    }

    /// It needs no token.
    pub(crate) fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// A parameter in the path.
    pub(crate) fn segment(mut self, name: &str, description: &str, example: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "path", "required": true, "description": description,
            "schema": {"type": "string", "minLength": 1}, "example": example,
        }));
        self
    }

    /// A parameter behind the question mark that must be given.
    pub(crate) fn needs(mut self, name: &str, description: &str, example: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "query", "required": true, "description": description,
            "schema": {"type": "string", "minLength": 1}, "example": example,
        }));
        self
    }

    /// A parameter behind the question mark that may be left out.
    pub(crate) fn takes(mut self, name: &str, description: &str, schema: Value) -> Self {
        self.parameters.push(json!({"name": name, "in": "query", "description": description, "schema": schema}));
        self
    }

    /// A header that may be left out, or must be there.
    pub(crate) fn header(mut self, name: &str, required: bool, description: &str, schema: Value) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "header", "required": required, "description": description, "schema": schema,
        }));
        self
    }

    /// A JSON body.
    pub(crate) fn body(mut self, schema: Value, example: Value) -> Self {
        let content = json!({"application/json": {"schema": schema, "example": example}});
        self.body = Some(json!({"required": true, "content": content}));
        self
    }

    /// A body of bytes, of one of these types.
    pub(crate) fn bytes(mut self, types: &[&str], description: &str) -> Self {
        let content: Map<String, Value> = types.iter().map(|kind| ((*kind).to_owned(), json!({}))).collect();
        self.body = Some(json!({"required": true, "description": description, "content": content}));
        self
    }

    /// A good answer of JSON.
    pub(crate) fn gives(self, status: u16, description: &str, schema: Value) -> Self {
        self.gives_as(status, description, &[("application/json", schema)])
    }

    /// A good answer of one of several types; of none when it has no body.
    pub(crate) fn gives_as(mut self, status: u16, description: &str, content: &[(&str, Value)]) -> Self {
        let mut answer = json!({"description": description});
        if !content.is_empty() {
            let content: Map<String, Value> =
                content.iter().map(|(kind, schema)| ((*kind).to_owned(), json!({"schema": schema}))).collect();
            put(&mut answer, "content", content.into());
        }
        self.answers.insert(status, answer);
        self
    }

    /// A header of an answer that was given before.
    pub(crate) fn with(mut self, status: u16, header: &str, description: &str) -> Self {
        if let Some(answer) = self.answers.get_mut(&status) {
            let mut headers = answer.get("headers").cloned().unwrap_or_else(|| json!({}));
            put(&mut headers, header, json!({"description": description, "schema": {"type": "string"}}));
            put(answer, "headers", headers);
        }
        self
    }

    /// Problems that may be answered.
    pub(crate) fn problems(mut self, kinds: &[Kind]) -> Self {
        for kind in kinds {
            self.problem(*kind);
        }
        self
    }

    fn problem(&mut self, kind: Kind) {
        let said = format!("{} (`urn:pdp:problem:{}`)", kind.title(), kind.word());
        let content = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
        let fresh = || json!({"description": "", "content": content});
        let answer = self.answers.entry(kind.status().as_u16()).or_insert_with(fresh);
        let before = answer.get("description").and_then(Value::as_str).unwrap_or_default();
        if !before.contains(&said) {
            let text = if before.is_empty() { said } else { format!("{before}; {said}") };
            put(answer, "description", text.into());
        }
    }

    /// With what every request may meet.
    fn complete(mut self) -> Self {
        let mut kinds = vec![Kind::BadRequest, Kind::Misdirected, Kind::HeadersTooLarge, Kind::Failed];
        let changes = !matches!(self.method, Method::GET | Method::HEAD);
        if changes {
            kinds.push(Kind::Forbidden);
        }
        if self.body.is_some() {
            kinds.extend([Kind::Timeout, Kind::TooLarge, Kind::UnsupportedType]);
        }
        if !self.open {
            kinds.push(Kind::Unauthorized);
        }
        for kind in kinds {
            self.problem(kind);
        }
        self
    }

    fn render(&self) -> Value {
        let answers: Map<String, Value> =
            self.answers.iter().map(|(status, answer)| (status.to_string(), answer.clone())).collect();
        let mut out = json!({
            "operationId": self.id, "tags": [self.tag], "summary": self.summary, "responses": answers,
        });
        if !self.description.is_empty() {
            put(&mut out, "description", self.description.into());
        }
        if !self.parameters.is_empty() {
            put(&mut out, "parameters", self.parameters.clone().into());
        }
        if let Some(body) = &self.body {
            put(&mut out, "requestBody", body.clone());
        }
        if self.open {
            put(&mut out, "security", json!([]));
        }
        out
    }
}

/// Puts a value into an object.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// Routes with their documentation.
pub(crate) struct Api {
    router: Router<State>,
    operations: Vec<Operation>,
    schemas: SchemaGenerator,
}

impl Api {
    pub(crate) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let mut schemas = settings.into_generator();
        schemas.subschema_for::<Problem>();
        Self { router: Router::new(), operations: Vec::new(), schemas }
    }

    /// The schema of a type.
    pub(crate) fn schema<T: JsonSchema>(&mut self) -> Value {
        self.schemas.subschema_for::<T>().to_value()
    }

    /// Answers `operation` with `handler`.
    pub(crate) fn on<H, T>(&mut self, operation: Operation, handler: H)
    where
        H: Handler<T, State>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(operation.method.clone()).unwrap_or(MethodFilter::GET);
        self.router = std::mem::take(&mut self.router).route(operation.path, on(filter, handler));
        self.operations.push(operation.complete());
    }

    /// Adds routes that answer these operations.
    pub(crate) fn merge(&mut self, router: Router<State>, operations: Vec<Operation>) {
        self.router = std::mem::take(&mut self.router).merge(router);
        self.operations.extend(operations.into_iter().map(Operation::complete));
    }

    /// The routes, and the document.
    pub(crate) fn finish(mut self) -> (Router<State>, Value) {
        let mut paths: Map<String, Value> = Map::new();
        for operation in &self.operations {
            let path = paths.entry(operation.path).or_insert_with(|| json!({}));
            put(path, &operation.method.as_str().to_ascii_lowercase(), operation.render());
        }
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Portable Data Packager",
                "version": env!("CARGO_PKG_VERSION"),
                "description": DESCRIPTION,
                "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [
                {"name": "packaging", "description": "Packages: make, import, validate, look into"},
                {"name": "files", "description": "Packages as files: download, upload, delete"},
                {"name": "jobs", "description": "Operations that take their time"},
                {"name": "server", "description": "The server itself"},
            ],
            "security": [{"token": []}, {"session": []}],
            "paths": paths,
            "components": {
                "schemas": self.schemas.take_definitions(true),
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer", "description": "The server's token, where it has one"},
                    "session": {"type": "apiKey", "in": "cookie", "name": "pdp_session",
                                "description": "Given by `POST /api/session`"},
                },
            },
        });
        (self.router, document)
    }
}

const DESCRIPTION: &str = "\
Portable data packages over HTTP: self-contained, checksummed, documented packages of market data.

`packagePath`, `path` and `fileName` are names in the server's directory of packages; `destinationDirectory` is a path below \
its data root. An absolute path is understood where it lies in them.

Create, import and validate answer when they are done. With `?async=true` they answer 202 at once with a job, which tells its \
progress, can be cancelled, and is taken up again when the server is restarted.

Errors are problem details (RFC 9457): `type` is `urn:pdp:problem:` and a word.

Where the server has a token, requests bring it as `Authorization: Bearer TOKEN`, or the cookie of `POST /api/session`.";
