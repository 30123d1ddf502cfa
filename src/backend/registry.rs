//! The registry: makes the adapter of each configured source.

use std::sync::Arc;

use super::Source;
#[cfg(feature = "aws")]
use super::aws::{codepipeline::CodePipeline, session::Sessions};
use super::haproxy::HaProxy;
use super::probe_http::ProbeHttp;
use super::prometheus::Prometheus;
use super::unleash::Unleash;
use crate::config::Schedule;
use crate::config::sources::SourceConfig;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::SourceId;
use crate::domain::series::SeriesSpec;

/// Makes adapters; sources of one AWS account and region share a session.
#[derive(Default)]
pub struct Registry {
    #[cfg(feature = "aws")]
    sessions: Sessions,
}

impl Registry {
    /// The adapter of the source `name`, which is asked for `series`. Connects to nothing yet.
    pub fn build(
        &self,
        name: &str,
        config: &SourceConfig,
        schedule: &Schedule,
        series: Vec<SeriesSpec>,
    ) -> Result<Arc<dyn Source>, Fault> {
        let id = SourceId::new(name);
        Ok(match config {
            SourceConfig::Prometheus(settings) => {
                Arc::new(Prometheus::new(id, settings.clone(), schedule, series)?)
            }
            SourceConfig::HaProxy(settings) => {
                Arc::new(HaProxy::new(id, settings.clone(), schedule, series))
            }
            SourceConfig::Unleash(settings) => {
                Arc::new(Unleash::new(id, settings.clone(), schedule))
            }
            SourceConfig::Http(settings) => {
                Arc::new(ProbeHttp::new(id, settings.clone(), schedule)?)
            }
            #[cfg(feature = "aws")]
            SourceConfig::CodePipeline(settings) => {
                Arc::new(CodePipeline::new(id, settings, *schedule, &self.sessions))
            }
            other => return Err(unsupported(&id, other)),
        })
    }
}

/// This build has no adapter for the source.
fn unsupported(id: &SourceId, config: &SourceConfig) -> Fault {
    Fault::new(
        FaultKind::InvalidRequest,
        format!("{id}: this build cannot read a source of kind {}", config.kind()),
    )
    .hint("install flightdeck with its default features, or take the source out")
}
