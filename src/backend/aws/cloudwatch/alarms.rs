//! Metric and composite alarms, from the listing that carries their state.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, CompositeAlarm, EvaluationState, MetricAlarm, MetricStat,
    StateValue, Statistic,
};
use jiff::SignedDuration;

use super::CloudWatch;
use crate::backend::aws::convert::{text, time};
use crate::backend::aws::reader::Connection;
use crate::backend::aws::tags::{Tags, tags};
use crate::backend::context::ReadContext;
use crate::domain::alarm::{Alarm, AlarmState};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::AlarmId;
use crate::domain::observation::{Observation, Scope};
use crate::domain::text::SafeText;
use crate::domain::time::coarse;

/// Alarms asked for in one page: the most that the API takes.
const PAGE: i32 = 100;
/// Alarms whose tags are asked for in one read.
const TAGGED: usize = 60;
/// Pages, so that an endless listing ends.
const MAX_PAGES: usize = 1_000;

impl CloudWatch {
    /// Every alarm, with what is known of its history.
    pub(super) async fn overview(
        &self,
        scope: &Scope,
        context: &ReadContext,
    ) -> Result<Observation, Fault> {
        let connection = self.reader.connect(context.now()).await?;
        let (alarms, (identity, warning), ()) = futures::future::join3(
            self.listing(&connection, context),
            connection.identity(context),
            Box::pin(self.first_history(&connection, context)),
        )
        .await;
        let read = match alarms {
            Ok(alarms) => {
                let open = self.learn_tags(&connection, &alarms, context).await;
                open.map(|open| (alarms, open))
            }
            Err(fault) => Err(fault),
        };
        let (mut alarms, open) = match read {
            Ok(read) => read,
            Err(fault) => {
                self.reader.learn(&connection.loaded, &fault, context.now()).await;
                return Err(fault);
            }
        };
        let history = self.history.lock().await;
        for (arn, alarm) in &mut alarms {
            alarm.history = history.of(alarm.name.as_str());
            alarm.tags = arn.as_deref().map(|arn| self.tags.of(arn)).unwrap_or_default();
        }
        drop(history);
        let mut observation = context.answer(&self.id, scope);
        observation.facts.extend(alarms.into_iter().map(|(_, alarm)| Fact::Alarm(alarm)));
        observation.warnings.extend(open);
        observation.complete = vec![FactKind::Alarms];
        observation.identity = identity;
        observation.warnings.extend(warning);
        Ok(observation)
    }

    async fn listing(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) -> Result<Vec<(Option<String>, Alarm)>, Fault> {
        let mut alarms = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            context.spend().await;
            let request = connection
                .client
                .describe_alarms()
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm)
                .max_records(PAGE);
            let page = request.set_next_token(token.take()).send().await;
            let page = page.map_err(|e| connection.fault(&e, "DescribeAlarms", context.now()))?;
            for alarm in page.metric_alarms() {
                let arn = alarm.alarm_arn().map(str::to_owned);
                alarms.extend(self.metric(connection, alarm).map(|alarm| (arn, alarm)));
            }
            for alarm in page.composite_alarms() {
                let arn = alarm.alarm_arn().map(str::to_owned);
                alarms.extend(self.composite(connection, alarm).map(|alarm| (arn, alarm)));
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(alarms);
            }
        }
        let message = format!("the listing of alarms does not end after {MAX_PAGES} pages");
        Err(Fault::new(FaultKind::InvalidReply, message))
    }

    /// Asks for tags that are not known; tells what is left open.
    async fn learn_tags(
        &self,
        connection: &Connection<Client>,
        alarms: &[(Option<String>, Alarm)],
        context: &ReadContext,
    ) -> Result<Option<SafeText>, Fault> {
        let arns = alarms.iter().filter_map(|(arn, _)| arn.as_deref());
        let round = self.tags.round(arns, TAGGED);
        for arn in round.due {
            let answer = self.ask_tags(connection, &arn, context).await;
            if let Some(why) = self.tags.learn(arn, answer)? {
                return Ok(Some(why));
            }
        }
        Ok(round.open)
    }

    async fn ask_tags(
        &self,
        connection: &Connection<Client>,
        arn: &str,
        context: &ReadContext,
    ) -> Result<Tags, Fault> {
        context.spend().await;
        let answer = connection.client.list_tags_for_resource().resource_arn(arn).send().await;
        let answer =
            answer.map_err(|e| connection.fault(&e, "ListTagsForResource", context.now()))?;
        let pairs = answer.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value()?)));
        Ok(tags(pairs))
    }

    fn metric(&self, connection: &Connection<Client>, alarm: &MetricAlarm) -> Option<Alarm> {
        let listed = self.alarm(connection, alarm.alarm_name()?, "metric")?;
        let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
        // The state of an alarm that CloudWatch could not evaluate is the last one it could.
        let doubt = alarm.evaluation_state().map(EvaluationState::as_str);
        let reason = match (doubt, text(alarm.state_reason())) {
            (Some(doubt), Some(said)) => Some(SafeText::from(format!("{doubt}: {said}"))),
            (Some(doubt), None) => Some(SafeText::new(doubt)),
            (None, said) => said,
        };
        Some(Alarm {
            state: state(alarm.state_value()),
            since: since.and_then(time),
            reason,
            rule: Some(rule(alarm)),
            silenced: alarm.actions_enabled() == Some(false),
            ..listed
        })
    }

    fn composite(&self, connection: &Connection<Client>, alarm: &CompositeAlarm) -> Option<Alarm> {
        let listed = self.alarm(connection, alarm.alarm_name()?, "composite")?;
        let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
        Some(Alarm {
            state: state(alarm.state_value()),
            since: since.and_then(time),
            reason: text(alarm.state_reason()),
            rule: text(alarm.alarm_rule()),
            silenced: alarm.actions_enabled() == Some(false)
                || alarm.actions_suppressed_by().is_some(),
            ..listed
        })
    }

    fn alarm(&self, connection: &Connection<Client>, name: &str, kind: &str) -> Option<Alarm> {
        self.wants(name).then(|| Alarm {
            id: AlarmId::new(&self.id, name),
            name: SafeText::new(name),
            state: AlarmState::Unknown,
            since: None,
            reason: None,
            severity: None,
            kind: SafeText::new(kind),
            rule: None,
            silenced: false,
            history: Vec::new(),
            link: self.page(connection, name),
            tags: BTreeMap::new(),
        })
    }

    /// The alarm's page in the console.
    pub(super) fn page(&self, connection: &Connection<Client>, name: &str) -> Option<SafeText> {
        let name: String = reqwest::Url::parse_with_params("x:", [("", name)])
            .ok()?
            .query()?
            .trim_start_matches('=')
            .to_owned();
        let region = connection.loaded.region();
        let path = format!("cloudwatch/home?region={region}#alarmsV2:alarm/{name}");
        self.reader.console(connection, &path)
    }
}

