//! Alerting rules and their active alerts as alarms.
//!
//! A rule that is quiet is one alarm. While it is active, each of its alerts is one, so that a
//! service can claim the alert that is about it: `Name{labels the rule does not fix}`. An alert
//! without such labels keeps the id of its rule.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::{Alert, AlertsData, Labels, Rule, RulesData, label_text};
use crate::domain::alarm::{Alarm, AlarmState};
use crate::domain::ids::{AlarmId, SourceId};
use crate::domain::text::{SafeText, fit};

/// A rule with more active alerts than this is shown as one alarm that counts them.
const MAX_ALERTS: usize = 50;

/// The alarms that the rules stand for.
pub(super) fn of_rules(source: &SourceId, address: &str, data: RulesData) -> Vec<Alarm> {
    let alerting = data.groups.into_iter().flat_map(|group| {
        let name = group.name;
        group.rules.into_iter().filter(|r| r.kind == "alerting").map(move |r| (name.clone(), r))
    });
    let rules: Vec<(String, Rule)> = alerting.collect();
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, rule) in &rules {
        *uses.entry(&rule.name).or_default() += 1;
    }
    let mut taken = BTreeSet::new();
    let mut alarms = Vec::new();
    for (group, rule) in &rules {
        // Rules of one name differ in their labels (warning and critical), or in their group.
        let unique = uses.get(rule.name.as_str()).is_none_or(|n| *n < 2);
        let mut name = if unique {
            rule.name.clone()
        } else {
            format!("{group}/{}{}", rule.name, label_text(&rule.labels))
        };
        if !taken.insert(name.clone()) {
            let copies = (2..).map(|n| format!("{name}#{n}"));
            name = copies.take(rules.len()).find(|n| taken.insert(n.clone())).unwrap_or(name);
        }
        alarms.extend(of_rule(source, address, &name, rule));
    }
    alarms
}

fn of_rule(source: &SourceId, address: &str, name: &str, rule: &Rule) -> Vec<Alarm> {
    let active: Vec<&Alert> = rule.alerts.iter().filter(|a| state(a) != AlarmState::Ok).collect();
    let mut whole = Alarm {
        id: AlarmId::new(source, name),
        name: SafeText::new(&rule.name),
        state: AlarmState::Ok,
        since: None,
        reason: None,
        severity: rule.labels.get("severity").map(SafeText::from),
        kind: "alert".into(),
        rule: Some(rule_text(rule)),
        silenced: false,
        history: Vec::new(),
        link: Some(format!("{address}/alerts").into()),
        tags: tags(&rule.labels),
    };
    if active.is_empty() || active.len() > MAX_ALERTS {
        whole.state = active.iter().map(|a| state(a)).max().unwrap_or(AlarmState::Ok);
        whole.since = active.iter().filter_map(|a| a.active_at).min();
        if let Some(first) = active.first() {
            let said = reason(first).unwrap_or_default();
            whole.reason = Some(format!("{} active alerts; one: {said}", active.len()).into());
        }
        if active.is_empty() && rule.health != "ok" {
            whole.state = AlarmState::Unknown;
            let why = rule.last_error.as_deref().filter(|why| !why.is_empty());
            whole.reason = Some(why.unwrap_or("the rule was not evaluated yet").into());
        }
        return vec![whole];
    }
    active
        .iter()
        .map(|alert| {
            let own: Labels = alert
                .labels
                .iter()
                .filter(|(k, v)| *k != "alertname" && rule.labels.get(*k) != Some(*v))
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            let id = if own.is_empty() {
                whole.id.clone()
            } else {
                AlarmId::new(source, &format!("{name}{}", label_text(&own)))
            };
            of_alert(Alarm { id, ..whole.clone() }, alert)
        })
        .collect()
}

/// The alarms that the active alerts stand for, where the rules are not shown.
pub(super) fn of_alerts(source: &SourceId, address: &str, data: &AlertsData) -> Vec<Alarm> {
    data.alerts
        .iter()
        .filter(|alert| state(alert) != AlarmState::Ok)
        .map(|alert| {
            let name = alert.labels.get("alertname").map_or("alert", String::as_str);
            let mut own = alert.labels.clone();
            own.remove("alertname");
            let alarm = Alarm {
                id: AlarmId::new(source, &format!("{name}{}", label_text(&own))),
                name: name.into(),
                state: AlarmState::Unknown,
                since: None,
                reason: None,
                severity: None,
                kind: "alert".into(),
                rule: None,
                silenced: false,
                history: Vec::new(),
                link: Some(format!("{address}/alerts").into()),
                tags: BTreeMap::new(),
            };
            of_alert(alarm, alert)
        })
        .collect()
}

fn of_alert(mut alarm: Alarm, alert: &Alert) -> Alarm {
    alarm.state = state(alert);
    alarm.since = alert.active_at;
    alarm.reason = reason(alert);
    if let Some(severity) = alert.labels.get("severity") {
        alarm.severity = Some(severity.into());
    }
    alarm.tags.extend(tags(&alert.labels));
    alarm
}

fn state(alert: &Alert) -> AlarmState {
    match alert.state.as_str() {
        "inactive" => AlarmState::Ok,
        "pending" => AlarmState::Pending,
        "firing" => AlarmState::Firing,
        _ => AlarmState::Unknown,
    }
}

/// What its annotations say, else its value.
fn reason(alert: &Alert) -> Option<SafeText> {
    let annotation = ["summary", "description", "message"]
        .iter()
        .find_map(|name| alert.annotations.get(*name))
        .map(SafeText::from);
    annotation.or_else(|| alert.value.as_ref().map(|value| format!("value {value}").into()))
}

fn rule_text(rule: &Rule) -> SafeText {
    let query = fit(SafeText::new(&rule.query).as_str(), 500);
    if rule.duration > 0.0 {
        format!("{query} for {} s", rule.duration).into()
    } else {
        query.into()
    }
}

fn tags(labels: &Labels) -> BTreeMap<SafeText, SafeText> {
    labels.iter().map(|(name, value)| (name.into(), value.into())).collect()
}
