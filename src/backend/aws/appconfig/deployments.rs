//! What is deployed in one environment, from the listing of its deployments.

use std::collections::BTreeMap;

use aws_sdk_appconfig::Client;
use aws_sdk_appconfig::types::{DeploymentState, DeploymentSummary, GrowthType};
use jiff::Timestamp;

use super::listing::PAGE;
use super::{AppConfig, Named};
use crate::backend::aws::convert::{text, time};
use crate::backend::aws::reader::Connection;
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// Pages read to find what is deployed, at most.
const MAX_PAGES: usize = 10;

/// One deployment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Deployment {
    pub(super) number: i32,
    /// The number of the version.
    pub(super) version: i32,
    pub(super) label: Option<SafeText>,
    pub(super) state: DeploymentState,
    /// Share of callers that get the version, 0–100.
    pub(super) percent: f64,
    pub(super) started: Option<Timestamp>,
    pub(super) completed: Option<Timestamp>,
    /// How it grows: `linear 20 % over 10m, bakes 5m`.
    pub(super) growth: SafeText,
}

/// The deployments of one profile in one environment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Deployed {
    /// What every caller gets, where nothing is under way.
    pub(super) live: Option<Deployment>,
    /// What is under way.
    pub(super) running: Option<Deployment>,
    /// Newest first, as far as they were listed.
    pub(super) recent: Vec<Deployment>,
    /// Whether there are no older ones.
    pub(super) is_whole: bool,
    /// Not found in as much of the listing as is read.
    pub(super) is_lost: bool,
}

/// What is remembered of an environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Deployments up to this number need not be listed again.
    upto: i32,
    /// What they left deployed, by profile.
    live: BTreeMap<String, Deployment>,
}

impl Deployment {
    fn of(it: &DeploymentSummary) -> Result<Self, Fault> {
        let version = it.configuration_version().unwrap_or_default();
        let Ok(version) = version.parse() else {
            let message = format!("deployment {}: no version {version:?}", it.deployment_number());
            return Err(Fault::new(FaultKind::InvalidReply, message));
        };
        Ok(Self {
            number: it.deployment_number(),
            version,
            label: text(it.version_label()),
            state: it.state().cloned().unwrap_or_else(|| DeploymentState::from("UNKNOWN")),
            percent: f64::from(it.percentage_complete().unwrap_or_default()).clamp(0.0, 100.0),
            started: it.started_at().and_then(time),
            completed: it.completed_at().and_then(time),
            growth: growth_words(
                it.deployment_duration_in_minutes(),
                it.final_bake_time_in_minutes(),
                it.growth_factor(),
                it.growth_type(),
            ),
        })
    }

    /// Whether every caller gets its version: while it bakes, it only watches its alarms.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.state, DeploymentState::Complete | DeploymentState::Baking)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(
            self.state,
            DeploymentState::Baking
                | DeploymentState::Deploying
                | DeploymentState::RollingBack
                | DeploymentState::Validating
        )
    }

    pub(super) fn was_taken_back(&self) -> bool {
        matches!(self.state, DeploymentState::RolledBack | DeploymentState::Reverted)
    }

    /// The version, with its label.
    pub(super) fn version_text(&self) -> SafeText {
        match &self.label {
            Some(label) => SafeText::from(format!("{} {label}", self.version)),
            None => SafeText::from(self.version.to_string()),
        }
    }
}

/// How a deployment grows: `linear 20 % over 10m, bakes 5m`.
pub(super) fn growth_words(
    minutes: i32,
    bake: i32,
    factor: Option<f32>,
    kind: Option<&GrowthType>,
) -> SafeText {
    let factor = factor.unwrap_or_default();
    let mut words = match kind {
        _ if minutes == 0 || factor >= 100.0 => "all at once".to_owned(),
        Some(GrowthType::Exponential) => format!("exponential {factor} % over {minutes}m"),
        Some(GrowthType::Linear) | None => format!("linear {factor} % over {minutes}m"),
        Some(other) => format!("{} {factor} % over {minutes}m", other.as_str().to_lowercase()),
    };
    if bake > 0 {
        words = format!("{words}, bakes {bake}m");
    }
    SafeText::from(words)
}

impl AppConfig {
    /// The deployments of each of `profiles` in one environment, and what to remember of them.
    ///
    /// The listing is of all profiles, newest first. It is read until each profile's live version
    /// is found, or until where the last read began.
    pub(super) async fn deployments(
        &self,
        connection: &Connection<Client>,
        (application, environment): (&str, &str),
        profiles: &[Named],
        seen: &Seen,
        context: &ReadContext,
    ) -> Result<(BTreeMap<String, Deployed>, Seen), Fault> {
        let mut found: BTreeMap<String, Deployed> =
            profiles.iter().map(|profile| (profile.id.clone(), Deployed::default())).collect();
        let (mut highest, mut lowest) = (0, i32::MAX);
        let mut is_whole = false;
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            context.spend().await;
            let request = connection
                .client
                .list_deployments()
                .application_id(application)
                .environment_id(environment)
                .max_results(PAGE);
            let page = request.set_next_token(token.take()).send().await;
            let page = page.map_err(|e| connection.fault(&e, "ListDeployments", context.now()))?;
            for it in page.items() {
                highest = highest.max(it.deployment_number());
                lowest = lowest.min(it.deployment_number());
                // Not everything that speaks this API names the profile by its id.
                let profile = profiles.iter().find(|p| match it.configuration_profile_id() {
                    Some(id) => p.id == id,
                    None => it.configuration_name().is_some_and(|name| p.name == *name),
                });
                let slot = profile.and_then(|profile| found.get_mut(&profile.id));
                if let Some(slot) = slot {
                    slot.recent.push(Deployment::of(it)?);
                }
            }
            token = page.next_token.filter(|token| !token.is_empty());
            is_whole = token.is_none();
            let is_found = found.values().all(|d| d.recent.iter().any(Deployment::is_live));
            if is_whole || is_found || lowest <= seen.upto {
                break;
            }
        }
        let is_known = is_whole || lowest <= seen.upto;
        let mut next = Seen { upto: highest, live: BTreeMap::new() };
        for (profile, deployed) in &mut found {
            // Newest first is what the API promises; what is live hangs on it.
            deployed.recent.sort_by_key(|it| std::cmp::Reverse(it.number));
            deployed.running = deployed.recent.iter().find(|it| it.is_running()).cloned();
            let live = deployed.recent.iter().find(|it| it.is_live()).cloned();
            let older = (!is_whole).then(|| seen.live.get(profile).cloned()).flatten();
            deployed.live = live.or(older);
            deployed.is_whole = is_whole;
            deployed.is_lost = deployed.live.is_none() && !is_known;
            if deployed.is_lost {
                next.upto = 0;
            }
            // While something bakes, it may still be taken back.
            let settled = deployed.live.clone().filter(|it| it.state == DeploymentState::Complete);
            match settled {
                Some(settled) => {
                    next.live.insert(profile.clone(), settled);
                }
                None if deployed.live.is_some() => next.upto = 0,
                None => {}
            }
        }
        Ok((found, next))
    }
}
