//! Roles: what a piece of text means; a theme says how each looks.

/// What a piece of text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Text of less weight: headings, labels, what is calm.
    Dim,
    /// Text of more weight.
    Strong,
    /// Name of the program and titles of boxes.
    Title,
    /// Rules and borders.
    Rule,
    /// The tab of the pane that is shown.
    Tab,
    /// The selected row: its marker and its name.
    Selected,
    /// Succeeded, healthy, answering.
    Good,
    /// Runs by itself.
    Moving,
    /// Waits for a human.
    Waiting,
    /// May become bad.
    Warning,
    /// Failed, harmful.
    Bad,
    /// Could not be read.
    Unknown,
    /// Older than it should be.
    Stale,
    /// Too old to be relied on.
    Lost,
    /// A key that does something.
    Key,
    /// Series and values of the canary.
    Canary,
    /// Series and values of its baseline.
    Baseline,
    /// A change on a chart or a clock.
    Change,
    /// The mark of the rehearsal.
    Rehearsal,
    /// What is being typed.
    Input,
}

impl Role {
    /// Every role, with its name in theme files.
    pub const ALL: [(Self, &'static str); 21] = [
        (Self::Text, "text"),
        (Self::Dim, "dim"),
        (Self::Strong, "strong"),
        (Self::Title, "title"),
        (Self::Rule, "rule"),
        (Self::Tab, "tab"),
        (Self::Selected, "selected"),
        (Self::Good, "good"),
        (Self::Moving, "moving"),
        (Self::Waiting, "waiting"),
        (Self::Warning, "warning"),
        (Self::Bad, "bad"),
        (Self::Unknown, "unknown"),
        (Self::Stale, "stale"),
        (Self::Lost, "lost"),
        (Self::Key, "key"),
        (Self::Canary, "canary"),
        (Self::Baseline, "baseline"),
        (Self::Change, "change"),
        (Self::Rehearsal, "rehearsal"),
        (Self::Input, "input"),
    ];

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, own)| *own == name).map(|(role, _)| *role)
    }
}
