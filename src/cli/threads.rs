//! The threads on which everything runs that waits for a network.

use tokio::runtime::{Builder, Runtime};

use super::exit::Failure;

/// Threads for reads, at most.
const MOST: usize = 64;

/// A runtime with room for so many sources: a read that blocks its thread, as a name that is not
/// resolved does, must not keep the others from theirs.
pub fn runtime(sources: usize) -> Result<Runtime, Failure> {
    let threads = sources.saturating_mul(2).saturating_add(2).min(MOST);
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))
}
