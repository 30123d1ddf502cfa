//! The rules by which a canary is judged where its policy counts, as the configuration writes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use super::tree::{KeyPath, Node, Value};
use crate::domain::condition::Condition;
use crate::domain::rule::{Limits, Rule};

/// By which rules a canary is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// By evidence: odds of harm, compared with the baseline, right whenever they are looked at.
    #[default]
    Anytime,
    /// As Argo Rollouts counts: measurements of each metric against its limits.
    ArgoRollouts,
    /// As Flagger counts: failed checks of all metrics together.
    Flagger,
}

/// What the canary's value has to be: of policy "argo-rollouts" conditions and limits, of "flagger" a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleConfig {
    /// What makes a measurement a success, as in "result <= 0.02".
    #[serde(default)]
    pub success: Option<Condition>,
    /// What makes a measurement a failure. One that is neither is inconclusive.
    #[serde(default)]
    pub failure: Option<Condition>,
    /// How many measurements are a run; otherwise as many as the bake lasts.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub count: Option<u32>,
    /// Failures that are tolerated; -1 tolerates any number, otherwise 0.
    #[serde(default)]
    #[schemars(range(min = -1))]
    pub failure_limit: Option<i32>,
    /// Inconclusive measurements that are tolerated; otherwise 0.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub inconclusive_limit: Option<i32>,
    /// Ticks without a value, in a row, that are tolerated before a human is called; otherwise 4.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub consecutive_error_limit: Option<i32>,
    /// Successes in a row that end a run early; otherwise there is no such rule.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub consecutive_success_limit: Option<i32>,
    /// The least value that is fine.
    #[serde(default)]
    pub min: Option<f64>,
    /// The greatest value that is fine.
    #[serde(default)]
    pub max: Option<f64>,
}

/// Keys of a rule under each policy that counts.
const KEYS: [(&str, &[&str]); 2] = [
    (
        "argo-rollouts",
        &[
            "success",
            "failure",
            "count",
            "failure_limit",
            "inconclusive_limit",
            "consecutive_error_limit",
            "consecutive_success_limit",
        ],
    ),
    ("flagger", &["min", "max"]),
];
/// Of these a rule needs one: the rest only says how often it may be missed.
const NEEDED: [(&str, [&str; 2], &str); 2] = [
    ("argo-rollouts", ["success", "failure"], "rule = { success = \"result[0] <= 0.02\" }"),
    ("flagger", ["min", "max"], "rule = { max = 0.02 }"),
];

impl RuleConfig {
    /// The rule, where the policy counts.
    pub(super) fn describe(&self, policy: Policy) -> Option<Rule> {
        let usual = Limits::default();
        let limit = |own: Option<i32>, usual: i64| own.map_or(usual, i64::from);
        match policy {
            Policy::Anytime => None,
            Policy::Flagger => Some(Rule::Range { min: self.min, max: self.max }),
            Policy::ArgoRollouts => Some(Rule::Measured {
                success: self.success.clone(),
                failure: self.failure.clone(),
                limits: Limits {
                    count: self.count.map(u64::from),
                    interval: true,
                    failure_limit: limit(self.failure_limit, usual.failure_limit),
                    inconclusive_limit: limit(self.inconclusive_limit, usual.inconclusive_limit),
                    consecutive_error_limit: limit(
                        self.consecutive_error_limit,
                        usual.consecutive_error_limit,
                    ),
                    consecutive_success_limit: limit(
                        self.consecutive_success_limit,
                        usual.consecutive_success_limit,
                    ),
                },
            }),
        }
    }
}

/// What is wrong with the rules of a canary.
pub(super) fn check(canary: &Node, path: &KeyPath) -> Vec<Problem> {
    let mut problems = Vec::new();
    let policy = canary.get("policy").and_then(Node::text).unwrap_or("anytime");
    if policy != "anytime" && !KEYS.iter().any(|(name, _)| *name == policy) {
        return problems;
    }
    let mut fault = |node: &Node, path: KeyPath, message: String, hint: &str| {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        problems.push(Problem::new(&node.origin, path.to_string(), message, hint));
    };
    let keys = KEYS.iter().find(|(name, _)| *name == policy).map(|(_, keys)| *keys);
    if let Some(node) = canary.get("threshold").filter(|_| policy != "flagger") {
        let message = format!("policy \"{policy}\" has no threshold");
        fault(
            node,
            path.key("threshold"),
            message,
            "failed checks add up in policy \"flagger\" only",
        );
    }
    let experiment = canary.get("purpose").and_then(Node::text) == Some("experiment");
    if let Some(node) = canary.get("policy").filter(|_| keys.is_some() && experiment) {
        let message = format!("an experiment cannot be judged by policy \"{policy}\"");
        fault(node, path.key("policy"), message, "counting rules compare nothing");
    }
    let metrics = canary.get("metrics").map(Node::list).unwrap_or_default();
    let mut voices = 0;
    for (index, metric) in metrics.iter().enumerate() {
        let path = path.key("metrics").index(index);
        let muted = metric.get("muted").is_some_and(|n| matches!(n.value, Value::Bool(true)));
        let (Some(rule), Some(keys)) = (metric.get("rule"), keys) else {
            if let Some(rule) = metric.get("rule") {
                let hint = "give the canary policy = \"argo-rollouts\" or \"flagger\"";
                fault(rule, path.key("rule"), "policy \"anytime\" counts by no rule".into(), hint);
            } else if let Some((_, _, hint)) = NEEDED.iter().find(|(name, ..)| *name == policy)
                && !muted
            {
                let message = format!("policy \"{policy}\" needs a rule of every metric");
                fault(metric, path, message, &format!("add {hint}, or muted = true"));
                voices += 1;
            }
            continue;
        };
        voices += usize::from(!muted);
        for (key, node) in
            KEYS.iter().flat_map(|(_, all)| *all).filter_map(|k| Some((k, rule.get(k)?)))
        {
            if !keys.contains(key) {
                let message = format!("policy \"{policy}\" knows no `{key}`");
                let hint = format!("it knows {}", keys.join(", "));
                fault(node, path.key("rule").key(key), message, &hint);
            }
        }
        if let Some((_, needed, hint)) = NEEDED.iter().find(|(name, ..)| *name == policy)
            && !needed.iter().any(|key| rule.get(key).is_some())
        {
            let [one, other] = needed;
            let message = format!("says neither `{one}` nor `{other}`: anything would be fine");
            fault(rule, path.key("rule"), message, &format!("as in {hint}"));
        }
        let bound = |key: &str| match rule.get(key)?.value {
            Value::Integer(number) => Some(number as f64),
            Value::Float(number) => Some(number),
            _ => None,
        };
        if let (Some(min), Some(max)) = (bound("min"), bound("max"))
            && min > max
        {
            let message = format!("nothing is at least {min} and at most {max}");
            fault(rule, path.key("rule"), message, "");
        }
    }
    if let Some(node) = canary.get("policy").filter(|_| keys.is_some() && voices == 0) {
        let message = format!("policy \"{policy}\" has no metric with a rule");
        let hint = "signals are shown only; add [[…canaries.metrics]] with a rule";
        fault(node, path.key("policy"), message, hint);
    }
    problems
}
