//! One side of a comparison: a base address, the only host that is asked, and a client for it.

use std::error::Error as _;
use std::io;
use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, Url};

use crate::config::scalar::HttpUrl;
use crate::domain::text::{SafeText, fit};

/// More redirects in a row than this are a loop.
const MAX_REDIRECTS: usize = 5;

/// Whether a method changes nothing on the server, and may be sent unasked: GET, HEAD and OPTIONS
/// (RFC 9110, section 9.2.1; TRACE is left out, because it echoes credentials).
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// How requests are sent.
#[derive(Clone, Debug)]
pub struct Sending {
    /// From the moment a request is sent to the end of its answer.
    pub timeout: Duration,
    /// Follow redirects; within one origin only, so that no other host is ever asked.
    pub follow_redirects: bool,
    /// Further certificate authorities to trust, PEM.
    pub authorities: Option<Vec<u8>>,
}

/// One side.
#[derive(Clone, Debug)]
pub struct Target {
    base: Url,
    client: Client,
    timeout: Duration,
}

/// A request without its host.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Its method.
    pub method: Method,
    /// Path and query; begins with a slash.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Option<Vec<u8>>,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as much as was to be kept.
    pub body: Vec<u8>,
    /// Whether the body is longer than what was to be kept.
    pub cut: bool,
}

/// Why there is no answer. None of these quotes the address, which may carry a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Not complete in time.
    Timeout,
    /// No connection, or one that broke.
    Connection(SafeText),
    /// Not the other side's fault: the request could not leave this machine.
    Unsent(SafeText),
}

/// Why a side cannot be asked at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The base address carries more than a host and a path.
    #[error("{0}: a base address has no query and no fragment")]
    NotABase(SafeText),
    /// The client could not be made.
    #[error("{0}: {1}")]
    Client(SafeText, SafeText),
}

impl Target {
    /// A side under `base`. Does no I/O.
    ///
    /// # Errors
    /// An address that is no base, or certificates that cannot be read.
    pub fn new(base: &HttpUrl, sending: &Sending) -> Result<Self, TargetError> {
        let shown = SafeText::new(base.as_str());
        let wrong = |why: &dyn std::fmt::Display| {
            TargetError::Client(shown.clone(), SafeText::new(&why.to_string()))
        };
        let url = Url::parse(base.as_str()).map_err(|why| wrong(&why))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(TargetError::NotABase(shown));
        }
        let mut builder = Client::builder()
            .user_agent(concat!("flightdeck/", env!("CARGO_PKG_VERSION")))
            // A proxy would be another host, and the measured time would be its time.
            .no_proxy()
            .redirect(if sending.follow_redirects { within_origin() } else { Policy::none() })
            .tcp_nodelay(true);
        if let Some(pem) = &sending.authorities {
            let certificates = Certificate::from_pem_bundle(pem).map_err(|why| wrong(&why))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|why| wrong(&why))?;
        Ok(Self { base: url, client, timeout: sending.timeout })
    }

    /// The base address, for messages.
    pub fn place(&self) -> SafeText {
        SafeText::new(self.base.as_str().trim_end_matches('/'))
    }

    /// The address of `path` (with its query) below the base; none if it would be another host.
    pub fn address(&self, path: &str) -> Option<Url> {
        if !path.starts_with('/') {
            return None;
        }
        let base = self.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path}")).ok()?;
        (url.origin() == self.base.origin() && url.username().is_empty()).then_some(url)
    }

    /// Puts this side's origin before an Origin or a Referer of which only the path is known.
    pub fn at_home(&self, headers: &mut HeaderMap) {
        let origin = self.base.origin().ascii_serialization();
        for name in [header::ORIGIN, header::REFERER] {
            let path = headers.get(&name).and_then(|value| value.to_str().ok());
            let Some(path) = path.filter(|path| path.starts_with('/')) else { continue };
            let whole = if name == header::ORIGIN { origin.clone() } else { origin.clone() + path };
            if let Ok(value) = HeaderValue::from_str(&whole) {
                headers.insert(name, value);
            }
        }
    }

    /// Sends one request and reads the whole answer, of which `keep` bytes are kept.
    ///
    /// # Errors
    /// There is no complete answer.
    pub async fn send(&self, wire: &Wire, keep: usize) -> Result<Answer, NoAnswer> {
        let Some(url) = self.address(&wire.path) else {
            return Err(NoAnswer::Unsent("its path is no path of this host".into()));
        };
        let mut request = self
            .client
            .request(wire.method.clone(), url)
            .headers(wire.headers.clone())
            .timeout(self.timeout);
        if let Some(body) = &wire.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(|why| no_answer(&why))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let mut cut = false;
        // Read to its end even if nothing is kept: the connection is used again, and time runs on.
        while let Some(chunk) = response.chunk().await.map_err(|why| no_answer(&why))? {
            let room = keep.saturating_sub(body.len());
            cut |= chunk.len() > room;
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        }
        Ok(Answer { status, headers, body, cut })
    }
}

