//! One series by range queries: within the server's limit of points, from the last known point on.

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use super::super::context::ReadContext;
use super::super::http_client::Session;
use super::open;
use super::wire::{Envelope, InstantData, Labels, Matrix, QueryData, label_text};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::series::{Point, Series, SeriesQuery, SeriesSpec};
use crate::domain::text::SafeText;

/// Points asked for at once. The server refuses more than 11,000 (`web/api/v1/api.go`).
const MAX_POINTS: i64 = 10_000;
/// How far behind the last known point a later read begins: scrapes and rules arrive late.
const OVERLAP: SignedDuration = SignedDuration::from_secs(120);
/// Longer expressions go into the body of the request; addresses have limits on their way.
const LONG_QUERY: usize = 1_500;

/// What is remembered of a series between reads.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// The labels it had.
    labels: Labels,
    /// Its last point.
    last: Timestamp,
}

/// What one read brought.
#[derive(Debug)]
pub(super) struct Read {
    pub series: Series,
    pub known: Known,
    pub warnings: Vec<SafeText>,
}

impl Read {
    /// A series without points, and why.
    pub(super) fn nothing(spec: &SeriesSpec, note: &str) -> Self {
        let gathered = Gathered { infos: vec![note.to_owned()], ..Gathered::default() };
        let mut read = gathered.finish(spec, None, (Timestamp::MIN, Timestamp::MIN));
        read.series.note = Some(SafeText::new(note));
        read
    }
}

/// Reads `spec` up to `now`: the whole window at first, later what is new.
pub(super) async fn read(
    session: &Session,
    spec: &SeriesSpec,
    query: &str,
    known: Option<&Known>,
    now: Timestamp,
    patience: &str,
    cx: &ReadContext,
) -> Result<Read, Fault> {
    if matches!(spec.query, SeriesQuery::Instant(_)) {
        let asked = Asked { session, spec, query, step: spec.step, patience };
        return Ok(asked.moment(now, cx).await?.finish(spec, None, (now, now)));
    }
    let step = spec.step.max(SignedDuration::from_millis(1));
    let overlap = OVERLAP.max(step.saturating_mul(2));
    let first = now.saturating_sub(spec.window).unwrap_or(now);
    if let Some(known) = known
        && let Ok(resume) = known.last.checked_sub(overlap)
        && resume > first
    {
        let asked = Asked { session, spec, query, step, patience };
        let read = asked.span(resume, now, cx).await?;
        // Other labels mean another series: only the whole window tells whether it is one.
        if read.labels.as_ref().is_none_or(|labels| *labels == known.labels) {
            return Ok(read.finish(spec, Some(known), (resume, now)));
        }
    }
    let asked = Asked { session, spec, query, step, patience };
    Ok(asked.span(first, now, cx).await?.finish(spec, None, (first, now)))
}

struct Asked<'a> {
    session: &'a Session,
    spec: &'a SeriesSpec,
    query: &'a str,
    step: SignedDuration,
    patience: &'a str,
}

#[derive(Debug, Default)]
struct Gathered {
    labels: Option<Labels>,
    points: Vec<Point>,
    /// Values that are no number: NaN or infinite.
    odd: usize,
    warnings: Vec<String>,
    infos: Vec<String>,
}

