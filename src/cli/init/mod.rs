//! `flightdeck init`: asks the sources that can be reached and writes a first configuration.

pub mod candidates;
pub mod find;
pub mod group;
pub mod write;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::find::{Answer, Build, Outcome};
use self::group::Grouping;
use crate::backend::clock::SharedClock;
use crate::config::{load_text, places};
use crate::domain::text::SafeText;

/// The exit code when no source could be reached, so that nothing was written.
pub const NOTHING_REACHED: u8 = 1;

/// The exit code when the request itself is wrong: an address that is none, a file that is there.
pub const REFUSED: u8 = 2;

/// What to ask, and where to write.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct InitArgs {
    /// An AWS region to ask (repeatable); otherwise that of the profile or environment
    #[arg(long = "region", value_name = "REGION")]
    pub regions: Vec<String>,
    /// The AWS profile to use
    #[arg(long)]
    pub profile: Option<String>,
    /// Do not ask AWS
    #[arg(long, conflicts_with_all = ["regions", "profile"])]
    pub no_aws: bool,
    /// A Prometheus to ask
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<String>,
    /// The environment variable that holds the bearer token of the Prometheus
    #[arg(long, value_name = "NAME", requires = "prometheus")]
    pub prometheus_token_env: Option<String>,
    /// An Unleash to ask
    #[arg(long, value_name = "URL")]
    pub unleash: Option<String>,
    /// The environment variable that holds the token of the Unleash
    #[arg(long, value_name = "NAME", default_value = "UNLEASH_TOKEN")]
    pub unleash_token_env: String,
    /// An HAProxy to ask: tcp://HOST:PORT or unix:// and a path
    #[arg(long, value_name = "ADDRESS")]
    pub haproxy: Option<String>,
    /// An address that tells the health of an environment (repeatable)
    #[arg(long, value_name = "URL")]
    pub http: Vec<String>,
    /// Where to write; - for the standard output [default: the user's configuration file]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// Runs the subcommand and returns the exit code. `build` makes the adapter of a source.
pub async fn run(
    args: &InitArgs,
    build: Build<'_>,
    clock: SharedClock,
    deadline: Duration,
    out: &mut (dyn Write + Send),
    err: &mut (dyn Write + Send),
) -> io::Result<u8> {
    let Some(target) = args.output.clone().or_else(places::user_file) else {
        writeln!(err, "there is no home folder to write to: say --output FILE")?;
        return Ok(REFUSED);
    };
    let to_stdout = target.as_os_str() == "-";
    if !to_stdout && !args.force && target.exists() {
        let path = SafeText::new(&target.display().to_string());
        writeln!(err, "{path} is there already\n    say --force to replace it, or --output FILE")?;
        return Ok(REFUSED);
    }
    let candidates = match candidates::candidates(args) {
        Ok(candidates) if candidates.is_empty() => {
            writeln!(err, "nothing to ask: give --prometheus, --unleash, --haproxy or --http")?;
            return Ok(REFUSED);
        }
        Ok(candidates) => candidates,
        Err(why) => {
            writeln!(err, "{}", SafeText::new(&why))?;
            return Ok(REFUSED);
        }
    };
    let answers = find::ask(candidates, build, clock, deadline).await;
    let grouping = told(&answers, err)?;
    if answers.iter().all(|answer| matches!(answer.outcome, Outcome::Failed(_))) {
        writeln!(err, "no source could be reached: nothing written")?;
        return Ok(NOTHING_REACHED);
    }
    let text = write::render(&answers, &grouping);
    if let Err(report) = load_text("the new file", &text, &[]) {
        writeln!(err, "this is a defect of flightdeck; nothing written:\n{report}")?;
        return Ok(REFUSED);
    }
    if to_stdout {
        out.write_all(text.as_bytes())?;
        return Ok(0);
    }
    let path = SafeText::new(&target.display().to_string());
    match save(&target, &text, args.force) {
        Ok(()) => {
            writeln!(out, "wrote {path}: {} services", grouping.groups.len())?;
            Ok(0)
        }
        Err(why) => {
            writeln!(err, "{path}: {why}")?;
            Ok(REFUSED)
        }
    }
}

/// Says what each source answered, and groups it all.
fn told(answers: &[Answer], err: &mut dyn Write) -> io::Result<Grouping> {
    let mut found = Vec::new();
    for answer in answers {
        match &answer.outcome {
            Outcome::Reached { resources, .. } => {
                writeln!(err, "{}: {}", answer.name, write::counts(resources))?;
                found.extend(resources.iter().cloned());
            }
            Outcome::Failed(why) => {
                writeln!(err, "{}: not reached: {}", answer.name, SafeText::new(why))?;
            }
        }
    }
    Ok(group::group(&found))
}

/// Writes beside the target and puts it in place at once, so that no half file is ever seen.
fn save(target: &Path, text: &str, replace: bool) -> io::Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
    }
    if !replace {
        // Fails when somebody else made the file in the meantime.
        let mut file = std::fs::File::create_new(target)?;
        file.write_all(text.as_bytes())?;
        return file.sync_all();
    }
    let mut beside = target.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = std::fs::File::create(&beside)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, target));
    if written.is_err() {
        // The write's own error is what matters; a leftover is only untidy.
        let _ = std::fs::remove_file(&beside);
    }
    written
}
