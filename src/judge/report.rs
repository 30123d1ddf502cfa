//! Everything a tired human, a screen or a script needs to know about an analysis, in one value.

use super::analysis::{Analysis, Verdict};
use super::decide::{Action, Obstacle};
use super::eta::{Needed, needed, traffic_factor};
use super::metric::{DataState, Engine, MetricState, Totals};
use super::odds::Odds;
use super::spec::{Direction, MetricSpec};
use super::words;
use serde::{Deserialize, Serialize};

/// φ from which bursts are worth a word.
const BURSTY: f64 = 2.0;

/// What one observation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Every request counts.
    Requests,
    /// One value a tick, whatever its traffic.
    Ticks,
}

/// The ratio canary over baseline: best guess, and what is plausible at every look at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plausible {
    /// Best guess.
    pub ratio: f64,
    /// Lowest plausible; 0 when there is no bound.
    pub low: f64,
    /// Highest plausible; `None` when there is no bound.
    pub high: Option<f64>,
}

/// Shares and what they mean in absolute terms; only for counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Absolute {
    /// Sums of both arms.
    pub totals: Totals,
    /// Events per request of the baseline.
    pub baseline_rate: f64,
    /// Events per request of the canary.
    pub canary_rate: f64,
    /// Best guess of the difference, in percentage points.
    pub points: f64,
    /// The worst plausible difference, in percentage points.
    pub worst_points: Option<f64>,
    /// Additional events on the canary a minute, at its present traffic.
    pub extra_per_minute: f64,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricReport {
    /// Its name.
    pub name: String,
    /// What the evidence says about it alone.
    pub verdict: Verdict,
    /// How its data are.
    pub data: DataState,
    /// What one observation is.
    pub unit: Unit,
    /// Which way is bad.
    pub direction: Direction,
    /// The ratio that its margin allows.
    pub margin_ratio: f64,
    /// Whether a pass needs it.
    pub required: bool,
    /// Whether it is shown without a voice.
    pub muted: bool,
    /// Whether its silence is a failure.
    pub critical: bool,
    /// The ratio and its plausible range; `None` without data.
    pub plausible: Option<Plausible>,
    /// Absolute terms; only for counts with data.
    pub absolute: Option<Absolute>,
    /// Evidence of any harm.
    pub any_harm: Odds,
    /// Evidence of harm beyond the margin.
    pub harm: Odds,
    /// The same, adjusted for the other metrics: what decides about a culprit.
    pub adjusted_harm: Odds,
    /// Evidence of safety within the margin.
    pub safety: Odds,
    /// What it still needs to be safe.
    pub needed: Needed,
    /// φ of the baseline's events; only for counts.
    pub burstiness: Option<f64>,
    /// Effective number of observations; only for series with variation.
    pub effective_ticks: Option<f64>,
    /// Usable ticks.
    pub usable_ticks: u64,
}

/// Time still needed at one share of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TimeAt {
    /// The canary's share.
    pub weight: f64,
    /// Seconds until every required metric is clear, if all stays as it is.
    pub seconds: f64,
}

/// The whole analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The verdict, gaps in the data considered.
    pub verdict: Verdict,
    /// What the evidence alone says.
    pub evidence: Verdict,
    /// What to do.
    pub action: Action,
    /// The first words: verdict and action.
    pub lead: String,
    /// One sentence after them: odds, plausible range, time.
    pub sentence: String,
    /// What stands in the way of a step forward.
    pub obstacles: Vec<Obstacle>,
    /// Evidence of harm beyond the margins, all metrics together.
    pub harm: Odds,
    /// Evidence of any harm, all metrics together.
    pub any_harm: Odds,
    /// Odds at which the canary is rolled back.
    pub line: f64,
    /// 0 to 100, for a bar.
    pub score: f64,
    /// Metrics that are guilty by themselves.
    pub culprits: Vec<String>,
    /// Metrics that are likely among the guilty; useful when there are more than 20.
    pub suspects: Vec<String>,
    /// Metrics that are clear.
    pub safe: Vec<String>,
    /// The required metric that takes longest, or that nobody can foresee.
    pub limiting: Option<String>,
    /// Seconds until every required metric is clear at the present share; `None` if not foreseeable.
    pub seconds_needed: Option<f64>,
    /// The same at the other shares of the rollout plan.
    pub seconds_at: Vec<TimeAt>,
    /// The canary's present share.
    pub weight: Option<f64>,
    /// Judged ticks, and of them at this share.
    pub ticks: u64,
    /// Judged ticks at this share.
    pub ticks_at_step: u64,
    /// Length of a tick.
    pub tick_seconds: f64,
    /// Remarks worth a line.
    pub notes: Vec<String>,
    /// log₁₀ of the combined evidence of harm after each of the last ticks, oldest first.
    pub trail: Vec<f32>,
    /// Every metric.
    pub metrics: Vec<MetricReport>,
}

