//! THE command table: keys, hint bar, help, palette and docs all follow from it.

use serde::{Deserialize, Serialize};

use super::pane::Pane;
pub use super::wish::Wish;

/// Something that the operator can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Select the next row.
    Down,
    /// Select the previous row.
    Up,
    /// Select a page further down.
    PageDown,
    /// Select a page further up.
    PageUp,
    /// Select the first row.
    First,
    /// Select the last row.
    Last,
    /// Scroll the details down.
    DetailDown,
    /// Scroll the details up.
    DetailUp,
    /// Open what is selected.
    Open,
    /// Go back.
    Back,
    /// Show a pane.
    Show(Pane),
    /// Show the next pane.
    NextPane,
    /// Show the previous pane.
    PreviousPane,
    /// Narrow the list.
    Filter,
    /// Find a command by name.
    Palette,
    /// Show every command.
    Help,
    /// Read the selected item again.
    Refresh,
    /// Read everything again.
    RefreshAll,
    /// Copy the id.
    CopyId,
    /// Copy the link.
    CopyLink,
    /// Let the details cover the pane.
    Zoom,
    /// Group the board by owner.
    GroupByOwner,
    /// Switch to another theme.
    Theme,
    /// Switch mouse reporting.
    Mouse,
    /// Run the rehearsal's clock faster.
    Faster,
    /// Run the rehearsal's clock slower.
    Slower,
    /// Change something.
    Wish(Wish),
    /// Plan again what was not done because it had moved.
    Again,
    /// Let a pilot fly a canary, or hand over.
    Fly,
    /// Refuse every write, or allow them again.
    Lock,
    /// Draw the screen again.
    Redraw,
    /// Stop the program, to come back later.
    Suspend,
    /// Leave.
    Quit,
}

/// Where a command has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In every pane.
    Everywhere,
    /// In panes with a list.
    Lists,
    /// In panes with details beside the list, and in the service pane.
    Details,
    /// On the board.
    Board,
    /// While rehearsing.
    Rehearsal,
    /// In panes whose rows can be acted on.
    Acts,
}

/// One row of the table.
pub struct Spec {
    /// The command.
    pub command: Command,
    /// Its name, in the palette and in the configuration of keys.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// Its built-in keys.
    pub keys: &'static [&'static str],
    /// Where it has a meaning.
    pub place: Place,
    /// Its label in the hint bar; the lower the number, the sooner it is shown.
    pub hint: Option<(u8, &'static str)>,
}

const fn row(
    command: Command,
    name: &'static str,
    keys: &'static [&'static str],
    place: Place,
    hint: Option<(u8, &'static str)>,
    help: &'static str,
) -> Spec {
    Spec { command, name, help, keys, place, hint }
}

use Place::{Acts, Board, Details, Everywhere, Lists, Rehearsal};

