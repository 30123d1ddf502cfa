//! What the status of an unsuccessful answer means to an operator.

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::Value;

use super::retry_after::retry_after;
use super::{Answer, Session};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// The fault that an unsuccessful `answer` to `what` stands for.
pub(super) fn fault(answer: &Answer, what: &str, session: &Session, now: Timestamp) -> Fault {
    let status = answer.status;
    let until = retry_after(&answer.headers, now);
    let kind = match status.as_u16() {
        300..=399 => FaultKind::InvalidReply,
        401 | 407 => FaultKind::NotAuthenticated,
        403 => FaultKind::Forbidden { permission: None },
        404 | 410 => FaultKind::NotFound,
        409 | 412 => FaultKind::Conflict,
        429 => FaultKind::Throttled { until },
        503 if until.is_some() => FaultKind::Throttled { until },
        408 => FaultKind::Unreachable,
        500..=599 => FaultKind::ServerError,
        _ => FaultKind::InvalidRequest,
    };
    let mut message = format!("{what}: {}", status_words(status));
    if status.is_redirection() {
        let target = answer.headers.get(LOCATION).map(|to| SafeText::from_bytes(to.as_bytes()));
        let target = target.unwrap_or_default();
        return Fault::new(kind, format!("{message}, to {target}, which is another address"))
            .hint("configure the address it redirects to, if that is the backend");
    }
    let said = said(&answer.body)
        .map_or_else(|| session.excerpt(&answer.body), |text| session.excerpt(text.as_bytes()));
    if !said.is_empty() {
        message = format!("{message}: {said}");
    }
    let fault = Fault::new(kind, message);
    if status == StatusCode::UNAUTHORIZED { fault.hint(session.sign_in_hint()) } else { fault }
}

/// `404 Not Found`.
pub fn status_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// The content type, or that there is none.
pub(super) fn content_type(answer: &Answer) -> SafeText {
    let kind = answer.headers.get(CONTENT_TYPE).map(|kind| SafeText::from_bytes(kind.as_bytes()));
    kind.unwrap_or_else(|| SafeText::new("no content type"))
}

/// What an error document in JSON says, in the members that backends use for it.
fn said(body: &[u8]) -> Option<String> {
    let document: Value = serde_json::from_slice(body).ok()?;
    let details = document.pointer("/details/0/message");
    let texts: Vec<&str> = ["error", "message", "error_description"]
        .iter()
        .map(|key| document.get(key))
        .chain([details])
        .filter_map(|value| value.and_then(Value::as_str))
        .collect();
    let mut said = String::new();
    for text in texts {
        if !said.contains(text) {
            said.push_str(if said.is_empty() { "" } else { "; " });
            said.push_str(text);
        }
    }
    (!said.is_empty()).then_some(said)
}