pub(super) fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Firing,
        _ => AlarmState::Unknown,
    }
}

/// What a metric alarm watches, in a line: `p99 AWS/ApplicationELB TargetResponseTime > 0.5,
/// 3 of 5 × 1m`.
fn rule(alarm: &MetricAlarm) -> SafeText {
    let watched = alarm.metrics().iter().find(|query| query.return_data() == Some(true));
    let mut period = alarm.period();
    let what = match watched {
        Some(query) => {
            period = query.period().or(query.metric_stat().and_then(MetricStat::period)).or(period);
            let named = query.expression().or(query.label()).map(str::to_owned);
            named.or_else(|| query.metric_stat().map(measured)).unwrap_or_default()
        }
        None => {
            let statistic = alarm.extended_statistic().or(alarm.statistic().map(Statistic::as_str));
            let dimensions =
                alarm.dimensions().iter().filter_map(|d| Some((d.name()?, d.value()?)));
            metric(statistic, alarm.namespace(), alarm.metric_name(), dimensions)
        }
    };
    let compared = match alarm.comparison_operator() {
        Some(ComparisonOperator::GreaterThanOrEqualToThreshold) => ">=",
        Some(ComparisonOperator::GreaterThanThreshold) => ">",
        Some(ComparisonOperator::LessThanThreshold) => "<",
        Some(ComparisonOperator::LessThanOrEqualToThreshold) => "<=",
        Some(ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold) => "outside",
        Some(ComparisonOperator::LessThanLowerThreshold) => "below",
        Some(ComparisonOperator::GreaterThanUpperThreshold) => "above",
        Some(other) => other.as_str(),
        None => "",
    };
    let bound = match (alarm.threshold(), alarm.threshold_metric_id()) {
        (Some(threshold), _) => threshold.to_string(),
        (None, Some(band)) => format!("the band {band}"),
        (None, None) => String::new(),
    };
    let mut rule = [what.as_str(), compared, &bound].join(" ").trim().to_owned();
    if let Some(of) = alarm.evaluation_periods() {
        let some = alarm.datapoints_to_alarm().unwrap_or(of);
        rule = format!("{rule}, {some} of {of}");
        if let Some(period) = period {
            rule = format!("{rule} × {}", coarse(SignedDuration::from_secs(period.into())));
        }
    }
    SafeText::from(rule)
}

fn measured(stat: &MetricStat) -> String {
    let Some(of) = stat.metric() else { return stat.stat().unwrap_or_default().to_owned() };
    let dimensions = of.dimensions().iter().filter_map(|d| Some((d.name()?, d.value()?)));
    metric(stat.stat(), of.namespace(), of.metric_name(), dimensions)
}

fn metric<'a>(
    statistic: Option<&str>,
    namespace: Option<&str>,
    name: Option<&str>,
    dimensions: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let dimensions: Vec<String> =
        dimensions.map(|(name, value)| format!("{name}={value}")).collect();
    let mut words: Vec<&str> = [statistic, namespace, name].into_iter().flatten().collect();
    let dimensions = dimensions.join(" ");
    if !dimensions.is_empty() {
        words.push(&dimensions);
    }
    words.join(" ")
}
