//! The registry: makes the adapter of each configured source.

use std::sync::Arc;

use super::Source;
#[cfg(feature = "aws")]
use super::aws::{
    appconfig::AppConfig, cloudwatch::CloudWatch, codepipeline::CodePipeline, session::Sessions,
};
use super::haproxy::HaProxy;
use super::probe_http::ProbeHttp;
use super::prometheus::Prometheus;
use super::runs::Runs;
use super::unleash::Unleash;
use crate::config::sources::SourceConfig;
use crate::config::{Config, Schedule};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::SourceId;
use crate::domain::series::SeriesSpec;

/// Makes adapters; sources of one AWS account and region share a session.
#[derive(Default)]
pub struct Registry {
    /// Whether some service claims by tags, which the AWS kinds then have to ask for.
    #[cfg(feature = "aws")]
    by_tags: bool,
    #[cfg(feature = "aws")]
    sessions: Sessions,
}

impl Registry {
    /// For the sources and services of `config`.
    #[cfg_attr(not(feature = "aws"), expect(unused_variables, reason = "it is about AWS alone"))]
    pub fn of(config: &Config) -> Self {
        Self {
            #[cfg(feature = "aws")]
            by_tags: config.services.values().any(|service| !service.tags.is_empty()),
            ..Self::default()
        }
    }

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
            SourceConfig::Runs(settings) => {
                Arc::new(Runs::new(id, settings.clone(), schedule, series))
            }
            SourceConfig::Http(settings) => {
                Arc::new(ProbeHttp::new(id, settings.clone(), schedule)?)
            }
            SourceConfig::Unleash(settings) => {
                Arc::new(Unleash::new(id, settings.clone(), schedule))
            }
            SourceConfig::HaProxy(settings) => {
                Arc::new(HaProxy::new(id, settings.clone(), schedule, series))
            }
            #[cfg(feature = "aws")]
            SourceConfig::CodePipeline(settings) => {
                let source = CodePipeline::new(id, settings, *schedule, &self.sessions);
                Arc::new(source.tagged(self.by_tags))
            }
            #[cfg(feature = "aws")]
            SourceConfig::CloudWatch(settings) => {
                let source = CloudWatch::new(id, settings, *schedule, series, &self.sessions);
                Arc::new(source.tagged(self.by_tags))
            }
            #[cfg(feature = "aws")]
            SourceConfig::AppConfig(settings) => {
                Arc::new(AppConfig::new(id, settings, *schedule, &self.sessions))
            }
            #[cfg(not(feature = "aws"))]
            SourceConfig::CodePipeline(_)
            | SourceConfig::CloudWatch(_)
            | SourceConfig::AppConfig(_) => {
                let message = format!(
                    "{id}: this build knows no AWS, which a source of kind {} needs",
                    config.kind()
                );
                return Err(Fault::new(FaultKind::InvalidRequest, message)
                    .hint("install flightdeck with its default features, or take the source out"));
            }
            SourceConfig::Rehearsal(_) => {
                let message = format!("{id}: the rehearsal is a world of several sources, not one");
                return Err(Fault::new(FaultKind::InvalidRequest, message)
                    .hint("open it with --rehearse, or leave it to the program"));
            }
        })
    }
}
