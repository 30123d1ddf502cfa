//! The diary: what pilots tell, recorded one after the other beside the session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::gateway::Gateway;
use crate::store::journal::Record;

/// Who leaves waits no longer for the disk.
const LAST: Duration = Duration::from_secs(3);

/// What pilots tell, on its way into the journal.
pub(super) struct Diary {
    to: mpsc::UnboundedSender<Record>,
    task: JoinHandle<()>,
}

impl Diary {
    /// Begins; whoever watches the journal is told when it was written to.
    pub(super) fn start(gateway: Arc<Gateway>, written: Arc<Notify>) -> Self {
        // A pilot tells a few lines an hour.
        let (to, mut from) = mpsc::unbounded_channel::<Record>();
        let task = tokio::spawn(async move {
            while let Some(record) = from.recv().await {
                let gateway = Arc::clone(&gateway);
                // It syncs files, and waits for other processes that write.
                let appended =
                    tokio::task::spawn_blocking(move || gateway.journal().append(&record)).await;
                // A journal that takes nothing is told of by whoever watches it.
                if !matches!(appended, Ok(Ok(()))) {
                    written.notify_one();
                }
            }
        });
        Self { to, task }
    }

    /// Adds a record.
    pub(super) fn add(&self, record: Record) {
        // It ends only when this is dropped.
        let _ = self.to.send(record);
    }

    /// Ends once everything is recorded, or the disk takes too long.
    pub(super) async fn finish(self) {
        drop(self.to);
        let _ = tokio::time::timeout(LAST, self.task).await;
    }
}
