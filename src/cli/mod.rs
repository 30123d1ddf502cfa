//! Arguments, exit codes and one file per subcommand.

pub mod args;
pub mod complete;
pub mod config;
pub mod init;

use std::io::{self, Write};

use clap::Parser;

use crate::app::command::TABLE;
use crate::config::{Inputs, Setting};
use args::{Args, Command};

/// Exit code of wrong arguments.
const USAGE: u8 = 2;

/// Runs the program with the arguments of the process; returns its exit code.
pub fn main() -> u8 {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // A closed pipe is no reason to fail.
            let _ = error.print();
            return if error.use_stderr() { USAGE } else { 0 };
        }
    };
    match run(&args, &mut io::stdout().lock(), &mut io::stderr().lock()) {
        Ok(code) => code,
        // The reader has what it wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "flightdeck: cannot write the output: {error}");
            1
        }
    }
}

fn run(args: &Args, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    match &args.command {
        Command::Config(command) => {
            let mut settings = Vec::new();
            for text in &args.set {
                let Some((key, value)) = text.split_once('=') else {
                    writeln!(err, "flightdeck: --set {text:?}: write --set KEY=VALUE")?;
                    return Ok(USAGE);
                };
                let (key, value) = (key.to_owned(), value.to_owned());
                settings.push(Setting { flag: format!("--set {key}"), key, value });
            }
            let inputs = Inputs::of_process(args.config.as_deref(), settings);
            let commands: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
            config::run(command, &inputs, &commands, out, err)
        }
        Command::Completions { shell } => complete::completions(*shell, out),
        Command::Man => complete::man(out),
    }
}
