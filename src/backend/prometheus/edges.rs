//! Thresholds of latency that nobody chose: the edge of a histogram's bucket in which a share of what was
//! seen before ends, found once and kept, so that what is counted stays the same thing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::super::context::ReadContext;
use super::super::http_client::Session;
use super::series::Read;
use super::wire::{InstantData, Sample};
use super::{Told, ask};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::series::{Beyond, SeriesQuery, SeriesSpec};
use crate::domain::text::SafeText;

/// The label of a bucket's edge.
const EDGE: &str = "le";
/// What stands for the edge in an expression.
const PLACE: &str = "{edge}";

/// The edges found, by the question for their buckets.
#[derive(Debug, Default)]
pub(super) struct Edges(Mutex<BTreeMap<String, String>>);

/// What is to be asked for a series.
pub(super) enum Asking {
    /// This.
    By(String),
    /// Nothing: there is no threshold yet.
    Nothing(Read),
}

impl Edges {
    /// The question for a series, its threshold filled in.
    pub(super) async fn question(
        &self,
        session: &Session,
        spec: &SeriesSpec,
        now: Timestamp,
        cx: &ReadContext,
    ) -> Result<Asking, Fault> {
        let beyond = match &spec.query {
            SeriesQuery::Expression(query) | SeriesQuery::Instant(query) => {
                return Ok(Asking::By(query.clone()));
            }
            SeriesQuery::Beyond(beyond) => beyond,
            SeriesQuery::Metric { .. } | SeriesQuery::Maths { .. } | SeriesQuery::Arm { .. } => {
                let message = format!("{}: Prometheus is asked by an expression (PromQL)", spec.id);
                return Err(Fault::new(FaultKind::InvalidRequest, message));
            }
        };
        let edge = match self.known(beyond) {
            Some(edge) => edge,
            None => match find(session, beyond, now, cx).await? {
                Some(found) => self.keep(beyond, found),
                None => {
                    let note = "no latency is judged: the baseline has no histogram of it";
                    return Ok(Asking::Nothing(Read::nothing(spec, note)));
                }
            },
        };
        Ok(Asking::By(beyond.expression.replace(PLACE, &edge)))
    }

    /// What was read, with a note of the threshold.
    pub(super) fn told(&self, spec: &SeriesSpec, mut read: Read) -> Read {
        if let SeriesQuery::Beyond(beyond) = &spec.query
            && let Some(edge) = self.known(beyond)
        {
            let share = 100.0 * beyond.share;
            let said = format!("beyond {edge} s, the bucket of the baseline's p{share:.0}");
            let note = read.series.note.take().map(|note| format!("; {note}")).unwrap_or_default();
            read.series.note = Some(SafeText::from(said + &note));
        }
        read
    }

    fn known(&self, beyond: &Beyond) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&beyond.buckets).cloned()
    }

    /// Keeps the first that was found: both arms are asked at the same time.
    fn keep(&self, beyond: &Beyond, found: String) -> String {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(beyond.buckets.clone()).or_insert(found).clone()
    }
}

/// The edge, by the buckets as they were when the canary began, or are now.
async fn find(
    session: &Session,
    beyond: &Beyond,
    now: Timestamp,
    cx: &ReadContext,
) -> Result<Option<String>, Fault> {
    let now = now.as_second().to_string();
    let begun = instant(session, &beyond.begun, &now, cx).await?;
    let begun = begun.first().and_then(|sample| sample.value.as_ref()?.1.parse::<f64>().ok());
    // A new version without an old one before it had nothing to begin with.
    for at in begun.map(|begun| format!("{begun:.0}")).into_iter().chain([now]) {
        if let Some(edge) = edge(&instant(session, &beyond.buckets, &at, cx).await?, beyond.share) {
            return Ok(Some(edge));
        }
    }
    Ok(None)
}

async fn instant(
    session: &Session,
    query: &str,
    time: &str,
    cx: &ReadContext,
) -> Result<Vec<Sample>, Fault> {
    let form = [("query", query), ("time", time)];
    let told: Told<InstantData> = ask(session, "/api/v1/query", &form, cx).await?;
    Ok(match told.data {
        InstantData::Vector(samples) => samples,
        InstantData::Scalar(_) | InstantData::Matrix(_) | InstantData::String(_) => Vec::new(),
    })
}

/// The least edge with at least `share` of all below it; the greatest, if that is not enough.
fn edge(buckets: &[Sample], share: f64) -> Option<String> {
    let read = |sample: &Sample| {
        let label = sample.metric.get(EDGE)?;
        let counted: f64 = sample.value.as_ref()?.1.parse().ok()?;
        Some((label.parse::<f64>().ok()?, label.clone(), counted))
    };
    let mut edges: Vec<(f64, String, f64)> = buckets.iter().filter_map(read).collect();
    edges.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = edges.last().filter(|(edge, ..)| edge.is_infinite()).map(|(.., all)| *all)?;
    if all.is_nan() || all <= 0.0 {
        return None;
    }
    edges.retain(|(edge, ..)| edge.is_finite());
    let enough = edges.iter().find(|(.., counted)| *counted >= share * all);
    enough.or(edges.last()).map(|(_, label, _)| label.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(edge: &str, counted: &str) -> Sample {
        let metric = [(EDGE.to_owned(), edge.to_owned())].into();
        Sample { metric, value: Some((0.0, counted.to_owned())) }
    }

    #[test]
    fn the_bucket_in_which_the_share_ends_is_the_threshold_as_it_is_written() {
        let buckets = [
            bucket("+Inf", "1000"),
            bucket("0.1", "500"),
            bucket("1.0", "990"),
            bucket("0.25", "950.0"),
        ];
        assert_eq!(edge(&buckets, 0.95).as_deref(), Some("0.25"));
        assert_eq!(edge(&buckets, 0.951).as_deref(), Some("1.0"));
        assert_eq!(edge(&buckets, 0.999).as_deref(), Some("1.0"), "the last one there is");
    }

    #[test]
    fn without_a_histogram_there_is_none() {
        assert_eq!(edge(&[], 0.95), None);
        assert_eq!(edge(&[bucket("+Inf", "10")], 0.95), None);
        assert_eq!(edge(&[bucket("0.1", "5")], 0.95), None, "not all is counted");
        assert_eq!(edge(&[bucket("0.1", "0"), bucket("+Inf", "0")], 0.95), None);
        assert_eq!(edge(&[bucket("0.1", "NaN"), bucket("+Inf", "NaN")], 0.95), None);
    }
}