fn within_origin() -> Policy {
    Policy::custom(|attempt| {
        let from = attempt.previous().last();
        let same = from.is_some_and(|from| from.origin() == attempt.url().origin());
        if same && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    if error.is_timeout() {
        return NoAnswer::Timeout;
    }
    let mut words = "no request could be made of it".to_owned();
    let mut local = error.is_builder();
    // The error's own words quote the address; the innermost cause says most, and does not.
    let mut cause = error.source();
    while let Some(why) = cause {
        if let Some(why) = why.downcast_ref::<io::Error>() {
            local |= is_local(why);
        }
        words = why.to_string();
        cause = why.source();
    }
    let words = SafeText::from(fit(&words, 200));
    if local { NoAnswer::Unsent(words) } else { NoAnswer::Connection(words) }
}

/// Whether this machine has run out of something.
fn is_local(error: &io::Error) -> bool {
    // ENFILE and EMFILE, on Linux and macOS alike.
    const TOO_MANY_FILES: [i32; 2] = [23, 24];
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.kind() == io::ErrorKind::OutOfMemory
        || error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(base: &str) -> Target {
        let sending =
            Sending { timeout: Duration::from_secs(1), follow_redirects: false, authorities: None };
        Target::new(&base.parse().unwrap(), &sending).unwrap()
    }

    #[test]
    fn paths_stay_below_the_host_they_were_given() {
        let target = target("http://canary.example:8080/shop/");
        let shown = |path: &str| target.address(path).map(|url| url.to_string());
        assert_eq!(
            shown("/cart?user=1"),
            Some("http://canary.example:8080/shop/cart?user=1".to_owned())
        );
        for odd in ["cart", "@evil.example/", "", ":9/x"] {
            assert_eq!(shown(odd), None, "{odd}");
        }
        assert_eq!(
            shown("//evil.example/x"),
            Some("http://canary.example:8080/shop//evil.example/x".to_owned())
        );
    }

    #[test]
    fn without_a_path_of_its_own_a_base_takes_any_path() {
        let target = target("http://127.0.0.1:9");
        assert_eq!(target.address("//evil/x").unwrap().host_str(), Some("127.0.0.1"));
        assert_eq!(target.address("/\\evil/x").unwrap().host_str(), Some("127.0.0.1"));
        assert_eq!(target.place().as_str(), "http://127.0.0.1:9");
    }

    #[test]
    fn only_methods_that_change_nothing_are_safe() {
        for (method, safe) in [
            (Method::GET, true),
            (Method::HEAD, true),
            (Method::OPTIONS, true),
            (Method::POST, false),
            (Method::TRACE, false),
            (Method::DELETE, false),
        ] {
            assert_eq!(is_safe(&method), safe, "{method}");
        }
    }

    #[test]
    fn a_base_has_no_query() {
        let sending =
            Sending { timeout: Duration::from_secs(1), follow_redirects: false, authorities: None };
        let result = Target::new(&"http://a.example/?x=1".parse().unwrap(), &sending);
        assert!(matches!(result, Err(TargetError::NotABase(_))), "{result:?}");
    }
}
