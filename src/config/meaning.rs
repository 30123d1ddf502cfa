//! Faults that need more than one value to be seen: cycles, wrong kinds of source, odd orders.

use std::collections::BTreeMap;

use super::check::list;
use super::problem::Problem;
use super::rules;
use super::scalar::{HumanDuration, ScopedGlob};
use super::signals;
use super::sources::KINDS;
use super::tree::{KeyPath, Node, Value};
use crate::domain::maths;

/// Which kinds of source can hold what a service claims.
const CLAIMS: [(&str, &[&str]); 5] = [
    ("pipelines", &["codepipeline", "rehearsal"]),
    ("environments", ENVIRONMENTS),
    ("traffic", &["haproxy", "rehearsal"]),
    ("flags", &["unleash", "appconfig", "rehearsal"]),
    ("alarms", &["cloudwatch", "prometheus", "rehearsal"]),
];

/// Which kinds of source tell how environments are.
const ENVIRONMENTS: &[&str] = &["http", "prometheus", "rehearsal"];

/// Which kinds of source can answer a query.
const METRICS: &[&str] = &["prometheus", "cloudwatch", "haproxy", "runs", "rehearsal"];

/// The greatest margin of a metric that must not decrease: the judge tells no ratio much below the rest.
const MOST_DECREASE: f64 = 0.95;

/// Every fault of this sort. Whatever is of the wrong shape is passed over: it has been reported.
pub(super) fn check(root: &Node) -> Vec<Problem> {
    let mut sense = Sense { root, problems: Vec::new() };
    sense.times();
    sense.targets();
    sense.keys();
    sense.cycles();
    for (name, entry) in root.rows("services") {
        let path = KeyPath::default().key("services").key(name);
        sense.claims(&entry.node, &path);
        sense.metrics(&entry.node, &path);
        sense.canaries(&entry.node, &path);
    }
    sense.problems
}

struct Sense<'t> {
    root: &'t Node,
    problems: Vec<Problem>,
}

impl<'t> Sense<'t> {
    fn fault(&mut self, node: &Node, path: &KeyPath, message: String, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.problems.push(Problem::new(&node.origin, path.to_string(), message, hint));
    }

