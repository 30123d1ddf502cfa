//! From the configuration to the vocabulary: services, and the series that sources are asked for.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::canaries::{CanaryConfig, OnHarm, OnPass, Purpose};
use super::canary_metrics::{ArmQuery, CanaryMetricConfig, Direction, Judging};
use super::freeze::FreezeConfig;
use super::model::Config;
use super::names::SourceName;
use super::queries::MetricQuery;
use super::rules::Policy;
use super::scalar::{HumanDuration, ScopedGlob};
use super::services::{MetricConfig, ServiceConfig};
use super::signals::{Flight, window};
use super::sources::SourceConfig;
use crate::domain::canary::{self, CanaryData, CanaryMetric, CanarySpec, CountPair};
use crate::domain::fleet::MAX_POINTS;
use crate::domain::ids::{CanaryId, SeriesId, ServiceId, SourceId};
use crate::domain::observed::FreshnessPolicy;
use crate::domain::pattern::Pattern;
use crate::domain::policy::Freeze;
use crate::domain::series::{Operand, SeriesKind, SeriesQuery, SeriesSpec};
use crate::domain::service::{Claims, MetricSpec, Service};
use crate::domain::text::SafeText;

/// How far back the figures of a service are read at first.
const METRIC_WINDOW: SignedDuration = SignedDuration::from_hours(3);

impl Config {
    /// The services, in the order of their names.
    pub fn services(&self) -> Vec<Service> {
        self.services.iter().map(|(name, service)| self.describe(name, service)).collect()
    }

    /// The freezes, in the order they are written.
    pub fn freezes(&self) -> Vec<Freeze> {
        self.freeze.iter().filter_map(FreezeConfig::describe).collect()
    }

    /// The series that each source is to be asked for.
    pub fn series(&self) -> BTreeMap<SourceId, Vec<SeriesSpec>> {
        let mut wanted: BTreeMap<SourceId, Vec<SeriesSpec>> = BTreeMap::new();
        let mut add = |spec: SeriesSpec| {
            wanted.entry(spec.id.source.clone()).or_default().push(spec);
        };
        for (name, service) in &self.services {
            for metric in &service.metrics {
                add(self.metric_series(name, metric));
            }
            for canary in &service.canaries {
                for metric in &self.canary_metrics(canary) {
                    self.canary_series(name, canary, metric).into_iter().for_each(&mut add);
                }
            }
        }
        wanted
    }

    /// When facts of the source `name` are stale and lost.
    pub fn freshness_policy(&self, name: &str) -> FreshnessPolicy {
        let schedule = self.schedule(name);
        FreshnessPolicy {
            stale_after: signed(schedule.stale_after),
            lost_after: signed(schedule.lost_after),
        }
    }

    fn metric_series(&self, service: &str, metric: &MetricConfig) -> SeriesSpec {
        let counts = self.keeps_counters(&metric.source);
        SeriesSpec {
            id: metric_id(service, metric),
            query: match self.question(&metric.source, &metric.query) {
                SeriesQuery::Expression(text) if metric.instant => SeriesQuery::Instant(text),
                query => query,
            },
            kind: if counts { SeriesKind::Counter } else { SeriesKind::Gauge },
            unit: unit(metric.unit.as_deref()),
            step: signed(metric.step),
            window: METRIC_WINDOW,
        }
    }

    fn canary_series(
        &self,
        service: &str,
        canary: &CanaryConfig,
        metric: &CanaryMetricConfig,
    ) -> Vec<SeriesSpec> {
        let judging = metric.judging();
        let one = |part: &str, query: &ArmQuery, is_canary: bool, kind: SeriesKind| {
            let arm = if is_canary { &canary.canary } else { &canary.baseline };
            let query = query.for_arm(arm, is_canary).with_tick(&window(canary.tick));
            SeriesSpec {
                id: canary_id(service, canary, judging, part, is_canary),
                query: self.question(&judging.source, &query),
                kind,
                unit: unit(judging.unit.as_deref()),
                step: signed(canary.tick),
                window: canary_window(canary),
            }
        };
        match metric {
            CanaryMetricConfig::Counts(counts) => {
                let kind = if self.keeps_counters(&judging.source) {
                    SeriesKind::Counter
                } else {
                    SeriesKind::Delta
                };
                [false, true]
                    .into_iter()
                    .flat_map(|is_canary| {
                        [
                            one(EVENTS, &counts.events, is_canary, kind),
                            one(REQUESTS, &counts.requests, is_canary, kind),
                        ]
                    })
                    .collect()
            }
            CanaryMetricConfig::Series(series) => [false, true]
                .into_iter()
                .map(|is_canary| one(LEVEL, &series.query, is_canary, SeriesKind::Gauge))
                .collect(),
        }
    }

