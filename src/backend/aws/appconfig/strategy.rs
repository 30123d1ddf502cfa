//! The deployment strategy of our changes: which one, and how long it takes.

use aws_sdk_appconfig::Client;
use aws_sdk_appconfig::types::DeploymentStrategy;
use jiff::SignedDuration;

use super::AppConfig;
use super::deployments::growth_words;
use super::listing::PAGE;
use super::read::lock;
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// Where nothing else is configured: a flag that is turned off in need is off at once.
const USUAL: &str = "AppConfig.AllAtOnce";
/// What is shown of it is read again after this time: it can be edited.
const AGE: SignedDuration = SignedDuration::from_mins(5);
/// Pages of the listing of strategies that are read.
const MAX_PAGES: usize = 20;

/// A strategy that deployments of ours may use.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) id: String,
    /// `AppConfig.AllAtOnce: all at once, bakes 10m`.
    pub(super) words: SafeText,
}

impl AppConfig {
    /// The strategy that the settings ask for.
    pub(super) async fn chosen(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) -> Result<Chosen, Fault> {
        let wanted = self.strategy.as_deref().unwrap_or(USUAL);
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            context.spend().await;
            let request = connection.client.list_deployment_strategies().max_results(PAGE);
            let page = request.set_next_token(token.take()).send().await;
            let page =
                page.map_err(|e| connection.fault(&e, "ListDeploymentStrategies", context.now()))?;
            let fits =
                |it: &&DeploymentStrategy| it.id() == Some(wanted) || it.name() == Some(wanted);
            if let Some(found) = page.items().iter().find(fits) {
                return Ok(of(found, wanted));
            }
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break;
            }
        }
        let message = format!("there is no deployment strategy {wanted}");
        Err(Fault::new(FaultKind::NotFound, message)
            .hint("check `strategy` of this source in the configuration"))
    }

    /// How changes of ours would be deployed, in words; where that cannot be read, why.
    pub(super) async fn pace(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) -> Result<SafeText, Fault> {
        let now = context.now();
        let known = lock(&self.pace).clone();
        if let Some((_, words)) = known.filter(|(at, _)| now.duration_since(*at) < AGE) {
            return Ok(words);
        }
        let words = match self.chosen(connection, context).await {
            Ok(chosen) => chosen.words,
            Err(fault) if ends_read(&fault) => return Err(fault),
            Err(fault) => {
                let name = self.strategy.as_deref().unwrap_or(USUAL);
                SafeText::from(format!("{name}: how long it takes is unknown: {fault}"))
            }
        };
        *lock(&self.pace) = Some((now, words.clone()));
        Ok(words)
    }
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