    /// The kind of a source; none when it is missing or wrong, which has been reported.
    fn kind(&self, source: &str) -> Option<&'t str> {
        let kind = self.root.get("sources")?.get(source)?.get("kind")?.text()?;
        KINDS.contains(&kind).then_some(kind)
    }

    fn times(&mut self) {
        let root = self.root;
        let general = |section: &str, key: &str| duration(root.get(section)?.get(key)?);
        self.order(root, "polling", "fast", "slow", "not be longer than");
        self.order(root, "freshness", "stale_after", "lost_after", "not be longer than");
        for (name, entry) in root.rows("sources") {
            let path = KeyPath::default().key("sources").key(name);
            let own =
                |key: &str| entry.node.get(key).and_then(|node| Some((node, duration(node)?)));
            let stale =
                own("stale_after").map(|(_, at)| at).or(general("freshness", "stale_after"));
            let lost = own("lost_after").map(|(_, at)| at).or(general("freshness", "lost_after"));
            let blamed = own("stale_after").map(|(node, _)| (node, "stale_after"));
            let blamed = blamed.or(own("lost_after").map(|(node, _)| (node, "lost_after")));
            if let (Some((node, key)), Some(stale), Some(lost)) = (blamed, stale, lost)
                && stale > lost
            {
                let message = format!("stale after {stale} is later than lost after {lost}");
                self.fault(node, &path.key(key), message, "");
            }
            if let (Some((node, every)), Some(stale)) = (own("every"), stale)
                && every > stale
            {
                let message =
                    format!("read every {every}, its facts are stale after {stale} already");
                let hint = "give the source a longer stale_after, or read it more often";
                self.fault(node, &path.key("every"), message, hint);
            }
        }
        if let (Some(slow), Some(stale)) =
            (general("polling", "slow"), general("freshness", "stale_after"))
            && slow > stale
            && let Some(node) = root.get("freshness").and_then(|section| section.get("stale_after"))
        {
            let message = format!("facts are read every {slow}, but stale after {stale} already");
            let path = KeyPath::default().key("freshness").key("stale_after");
            self.fault(node, &path, message, "make it longer than polling.slow");
        }
    }

    fn order(&mut self, root: &Node, section: &str, low: &str, high: &str, words: &str) {
        let find = |key: &str| {
            let node = root.get(section)?.get(key)?;
            Some((node, duration(node)?))
        };
        if let (Some((node, least)), Some((_, most))) = (find(low), find(high))
            && least > most
        {
            let path = KeyPath::default().key(section).key(low);
            self.fault(node, &path, format!("{least} must {words} {section}.{high} ({most})"), "");
        }
    }

    /// One key cannot mean two commands.
    fn keys(&mut self) {
        let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
        for (command, entry) in self.root.rows("keys") {
            let path = KeyPath::default().key("keys").key(command);
            let one = entry.node.text().map(|_| &entry.node).into_iter();
            for node in one.chain(entry.node.list()) {
                let Some(key) = node.text() else { continue };
                if let Some(other) = taken.insert(key, command) {
                    let message = format!("`{key}` is given to `{other}` already");
                    self.fault(node, &path, message, "choose another key for one of them");
                }
            }
        }
    }

    fn targets(&mut self) {
        for (name, entry) in self.root.rows("sources") {
            let path = KeyPath::default().key("sources").key(name).key("targets");
            let targets = entry.node.get("targets").map(Node::list).unwrap_or_default();
            for (index, target) in targets.iter().enumerate() {
                if let (Some(_), Some(header)) =
                    (target.get("version_pointer"), target.get("version_header"))
                {
                    let message = "the version comes from the answer or from a header, not both";
                    let path = path.index(index).key("version_header");
                    self.fault(header, &path, message.to_owned(), "remove one of the two");
                }
            }
        }
    }

    /// Services that need each other in a circle; each circle is reported once.
    fn cycles(&mut self) {
        let needs: BTreeMap<&str, Vec<&Node>> = self
            .root
            .rows("services")
            .map(|(name, entry)| {
                let needs = entry.node.get("needs").map(Node::list).unwrap_or_default();
                (name, needs.iter().collect())
            })
            .collect();
        let mut done: BTreeMap<&str, bool> = BTreeMap::new();
        for start in needs.keys().copied() {
            let mut way: Vec<(&str, usize)> = vec![(start, 0)];
            // Depth first without recursion: a configuration may chain thousands of services.
            while let Some((name, next)) = way.last_mut() {
                if *next == 0 && done.insert(*name, false) == Some(true) {
                    done.insert(*name, true);
                    way.pop();
                    continue;
                }
                let edge = needs.get(*name).and_then(|edges| edges.get(*next));
                *next += 1;
                let Some(edge) = edge else {
                    done.insert(*name, true);
                    way.pop();
                    continue;
                };
                let Some(target) = edge.text() else { continue };
                if let Some(from) = way.iter().position(|(name, _)| *name == target) {
                    let circle: Vec<&str> =
                        way.iter().skip(from).map(|(name, _)| *name).chain([target]).collect();
                    let (last, at) = way.last().copied().unwrap_or((target, 1));
                    let path = KeyPath::default().key("services").key(last).key("needs");
                    let message = format!("services need each other: {}", circle.join(" → "));
                    self.fault(edge, &path.index(at - 1), message, "remove one of these needs");
                } else if needs.contains_key(target) && done.get(target) != Some(&true) {
                    way.push((target, 0));
                }
            }
        }
    }

    fn claims(&mut self, service: &Node, path: &KeyPath) {
        for (claim, kinds) in CLAIMS {
            let nodes = service.get(claim).map(Node::list).unwrap_or_default();
            for (index, node) in nodes.iter().enumerate() {
                self.claim(node, &path.key(claim).index(index), claim, kinds);
            }
        }
    }

    fn claim(&mut self, node: &Node, path: &KeyPath, what: &str, kinds: &[&str]) {
        let Some(scoped) = node.text().and_then(|text| text.parse::<ScopedGlob>().ok()) else {
            return;
        };
        let matching: Vec<&str> = self
            .root
            .rows("sources")
            .filter(|(name, _)| scoped.source.matches(name))
            .filter_map(|(name, _)| self.kind(name))
            .collect();
        let only = matching.first().filter(|_| scoped.source.as_str() != "*");
        if let Some(kind) = only
            && !matching.iter().any(|kind| kinds.contains(kind))
        {
            let message = format!("source `{}` is of kind `{kind}`, without {what}", scoped.source);
            let hint = format!("kinds with {what}: {}", list(kinds));
            self.fault(node, path, message, &hint);
        }
    }

    fn metrics(&mut self, service: &Node, path: &KeyPath) {
        let metrics = service.get("metrics").map(Node::list).unwrap_or_default();
        for (index, metric) in metrics.iter().enumerate() {
            let path = path.key("metrics").index(index);
            let Some(kind) = self.metric_source(metric, &path) else { continue };
            if let Some(query) = metric.get("query") {
                self.query(query, &path.key("query"), kind);
            }
            if let Some(node) = metric.get("instant")
                && node.value == Value::Bool(true)
                && kind != "prometheus"
            {
                let message = format!("a source of kind `{kind}` has no instant queries");
                self.fault(node, &path.key("instant"), message, "leave it out");
            }
        }
    }

    /// The kind of the source of a metric, when it can answer queries.
    fn metric_source(&mut self, metric: &Node, path: &KeyPath) -> Option<&'t str> {
        let source = metric.get("source")?;
        let kind = self.kind(source.text()?)?;
        if METRICS.contains(&kind) {
            return Some(kind);
        }
        let message = format!("a source of kind `{kind}` has no metrics");
        let hint = format!("kinds with metrics: {}", list(METRICS));
        self.fault(source, &path.key("source"), message, &hint);
        None
    }

    fn query(&mut self, node: &Node, path: &KeyPath, kind: &str) {
        match &node.value {
            Value::Table(_) if kind != "cloudwatch" => {
                let message = format!("a source of kind `{kind}` takes a string here");
                let hint = "tables with metrics are for CloudWatch";
                self.fault(node, path, message, hint);
            }
            Value::Table(_) => self.operands(node, path),
            Value::Text(text) if kind == "haproxy" && text.split('/').count() != 3 => {
                let message = format!("`{text}` is not a counter of HAProxy");
                self.fault(node, path, message, "write BACKEND/SERVER/requests or …/errors");
            }
            Value::Text(text) if kind == "runs" && text.split('/').count() != 3 => {
                let message = format!("`{text}` is not a figure of a run");
                let hint = "write RUN/SIDE/FIGURE, as in checkout/canary/errors";
                self.fault(node, path, message, hint);
            }
            _ => {}
        }
    }

    /// Every name in an expression of metric maths stands for one of its metrics.
    fn operands(&mut self, node: &Node, path: &KeyPath) {
        let Some((told, text)) = node.get("expression").and_then(|n| Some((n, n.text()?))) else {
            return;
        };
        let known: Vec<&str> = node.rows("metrics").map(|(name, _)| name).collect();
        for place in maths::names(text) {
            let name = text.get(place).unwrap_or_default();
            // Functions and AND, OR are written in capitals.
            if name.starts_with(|c: char| c.is_ascii_lowercase()) && !known.contains(&name) {
                let message = format!("`{name}` is none of its metrics");
                let hint = format!("its metrics: {}", list(&known));
                self.fault(told, &path.key("expression"), message, &hint);
            }
        }
    }

    fn canaries(&mut self, service: &Node, path: &KeyPath) {
        let canaries = service.get("canaries").map(Node::list).unwrap_or_default();
        for (index, canary) in canaries.iter().enumerate() {
            let path = path.key("canaries").index(index);
            self.canary(canary, &path);
            self.problems.extend(rules::check(canary, &path));
            let metrics = canary.get("metrics").map(Node::list).unwrap_or_default();
            for (index, metric) in metrics.iter().enumerate() {
                let path = path.key("metrics").index(index);
                self.canary_metric(metric, &path);
                self.judged(canary, metric, &path);
            }
            let muted = |metric: &&Node| metric.get("muted").is_some_and(is_true);
            if canary.get("signals").is_none()
                && let Some(first) = metrics.first().and_then(|metric| metric.get("muted"))
                && metrics.iter().all(|metric| muted(&metric))
            {
                let path = path.key("metrics").index(0).key("muted");
                let message = "every metric is muted: none has a voice in the verdict".to_owned();
                self.fault(first, &path, message, "take it away from one of them");
            }
        }
    }

    /// What the judge could make nothing of.
    fn judged(&mut self, canary: &Node, metric: &Node, path: &KeyPath) {
        let experiment = canary.get("purpose").and_then(Node::text) == Some("experiment");
        if let Some(node) = metric.get("floor") {
            let path = path.key("floor");
            if experiment {
                let message = "an experiment has no floor".to_owned();
                self.fault(node, &path, message, "which of two is better needs a difference");
            } else if let Some(floor @ (0.0 | 1.0)) = number(node) {
                let message = format!("{floor} is no floor: between 0 and 1, both excluded");
                self.fault(node, &path, message, "0.001 is one failure in a thousand requests");
            }
        }
        let decrease = metric.get("direction").and_then(Node::text) == Some("decrease");
        if let Some(node) = metric.get("margin").filter(|_| decrease)
            && number(node).is_some_and(|margin| margin > MOST_DECREASE)
        {
            let message = format!("a decrease has a margin of at most {MOST_DECREASE}");
            let hint = "it is a share of the baseline: 0.1 is a tenth less";
            self.fault(node, &path.key("margin"), message, hint);
        }
    }

    fn canary(&mut self, canary: &Node, path: &KeyPath) {
        if let Some(node) = canary.get("traffic") {
            let kinds: &[&str] = &["haproxy", "rehearsal"];
            self.claim(node, &path.key("traffic"), "traffic", kinds);
        }
        if let Some(node) = canary.get("environment") {
            self.claim(node, &path.key("environment"), "environments", ENVIRONMENTS);
        }
        let baseline = canary.get("baseline").and_then(Node::text);
        if let Some(node) = canary.get("canary")
            && node.text().is_some()
            && node.text() == baseline
        {
            let message = "baseline and canary are the same version".to_owned();
            self.fault(node, &path.key("canary"), message, "");
        }
        if let Some(node) = canary.get("signals") {
            let split = canary.get("traffic").and_then(Node::text);
            self.signals(node, &path.key("signals"), split);
        } else if canary.get("metrics").map(Node::list).unwrap_or_default().is_empty() {
            let message = "compares nothing".to_owned();
            let hint = "add signals = { source = … }, or [[…canaries.metrics]]";
            self.fault(canary, path, message, hint);
        }
        let steps = canary.get("steps").map(Node::list).unwrap_or_default();
        for (index, pair) in steps.windows(2).enumerate() {
            if let [before, after] = pair
                && let (Some(low), Some(high)) = (number(before), number(after))
                && low >= high
            {
                let path = path.key("steps").index(index + 1);
                self.fault(after, &path, format!("{high} does not rise above {low}"), "");
            }
        }
    }

    /// Templates ask for both arms by one text, so that the name of the arm has to be in it.
    fn signals(&mut self, node: &Node, path: &KeyPath, split: Option<&str>) {
        let Some(source) = node.get("source") else { return };
        let Some(kind) = source.text().and_then(|name| self.kind(name)) else { return };
        let names_arm = |key: &str| node.get(key).is_some_and(|n| n.to_string().contains("{arm}"));
        let plain = |text: &str| !text.contains(['*', '?', '[']);
        match kind {
            "prometheus" if !names_arm("labels") => {
                let message = "labels do not tell the arms apart".to_owned();
                let hint =
                    "write them with {arm}: labels = 'service=\"checkout\",version=\"{arm}\"'";
                self.fault(node.get("labels").unwrap_or(node), &path.key("labels"), message, hint);
            }
            "cloudwatch" if !names_arm("dimensions") => {
                let message = "dimensions do not tell the arms apart".to_owned();
                let hint = "write them with {arm}: dimensions = { TargetGroup = \"{arm}\" }";
                let blamed = node.get("dimensions").unwrap_or(node);
                self.fault(blamed, &path.key("dimensions"), message, hint);
            }
            "haproxy" if node.get("backend").is_none() && !split.is_some_and(plain) => {
                let message = "the backend with the arms is not told".to_owned();
                self.fault(node, path, message, "add backend = \"NAME\"");
            }
            "runs" if node.get("run").is_none() => {
                let message = "the run is not told".to_owned();
                self.fault(node, path, message, "add run = \"NAME\", of the file NAME.ndjson");
            }
            _ if !signals::KINDS.contains(&kind) => {
                let message = format!("there are no templates for a source of kind `{kind}`");
                let hint = format!("kinds with templates: {}", list(signals::KINDS));
                self.fault(source, &path.key("source"), message, &hint);
            }
            _ => {}
        }
    }

    fn canary_metric(&mut self, metric: &Node, path: &KeyPath) {
        let Some(kind) = self.metric_source(metric, path) else { return };
        for key in ["events", "requests", "query"] {
            let Some(node) = metric.get(key) else { continue };
            let path = path.key(key);
            let arms = [node.get("baseline"), node.get("canary")];
            if let [Some(baseline), Some(canary)] = arms {
                self.query(baseline, &path.key("baseline"), kind);
                self.query(canary, &path.key("canary"), kind);
            } else if node.to_string().contains("{arm}") {
                self.query(node, &path, kind);
            } else {
                let message = "asks the same for baseline and canary".to_owned();
                let hint = "write {arm} where their names differ, or { baseline = …, canary = … }";
                self.fault(node, &path, message, hint);
            }
        }
    }
}

fn is_true(node: &Node) -> bool {
    matches!(node.value, Value::Bool(true))
}

fn duration(node: &Node) -> Option<HumanDuration> {
    node.text()?.parse().ok()
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Integer(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    }
}
