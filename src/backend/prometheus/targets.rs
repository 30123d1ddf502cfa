//! Scrape jobs as environments: how many of their targets answer.

use std::collections::BTreeMap;

use super::wire::{Labels, Target, TargetsData};
use crate::domain::environment::{Environment, Health, Slot};
use crate::domain::ids::{EnvironmentId, SourceId};
use crate::domain::text::SafeText;

/// Targets that are down and named one by one.
const NAMED: usize = 3;

/// One environment per scrape job.
pub(super) fn environments(
    source: &SourceId,
    address: &str,
    data: &TargetsData,
) -> Vec<Environment> {
    let mut jobs: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for target in &data.active {
        let job = target.labels.get("job").map_or(target.scrape_pool.as_str(), String::as_str);
        jobs.entry(job).or_default().push(target);
    }
    jobs.into_iter().map(|(job, targets)| environment(source, address, job, &targets)).collect()
}

fn environment(source: &SourceId, address: &str, job: &str, targets: &[&Target]) -> Environment {
    let up = targets.iter().filter(|t| t.health == "up").count();
    let down: Vec<&&Target> = targets.iter().filter(|t| t.health == "down").collect();
    let unknown = targets.len() - up - down.len();
    let health = if up == targets.len() {
        Health::Healthy
    } else if down.is_empty() {
        // Not scraped yet.
        Health::Unknown
    } else if up == 0 && unknown == 0 {
        Health::Unhealthy
    } else {
        Health::Degraded
    };
    let mut summary = format!("{up} of {} targets up", targets.len());
    if unknown > 0 {
        summary.push_str(&format!(", {unknown} not scraped yet"));
    }
    if !down.is_empty() {
        let named: Vec<String> = down.iter().take(NAMED).map(|t| down_text(t)).collect();
        let rest = down.len().saturating_sub(NAMED);
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        summary.push_str(&format!("; down: {}{rest}", named.join(", ")));
    }
    let address_of_one = match targets {
        [only] if !only.scrape_url.is_empty() => Some(SafeText::new(&only.scrape_url)),
        _ => None,
    };
    Environment {
        id: EnvironmentId::new(source, job),
        name: job.into(),
        production: None,
        health,
        summary: Some(summary.into()),
        revision: None,
        slots: vec![Slot {
            name: job.into(),
            revision: None,
            percent: None,
            healthy: u32::try_from(up).ok(),
            desired: u32::try_from(targets.len()).ok(),
            health,
        }],
        address: address_of_one,
        latency: None,
        tls_expires: None,
        since: None,
        link: Some(format!("{address}/targets").into()),
        tags: common_labels(targets),
    }
}

fn down_text(target: &Target) -> String {
    let instance = target.labels.get("instance").unwrap_or(&target.scrape_url);
    if target.last_error.is_empty() {
        instance.clone()
    } else {
        format!("{instance} ({})", crate::domain::text::fit(&target.last_error, 120))
    }
}

/// The labels that all targets of the job share.
fn common_labels(targets: &[&Target]) -> BTreeMap<SafeText, SafeText> {
    let shared = |labels: &Labels, (name, value): (&String, &String)| {
        labels.get(name).is_some_and(|other| other == value)
    };
    let Some((first, rest)) = targets.split_first() else { return BTreeMap::new() };
    first
        .labels
        .iter()
        .filter(|pair| rest.iter().all(|target| shared(&target.labels, *pair)))
        .map(|(name, value)| (SafeText::from(name), SafeText::from(value)))
        .collect()
}
