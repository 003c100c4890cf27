//! What was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::Endpoint;
use crate::key::without_keys;

/// A request that was answered. It holds no key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The endpoint's name, such as `timeseries.get_range`, or whatever else was asked for.
    pub endpoint: String,
    /// The parameters, of the URL or of the form.
    pub parameters: BTreeMap<String, String>,
    /// The status of the answer.
    pub status: u16,
    /// How many records the answer holds, or would hold if it were not cut; of `get_range` only.
    pub records: Option<usize>,
    /// The fault that the answer was given, as it can be written.
    pub fault: Option<String>,
}

impl Request {
    /// A parameter, or nothing.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Whether this endpoint was asked.
    #[must_use]
    pub fn is_to(&self, endpoint: Endpoint) -> bool {
        self.endpoint == endpoint.as_str()
    }
}

/// The requests of a server, the first one first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Request>>>);

impl Log {
    pub(crate) fn push(&self, mut request: Request) {
        request.endpoint = without_keys(request.endpoint);
        request.parameters = request.parameters.into_iter().map(|(name, value)| (name, without_keys(value))).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
