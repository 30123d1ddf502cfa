//! A world for benches, of any size: services with a pipeline of eight stages, an environment, a flag and
//! an alarm each, canaries with their series, and as many changes as are kept.

use std::collections::BTreeMap;

use flightdeck::app::{Msg, Setup, State, update};
use flightdeck::domain::Timestamp;
use flightdeck::domain::alarm::{Alarm, AlarmState};
use flightdeck::domain::canary::{
    AtVerdict, CanaryData, CanaryMetric, CanarySpec, CountPair, Direction, Policy, Purpose,
};
use flightdeck::domain::change::{Change, ChangeKind};
use flightdeck::domain::environment::{Environment, Health};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::flag::{Flag, FlagState};
use flightdeck::domain::fleet::MAX_CHANGES;
use flightdeck::domain::ids::{
    AlarmId, CanaryId, ChangeId, EnvironmentId, FlagId, PipelineId, SeriesId, SourceId, TrafficId,
};
use flightdeck::domain::observation::{Observation, Scope, Topic};
use flightdeck::domain::observed::FreshnessPolicy;
use flightdeck::domain::pattern::Pattern;
use flightdeck::domain::pipeline::{Action, Approval, Pipeline, RunState, Stage};
use flightdeck::domain::series::{Point, Series, SeriesKind};
use flightdeck::domain::service::Service;
use flightdeck::domain::source::{Capabilities, SourceMeta};
use flightdeck::domain::traffic::{Arm, TrafficSplit};
use jiff::SignedDuration;

/// How many services, and so pipelines, there are: from a small team to a large company.
pub const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// Services with a canary under way.
pub const CANARIES: usize = 10;
/// Points of a series: a two hours' history of minutes.
const HISTORY: u64 = 120;
const STAGES: usize = 8;

/// Some time.
pub fn moment(seconds: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds.cast_signed()).unwrap()
}

fn source() -> SourceId {
    SourceId::new("aws")
}

fn name(n: usize) -> String {
    format!("service-{n:04}")
}

/// Pipeline `n` at its `turn`th state.
pub fn pipeline(n: usize, turn: usize) -> Fact {
    let stage = |at: usize| {
        let state = match (n + turn) % 50 {
            0 if at == 3 => RunState::Failed,
            1 if at == 6 => RunState::Waiting,
            2 | 3 if at == 5 => RunState::Running,
            _ => RunState::Succeeded,
        };
        let approval = (state == RunState::Waiting).then(|| Approval {
            execution: Some("e1".into()),
            token: None,
            requested: Some(moment(n as u64)),
            deadline: None,
            message: None,
            link: None,
        });
        Stage {
            name: ["Source", "Build", "Test", "Package", "Staging", "Check", "Approve", "Prod"][at]
                .into(),
            state,
            execution: Some(format!("e{turn}").as_str().into()),
            revision: None,
            inbound: None,
            transition: None,
            actions: vec![Action {
                name: "act".into(),
                category: "Build".into(),
                provider: "Builder".into(),
                state,
                summary: None,
                error: None,
                at: Some(moment(n as u64)),
                percent: None,
                by: None,
                revision: None,
                link: None,
                approval,
            }],
            conditions: Vec::new(),
            since: Some(moment(n as u64)),
        }
    };
    let id = PipelineId::new(&source(), &format!("{}-main", name(n)));
    let stages = (0..STAGES).map(stage).collect();
    Fact::Pipeline(Pipeline { detail: true, stages, ..Pipeline::listed(id) })
}

fn environment(n: usize) -> Fact {
    Fact::Environment(Environment {
        id: EnvironmentId::new(&source(), &format!("{}-prod", name(n))),
        name: "prod".into(),
        production: Some(true),
        health: if n.is_multiple_of(97) { Health::Unhealthy } else { Health::Healthy },
        summary: None,
        revision: None,
        slots: Vec::new(),
        address: None,
        latency: None,
        tls_expires: None,
        since: None,
        link: None,
        tags: BTreeMap::new(),
    })
}

fn flag(n: usize) -> Fact {
    Fact::Flag(Flag {
        id: FlagId::new(&source(), &format!("{}:new", name(n))),
        key: "new".into(),
        project: name(n).as_str().into(),
        description: None,
        kind: None,
        stale: None,
        marked: false,
        environments: vec![FlagState {
            environment: "prod".into(),
            enabled: Some(n.is_multiple_of(2)),
            percent: None,
            rules: Vec::new(),
            attributes: Vec::new(),
            version: None,
            changed: Some(moment(n as u64)),
            by: None,
            last_seen: None,
            rollout: None,
            gradual: None,
            paces: Vec::new(),
        }],
        link: None,
        tags: BTreeMap::new(),
    })
}

fn alarm(n: usize) -> Fact {
    Fact::Alarm(Alarm {
        id: AlarmId::new(&source(), &format!("{}-errors", name(n))),
        name: "errors".into(),
        state: if n.is_multiple_of(40) { AlarmState::Firing } else { AlarmState::Ok },
        since: Some(moment(0)),
        reason: None,
        severity: None,
        kind: "metric".into(),
        rule: None,
        silenced: false,
        history: Vec::new(),
        link: None,
        tags: BTreeMap::new(),
    })
}

