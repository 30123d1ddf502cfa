//! What can lie over a pane: help, the palette, the filter line.

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::dialog::Dialog;
use super::intent::Choice;
use crate::domain::text::SafeText;

/// Something that lies over a pane and takes the keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlay {
    /// A plan is to be confirmed.
    Confirm(Box<Dialog>),
    /// One of several intents is to be chosen.
    Choose(Menu),
    /// Every command and its keys.
    Help {
        /// First line shown.
        top: usize,
    },
    /// Commands by name.
    Palette(Palette),
    /// The filter of the pane is being typed.
    Filter {
        /// What it was before, for Esc.
        before: String,
    },
}

/// Several intents, of which one is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Menu {
    /// What is chosen.
    pub title: SafeText,
    /// The choices.
    pub choices: Vec<Choice>,
    /// Which of them is selected.
    pub selected: usize,
    /// What is typed for the selected one, if it takes that.
    pub typed: Option<String>,
}

/// Commands by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Palette {
    /// What was typed.
    pub input: String,
    /// Which of the matches is selected.
    pub selected: usize,
}

impl Palette {
    /// The commands and arguments that match what was typed, best first.
    pub fn matches(&self, entries: Vec<PaletteEntry>) -> Vec<PaletteEntry> {
        super::search::ranked(&self.input, entries, |entry| entry.text.clone())
    }
}

/// One line of the palette.
#[derive(Clone, Debug, PartialEq)]
pub struct PaletteEntry {
    /// What is shown and searched: the command, perhaps with an argument.
    pub text: String,
    /// What it does, in one sentence.
    pub help: String,
    /// The command.
    pub command: Command,
    /// Its argument: a theme, a service.
    pub argument: Option<String>,
    /// Why it cannot be used now.
    pub disabled: Option<String>,
}