impl Analysis {
    /// Everything there is to say after the latest tick.
    pub fn report(&self) -> Report {
        let decision = self.decide();
        let metrics = self.metric_reports();
        let names = |keep: &dyn Fn(&MetricReport) -> bool| {
            metrics.iter().filter(|m| keep(m)).map(|m| m.name.clone()).collect::<Vec<_>>()
        };
        let (limiting, seconds_needed) = self.limiting(&metrics, None);
        let suspects = self.suspects().into_iter();
        let mut report = Report {
            verdict: decision.verdict,
            evidence: self.verdict(),
            action: decision.action,
            lead: String::new(),
            sentence: String::new(),
            obstacles: decision.obstacles,
            harm: Odds::from_ln(self.ln_fail),
            any_harm: Odds::from_ln(self.ln_reg),
            line: 1.0 / self.spec.alpha,
            score: self.score(),
            culprits: names(&|m| m.verdict == Verdict::Fail),
            suspects: suspects
                .filter_map(|at| self.spec.metrics.get(at).map(|spec| spec.name.clone()))
                .collect(),
            safe: names(&|m| m.verdict == Verdict::Pass),
            limiting,
            seconds_needed,
            seconds_at: self.seconds_at(&metrics),
            weight: self.weight,
            ticks: self.ticks,
            ticks_at_step: self.ticks_at_step,
            tick_seconds: self.spec.tick_seconds,
            notes: notes(&metrics),
            trail: self.trail.iter().copied().collect(),
            metrics,
        };
        let blamed = self.blamed().map(|spec| spec.name.as_str()).collect::<Vec<_>>();
        (report.lead, report.sentence) = words::headline(&report, &blamed);
        report
    }

    fn metric_reports(&self) -> Vec<MetricReport> {
        let adjusted = self.ln_adjusted();
        let pairs = self.metrics.iter().zip(&self.spec.metrics).zip(adjusted);
        pairs.map(|((metric, spec), adjusted)| self.metric_report(metric, spec, adjusted)).collect()
    }

    fn metric_report(
        &self,
        metric: &MetricState,
        spec: &MetricSpec,
        adjusted: f64,
    ) -> MetricReport {
        let plausible = plausible(metric, self.spec.range_alpha);
        let minutes = self.spec.tick_seconds / 60.0;
        let absolute = match &metric.engine {
            Engine::Count(count) => plausible.and_then(|range| {
                absolute(&count.totals, range, spec.direction, metric.usable() as f64 * minutes)
            }),
            Engine::Series(_) => None,
        };
        let (unit, burstiness, effective_ticks) = match &metric.engine {
            Engine::Count(count) => (Unit::Requests, Some(count.ratio.phi()), None),
            Engine::Series(series) => (Unit::Ticks, None, series.stats().map(|s| s.effective)),
        };
        MetricReport {
            name: spec.name.clone(),
            verdict: Self::metric_verdict(metric),
            data: metric.data(self.spec.silent_after_ticks, self.weight),
            unit,
            direction: spec.direction,
            margin_ratio: spec.direction.margin_ratio(spec.margin),
            required: spec.is_needed(),
            muted: spec.muted,
            critical: spec.critical,
            plausible,
            absolute,
            any_harm: Odds::from_ln(metric.evidence.reg),
            harm: Odds::from_ln(metric.evidence.fail),
            adjusted_harm: Odds::from_ln(adjusted),
            safety: Odds::from_ln(metric.evidence.safe),
            needed: needed(spec, metric, -self.spec.beta.ln()),
            burstiness,
            effective_ticks,
            usable_ticks: metric.usable(),
        }
    }

