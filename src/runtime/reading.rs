//! One read of a source: whatever it does, it ends, and so does nothing else with it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::backend::Source;
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::observation::{Observation, Scope};

/// How long a read that was given up may take to let go of its thread.
const GRACE: Duration = Duration::from_millis(200);

/// A read that has ended.
pub(super) struct Read {
    pub(super) scope: Scope,
    pub(super) result: Result<Observation, Fault>,
    pub(super) calls: u64,
    /// It was given up and still holds its thread.
    pub(super) stuck: Option<Running>,
}

/// A read under way, as a task of its own: one that blocks blocks its own thread alone. It is given
/// up when this is dropped.
pub(super) struct Running(JoinSet<Result<Observation, Fault>>);

impl Running {
    /// Whether it has let go of its thread.
    pub(super) fn is_over(&mut self) -> bool {
        while self.0.try_join_next().is_some() {}
        self.0.is_empty()
    }
}

/// Reads `scope` within `deadline`, not counting what it waits for our own budget.
pub(super) async fn read(
    source: Arc<dyn Source>,
    scope: Scope,
    context: ReadContext,
    deadline: Duration,
) -> Read {
    let id = source.meta().id;
    let mut running = Running(JoinSet::new());
    let (asked, given) = (scope.clone(), context.clone());
    running.0.spawn(async move { source.observe(&asked, &given).await });
    let ended = within(deadline, &context, running.0.join_next()).await.flatten();
    let what = scope.topic.word();
    let mut stuck = None;
    let result = match ended {
        Some(Ok(result)) => result,
        Some(Err(_panic)) => Err(Fault::new(
            FaultKind::Crashed,
            format!("the adapter of {id} panicked while reading {what}"),
        )),
        None => {
            running.0.abort_all();
            let let_go = tokio::time::timeout(GRACE, running.0.join_next()).await.is_ok();
            let still = if let_go { "" } else { "; it still holds its thread" };
            stuck = (!let_go).then_some(running);
            let seconds = deadline.as_secs_f32();
            let message = format!("no answer within {seconds} s while reading {what}{still}");
            Err(Fault::new(FaultKind::Unreachable, message))
        }
    };
    let calls = context.calls();
    Read { scope, result, calls, stuck }
}

/// What `work` gives within `deadline`, not counting what it waits for our own budget: the deadline
/// is for the backend.
pub(super) async fn within<T>(
    deadline: Duration,
    context: &ReadContext,
    work: impl Future<Output = T>,
) -> Option<T> {
    let start = Instant::now();
    let mut work = std::pin::pin!(work);
    loop {
        let limit = deadline.saturating_add(context.waited());
        let left = limit.saturating_sub(start.elapsed());
        match tokio::time::timeout(left, &mut work).await {
            Ok(done) => return Some(done),
            Err(_) if context.waited() > limit.saturating_sub(deadline) => {}
            Err(_) => return None,
        }
    }
}
