//! Templates for the usual four signals, so that a first canary takes five lines.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::canary_metrics::{
    ArmQuery, CanaryMetricConfig, CountsConfig, Direction, Judging, SeriesConfig,
};
use super::names::SourceName;
use super::queries::{CloudWatchStatistic, MetricQuery};
use super::scalar::HumanDuration;
use crate::domain::series::Beyond;

/// Kinds of source that have templates.
pub(super) const KINDS: &[&str] = &["prometheus", "cloudwatch", "haproxy", "runs"];
/// Where a load balancer of AWS writes its figures.
const LOAD_BALANCER: &str = "AWS/ApplicationELB";

/// Errors, slow answers, saturation and traffic, by the names that everybody uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignalsConfig {
    /// The source that knows them: Prometheus, CloudWatch (a load balancer's target groups), HAProxy
    /// (its own counters) or a folder of runs.
    pub source: SourceName,
    /// Prometheus: the labels of an arm, with {arm}, as in 'service="checkout",version="{arm}"'.
    #[serde(default)]
    pub labels: Option<String>,
    /// CloudWatch: the dimensions of an arm, with {arm}.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// HAProxy: the backend whose servers are the arms; otherwise that of `traffic`.
    #[serde(default)]
    pub backend: Option<String>,
    /// Runs: the run, by the name of its file.
    #[serde(default)]
    pub run: Option<String>,
    /// Prometheus: the counter of requests.
    #[serde(default = "requests")]
    pub requests: String,
    /// Prometheus: the labels of a failed request.
    #[serde(default = "failed")]
    pub failed: String,
    /// Prometheus: the histogram of durations, without its _bucket; "" if there is none, and then no latency
    /// is judged.
    #[serde(default = "durations")]
    pub durations: String,
    /// Prometheus: answers that take longer are slow, in seconds; the edge of a bucket, as written there.
    /// Otherwise that of the bucket in which the baseline's p95 lay before the canary began.
    #[serde(default)]
    pub slow: Option<String>,
    /// Prometheus: the counter of what runs out first; shown per request.
    #[serde(default = "saturation")]
    pub saturation: String,
}

fn requests() -> String {
    "http_requests_total".to_owned()
}

fn failed() -> String {
    "code=~\"5..\"".to_owned()
}

fn durations() -> String {
    "http_request_duration_seconds".to_owned()
}

fn saturation() -> String {
    "process_cpu_seconds_total".to_owned()
}

impl SignalsConfig {
    /// The metrics, as a source of `kind` is asked for them.
    pub(super) fn metrics(&self, kind: &str, flight: &Flight<'_>) -> Vec<CanaryMetricConfig> {
        match kind {
            "prometheus" => self.prometheus(flight),
            "cloudwatch" => self.cloudwatch(),
            "haproxy" => self.haproxy(flight.backend),
            "runs" => self.runs(),
            _ => Vec::new(),
        }
    }

    fn prometheus(&self, flight: &Flight<'_>) -> Vec<CanaryMetricConfig> {
        let labels = self.labels.as_deref().unwrap_or_default();
        let Self { requests, failed, durations, saturation, .. } = self;
        let window = window(flight.tick);
        let grown =
            |metric: &str, labels: &str| format!("sum(increase({metric}{{{labels}}}[{window}]))");
        let rate =
            |metric: &str, labels: &str| format!("sum(rate({metric}{{{labels}}}[{window}]))");
        let all = grown(requests, labels);
        let bad = grown(requests, &format!("{labels},{failed}"));
        let mut metrics = vec![self.counts("errors", text(&bad), text(&all))];
        if !durations.is_empty() {
            let timed = grown(&format!("{durations}_count"), labels);
            let edge = self.slow.as_deref().unwrap_or("{edge}");
            let quick = grown(&format!("{durations}_bucket"), &format!("{labels},le=\"{edge}\""));
            let slow = format!("{timed} - {quick}");
            let slow = match self.slow {
                Some(_) => text(&slow),
                None => MetricQuery::Beyond(Box::new(self.beyond(slow, labels, flight))),
            };
            metrics.push(self.counts("slow", slow, text(&timed)));
        }
        let used = format!("{} / {}", rate(saturation, labels), rate(requests, labels));
        metrics.push(self.level("saturation", Some("per request"), text(&used), Voice::Optional));
        let traffic = text(&rate(requests, labels));
        metrics.push(self.level("traffic", Some("req/s"), traffic, Voice::Muted));
        metrics
    }

    /// How the latency is found beyond which an answer is slow, if nobody says: the edge of the bucket
    /// in which the baseline's p95 lay before the canary began.
    fn beyond(&self, slow: String, labels: &str, flight: &Flight<'_>) -> Beyond {
        let durations = &self.durations;
        let of = |arm: &str| labels.replace("{arm}", arm);
        let seconds = |length: u64| length.max(1);
        let (history, tick) =
            (seconds(flight.history.get().as_secs()), seconds(flight.tick.get().as_secs()));
        let window = seconds(flight.window.unsigned_abs().as_secs());
        let (old, new) = (of(flight.baseline), of(flight.canary));
        Beyond {
            expression: slow,
            begun: format!(
                "min_over_time(timestamp(sum({durations}_count{{{new}}}))[{window}s:{tick}s])"
            ),
            buckets: format!("sum by (le) (increase({durations}_bucket{{{old}}}[{history}s]))"),
            share: 0.95,
        }
    }

