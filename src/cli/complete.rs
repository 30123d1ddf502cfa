//! `completions` and `man`: made from the command line's own definition.

use std::io::{self, Write};

use clap::CommandFactory;

use super::args::Args;

/// Prints the completion script of `shell`.
pub fn completions(shell: clap_complete::Shell, out: &mut impl Write) -> io::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "flightdeck", &mut script);
    out.write_all(&script)?;
    Ok(0)
}

/// Prints the manual page in roff.
pub fn man(out: &mut impl Write) -> io::Result<u8> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut page)?;
    out.write_all(&page)?;
    Ok(0)
}
