//! What happened to alarms: state changes, and people's changes to alarms.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmHistoryItem, AlarmType, HistoryItemType, ScanBy, StateValue};
use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::CloudWatch;
use super::alarms::state;
use crate::backend::aws::convert::{text, time};
use crate::backend::aws::reader::Connection;
use crate::backend::context::ReadContext;
use crate::domain::alarm::{AlarmEvent, AlarmState};
use crate::domain::change::{Change, ChangeKind};
use crate::domain::error::Fault;
use crate::domain::fact::Fact;
use crate::domain::ids::{AlarmId, ChangeId, ItemId, SourceId};
use crate::domain::observation::{Observation, Scope};
use crate::domain::text::SafeText;

/// Older things are not asked for: the timeline holds a limited number of changes of the whole
/// fleet.
const HORIZON: SignedDuration = SignedDuration::from_hours(3 * 24);
/// How far behind the last read the next one begins: entries appear late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Entries asked for in one page: the most that the API takes.
const PAGE: i32 = 100;
/// Pages of one read; flapping alarms have long histories.
const MAX_PAGES: usize = 20;
/// State changes kept of one alarm.
const KEPT: usize = 20;

/// What is known to have happened.
#[derive(Debug, Default)]
pub(super) struct History {
    /// When it was last read.
    read: Option<Timestamp>,
    /// Whether a read of the alarms has tried to read it.
    tried: bool,
    /// Newest first, by alarm.
    events: BTreeMap<SafeText, Vec<AlarmEvent>>,
    /// What people did to alarms: when, to which, in CloudWatch's words.
    edits: BTreeMap<(Timestamp, SafeText), SafeText>,
}

impl History {
    /// State changes of one alarm, newest first.
    pub(super) fn of(&self, alarm: &str) -> Vec<AlarmEvent> {
        self.events.get(&SafeText::new(alarm)).cloned().unwrap_or_default()
    }

    /// Takes in entries, newest first; some of them may be known.
    fn take<'a>(&mut self, entries: impl Iterator<Item = &'a AlarmHistoryItem>) {
        let mut news: BTreeMap<SafeText, Vec<AlarmEvent>> = BTreeMap::new();
        for entry in entries {
            let (Some(alarm), Some(at)) =
                (text(entry.alarm_name()), entry.timestamp().and_then(time))
            else {
                continue;
            };
            match entry.history_item_type() {
                Some(HistoryItemType::StateUpdate) => {
                    news.entry(alarm).or_default().push(event(entry, at));
                }
                Some(HistoryItemType::ConfigurationUpdate) => {
                    let said = text(entry.history_summary()).unwrap_or_else(|| "changed".into());
                    self.edits.insert((at, alarm), said);
                }
                _ => {}
            }
        }
        for (alarm, mut events) in news {
            let known = self.events.entry(alarm).or_default();
            known.retain(|event| !events.contains(event));
            events.append(known);
            // Stable: what happened in one moment keeps its order.
            events.sort_by_key(|event| std::cmp::Reverse(event.at));
            events.truncate(KEPT);
            *known = events;
        }
    }

    fn forget(&mut self, before: Timestamp) {
        self.edits.retain(|(at, _), _| *at >= before);
    }

    fn changes(&self, source: &SourceId, since: Timestamp) -> Vec<Change> {
        let fired = self.events.iter().flat_map(|(alarm, events)| {
            events.iter().filter(move |event| event.at >= since).map(|event| {
                let word = event.state.word();
                Change {
                    detail: event.reason.clone(),
                    ..change(source, alarm, event.at, ChangeKind::Alarm, word)
                }
            })
        });
        let edited = self.edits.iter().map(|((at, alarm), said)| {
            let words = format!("alarm: {said}");
            Change {
                detail: Some(said.clone()),
                ..change(source, alarm, *at, ChangeKind::Config, &words)
            }
        });
        fired.chain(edited).collect()
    }
}

fn change(
    source: &SourceId,
    alarm: &SafeText,
    at: Timestamp,
    kind: ChangeKind,
    words: &str,
) -> Change {
    let key = format!("{alarm}:{}:{words}", at.as_millisecond());
    Change {
        id: ChangeId::new(source, &key),
        at,
        kind,
        title: SafeText::from(format!("{alarm} {words}")),
        who: None,
        target: Some(ItemId::Alarm(AlarmId::new(source, alarm.as_str()))),
        environment: None,
        detail: None,
        link: None,
    }
}

