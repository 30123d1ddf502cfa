//! The deployment strategies of our changes: which ones, and how long they take.

use aws_sdk_appconfig::Client;
use aws_sdk_appconfig::types::DeploymentStrategy;
use jiff::SignedDuration;

use super::AppConfig;
use super::deployments::growth_words;
use super::listing::PAGE;
use super::lock::lock;
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::flag::Pace;
use crate::domain::text::SafeText;

/// Where nothing else is configured: a flag that is turned off in need is off at once.
const USUAL: &str = "AppConfig.AllAtOnce";
/// What is shown of it is read again after this time: it can be edited.
const AGE: SignedDuration = SignedDuration::from_mins(5);
/// Pages of the listing of strategies that are read.
const MAX_PAGES: usize = 20;

/// Names or ids of the strategies that may be used, the usual one first.
pub(super) fn offered(configured: &[String]) -> Vec<String> {
    if configured.is_empty() { vec![USUAL.to_owned()] } else { configured.to_vec() }
}

/// A strategy that a deployment of ours uses.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) id: String,
    /// `AppConfig.AllAtOnce: all at once, bakes 10m`.
    pub(super) words: SafeText,
}

impl AppConfig {
    /// The strategy of this name, the usual one if none is said; only those that the settings offer.
    pub(super) async fn chosen(
        &self,
        connection: &Connection<Client>,
        name: Option<&SafeText>,
        context: &ReadContext,
    ) -> Result<Chosen, Fault> {
        let mut offered = self.offered.iter();
        let wanted = match name {
            Some(name) => offered.find(|own| *name == *own.as_str()),
            None => offered.next(),
        };
        let wanted = wanted.ok_or_else(|| {
            let name = name.map(ToString::to_string).unwrap_or_default();
            let message = format!("{name} is no strategy that the configuration offers");
            Fault::new(FaultKind::InvalidRequest, message)
        })?;
        let all = self.listed_strategies(connection, context).await?;
        all.iter().find(|it| is_called(it, wanted)).map(|it| of(it, wanted)).ok_or_else(|| {
            let message = format!("there is no deployment strategy {wanted}");
            Fault::new(FaultKind::NotFound, message)
                .hint("check `strategies` of this source in the configuration")
        })
    }

    async fn listed_strategies(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) -> Result<Vec<DeploymentStrategy>, Fault> {
        let (mut found, mut token): (Vec<_>, Option<String>) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            context.spend().await;
            let request = connection.client.list_deployment_strategies().max_results(PAGE);
            let page = request.set_next_token(token.take()).send().await;
            let page =
                page.map_err(|e| connection.fault(&e, "ListDeploymentStrategies", context.now()))?;
            found.extend(page.items.unwrap_or_default());
            token = page.next_token.filter(|token| !token.is_empty());
            let is_enough =
                self.offered.iter().all(|own| found.iter().any(|it| is_called(it, own)));
            if token.is_none() || is_enough {
                break;
            }
        }
        Ok(found)
    }

    /// How changes of ours may be deployed; where that cannot be read, the words say why.
    pub(super) async fn paces(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) -> Result<(), Fault> {
        let now = context.now();
        let known = lock(&self.paces).as_ref().map(|(at, _)| *at);
        if known.is_some_and(|at| now.duration_since(at) < AGE) {
            return Ok(());
        }
        let listed = self.listed_strategies(connection, context).await;
        if let Err(fault) = &listed
            && ends_read(fault)
        {
            return Err(fault.clone());
        }
        let paces = self.offered.iter().map(|name| {
            let words = match &listed {
                Ok(all) => match all.iter().find(|it| is_called(it, name)) {
                    Some(it) => of(it, name).words,
                    None => SafeText::from(format!("{name}: there is no such strategy")),
                },
                Err(fault) => {
                    SafeText::from(format!("{name}: how long it takes is unknown: {fault}"))
                }
            };
            Pace { name: SafeText::new(name), words }
        });
        let paces = paces.collect();
        *lock(&self.paces) = Some((now, paces));
        Ok(())
    }
}

fn is_called(strategy: &DeploymentStrategy, name: &str) -> bool {
    strategy.id() == Some(name) || strategy.name() == Some(name)
}

fn of(found: &DeploymentStrategy, wanted: &str) -> Chosen {
    let name = found.name().unwrap_or(wanted);
    let growth = growth_words(
        found.deployment_duration_in_minutes(),
        found.final_bake_time_in_minutes(),
        found.growth_factor(),
        found.growth_type(),
    );
    Chosen {
        id: found.id().unwrap_or(wanted).to_owned(),
        words: SafeText::from(format!("{name}: {growth}")),
    }
}