    fn describe(&self, name: &str, service: &ServiceConfig) -> Service {
        Service {
            id: ServiceId::new(name),
            description: service.description.as_ref().map(SafeText::from),
            owners: service.owners.iter().map(SafeText::from).collect(),
            tier: service.tier,
            links: texts(&service.links).collect(),
            needs: service.needs.iter().map(|need| ServiceId::new(need)).collect(),
            claims: Claims {
                pipelines: patterns(&service.pipelines),
                environments: patterns(&service.environments),
                traffic: patterns(&service.traffic),
                flags: patterns(&service.flags),
                alarms: patterns(&service.alarms),
                tags: texts(&service.tags).collect(),
            },
            metrics: service
                .metrics
                .iter()
                .map(|metric| MetricSpec {
                    name: SafeText::from(&metric.name),
                    series: metric_id(name, metric),
                })
                .collect(),
            canaries: service
                .canaries
                .iter()
                .map(|canary| self.describe_canary(name, canary))
                .collect(),
        }
    }

    fn describe_canary(&self, service: &str, canary: &CanaryConfig) -> CanarySpec {
        CanarySpec {
            id: CanaryId::new(&format!("{service}/{}", canary.name)),
            service: ServiceId::new(service),
            name: SafeText::from(&canary.name),
            purpose: match canary.purpose {
                Purpose::Canary => canary::Purpose::Canary,
                Purpose::Experiment => canary::Purpose::Experiment,
            },
            policy: match canary.policy {
                Policy::Anytime => canary::Policy::Anytime,
                Policy::ArgoRollouts => canary::Policy::ArgoRollouts,
                Policy::Flagger => {
                    canary::Policy::Flagger { threshold: canary.threshold.unwrap_or(1).max(1) }
                }
            },
            environment: canary.environment.as_ref().map(Pattern::from),
            traffic: canary.traffic.as_ref().map(Pattern::from),
            baseline: SafeText::from(&canary.baseline),
            canary: SafeText::from(&canary.canary),
            metrics: self
                .canary_metrics(canary)
                .iter()
                .map(|metric| describe_canary_metric(service, canary, metric))
                .collect(),
            warm_up: signed(canary.warm_up),
            steps: canary.steps.clone(),
            bake: signed(canary.bake),
            history: signed(canary.history),
            deadline: signed(canary.deadline),
            at: canary::AtVerdict {
                pass_steps: canary.on_pass == OnPass::NextStep,
                marginal_rolls_back: canary.on_marginal == OnHarm::RollBack,
                fail_rolls_back: canary.on_fail == OnHarm::RollBack,
            },
            alpha: canary.alpha,
            beta: canary.beta,
        }
    }

    /// What a canary is compared by: the usual signals, and what is written out.
    fn canary_metrics(&self, canary: &CanaryConfig) -> Vec<CanaryMetricConfig> {
        let mut metrics = Vec::new();
        if let Some(signals) = &canary.signals
            && let Some(source) = self.sources.get(&*signals.source)
        {
            let flight = Flight {
                backend: canary.traffic.as_ref().map(|split| split.name.as_str()),
                baseline: &canary.baseline,
                canary: &canary.canary,
                tick: canary.tick,
                history: canary.history,
                window: canary_window(canary),
            };
            metrics = signals.metrics(source.kind(), &flight);
            let own = |name: &str| canary.metrics.iter().any(|own| own.judging().name == name);
            metrics.retain(|metric| !own(&metric.judging().name));
        }
        metrics.extend(canary.metrics.iter().cloned());
        metrics
    }

    /// HAProxy answers with its raw counters; the others answer what they are asked.
    fn keeps_counters(&self, source: &SourceName) -> bool {
        matches!(self.sources.get(&**source), Some(SourceConfig::HaProxy(_)))
    }

    fn speaks_of_arms(&self, source: &SourceName) -> bool {
        let source = self.sources.get(&**source);
        matches!(source, Some(SourceConfig::HaProxy(_) | SourceConfig::Runs(_)))
    }

