//! What the answer of a target, or the lack of one, says about its environment.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::LOCATION;
use serde_json::Value;

use super::super::http_client::{Answer, Session, Trouble, retry_after, status_words};
use super::shown_name;
use crate::config::sources::HttpTarget;
use crate::domain::environment::{Environment, Health};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::EnvironmentId;
use crate::domain::revision::Revision;
use crate::domain::text::{SafeText, fit};
use crate::domain::time::coarse;

/// A certificate that ends sooner than this is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The environment of `target` by what came of asking it; a fault where it remains unknown.
pub(super) fn judge(
    id: EnvironmentId,
    target: &HttpTarget,
    session: &Session,
    asked: Result<Answer, Trouble>,
    now: Timestamp,
) -> Result<Environment, Fault> {
    let mut environment = Environment {
        id,
        name: shown_name(target),
        production: target.production,
        health: Health::Unhealthy,
        summary: None,
        revision: None,
        slots: Vec::new(),
        address: Some(target.url.as_str().into()),
        latency: None,
        tls_expires: None,
        since: None,
        link: Some(target.url.as_str().into()),
        tags: target.tags.iter().map(|(key, value)| (key.into(), value.into())).collect(),
    };
    let answer = match asked {
        Ok(answer) => answer,
        Err(
            trouble @ (Trouble::Refused
            | Trouble::Silent(_)
            | Trouble::Broken(_)
            | Trouble::Garbled(_)
            | Trouble::Expired(_)),
        ) => {
            environment.summary = Some(trouble.words().into());
            return Ok(environment);
        }
        Err(trouble) => return Err(trouble.fault(target.url.as_str())),
    };
    let status = answer.status.as_u16();
    let expected = target.expect_status.contains(&status);
    if !expected && let Some(fault) = withheld(target, &answer, now) {
        return Err(fault);
    }
    let mut words = vec![status_words(answer.status)];
    if expected {
        environment.health = Health::Healthy;
    } else {
        if let Some(to) = answer.headers.get(LOCATION) {
            words.push(format!("redirects to {}", SafeText::from_bytes(to.as_bytes())));
        }
        let said = session.excerpt(&answer.body);
        if !said.is_empty() {
            words.push(said.as_str().to_owned());
        }
        let codes: Vec<String> = target.expect_status.iter().map(ToString::to_string).collect();
        words.push(format!("expected {}", codes.join(" or ")));
    }
    match version(target, &answer) {
        Ok(revision) => environment.revision = revision,
        Err(why) => words.push(why),
    }
    environment.latency = SignedDuration::try_from(answer.latency).ok();
    if let Some(ends) = answer.certificate.as_deref().and_then(certificate_end) {
        environment.tls_expires = Some(ends);
        let left = ends.duration_since(now);
        if left < SOON {
            words.push(format!("certificate ends in {}", coarse(left)));
        }
    }
    environment.summary = Some(words.join("; ").into());
    Ok(environment)
}

/// An answer that tells about us, not about the target.
fn withheld(target: &HttpTarget, answer: &Answer, now: Timestamp) -> Option<Fault> {
    let kind = match answer.status.as_u16() {
        401 | 407 => FaultKind::NotAuthenticated,
        403 => FaultKind::Forbidden { permission: None },
        429 => FaultKind::Throttled { until: retry_after(&answer.headers, now) },
        _ => return None,
    };
    let message = format!("{}: {}", target.url, status_words(answer.status));
    Some(Fault::new(kind, message).hint("send what it asks for by headers, or expect this status"))
}

/// The running version, where the settings say where to find it.
fn version(target: &HttpTarget, answer: &Answer) -> Result<Option<Revision>, String> {
    let mut missing = Vec::new();
    if let Some(pointer) = &target.version_pointer {
        if answer.cut {
            missing.push("the answer is too large to find the version in".to_owned());
        } else if let Ok(document) = serde_json::from_slice::<Value>(&answer.body) {
            match document.pointer(pointer) {
                Some(Value::String(text)) if !text.is_empty() => {
                    return Ok(Some(Revision::of(text)));
                }
                Some(Value::Number(number)) => {
                    return Ok(Some(Revision::of(&number.to_string())));
                }
                _ => missing.push(format!("no version at {pointer}")),
            }
        } else {
            missing.push(format!("no JSON to find the version at {pointer} in"));
        }
    }
    if let Some(name) = &target.version_header {
        match answer.headers.get(name) {
            Some(value) if !value.is_empty() => {
                let text = SafeText::from_bytes(value.as_bytes());
                return Ok(Some(Revision::of(text.as_str())));
            }
            _ => missing.push(format!("no header {name} with the version")),
        }
    }
    if missing.is_empty() { Ok(None) } else { Err(fit(&missing.join(", "), 200)) }
}

/// When a certificate (DER) ends.
fn certificate_end(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}
