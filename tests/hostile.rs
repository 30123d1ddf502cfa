//! Hostile text, through every kind of source, on every pane and in what the headless commands
//! print: none of it may reach a terminal as anything but visible characters.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws_flags.rs"]
mod account;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws.rs"]
mod aws;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws_child.rs"]
mod child;
#[path = "hostile/commands.rs"]
mod commands;
#[path = "hostile/drawn.rs"]
mod drawn;
#[path = "hostile/fields.rs"]
mod fields;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "contract/laws.rs"]
mod laws;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws_metrics.rs"]
mod metrics;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws_pipelines.rs"]
mod pipes;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "contract/poison.rs"]
mod poison;
#[path = "hostile/runs.rs"]
mod runs;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "contract/server.rs"]
mod server;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "contract/stands.rs"]
mod stands;

macro_rules! kinds {
    ($($kind:ident)*) => {$(
        #[tokio::test]
        async fn $kind() {
            drawn::nothing_hostile_is_drawn(&stands::$kind().await).await;
        }
    )*};
}

kinds! { prometheus http haproxy unleash codepipeline cloudwatch appconfig }
