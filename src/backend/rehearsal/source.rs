//! One source of the world behind the port that every adapter implements.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};

use super::changes::changes;
use super::edge::{environments, traffic};
use super::flags::flag;
use super::hands::act;
use super::metrics::{METRICS, alarms, series};
use super::pipelines::pipeline;
use super::script::{ArmName, OutageKind};
use super::world::{World, pipeline_source, series_id, splits};
use crate::backend::context::ReadContext;
use crate::backend::port::{Cadence, Source};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::observed::FreshnessPolicy;
use crate::domain::source::{Capabilities, REHEARSAL, SourceMeta, Verb};
use crate::domain::write::{Order, Receipt, expectation};

/// A source of the world.
pub struct RehearsalSource {
    id: SourceId,
    world: Arc<RwLock<World>>,
}

impl RehearsalSource {
    /// The source `id` of `world`.
    pub fn new(id: SourceId, world: Arc<RwLock<World>>) -> Self {
        Self { id, world }
    }

    fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writes(&self) -> Vec<Verb> {
        match self.id.as_str() {
            "edge" => vec![Verb::Traffic],
            "flags" => vec![Verb::Flag],
            "metrics" => Vec::new(),
            _ => vec![
                Verb::Approve,
                Verb::Reject,
                Verb::Retry,
                Verb::Stop,
                Verb::Start,
                Verb::Transition,
                Verb::Rollback,
                Verb::Override,
            ],
        }
    }

    fn reads(&self) -> Vec<FactKind> {
        match self.id.as_str() {
            "edge" => vec![FactKind::Environments, FactKind::Traffic],
            "metrics" => vec![FactKind::Alarms, FactKind::Series],
            "flags" => vec![FactKind::Flags],
            _ => vec![FactKind::Pipelines],
        }
    }

    fn outage(&self, now: Timestamp) -> Option<Fault> {
        let world = &*self.world();
        let mut outages = world.script.outages.iter().filter(|o| o.source == self.id.as_str());
        let outage = outages.find(|outage| outage.lasts(now, world.start))?;
        Some(match outage.kind {
            OutageKind::Dead => {
                Fault::new(FaultKind::Unreachable, format!("{}: connection refused", self.id))
            }
            OutageKind::SignedOut => Fault::new(
                FaultKind::NotAuthenticated,
                format!("{}: the session of dana expired", self.id),
            )
            .hint(
                "sign in again (in the rehearsal, wait: somebody will); it heals without a restart",
            ),
            OutageKind::Throttled => {
                let until = Some(now + SignedDuration::from_secs(30));
                Fault::new(FaultKind::Throttled { until }, format!("{}: too many calls", self.id))
            }
        })
    }

    fn overview(&self, world: &World, now: Timestamp, answer: &mut Observation) {
        let services = || world.script.services.iter();
        answer.complete =
            self.reads().into_iter().filter(|kind| *kind != FactKind::Series).collect();
        match self.id.as_str() {
            "edge" => {
                for service in services() {
                    let told = environments(world, service, now).into_iter().map(Fact::Environment);
                    answer.facts.extend(told);
                    if splits(service) {
                        answer.facts.push(Fact::Traffic(traffic(world, service, now)));
                    }
                }
            }
            "metrics" => answer.facts.extend(alarms(world, now).into_iter().map(Fact::Alarm)),
            "flags" => {
                let flags = world.script.flags.iter();
                answer.facts.extend(flags.map(|f| Fact::Flag(flag(world, f, now))));
            }
            _ => {
                let own = services().filter(|s| pipeline_source(s) == self.id);
                answer.facts.extend(own.map(|s| Fact::Pipeline(pipeline(world, s, now))));
            }
        }
    }

    /// Compares what is there with what was seen, as a native precondition would.
    fn is_as_seen(&self, world: &World, order: &Order, now: Timestamp) -> Result<(), Fault> {
        let scope = Scope { topic: Topic::Overview, items: Vec::new() };
        let mut answer = Observation::new(&self.id, 0, &scope, now);
        self.overview(world, now, &mut answer);
        let mut fleet = Fleet::new([self.meta()]);
        fleet.apply(answer);
        let now = expectation(order.write(), &fleet)
            .map_err(|why| Fault::new(FaultKind::Conflict, why))?;
        let moved = order.expects().moved(&now);
        if moved.is_empty() {
            return Ok(());
        }
        let moved: Vec<String> =
            moved.iter().map(|m| format!("{} was {}, is {}", m.what, m.seen, m.now)).collect();
        Err(Fault::new(FaultKind::Conflict, moved.join("; ")))
    }

    fn measured(&self, wanted: &[ItemId], now: Timestamp, answer: &mut Observation) {
        let world = self.world();
        for service in world.script.services.iter().filter(|s| splits(s)) {
            for arm in [ArmName::Stable, ArmName::Canary] {
                for metric in METRICS {
                    let item = ItemId::Series(series_id(&service.name, metric, arm));
                    if wanted.contains(&item) {
                        let series = series(&world, service, metric, arm, now);
                        answer.facts.push(Fact::Series(series));
                    }
                }
            }
        }
    }
}

impl Source for RehearsalSource {
    fn meta(&self) -> SourceMeta {
        let mut topics = vec![Topic::Overview, Topic::Changes];
        if self.id == SourceId::new("metrics") {
            topics.push(Topic::Series);
        }
        let mut reads = self.reads();
        reads.push(FactKind::Changes);
        SourceMeta {
            id: self.id.clone(),
            kind: REHEARSAL.into(),
            place: "simulated, inside flightdeck".into(),
            capabilities: Capabilities { reads, topics, writes: self.writes() },
            // The simulated clock may run 300 times faster than the reads, of which each comes a
            // second after the one before.
            policy: FreshnessPolicy {
                stale_after: SignedDuration::from_mins(10),
                lost_after: SignedDuration::from_mins(60),
            },
        }
    }

    fn cadence(&self) -> Cadence {
        let second = Duration::from_secs(1);
        Cadence {
            overview: second,
            fast: second,
            slow: second * 2,
            series: second,
            changes: second * 2,
            batch: 64,
            concurrency: 2,
            deadline: second * 5,
            budget_per_minute: 600,
            jitter: 0.1,
            longest_pause: second * 3,
        }
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        async move {
            context.spend().await;
            let now = context.now();
            if let Some(fault) = self.outage(now) {
                return Err(fault);
            }
            if !self.meta().capabilities.topics.contains(&scope.topic) {
                let what = format!("{} tells no {}", self.id, scope.topic.word());
                return Err(Fault::new(FaultKind::InvalidRequest, what));
            }
            let mut answer = context.answer(&self.id, scope);
            answer.identity = Some("dana, in the rehearsal".into());
            match scope.topic {
                Topic::Overview | Topic::Items => self.overview(&self.world(), now, &mut answer),
                Topic::Series => self.measured(&scope.items, now, &mut answer),
                Topic::Changes => {
                    let told = changes(&self.world(), &self.id, now);
                    answer.facts.extend(told.into_iter().map(Fact::Change));
                }
            }
            Ok(answer)
        }
        .boxed()
    }

    fn submit<'a>(
        &'a self,
        order: &'a Order,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Receipt, Fault>> {
        async move {
            context.spend().await;
            let now = context.now();
            if let Some(fault) = self.outage(now) {
                return Err(fault);
            }
            let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
            self.is_as_seen(&world, order, now)?;
            act(&mut world, order.write(), now)
        }
        .boxed()
    }
}
