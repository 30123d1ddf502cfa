//! Faults of freezes that need more than one value to be seen: a freeze that never holds is none.

use super::freeze::{FreezeTime, ZoneName, begin, end};
use super::near::nearest;
use super::problem::Problem;
use super::scalar::Glob;
use super::tree::{KeyPath, Node};

/// Every fault of this sort. Whatever is of the wrong shape is passed over: it has been reported.
pub(super) fn check(root: &Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    let freezes = root.get("freeze").map(Node::list).unwrap_or_default();
    for (index, freeze) in freezes.iter().enumerate() {
        let path = KeyPath::default().key("freeze").index(index);
        times(freeze, &path, &mut problems);
        let services: Vec<&str> = root.rows("services").map(|(name, _)| name).collect();
        let owners: Vec<&str> = root
            .rows("services")
            .filter_map(|(_, entry)| entry.node.get("owners"))
            .flat_map(Node::list)
            .filter_map(Node::text)
            .collect();
        if has_rehearsal(root) {
            continue;
        }
        known(freeze, &path, "services", &services, &mut problems);
        known(freeze, &path, "owners", &owners, &mut problems);
    }
    problems
}

/// Whether services may come that are not in the configuration.
fn has_rehearsal(root: &Node) -> bool {
    let kind = |node: &Node| node.get("kind").and_then(Node::text) == Some("rehearsal");
    root.rows("sources").any(|(_, entry)| kind(&entry.node))
}

fn read<'t, T: std::str::FromStr>(freeze: &'t Node, key: &str) -> Option<(&'t Node, T)> {
    let node = freeze.get(key)?;
    Some((node, node.text()?.parse().ok()?))
}

fn times(freeze: &Node, path: &KeyPath, problems: &mut Vec<Problem>) {
    let mut fault = |node: &Node, key: &str, message: String, hint: &str| {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        problems.push(Problem::new(&node.origin, path.key(key).to_string(), message, hint));
    };
    let weekly = freeze.get("days").is_some();
    let (from, until) = (read::<FreezeTime>(freeze, "from"), read::<FreezeTime>(freeze, "until"));
    let mut fits = true;
    for (key, time) in [("from", &from), ("until", &until)] {
        match time {
            Some((node, FreezeTime::Local(_) | FreezeTime::Exact(_))) if weekly => {
                fits = false;
                let message = "what comes every week needs a time of day".to_owned();
                fault(node, key, message, "write it as in 16:00, or remove days");
            }
            Some((node, FreezeTime::Daily(time))) if !weekly => {
                fits = false;
                let message = format!("{} of which day?", time.strftime("%H:%M"));
                let hint = "add days = [\"friday\"] for every week, or a date: 2026-12-20T18:00";
                fault(node, key, message, hint);
            }
            _ => {}
        }
    }
    let is_local =
        |time: &Option<(&Node, FreezeTime)>| !matches!(time, Some((_, FreezeTime::Exact(_))));
    if fits && freeze.get("zone").is_none() && (is_local(&from) || is_local(&until)) {
        let hint = "add zone, as in \"Europe/Berlin\" or \"UTC\"";
        let blamed = from.as_ref().map_or(freeze, |(node, _)| *node);
        fault(blamed, "zone", "`zone` is missing: times differ from place to place".into(), hint);
    }
    let zone = read::<ZoneName>(freeze, "zone").map_or(jiff::tz::TimeZone::UTC, |(_, z)| z.zone());
    if let (Some((_, from)), Some((node, until)), false) = (from, until, weekly)
        && let (Some(first), Some(last)) = (begin(&from, &zone), end(&until, &zone))
        && last <= first
    {
        fault(node, "until", format!("{until} is not later than {from}"), "it would never hold");
    }
}

/// A pattern that fits nothing that is configured is a slip of the pen.
fn known(freeze: &Node, path: &KeyPath, key: &str, names: &[&str], problems: &mut Vec<Problem>) {
    if names.is_empty() {
        return;
    }
    let patterns = freeze.get(key).map(Node::list).unwrap_or_default();
    for (index, node) in patterns.iter().enumerate() {
        let Some(text) = node.text() else { continue };
        let Ok(glob) = text.to_lowercase().parse::<Glob>() else { continue };
        if names.iter().any(|name| glob.matches(&name.to_lowercase())) {
            continue;
        }
        let what = key.trim_end_matches('s');
        let message = format!("there is no {what} `{text}`: it would never hold");
        let hint = nearest(text, names.iter().copied()).map(|n| format!("did you mean `{n}`?"));
        let path = path.key(key).index(index).to_string();
        problems.push(Problem::new(&node.origin, path, message, hint));
    }
}
