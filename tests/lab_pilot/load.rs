//! Visitors of the shop: so many requests a second, whatever the answers are.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Requests a second.
pub const RATE: f64 = 600.0;
/// Visitors that share them.
const VISITORS: u32 = 12;

/// Visitors until this is dropped.
pub struct Load {
    _visitors: JoinSet<()>,
}

impl Load {
    /// Lets them in at this port.
    pub fn begin(port: u16) -> Self {
        let mut visitors = JoinSet::new();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        for _ in 0..VISITORS {
            let client = client.clone();
            visitors.spawn(async move {
                let mut pace =
                    tokio::time::interval(Duration::from_secs_f64(f64::from(VISITORS) / RATE));
                // Open loop: who had to wait for an answer makes up for it.
                pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
                loop {
                    pace.tick().await;
                    if let Ok(answer) = client.get(format!("http://127.0.0.1:{port}/")).send().await
                    {
                        let _ = answer.bytes().await;
                    }
                }
            });
        }
        Self { _visitors: visitors }
    }
}
