//! Writes: a flag changes by a new version of its profile's document and a deployment of that.
//!
//! The new version is made of the one that is live in the environment, so that nothing else ships
//! with the change. A version has no effect by itself: only the deployment does, and that is sent
//! once, for the state that was seen (`LatestVersionNumber`, `LatestDeploymentNumber`).

use aws_sdk_appconfig::Client;
use aws_sdk_appconfig::primitives::Blob;
use aws_sdk_appconfig::types::{
    DeploymentState, DeploymentSummary, HostedConfigurationVersionSummary,
};
use serde_json::Value;

use super::change::changed;
use super::deployments::{Deployed, Deployment, Seen};
use super::flags::flag_id;
use super::listing::PAGE;
use super::{AppConfig, Named};
use crate::backend::aws::moved;
use crate::backend::aws::reader::Connection;
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::FlagId;
use crate::domain::observation::Topic;
use crate::domain::text::SafeText;
use crate::domain::write::{FlagChange, Order, Receipt, Write};

/// Pages of versions that are looked through for the latest.
const MAX_PAGES: usize = 40;
/// The content type of flag documents, where a version does not say its own.
const JSON: &str = "application/json";

/// Which flag, where, how, and by which strategy.
type Wanted<'a> = (&'a FlagId, &'a SafeText, &'a FlagChange, &'a Option<SafeText>);

/// Where a flag is changed.
struct Site {
    application: Named,
    profile: Named,
    environment: Named,
    key: SafeText,
}

/// What stands there right before the change.
struct Standing {
    /// The number of the newest deployment in the environment, of whatever profile.
    newest: i32,
    /// What is under way there, of whatever profile: there can be only one.
    busy: Option<String>,
    /// What is deployed of the profile.
    deployed: Deployed,
}

impl AppConfig {
    /// Reads, compares, and sends once.
    pub(super) async fn write(
        &self,
        order: &Order,
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        let Write::Flag { flag, environment, change, strategy } = order.write() else {
            let verb = order.write().verb();
            return Err(refuse(format!("appconfig cannot {}", verb.word())));
        };
        let connection = self.reader.connect(context.now()).await?;
        let sent = match moved::check(self, Topic::Overview, order, context).await {
            Ok(()) => {
                self.carry_out(&connection, order, (flag, environment, change, strategy), context)
                    .await
            }
            Err(fault) => Err(fault),
        };
        if let Err(fault) = &sent {
            self.reader.learn(&connection.loaded, fault, context.now()).await;
        }
        sent
    }

    async fn carry_out(
        &self,
        connection: &Connection<Client>,
        order: &Order,
        (flag, environment, change, strategy): Wanted<'_>,
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        let site = self.site(connection, flag, environment, context).await?;
        let standing = self.standing(connection, &site, context).await?;
        let Some(live) = &standing.deployed.live else {
            let why = format!("nothing of {} is deployed in {environment}", site.profile.name);
            return Err(refuse(why));
        };
        let (seen, now) = (order.expects().get("version"), live.version_text());
        if let Some(seen) = seen.filter(|seen| **seen != now) {
            let message = format!("version was {seen}, is {now}");
            return Err(Fault::new(FaultKind::Conflict, message));
        }
        match change {
            FlagChange::Halt => self.halt(connection, &site, &standing, context).await,
            FlagChange::Revert => self.revert(connection, &site, &standing, context).await,
            _ => self.deploy(connection, &site, &standing, (live, change, strategy), context).await,
        }
    }

    /// Finds the ids of what is named.
    async fn site(
        &self,
        connection: &Connection<Client>,
        flag: &FlagId,
        environment: &SafeText,
        context: &ReadContext,
    ) -> Result<Site, Fault> {
        let key = flag.name.as_str().rsplit_once(':').map_or("", |(_, key)| key);
        for application in self.applications(connection, context).await? {
            if !flag.name.as_str().starts_with(&format!("{}/", application.name)) {
                continue;
            }
            let structure = match self.known_structure(&application.id, context.now()) {
                Some(known) => known,
                None => self.structure(connection, &application.id, context).await?,
            };
            let profile = structure.profiles.iter().find(|profile| {
                let project = format!("{}/{}", application.name, profile.name);
                flag_id(&self.id, &project, key) == *flag
            });
            let Some(profile) = profile.cloned() else { continue };
            let found = structure.environments.into_iter().find(|own| own.name == *environment);
            let environment = found.ok_or_else(|| gone(environment.as_str()))?;
            return Ok(Site { application, profile, environment, key: SafeText::new(key) });
        }
        Err(gone(flag.name.as_str()))
    }

