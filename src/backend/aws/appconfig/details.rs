//! What only a look at one deployment tells: its strategy, and when it was taken back.

use std::collections::BTreeMap;

use aws_sdk_appconfig::Client;
use aws_sdk_appconfig::types::DeploymentEventType;
use jiff::Timestamp;

use super::AppConfig;
use super::deployments::Deployment;
use super::lock::lock;
use crate::backend::aws::convert::{text, time};
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::context::ReadContext;
use crate::domain::error::Fault;
use crate::domain::text::SafeText;

/// What a look at one deployment tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detail {
    /// The name of its strategy, where it can be told.
    pub(super) strategy: Option<SafeText>,
    /// When it was taken back, and on whose behalf.
    pub(super) taken_back: Option<(Timestamp, Option<SafeText>)>,
}

/// Details by the number of the deployment.
pub(super) type Details = BTreeMap<i32, Detail>;

impl AppConfig {
    /// Adds the details of `wanted` to those `known`. One that may not be read is left out: it is
    /// decoration.
    pub(super) async fn details(
        &self,
        connection: &Connection<Client>,
        (application, environment): (&str, &str),
        wanted: &[&Deployment],
        known: &Details,
        context: &ReadContext,
    ) -> Result<Details, Fault> {
        let mut details = Details::new();
        for deployment in wanted {
            let number = deployment.number;
            // A deployment under way can still be taken back; its strategy stays.
            if let Some(known) = known.get(&number)
                && (known.taken_back.is_some() || !deployment.was_taken_back())
            {
                details.insert(number, known.clone());
                continue;
            }
            context.spend().await;
            let request = connection.client.get_deployment().application_id(application);
            let request = request.environment_id(environment).deployment_number(number);
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) => {
                    let fault = connection.fault(&error, "GetDeployment", context.now());
                    if ends_read(&fault) {
                        return Err(fault);
                    }
                    continue;
                }
            };
            let strategy = match answer.deployment_strategy_id() {
                Some(id) => self.strategy(connection, id, context).await?,
                None => None,
            };
            let back = answer.event_log().iter().find(|event| {
                matches!(
                    event.event_type(),
                    Some(
                        DeploymentEventType::RevertCompleted
                            | DeploymentEventType::RollbackCompleted
                    )
                )
            });
            let taken_back =
                back.and_then(|e| Some((time(e.occurred_at()?)?, text(e.description()))));
            details.insert(number, Detail { strategy, taken_back });
        }
        Ok(details)
    }

    async fn strategy(
        &self,
        connection: &Connection<Client>,
        id: &str,
        context: &ReadContext,
    ) -> Result<Option<SafeText>, Fault> {
        // Those that AWS brings along are called by their name.
        if id.starts_with("AppConfig.") {
            return Ok(Some(SafeText::new(id)));
        }
        let known = lock(&self.strategies).get(id).cloned();
        if known.is_some() {
            return Ok(known);
        }
        context.spend().await;
        let request = connection.client.get_deployment_strategy().deployment_strategy_id(id);
        match request.send().await {
            Ok(answer) => {
                let name = text(answer.name());
                if let Some(name) = &name {
                    lock(&self.strategies).insert(id.to_owned(), name.clone());
                }
                Ok(name)
            }
            Err(error) => {
                let fault = connection.fault(&error, "GetDeploymentStrategy", context.now());
                if ends_read(&fault) { Err(fault) } else { Ok(None) }
            }
        }
    }
}
