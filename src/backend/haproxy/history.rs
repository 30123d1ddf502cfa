//! What the statistics do not keep: earlier counts, from which rates and shifts of traffic follow.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::answer::{Info, Server};
use super::figures::Counts;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::ids::{ChangeId, ItemId, TrafficId};
use crate::domain::text::SafeText;
use crate::domain::traffic::{Arm, TrafficSplit};

/// Rates are taken over at least this time where enough is known.
const SPAN: SignedDuration = SignedDuration::from_secs(10);
/// A shorter time tells no rate.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// What was seen of each server.
#[derive(Debug, Default)]
pub(super) struct History {
    arms: BTreeMap<(TrafficId, SafeText), Seen>,
    since: BTreeMap<TrafficId, Timestamp>,
}

#[derive(Debug)]
struct Seen {
    at: Timestamp,
    weight: u32,
    word: String,
    counts: VecDeque<(Timestamp, Counts)>,
}

/// Notices that the counters began anew.
#[derive(Debug, Default)]
pub(super) struct Process {
    pid: Option<u64>,
    uptime: Option<u64>,
}

impl Process {
    /// When the process began, if another one answers than before.
    pub(super) fn restarted(&mut self, info: &Info, now: Timestamp) -> Option<Timestamp> {
        let known = self.pid.is_some() || self.uptime.is_some();
        let other = self.pid != info.pid || info.uptime < self.uptime;
        (self.pid, self.uptime) = (info.pid, info.uptime);
        let age = SignedDuration::from_secs(i64::try_from(info.uptime?).ok()?);
        (known && other).then(|| now.checked_sub(age).ok())?
    }
}

impl History {
    /// Counts of an earlier process tell no rate.
    pub(super) fn forget_counts(&mut self) {
        self.arms.values_mut().for_each(|seen| seen.counts.clear());
    }

    /// Takes in what was read at `now`: fills in rates, and says what shifted since the last read.
    pub(super) fn see(
        &mut self,
        split: &mut TrafficSplit,
        servers: &[&Server],
        now: Timestamp,
    ) -> Vec<Change> {
        let mut changes = Vec::new();
        let id = split.id.clone();
        for (arm, server) in split.arms.iter_mut().zip(servers) {
            let word = server.word().to_owned();
            let seen = self.arms.entry((id.clone(), arm.name.clone())).or_insert_with(|| Seen {
                at: now,
                weight: arm.weight,
                word: word.clone(),
                counts: VecDeque::new(),
            });
            if let Some(counts) = Counts::of(server) {
                seen.rates(arm, counts, now);
            }
            if seen.weight != arm.weight {
                let title = format!("weight {}, before {}", arm.weight, seen.weight);
                let detail = format!("{} was last seen at {}", seen.weight, seen.at);
                changes.push(change(&id, &arm.name, now, "weight", &title, detail));
                self.since.insert(id.clone(), now);
            }
            if seen.word != word {
                let title = format!("{word}, before {}", seen.word);
                // The backend knows when, by its own clock's distance from now.
                let age = server.count("lastchg").and_then(|s| i64::try_from(s).ok());
                let at = age
                    .and_then(|s| now.checked_sub(SignedDuration::from_secs(s)).ok())
                    .map_or(now, |at| at.max(seen.at));
                let detail = server.get("last_chk").or(server.get("check_status"));
                let detail = detail.unwrap_or("no check").to_owned();
                changes.push(change(&id, &arm.name, at, "state", &title, detail));
            }
            (seen.at, seen.weight, seen.word) = (now, arm.weight, word);
        }
        split.since = self.since.get(&id).copied();
        let stays = |name: &SafeText| split.arms.iter().any(|arm| arm.name == *name);
        self.arms.retain(|(of, name), _| *of != id || stays(name));
        changes
    }

    /// Forgets splits that no longer exist.
    pub(super) fn keep(&mut self, splits: &[TrafficSplit]) {
        let exists = |id: &TrafficId| splits.iter().any(|split| split.id == *id);
        self.since.retain(|id, _| exists(id));
        self.arms.retain(|(id, _), _| exists(id));
    }
}

impl Seen {
    fn rates(&mut self, arm: &mut Arm, counts: Counts, now: Timestamp) {
        let newest = self.counts.back();
        if newest.is_some_and(|(_, c)| c.requests > counts.requests || c.errors > counts.errors) {
            // Somebody cleared the counters.
            self.counts.clear();
        }
        while self.counts.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= SPAN) {
            self.counts.pop_front();
        }
        if let Some((at, then)) = self.counts.front()
            && now.duration_since(*at) >= SHORTEST
        {
            let seconds = now.duration_since(*at).as_secs_f64();
            let requests = counts.requests.saturating_sub(then.requests) as f64;
            let errors = counts.errors.saturating_sub(then.errors) as f64;
            arm.request_rate = Some(requests / seconds);
            arm.error_rate = (requests > 0.0).then(|| (errors / requests).min(1.0));
        }
        let due = |(at, _): &(Timestamp, Counts)| now.duration_since(*at) >= SHORTEST;
        if self.counts.back().is_none_or(due) {
            self.counts.push_back((now, counts));
        }
    }
}

fn change(
    split: &TrafficId,
    arm: &SafeText,
    at: Timestamp,
    what: &str,
    title: &str,
    detail: String,
) -> Change {
    let name = &split.name;
    Change {
        id: ChangeId::new(&split.source, &format!("{name}/{arm} {what} {at}")),
        at,
        kind: ChangeKind::Traffic,
        title: format!("{name}/{arm} {title}").into(),
        who: None,
        target: Some(ItemId::Traffic(split.clone())),
        environment: None,
        detail: Some(detail.into()),
        link: None,
    }
}
