//! The listings: applications, their environments and their flag profiles.

use std::collections::BTreeMap;

use aws_sdk_appconfig::Client;
use jiff::{SignedDuration, Timestamp};

use super::{AppConfig, Named};
use crate::backend::aws::reader::Connection;
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// The type of profiles that hold flags.
const FLAGS: &str = "AWS.AppConfig.FeatureFlags";
/// Things asked for in one page: the most that the API takes.
pub(super) const PAGE: i32 = 50;
/// Pages of one listing, so that an endless one ends.
const MAX_PAGES: usize = 200;
/// Generous: emulators have longer ones.
const LONGEST_ID: usize = 64;
/// Environments and profiles are listed again after this time: they seldom come and go.
const AGE: SignedDuration = SignedDuration::from_mins(5);

/// The environments and flag profiles of one application.
#[derive(Clone, Debug)]
pub(super) struct Structure {
    pub(super) environments: Vec<Named>,
    pub(super) profiles: Vec<Named>,
    read: Timestamp,
}

impl Structure {
    pub(super) fn is_recent(&self, now: Timestamp) -> bool {
        now.duration_since(self.read) < AGE
    }
}

/// Asks for the pages of one listing into `$found`, an item of each by `$take`.
macro_rules! pages {
    ($connection:ident, $context:ident, $operation:literal, $request:expr, $take:expr) => {{
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        let mut pages = 0;
        loop {
            if pages == MAX_PAGES {
                let message = format!("{} does not end after {MAX_PAGES} pages", $operation);
                return Err(Fault::new(FaultKind::InvalidReply, message));
            }
            pages += 1;
            $context.spend().await;
            let request = $request.max_results(PAGE).set_next_token(token.take());
            let page = request.send().await;
            let page = page.map_err(|e| $connection.fault(&e, $operation, $context.now()))?;
            // Even an empty listing has a list in it: an answer without one is none.
            let items = page.items.ok_or_else(|| odd($operation, "an answer without a list"))?;
            found.extend(items.into_iter().filter_map($take));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                break named($operation, found)?;
            }
        }
    }};
}

impl AppConfig {
    /// Every application that the settings ask for.
    pub(super) async fn applications(
        &self,
        connection: &Connection<Client>,
        context: &ReadContext,
    ) -> Result<Vec<Named>, Fault> {
        Ok(pages!(
            connection,
            context,
            "ListApplications",
            connection.client.list_applications(),
            |it| {
                let name = it.name.filter(|name| self.wants(name))?;
                Some((it.id?, name))
            }
        ))
    }

    /// What an application consists of.
    pub(super) async fn structure(
        &self,
        connection: &Connection<Client>,
        application: &str,
        context: &ReadContext,
    ) -> Result<Structure, Fault> {
        let profiles = pages!(
            connection,
            context,
            "ListConfigurationProfiles",
            connection
                .client
                .list_configuration_profiles()
                .application_id(application)
                .r#type(FLAGS),
            |it| {
                let is_flags = it.r#type.as_deref().is_none_or(|kind| kind == FLAGS);
                is_flags.then_some((it.id?, it.name?))
            }
        );
        let mut environments = Vec::new();
        if !profiles.is_empty() {
            environments = pages!(
                connection,
                context,
                "ListEnvironments",
                connection.client.list_environments().application_id(application),
                |it| Some((it.id?, it.name?))
            );
        }
        Ok(Structure { environments, profiles, read: context.now() })
    }
}

/// Names need not be unique: then the id is added.
///
/// Ids become parts of addresses, where the SDK takes no long ones; those of the service have at
/// most seven characters (`Id` in its API reference).
fn named(operation: &str, found: Vec<(String, String)>) -> Result<Vec<Named>, Fault> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for (id, name) in &found {
        if id.is_empty() || id.len() > LONGEST_ID {
            return Err(odd(operation, "an id that cannot be one"));
        }
        *times.entry(name.clone()).or_default() += 1;
    }
    let unique = |id: &str, name: String| match times.get(&name) {
        Some(1) => SafeText::from(name),
        _ => SafeText::from(format!("{name} ({id})")),
    };
    Ok(found.into_iter().map(|(id, name)| Named { name: unique(&id, name), id }).collect())
}

fn odd(operation: &str, what: &str) -> Fault {
    Fault::new(FaultKind::InvalidReply, format!("appconfig:{operation}: {what}"))
}
