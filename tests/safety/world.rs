//! A small world for tests of writes: one service with a pipeline, a canary, a flag and an alarm.

use std::collections::BTreeMap;

use flightdeck::app::activity::{Phase, WriteReport};
use flightdeck::app::intent::Intent;
use flightdeck::app::key::Key;
use flightdeck::app::plan::plan;
use flightdeck::app::{Effect, Msg, Setup, State, update};
use flightdeck::domain::Timestamp;
use flightdeck::domain::alarm::{Alarm, AlarmState};
use flightdeck::domain::canary::{
    AtVerdict, CanaryData, CanaryMetric, CanarySpec, CountPair, Direction, Policy, Purpose,
};
use flightdeck::domain::environment::Health;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::flag::Flag;
use flightdeck::domain::ids::*;
use flightdeck::domain::observation::{Observation, ReadFailed, Scope, Topic};
use flightdeck::domain::observed::FreshnessPolicy;
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::pipeline::*;
use flightdeck::domain::revision::Revision;
use flightdeck::domain::series::{Point, Series, SeriesKind};
use flightdeck::domain::service::{Claims, Service};
use flightdeck::domain::source::{Capabilities, SourceMeta, Verb};
use flightdeck::domain::token::Token;
use flightdeck::domain::traffic::{Arm, TrafficSplit};
use flightdeck::domain::write::{GuardVerdict, Outcome, Plan, PlanId};
use jiff::SignedDuration;

/// Monday, 23 November 2026, noon UTC.
pub const NOON: i64 = 1_795_435_200;

pub fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOON + seconds).unwrap()
}

pub fn pipeline_id() -> PipelineId {
    PipelineId::new(&SourceId::new("aws"), "shop-main")
}

pub fn split_id() -> TrafficId {
    TrafficId::new(&SourceId::new("lb"), "shop")
}

pub fn flag_id() -> FlagId {
    FlagId::new(&SourceId::new("flags"), "web:new-checkout")
}

pub fn alarm_id() -> AlarmId {
    AlarmId::new(&SourceId::new("aws"), "shop-5xx")
}

fn source(id: &str, reads: &[FactKind], writes: &[Verb]) -> SourceMeta {
    SourceMeta {
        id: SourceId::new(id),
        kind: "scripted".into(),
        place: "account 1, eu-west-1".into(),
        capabilities: Capabilities {
            reads: reads.to_vec(),
            topics: Topic::ALL.to_vec(),
            writes: writes.to_vec(),
        },
        policy: FreshnessPolicy {
            stale_after: SignedDuration::from_secs(150),
            lost_after: SignedDuration::from_mins(15),
        },
    }
}

fn canary() -> CanarySpec {
    let id = |name: &str| SeriesId::new(&SourceId::new("prom"), name);
    let pair = |arm: &str| CountPair {
        events: id(&format!("{arm}.errors")),
        requests: id(&format!("{arm}.requests")),
    };
    CanarySpec {
        id: CanaryId::new("shop/main"),
        service: ServiceId::new("shop"),
        name: "main".into(),
        purpose: Purpose::Canary,
        environment: Some(Pattern::parse("lab/prod")),
        traffic: Some(Pattern::parse("lb/shop")),
        baseline: "stable".into(),
        canary: "canary".into(),
        metrics: vec![CanaryMetric {
            name: "errors".into(),
            unit: "errors".into(),
            direction: Direction::Increase,
            data: CanaryData::Counts { baseline: pair("stable"), canary: pair("canary") },
            margin: 0.5,
            weight: 1.0,
            required: true,
            critical: false,
            floor: None,
            muted: false,
            strict: false,
            v_min: None,
            rule: None,
        }],
        warm_up: SignedDuration::ZERO,
        steps: vec![5.0, 25.0, 100.0],
        bake: SignedDuration::ZERO,
        history: SignedDuration::from_hours(2),
        deadline: SignedDuration::from_hours(4),
        at: AtVerdict::default(),
        alpha: 0.01,
        beta: 0.05,
        policy: Policy::default(),
    }
}

