//! The HTTP client that every HTTP source shares: authentication, limits, deadlines and faults.

mod keyring;
mod retry_after;
mod status;
mod submit;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue as WireValue};
use reqwest::{Certificate, Client, StatusCode, Url};
use serde::de::DeserializeOwned;

pub use retry_after::retry_after;
pub use status::status_words;
pub use trouble::Trouble;

use self::keyring::Keyring;
use super::context::ReadContext;
use crate::config::scalar::HttpUrl;
use crate::config::sources::HttpAuth;
use crate::config::{HeaderValue, Secret, SecretError, SecretValue};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// What an answer may weigh where the settings say nothing: enough for a large listing, too little
/// to hurt.
pub const USUAL_LIMIT: usize = 32 * 1024 * 1024;

/// More redirects in a row than this are a loop.
const MAX_REDIRECTS: usize = 5;

/// How to reach one HTTP backend.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Its address, with the path it is served under.
    pub url: HttpUrl,
    /// Who we say we are.
    pub credentials: Credentials,
    /// Headers sent with every request.
    pub headers: BTreeMap<String, HeaderValue>,
    /// Further certificate authorities to trust (PEM), read anew for each read.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take, answer included.
    pub deadline: Duration,
    /// Bytes of an answer that are read at most.
    pub limit: usize,
    /// Whether connections are kept for the next request. A probe wants none kept: each of its
    /// requests is to tell whether the name resolves, the port answers, the certificate holds.
    pub keep_alive: bool,
}