    /// The slowest required metric and its time in seconds, at another share of traffic if given. One
    /// that cannot be foreseen is the slowest of all.
    fn limiting(&self, metrics: &[MetricReport], at: Option<f64>) -> (Option<String>, Option<f64>) {
        let mut slowest: Option<(&str, f64)> = None;
        for metric in metrics.iter().filter(|metric| metric.required) {
            let ticks = match metric.needed {
                Needed::Nothing => continue,
                Needed::Unknown => f64::INFINITY,
                Needed::Ticks { ticks, by_traffic } => {
                    let factor = if by_traffic { self.pace(at) } else { Some(1.0) };
                    factor.map_or(f64::INFINITY, |factor| ticks * factor)
                }
            };
            if slowest.is_none_or(|(_, most)| ticks > most) {
                slowest = Some((&metric.name, ticks));
            }
        }
        match slowest {
            None => (None, Some(0.0)),
            Some((name, ticks)) => {
                let seconds = ticks * self.spec.tick_seconds;
                (Some(name.to_owned()), seconds.is_finite().then_some(seconds))
            }
        }
    }

    /// How much slower a coming tick tells than those seen did on average, at the given share of traffic
    /// or the present one.
    fn pace(&self, at: Option<f64>) -> Option<f64> {
        let (Some(share), true) = (at.or(self.weight), self.weight.is_some() && self.ticks > 0)
        else {
            return Some(1.0);
        };
        let seen = self.information / self.ticks as f64;
        let coming = share * (1.0 - share);
        (seen > 0.0 && coming > 0.0).then(|| seen / coming)
    }

    fn seconds_at(&self, metrics: &[MetricReport]) -> Vec<TimeAt> {
        let Some(now) = self.weight else { return Vec::new() };
        let others = self.spec.steps.iter().copied().filter(|step| (step - now).abs() > 1e-9);
        others
            .filter(|weight| traffic_factor(now, *weight).is_some())
            .filter_map(|weight| {
                let (_, seconds) = self.limiting(metrics, Some(weight));
                seconds.map(|seconds| TimeAt { weight, seconds })
            })
            .collect()
    }
}

fn plausible(metric: &MetricState, alpha: f64) -> Option<Plausible> {
    if metric.usable() == 0 {
        return None;
    }
    match &metric.engine {
        Engine::Count(count) => {
            let (low, high) = count.ratio.confidence(alpha);
            Some(Plausible { ratio: count.ratio.estimate(), low, high })
        }
        Engine::Series(series) => {
            let stats = series.stats()?;
            let range = series.confidence(alpha);
            Some(Plausible {
                ratio: stats.mean.exp(),
                low: range.map_or(0.0, |ends| ends.0.exp()),
                high: range.map(|ends| ends.1.exp()).filter(|high| high.is_finite()),
            })
        }
    }
}

fn absolute(
    totals: &Totals,
    range: Plausible,
    direction: Direction,
    minutes: f64,
) -> Option<Absolute> {
    let (baseline, canary) = (totals.baseline, totals.canary);
    if baseline.n <= 0.0 || canary.n <= 0.0 || minutes <= 0.0 {
        return None;
    }
    let baseline_rate = baseline.k / baseline.n;
    let points = |ratio: f64| (ratio - 1.0) * baseline_rate * 100.0;
    let worst = match direction {
        Direction::Increase => range.high,
        Direction::Decrease => Some(range.low),
    };
    Some(Absolute {
        totals: *totals,
        baseline_rate,
        canary_rate: canary.k / canary.n,
        points: points(range.ratio),
        worst_points: worst.map(points),
        extra_per_minute: (range.ratio - 1.0) * baseline_rate * canary.n / minutes,
    })
}

fn notes(metrics: &[MetricReport]) -> Vec<String> {
    let mut notes = Vec::new();
    for metric in metrics {
        if let Some(phi) = metric.burstiness.filter(|phi| *phi > BURSTY && metric.usable_ticks > 0)
        {
            notes.push(format!("{} are bursty (×{phi:.1}): slower", metric.name));
        }
        if metric.required && matches!(metric.needed, Needed::Unknown) && metric.usable_ticks > 0 {
            let zero =
                metric.absolute.is_some_and(|a| a.totals.baseline.k + a.totals.canary.k == 0.0);
            if zero {
                notes.push(format!(
                    "{}: no events on either side, so ratios say nothing; a floor could clear it",
                    metric.name
                ));
            }
        }
    }
    notes
}
