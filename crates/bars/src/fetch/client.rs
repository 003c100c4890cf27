//! The connection to the API.

use std::time::Duration;

use databento::HistoricalClient;

use super::error::{FetchError, NO_KEY};
use super::event::{Event, Told};

/// How to connect.
#[derive(Clone)]
pub struct Connect {
    /// The key, 32 characters. It is shown nowhere.
    pub key: String,
    /// Another address than Databento's, such as a local server's.
    pub base_url: Option<String>,
    /// How often a request that failed for a passing reason is tried again.
    pub retries: u32,
    /// How long to wait before the first of them; twice as long before each that follows, up to a minute.
    pub wait: Duration,
    /// How long nothing may come.
    pub timeout: Duration,
}

impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Connect {
    /// With five tries more after a second, and a minute of patience.
    #[must_use]
    pub const fn new(key: String) -> Self {
        Self { key, base_url: None, retries: 5, wait: Duration::from_secs(1), timeout: Duration::from_secs(60) }
    }
}

/// The historical API.
#[derive(Clone)]
pub struct Historical {
    client: HistoricalClient,
    retries: u32,
    wait: Duration,
}

impl std::fmt::Debug for Historical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Historical").finish_non_exhaustive()
    }
}

/// How often it is asked whether to go on while there is nothing to do but wait.
const STEP: Duration = Duration::from_millis(100);

impl Historical {
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the key cannot be one, or the address none.
    pub fn new(connect: &Connect) -> Result<Self, FetchError> {
        // Before the client sees it, which logs a key of other characters as a whole.
        if connect.key.len() != 32 || !connect.key.is_ascii() || connect.key.contains(char::is_whitespace) {
            return Err(FetchError::Key(NO_KEY));
        }
        // The process may have chosen another already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::ClientBuilder::new().connect_timeout(connect.timeout).read_timeout(connect.timeout);
        let failed = |error| FetchError::of("connecting", &connect.key, error);
        let mut builder = HistoricalClient::builder()
            .upgrade_policy(databento::dbn::VersionUpgradePolicy::AsIs)
            .user_agent_extension(concat!("pdp/", env!("CARGO_PKG_VERSION")).to_owned())
            .http_client_builder(http);
        if let Some(url) = &connect.base_url {
            // Joined with what follows it, an address without a slash at its end would lose its last part.
            let url = if url.ends_with('/') { url.clone() } else { format!("{url}/") };
            let parsed = reqwest::Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            builder = builder.base_url(parsed.ok_or_else(|| {
                FetchError::Request(format!(
                    "the base URL is \"{}\", expected http:// or https://",
                    crate::problem::shown(url.as_bytes())
                ))
            })?);
        }
        let client = builder.key(&connect.key).map_err(failed)?.build().map_err(failed)?;
        Ok(Self { client, retries: connect.retries, wait: connect.wait })
    }

    /// Asks, and asks again where the reason of a failure may pass.
    pub(super) async fn ask<T>(
        &self,
        doing: &str,
        told: Told<'_>,
        mut ask: impl AsyncFnMut(HistoricalClient) -> Result<T, databento::Error>,
    ) -> Result<T, FetchError> {
        let key = self.client.key();
        self.again(told, async |client| ask(client).await.map_err(|error| FetchError::of(doing, key, error))).await
    }

    /// Does something again and again while it fails for a reason that may pass.
    pub(super) async fn again<T>(
        &self,
        told: Told<'_>,
        mut act: impl AsyncFnMut(HistoricalClient) -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let mut tries = 0;
        loop {
            let done = {
                let mut trying = std::pin::pin!(act(self.client.clone()));
                // Nobody who wants to stop waits for an answer.
                loop {
                    match tokio::time::timeout(STEP, &mut trying).await {
                        Ok(done) => break done,
                        Err(_) if told(Event::Going).is_break() => return Err(FetchError::Interrupted),
                        Err(_) => {}
                    }
                }
            };
            let error = match done {
                Err(error) if error.is_passing() && tries < self.retries => error,
                done => return done,
            };
            let wait = self.wait.saturating_mul(1 << tries.min(10)).min(Duration::from_secs(60));
            tries += 1;
            let event = Event::Retry { why: &error.to_string(), tried: tries, most: self.retries + 1, wait };
            if told(event).is_break() {
                return Err(FetchError::Interrupted);
            }
            drop(error);
            let end = tokio::time::Instant::now() + wait;
            while tokio::time::Instant::now() < end {
                if told(Event::Going).is_break() {
                    return Err(FetchError::Interrupted);
                }
                let step = end.saturating_duration_since(tokio::time::Instant::now()).min(STEP);
                tokio::time::sleep(step).await;
            }
        }
    }
}
