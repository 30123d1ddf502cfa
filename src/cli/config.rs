//! `flightdeck config`: what a setting is and who set it, every fault at once, the schema.

use std::io::{self, Write};
use std::path::PathBuf;

use super::themes;
use crate::backend::rehearsal;
use crate::config::explain::{Explanation, Row, explain, settings};
use crate::config::load::inspect;
use crate::config::origin::{Layer, Origin};
use crate::config::{Inputs, Loaded, Problem, Report, load, schema};
use crate::domain::text::SafeText;

/// The exit code when the configuration has faults, or a key does not exist.
pub const FAULTY: u8 = 2;

/// What to do with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub enum ConfigCommand {
    /// Say what a setting is, its value, which layer set it and what that overrode
    Explain {
        /// The key, as in view.theme; without one, everything that is set
        key: Option<String>,
    },
    /// Find every fault, with file, line and a hint; exits with 2 when there is one
    Check {
        /// A file to check by itself; without one, all layers as they would be loaded
        file: Option<PathBuf>,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}

/// Runs the subcommand and returns the exit code. `commands` are the names of all commands that
/// keys can be given to.
pub fn run(
    command: &ConfigCommand,
    inputs: &Inputs,
    commands: &[&str],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    match command {
        ConfigCommand::Explain { key: None } => list(inputs, out, err),
        ConfigCommand::Explain { key: Some(key) } => explain_key(key, inputs, out, err),
        ConfigCommand::Check { file: None } => check(inputs, commands, out, err),
        ConfigCommand::Check { file: Some(file) } => {
            let files = vec![(Layer::Named, file.clone())];
            check(&Inputs { files, ..inputs.clone() }, commands, out, err)
        }
        ConfigCommand::Schema => {
            out.write_all(schema::schema_text().as_bytes())?;
            Ok(0)
        }
    }
}

fn check(
    inputs: &Inputs,
    commands: &[&str],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let loaded = match load(inputs) {
        Ok(loaded) => loaded,
        Err(report) => return refuse(&report, err),
    };
    let mut unknown = loaded.unknown_commands(commands);
    unknown.extend(dangling(&loaded));
    if !unknown.is_empty() {
        return refuse(&Report::new(unknown), err);
    }
    for warning in loaded.warnings() {
        writeln!(err, "warning: {warning}")?;
    }
    for (layer, path) in &loaded.files {
        writeln!(out, "{:<11} {}", layer.word(), SafeText::new(&path.display().to_string()))?;
    }
    writeln!(out, "no faults: {}", summary(&loaded))?;
    Ok(0)
}

/// Names of themes and scenarios that the program would not find, or could not read, at its start.
fn dangling(loaded: &Loaded) -> Vec<Problem> {
    let view = themes::load(&loaded.config.view.theme).err().map(|error| error.to_string());
    let world = rehearsal::load(&loaded.config.rehearsal.scenario).err().map(|e| e.to_string());
    let told = [("view", "theme", view), ("rehearsal", "scenario", world)];
    told.into_iter()
        .filter_map(|(section, key, message)| {
            let message = message?;
            let node = loaded.tree.get(section).and_then(|section| section.get(key));
            let key = format!("{section}.{key}");
            Some(match node {
                Some(node) => Problem::new(&node.origin, key, message, None),
                None => Problem::general(message, None),
            })
        })
        .collect()
}

fn summary(loaded: &Loaded) -> String {
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let config = &loaded.config;
    let sources = count(config.sources.len(), "source");
    let services = count(config.services.len(), "service");
    let rehearsal = if config.is_rehearsal() { "; the rehearsal world opens" } else { "" };
    format!("{sources}, {services}{rehearsal}")
}

fn refuse(report: &Report, err: &mut dyn Write) -> io::Result<u8> {
    writeln!(err, "{report}")?;
    Ok(FAULTY)
}

fn explain_key(
    key: &str,
    inputs: &Inputs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let (tree, report) = inspect(inputs);
    match explain(&tree, key) {
        Ok(told) => show(&told, out)?,
        Err(problem) => {
            writeln!(err, "{problem}")?;
            return Ok(FAULTY);
        }
    }
    mention(report.as_ref(), err)
}

fn list(inputs: &Inputs, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let (tree, report) = inspect(inputs);
    for row in settings(&tree) {
        show_row(&row, out)?;
    }
    mention(report.as_ref(), err)
}

fn mention(report: Option<&Report>, err: &mut dyn Write) -> io::Result<u8> {
    let Some(report) = report else { return Ok(0) };
    let count = report.problems.len();
    writeln!(err, "faults in the configuration: {count}; see `flightdeck config check`")?;
    Ok(FAULTY)
}

fn show(told: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let safe = |text: &str| SafeText::new(text);
    match &told.value {
        Some(value) => writeln!(out, "{} = {}", safe(&told.key), safe(value))?,
        None if told.rows.is_empty() => writeln!(out, "{} is not set", safe(&told.key))?,
        None => writeln!(out, "[{}]", safe(&told.key))?,
    }
    if let Some(doc) = &told.doc {
        writeln!(out, "  {doc}")?;
    }
    if let (Some(origin), Some(_)) = (&told.origin, &told.value) {
        writeln!(out, "  set by    {}", place(origin))?;
    }
    for (was, origin) in &told.overrode {
        writeln!(out, "  overrode  {} of {}", safe(was), place(origin))?;
    }
    if told.rows.is_empty() {
        match told.allowed.as_slice() {
            [] => writeln!(out, "  takes     {}", told.takes)?,
            names => writeln!(out, "  one of    {}", names.join(", "))?,
        }
    }
    if let Some(default) = &told.default {
        writeln!(out, "  default   {default}")?;
    }
    told.rows.iter().try_for_each(|row| show_row(row, out))
}

fn show_row(row: &Row, out: &mut dyn Write) -> io::Result<()> {
    let key = SafeText::new(&row.key);
    match (&row.value, &row.origin) {
        (Some(value), Some(origin)) => {
            writeln!(out, "{key} = {}    # {}", SafeText::new(value), place(origin))
        }
        _ => writeln!(out, "# {key}"),
    }
}

fn place(origin: &Origin) -> SafeText {
    let layer = origin.layer.word();
    SafeText::new(&match origin.file() {
        Some(_) => format!("{origin} ({layer})"),
        None => origin.to_string(),
    })
}
