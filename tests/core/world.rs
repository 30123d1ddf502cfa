//! Small worlds for tests of the state: services that claim, facts from a few numbers, messages.

use std::collections::BTreeMap;

use flightdeck::app::Setup;
use flightdeck::app::key::Key;
use flightdeck::app::setup::Rehearsal;
use flightdeck::domain::Timestamp;
use flightdeck::domain::alarm::{Alarm, AlarmState};
use flightdeck::domain::canary::{
    AtVerdict, CanaryData, CanaryMetric, CanarySpec, CountPair, Direction, Policy, Purpose,
};
use flightdeck::domain::change::{Change, ChangeKind};
use flightdeck::domain::environment::{Environment, Health};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::flag::{Flag, FlagState};
use flightdeck::domain::ids::*;
use flightdeck::domain::observation::Topic;
use flightdeck::domain::observed::FreshnessPolicy;
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::pipeline::*;
use flightdeck::domain::series::{Point, Series, SeriesKind};
use flightdeck::domain::service::{Claims, Service};
use flightdeck::domain::source::{Capabilities, SourceMeta};
use flightdeck::domain::text::SafeText;
use flightdeck::domain::traffic::{Arm, TrafficSplit};
use jiff::SignedDuration;

pub const SOURCES: [&str; 2] = ["aws", "lab"];
const SERVICES: [&str; 3] = ["checkout", "payments", "search"];

pub fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::try_from(seconds).unwrap()).unwrap()
}

fn tags(variant: u8) -> BTreeMap<SafeText, SafeText> {
    match variant % 4 {
        0 => BTreeMap::new(),
        n => BTreeMap::from([("service".into(), SERVICES[usize::from(n) - 1].into())]),
    }
}

/// A fact of some kind; few names, so that facts meet again in other variants.
pub fn fact(kind: u8, source: u8, name: u8, variant: u8) -> Fact {
    let source = SourceId::new(SOURCES[usize::from(source) % 2]);
    let name = format!("{}-{}", SERVICES[usize::from(name) % 3], name % 5);
    let at = moment(u64::from(variant) * 60);
    match kind % 7 {
        0 => Fact::Pipeline(pipeline(PipelineId::new(&source, &name), variant)),
        1 => Fact::Environment(Environment {
            id: EnvironmentId::new(&source, &name),
            name: name.as_str().into(),
            production: [None, Some(true), Some(false)][usize::from(variant) % 3],
            health: [Health::Healthy, Health::Unknown, Health::Changing, Health::Unhealthy]
                [usize::from(variant) % 4],
            summary: None,
            revision: None,
            slots: Vec::new(),
            address: None,
            latency: None,
            tls_expires: None,
            since: Some(at),
            link: None,
            tags: tags(variant / 16),
        }),
        2 => Fact::Traffic(TrafficSplit {
            id: TrafficId::new(&source, &name),
            arms: [("stable", 100 - u32::from(variant % 101)), ("new", u32::from(variant % 101))]
                .map(|(name, weight)| Arm {
                    name: name.into(),
                    weight,
                    usable: !variant.is_multiple_of(7),
                    state: "UP".into(),
                    health: Health::Healthy,
                    revision: None,
                    request_rate: None,
                    error_rate: Some(f64::from(variant) / 7.0),
                    requests: None,
                    errors: None,
                })
                .into(),
            since: variant.is_multiple_of(3).then_some(at),
            automation: None,
        }),
        3 => Fact::Flag(Flag {
            id: FlagId::new(&source, &name),
            key: name.as_str().into(),
            project: "web".into(),
            description: None,
            kind: None,
            stale: variant.is_multiple_of(5).then(|| "everybody has it".into()),
            marked: false,
            environments: vec![FlagState {
                environment: "prod".into(),
                enabled: [None, Some(true), Some(false)][usize::from(variant) % 3],
                percent: None,
                gradual: None,
                rules: Vec::new(),
                attributes: Vec::new(),
                version: None,
                changed: Some(at),
                by: Some("dana".into()),
                last_seen: None,
                rollout: None,
                paces: Vec::new(),
            }],
            link: Some("https://flags.example/x".into()),
            tags: tags(variant / 16),
        }),
        4 => Fact::Alarm(Alarm {
            id: AlarmId::new(&source, &name),
            name: name.as_str().into(),
            state: [AlarmState::Ok, AlarmState::Pending, AlarmState::Firing]
                [usize::from(variant) % 3],
            since: Some(at),
            reason: None,
            severity: None,
            kind: "metric".into(),
            rule: None,
            silenced: variant.is_multiple_of(2),
            history: Vec::new(),
            link: None,
            tags: tags(variant / 16),
        }),
        5 => Fact::Series(Series {
            id: SeriesId::new(&source, &name),
            kind: SeriesKind::Delta,
            unit: "count".into(),
            step: SignedDuration::from_mins(1),
            points: (0..u64::from(variant % 9))
                .map(|n| Point { at: moment(60 * n), value: f64::from(variant) * 1.7 })
                .collect(),
            note: None,
        }),
        _ => Fact::Change(Change {
            id: ChangeId::new(&source, &format!("c{}", variant % 11)),
            at,
            kind: ChangeKind::ALL[usize::from(variant) % 10],
            title: "something changed".into(),
            who: variant.is_multiple_of(2).then(|| "dana".into()),
            target: (!variant.is_multiple_of(4))
                .then(|| fact(variant % 5, variant, variant / 5, 0).item()),
            environment: None,
            detail: None,
            link: None,
        }),
    }
}