    fn cloudwatch(&self) -> Vec<CanaryMetricConfig> {
        let ask = |metric: &str, statistic: &str| {
            MetricQuery::Statistic(CloudWatchStatistic {
                namespace: LOAD_BALANCER.to_owned(),
                metric: metric.to_owned(),
                statistic: statistic.to_owned(),
                dimensions: self.dimensions.clone(),
            })
        };
        let requests = || ask("RequestCount", "Sum");
        vec![
            self.counts("errors", ask("HTTPCode_Target_5XX_Count", "Sum"), requests()),
            self.level("p95", Some("s"), ask("TargetResponseTime", "p95"), Voice::Required),
            self.level("traffic", Some("requests"), requests(), Voice::Muted),
        ]
    }

    fn haproxy(&self, backend: Option<&str>) -> Vec<CanaryMetricConfig> {
        let Some(backend) = self.backend.as_deref().or(backend) else { return Vec::new() };
        let ask = |figure: &str| text(&format!("{backend}/{{arm}}/{figure}"));
        vec![
            self.counts("errors", ask("errors"), ask("requests")),
            self.level("latency", Some("ms"), ask("ttime"), Voice::Optional),
            self.level("saturation", Some("waiting"), ask("qcur"), Voice::Muted),
            self.level("traffic", Some("req/s"), ask("rate"), Voice::Muted),
        ]
    }

    fn runs(&self) -> Vec<CanaryMetricConfig> {
        let Some(run) = &self.run else { return Vec::new() };
        let ask = |figure: &str| ArmQuery::Each {
            baseline: text(&format!("{run}/baseline/{figure}")),
            canary: text(&format!("{run}/canary/{figure}")),
        };
        vec![
            self.counted("errors", ask("errors"), ask("requests"), Voice::Required),
            self.counted("slow", ask("slow"), ask("limited"), Voice::Optional),
            self.measured("p99", Some("ms"), ask("p99"), Voice::Optional),
            self.measured("traffic", Some("requests"), ask("requests"), Voice::Muted),
        ]
    }

    fn judging(&self, name: &str, unit: Option<&str>, voice: Voice) -> Judging {
        Judging {
            name: name.to_owned(),
            source: self.source.clone(),
            unit: unit.map(str::to_owned),
            direction: Direction::Increase,
            margin: (name == "saturation").then_some(0.25),
            weight: None,
            required: voice == Voice::Required,
            critical: false,
            muted: voice == Voice::Muted,
            rule: None,
        }
    }

    fn counts(&self, name: &str, events: MetricQuery, requests: MetricQuery) -> CanaryMetricConfig {
        self.counted(name, ArmQuery::Both(events), ArmQuery::Both(requests), Voice::Required)
    }

    fn counted(
        &self,
        name: &str,
        events: ArmQuery,
        requests: ArmQuery,
        voice: Voice,
    ) -> CanaryMetricConfig {
        CanaryMetricConfig::Counts(Box::new(CountsConfig {
            judging: self.judging(name, None, voice),
            events,
            requests,
            floor: None,
            strict: false,
        }))
    }

    fn level(
        &self,
        name: &str,
        unit: Option<&str>,
        query: MetricQuery,
        voice: Voice,
    ) -> CanaryMetricConfig {
        self.measured(name, unit, ArmQuery::Both(query), voice)
    }

    fn measured(
        &self,
        name: &str,
        unit: Option<&str>,
        query: ArmQuery,
        voice: Voice,
    ) -> CanaryMetricConfig {
        CanaryMetricConfig::Series(Box::new(SeriesConfig {
            judging: self.judging(name, unit, voice),
            query,
            v_min: None,
        }))
    }
}

/// What templates know of a canary.
pub(super) struct Flight<'a> {
    /// The backend of its traffic split.
    pub backend: Option<&'a str>,
    /// The name of the running version.
    pub baseline: &'a str,
    /// The name of the new version.
    pub canary: &'a str,
    /// The distance of two points.
    pub tick: HumanDuration,
    /// What lies before its start.
    pub history: HumanDuration,
    /// All that is read at first.
    pub window: SignedDuration,
}

/// What Prometheus is asked for over a tick: the values that counters had at both of its ends, and a few
/// between to see one that began anew. A plain window of a tick would need two scrapes in every tick, and
/// guess what lies beyond them; of this one the ticks of a counter add up to what it has counted.
pub(super) fn window(tick: HumanDuration) -> String {
    let whole = tick.get().as_millis().max(1_000);
    let parts = [4, 3, 2].into_iter().find(|n| whole.is_multiple_of(*n) && whole / n >= 1_000);
    format!("{}ms:{}ms", whole + 1, whole / parts.unwrap_or(1))
}

/// What a metric has to say in the verdict.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Voice {
    Required,
    Optional,
    Muted,
}

fn text(query: &str) -> MetricQuery {
    MetricQuery::Text(query.to_owned())
}
