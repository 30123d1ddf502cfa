//! What people read: the help of every subcommand, tables, and a plan, as they are.

use clap::CommandFactory as _;
use flightdeck::cli::args::Args;

use crate::home::Home;

/// The words of every subcommand, and of those below it.
fn walk(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let words = [words, &[below.get_name().to_owned()]].concat();
        all.push(words.clone());
        walk(below, &words, all);
    }
}

#[test]
fn the_help_of_every_subcommand() {
    let home = Home::new();
    let mut all = Vec::new();
    walk(&Args::command(), &[], &mut all);
    let help = all.iter().map(|words| {
        let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
        // The short form: one line for each option.
        args.push("-h");
        format!("# {}\n\n{}", args.join(" "), home.run(&args).exits(0).out)
    });
    insta::assert_snapshot!("help", help.collect::<Vec<_>>().join("\n"));
}

/// Whether it is one, as in `<1m` or `3h`.
fn is_age(word: &str) -> bool {
    let number = word.trim_start_matches('<').trim_end_matches(['s', 'm', 'h', 'd']);
    number.len() < word.len() && number.parse::<u32>().is_ok()
}

/// Without what another run tells otherwise: ages, times, which plan, how often it was asked; and without
/// columns, which follow them.
fn steady(said: &str) -> String {
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        for at in 0..words.len() {
            let after = at.checked_sub(1).map_or("", |before| words[before]);
            match words[at] {
                word if word.parse::<jiff::Timestamp>().is_ok() => words[at] = "[time]",
                word if is_age(word) => words[at] = "[age]",
                _ if after == "heard" => words[at] = "[age],",
                "calls" => words[at - 1] = "[n]",
                word if word.len() > 20 && after == "plan" => words[at] = "[plan]",
                _ => {}
            }
        }
        words.join(" ")
    };
    said.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tables_of_a_quiet_day() {
    let home = Home::new();
    for (name, code, words) in [
        ("status", 10, &["status"][..]),
        ("status_of_a_service", 0, &["status", "--service", "checkout"]),
        ("sources", 0, &["sources"]),
        ("plan", 0, &["approve", "sessions", "--dry-run"]),
        ("canaries", 0, &["canary", "list"]),
    ] {
        let said = home.run(&[&["--scenario", "quiet-day"][..], words].concat()).exits(code).out;
        insta::assert_snapshot!(name, steady(&said));
    }
}
