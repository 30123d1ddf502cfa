//! The text of a first configuration: what was found, with comments. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::find::{Answer, Outcome};
use super::group::{Group, Grouping, Resource, application};
use crate::config::scalar::Glob;
use crate::domain::fact::FactKind;

/// Resources of one kind and source that are listed by name; more become a pattern or are counted.
const LISTED: usize = 12;

/// The text of the file. It passes `flightdeck config check`.
pub fn render(answers: &[Answer], grouping: &Grouping) -> String {
    let mut text = String::from(HEAD);
    for answer in answers {
        source(&mut text, answer);
    }
    let all: Vec<&Resource> = grouping
        .groups
        .iter()
        .flat_map(|group| &group.resources)
        .chain(&grouping.unclaimed)
        .collect();
    if grouping.groups.is_empty() {
        text.push_str(NO_SERVICES);
    } else {
        text.push_str(SERVICES);
    }
    for group in &grouping.groups {
        service(&mut text, group, &all);
    }
    unclaimed(&mut text, &grouping.unclaimed);
    text
}

const HEAD: &str = "\
# Written by `flightdeck init`: what your sources told, grouped into services by name.
# Read it, mend the grouping, add owners. It holds no secrets, only where they are.
#
#   flightdeck config check                 every fault at once
#   flightdeck config explain sources       what there is to set
";

const SERVICES: &str = "
# The services. Resources are named SOURCE/PATTERN; * stands for any run of characters.
";

const NO_SERVICES: &str = "
# No services: nothing was found to make one of. This is how one looks:
#
# [services.checkout]
# owners = [\"team\"]
# pipelines = [\"SOURCE/checkout-*\"]
";

fn source(text: &mut String, answer: &Answer) {
    text.push('\n');
    let told = match &answer.outcome {
        Outcome::Reached { resources, identity } => {
            let seen = identity.as_ref().map(|who| format!(", as {who}")).unwrap_or_default();
            format!("{}{seen}.", counts(resources))
        }
        Outcome::Failed(why) => {
            format!("Not reached: {why}\nRemove the # before each line to keep it anyway.")
        }
    };
    comment(text, &told);
    let mut table = toml::Table::new();
    let settings = toml::Value::try_from(&answer.config).unwrap_or(toml::Value::Boolean(false));
    table.insert(answer.name.clone(), tidy(settings));
    let mut sources = toml::Table::new();
    sources.insert("sources".to_owned(), toml::Value::Table(table));
    let written = toml::to_string(&sources).unwrap_or_default();
    let prefix = if matches!(answer.outcome, Outcome::Failed(_)) { "# " } else { "" };
    for line in written.lines().filter(|line| !line.is_empty()) {
        let _ = writeln!(text, "{prefix}{line}");
    }
}

/// Without empty lists and tables, which say nothing.
fn tidy(value: toml::Value) -> toml::Value {
    let empty = |value: &toml::Value| match value {
        toml::Value::Array(list) => list.is_empty(),
        toml::Value::Table(table) => table.is_empty(),
        _ => false,
    };
    match value {
        toml::Value::Table(table) => toml::Value::Table(
            table
                .into_iter()
                .map(|(key, value)| (key, tidy(value)))
                .filter(|(_, value)| !empty(value))
                .collect(),
        ),
        other => other,
    }
}

fn service(text: &mut String, group: &Group, all: &[&Resource]) {
    let _ = writeln!(text, "\n[services.{}]", key(&group.name));
    text.push_str("# owners = [\"…\"]\n");
    for (kind, word) in [
        (FactKind::Pipelines, "pipelines"),
        (FactKind::Environments, "environments"),
        (FactKind::Traffic, "traffic"),
        (FactKind::Flags, "flags"),
        (FactKind::Alarms, "alarms"),
    ] {
        let mut by_source: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for resource in group.resources.iter().filter(|resource| resource.kind == kind) {
            by_source.entry(&resource.source).or_default().push(&resource.name);
        }
        let patterns: Vec<String> = by_source
            .iter()
            .flat_map(|(source, names)| {
                let others: Vec<&str> = all
                    .iter()
                    .filter(|r| r.kind == kind && r.source == **source)
                    .map(|r| r.name.as_str())
                    .filter(|name| !names.contains(name))
                    .collect();
                patterns(names, &others).into_iter().map(move |p| format!("{source}/{p}"))
            })
            .collect();
        list(text, word, &patterns);
    }
}

