//! What the commands without a screen share: reading everything, once or for as long as asked.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;

use super::control_room::{at_depth, wish};
use super::exit::{Exit, Failure};
use super::global::Global;
use super::progress::say;
use super::start::{Started, start};
use super::themes;
use super::threads::runtime;
use crate::app::State;
use crate::app::report::{Status, Summary, Wanted};
use crate::config::Setting;
use crate::domain::ids::ServiceId;
use crate::runtime::headless::Headless;
use crate::terminal::caps::{Depth, Environment};
use crate::ui::Look;
use crate::ui::plain::plain_text;

/// How the result is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One JSON document a line
    Ndjson,
}

/// Everything configured, read once: the state when all is settled or `limit` has passed.
pub fn settled(global: &Global, limit: Duration) -> Result<(State, Shown), Failure> {
    let (started, shown) = open(global)?;
    let tokio = runtime(started.sources.len())?;
    let state = tokio.block_on(async {
        let mut headless = Headless::start(started.setup, started.sources, started.clock);
        headless.settle(limit).await;
        headless.into_state()
    });
    // A source that hangs must not hold up the answer.
    tokio.shutdown_background();
    Ok((state, shown))
}

/// How tables look here.
pub struct Shown {
    /// Theme and glyphs.
    pub look: Look,
    /// Whether colours are written.
    pub colors: bool,
    /// Columns.
    pub width: u16,
    /// Nothing but ASCII is shown.
    pub ascii: bool,
}

/// Writes what `tell` tells people: in ASCII where nothing else is shown.
pub fn for_people(
    ascii: bool,
    out: &mut impl Write,
    tell: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut text = Vec::new();
    tell(&mut text)?;
    if ascii {
        text = plain_text(&String::from_utf8_lossy(&text)).into_bytes();
    }
    out.write_all(&text)
}

/// The configuration, ready to be read.
pub fn open(global: &Global) -> Result<(Started, Shown), Failure> {
    open_with(global, Vec::new())
}

/// The same, with settings of flags that only one command has.
pub fn open_with(global: &Global, settings: Vec<Setting>) -> Result<(Started, Shown), Failure> {
    let environment = Environment::of_process();
    let started = start(global, settings, environment.wants_ascii())?;
    for warning in &started.warnings {
        say(warning);
    }
    let options = &started.setup.options;
    let depth = environment.depth(wish(started.config.view.color));
    let theme = themes::load(&options.theme).map_err(|e| Failure::usage(e.to_string()))?;
    let look = Look::new(at_depth(theme, depth), options.ascii);
    let terminal = io::stdout().is_terminal();
    let width = match crossterm::terminal::size() {
        Ok((width, _)) if terminal => width.max(60),
        // In a file or a pipe nothing needs to be cut.
        _ => 200,
    };
    let shown = Shown {
        look,
        colors: depth != Depth::None && (terminal || depth_is_forced(&started)),
        width,
        ascii: options.ascii,
    };
    Ok((started, shown))
}

fn depth_is_forced(started: &Started) -> bool {
    started.config.view.color == crate::config::model::Color::Always
}

/// What is asked for; an unknown service is an error that names the nearest one.
pub fn wanted(
    state: &State,
    service: Option<&str>,
    pane: Option<crate::app::pane::Pane>,
) -> Result<Wanted, Failure> {
    let service = match service {
        None => None,
        Some(name) => {
            let known = || state.setup.services.iter().map(|s| s.id.as_str());
            if !known().any(|id| id == name) {
                let nearest = known().min_by_key(|id| strsim::damerau_levenshtein(id, name));
                let hint = nearest.map(|n| format!(", did you mean {n}?")).unwrap_or_default();
                return Err(Failure::usage(format!("there is no service {name}{hint}")));
            }
            Some(ServiceId::new(name))
        }
    };
    Ok(Wanted { service, pane })
}

/// The exit code that a picture stands for: the worst thing in it. What was not read in time may be
/// anything.
pub fn exit(picture: &Status) -> Exit {
    exit_of(&picture.summary, picture.settled)
}

fn exit_of(summary: &Summary, settled: bool) -> Exit {
    if summary.failed
        + summary.unhealthy
        + summary.alarms
        + summary.canaries
        + summary.failing_services
        > 0
    {
        Exit::Failing
    } else if summary.not_authenticated > 0 {
        Exit::NotAuthenticated
    } else if !settled || summary.stale + summary.unknown + summary.silent_sources > 0 {
        Exit::Unknown
    } else if summary.waiting > 0 {
        Exit::Waiting
    } else {
        Exit::Good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_thing_decides_the_exit_code() {
        let good = Summary::default();
        let exit = |summary: &Summary| exit_of(summary, true);
        assert_eq!(exit(&good), Exit::Good);
        assert_eq!(exit(&Summary { waiting: 1, ..good }), Exit::Waiting);
        assert_eq!(exit(&Summary { waiting: 1, stale: 1, ..good }), Exit::Unknown);
        assert_eq!(
            exit(&Summary { unknown: 1, not_authenticated: 1, ..good }),
            Exit::NotAuthenticated
        );
        assert_eq!(exit(&Summary { not_authenticated: 1, failed: 1, ..good }), Exit::Failing);
        assert_eq!(exit(&Summary { unhealthy: 1, waiting: 1, ..good }), Exit::Failing);
        assert_eq!(exit(&Summary { silent_sources: 1, ..good }), Exit::Unknown);
    }

    #[test]
    fn what_was_not_read_in_time_is_never_good() {
        let good = Summary::default();
        assert_eq!(exit_of(&good, false), Exit::Unknown);
        assert_eq!(exit_of(&Summary { waiting: 1, ..good }, false), Exit::Unknown);
        let closed = Summary { not_authenticated: 1, ..good };
        assert_eq!(exit_of(&closed, false), Exit::NotAuthenticated);
        assert_eq!(exit_of(&Summary { failed: 1, ..good }, false), Exit::Failing);
    }
}