/// Who we say we are.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Nobody.
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Basic …`.
    Basic {
        /// The user name.
        user: String,
        /// Where the password is kept.
        password: Secret,
    },
    /// `Authorization: …`, the bare token, as Unleash wants it.
    Token(Secret),
}

impl Credentials {
    /// What the settings say.
    pub fn of(auth: Option<&HttpAuth>) -> Self {
        match auth {
            Some(HttpAuth { bearer: Some(token), .. }) => Self::Bearer(token.clone()),
            Some(HttpAuth { basic: Some(basic), .. }) => {
                Self::Basic { user: basic.user.clone(), password: basic.password.clone() }
            }
            _ => Self::None,
        }
    }

    fn secret(&self) -> Option<&Secret> {
        match self {
            Self::None => None,
            Self::Bearer(secret) | Self::Token(secret) | Self::Basic { password: secret, .. } => {
                Some(secret)
            }
        }
    }
}

/// A way to one HTTP backend. Making it does no I/O.
#[derive(Debug)]
pub struct HttpClient {
    settings: HttpSettings,
    /// The client and the certificates it was built with; built anew when their file changes.
    built: Mutex<Option<(Client, Option<Vec<u8>>)>>,
    keyring: Arc<Keyring>,
}

impl HttpClient {
    /// A client that was not used yet.
    pub fn new(settings: HttpSettings) -> Self {
        Self { settings, built: Mutex::new(None), keyring: Arc::default() }
    }

    /// `host:port/path` of the backend, for messages.
    pub fn place(&self) -> SafeText {
        SafeText::new(bare(self.settings.url.as_str()))
    }

    /// Reads secrets and certificates, for the requests of one read.
    ///
    /// # Errors
    /// A secret or certificate that cannot be had, or a header that cannot be sent.
    pub async fn session(&self) -> Result<Session, Fault> {
        let settings = &self.settings;
        let client = self.client().await?;
        let mut headers = HeaderMap::new();
        let mut secrets = Vec::new();
        headers.insert(ACCEPT, WireValue::from_static("application/json, */*;q=0.5"));
        let secret = match settings.credentials.secret() {
            Some(secret) => {
                Some(self.keyring.secret(secret).await.map_err(|why| self.no_secret(&why))?)
            }
            None => None,
        };
        if let Some(value) = secret {
            let line = match &settings.credentials {
                Credentials::Bearer(_) => format!("Bearer {}", value.expose()),
                Credentials::Basic { user, .. } => {
                    let pair = STANDARD.encode(format!("{user}:{}", value.expose()));
                    format!("Basic {pair}")
                }
                Credentials::Token(_) | Credentials::None => value.expose().to_owned(),
            };
            headers.insert(AUTHORIZATION, self.wire("Authorization", &line)?);
            secrets.push(value);
        }
        for (name, value) in &settings.headers {
            let resolved = self.keyring.header(value).await;
            let resolved = resolved.map_err(|why| self.no_secret(&why))?;
            let header = HeaderName::try_from(name.as_str()).map_err(|_| {
                Fault::new(
                    FaultKind::InvalidRequest,
                    format!("{}: {name:?} cannot be the name of a header", self.place()),
                )
            })?;
            headers.insert(header, self.wire(name, resolved.expose())?);
            if matches!(value, HeaderValue::Secret(_)) {
                secrets.push(resolved);
            }
        }
        let url = Url::parse(settings.url.as_str()).map_err(|why| {
            Fault::new(FaultKind::InvalidRequest, format!("{}: {why}", self.place()))
        })?;
        Ok(Session {
            client,
            url,
            headers,
            secrets,
            place: self.place(),
            kept_in: settings.credentials.secret().map(ToString::to_string),
            deadline: settings.deadline,
            limit: settings.limit,
            keyring: Arc::clone(&self.keyring),
        })
    }

    async fn client(&self) -> Result<Client, Fault> {
        let settings = &self.settings;
        let authorities = match &settings.ca_file {
            Some(path) => Some(tokio::fs::read(path).await.map_err(|why| {
                let message = format!("{}: {why}", path.display());
                Fault::new(FaultKind::InvalidRequest, message)
                    .hint("check ca_file in the configuration of this source")
            })?),
            None => None,
        };
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((client, with)) = &*built
            && *with == authorities
        {
            return Ok(client.clone());
        }
        let client = self.build(authorities.as_deref())?;
        *built = Some((client.clone(), authorities));
        Ok(client)
    }

    fn build(&self, authorities: Option<&[u8]>) -> Result<Client, Fault> {
        let wrong = |why: String| {
            Fault::new(FaultKind::InvalidRequest, format!("{}: {why}", self.place()))
                .hint("check ca_file in the configuration of this source")
        };
        let mut builder = Client::builder()
            .user_agent(concat!("flightdeck/", env!("CARGO_PKG_VERSION")))
            // Half of the deadline, so that "cannot connect" is told apart from "does not answer".
            .connect_timeout(self.settings.deadline / 2)
            .redirect(redirects())
            .tls_info(true);
        if !self.settings.keep_alive {
            builder = builder.pool_max_idle_per_host(0);
        }
        if let Some(pem) = authorities {
            let certificates =
                Certificate::from_pem_bundle(pem).map_err(|why| wrong(chain(&why)))?;
            if certificates.is_empty() {
                return Err(wrong("the file of authorities has no certificate in it".to_owned()));
            }
            builder = builder.tls_certs_merge(certificates);
        }
        builder.build().map_err(|why| wrong(chain(&why)))
    }

    fn wire(&self, name: &str, value: &str) -> Result<WireValue, Fault> {
        let mut value = WireValue::from_str(value).map_err(|_| {
            // The value may be a secret: it is not quoted.
            let message =
                format!("{}: header {name}: its value has characters no header may have", {
                    self.place()
                });
            Fault::new(FaultKind::InvalidRequest, message)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn no_secret(&self, why: &SecretError) -> Fault {
        let place = self.place();
        Fault::new(FaultKind::NotAuthenticated, format!("{place}: no credentials: {why}"))
            .hint("provide the secret; it is looked for again with the next read")
    }
}

/// Follows redirects within one origin only, so that no credential and no read leaves it.
fn redirects() -> reqwest::redirect::Policy {
    reqwest::redirect::Policy::custom(|attempt| {
        let same = attempt.previous().last().is_some_and(|from| {
            let to = attempt.url();
            from.scheme() == to.scheme()
                && from.host_str() == to.host_str()
                && from.port_or_known_default() == to.port_or_known_default()
        });
        if same && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

/// The requests of one read.
#[derive(Debug)]
pub struct Session {
    client: Client,
    url: Url,
    headers: HeaderMap,
    secrets: Vec<SecretValue>,
    place: SafeText,
    kept_in: Option<String>,
    deadline: Duration,
    limit: usize,
    keyring: Arc<Keyring>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// Where it was answered, after redirects.
    pub url: Url,
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or the beginning of it.
    pub body: Vec<u8>,
    /// Whether the body was longer than the limit.
    pub cut: bool,
    /// Time from the request to the end of the headers.
    pub latency: Duration,
    /// The certificate that the server showed, in DER.
    pub certificate: Option<Vec<u8>>,
}

impl Session {
    /// Where the requests go, for messages.
    pub fn place(&self) -> &SafeText {
        &self.place
    }

    /// The address of `path` below the base.
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }

    /// Asks for `path` and reads JSON. Spends one call of the budget.
    ///
    /// # Errors
    /// The connection, the status, or the shape of the answer.
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        context: &ReadContext,
    ) -> Result<T, Fault> {
        let mut url = self.at(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.request_json(self.client.get(url), path, context).await
    }

    /// Sends a form to `path` and reads JSON; for questions too long for an address.
    ///
    /// # Errors
    /// The connection, the status, or the shape of the answer.
    pub async fn form_json<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        context: &ReadContext,
    ) -> Result<T, Fault> {
        self.request_json(self.client.post(self.at(path)).form(form), path, context).await
    }

    async fn request_json<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        path: &str,
        context: &ReadContext,
    ) -> Result<T, Fault> {
        context.spend().await;
        let what = format!("{}{path}", self.place);
        let answer = self.send(request).await.map_err(|trouble| trouble.fault(&what))?;
        if !answer.status.is_success() {
            return Err(status::fault(&answer, &what, self, context.now()));
        }
        if answer.cut {
            let message = format!("{what}: the answer is larger than {} bytes", self.limit);
            return Err(Fault::new(FaultKind::InvalidReply, message)
                .hint("narrow down what this source reads"));
        }
        serde_json::from_slice(&answer.body).map_err(|why| {
            let kind = status::content_type(&answer);
            let begin = self.excerpt(&answer.body);
            let message = format!("{what}: not the expected JSON ({why}); got {kind}: {begin}");
            Fault::new(FaultKind::InvalidReply, message)
        })
    }

    /// Asks for `url`, whatever the status of the answer.
    ///
    /// # Errors
    /// No answer could be had.
    pub async fn fetch(&self, url: Url) -> Result<Answer, Trouble> {
        self.send(self.client.get(url)).await
    }

    pub(super) async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Trouble> {
        let began = Instant::now();
        let sent = request.headers(self.headers.clone()).timeout(self.deadline).send().await;
        let mut response = sent.map_err(|why| Trouble::of(&why, self.deadline))?;
        let latency = began.elapsed();
        let certificate = response
            .extensions()
            .get::<reqwest::tls::TlsInfo>()
            .and_then(|info| info.peer_certificate().map(<[u8]>::to_vec));
        let (status, headers) = (response.status(), response.headers().clone());
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED) {
            self.keyring.refused();
        }
        let url = response.url().clone();
        let mut body = Vec::new();
        let mut cut = false;
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => {
                    let room = self.limit.saturating_sub(body.len());
                    cut = chunk.len() > room;
                    body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                    if cut {
                        break;
                    }
                }
                Ok(None) => break,
                Err(why) => return Err(Trouble::of(&why, self.deadline)),
            }
        }
        Ok(Answer { url, status, headers, body, cut, latency, certificate })
    }

    /// The beginning of `body` in one line, without our own secrets.
    pub fn excerpt(&self, body: &[u8]) -> SafeText {
        let begin = body.get(..body.len().min(2_000)).unwrap_or_default();
        let mut text = String::from_utf8_lossy(begin).into_owned();
        for secret in &self.secrets {
            text = text.replace(secret.expose(), "(secret)");
        }
        let line = SafeText::new(&text);
        let words: Vec<&str> = line.as_str().split_whitespace().collect();
        SafeText::from(crate::domain::text::fit(&words.join(" "), 160))
    }

    /// What to do about refused credentials.
    fn sign_in_hint(&self) -> String {
        match &self.kept_in {
            Some(place) => format!("renew the secret in {place}; it heals without a restart"),
            None => "this backend wants credentials: add them to its configuration".to_owned(),
        }
    }
}

/// An address without its scheme and query.
fn bare(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['?', '#']).next().unwrap_or(rest)
}

/// An error with its causes in one line; causes that repeat what was said are left out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        let words = why.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = why.source();
    }
    text
}
