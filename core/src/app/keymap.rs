//! Which key means which command: the table's keys, overridden by the configuration.

use std::collections::BTreeMap;

use super::command::{Command, TABLE};
use super::key::Key;

/// Which key means which command.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keymap {
    commands: BTreeMap<Key, Command>,
}

impl Keymap {
    /// The table's keys; a command named in `overrides` has those keys instead of its own.
    pub fn new(overrides: &BTreeMap<String, Vec<Key>>) -> Self {
        let mut commands = BTreeMap::new();
        for row in TABLE.iter().filter(|row| !overrides.contains_key(row.name)) {
            for key in row.keys.iter().filter_map(|text| Key::parse(text).ok()) {
                commands.insert(key, row.command);
            }
        }
        // Chosen keys win over built-in ones of other commands.
        for (name, keys) in overrides {
            if let Some(command) = Command::named(name) {
                commands.extend(keys.iter().map(|key| (*key, command)));
            }
        }
        Self { commands }
    }

    /// What `key` means.
    pub fn command(&self, key: Key) -> Option<Command> {
        self.commands.get(&key).copied()
    }

    /// The keys of a command, the built-in order first.
    pub fn keys(&self, command: Command) -> Vec<Key> {
        let built_in: Vec<Key> = command
            .spec()
            .map(|row| row.keys.iter().filter_map(|text| Key::parse(text).ok()).collect())
            .unwrap_or_default();
        let mut keys: Vec<Key> =
            self.commands.iter().filter(|(_, c)| **c == command).map(|(k, _)| *k).collect();
        keys.sort_by_key(|key| built_in.iter().position(|k| k == key).unwrap_or(usize::MAX));
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_replaces_the_keys_of_its_command_and_wins() {
        let keys = BTreeMap::from([("quit".to_owned(), vec![Key::char('j')])]);
        let map = Keymap::new(&keys);
        assert_eq!(map.command(Key::char('j')), Some(Command::Quit));
        assert_eq!(map.command(Key::char('q')), None);
        assert_eq!(map.keys(Command::Down), vec![Key::parse("down").unwrap()]);
    }
}