pub fn pipeline(id: PipelineId, variant: u8) -> Pipeline {
    let states = [
        RunState::Succeeded,
        RunState::Running,
        RunState::Waiting,
        RunState::Failed,
        RunState::Unknown,
    ];
    let stage = |n: u8| {
        let state = states[usize::from(variant / (n + 1)) % 5];
        let approval = (state == RunState::Waiting).then(|| Approval {
            execution: Some(format!("e{}", variant % 3).as_str().into()),
            token: None,
            requested: Some(moment(u64::from(variant))),
            deadline: None,
            message: None,
            link: None,
        });
        Stage {
            name: format!("stage {n}").as_str().into(),
            state,
            execution: Some(format!("e{}", variant % 3).as_str().into()),
            revision: None,
            inbound: (variant % 4 == 1).then(|| "e9".into()),
            transition: Some(Transition {
                enabled: variant % 3 != 1,
                reason: None,
                by: None,
                at: None,
            }),
            actions: vec![Action {
                name: "act".into(),
                category: "Approval".into(),
                provider: "Manual".into(),
                state,
                summary: None,
                error: None,
                at: None,
                percent: None,
                by: None,
                revision: None,
                link: None,
                approval,
            }],
            conditions: Vec::new(),
            since: None,
        }
    };
    let stages: Vec<Stage> = (0..variant % 4).map(stage).collect();
    Pipeline {
        detail: !stages.is_empty(),
        stages,
        link: Some("https://console.example/p".into()),
        tags: tags(variant / 16),
        ..Pipeline::listed(id)
    }
}

fn canary(service: &ServiceId) -> CanarySpec {
    let lab = SourceId::new("lab");
    let pair = |events: &str, requests: &str| CountPair {
        events: SeriesId::new(&lab, events),
        requests: SeriesId::new(&lab, requests),
    };
    CanarySpec {
        id: CanaryId::new(&format!("{service}/main")),
        service: service.clone(),
        name: "main".into(),
        purpose: Purpose::Canary,
        environment: None,
        traffic: Some(Pattern::parse(&format!("lab/{service}-*"))),
        baseline: "stable".into(),
        canary: "new".into(),
        metrics: vec![CanaryMetric {
            name: "errors".into(),
            unit: "%".into(),
            direction: Direction::Increase,
            data: CanaryData::Counts {
                baseline: pair("checkout-0", "payments-1"),
                canary: pair("search-2", "checkout-3"),
            },
            margin: 0.1,
            weight: 1.0,
            required: true,
            critical: false,
            floor: None,
            muted: false,
            strict: false,
            v_min: None,
            rule: None,
        }],
        warm_up: SignedDuration::from_mins(1),
        steps: vec![10.0, 50.0],
        bake: SignedDuration::from_mins(10),
        history: SignedDuration::from_hours(2),
        deadline: SignedDuration::from_hours(4),
        at: AtVerdict::default(),
        alpha: 0.01,
        beta: 0.05,
        policy: Policy::default(),
    }
}

pub fn source(id: &str) -> SourceMeta {
    SourceMeta {
        id: SourceId::new(id),
        kind: "scripted".into(),
        place: "here".into(),
        capabilities: Capabilities {
            reads: FactKind::ALL.to_vec(),
            topics: Topic::ALL.to_vec(),
            writes: Vec::new(),
        },
        policy: FreshnessPolicy {
            stale_after: SignedDuration::from_secs(150),
            lost_after: SignedDuration::from_mins(15),
        },
    }
}

/// Three services: one claims by pattern and has a canary, one by tag, one by both. Then what they leave.
pub fn setup() -> Setup {
    let services = SERVICES.iter().enumerate().map(|(n, name)| {
        let mut service = Service::named(name);
        service.owners = vec![["team a", "team b"][n % 2].into()];
        service.links = vec![("runbook".into(), "https://runbooks.example/".into())];
        if n != 1 {
            let patterns: Vec<Pattern> = SOURCES
                .iter()
                .map(|source| Pattern::parse(&format!("{source}/{name}-*")))
                .collect();
            service.claims = Claims {
                pipelines: patterns.clone(),
                environments: patterns.clone(),
                traffic: patterns.clone(),
                flags: patterns.clone(),
                alarms: patterns,
                tags: BTreeMap::new(),
            };
        }
        if n > 0 {
            service.claims.tags = BTreeMap::from([("service".into(), SafeText::new(name))]);
        }
        if n == 0 {
            service.canaries = vec![canary(&service.id)];
        }
        service
    });
    Setup {
        services: services.chain([Service::unclaimed()]).collect(),
        sources: SOURCES.map(source).to_vec(),
        rehearsal: Some(Rehearsal {
            scenario: "calm".into(),
            story: "Nothing happens.".into(),
            speed: 1.0,
            seed: 7,
            partly: false,
        }),
        themes: vec!["default".to_owned(), "light".to_owned()],
        ..Setup::empty(moment(0))
    }
}

pub fn key(text: &str) -> flightdeck::app::Msg {
    flightdeck::app::Msg::Key { key: Key::parse(text).unwrap(), ms: 0 }
}