pub fn setup() -> Setup {
    let mut shop = Service::named("shop");
    shop.owners = vec!["web".into()];
    shop.claims = Claims {
        pipelines: vec![Pattern::parse("aws/shop-*")],
        traffic: vec![Pattern::parse("lb/shop")],
        flags: vec![Pattern::parse("flags/web:*")],
        alarms: vec![Pattern::parse("aws/shop-*")],
        ..Claims::default()
    };
    shop.canaries = vec![canary()];
    let runs = [
        Verb::Approve,
        Verb::Reject,
        Verb::Retry,
        Verb::Stop,
        Verb::Start,
        Verb::Transition,
        Verb::Rollback,
        Verb::Override,
    ];
    Setup {
        services: vec![shop],
        sources: vec![
            source("aws", &[FactKind::Pipelines, FactKind::Alarms], &runs),
            source("lb", &[FactKind::Traffic], &[Verb::Traffic]),
            source("flags", &[FactKind::Flags], &[Verb::Flag]),
            source("prom", &[FactKind::Series], &[]),
        ],
        session: "t".to_owned(),
        ..Setup::empty(moment(0))
    }
}

pub fn run(id: &str, state: RunState, revision: &str) -> Execution {
    Execution {
        id: id.into(),
        state,
        summary: None,
        started: Some(moment(-600)),
        updated: None,
        trigger: None,
        by: Some("dana".into()),
        revisions: vec![Revision::of(revision)],
        rollback_to: None,
    }
}

fn stage(name: &str, state: RunState, execution: &str, revision: &str) -> Stage {
    Stage {
        name: name.into(),
        state,
        execution: Some(execution.into()),
        revision: Some(Revision::of(revision)),
        inbound: None,
        transition: Some(Transition { enabled: true, reason: None, by: None, at: None }),
        actions: Vec::new(),
        conditions: Vec::new(),
        since: None,
    }
}

/// Execution e3 waits for approval before production, where e2 was before it.
pub fn pipeline() -> Pipeline {
    let mut prod = stage("prod", RunState::Waiting, "e3", "r3");
    prod.actions = vec![Action {
        name: "approve".into(),
        category: "Approval".into(),
        provider: "Manual".into(),
        state: RunState::Waiting,
        summary: None,
        error: None,
        at: None,
        percent: None,
        by: None,
        revision: None,
        link: None,
        approval: Some(Approval {
            execution: Some("e3".into()),
            token: Some(Token::new("token-3")),
            requested: None,
            deadline: None,
            message: None,
            link: None,
        }),
    }];
    Pipeline {
        detail: true,
        stages: vec![
            stage("source", RunState::Succeeded, "e3", "r3"),
            stage("build", RunState::Succeeded, "e3", "r3"),
            prod,
        ],
        executions: vec![
            run("e3", RunState::Waiting, "r3"),
            run("e2", RunState::Succeeded, "r2"),
            run("e1", RunState::Succeeded, "r1"),
        ],
        ..Pipeline::listed(pipeline_id())
    }
}

/// A split with these versions: name, weight, usable.
pub fn split(arms: &[(&str, u32, bool)]) -> TrafficSplit {
    let arm = |(name, weight, usable): &(&str, u32, bool)| Arm {
        name: (*name).into(),
        weight: *weight,
        usable: *usable,
        state: if *usable { "UP" } else { "MAINT" }.into(),
        health: Health::Healthy,
        revision: None,
        request_rate: None,
        error_rate: None,
        requests: None,
        errors: None,
    };
    TrafficSplit {
        id: split_id(),
        arms: arms.iter().map(arm).collect(),
        since: Some(moment(-30_000)),
        automation: None,
    }
}

pub fn flag() -> Flag {
    let state = serde_json::json!({
        "environment": "production",
        "enabled": true,
        "percent": 50.0,
        "gradual": 50.0,
        "rules": [],
        "attributes": [],
        "version": "7",
    });
    let flag = serde_json::json!({
        "id": flag_id(),
        "key": "new-checkout",
        "project": "web",
        "environments": [state],
        "tags": {},
    });
    serde_json::from_value(flag).unwrap()
}

pub fn alarm(state: AlarmState) -> Alarm {
    Alarm {
        id: alarm_id(),
        name: "5xx of shop".into(),
        state,
        since: None,
        reason: None,
        severity: None,
        kind: "metric".into(),
        rule: None,
        silenced: false,
        history: Vec::new(),
        link: None,
        tags: BTreeMap::new(),
    }
}

/// The state, and shorthands for what happens to it.
pub struct Room {
    pub state: State,
    pub now: Timestamp,
}

impl Room {
    /// Everything was read and is well; no canary is under way.
    pub fn calm() -> Self {
        Self::with(setup())
    }

    pub fn with(setup: Setup) -> Self {
        let mut room = Self { now: setup.now, state: State::new(setup) };
        room.tell(Fact::Pipeline(pipeline()));
        room.tell(Fact::Alarm(alarm(AlarmState::Ok)));
        room.tell(Fact::Traffic(split(&[("stable", 100, true), ("canary", 0, true)])));
        room.tell(Fact::Flag(flag()));
        room
    }

