//! The single questions to the Admin API.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::Value;

use super::events;
use super::rules::Segments;
use super::wire::{
    Detail, Event, Events, Features, Listed, Me, Projects, Segments as SegmentList, UiConfig,
};
use crate::backend::context::ReadContext;
use crate::backend::http_client::Session;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// Versions whose answers were checked.
const KNOWN: [&str; 2] = ["7", "8"];

/// The ids of the projects that we may see.
pub(super) async fn projects(session: &Session, cx: &ReadContext) -> Result<Vec<String>, Fault> {
    let reply: Projects = session.get_json("/api/admin/projects", &[], cx).await?;
    Ok(reply.projects.into_iter().map(|project| project.id).collect())
}

/// A listing of one project.
pub(super) struct Listing {
    pub listed: Vec<Listed>,
    /// The names of entries that could not be understood otherwise.
    pub odd: Vec<String>,
    /// Entries that have not even a name.
    pub nameless: usize,
}

/// The flags of `project`.
pub(super) async fn features(
    session: &Session,
    project: &str,
    cx: &ReadContext,
) -> Result<Listing, Fault> {
    let path = format!("/api/admin/projects/{}/features", segment(project)?);
    let reply: Features = session.get_json(&path, &[], cx).await?;
    let mut listing = Listing { listed: Vec::new(), odd: Vec::new(), nameless: 0 };
    for entry in reply.features {
        let name = entry.get("name").and_then(Value::as_str).map(str::to_owned);
        match (serde_json::from_value(entry), name) {
            (Ok(listed), _) => listing.listed.push(listed),
            (Err(_), Some(name)) => listing.odd.push(name),
            (Err(_), None) => listing.nameless += 1,
        }
    }
    Ok(listing)
}

/// One flag with its strategies. An archived one is answered as one that does not exist.
pub(super) async fn feature(
    session: &Session,
    project: &str,
    name: &str,
    cx: &ReadContext,
) -> Result<Detail, Fault> {
    Ok(feature_as_told(session, project, name, cx).await?.0)
}

/// The same, with everything that was answered.
pub(super) async fn feature_as_told(
    session: &Session,
    project: &str,
    name: &str,
    cx: &ReadContext,
) -> Result<(Detail, Value), Fault> {
    let path = format!("/api/admin/projects/{}/features/{}", segment(project)?, segment(name)?);
    let told: Value = session.get_json(&path, &[], cx).await?;
    let detail = Detail::deserialize(&told).map_err(|why| {
        let message = format!("{}{path}: not the expected JSON ({why})", session.place());
        Fault::new(FaultKind::InvalidReply, message)
    })?;
    if detail.archived {
        let message = format!("{}{path}: the flag is archived", session.place());
        return Err(Fault::new(FaultKind::NotFound, message));
    }
    if detail.name != name {
        let message = format!("{}{path}: another flag is answered", session.place());
        return Err(Fault::new(FaultKind::InvalidReply, message));
    }
    Ok((detail, told))
}

/// One page of the event log, the newest first, and whether the page is full.
///
/// # Errors
/// Among others, a page of which not one entry can be understood.
pub(super) async fn events(
    session: &Session,
    limit: usize,
    offset: usize,
    cx: &ReadContext,
) -> Result<(Vec<Event>, bool), Fault> {
    let (limit_text, offset) = (limit.to_string(), offset.to_string());
    let query = [("limit", limit_text.as_str()), ("offset", offset.as_str())];
    let reply: Events = session.get_json("/api/admin/search/events", &query, cx).await?;
    let count = reply.events.len();
    let events = events::understand(reply.events);
    if events.is_empty() && count > 0 {
        let message = format!("{}: no entry of the event log is understood", session.place());
        return Err(Fault::new(FaultKind::InvalidReply, message));
    }
    Ok((events, count >= limit))
}

/// The names of the segments.
pub(super) async fn segments(session: &Session, cx: &ReadContext) -> Result<Segments, Fault> {
    let reply: SegmentList = session.get_json("/api/admin/segments", &[], cx).await?;
    Ok(reply.segments.into_iter().map(|s| (s.id, s.name)).collect::<BTreeMap<_, _>>())
}

/// As whom we are seen, by which version; and a warning if that version was not checked.
pub(super) async fn identity(
    session: &Session,
    cx: &ReadContext,
) -> Result<(SafeText, Option<SafeText>), Fault> {
    let me: Me = session.get_json("/api/admin/user", &[], cx).await?;
    let named = [&me.user.username, &me.user.email, &me.user.name];
    let name = named.into_iter().flatten().find(|name| !name.is_empty());
    let name = name.map_or("without a name", String::as_str);
    let who = match &me.user.token {
        Some(kind) => format!("{kind} token {name}"),
        None => format!("user {name}"),
    };
    let config: Option<UiConfig> = session.get_json("/api/admin/ui-config", &[], cx).await.ok();
    let version = config.as_ref().and_then(|c| c.version.clone());
    let edition = config.and_then(|c| c.environment).map(|e| format!(" {e}")).unwrap_or_default();
    let Some(version) = version else {
        return Ok((format!("{who} (Unleash of unknown version)").into(), None));
    };
    let major = version.split('.').next().unwrap_or_default();
    let warning = (!KNOWN.contains(&major))
        .then(|| format!("Unleash {version}: flightdeck was checked with 7 and 8").into());
    Ok((format!("{who} (Unleash{edition} {version})").into(), warning))
}

/// `text` as one segment of a path.
pub(super) fn segment(text: &str) -> Result<String, Fault> {
    if text.is_empty() || text == "." || text == ".." {
        let message = format!("{text:?} cannot be part of an address");
        return Err(Fault::new(FaultKind::InvalidRequest, message));
    }
    Ok(text.bytes().fold(String::new(), |mut path, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
        path
    }))
}
