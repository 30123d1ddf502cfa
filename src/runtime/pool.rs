//! The pool of keepers: starts one per source and passes them their orders.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::keeper::{Kept, Order, keep};
use super::manner::Manner;
use crate::app::Msg;
use crate::app::effect::Refresh;
use crate::app::interest::Interest;
use crate::backend::Source;
use crate::backend::clock::SharedClock;
use crate::backend::context::Meters;
use crate::domain::ids::{ItemId, SourceId};

/// A source and the series that may be asked of it.
#[derive(Clone)]
pub struct Configured {
    /// The source.
    pub source: Arc<dyn Source>,
    /// Its series, as items.
    pub series: Vec<ItemId>,
}

/// One keeper per source; dropping the pool ends them.
pub struct Pool {
    orders: BTreeMap<SourceId, mpsc::UnboundedSender<Order>>,
    tasks: Vec<JoinHandle<()>>,
    meters: Meters,
}

impl Pool {
    /// Starts a keeper for each source; what they bring goes to `out`.
    pub fn start(
        sources: Vec<Configured>,
        clock: &SharedClock,
        out: &mpsc::Sender<Msg>,
        manner: Manner,
    ) -> Self {
        let mut orders = BTreeMap::new();
        let mut tasks = Vec::new();
        let meters = Meters::new(manner.lends);
        for Configured { source, series } in sources {
            let (order, inbox) = mpsc::unbounded_channel();
            let id = source.meta().id;
            let (own, clock, meters) = (id.clone(), Arc::clone(clock), meters.clone());
            let kept = Kept { id: own, source, series, clock, meters, manner };
            orders.insert(id, order);
            tasks.push(tokio::spawn(keep(kept, inbox, out.clone())));
        }
        Self { orders, tasks, meters }
    }

    /// Where the calls to each source are counted.
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Tells each keeper which of its items are visible or moving.
    pub fn watch(&self, interest: &Interest) {
        for (id, order) in &self.orders {
            let items = interest.items.iter().filter(|i| i.source() == id).cloned().collect();
            // A keeper that is gone has reported why.
            let _ = order.send(Order::Watch { items, everything: interest.everything });
        }
    }

    /// Asks for a read now.
    pub fn refresh(&self, what: &Refresh) {
        for (id, order) in &self.orders {
            let wanted = match what {
                Refresh::All => Order::Refresh(None),
                Refresh::Source(source) if source == id => Order::Refresh(None),
                Refresh::Written(item) if item.source() == id => Order::Written(item.clone()),
                Refresh::Source(_) | Refresh::Written(_) => continue,
                Refresh::Items(items) => {
                    let own: Vec<ItemId> =
                        items.iter().filter(|i| i.source() == id).cloned().collect();
                    if own.is_empty() {
                        continue;
                    }
                    Order::Refresh(Some(own))
                }
            };
            let _ = order.send(wanted);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
