//! Strategies in words, and the share of users that they let through.

use std::collections::BTreeMap;

use super::wire::{Constraint, Strategy, plain};
use crate::domain::text::SafeText;

/// Values of one constraint that are named one by one.
const NAMED: usize = 5;

/// The names of segments, by number.
pub(super) type Segments = BTreeMap<i64, String>;

/// Each strategy in words, in their order; a user gets the flag by any one of them.
pub(super) fn words(strategies: &[Strategy], segments: &Segments) -> Vec<SafeText> {
    strategies.iter().map(|strategy| one(strategy, segments).into()).collect()
}

/// The share of all users who get the flag while it is on, 0–100.
///
/// A user gets it by any strategy, and strategies of one group share their dice, so that the
/// widest one counts. Whom a constraint or a segment lets through, nobody can tell from here: if
/// only such strategies let anybody through, the share is not known.
pub(super) fn percent(strategies: &[Strategy]) -> Option<f64> {
    if strategies.is_empty() {
        return Some(100.0);
    }
    let active = strategies.iter().filter(|s| s.disabled != Some(true));
    let open = active.filter(|s| is_open(s)).filter_map(share);
    open.max_by(f64::total_cmp)
}

/// The one gradual roll-out that can be told another share; none where there are several.
pub(super) fn gradual(strategies: &[Strategy]) -> Option<&Strategy> {
    let mut all =
        strategies.iter().filter(|s| s.name == "flexibleRollout" && s.disabled != Some(true));
    all.next().filter(|_| all.next().is_none())
}

/// The share that a strategy lets through of those it is for.
pub(super) fn share(strategy: &Strategy) -> Option<f64> {
    let parameter = match strategy.name.as_str() {
        "default" => return Some(100.0),
        "flexibleRollout" => "rollout",
        "gradualRolloutUserId" | "gradualRolloutSessionId" | "gradualRolloutRandom" => "percentage",
        _ => return None,
    };
    let share: f64 = self::parameter(strategy, parameter)?.trim().parse().ok()?;
    share.is_finite().then(|| share.clamp(0.0, 100.0))
}

/// Whether it is for everybody.
fn is_open(strategy: &Strategy) -> bool {
    let constrained = strategy.constraints.as_ref().is_some_and(|c| !c.is_empty());
    let segmented = strategy.segments.as_ref().is_some_and(|s| !s.is_empty());
    !constrained && !segmented
}

fn parameter(strategy: &Strategy, name: &str) -> Option<String> {
    strategy.parameters.as_ref()?.get(name).map(plain).filter(|text| !text.is_empty())
}

fn one(strategy: &Strategy, segments: &Segments) -> String {
    let get = |name| parameter(strategy, name);
    let what = match (strategy.name.as_str(), share(strategy)) {
        ("default", _) => "everybody".to_owned(),
        ("flexibleRollout", Some(share)) => match get("stickiness") {
            Some(by) if by != "default" => format!("{share}% by {by}"),
            _ => format!("{share}%"),
        },
        ("gradualRolloutUserId", Some(share)) => format!("{share}% by userId"),
        ("gradualRolloutSessionId", Some(share)) => format!("{share}% by sessionId"),
        ("gradualRolloutRandom", Some(share)) => format!("{share}% by chance"),
        ("userWithId", _) => format!("users {}", get("userIds").unwrap_or_default()),
        ("remoteAddress", _) => format!("addresses {}", get("IPs").unwrap_or_default()),
        ("applicationHostname", _) => format!("hosts {}", get("hostNames").unwrap_or_default()),
        (name, _) => {
            let given = strategy.parameters.iter().flatten();
            let given: Vec<String> =
                given.map(|(name, value)| format!("{name}={}", plain(value))).collect();
            if given.is_empty() { name.to_owned() } else { format!("{name} {}", given.join(" ")) }
        }
    };
    let constraints = strategy.constraints.iter().flatten().map(constraint);
    let named = |id: &i64| segments.get(id).map_or_else(|| id.to_string(), Clone::clone);
    let within = strategy.segments.iter().flatten().map(|id| format!("segment {}", named(id)));
    let conditions: Vec<String> = constraints.chain(within).collect();
    let mut text = match strategy.title.as_deref() {
        Some(title) if !title.is_empty() => format!("{title}: {what}"),
        _ => what,
    };
    if !conditions.is_empty() {
        text.push_str(&format!(" where {}", conditions.join("; ")));
    }
    if strategy.disabled == Some(true) {
        text.push_str(" (disabled)");
    }
    text
}

