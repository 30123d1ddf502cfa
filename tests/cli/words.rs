//! What the program says of itself: help, version, completions, the manual page, the schemas.

use flightdeck::app::command::TABLE;
use flightdeck::app::pane::Pane;
use flightdeck::app::report::{EVENT_FORMAT, STATUS_FORMAT};

use crate::home::Home;

/// Every subcommand.
const COMMANDS: [&str; 28] = [
    "config",
    "status",
    "sources",
    "watch",
    "approve",
    "reject",
    "promote",
    "rollback",
    "hold",
    "release",
    "override",
    "retry",
    "stop",
    "start",
    "traffic",
    "flag",
    "undo",
    "wait",
    "pilot",
    "probe",
    "replay",
    "canary",
    "journal",
    "init",
    "replay-session",
    "schema",
    "completions",
    "man",
];

#[test]
fn the_version_has_the_facts_of_the_build() {
    let said = Home::new().run(&["--version"]).exits(0);
    let version = env!("CARGO_PKG_VERSION");
    assert!(said.out.starts_with(&format!("flightdeck {version} (")), "{said:?}");
    // Tests are built as `cargo build` does.
    for fact in [", dev, ", "-linux-", ", rustc 1.", "features: "] {
        assert!(said.out.contains(fact), "{fact}: {said:?}");
    }
    assert_eq!(said.out.lines().count(), 1);
}

#[test]
fn the_help_names_every_command_and_every_exit_code() {
    let home = Home::new();
    let said = home.run(&["--help"]).exits(0);
    for command in COMMANDS {
        assert!(said.out.contains(&format!("\n  {command} ")), "{command}: {}", said.out);
        let own = home.run(&[command, "--help"]).exits(0);
        assert!(own.out.contains(&format!("Usage: flightdeck {command}")), "{own:?}");
        assert_eq!(own.err, "");
    }
    let listed = said.out.lines().skip_while(|line| *line != "Commands:").skip(1);
    assert_eq!(listed.take_while(|line| !line.is_empty()).count(), COMMANDS.len() + 1);
    for exit in flightdeck::cli::exit::Exit::ALL {
        let line = format!("{:>3}  {}", exit.code(), exit.meaning());
        assert!(said.out.contains(&line), "{line}");
    }
}

#[test]
fn the_documentation_for_scripts_names_every_exit_code_and_member() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/status.md");
    let text = std::fs::read_to_string(path).unwrap();
    for exit in flightdeck::cli::exit::Exit::ALL {
        assert!(text.contains(&format!("\n| {} | ", exit.code())), "{}", exit.code());
    }
    for (name, format) in [("status", STATUS_FORMAT), ("event", EVENT_FORMAT)] {
        assert!(text.contains(&format!("`{format}`")), "{format}");
        let schema = Home::new().run(&["schema", name]).exits(0).json();
        for member in schema["properties"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("`{member}`")), "{member} of {name}");
        }
    }
}

#[test]
fn completions_and_the_manual_know_the_commands() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = home.run(&["completions", shell]).exits(0);
        assert!(COMMANDS.iter().all(|command| said.out.contains(command)), "{shell}");
    }
    let said = home.run(&["man"]).exits(0);
    assert!(said.out.contains(".TH flightdeck 1"), "{said:?}");
    assert!(COMMANDS.iter().all(|command| said.out.contains(&command.replace('-', "\\-"))));
    let said = home.run(&["man", "canary", "judge"]).exits(0);
    assert!(said.out.contains(".TH flightdeck-canary-judge 1"), "{said:?}");
    let said = home.run(&["man", "canary", "juge"]).exits(2);
    assert!(said.err.contains("no command `juge`; did you mean `judge`?"), "{said:?}");
    // All of them at once, each a page.
    std::fs::create_dir(home.path().join("pages")).unwrap();
    home.run(&["man", "--folder", "pages"]).exits(0);
    for command in COMMANDS {
        let page = home.path().join(format!("pages/flightdeck-{command}.1"));
        assert!(std::fs::read_to_string(page).unwrap().contains(".TH flightdeck"), "{command}");
    }
    assert!(home.path().join("pages/flightdeck-canary-judge.1").exists());
    let said = home.run(&["man", "--folder", "nowhere"]).exits(2);
    assert!(said.err.contains("nowhere: "), "{said:?}");
}

#[test]
fn the_completion_script_is_one_that_bash_reads() {
    let home = Home::new();
    let script = home.run(&["completions", "bash"]).exits(0).out;
    let path = home.write("completions.bash", &script);
    let read = std::process::Command::new("bash").arg("-n").arg(path).output().unwrap();
    assert!(read.status.success(), "{read:?}");
}

#[test]
fn schemas_are_json_schemas() {
    let home = Home::new();
    for args in [&["schema", "status"][..], &["schema", "event"][..], &["config", "schema"][..]] {
        let schema = home.run(args).exits(0).json();
        jsonschema::meta::validate(&schema).unwrap();
        assert!(schema["properties"].is_object(), "{args:?}");
    }
}

/// The table of keys in the README, against the table of commands.
#[test]
fn the_keys_of_the_readme_are_the_keys() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows = readme.lines().skip_while(|line| !line.starts_with("| key | pane |")).skip(2);
    let (mut panes, mut keys) = (Vec::new(), 0);
    for row in rows.take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [key, pane, _, others, does] = cells[..] else { panic!("{row}") };
        let digit = key.trim_matches('`');
        let own = Pane::ALL.into_iter().find(|pane| pane.digit().to_string() == digit).unwrap();
        assert!(pane.contains(own.name()), "{digit} shows {}, not: {pane}", own.name());
        panes.push(own);
        for key in others.split_whitespace().map(|key| key.trim_matches('`')) {
            let row = TABLE.iter().find(|row| row.keys.contains(&key));
            let row = row.unwrap_or_else(|| panic!("{key} does nothing"));
            let name = row.name.replace("palette", "command").replace("roll-back", "roll back");
            assert!(does.contains(&name), "{key} is {name}, not: {does}");
            keys += 1;
        }
    }
    assert_eq!(panes, Pane::ALL);
    assert!(keys >= 15, "{keys}");
}
