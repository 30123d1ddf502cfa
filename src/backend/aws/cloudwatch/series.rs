//! The calls for series: batches, and what to do when one bad query spoils a batch.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy};
use aws_smithy_types::DateTime;
use futures::stream::{self, StreamExt as _};

use super::CloudWatch;
use super::answer::{Gathered, sentence};
use super::plan::{self, Query};
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::Fact;
use crate::domain::ids::{ItemId, SeriesId};
use crate::domain::maths;
use crate::domain::observation::{Observation, Scope};
use crate::domain::series::{Series, SeriesQuery};
use crate::domain::text::SafeText;

/// Batches under way at once within one read.
const SIDE_BY_SIDE: usize = 4;
/// Pages of one batch, so that an endless one ends.
const MAX_PAGES: usize = 50;
/// What queries are called in a call, with their number.
const PREFIX: &str = "fd_";

/// What one batch brought.
#[derive(Default)]
struct Brought {
    series: Vec<(SeriesId, Result<Series, Fault>)>,
    warnings: Vec<String>,
    /// What ends the whole read.
    stop: Option<Fault>,
}

impl CloudWatch {
    /// The named series, each with its own fault if it cannot be read.
    pub(super) async fn read_series(
        &self,
        scope: &Scope,
        context: &ReadContext,
    ) -> Result<Observation, Fault> {
        let connection = self.reader.connect(context.now()).await?;
        let mut observation = context.answer(&self.id, scope);
        let queries = self.queries(scope, &mut observation, context);
        let refused = lock(&self.refused).clone();
        let batches = plan::batches(queries, |query| refused.contains(&query.spec.id));
        // A loop, for the compiler cannot tell that a closure over borrowed queries may move.
        let mut reads = Vec::with_capacity(batches.len());
        for batch in batches {
            reads.push(self.batch(&connection, batch, context));
        }
        let reads: Vec<Brought> = stream::iter(reads).buffered(SIDE_BY_SIDE).collect().await;

        if let Some(fault) = reads.iter().find_map(|read| read.stop.clone()) {
            self.reader.learn(&connection.loaded, &fault, context.now()).await;
            let nothing_read = reads.iter().flat_map(|r| &r.series).all(|(_, s)| s.is_err());
            if nothing_read || fault.kind == FaultKind::NotAuthenticated {
                return Err(fault);
            }
        }
        // The same failure everywhere is the source's, not the series'.
        let faults = || reads.iter().flat_map(|read| &read.series).map(|(_, s)| s.as_ref().err());
        if faults().all(|fault| fault.is_some_and(Fault::is_source_wide))
            && let Some(fault) = faults().flatten().next()
        {
            return Err(fault.clone());
        }
        let mut known = lock(&self.known);
        for read in reads {
            for warning in read.warnings.into_iter().map(SafeText::from) {
                if !observation.warnings.contains(&warning) {
                    observation.warnings.push(warning);
                }
            }
            for (id, series) in read.series {
                match series {
                    Ok(series) => {
                        if let Some(last) = series.last() {
                            known.insert(id, last.at);
                        }
                        observation.facts.push(Fact::Series(series));
                    }
                    Err(fault) => observation.faults.push((ItemId::Series(id), fault)),
                }
            }
        }
        Ok(observation)
    }

