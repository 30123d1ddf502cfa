//! Arguments, exit codes and one file per subcommand.

pub mod act;
pub mod ansi;
pub mod args;
pub mod canary;
pub mod complete;
pub mod config;
pub mod control_room;
pub mod desk;
pub mod exit;
pub mod global;
pub mod headless;
pub mod init;
pub mod journal;
pub mod pilot;
pub mod probe;
pub mod progress;
pub mod recorded;
pub mod replay;
pub mod rows;
pub mod schema;
pub mod signals;
pub mod sources;
pub mod start;
pub mod status;
pub mod themes;
pub mod threads;
pub mod watch;

use std::io::{self, Write};
use std::sync::Arc;

use clap::Parser;

use crate::app::command::TABLE;
use crate::backend::clock::WallClock;
use crate::backend::registry::Registry;
use crate::config::{Config, Inputs};
use args::{Args, Command};
use exit::{Exit, Failure};
use global::Global;

/// Runs the program with the arguments of the process; returns its exit code.
pub fn main() -> u8 {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to stdout and are no errors; a closed pipe is none either.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Good }.code();
        }
    };
    match run(&args) {
        Ok(code) => code,
        Err(failure) => {
            // Stderr may be closed too; then there is nowhere left to say so.
            let _ = writeln!(io::stderr(), "flightdeck: {failure}");
            failure.exit.code()
        }
    }
}

fn run(args: &Args) -> Result<u8, Failure> {
    let global = &args.global;
    let out = &mut io::stdout().lock();
    match &args.command {
        None if args.room.plain => watch::run_plain(global, &args.room, out).map(Exit::code),
        None => control_room::run(global, &args.room),
        Some(Command::Config(command)) => {
            let settings = global.settings().map_err(Failure::usage)?;
            let inputs = Inputs::of_process(global.config.as_deref(), settings);
            let commands: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
            let err = &mut Unheard(io::stderr().lock());
            written(config::run(command, &inputs, &commands, &mut Unheard(out), err))
        }
        Some(Command::Status(arguments)) => status::run(global, arguments, out).map(Exit::code),
        Some(Command::Sources(arguments)) => sources::run(global, arguments, out).map(Exit::code),
        Some(Command::Watch(arguments)) => watch::run(global, arguments, out).map(Exit::code),
        Some(Command::Wait(arguments)) => act::run_wait(global, arguments, out).map(Exit::code),
        Some(Command::Pilot(arguments)) => pilot::run(global, arguments, out).map(Exit::code),
        Some(Command::Canary(command)) => canary::run(global, command, out).map(Exit::code),
        Some(Command::Probe(arguments)) => probe::run(arguments, out),
        Some(Command::Replay(arguments)) => recorded::run(arguments, out),
        Some(Command::Schema(arguments)) => written(schema::run(arguments, out)),
        Some(Command::Journal(arguments)) => journal::run(global, arguments, out).map(Exit::code),
        Some(Command::Act(command)) => act::run(global, command, out).map(Exit::code),
        Some(Command::Init(arguments)) => init(global, arguments),
        Some(Command::ReplaySession { file }) => replay::run(file, out).map(Exit::code),
        Some(Command::Completions { shell }) => written(complete::completions(*shell, out)),
        Some(Command::Man { command, folder }) => {
            complete::man(command, folder.as_deref(), out).map(Exit::code)
        }
    }
}

fn init(_global: &Global, arguments: &init::InitArgs) -> Result<u8, Failure> {
    let registry = Registry::default();
    let build = |name: &str, source: &crate::config::sources::SourceConfig| {
        let schedule = Config::default().schedule(name);
        registry.build(name, source, &schedule, Vec::new()).map_err(|fault| fault.to_string())
    };
    let tokio = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let (mut out, mut err) = (Unheard(io::stdout()), Unheard(io::stderr()));
    let asked =
        init::run(arguments, &build, Arc::new(WallClock), init::find::DEADLINE, &mut out, &mut err);
    let result = tokio.block_on(asked);
    tokio.shutdown_background();
    written(result)
}

/// The exit code, unless the output could not be written.
fn written(result: io::Result<u8>) -> Result<u8, Failure> {
    result.or_else(|error| Failure::output(&error, Exit::Good).map(Exit::code))
}

/// Writes on when nobody reads any more: what is found out stays the same.
struct Unheard<W>(W);

impl<W: Write> Write for Unheard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}
