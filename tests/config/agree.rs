//! The configuration and the control room mean the same by a key, a pane and a command.

use flightdeck::app::command::TABLE;
use flightdeck::app::key::Key;
use flightdeck::app::pane::Pane;
use flightdeck::config::names::{KeyName, NAMED_KEYS};
use flightdeck::config::{load_text, schema};

#[test]
fn every_key_that_can_be_configured_is_one() {
    for name in NAMED_KEYS {
        assert!(Key::parse(name).is_ok(), "{name}");
        for modifier in ["ctrl-", "alt-", "ctrl-alt-"] {
            assert!(Key::parse(&format!("{modifier}{name}")).is_ok(), "{modifier}{name}");
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_key_is_accepted_that_the_keymap_refuses(text in "(ctrl-|alt-|shift-|x-)?\\PC{0,6}|f[0-9]{1,2}") {
        if text.parse::<KeyName>().is_ok() {
            proptest::prop_assert!(Key::parse(&text).is_ok(), "{text:?}");
        }
    }
}

#[test]
fn every_built_in_key_could_be_configured() {
    for row in TABLE {
        for key in row.keys {
            assert!(key.parse::<KeyName>().is_ok(), "{key} of {}", row.name);
        }
    }
}

#[test]
fn the_start_panes_are_panes() {
    let panes = schema::schema()["$defs"]["StartPane"].to_string();
    for pane in Pane::ALL {
        let named = panes.contains(&format!("\"{}\"", pane.name()));
        // The pane of one service needs a service to be chosen first.
        assert_eq!(named, pane != Pane::Service, "{}", pane.name());
    }
}

#[test]
fn the_commands_in_the_documentation_exist() {
    let names: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
    let text = flightdeck::config::load::DEFAULT_TOML;
    let (_, keys) = text.split_once("[keys]\n").unwrap();
    let keys: Vec<&str> = keys.lines().map_while(|line| line.strip_prefix("# ")).collect();
    assert!(!keys.is_empty());
    let loaded = load_text("x.toml", &format!("[keys]\n{}\n", keys.join("\n")), &[]).unwrap();
    assert_eq!(loaded.unknown_commands(&names), vec![]);
}