    fn question(&self, source: &SourceName, query: &MetricQuery) -> SeriesQuery {
        match query {
            MetricQuery::Beyond(beyond) => SeriesQuery::Beyond(beyond.clone()),
            MetricQuery::Statistic(statistic) => {
                let Operand { namespace, name, dimensions, statistic } = statistic.operand();
                SeriesQuery::Metric { namespace, name, dimensions, statistic }
            }
            MetricQuery::Maths(maths) => SeriesQuery::Maths {
                expression: maths.expression.clone(),
                operands: maths
                    .metrics
                    .iter()
                    .map(|(name, statistic)| (name.clone(), statistic.operand()))
                    .collect(),
            },
            MetricQuery::Text(text) => {
                let parts: Vec<&str> = text.split('/').collect();
                match parts.as_slice() {
                    [split, arm, figure] if self.speaks_of_arms(source) => SeriesQuery::Arm {
                        split: (*split).to_owned(),
                        arm: (*arm).to_owned(),
                        figure: (*figure).to_owned(),
                    },
                    _ => SeriesQuery::Expression(text.clone()),
                }
            }
        }
    }
}

fn describe_canary_metric(
    service: &str,
    canary: &CanaryConfig,
    metric: &CanaryMetricConfig,
) -> CanaryMetric {
    let judging = metric.judging();
    let id = |part: &str, is_canary| canary_id(service, canary, judging, part, is_canary);
    let pair =
        |is_canary| CountPair { events: id(EVENTS, is_canary), requests: id(REQUESTS, is_canary) };
    let is_counts = matches!(metric, CanaryMetricConfig::Counts(_));
    // A half more errors is what can be told apart soon; latency and conversions move less.
    let usual_margin = match judging.direction {
        Direction::Increase if is_counts => 0.5,
        _ => 0.1,
    };
    CanaryMetric {
        name: SafeText::from(&judging.name),
        unit: unit(judging.unit.as_deref()),
        direction: match judging.direction {
            Direction::Increase => canary::Direction::Increase,
            Direction::Decrease => canary::Direction::Decrease,
        },
        data: match metric {
            CanaryMetricConfig::Counts(_) => {
                CanaryData::Counts { baseline: pair(false), canary: pair(true) }
            }
            CanaryMetricConfig::Series(_) => {
                CanaryData::Levels { baseline: id(LEVEL, false), canary: id(LEVEL, true) }
            }
        },
        margin: judging.margin.unwrap_or(usual_margin),
        weight: judging.weight.unwrap_or(if judging.critical { 5.0 } else { 1.0 }),
        required: judging.required,
        critical: judging.critical,
        muted: judging.muted,
        floor: match metric {
            CanaryMetricConfig::Counts(counts) => counts.floor,
            CanaryMetricConfig::Series(_) => None,
        },
        strict: matches!(metric, CanaryMetricConfig::Counts(counts) if counts.strict),
        v_min: match metric {
            CanaryMetricConfig::Series(series) => series.v_min,
            CanaryMetricConfig::Counts(_) => None,
        },
        rule: judging.rule.as_ref().and_then(|rule| rule.describe(canary.policy)),
    }
}

const EVENTS: &str = "events";
const REQUESTS: &str = "requests";
const LEVEL: &str = "level";

fn metric_id(service: &str, metric: &MetricConfig) -> SeriesId {
    SeriesId::new(&SourceId::new(&metric.source), &format!("{service}/{}", metric.name))
}

fn canary_id(
    service: &str,
    canary: &CanaryConfig,
    judging: &Judging,
    part: &str,
    is_canary: bool,
) -> SeriesId {
    let arm = if is_canary { "canary" } else { "baseline" };
    let name = format!("{service}/{}/{}/{part}/{arm}", canary.name, judging.name);
    SeriesId::new(&SourceId::new(&judging.source), &name)
}

/// What is read at first: the whole flight and the history before it, so that a room that is opened in
/// the middle of a flight judges it as one that has watched from its start.
fn canary_window(canary: &CanaryConfig) -> SignedDuration {
    let flight = signed(canary.warm_up).saturating_add(signed(canary.deadline));
    let kept = i32::try_from(MAX_POINTS).unwrap_or(i32::MAX);
    flight.saturating_add(signed(canary.history)).min(signed(canary.tick).saturating_mul(kept))
}

fn patterns(scoped: &[ScopedGlob]) -> Vec<Pattern> {
    scoped.iter().map(Pattern::from).collect()
}

fn texts(map: &BTreeMap<String, String>) -> impl Iterator<Item = (SafeText, SafeText)> {
    map.iter().map(|(key, value)| (SafeText::from(key), SafeText::from(value)))
}

fn unit(text: Option<&str>) -> SafeText {
    SafeText::new(text.unwrap_or_default())
}

fn signed(length: HumanDuration) -> SignedDuration {
    SignedDuration::try_from(length.get()).unwrap_or(SignedDuration::MAX)
}
