//! Makes the report of an analysis: estimates, times, names and words after the latest tick.

use super::analysis::{Analysis, Verdict};
use super::eta::{Needed, needed, traffic_factor};
use super::metric::{Engine, MetricState, Totals};
use super::odds::Odds;
use super::report::{Absolute, MetricReport, Plausible, Report, TimeAt, Unit};
use super::spec::{Direction, MetricSpec};
use super::words;

/// φ from which bursts are worth a word.
const BURSTY: f64 = 2.0;

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
            trail_steps: self.trail_steps(),
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
            verdict: match Self::metric_verdict(metric) {
                Verdict::Pass if metric.has_worsened() => Verdict::NotEnoughData,
                verdict => verdict,
            },
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
    let (baseline_rate, canary_rate) = (baseline.k / baseline.n, canary.k / canary.n);
    if baseline.k <= 0.0 {
        // A ratio to nothing tells no difference: what was seen does.
        return Some(Absolute {
            totals: *totals,
            baseline_rate,
            canary_rate,
            points: canary_rate * 100.0,
            worst_points: None,
            extra_per_minute: canary.k / minutes,
        });
    }
    let points = |ratio: f64| (ratio - 1.0) * baseline_rate * 100.0;
    let worst = match direction {
        Direction::Increase => range.high,
        Direction::Decrease => Some(range.low),
    };
    Some(Absolute {
        totals: *totals,
        baseline_rate,
        canary_rate,
        points: points(range.ratio),
        worst_points: worst.map(points),
        extra_per_minute: (range.ratio - 1.0) * baseline_rate * canary.n / minutes,
    })
}

fn notes(metrics: &[MetricReport]) -> Vec<String> {
    let mut notes = Vec::new();
    for metric in metrics {
        // Without events φ is what was assumed, not what was seen.
        let seen = metric.absolute.is_some_and(|a| a.totals.baseline.k > 0.0);
        if let Some(phi) = metric.burstiness.filter(|phi| *phi > BURSTY && seen) {
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