    async fn standing(
        &self,
        connection: &Connection<Client>,
        site: &Site,
        context: &ReadContext,
    ) -> Result<Standing, Fault> {
        context.spend().await;
        let request = connection.client.list_deployments().application_id(&site.application.id);
        let request = request.environment_id(&site.environment.id).max_results(PAGE);
        let page = request.send().await;
        let page = page.map_err(|e| connection.fault(&e, "ListDeployments", context.now()))?;
        let newest =
            page.items().iter().map(DeploymentSummary::deployment_number).max().unwrap_or(0);
        let is_moving = |it: &&DeploymentSummary| {
            let quiet =
                [DeploymentState::Complete, DeploymentState::RolledBack, DeploymentState::Reverted];
            it.state().is_some_and(|state| !quiet.contains(state))
        };
        let busy = page.items().iter().find(is_moving).map(|it| {
            format!(
                "deployment {} of {} version {} is under way: {}, {:.0}%",
                it.deployment_number(),
                it.configuration_name().unwrap_or("a profile"),
                it.configuration_version().unwrap_or("?"),
                it.state().map_or("?", DeploymentState::as_str),
                it.percentage_complete().unwrap_or_default()
            )
        });
        // What is read after the number is guarded by it.
        let place = (site.application.id.as_str(), site.environment.id.as_str());
        let profiles = std::slice::from_ref(&site.profile);
        let (mut found, _) =
            self.deployments(connection, place, profiles, &Seen::default(), context).await?;
        let deployed = found.remove(&site.profile.id).unwrap_or_default();
        Ok(Standing { newest, busy, deployed })
    }

    async fn deploy(
        &self,
        connection: &Connection<Client>,
        site: &Site,
        standing: &Standing,
        (live, change, strategy): (&Deployment, &FlagChange, &Option<SafeText>),
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        if let Some(busy) = &standing.busy {
            return Err(Fault::new(FaultKind::Conflict, busy.as_str())
                .hint("wait until it is complete, or stop it"));
        }
        let (text, kind) = self.text(connection, site, live.version, context).await?;
        let Some(text) = changed(&text, &site.key, change)
            .map_err(|why| refuse(format!("{}: {why}", site.key)))?
        else {
            let note = Some("it was so already; nothing was sent".into());
            return Ok(Receipt { id: None, note });
        };
        let strategy = self.chosen(connection, strategy.as_ref(), context).await?;
        let latest = self.latest(connection, site, context).await?;
        let words = format!("{} {} (flightdeck)", site.key, in_words(change));

        context.spend().await;
        let request = connection.client.create_hosted_configuration_version();
        let request = request.application_id(&site.application.id).description(&words);
        let request = request.configuration_profile_id(&site.profile.id).content_type(kind);
        let request = request.latest_version_number(latest).content(Blob::new(text));
        let version = request.send().await.map_err(|error| {
            // Whatever became of the version, nobody gets it.
            let now = context.now();
            let fault = connection.fault(&error, "CreateHostedConfigurationVersion", now);
            let perhaps = match fault.kind {
                FaultKind::Unreachable | FaultKind::ServerError | FaultKind::InvalidReply => {
                    "a version may have been made, and "
                }
                _ => "",
            };
            let message = format!("{}; {perhaps}nothing was deployed", fault.message);
            Fault { message: message.into(), ..fault }
        })?;
        let said = version.content().map(AsRef::as_ref).unwrap_or_default();
        let is_read = said.is_empty() || serde_json::from_slice::<Value>(said).is_ok();
        let version = version.version_number();
        if version <= latest || !is_read {
            let message = "the answer to the new version could not be read; nothing was deployed";
            return Err(Fault::new(FaultKind::InvalidReply, message));
        }

        context.spend().await;
        let request = connection.client.start_deployment().application_id(&site.application.id);
        let request = request.environment_id(&site.environment.id).description(&words);
        let request = request.configuration_profile_id(&site.profile.id);
        let request = request.deployment_strategy_id(&strategy.id);
        let request = request.configuration_version(version.to_string());
        let request = request.latest_deployment_number(standing.newest);
        let started = request.send().await.map_err(|error| {
            let fault = connection.write_fault(&error, "StartDeployment", context.now());
            let made = match fault.kind {
                FaultKind::OutcomeUnknown => format!("it was for version {version}"),
                _ => format!("version {version} was made and is not deployed"),
            };
            let message = format!("{}; {made}", fault.message);
            Fault { message: message.into(), ..fault }
        })?;
        let mut note = format!(
            "version {version}, deployment {}, {}",
            started.deployment_number(),
            strategy.words
        );
        if latest > live.version {
            note += &format!(
                "; it is version {} with this change: what came since ({}) is not in it",
                live.version,
                between(live.version + 1, latest)
            );
        }
        let id = Some(SafeText::from(started.deployment_number().to_string()));
        Ok(Receipt { id, note: Some(note.into()) })
    }

