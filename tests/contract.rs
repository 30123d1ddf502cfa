//! The contract of a source, held by every kind against a loopback server of its own.
//!
//! The servers answer in the shapes of the API references or replay captured answers.
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
#[path = "contract/laws.rs"]
mod laws;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws_metrics.rs"]
mod metrics;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws_pipelines.rs"]
mod pipes;
#[path = "contract/poison.rs"]
mod poison;
#[path = "contract/refusals_aws.rs"]
mod refusals_aws;
#[path = "contract/rehearsal.rs"]
mod rehearsal;
#[path = "contract/server.rs"]
mod server;
#[path = "contract/stands.rs"]
mod stands;
#[path = "contract/writes.rs"]
mod writes;
#[path = "contract/writing.rs"]
mod writing;
#[path = "contract/writing_aws.rs"]
mod writing_aws;

macro_rules! contract {
    ($($kind:ident)*) => {$(
        mod $kind {
            use crate::{laws, stands};

            #[tokio::test]
            async fn it_answers_for_itself_and_counts_its_calls() {
                laws::answers_for_itself(&stands::$kind().await).await;
            }

            #[tokio::test]
            async fn nothing_hostile_gets_through() {
                laws::nothing_hostile_gets_through(&stands::$kind().await).await;
            }

            #[tokio::test]
            async fn refusals_are_what_they_mean() {
                laws::refusals_are_what_they_mean(&stands::$kind().await).await;
            }

            #[tokio::test]
            async fn broken_answers_are_faults() {
                laws::broken_answers_are_faults(&stands::$kind().await).await;
            }

            #[tokio::test]
            async fn a_dropped_read_is_harmless() {
                laws::a_dropped_read_is_harmless(&stands::$kind().await).await;
            }
        }
    )*};
}

contract! { prometheus http haproxy unleash codepipeline cloudwatch appconfig }

macro_rules! writing {
    ($($kind:ident)*) => {$(
        mod $kind {
            use crate::{writes, writing};

            #[tokio::test]
            async fn a_write_is_sent_once_and_counted() {
                writes::sent_once_and_counted(&writing::$kind().await).await;
            }

            #[tokio::test]
            async fn a_lost_answer_is_an_unknown_outcome() {
                writes::lost_answers_are_unknown(&writing::$kind().await).await;
            }

            #[tokio::test]
            async fn what_fails_before_is_no_outcome_to_wonder_about() {
                writes::what_fails_before_sends_nothing(&writing::$kind().await).await;
            }

            #[tokio::test]
            async fn a_dropped_write_is_sent_once_at_most() {
                writes::dropped_once_at_most(&writing::$kind().await).await;
            }

            #[tokio::test]
            async fn what_moved_or_is_not_its_own_is_not_sent() {
                writes::moved_or_foreign_is_not_sent(&writing::$kind().await).await;
            }

            #[tokio::test]
            async fn nothing_hostile_comes_of_a_write() {
                writes::nothing_hostile_comes_of_it(&writing::$kind().await).await;
            }
        }
    )*};
}

mod write {
    writing! { haproxy unleash codepipeline appconfig deploying }
}