fn constraint(constraint: &Constraint) -> String {
    let operator = match constraint.operator.as_str() {
        "IN" => "in",
        "NOT_IN" => "not in",
        "STR_CONTAINS" => "contains",
        "STR_STARTS_WITH" => "starts with",
        "STR_ENDS_WITH" => "ends with",
        "NUM_EQ" | "SEMVER_EQ" => "=",
        "NUM_GT" | "SEMVER_GT" => ">",
        "NUM_GTE" | "SEMVER_GTE" => ">=",
        "NUM_LT" | "SEMVER_LT" => "<",
        "NUM_LTE" | "SEMVER_LTE" => "<=",
        "DATE_AFTER" => "after",
        "DATE_BEFORE" => "before",
        "REGEX" => "matches",
        other => other,
    };
    let values: Vec<String> = constraint.values.iter().flatten().map(plain).collect();
    let values = match (&constraint.value, values.as_slice()) {
        (Some(value), []) => plain(value),
        (_, values) => {
            let named = values.get(..NAMED.min(values.len())).unwrap_or_default().join(", ");
            match values.len().saturating_sub(NAMED) {
                0 => named,
                more => format!("{named} and {more} more"),
            }
        }
    };
    let not = if constraint.inverted == Some(true) { "not " } else { "" };
    format!("{not}{} {operator} {values}", constraint.context_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strategies(json: &str) -> Vec<Strategy> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn strategies_in_words() {
        for (json, words) in [
            (r#"{"name":"default"}"#, "everybody"),
            (r#"{"name":"flexibleRollout","parameters":{"rollout":7.5}}"#, "7.5%"),
            (r#"{"name":"gradualRolloutRandom","parameters":{"percentage":"5"}}"#, "5% by chance"),
            (r#"{"name":"userWithId","parameters":{"userIds":"a,b"}}"#, "users a,b"),
            (
                r#"{"name":"remoteAddress","parameters":{"IPs":"10.0.0.0/8"}}"#,
                "addresses 10.0.0.0/8",
            ),
            (
                r#"{"name":"moon","parameters":{"phase":"full"},"disabled":true}"#,
                "moon phase=full (disabled)",
            ),
            (
                r#"{"name":"flexibleRollout","parameters":null,"segments":[4]}"#,
                "flexibleRollout where segment 4",
            ),
            (
                r#"{"name":"default","constraints":[{"contextName":"n","operator":"NUM_GTE","value":"3","values":[]},
                    {"contextName":"u","operator":"NOT_IN","values":["1","2","3","4","5","6","7"]},
                    {"contextName":"x","operator":"LATER_ADDED","value":1}]}"#,
                "everybody where n >= 3; u not in 1, 2, 3, 4, 5 and 2 more; x LATER_ADDED 1",
            ),
        ] {
            let all = super::words(&strategies(&format!("[{json}]")), &Segments::new());
            assert_eq!(all[0].as_str(), words);
        }
    }

    #[test]
    fn the_widest_open_strategy_is_the_share() {
        const HALF: &str = r#"{"name":"flexibleRollout","parameters":{"rollout":"50"}}"#;
        const OFF: &str = r#"{"name":"default","disabled":true}"#;
        const SOME: &str = r#"{"name":"default","segments":[1]}"#;
        const ODD: &str = r#"{"name":"flexibleRollout","parameters":{"rollout":"NaN"}}"#;
        for (all, share) in [
            (vec![], Some(100.0)),
            (vec![HALF, OFF], Some(50.0)),
            (vec![HALF, r#"{"name":"flexibleRollout","parameters":{"rollout":"80"}}"#], Some(80.0)),
            (vec![HALF, SOME], Some(50.0)),
            (vec![SOME], None),
            (vec![OFF], None),
            (vec![ODD], None),
            (vec![r#"{"name":"flexibleRollout","parameters":{"rollout":"170"}}"#], Some(100.0)),
        ] {
            assert_eq!(percent(&strategies(&format!("[{}]", all.join(",")))), share, "{all:?}");
        }
    }
}