/// Patterns that match all `names` and none of `others`, as few as are safe.
fn patterns(names: &[&str], others: &[&str]) -> Vec<String> {
    let mut applications: Vec<&str> = names.iter().filter_map(|name| application(name)).collect();
    applications.dedup();
    let mut wide: Vec<String> =
        applications.iter().map(|name| format!("{}/*", literal(name))).collect();
    let prefix = common_prefix(names);
    if names.len() > 1 && prefix.chars().count() > 2 {
        wide.push(format!("{}*", literal(prefix)));
    }
    let fits = |pattern: &str, names: &[&str]| {
        pattern.parse::<Glob>().is_ok_and(|glob| names.iter().any(|name| glob.matches(name)))
    };
    wide.retain(|pattern| !fits(pattern, others));
    let rest = names.iter().filter(|name| !wide.iter().any(|pattern| fits(pattern, &[name])));
    let rest: Vec<String> = rest.map(|name| literal(name)).collect();
    // A pattern that another one already covers is not needed.
    let needed = |pattern: &&String| {
        names.iter().any(|name| {
            fits(pattern, &[name])
                && !wide.iter().take_while(|p| p != pattern).any(|p| fits(p, &[name]))
        })
    };
    wide.iter().filter(needed).cloned().chain(rest).collect()
}

/// The name as a pattern: signs that patterns cannot hold become `?`.
fn literal(name: &str) -> String {
    name.chars()
        .map(|c| {
            let odd = c.is_control() || matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\');
            if odd { '?' } else { c }
        })
        .collect()
}

/// What all names begin with, up to the last sign between words.
fn common_prefix<'n>(names: &[&'n str]) -> &'n str {
    let Some(first) = names.first() else { return "" };
    let same = names.iter().skip(1).fold(first.len(), |length, name| {
        let alike = first.char_indices().zip(name.chars()).take_while(|((_, a), b)| a == b);
        let end = alike.last().map_or(0, |((at, c), _)| at + c.len_utf8());
        length.min(end)
    });
    let prefix = first.get(..same).unwrap_or("");
    let whole = names.iter().any(|name| name.len() == prefix.len());
    match prefix.rfind(|c: char| !c.is_alphanumeric()) {
        _ if whole => prefix,
        Some(at) => prefix.get(..=at).unwrap_or(prefix),
        None => "",
    }
}

fn list(text: &mut String, word: &str, patterns: &[String]) {
    let quoted: Vec<String> = patterns.iter().map(|pattern| quote(pattern)).collect();
    match quoted.as_slice() {
        [] => {}
        [only] => {
            let _ = writeln!(text, "{word} = [{only}]");
        }
        several => {
            let _ = writeln!(text, "{word} = [\n  {},\n]", several.join(",\n  "));
        }
    }
}

fn unclaimed(text: &mut String, resources: &[Resource]) {
    if resources.is_empty() {
        return;
    }
    text.push_str("\n# Unclaimed, as they fit no service by name:\n");
    for resource in resources.iter().take(LISTED) {
        comment(text, &format!("  {} {}/{}", one(resource.kind), resource.source, resource.name));
    }
    if resources.len() > LISTED {
        comment(text, &format!("  and {} more", resources.len() - LISTED));
    }
}

pub(super) fn counts(resources: &[Resource]) -> String {
    let mut counted: BTreeMap<FactKind, usize> = BTreeMap::new();
    for resource in resources {
        *counted.entry(resource.kind).or_default() += 1;
    }
    let words: Vec<String> = counted
        .iter()
        .map(|(kind, count)| match count {
            1 => format!("1 {}", one(*kind)),
            _ => format!("{count} {}", kind.word()),
        })
        .collect();
    if words.is_empty() { "Answers, and has nothing".to_owned() } else { words.join(", ") }
}

fn one(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Pipelines => "pipeline",
        FactKind::Environments => "environment",
        FactKind::Traffic => "traffic split",
        FactKind::Flags => "flag",
        FactKind::Alarms => "alarm",
        FactKind::Series => "metric",
        FactKind::Changes => "change",
    }
}

/// Comment lines; controls in what a backend said cannot end one.
fn comment(text: &mut String, told: &str) {
    for line in told.lines() {
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(text, "# {}", line.trim_end());
    }
}

fn quote(text: &str) -> String {
    // A dollar before a brace would be taken for a variable.
    toml::Value::String(text.replace("${", "$${")).to_string()
}

fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if bare { name.to_owned() } else { toml::Value::String(name.to_owned()).to_string() }
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
