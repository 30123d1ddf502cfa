//! A flag from its entry in the listing and what a read of it alone told.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::rules::{self, Segments};
use super::wire::{Detail, Listed, State, Strategy, Tag};
use crate::config::scalar::Glob;
use crate::domain::flag::{Flag, FlagState};
use crate::domain::ids::FlagId;
use crate::domain::text::SafeText;
use crate::domain::time::coarse;

/// A flag that no application asked for in this time may be cleaned up.
const UNSEEN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Who changed a flag last in one environment, and when.
pub(super) type Touch = (Timestamp, Option<SafeText>);

/// What is known around a flag.
pub(super) struct Around<'a> {
    pub id: &'a FlagId,
    pub project: &'a str,
    pub address: &'a str,
    pub environments: &'a [Glob],
    pub segments: &'a Segments,
    /// The last change in each environment.
    pub touched: &'a BTreeMap<String, Touch>,
    pub now: Timestamp,
}

/// The flag. Without `detail` its rules are not known yet, and its share neither.
pub(super) fn flag(around: &Around<'_>, listed: Option<&Listed>, detail: Option<&Detail>) -> Flag {
    let newest = |a: Option<Timestamp>, b: Option<Timestamp>| a.max(b);
    let name = detail.map(|d| &d.name).or(listed.map(|l| &l.name));
    let name = name.map(String::as_str).unwrap_or_default();
    let mut environments: Vec<FlagState> = match detail {
        Some(detail) => detail.environments.iter().map(|state| read(state, around)).collect(),
        None => listed
            .iter()
            .flat_map(|listed| &listed.environments)
            .map(|state| bare(&state.name, state.enabled))
            .collect(),
    };
    environments.retain(|state| wants(around.environments, state.environment.as_str()));
    for state in &mut environments {
        let found = listed.iter().flat_map(|l| &l.environments);
        let mut found = found.filter(|l| state.environment == *SafeText::new(&l.name).as_str());
        let seen = found.next().and_then(|l| time(l.last_seen_at.as_ref()));
        state.last_seen = newest(state.last_seen, seen);
        if let Some((at, who)) = around.touched.get(state.environment.as_str()) {
            state.changed = Some(*at);
            state.by.clone_from(who);
        }
    }
    // A read of the flag alone is newer than the listing, or agrees with it.
    let (stale, created) = match (listed, detail) {
        (_, Some(detail)) => (detail.stale, time(detail.created_at.as_ref())),
        (Some(listed), None) => (listed.stale, time(listed.created_at.as_ref())),
        (None, None) => (false, None),
    };
    let seen = environments.iter().filter_map(|state| state.last_seen).max();
    let text = |text: Option<&String>| text.filter(|t| !t.is_empty()).map(SafeText::from);
    let described = listed.and_then(|l| l.description.as_ref());
    let kind = listed.and_then(|l| l.kind.as_ref());
    Flag {
        id: around.id.clone(),
        key: name.into(),
        project: around.project.into(),
        description: text(described.or(detail.and_then(|d| d.description.as_ref()))),
        kind: text(kind.or(detail.and_then(|d| d.kind.as_ref()))),
        stale: why_stale(stale, seen, created, around.now),
        marked: stale,
        environments,
        link: Some(
            format!("{}/projects/{}/features/{name}", around.address, around.project).into(),
        ),
        tags: tags(listed.and_then(|l| l.tags.as_deref()).unwrap_or_default()),
    }
}

/// Whether `listed` tells another state than `detail`, which was read earlier.
pub(super) fn contradicts(listed: &Listed, detail: &Detail) -> bool {
    let states = |name: &str| detail.environments.iter().find(|state| state.name == name);
    listed.stale != detail.stale
        || listed.environments.len() != detail.environments.len()
        || listed
            .environments
            .iter()
            .any(|l| states(&l.name).is_none_or(|s| s.enabled != l.enabled))
}

/// Whether an environment called `name` is to be read.
pub(super) fn wants(environments: &[Glob], name: &str) -> bool {
    environments.is_empty() || environments.iter().any(|pattern| pattern.matches(name))
}

/// A moment as the API writes it.
pub(super) fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

fn bare(name: &str, enabled: bool) -> FlagState {
    FlagState {
        environment: name.into(),
        enabled: Some(enabled),
        percent: None,
        gradual: None,
        rules: Vec::new(),
        attributes: Vec::new(),
        version: None,
        changed: None,
        by: None,
        last_seen: None,
        rollout: None,
        paces: Vec::new(),
    }
}

fn read(state: &State, around: &Around<'_>) -> FlagState {
    let mut attributes: Vec<(SafeText, SafeText)> = Vec::new();
    for variant in state.strategies.iter().flat_map(|s| s.variants.iter().flatten()) {
        let share = variant.weight / 10.0;
        let payload = variant.payload.as_ref().and_then(|p| p.value.as_ref());
        let payload = payload.map(|value| format!(" = {}", super::wire::plain(value)));
        let value = format!("{share}%{}", payload.unwrap_or_default());
        let attribute = (SafeText::from(&variant.name), SafeText::from(value));
        if !attributes.contains(&attribute) {
            attributes.push(attribute);
        }
    }
    FlagState {
        percent: rules::percent(&state.strategies),
        gradual: rules::gradual(&state.strategies).and_then(rules::share),
        rules: rules::words(&state.strategies, around.segments),
        attributes,
        version: fingerprint(&state.strategies),
        last_seen: time(state.last_seen_at.as_ref()),
        ..bare(&state.name, state.enabled)
    }
}

/// What all strategies come down to: the API has no version of them. The same strategies give the
/// same text, and any difference between two reads another one.
fn fingerprint(strategies: &[Strategy]) -> Option<SafeText> {
    let text = serde_json::to_vec(strategies).ok()?;
    let digest = Sha256::digest(&text);
    let begin = digest.iter().take(4).fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
    Some(format!("{begin:08x}").into())
}

fn why_stale(
    stale: bool,
    seen: Option<Timestamp>,
    created: Option<Timestamp>,
    now: Timestamp,
) -> Option<SafeText> {
    if stale {
        return Some("stale".into());
    }
    let since = now.duration_since(seen.or(created)?);
    match seen {
        _ if since < UNSEEN => None,
        Some(_) => Some(format!("not seen for {}", coarse(since)).into()),
        None => Some(format!("never seen in {}", coarse(since)).into()),
    }
}

/// Several values of one kind stand in one line.
fn tags(tags: &[Tag]) -> BTreeMap<SafeText, SafeText> {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for tag in tags {
        kinds.entry(&tag.kind).or_default().push(&tag.value);
    }
    kinds.into_iter().map(|(kind, values)| (kind.into(), values.join(", ").into())).collect()
}
