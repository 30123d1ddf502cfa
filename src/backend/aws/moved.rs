//! Whether the target of a write is still as it was seen: read once more, right before it is sent.

use crate::backend::context::ReadContext;
use crate::backend::port::Source;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fleet::Fleet;
use crate::domain::observation::{Scope, Topic};
use crate::domain::write::{Order, expectation};

/// Refuses `order` if anything that matters has moved. `topic` is the narrowest read that `source`
/// has for one item.
pub(super) async fn check(
    source: &dyn Source,
    topic: Topic,
    order: &Order,
    context: &ReadContext,
) -> Result<(), Fault> {
    if order.expects().facts.is_empty() {
        return Err(Fault::new(
            FaultKind::InvalidRequest,
            "nothing was seen of what is written to",
        ));
    }
    let target = order.write().target();
    let scope = Scope { topic, items: vec![target.clone()] };
    let mut answer = source.observe(&scope, context).await?;
    let faults = std::mem::take(&mut answer.faults);
    if let Some((_, fault)) = faults.iter().find(|(item, _)| *item == target) {
        return Err(fault.clone());
    }
    // A world of its own, which knows of no restarts.
    answer.epoch = 0;
    let mut fleet = Fleet::new([source.meta()]);
    fleet.apply(answer);
    let now = match expectation(order.write(), &fleet) {
        Ok(now) => now,
        Err(why) => {
            let cause = faults.into_iter().next().map(|(_, fault)| fault);
            return Err(cause.unwrap_or_else(|| Fault::new(FaultKind::Conflict, why)));
        }
    };
    let moved = order.expects().moved(&now);
    if moved.is_empty() {
        return Ok(());
    }
    let moved: Vec<String> =
        moved.iter().map(|m| format!("{} was {}, is {}", m.what, m.seen, m.now)).collect();
    Err(Fault::new(FaultKind::Conflict, moved.join("; ")))
}
