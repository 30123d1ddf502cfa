//! Which columns are judged, and how: as a file says it, as flags say it, or as it is assumed.

use serde::Deserialize;

use super::asked::JudgeArgs;
use super::columns::Columns;
use super::text_of;
use crate::cli::exit::Failure;
use crate::judge::{Direction, MetricKind, MetricSpec, Spec};

/// The column of requests, if none is named.
const REQUESTS: &str = "requests";

/// What was agreed, and where its figures are.
#[derive(Clone, Debug, PartialEq)]
pub struct Agreed {
    /// For the judge.
    pub spec: Spec,
    /// The columns of each metric, in its order.
    pub columns: Vec<From>,
    /// What nobody said.
    pub assumed: Vec<String>,
}

/// The columns of one metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// Events among requests.
    Counts {
        /// Their number.
        events: String,
        /// The number of requests.
        requests: String,
    },
    /// One value a row.
    Series(String),
}

/// What is judged, as a file says it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    alpha: Option<f64>,
    beta: Option<f64>,
    tick_seconds: Option<f64>,
    warm_up_ticks: u64,
    metrics: Vec<Metric>,
}

/// One metric of such a file; the keys are those of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    name: String,
    kind: Kind,
    events: Option<String>,
    requests: Option<String>,
    column: Option<String>,
    #[serde(default)]
    direction: Direction,
    margin: Option<f64>,
    weight: Option<f64>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    critical: bool,
    #[serde(default)]
    muted: bool,
    #[serde(default)]
    strict: bool,
    floor: Option<f64>,
    v_min: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Counts,
    Series,
}

impl Agreed {
    /// What `args` say of the columns of `baseline`, which the canary has too.
    pub fn of(args: &JudgeArgs, baseline: &Columns) -> Result<Self, Failure> {
        let mut assumed = Vec::new();
        let mut file = match &args.spec {
            Some(path) => {
                let text = text_of(path)?;
                toml::from_str::<File>(&text)
                    .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?
            }
            None => File { metrics: from_flags(args)?, ..File::default() },
        };
        if file.metrics.is_empty() {
            file.metrics = guess(baseline, &mut assumed);
        }
        if file.metrics.is_empty() {
            let message = "nothing to judge: name columns with --counts or --series";
            return Err(Failure::usage(message));
        }
        refine(&mut file.metrics, args)?;
        // If nothing is required by name, everything is.
        let all = !file.metrics.iter().any(|metric| metric.required && !metric.muted);
        let usual = Spec::default();
        let tick = args.tick.or(file.tick_seconds).or(baseline.step()).unwrap_or_else(|| {
            assumed.push(format!("a row is {} s", usual.tick_seconds));
            usual.tick_seconds
        });
        let spec = Spec {
            alpha: file.alpha.unwrap_or(usual.alpha),
            beta: file.beta.unwrap_or(usual.beta),
            tick_seconds: tick,
            warm_up_ticks: file.warm_up_ticks,
            // What is in a file has baked.
            min_bake_ticks: 0,
            metrics: file.metrics.iter().map(|metric| metric.agreed(all)).collect(),
            ..usual
        };
        let columns = file.metrics.iter().map(Metric::columns).collect();
        Ok(Self { spec, columns, assumed })
    }
}

impl Metric {
    fn counts(name: &str, events: &str, requests: &str) -> Self {
        Self {
            events: Some(events.to_owned()),
            requests: Some(requests.to_owned()),
            ..Self::series(name, Kind::Counts)
        }
    }

    fn series(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            events: None,
            requests: None,
            column: None,
            direction: Direction::Increase,
            margin: None,
            weight: None,
            required: false,
            critical: false,
            muted: false,
            strict: false,
            floor: None,
            v_min: None,
        }
    }

    fn columns(&self) -> From {
        let or_name = |column: &Option<String>| column.clone().unwrap_or_else(|| self.name.clone());
        match self.kind {
            Kind::Counts => From::Counts {
                events: or_name(&self.events),
                requests: self.requests.clone().unwrap_or_else(|| REQUESTS.to_owned()),
            },
            Kind::Series => From::Series(or_name(&self.column)),
        }
    }

    fn agreed(&self, all: bool) -> MetricSpec {
        let usual = match (self.kind, self.direction) {
            (Kind::Counts, Direction::Increase) => MetricSpec::errors(&self.name),
            (Kind::Counts, Direction::Decrease) => MetricSpec::conversions(&self.name),
            (Kind::Series, _) => MetricSpec::latency(&self.name),
        };
        MetricSpec {
            kind: match self.kind {
                Kind::Counts => MetricKind::Count { floor: self.floor, strict: self.strict },
                Kind::Series => MetricKind::Series { v_min: self.v_min },
            },
            direction: self.direction,
            margin: self.margin.unwrap_or(usual.margin),
            weight: self.weight,
            required: self.required || all,
            critical: self.critical,
            muted: self.muted,
            ..usual
        }
    }
}

fn from_flags(args: &JudgeArgs) -> Result<Vec<Metric>, Failure> {
    let mut metrics = Vec::new();
    for text in &args.counts {
        let (events, requests) = text.split_once('/').unwrap_or((text, REQUESTS));
        if events.is_empty() || requests.is_empty() {
            let message = format!("--counts {text}: write EVENTS/REQUESTS, as in errors/requests");
            return Err(Failure::usage(message));
        }
        metrics.push(Metric::counts(events, events, requests));
    }
    metrics.extend(args.series.iter().map(|name| Metric::series(name, Kind::Series)));
    Ok(metrics)
}

/// Directions and margins of flags.
fn refine(metrics: &mut [Metric], args: &JudgeArgs) -> Result<(), Failure> {
    for name in &args.decrease {
        named(metrics, "--decrease", name)?.direction = Direction::Decrease;
    }
    for text in &args.margin {
        let parsed =
            text.split_once('=').and_then(|(name, m)| Some((name, m.parse::<f64>().ok()?)));
        let Some((name, margin)) = parsed else {
            let message = format!("--margin {text}: write NAME=SHARE, as in errors=0.5");
            return Err(Failure::usage(message));
        };
        named(metrics, "--margin", name)?.margin = Some(margin);
    }
    Ok(())
}

fn named<'m>(metrics: &'m mut [Metric], flag: &str, name: &str) -> Result<&'m mut Metric, Failure> {
    let all: Vec<String> = metrics.iter().map(|metric| metric.name.clone()).collect();
    metrics.iter_mut().find(|metric| metric.name == name).ok_or_else(|| {
        let all = all.join(", ");
        Failure::usage(format!("{flag} {name}: no such metric is judged; there are {all}"))
    })
}

/// Columns of these names count events, where there is a column of requests.
const COUNTED: [&str; 8] =
    ["errors", "error", "failures", "failed", "5xx", "timeouts", "slow", "rejected"];

/// With a column of requests, columns with a usual name for failures count events among them; the
/// rest are levels.
fn guess(columns: &Columns, assumed: &mut Vec<String>) -> Vec<Metric> {
    let requests = columns.column(REQUESTS);
    let mut metrics = Vec::new();
    for (at, name) in columns.names.iter().enumerate() {
        if Some(at) == requests || name == super::columns::WEIGHT {
            continue;
        }
        if requests.is_some() && COUNTED.contains(&&*name.to_lowercase()) {
            assumed.push(format!("{name} counts events among {REQUESTS}, and more is worse"));
            metrics.push(Metric::counts(name, name, REQUESTS));
        } else {
            assumed.push(format!("{name} is a level, and more is worse"));
            metrics.push(Metric::series(name, Kind::Series));
        }
    }
    metrics
}