impl Asked<'_> {
    /// Reads from `from` to `to`, on a grid of whole steps, so that points of two reads coincide.
    async fn span(
        &self,
        from: Timestamp,
        to: Timestamp,
        cx: &ReadContext,
    ) -> Result<Gathered, Fault> {
        let step = self.step.as_millis().max(1);
        let (first, last) = (
            ceil(i128::from(from.as_millisecond()), step),
            floor(i128::from(to.as_millisecond()), step),
        );
        let mut gathered = Gathered::default();
        let mut start = first;
        while start <= last {
            let end = last.min(start + step * i128::from(MAX_POINTS - 1));
            self.chunk(start, end, step, &mut gathered, cx).await?;
            start = end + step;
        }
        Ok(gathered)
    }

    async fn chunk(
        &self,
        start: i128,
        end: i128,
        step: i128,
        gathered: &mut Gathered,
        cx: &ReadContext,
    ) -> Result<(), Fault> {
        const PATH: &str = "/api/v1/query_range";
        let (start, end, step) = (seconds(start), seconds(end), seconds(step));
        let form = [
            ("query", self.query),
            ("start", &start),
            ("end", &end),
            ("step", &step),
            ("timeout", self.patience),
        ];
        let data: QueryData = self.ask(PATH, &form, gathered, cx).await?;
        if data.result_type != "matrix" {
            let message = format!("{}: a {} instead of a matrix", self.spec.id, data.result_type);
            return Err(Fault::new(FaultKind::InvalidReply, message));
        }
        let mut results = data.result.into_iter();
        let (one, two) = (results.next(), results.next());
        let Some(one) = one else { return Ok(()) };
        let earlier = gathered.labels.as_ref().filter(|labels| **labels != one.metric);
        if let Some(other) = two.as_ref().map(|m| &m.metric).or(earlier) {
            let more = results.len();
            return Err(self.several(&one.metric, other, more));
        }
        if one.values.is_empty() && !one.histograms.is_empty() {
            return Err(self.histograms());
        }
        self.take(one, gathered)
    }

    /// The value at `at`, of a vector of one or a scalar.
    async fn moment(&self, at: Timestamp, cx: &ReadContext) -> Result<Gathered, Fault> {
        let time = seconds(i128::from(at.as_millisecond()));
        let form = [("query", self.query), ("time", &time), ("timeout", self.patience)];
        let mut gathered = Gathered::default();
        let data: InstantData = self.ask("/api/v1/query", &form, &mut gathered, cx).await?;
        let matrix = match data {
            InstantData::Scalar(sample) => {
                Matrix { metric: Labels::new(), values: vec![sample], histograms: Vec::new() }
            }
            InstantData::Vector(samples) => {
                let mut samples = samples.into_iter();
                let (one, two) = (samples.next(), samples.next());
                let Some(one) = one else { return Ok(gathered) };
                if let Some(two) = two {
                    return Err(self.several(&one.metric, &two.metric, samples.len()));
                }
                let Some(value) = one.value else { return Err(self.histograms()) };
                Matrix { metric: one.metric, values: vec![value], histograms: Vec::new() }
            }
            InstantData::Matrix(_) | InstantData::String(_) => {
                let message = format!("{}: neither one number nor one series", self.spec.id);
                return Err(Fault::new(FaultKind::InvalidRequest, message)
                    .hint("leave out the range in brackets, or take one number of it"));
            }
        };
        self.take(matrix, &mut gathered)?;
        Ok(gathered)
    }

    /// What the server answers at `path`; what it remarks goes into `gathered`.
    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
        gathered: &mut Gathered,
        cx: &ReadContext,
    ) -> Result<T, Fault> {
        let reply: Envelope<T> = if self.query.len() > LONG_QUERY {
            self.session.form_json(path, form, cx).await?
        } else {
            self.session.get_json(path, form, cx).await?
        };
        let (data, warnings, infos) = open(self.session, path, reply)?;
        gathered.warnings.extend(warnings);
        gathered.infos.extend(infos);
        Ok(data)
    }

    fn take(&self, matrix: Matrix, gathered: &mut Gathered) -> Result<(), Fault> {
        gathered
            .take(matrix)
            .map_err(|why| Fault::new(FaultKind::InvalidReply, format!("{}: {why}", self.spec.id)))
    }

    fn histograms(&self) -> Fault {
        let message = format!("{}: the query returns native histograms", self.spec.id);
        Fault::new(FaultKind::InvalidRequest, message)
            .hint("take one number of them, as by histogram_quantile()")
    }

    fn several(&self, one: &Labels, other: &Labels, more: usize) -> Fault {
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!(
            "{}: the query returns several series: {}, {}{rest}",
            self.spec.id,
            label_text(one),
            label_text(other)
        );
        Fault::new(FaultKind::InvalidRequest, message)
            .hint("make it return one: sum(…), max(…), or further label matchers")
    }
}

impl Gathered {
    fn take(&mut self, matrix: Matrix) -> Result<(), String> {
        for (at, text) in matrix.values {
            // "NaN", "+Inf" and "-Inf" are legal values, and no measurement.
            let value: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
            if !value.is_finite() {
                self.odd += 1;
                continue;
            }
            let at = Timestamp::from_millisecond((at * 1000.0).round() as i64)
                .map_err(|_| format!("{at} is not a time"))?;
            if self.points.last().is_none_or(|last| last.at < at) {
                self.points.push(Point { at, value });
            }
        }
        self.labels = Some(matrix.metric);
        Ok(())
    }

    fn finish(
        self,
        spec: &SeriesSpec,
        known: Option<&Known>,
        (from, to): (Timestamp, Timestamp),
    ) -> Read {
        let mut notes = Vec::new();
        if self.points.is_empty() {
            let when = if from == to {
                "now".to_owned()
            } else {
                format!("in the last {}", crate::domain::time::coarse(to.duration_since(from)))
            };
            notes.push(if self.odd > 0 {
                format!("no number {when}: {} values are NaN or infinite", self.odd)
            } else {
                format!("no data {when}")
            });
            // The usual reason, which nothing else tells.
            if matches!(&spec.query, SeriesQuery::Expression(text) if has_bare_window(text)) {
                notes.push(
                    "of a window in [ ] nothing is told unless it holds two scrapes".to_owned(),
                );
            }
        } else if self.odd > 0 {
            notes.push(format!("{} values are NaN or infinite", self.odd));
        }
        for remark in self.warnings.iter().chain(&self.infos) {
            if !notes.contains(remark) {
                notes.push(remark.clone());
            }
        }
        let last = self.points.last().map(|p| p.at).or(known.map(|k| k.last));
        let labels = self.labels.or_else(|| known.map(|k| k.labels.clone()));
        Read {
            // Nothing yet: the next read asks for the whole window again.
            known: Known {
                labels: labels.unwrap_or_default(),
                last: last.unwrap_or(Timestamp::MIN),
            },
            series: Series {
                id: spec.id.clone(),
                kind: spec.kind,
                unit: spec.unit.clone(),
                step: spec.step,
                points: self.points,
                note: (!notes.is_empty()).then(|| SafeText::from(notes.join("; "))),
            },
            warnings: self.warnings.iter().map(SafeText::from).collect(),
        }
    }
}

/// Whether an expression looks at the scrapes within a window, not at a value every so often.
fn has_bare_window(text: &str) -> bool {
    text.split('[').skip(1).any(|rest| rest.split_once(']').is_some_and(|(w, _)| !w.contains(':')))
}

fn floor(at: i128, step: i128) -> i128 {
    at.div_euclid(step) * step
}

fn ceil(at: i128, step: i128) -> i128 {
    floor(at + step - 1, step)
}

/// Milliseconds as seconds with three digits, without the rounding of floating point.
fn seconds(millis: i128) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", millis.abs() / 1000, millis.abs() % 1000)
}
