//! How fast the judge is: a day of minutes for 1,000 metrics, and one tick for 1,000 metrics that have
//! seen a day already (it must cost no more than the first).

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flightdeck::judge::{Analysis, MetricSpec, Sample, Spec};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson};
use std::hint::black_box;

const METRICS: usize = 1000;
const TICKS: usize = 1440;
/// Different rows of samples, used again and again: making them is not what is measured.
const ROWS: usize = 64;

fn spec() -> Spec {
    let metric = |at: usize| match at % 4 {
        0 | 1 => MetricSpec::errors(&format!("errors-{at}")),
        2 => MetricSpec::conversions(&format!("orders-{at}")),
        _ => MetricSpec::latency(&format!("p95-{at}")),
    };
    let metrics = (0..METRICS).map(metric).collect();
    Spec { warm_up_ticks: 0, metrics, ..Spec::default() }
}

fn rows() -> Vec<Vec<Sample>> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut draw = |mean: f64| Poisson::new(mean).map_or(mean, |poisson| poisson.sample(&mut rng));
    let mut sample = |at: usize| match at % 4 {
        0..=2 => Sample::counts((draw(9500.0), draw(95.0)), (draw(500.0), draw(5.0))),
        _ => Sample::values(draw(1000.0), draw(1000.0)),
    };
    (0..ROWS).map(|_| (0..METRICS).map(&mut sample).collect()).collect()
}

fn fed(rows: &[Vec<Sample>], ticks: usize) -> Option<Analysis> {
    let mut analysis = Analysis::new(spec()).ok()?;
    analysis.step(0.05);
    for row in rows.iter().cycle().take(ticks) {
        analysis.push(row);
    }
    Some(analysis)
}

fn judge(c: &mut Criterion) {
    let rows = rows();
    let (Some(fresh), Some(old)) = (fed(&rows, 1), fed(&rows, TICKS)) else { return };
    let Some(row) = rows.first() else { return };
    let mut group = c.benchmark_group("judge");
    group.sample_size(10);
    for (name, analysis) in [("first", &fresh), ("after_a_day", &old)] {
        group.bench_function(format!("one_tick_1000_metrics_{name}"), |b| {
            let tick = |mut analysis: Analysis| {
                analysis.push(black_box(row));
                analysis
            };
            b.iter_batched(|| analysis.clone(), tick, BatchSize::PerIteration);
        });
    }
    group.bench_function("report_1000_metrics", |b| b.iter(|| black_box(old.report())));
    group.bench_function("1000_metrics_1440_ticks", |b| b.iter(|| fed(black_box(&rows), TICKS)));
    group.finish();
}

criterion_group!(benches, judge);
criterion_main!(benches);