fn traffic(n: usize) -> Fact {
    let arm = |name: &str, weight| Arm {
        name: name.into(),
        weight,
        usable: true,
        state: "UP".into(),
        health: Health::Healthy,
        revision: None,
        request_rate: None,
        error_rate: None,
        requests: None,
        errors: None,
    };
    Fact::Traffic(TrafficSplit {
        id: TrafficId::new(&source(), &format!("{}-edge", name(n))),
        arms: vec![arm("stable", 90), arm("new", 10)],
        since: Some(moment(0)),
        automation: None,
    })
}

/// A change that happened at second `n`, among so many services.
pub fn change(services: usize, n: usize) -> Fact {
    let Fact::Flag(of) = flag(n % services) else { unreachable!() };
    Fact::Change(Change {
        id: ChangeId::new(&source(), &format!("change-{n}")),
        at: moment(n as u64),
        kind: ChangeKind::ALL[n % ChangeKind::ALL.len()],
        title: "something changed".into(),
        who: Some("dana".into()),
        target: Some(flightdeck::domain::ids::ItemId::Flag(of.id)),
        environment: None,
        detail: None,
        link: None,
    })
}

/// A series of canary `n` from minute `from` on.
pub fn series(n: usize, which: &str, from: u64, to: u64) -> Fact {
    let mean = if which.ends_with("events") { 5.0 } else { 500.0 };
    Fact::Series(Series {
        id: SeriesId::new(&source(), &format!("{}-{which}", name(n))),
        kind: SeriesKind::Delta,
        unit: "count".into(),
        step: SignedDuration::from_mins(1),
        points: (from..to)
            .map(|at| Point { at: moment(60 * at), value: mean + (at % 7) as f64 })
            .collect(),
        note: None,
    })
}

/// The four series of an error rate.
pub const SERIES: [&str; 4] = ["stable-events", "stable-requests", "new-events", "new-requests"];

fn canary(service: &Service, n: usize) -> CanarySpec {
    let id = |which: &str| SeriesId::new(&source(), &format!("{}-{which}", name(n)));
    let pair = |arm: &str| CountPair {
        events: id(&format!("{arm}-events")),
        requests: id(&format!("{arm}-requests")),
    };
    CanarySpec {
        id: CanaryId::new(&format!("{}/main", service.id)),
        service: service.id.clone(),
        name: "main".into(),
        purpose: Purpose::Canary,
        environment: None,
        traffic: Some(Pattern::parse(&format!("aws/{}-edge", name(n)))),
        baseline: "stable".into(),
        canary: "new".into(),
        metrics: vec![CanaryMetric {
            name: "errors".into(),
            unit: "%".into(),
            direction: Direction::Increase,
            data: CanaryData::Counts { baseline: pair("stable"), canary: pair("new") },
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
        warm_up: SignedDuration::from_mins(3),
        steps: vec![10.0, 50.0],
        bake: SignedDuration::from_mins(30),
        history: SignedDuration::from_hours(2),
        deadline: SignedDuration::from_hours(4),
        at: AtVerdict::default(),
        alpha: 0.01,
        beta: 0.05,
        policy: Policy::default(),
    }
}

fn setup(services: usize) -> Setup {
    let services = (0..services).map(|n| {
        let mut service = Service::named(&name(n));
        service.owners = vec![format!("team {}", n % 40).as_str().into()];
        let pattern = || vec![Pattern::parse(&format!("aws/{}-*", name(n)))];
        service.claims.pipelines = pattern();
        service.claims.environments = pattern();
        service.claims.traffic = pattern();
        service.claims.alarms = pattern();
        service.claims.flags = vec![Pattern::parse(&format!("aws/{}:*", name(n)))];
        if n < CANARIES {
            service.canaries = vec![canary(&service, n)];
        }
        service
    });
    let meta = SourceMeta {
        id: source(),
        kind: "codepipeline".into(),
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
    };
    let mut setup = Setup::empty(moment(0));
    setup.services = services.collect();
    setup.sources = vec![meta];
    setup.options.size = (200, 50);
    setup
}

/// What the source tells at `at`.
pub fn told(topic: Topic, at: u64, facts: Vec<Fact>) -> Msg {
    let scope = Scope { topic, items: Vec::new() };
    let mut observation = Observation::new(&source(), 0, &scope, moment(at));
    observation.facts = facts;
    Msg::Observed(Box::new(observation))
}

/// Every pipeline.
pub fn listing(services: usize) -> Vec<Fact> {
    (0..services).map(|n| pipeline(n, 0)).collect()
}

/// The state before the first answer.
pub fn empty(services: usize) -> State {
    State::new(setup(services))
}

/// The state with everything read.
pub fn full(services: usize) -> State {
    let mut state = empty(services);
    let mut facts = listing(services);
    for n in 0..services {
        facts.extend([environment(n), flag(n), alarm(n)]);
    }
    facts.extend((0..CANARIES).map(traffic));
    facts.extend((0..MAX_CHANGES).map(|n| change(services, n)));
    let now = 60 * HISTORY;
    update(&mut state, told(Topic::Overview, now, facts));
    for n in 0..CANARIES {
        let facts = SERIES.iter().map(|which| series(n, which, 0, HISTORY)).collect();
        update(&mut state, told(Topic::Series, now, facts));
    }
    state
}

/// The minute after those that the full state knows.
pub const NEXT: u64 = HISTORY;
