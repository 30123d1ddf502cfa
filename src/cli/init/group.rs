//! Which of the resources that were found belong to one service, judged by their names. Pure.

use std::collections::BTreeMap;

use crate::domain::fact::FactKind;

/// Something that a source reported.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// The name of its source in the configuration.
    pub source: String,
    /// What it is.
    pub kind: FactKind,
    /// Its name within the source; of a flag `PROJECT:KEY`.
    pub name: String,
}

/// Resources that seem to be one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name suggested for the service.
    pub name: String,
    /// What belongs to it, in order.
    pub resources: Vec<Resource>,
}

/// What the grouping came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grouping {
    /// The services, by name.
    pub groups: Vec<Group>,
    /// What fits none of them.
    pub unclaimed: Vec<Resource>,
}

/// Words that say which stage, place or part a resource is, rather than which service.
const NOISE: [&str; 50] = [
    "alarm",
    "alarms",
    "app",
    "backend",
    "backends",
    "be",
    "blue",
    "build",
    "canary",
    "cd",
    "ci",
    "cicd",
    "com",
    "config",
    "deploy",
    "deployment",
    "dev",
    "development",
    "env",
    "example",
    "fe",
    "feature",
    "features",
    "flag",
    "flags",
    "frontend",
    "green",
    "https",
    "http",
    "internal",
    "live",
    "local",
    "localhost",
    "main",
    "master",
    "net",
    "org",
    "pipeline",
    "pipelines",
    "preprod",
    "prod",
    "production",
    "qa",
    "release",
    "stage",
    "staging",
    "svc",
    "test",
    "uat",
    "www",
];

/// Two names at least this alike (Jaro–Winkler) are one name with a slip or another ending.
const ALIKE: f64 = 0.95;

/// Groups what was found. A pipeline, an AppConfig application, an environment or a traffic split
/// makes a service; flags and alarms join one or stay unclaimed.
pub fn group(found: &[Resource]) -> Grouping {
    let mut found: Vec<&Resource> = found.iter().collect();
    found.sort();
    found.dedup();
    let mut anchors = Anchors::of(&found);
    let mut members: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
    let mut unclaimed = Vec::new();
    // Makers of services first, so that flags and alarms can join any of them.
    let (makers, joiners): (Vec<&Resource>, Vec<&Resource>) =
        found.into_iter().partition(|resource| makes_service(resource));
    for resource in makers.into_iter().chain(joiners) {
        match anchors.home(resource) {
            Some(name) => members.entry(name).or_default().push(resource.clone()),
            None => unclaimed.push(resource.clone()),
        }
    }
    let groups = members
        .into_iter()
        .map(|(name, mut resources)| {
            resources.sort();
            Group { name, resources }
        })
        .collect();
    Grouping { groups, unclaimed }
}

/// Pipelines, environments and traffic splits; and the applications of AppConfig, whose flags are
/// called `APPLICATION/PROFILE:KEY`.
fn makes_service(resource: &Resource) -> bool {
    match resource.kind {
        FactKind::Pipelines | FactKind::Environments | FactKind::Traffic => true,
        FactKind::Flags => application(&resource.name).is_some(),
        FactKind::Alarms | FactKind::Series | FactKind::Changes => false,
    }
}

/// The application in the name of an AppConfig flag.
pub(super) fn application(flag: &str) -> Option<&str> {
    let (document, _) = flag.split_once(':')?;
    Some(document.split_once('/')?.0)
}

/// The part of a resource's name that may hold the name of a service.
fn telling(resource: &Resource) -> &str {
    match resource.kind {
        FactKind::Flags => match application(&resource.name) {
            Some(application) => application,
            None => resource.name.split_once(':').map_or(&*resource.name, |(_, key)| key),
        },
        _ => &resource.name,
    }
}

/// The names of services found so far, as words.
struct Anchors {
    known: Vec<Vec<String>>,
    /// A first word that nearly all names share, as an organisation's.
    shared: Option<String>,
}

impl Anchors {
    fn of(found: &[&Resource]) -> Self {
        let pipelines: Vec<Vec<String>> = found
            .iter()
            .filter(|resource| resource.kind == FactKind::Pipelines)
            .map(|resource| words(telling(resource)))
            .collect();
        Self { known: Vec::new(), shared: shared_first(&pipelines) }
    }

    /// The service of a resource. One that makes services makes its own when it fits none.
    fn home(&mut self, resource: &Resource) -> Option<String> {
        let words = self.stem(telling(resource));
        if let Some(known) = self.nearest(&words, makes_service(resource)) {
            return Some(known.join("-"));
        }
        if !makes_service(resource) || words.is_empty() {
            return None;
        }
        let name = words.join("-");
        self.known.push(words);
        Some(name)
    }

    fn nearest(&self, words: &[String], whole: bool) -> Option<&Vec<String>> {
        let text = words.join("-");
        let alike = |known: &&Vec<String>| strsim::jaro_winkler(&known.join("-"), &text) >= ALIKE;
        let exact = self.known.iter().find(|known| known.as_slice() == words);
        let held = self
            .known
            .iter()
            .filter(|known| !whole && words.windows(known.len()).any(|part| same(part, known)))
            .max_by_key(|known| known.len());
        exact.or(held).or_else(|| self.known.iter().find(alike))
    }

    /// The words that name the service: without stages, places and the organisation's name. When
    /// nothing else is left, the name as it is.
    fn stem(&self, name: &str) -> Vec<String> {
        let all = words(name);
        let own = |word: &&String| self.shared.as_ref() != Some(*word);
        let kept: Vec<String> = all
            .iter()
            .filter(own)
            .filter(|word| !NOISE.contains(&word.as_str()) && !is_place(word))
            .cloned()
            .collect();
        if kept.is_empty() { all } else { kept }
    }
}

fn same(part: &[String], known: &[String]) -> bool {
    part.iter().zip(known).all(|(a, b)| a == b || strsim::jaro_winkler(a, b) >= ALIKE)
}

/// The first word, if there are at least three names and all begin with it and go on.
fn shared_first(names: &[Vec<String>]) -> Option<String> {
    let first = names.first()?.first()?;
    let shared = names.iter().all(|words| words.first() == Some(first) && words.len() > 1);
    let goes_on = |words: &&Vec<String>| {
        words.iter().skip(1).any(|word| !NOISE.contains(&word.as_str()) && !is_place(word))
    };
    let telling = names.iter().filter(goes_on).count();
    (names.len() >= 3 && shared && telling == names.len()).then(|| first.clone())
}

/// Numbers, and parts of the names of regions: `eu`, `west`, `1`, `1a`.
fn is_place(word: &str) -> bool {
    const PARTS: [&str; 16] = [
        "eu",
        "us",
        "ap",
        "sa",
        "ca",
        "af",
        "me",
        "east",
        "west",
        "north",
        "south",
        "central",
        "northeast",
        "southeast",
        "northwest",
        "southwest",
    ];
    PARTS.contains(&word) || word.chars().next().is_some_and(|c| c.is_ascii_digit())
}

/// The words of a name: split at signs and where camelCase goes up.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let up = c.is_uppercase() && was_lower;
        if !c.is_alphanumeric() || up {
            words.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
