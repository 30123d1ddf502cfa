//! A source that does what a script says, and a room that takes in what keepers bring.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flightdeck::app::interest::Interest;
use flightdeck::app::{Msg, Setup, State, update};
use flightdeck::backend::clock::{SharedClock, WallClock};
use flightdeck::backend::context::ReadContext;
use flightdeck::backend::{Cadence, Source};
use flightdeck::domain::Timestamp;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::ids::{ItemId, PipelineId, SourceId};
use flightdeck::domain::observation::{Observation, Scope, Topic};
use flightdeck::domain::observed::FreshnessPolicy;
use flightdeck::domain::pipeline::Pipeline;
use flightdeck::domain::source::{Capabilities, SourceMeta, SourceState};
use flightdeck::runtime::manner::Manner;
use flightdeck::runtime::pool::{Configured, Pool};
use futures::future::BoxFuture;
use jiff::SignedDuration;
use tokio::sync::mpsc;

/// What a scripted source does with one read.
pub enum Step {
    Answer(Answer),
    Fail(FaultKind),
    /// Panics while it reads.
    Panic,
    /// Panics before it returns anything to wait for.
    PanicAtOnce,
    /// Never answers.
    Hang,
}

#[derive(Default)]
pub struct Answer {
    pub facts: Vec<Fact>,
    pub items: Option<Vec<ItemId>>,
    pub complete: Vec<FactKind>,
    pub calls: usize,
    pub impostor: Option<SourceId>,
}

pub fn answer(facts: Vec<Fact>) -> Step {
    Step::Answer(Answer { facts, calls: 1, ..Answer::default() })
}

/// An answer that lists `items` to be read one by one.
pub fn listing(items: Vec<ItemId>) -> Step {
    Step::Answer(Answer { items: Some(items), calls: 1, ..Answer::default() })
}

pub fn pipeline_id(source: &str, name: &str) -> PipelineId {
    PipelineId::new(&SourceId::new(source), name)
}

pub fn item(source: &str, name: &str) -> ItemId {
    ItemId::Pipeline(pipeline_id(source, name))
}

pub fn pipeline(source: &str, name: &str) -> Fact {
    Fact::Pipeline(Pipeline { detail: true, ..Pipeline::listed(pipeline_id(source, name)) })
}

/// Answers a read of items with a fact for each.
pub fn each(scope: &Scope) -> Step {
    let fact = |item: &ItemId| pipeline(item.source().as_str(), item.name().as_str());
    answer(scope.items.iter().map(fact).collect())
}

type Script = Box<dyn Fn(&Scope, usize) -> Step + Send + Sync>;

/// A source that does what a script says.
pub struct Scripted {
    meta: SourceMeta,
    cadence: Cadence,
    script: Script,
    asked: Mutex<Vec<Scope>>,
    /// How many times its keeper is to panic before it reads anything.
    pub breaks: AtomicUsize,
}

impl Scripted {
    /// `script` is given each read and how many there were before it.
    pub fn new(
        id: &str,
        cadence: Cadence,
        script: impl Fn(&Scope, usize) -> Step + Send + Sync + 'static,
    ) -> Arc<Self> {
        let minutes = SignedDuration::from_mins;
        Arc::new(Self {
            meta: SourceMeta {
                id: SourceId::new(id),
                kind: "scripted".into(),
                place: "here".into(),
                capabilities: Capabilities {
                    topics: vec![Topic::Overview, Topic::Items, Topic::Series],
                    ..Capabilities::default()
                },
                policy: FreshnessPolicy { stale_after: minutes(2), lost_after: minutes(10) },
            },
            cadence,
            script: Box::new(script),
            asked: Mutex::default(),
            breaks: AtomicUsize::new(0),
        })
    }

    /// Every read so far.
    pub fn asked(&self) -> Vec<Scope> {
        self.asked.lock().unwrap().clone()
    }
}

impl Source for Scripted {
    fn meta(&self) -> SourceMeta {
        self.meta.clone()
    }

    fn cadence(&self) -> Cadence {
        let left = self.breaks.load(Ordering::SeqCst);
        self.breaks.store(left.saturating_sub(1), Ordering::SeqCst);
        assert!(left == 0, "a scripted panic of the keeper itself");
        self.cadence
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        let before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(scope.clone());
            asked.len() - 1
        };
        let step = (self.script)(scope, before);
        assert!(!matches!(step, Step::PanicAtOnce), "a scripted panic");
        Box::pin(async move {
            let Answer { facts, items, complete, calls, impostor } = match step {
                Step::Answer(answer) => answer,
                Step::Fail(kind) => {
                    context.spend().await;
                    return Err(Fault::new(kind, "a scripted failure"));
                }
                Step::Hang => std::future::pending().await,
                Step::Panic | Step::PanicAtOnce => panic!("a scripted panic"),
            };
            for _ in 0..calls {
                context.spend().await;
            }
            let source = impostor.unwrap_or_else(|| self.meta.id.clone());
            let mut observation = context.answer(&source, scope);
            observation.facts = facts;
            observation.items = items;
            observation.complete = complete;
            Ok(observation)
        })
    }
}

pub fn setup(sources: &[Arc<Scripted>]) -> Setup {
    let sources = sources.iter().map(|s| s.meta()).collect();
    Setup { sources, ..Setup::empty(Timestamp::now()) }
}

pub fn configured(sources: &[Arc<Scripted>], series: &[ItemId]) -> Vec<Configured> {
    let own = |source: &Scripted| {
        series.iter().filter(|i| *i.source() == source.meta.id).cloned().collect()
    };
    let configured = |source: &Arc<Scripted>| Configured {
        series: own(source),
        source: Arc::clone(source) as Arc<dyn Source>,
    };
    sources.iter().map(configured).collect()
}

/// Takes in what keepers bring.
pub struct Room {
    pub state: State,
    pub pool: Pool,
    inbox: mpsc::Receiver<Msg>,
    /// The most facts that came in one message.
    pub largest: usize,
}

impl Room {
    pub fn open(sources: &[Arc<Scripted>]) -> Self {
        Self::with_series(sources, &[])
    }

    pub fn with_series(sources: &[Arc<Scripted>], series: &[ItemId]) -> Self {
        let (out, inbox) = mpsc::channel(16);
        let clock: SharedClock = Arc::new(WallClock);
        let pool = Pool::start(configured(sources, series), &clock, &out, Manner::default());
        Self { state: State::new(setup(sources)), pool, inbox, largest: 0 }
    }

    pub fn source(&self, id: &str) -> &SourceState {
        &self.state.fleet.sources[&SourceId::new(id)]
    }

    pub fn knows(&self, source: &str, name: &str) -> bool {
        self.state.fleet.pipelines.get(&pipeline_id(source, name)).is_some()
    }

    pub fn watch(&self, items: impl IntoIterator<Item = ItemId>) {
        let items: BTreeSet<ItemId> = items.into_iter().collect();
        self.pool.watch(&Interest { items, everything: false });
    }

    /// Takes in messages until `reached`; fails the test if that never happens.
    pub async fn until(&mut self, what: &str, reached: impl Fn(&Self) -> bool) {
        let wait = async {
            while !reached(self) {
                let msg = self.inbox.recv().await.expect("the keepers are there");
                if let Msg::Observed(seen) = &msg {
                    self.largest = self.largest.max(seen.facts.len());
                }
                update(&mut self.state, msg);
            }
        };
        // Far beyond what any of this takes, however busy the machine is.
        tokio::time::timeout(Duration::from_mins(3), wait).await.expect(what);
    }
}
