//! `completions` and `man`: made from the command line's own definition.

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;

use super::args::Args;
use super::exit::{Exit, Failure};
use crate::config::nearest;

/// Prints the completion script of `shell`.
pub fn completions(shell: clap_complete::Shell, out: &mut impl Write) -> io::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "flightdeck", &mut script);
    out.write_all(&script)?;
    Ok(0)
}

/// Prints the manual page of the subcommand with these words in roff, or writes all into a folder.
pub fn man(words: &[String], folder: Option<&Path>, out: &mut impl Write) -> Result<Exit, Failure> {
    let mut program = Args::command();
    if let Some(folder) = folder {
        let failed = |e: io::Error| Failure::usage(format!("{}: {e}", folder.display()));
        return clap_mangen::generate_to(program, folder).map(|()| Exit::Good).map_err(failed);
    }
    // With it, each subcommand knows how it is called.
    program.build();
    let mut command = &program;
    for word in words {
        let below: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let hint = nearest(word, below).map(|name| format!("; did you mean `{name}`?"));
        command = command.find_subcommand(word).ok_or_else(|| {
            Failure::usage(format!("there is no command `{word}`{}", hint.unwrap_or_default()))
        })?;
    }
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(command.clone()).render(&mut page);
    match written.and_then(|()| out.write_all(&page)).and_then(|()| out.flush()) {
        Ok(()) => Ok(Exit::Good),
        Err(error) => Failure::output(&error, Exit::Good),
    }
}