    /// The queries for what is asked for; what cannot be asked is a fault of its own.
    fn queries(
        &self,
        scope: &Scope,
        observation: &mut Observation,
        context: &ReadContext,
    ) -> Vec<Query<'_>> {
        let known = lock(&self.known);
        let mut queries = Vec::with_capacity(scope.items.len());
        for item in &scope.items {
            let spec = match item {
                ItemId::Series(id) => self.specs.get(id).ok_or("no query is configured for it"),
                _ => Err("it is no series"),
            };
            let spec = spec.and_then(|spec| match spec.query {
                SeriesQuery::Expression(_)
                | SeriesQuery::Metric { .. }
                | SeriesQuery::Maths { .. } => Ok(spec),
                SeriesQuery::Arm { .. } => Err("CloudWatch knows no arms of a traffic split"),
                SeriesQuery::Instant(_) => Err("CloudWatch has no values of now alone"),
                SeriesQuery::Beyond(_) => Err("CloudWatch keeps no histogram by buckets"),
            });
            match spec {
                Ok(spec) => {
                    let last = known.get(&spec.id).copied();
                    queries.push(Query::new(spec, last, context.now()));
                }
                Err(why) => {
                    let message = format!("{item}: {why}");
                    let fault = Fault::new(FaultKind::InvalidRequest, message);
                    observation.faults.push((item.clone(), fault));
                }
            }
        }
        queries
    }

    /// One batch. A query that is refused is found and set apart, so that the others are read.
    async fn batch(
        &self,
        connection: &Connection<Client>,
        batch: Vec<Query<'_>>,
        context: &ReadContext,
    ) -> Brought {
        let mut brought = Brought::default();
        let mut waiting: Vec<Vec<Query<'_>>> = vec![batch];
        while let Some(queries) = waiting.pop() {
            let answer = match &brought.stop {
                Some(fault) => Err(fault.clone()),
                None => self.ask(connection, &queries, context).await,
            };
            match answer {
                Ok((gathered, warnings)) => {
                    brought.warnings.extend(warnings);
                    for (query, gathered) in queries.iter().zip(gathered) {
                        lock(&self.refused).remove(&query.spec.id);
                        let id = query.spec.id.clone();
                        brought.series.push((id, gathered.finish(query)));
                    }
                }
                Err(fault) if fault.kind == FaultKind::InvalidRequest && queries.len() > 1 => {
                    waiting.extend(apart(queries, &fault));
                }
                Err(fault) => {
                    if ends_read(&fault) {
                        brought.stop.get_or_insert_with(|| fault.clone());
                    }
                    for query in queries {
                        let id = query.spec.id.clone();
                        if fault.kind == FaultKind::InvalidRequest {
                            lock(&self.refused).insert(id.clone());
                        }
                        brought.series.push((id, Err(fault.clone())));
                    }
                }
            }
        }
        brought
    }

    /// What came back for each of `queries`, in their order, and what CloudWatch remarked.
    async fn ask(
        &self,
        connection: &Connection<Client>,
        queries: &[Query<'_>],
        context: &ReadContext,
    ) -> Result<(Vec<Gathered>, Vec<String>), Fault> {
        let span = plan::span(queries);
        let asked: Vec<MetricDataQuery> =
            queries.iter().enumerate().flat_map(|(number, query)| wire(number, query)).collect();
        let mut gathered: Vec<Gathered> = queries.iter().map(|_| Gathered::default()).collect();
        let mut remarks: Vec<String> = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            context.spend().await;
            let request = connection
                .client
                .get_metric_data()
                .set_metric_data_queries(Some(asked.clone()))
                .start_time(DateTime::from_secs(span.from))
                .end_time(DateTime::from_secs(span.to))
                .scan_by(ScanBy::TimestampAscending);
            let page = request.set_next_token(token.take()).send().await;
            let page = page.map_err(|e| connection.fault(&e, "GetMetricData", context.now()))?;
            let mut seen = BTreeSet::new();
            for result in page.metric_data_results() {
                let number = result.id().and_then(number);
                if let Some((number, slot)) =
                    number.and_then(|number| Some((number, gathered.get_mut(number)?)))
                {
                    slot.take(result, !seen.insert(number));
                }
            }
            for remark in page.messages().iter().map(sentence) {
                if !remarks.contains(&remark) {
                    remarks.push(remark);
                }
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok((gathered, remarks));
            }
        }
        let message = format!("an answer of GetMetricData does not end after {MAX_PAGES} pages");
        Err(Fault::new(FaultKind::InvalidReply, message))
    }
}

/// A refused batch in smaller ones: by the queries that the refusal names, else by halves.
fn apart<'a>(queries: Vec<Query<'a>>, fault: &Fault) -> Vec<Vec<Query<'a>>> {
    let words = fault.message.as_str().split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    // `fd_3_e` is the operand `e` of the query `fd_3`.
    let whole = |word: &'_ str| word.strip_prefix(PREFIX)?.split('_').next()?.parse().ok();
    let named: BTreeSet<usize> =
        words.filter_map(whole).filter(|number| *number < queries.len()).collect();
    if named.is_empty() || named.len() == queries.len() {
        let (one, other) = queries.split_at(queries.len() / 2);
        return vec![one.to_vec(), other.to_vec()];
    }
    let (bad, good): (Vec<_>, Vec<_>) =
        queries.into_iter().enumerate().partition(|(number, _)| named.contains(number));
    let mut parts: Vec<Vec<Query<'a>>> = bad.into_iter().map(|(_, query)| vec![query]).collect();
    parts.push(good.into_iter().map(|(_, query)| query).collect());
    parts
}

/// The number of the query that CloudWatch calls `id`.
fn number(id: &str) -> Option<usize> {
    id.strip_prefix(PREFIX)?.parse().ok()
}

/// The query as it is sent; metric maths with its operands, which are not answered.
fn wire(number: usize, query: &Query<'_>) -> Vec<MetricDataQuery> {
    let own = format!("{PREFIX}{number}");
    let asked = |id: String| MetricDataQuery::builder().id(id);
    let period = query.period;
    match &query.spec.query {
        SeriesQuery::Metric { namespace, name, dimensions, statistic } => {
            let stat = stat(namespace, name, dimensions, statistic, period);
            vec![asked(own).return_data(true).metric_stat(stat).build()]
        }
        SeriesQuery::Expression(text) => {
            vec![asked(own).return_data(true).expression(text).period(period).build()]
        }
        SeriesQuery::Maths { expression, operands } => {
            let id = |name: &str| format!("{own}_{name}");
            let expression =
                maths::renamed(expression, |name| operands.contains_key(name).then(|| id(name)));
            let whole = asked(own.clone()).return_data(true).expression(expression).period(period);
            let parts = operands.iter().map(|(name, it)| {
                let stat = stat(&it.namespace, &it.name, &it.dimensions, &it.statistic, period);
                asked(id(name)).return_data(false).metric_stat(stat).build()
            });
            std::iter::once(whole.build()).chain(parts).collect()
        }
        SeriesQuery::Arm { .. } | SeriesQuery::Instant(_) | SeriesQuery::Beyond(_) => Vec::new(),
    }
}

fn stat(
    namespace: &str,
    name: &str,
    dimensions: &[(String, String)],
    statistic: &str,
    period: i32,
) -> MetricStat {
    let dimensions =
        dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder()
        .namespace(namespace)
        .metric_name(name)
        .set_dimensions(Some(dimensions.collect()));
    MetricStat::builder().metric(metric.build()).period(period).stat(statistic).build()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