/// The new state and why: from the entry's data, else from its sentence, `Alarm updated from OK to
/// ALARM`. The data is cut where it is long.
fn event(entry: &AlarmHistoryItem, at: Timestamp) -> AlarmEvent {
    let data: Value =
        entry.history_data().and_then(|d| serde_json::from_str(d).ok()).unwrap_or_default();
    let new = data.get("newState");
    let member = |name: &str| new.and_then(|new| new.get(name)).and_then(Value::as_str);
    let word = member("stateValue").or_else(|| entry.history_summary()?.rsplit(' ').next());
    AlarmEvent {
        at,
        state: word.map_or(AlarmState::Unknown, |word| state(Some(&StateValue::from(word)))),
        reason: text(member("stateReason").or_else(|| entry.history_summary())),
    }
}

impl CloudWatch {
    /// What happened lately.
    pub(super) async fn changes(
        &self,
        scope: &Scope,
        context: &ReadContext,
    ) -> Result<Observation, Fault> {
        let connection = self.reader.connect(context.now()).await?;
        let mut history = self.history.lock().await;
        let cut = match self.read_on(&connection, &mut history, context).await {
            Ok(cut) => cut,
            Err(fault) => {
                drop(history);
                self.reader.learn(&connection.loaded, &fault, context.now()).await;
                return Err(fault);
            }
        };
        let since = begin(context.now());
        let mut observation = context.answer(&self.id, scope);
        for mut change in history.changes(&self.id, since) {
            if let Some(ItemId::Alarm(alarm)) = &change.target {
                change.link = self.page(&connection, alarm.name.as_str());
            }
            observation.facts.push(Fact::Change(change));
        }
        if cut {
            let warning = "alarms changed so often that only the newest changes were read";
            observation.warnings.push(warning.into());
        }
        Ok(observation)
    }

    /// Reads the history if that was never tried. What stands in the way is told by the read of
    /// the changes; the alarms do not wait for it longer than for one call.
    pub(super) async fn first_history(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) {
        let read = async {
            let mut history = self.history.lock().await;
            if history.read.is_none() && !std::mem::replace(&mut history.tried, true) {
                let _ = self.read_on(connection, &mut history, context).await;
            }
        };
        let _ = tokio::time::timeout(self.schedule.deadline.get(), read).await;
    }

    /// Reads what is new; true if there was more than is read at once.
    async fn read_on(
        &self,
        connection: &Connection<Client>,
        history: &mut History,
        context: &ReadContext,
    ) -> Result<bool, Fault> {
        let now = context.now();
        let begin = begin(now);
        let resume = history.read.and_then(|read| read.checked_sub(OVERLAP).ok());
        let since = resume.unwrap_or(begin).max(begin);
        let mut entries = Vec::new();
        let mut cut = false;
        for kind in [HistoryItemType::StateUpdate, HistoryItemType::ConfigurationUpdate] {
            let mut token: Option<String> = None;
            for page in 0.. {
                if page == MAX_PAGES {
                    cut = true;
                    break;
                }
                context.spend().await;
                let request = connection
                    .client
                    .describe_alarm_history()
                    .alarm_types(AlarmType::MetricAlarm)
                    .alarm_types(AlarmType::CompositeAlarm)
                    .history_item_type(kind.clone())
                    .start_date(DateTime::from_secs(since.as_second()))
                    .scan_by(ScanBy::TimestampDescending)
                    .max_records(PAGE);
                let answer = request.set_next_token(token.take()).send().await;
                let answer = answer
                    .map_err(|e| connection.fault(&e, "DescribeAlarmHistory", context.now()))?;
                entries.extend(answer.alarm_history_items.unwrap_or_default());
                token = answer.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    break;
                }
            }
        }
        let wanted = entries.iter().filter(|e| e.alarm_name().is_some_and(|n| self.wants(n)));
        history.take(wanted);
        history.forget(begin);
        history.read = Some(now);
        Ok(cut)
    }
}

fn begin(now: Timestamp) -> Timestamp {
    now.checked_sub(HORIZON).unwrap_or(Timestamp::MIN)
}