/// Every command, in the order of the help.
pub const TABLE: &[Spec] = &[
    row(Command::Down, "down", &["j", "down"], Lists, None, "Select the next row."),
    row(Command::Up, "up", &["k", "up"], Lists, None, "Select the previous row."),
    row(
        Command::PageDown,
        "page-down",
        &["pagedown", "ctrl-f", "ctrl-d"],
        Lists,
        None,
        "Select a page further down.",
    ),
    row(
        Command::PageUp,
        "page-up",
        &["pageup", "ctrl-b", "ctrl-u"],
        Lists,
        None,
        "Select a page further up.",
    ),
    row(Command::First, "first", &["g", "home"], Lists, None, "Select the first row."),
    row(Command::Last, "last", &["G", "end"], Lists, None, "Select the last row."),
    row(Command::DetailDown, "detail-down", &["J"], Details, None, "Scroll the details down."),
    row(Command::DetailUp, "detail-up", &["K"], Details, None, "Scroll the details up."),
    row(
        Command::Open,
        "open",
        &["enter", "l", "right"],
        Everywhere,
        Some((10, "open")),
        "Open what is selected.",
    ),
    row(Command::Back, "back", &["esc", "h", "left"], Everywhere, None, "Go back."),
    row(
        Command::Show(Pane::Board),
        "board",
        &["1"],
        Everywhere,
        None,
        "Show the board: services and their stages.",
    ),
    row(
        Command::Show(Pane::Inbox),
        "inbox",
        &["2"],
        Everywhere,
        None,
        "Show the inbox: everything that waits for a human.",
    ),
    row(
        Command::Show(Pane::Pipelines),
        "pipelines",
        &["3"],
        Everywhere,
        None,
        "Show the pipelines with their stages and executions.",
    ),
    row(
        Command::Show(Pane::Environments),
        "environments",
        &["4"],
        Everywhere,
        None,
        "Show the environments and traffic splits.",
    ),
    row(
        Command::Show(Pane::Canaries),
        "canaries",
        &["5"],
        Everywhere,
        None,
        "Show the canaries beside their baselines.",
    ),
    row(
        Command::Show(Pane::Flags),
        "flags",
        &["6"],
        Everywhere,
        None,
        "Show the flags in every environment.",
    ),
    row(
        Command::Show(Pane::Timeline),
        "timeline",
        &["7"],
        Everywhere,
        None,
        "Show every change of every source on one clock.",
    ),
    row(
        Command::Show(Pane::Service),
        "service",
        &["8"],
        Everywhere,
        None,
        "Show one service in one screen.",
    ),
    row(
        Command::Show(Pane::Activity),
        "activity",
        &["9"],
        Everywhere,
        None,
        "Show what was done from here, and what came of it.",
    ),
    row(
        Command::Show(Pane::Sources),
        "sources",
        &["0"],
        Everywhere,
        None,
        "Show who answers, who does not, and why.",
    ),
    row(Command::NextPane, "next-pane", &["tab"], Everywhere, None, "Show the next pane."),
    row(
        Command::PreviousPane,
        "previous-pane",
        &["shift-tab"],
        Everywhere,
        None,
        "Show the previous pane.",
    ),
    row(
        Command::Filter,
        "filter",
        &["/"],
        Lists,
        Some((60, "filter")),
        "Narrow the list; words match loosely, service:x who:x kind:x as they begin.",
    ),
    row(
        Command::Palette,
        "palette",
        &[":"],
        Everywhere,
        Some((70, "command")),
        "Find a command by name.",
    ),
    row(Command::Help, "help", &["?"], Everywhere, Some((80, "help")), "Show every command."),
    row(
        Command::Wish(Wish::Approve),
        "approve",
        &["a"],
        Acts,
        Some((20, "approve")),
        "Approve what waits there.",
    ),
    row(
        Command::Wish(Wish::Reject),
        "reject",
        &["x"],
        Acts,
        Some((30, "reject")),
        "Reject what waits there.",
    ),
    row(
        Command::Wish(Wish::Promote),
        "promote",
        &["p"],
        Acts,
        Some((21, "promote")),
        "One step further: approve what waits, or shift to the next step, or finish.",
    ),
    row(
        Command::Wish(Wish::RollBack),
        "roll-back",
        &["b"],
        Acts,
        Some((22, "roll back")),
        "Go back to what ran before, and hold.",
    ),
    row(
        Command::Wish(Wish::Hold),
        "hold",
        &["H"],
        Acts,
        Some((31, "hold")),
        "Close the way into a stage, or open it again.",
    ),
    row(
        Command::Wish(Wish::Traffic),
        "traffic",
        &["t"],
        Acts,
        Some((23, "traffic")),
        "Shift traffic, drain a version, or take it back.",
    ),
    row(
        Command::Wish(Wish::Flag),
        "flag",
        &["f"],
        Acts,
        Some((24, "flag")),
        "Switch a flag on or off, or change its share.",
    ),
    row(
        Command::Wish(Wish::Retry),
        "retry",
        &["e"],
        Acts,
        Some((25, "retry")),
        "Run again what failed, or override a condition.",
    ),
    row(Command::Wish(Wish::Stop), "stop", &["s"], Acts, None, "Stop an execution."),
    row(Command::Wish(Wish::Start), "start", &["S"], Acts, None, "Start an execution."),
    row(
        Command::Wish(Wish::Undo),
        "undo",
        &["u"],
        Everywhere,
        None,
        "Undo what was done last, or the selected activity.",
    ),
    row(
        Command::Again,
        "plan-again",
        &["n"],
        Everywhere,
        None,
        "Plan again what was not done because it had moved.",
    ),
    row(
        Command::Fly,
        "pilot",
        &["P"],
        Acts,
        None,
        "Let a pilot walk the canary by its verdict; again, and you fly.",
    ),
    row(
        Command::Lock,
        "read-only",
        &["L"],
        Everywhere,
        None,
        "Refuse every write until the key is pressed again.",
    ),
    row(
        Command::Refresh,
        "refresh",
        &["r"],
        Everywhere,
        Some((40, "refresh")),
        "Read what is selected again, now.",
    ),
    row(
        Command::RefreshAll,
        "refresh-all",
        &["R"],
        Everywhere,
        None,
        "Read every source again, now.",
    ),
    row(Command::CopyId, "copy-id", &["y"], Everywhere, Some((50, "copy")), "Copy the id."),
    row(Command::CopyLink, "copy-link", &["Y"], Everywhere, None, "Copy the link."),
    row(
        Command::Zoom,
        "zoom",
        &["z"],
        Details,
        Some((45, "zoom")),
        "Let the details cover the pane, and back.",
    ),
    row(
        Command::GroupByOwner,
        "group-by-owner",
        &["o"],
        Board,
        Some((46, "by owner")),
        "Group the board by owner, and back.",
    ),
    row(Command::Theme, "theme", &["T"], Everywhere, None, "Switch to the next theme."),
    row(
        Command::Mouse,
        "mouse",
        &["M"],
        Everywhere,
        None,
        "Switch the mouse on or off; while on, the terminal's own copy and paste needs Shift.",
    ),
    row(
        Command::Faster,
        "faster",
        &["+"],
        Rehearsal,
        Some((55, "faster")),
        "Run the rehearsal's clock faster.",
    ),
    row(
        Command::Slower,
        "slower",
        &["-"],
        Rehearsal,
        None,
        "Run the rehearsal's clock slower, down to a pause.",
    ),
    row(Command::Redraw, "redraw", &["ctrl-l"], Everywhere, None, "Draw the screen again."),
    row(
        Command::Suspend,
        "suspend",
        &["ctrl-z"],
        Everywhere,
        None,
        "Stop the program; `fg` brings it back.",
    ),
    row(
        Command::Quit,
        "quit",
        &["q"],
        Everywhere,
        Some((90, "quit")),
        "Leave. Ctrl-C twice always leaves.",
    ),
];

impl Command {
    /// Its row of the table.
    pub fn spec(self) -> Option<&'static Spec> {
        TABLE.iter().find(|row| row.command == self)
    }

    /// The command of this name.
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::key::Key;

    #[test]
    fn names_are_unique_and_keys_valid() {
        for (i, row) in TABLE.iter().enumerate() {
            assert!(row.help.ends_with('.'), "{}", row.name);
            assert!(TABLE.iter().skip(i + 1).all(|other| other.name != row.name), "{}", row.name);
            for key in row.keys {
                Key::parse(key).unwrap();
            }
        }
    }

    #[test]
    fn no_two_commands_share_a_key() {
        for (i, row) in TABLE.iter().enumerate() {
            for other in TABLE.iter().skip(i + 1) {
                for key in row.keys {
                    assert!(!other.keys.contains(key), "{} and {}: {key}", row.name, other.name);
                }
            }
        }
    }
}
