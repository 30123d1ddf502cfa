//! Why Unleash did not take a write, where it says more than its status.

use serde_json::Value;

use super::super::http_client::{Answer, Session, status_words};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// The permission that Unleash misses where it wants a change request instead.
const SKIP: &str = "SKIP_CHANGE_REQUEST";
/// What its library for JSON Patch says when a `test` does not hold; Unleash answers it as 500.
const TEST_FAILED: &str = "TEST_OPERATION_FAILED";

/// What was written.
pub(super) struct About<'a> {
    pub environment: &'a SafeText,
    /// The page of the flag.
    pub page: &'a str,
    pub path: &'a str,
}

/// The refusal that `answer` is, if it is one that its status does not tell.
pub(super) fn explain(about: &About<'_>, session: &Session, answer: &Answer) -> Option<Fault> {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let message = said.get("message").and_then(Value::as_str).unwrap_or_default();
    let what = format!("{}{}", session.place(), about.path);
    if message.contains(TEST_FAILED) {
        let message = format!("{what}: it has changed since it was read, and Unleash did nothing");
        return Some(Fault::new(FaultKind::Conflict, message));
    }
    if answer.status.as_u16() != 403 {
        return None;
    }
    let permission = permission(&said, message);
    let environment = about.environment;
    if permission.as_deref() == Some(SKIP) {
        let message = format!("{what}: changes in {environment} need a change request");
        let kind = FaultKind::Forbidden { permission: Some(SKIP.into()) };
        return Some(
            Fault::new(kind, message)
                .hint(format!("open a change request at {} and have it approved", about.page)),
        );
    }
    let words = session.excerpt(message.as_bytes());
    let status = status_words(answer.status);
    let kind = FaultKind::Forbidden { permission: permission.as_ref().map(SafeText::from) };
    let fault = Fault::new(kind, format!("{what}: {status}: {words}"));
    Some(match permission {
        Some(permission) => fault.hint(format!(
            "ask for a role with {permission} in this project and {environment}, or use the token of somebody who has one"
        )),
        None => fault.hint("use the token of somebody who may do this"),
    })
}

/// The missing permission: a member of the answer in later versions, quoted in its sentence in all.
fn permission(said: &Value, message: &str) -> Option<String> {
    let listed: Vec<&str> = said
        .get("permissions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !listed.is_empty() {
        return Some(listed.join(" or "));
    }
    let is_name =
        |text: &&str| !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let quoted: Vec<&str> = message.split(['"', '\'']).filter(is_name).collect();
    (!quoted.is_empty()).then(|| quoted.join(" or "))
}