    pub fn send(&mut self, msg: Msg) -> Vec<Effect> {
        update(&mut self.state, msg)
    }

    /// The source of `fact` tells it now.
    pub fn tell(&mut self, fact: Fact) {
        let msg = observed(fact, self.now);
        self.send(msg);
    }

    /// Tells minutes of the canary's series up to now; it has had traffic for `minutes`.
    pub fn measure(&mut self, minutes: i64, canary_errors: f64) {
        let source = SourceId::new("prom");
        let scope = Scope { topic: Topic::Series, items: Vec::new() };
        let mut answer = Observation::new(&source, 0, &scope, self.now);
        for (name, begins, value) in [
            ("stable.requests", 400, 9_500.0),
            ("stable.errors", 400, 95.0),
            ("canary.requests", minutes, 500.0),
            ("canary.errors", minutes, canary_errors),
        ] {
            let at = |ago| self.now - SignedDuration::from_mins(ago);
            answer.facts.push(Fact::Series(Series {
                id: SeriesId::new(&source, name),
                kind: SeriesKind::Delta,
                unit: "1".into(),
                step: SignedDuration::from_mins(1),
                points: (0..begins).rev().map(|ago| Point { at: at(ago), value }).collect(),
                note: None,
            }));
        }
        self.send(Msg::Observed(Box::new(answer)));
    }

    /// Time goes on.
    pub fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        self.send(Msg::Tick(self.now));
    }

    /// The source fails to list what it has.
    pub fn fail(&mut self, source: &str, kind: FaultKind) {
        let failed = ReadFailed {
            source: SourceId::new(source),
            epoch: 0,
            scope: Scope { topic: Topic::Overview, items: Vec::new() },
            at: self.now,
            fault: Fault::new(kind, "it did not work"),
        };
        self.send(Msg::ReadFailed(Box::new(failed)));
    }

    pub fn plan(&self, intent: &Intent) -> Result<Plan, String> {
        plan(&self.state, intent, "", PlanId("t-0".to_owned()))
    }

    /// What one guard says of `intent`.
    pub fn verdict(&self, intent: &Intent, guard: &str) -> String {
        let plan = self.plan(intent).unwrap();
        let found = plan.guards.iter().find(|g| g.name == *guard).expect("there is such a guard");
        match &found.verdict {
            GuardVerdict::Passed => "passed".to_owned(),
            GuardVerdict::NeedsReason(why) => format!("reason: {why}"),
            GuardVerdict::Refused(why) => format!("refused: {why}"),
        }
    }

    /// Confirms nothing, but lets `intent` count as one that was carried out, with this end.
    pub fn did(&mut self, plan: &Plan, outcome: Option<&Outcome>) {
        let activity = flightdeck::app::activity::Activity::of(plan);
        let mut past = self.state.activity.clone();
        past.insert(0, activity);
        self.send(Msg::Past(past));
        for step in 0..plan.steps.len() {
            if let Some(outcome) = outcome.cloned() {
                let phase = Phase::Ended { outcome };
                let report = WriteReport { plan: plan.id.clone(), step, phase, at: self.now };
                self.send(Msg::Write(Box::new(report)));
            }
        }
    }
}

/// The source of `fact` tells it at `at`.
pub fn observed(fact: Fact, at: Timestamp) -> Msg {
    let item = fact.item();
    let source = item.source();
    let series = matches!(item, ItemId::Series(_));
    let topic = if series { Topic::Series } else { Topic::Overview };
    let mut answer = Observation::new(source, 0, &Scope { topic, items: Vec::new() }, at);
    answer.identity = Some("arn:aws:sts::1:assumed-role/release/kim".into());
    answer.facts.push(fact);
    Msg::Observed(Box::new(answer))
}

pub fn key(text: &str, ms: u64) -> Msg {
    Msg::Key { key: Key::parse(text).unwrap(), ms }
}

pub fn approve() -> Intent {
    Intent::Answer {
        pipeline: pipeline_id(),
        stage: None,
        action: None,
        execution: None,
        approve: true,
    }
}

pub fn reject() -> Intent {
    Intent::Answer {
        pipeline: pipeline_id(),
        stage: None,
        action: None,
        execution: None,
        approve: false,
    }
}

pub fn shift(arm: &str, percent: u32) -> Intent {
    Intent::Shift { split: split_id(), arm: arm.into(), percent }
}