    /// The raw document of a version, and its type.
    async fn text(
        &self,
        connection: &Connection<Client>,
        site: &Site,
        version: i32,
        context: &ReadContext,
    ) -> Result<(String, String), Fault> {
        const OPERATION: &str = "GetHostedConfigurationVersion";
        context.spend().await;
        let request = connection.client.get_hosted_configuration_version();
        let request = request.application_id(&site.application.id).version_number(version);
        let answer = request.configuration_profile_id(&site.profile.id).send().await;
        let answer = answer.map_err(|e| connection.fault(&e, OPERATION, context.now()))?;
        let kind = answer.content_type().unwrap_or(JSON).to_owned();
        let content = answer.content.map(Blob::into_inner).unwrap_or_default();
        let text = String::from_utf8(content).map_err(|_| {
            let message = format!("version {version} is no text");
            Fault::new(FaultKind::InvalidReply, message)
        })?;
        Ok((text, kind))
    }

    /// The number of the latest version of the profile.
    async fn latest(
        &self,
        connection: &Connection<Client>,
        site: &Site,
        context: &ReadContext,
    ) -> Result<i32, Fault> {
        const OPERATION: &str = "ListHostedConfigurationVersions";
        let (mut latest, mut token): (i32, Option<String>) = (0, None);
        for _ in 0..MAX_PAGES {
            context.spend().await;
            let request = connection.client.list_hosted_configuration_versions();
            let request = request.application_id(&site.application.id).max_results(PAGE);
            let request = request.configuration_profile_id(&site.profile.id);
            let page = request.set_next_token(token.take()).send().await;
            let page = page.map_err(|e| connection.fault(&e, OPERATION, context.now()))?;
            latest = page
                .items()
                .iter()
                .map(HostedConfigurationVersionSummary::version_number)
                .fold(latest, i32::max);
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(latest);
            }
        }
        let message = format!("appconfig:{OPERATION} does not end after {MAX_PAGES} pages");
        Err(Fault::new(FaultKind::InvalidReply, message))
    }

    /// Stops what is under way.
    async fn halt(
        &self,
        connection: &Connection<Client>,
        site: &Site,
        standing: &Standing,
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        let Some(running) = &standing.deployed.running else {
            let message = "no deployment is under way any more";
            return Err(Fault::new(FaultKind::Conflict, message)
                .hint("see how it ended; one that is complete can be taken back"));
        };
        // One that bakes has reached everybody: only with this is it taken back.
        let everywhere = running.state == DeploymentState::Baking;
        self.stop(connection, site, running, everywhere, context).await
    }

    /// Takes back what was deployed last.
    async fn revert(
        &self,
        connection: &Connection<Client>,
        site: &Site,
        standing: &Standing,
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        if let Some(running) = &standing.deployed.running {
            let message = format!("deployment {} is under way", running.number);
            return Err(Fault::new(FaultKind::Conflict, message).hint("stop it instead"));
        }
        let recent = &standing.deployed.recent;
        let Some(last) = recent.first().filter(|it| it.state == DeploymentState::Complete) else {
            return Err(refuse("the last deployment was taken back already"));
        };
        if !recent.iter().skip(1).any(Deployment::is_live) {
            return Err(refuse("there was nothing before the last deployment"));
        }
        self.stop(connection, site, last, true, context).await
    }

    async fn stop(
        &self,
        connection: &Connection<Client>,
        site: &Site,
        deployment: &Deployment,
        allow_revert: bool,
        context: &ReadContext,
    ) -> Result<Receipt, Fault> {
        context.spend().await;
        let request = connection.client.stop_deployment().application_id(&site.application.id);
        let request = request.environment_id(&site.environment.id);
        let request = request.deployment_number(deployment.number);
        let request = request.set_allow_revert(allow_revert.then_some(true));
        let stopped = request.send().await;
        let stopped =
            stopped.map_err(|e| connection.write_fault(&e, "StopDeployment", context.now()))?;
        self.look_again(&site.application.id);
        let state = stopped.state().map_or("stopped", DeploymentState::as_str);
        let note =
            format!("deployment {} of version {}: {state}", deployment.number, deployment.version);
        let id = Some(SafeText::from(deployment.number.to_string()));
        Ok(Receipt { id, note: Some(note.into()) })
    }
}

fn in_words(change: &FlagChange) -> String {
    match change {
        FlagChange::Enabled { on: true } => "on".to_owned(),
        FlagChange::Enabled { on: false } => "off".to_owned(),
        FlagChange::Percent { percent } => format!("for {percent}%"),
        // A description takes 1,024 characters.
        FlagChange::Attribute { name, value } => {
            format!("{name} = {value}").chars().take(200).collect()
        }
        FlagChange::Stale { stale: true } => "deprecated".to_owned(),
        FlagChange::Stale { stale: false } => "no longer deprecated".to_owned(),
        FlagChange::Halt => "stopped".to_owned(),
        FlagChange::Revert => "taken back".to_owned(),
    }
}

fn between(first: i32, last: i32) -> String {
    if first == last { format!("version {first}") } else { format!("versions {first} to {last}") }
}

fn refuse(message: impl Into<SafeText>) -> Fault {
    Fault::new(FaultKind::InvalidRequest, message).hint("nothing was sent; read the flag again")
}

fn gone(name: &str) -> Fault {
    Fault::new(FaultKind::NotFound, format!("{name} is gone"))
}
