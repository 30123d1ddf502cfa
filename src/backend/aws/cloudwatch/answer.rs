//! What came back for one query, put together from its pages.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{MessageData, MetricDataResult, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::plan::Query;
use crate::backend::aws::convert::time;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::series::{Point, Series, SeriesQuery};
use crate::domain::text::SafeText;
use crate::domain::time::coarse;

/// What came back for one query.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    label: Option<String>,
    /// The label of a second series, where one was expected.
    second: Option<String>,
    /// Of the last page.
    status: Option<StatusCode>,
    messages: Vec<String>,
    points: BTreeMap<Timestamp, f64>,
    /// Values that are no number.
    odd: usize,
    /// What could not be understood.
    broken: Option<String>,
}

impl Gathered {
    /// Takes in a result; `again` says that its page already had one for the same query.
    pub(super) fn take(&mut self, result: &MetricDataResult, again: bool) {
        let label = result.label().unwrap_or_default();
        if again || self.label.as_deref().is_some_and(|known| known != label) {
            self.second.get_or_insert_with(|| label.to_owned());
            return;
        }
        self.label = Some(label.to_owned());
        self.status = result.status_code().cloned();
        for message in result.messages().iter().map(sentence) {
            if !self.messages.contains(&message) {
                self.messages.push(message);
            }
        }
        let (times, values) = (result.timestamps(), result.values());
        if times.len() != values.len() {
            self.broken = Some(format!("{} times for {} values", times.len(), values.len()));
        }
        for (at, value) in times.iter().zip(values) {
            match time(at) {
                Some(_) if !value.is_finite() => self.odd += 1,
                Some(at) => {
                    self.points.insert(at, *value);
                }
                None => self.broken = Some(format!("{} s is not a time", at.secs())),
            }
        }
    }

    /// The series, or why there is none.
    pub(super) fn finish(self, query: &Query<'_>) -> Result<Series, Fault> {
        let id = &query.spec.id;
        let said = self.messages.join("; ");
        let fault = |kind, why: &str| {
            let more = if said.is_empty() { String::new() } else { format!(": {said}") };
            Fault::new(kind, format!("{id}: {why}{more}"))
        };
        if let Some(second) = &self.second {
            let first = self.label.as_deref().unwrap_or_default();
            let why = format!("the query returns several series: {first}, {second}");
            let hint = "make it return one: SUM(…), MAX(…), or further dimensions";
            return Err(fault(FaultKind::InvalidRequest, &why).hint(hint));
        }
        if let Some(broken) = &self.broken {
            return Err(fault(FaultKind::InvalidReply, broken));
        }
        let mut notes: Vec<String> = query.note.iter().cloned().collect();
        match self.status {
            Some(StatusCode::Forbidden) => {
                let permission = Some(SafeText::new("cloudwatch:GetMetricData"));
                return Err(fault(FaultKind::Forbidden { permission }, "may not be read"));
            }
            Some(StatusCode::InternalError) => {
                let why = "CloudWatch could not read it";
                return Err(fault(FaultKind::ServerError, why));
            }
            Some(StatusCode::PartialData) => notes.push("partial data".to_owned()),
            Some(StatusCode::Complete) => {}
            Some(other) => notes.push(other.as_str().to_owned()),
            // A search that finds nothing has no result; a metric always has one.
            None if !matches!(query.spec.query, SeriesQuery::Metric { .. }) => {}
            None => return Err(fault(FaultKind::InvalidReply, "missing in the answer")),
        }
        let odd = self.odd;
        if self.points.is_empty() {
            let span = query.span.to.saturating_sub(query.span.from);
            let span = coarse(SignedDuration::from_secs(span));
            notes.push(format!("no data in the last {span}"));
        }
        if odd > 0 {
            notes.push(format!("{odd} values are NaN or infinite"));
        }
        notes.extend(self.messages);
        Ok(Series {
            id: id.clone(),
            kind: query.spec.kind,
            unit: query.spec.unit.clone(),
            step: SignedDuration::from_secs(query.period.into()),
            points: self.points.into_iter().map(|(at, value)| Point { at, value }).collect(),
            note: (!notes.is_empty()).then(|| SafeText::from(notes.join("; "))),
        })
    }
}

/// A message of CloudWatch's, as a sentence.
pub(super) fn sentence(message: &MessageData) -> String {
    let parts = [message.code(), message.value()].into_iter().flatten();
    parts.filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(": ")
}
