//! Scenarios: an everyday base and one story on top; every fault has its file and line.

use std::collections::BTreeSet;

use super::first_flips::ENVIRONMENTS;
use super::script::Script;
use super::world::SOURCES;
use crate::domain::text::SafeText;

/// The world that every story builds on.
const BASE: (&str, &str) = ("base.toml", include_str!("../../../assets/scenarios/base.toml"));

/// The embedded stories; the first is the one to open on.
const STORIES: [(&str, &str); 8] = [
    ("bad-canary", include_str!("../../../assets/scenarios/bad-canary.toml")),
    ("good-canary", include_str!("../../../assets/scenarios/good-canary.toml")),
    ("silent-canary", include_str!("../../../assets/scenarios/silent-canary.toml")),
    ("flapping-metrics", include_str!("../../../assets/scenarios/flapping-metrics.toml")),
    ("quiet-day", include_str!("../../../assets/scenarios/quiet-day.toml")),
    ("flag-flip", include_str!("../../../assets/scenarios/flag-flip.toml")),
    ("superseded-approval", include_str!("../../../assets/scenarios/superseded-approval.toml")),
    ("dead-backends", include_str!("../../../assets/scenarios/dead-backends.toml")),
];

/// What is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {problem}", line.map(|l| format!(":{l}")).unwrap_or_default())]
pub struct ScenarioError {
    /// The file, or the name that was asked for.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// Names of the embedded scenarios; the first is the default.
pub fn names() -> impl Iterator<Item = &'static str> {
    STORIES.iter().map(|(name, _)| *name)
}

/// The scenario of this name, or in the file of this path; with its name.
pub fn load(wanted: &str) -> Result<(SafeText, Script), ScenarioError> {
    if let Some((name, text)) = STORIES.iter().find(|(name, _)| *name == wanted) {
        return Ok(((*name).into(), read(&format!("{name}.toml"), text)?));
    }
    let error = |problem| ScenarioError { file: wanted.to_owned(), line: None, problem };
    let path = std::path::Path::new(wanted);
    if path.extension().is_none_or(|ending| ending != "toml") {
        let nearest = names().min_by_key(|name| strsim::damerau_levenshtein(name, wanted));
        let hint = nearest.map(|name| format!(", did you mean {name}?")).unwrap_or_default();
        let known: Vec<&str> = names().collect();
        return Err(error(format!(
            "there is no such scenario{hint}; there are {}, or give the path of a .toml file",
            known.join(", ")
        )));
    }
    let text = std::fs::read_to_string(wanted).map_err(|e| error(e.to_string()))?;
    let name = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    Ok((name.unwrap_or_default().into(), read(wanted, &text)?))
}

/// A story from the text of `file`, on top of the base.
pub fn read(file: &str, text: &str) -> Result<Script, ScenarioError> {
    let base = parse(BASE.0, BASE.1)?;
    let story = parse(file, text)?;
    let whole = base.join(story);
    check(&whole).map_err(|(word, problem)| ScenarioError {
        file: file.to_owned(),
        line: text.lines().position(|line| line.contains(&format!("\"{word}\""))).map(|at| at + 1),
        problem,
    })?;
    Ok(whole)
}

fn parse(file: &str, text: &str) -> Result<Script, ScenarioError> {
    toml::from_str(text).map_err(|error| ScenarioError {
        file: file.to_owned(),
        line: error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1),
        problem: error.message().to_owned(),
    })
}

/// Names that lead nowhere: the name, and what is wrong with it.
fn check(script: &Script) -> Result<(), (String, String)> {
    let services: BTreeSet<&str> = script.services.iter().map(|s| s.name.as_str()).collect();
    let used = script
        .runs
        .iter()
        .map(|r| &r.service)
        .chain(script.shifts.iter().map(|s| &s.service))
        .chain(script.trends.iter().map(|t| &t.service))
        .chain(script.alarms.iter().map(|a| &a.service))
        .chain(script.holds.iter().map(|h| &h.service))
        .chain(script.healths.iter().map(|h| &h.service))
        .chain(script.flags.iter().map(|f| &f.service))
        .chain(script.services.iter().flat_map(|s| &s.needs));
    for name in used {
        known("service", name, &services)?;
    }
    let flags: BTreeSet<&str> = script.flags.iter().map(|f| f.key.as_str()).collect();
    for flip in &script.flips {
        known("flag", &flip.flag, &flags)?;
        known("environment", &flip.environment, &ENVIRONMENTS.into_iter().collect())?;
    }
    let sources: BTreeSet<&str> = SOURCES.into_iter().collect();
    for outage in &script.outages {
        known("source", &outage.source, &sources)?;
    }
    let staged = script
        .runs
        .iter()
        .flat_map(|r| {
            let failed = r.fails.iter().chain(&r.refused).map(|f| (&r.service, &f.stage));
            failed.chain(r.stopped.as_ref().map(|s| (&r.service, &s.stage)))
        })
        .chain(script.holds.iter().map(|h| (&h.service, &h.stage)));
    for (service, stage) in staged {
        let stages = script.service(service).map(|s| s.stages.iter().map(String::as_str).collect());
        known("stage", stage, &stages.unwrap_or_default())?;
    }
    for service in &script.services {
        let regions: BTreeSet<&str> = ["eu", "us"].into_iter().collect();
        known("region", &service.region, &regions)?;
    }
    Ok(())
}

fn known(what: &str, name: &str, all: &BTreeSet<&str>) -> Result<(), (String, String)> {
    if all.contains(name) {
        return Ok(());
    }
    let nearest = all.iter().min_by_key(|other| strsim::damerau_levenshtein(other, name));
    let hint = nearest.map(|other| format!("; did you mean {other}?")).unwrap_or_default();
    Err((name.to_owned(), format!("there is no {what} {name}{hint}")))
}
