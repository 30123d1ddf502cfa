//! Glyphs: one cell each, in a Unicode and an ASCII set.

use super::theme::Role;
use crate::app::canary::Stand;
use crate::app::row::Attention;
use crate::domain::alarm::AlarmState;
use crate::domain::change::ChangeKind;
use crate::domain::environment::Health;
use crate::domain::observed::Freshness;
use crate::domain::pipeline::RunState;
use crate::domain::source::SourceHealth;

/// A set of glyphs.
#[derive(Debug, PartialEq, Eq)]
pub struct Glyphs {
    /// Succeeded, healthy.
    pub good: &'static str,
    /// Failed.
    pub bad: &'static str,
    /// Runs by itself.
    pub moving: &'static str,
    /// Waits for a human.
    pub waiting: &'static str,
    /// May become bad.
    pub warning: &'static str,
    /// Could not be read.
    pub unknown: &'static str,
    /// Nothing there yet.
    pub idle: &'static str,
    /// Stopped, cancelled.
    pub stopped: &'static str,
    /// Overtaken by a newer one.
    pub superseded: &'static str,
    /// The way is closed.
    pub held: &'static str,
    /// On; a filled bullet.
    pub on: &'static str,
    /// Off; an empty bullet.
    pub off: &'static str,
    /// The selected row.
    pub selection: &'static str,
    /// Older than it should be.
    pub stale: &'static str,
    /// Too old to be relied on.
    pub lost: &'static str,
    /// A flag that changed.
    pub flag: &'static str,
    /// A traffic split that changed.
    pub traffic: &'static str,
    /// Something was deployed.
    pub up: &'static str,
    /// Something was rolled back.
    pub back: &'static str,
    /// Any other change.
    pub change: &'static str,
    /// An arrow between two values.
    pub arrow: &'static str,
    /// A horizontal line.
    pub line: &'static str,
    /// A vertical line.
    pub bar: &'static str,
    /// Corners of a box: upper left, upper right, lower left, lower right.
    pub corners: [&'static str; 4],
    /// Between two parts of a line.
    pub dot: &'static str,
    /// Text goes on.
    pub more: &'static str,
    /// Levels of a sparkline, lowest first.
    pub levels: &'static [&'static str],
    /// The cursor of a text field.
    pub cursor: &'static str,
    /// Times.
    pub times: &'static str,
}

/// For terminals that show Unicode.
pub const UNICODE: Glyphs = Glyphs {
    good: "✓",
    bad: "✗",
    moving: "▶",
    waiting: "◆",
    warning: "!",
    unknown: "?",
    idle: "·",
    stopped: "■",
    superseded: "»",
    held: "‖",
    on: "●",
    off: "○",
    selection: "▸",
    stale: "~",
    lost: "?",
    flag: "±",
    traffic: "⇄",
    up: "↑",
    back: "↩",
    change: "◉",
    arrow: "→",
    line: "─",
    bar: "│",
    corners: ["┌", "┐", "└", "┘"],
    dot: "·",
    more: "…",
    levels: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    cursor: "▏",
    times: "×",
};

/// For any terminal.
pub const ASCII: Glyphs = Glyphs {
    good: "+",
    bad: "x",
    moving: ">",
    waiting: "*",
    warning: "!",
    unknown: "?",
    idle: ".",
    stopped: "#",
    superseded: "=",
    held: "|",
    on: "@",
    off: "o",
    selection: ">",
    stale: "~",
    lost: "?",
    flag: "%",
    traffic: "=",
    up: "^",
    back: "<",
    change: "*",
    arrow: "->",
    line: "-",
    bar: "|",
    corners: ["+", "+", "+", "+"],
    dot: "-",
    more: "~",
    levels: &["_", ".", ":", "-", "=", "+", "*", "#"],
    cursor: "_",
    times: "x",
};

impl Glyphs {
    /// Glyph and role of a state.
    pub fn run(&self, state: RunState) -> (&'static str, Role) {
        match state {
            RunState::Unknown => (self.unknown, Role::Unknown),
            RunState::NotRun | RunState::Skipped => (self.idle, Role::Dim),
            RunState::Running => (self.moving, Role::Moving),
            RunState::Waiting => (self.waiting, Role::Waiting),
            RunState::Succeeded => (self.good, Role::Good),
            RunState::Failed => (self.bad, Role::Bad),
            RunState::Stopping | RunState::Stopped | RunState::Cancelled => {
                (self.stopped, Role::Warning)
            }
            RunState::Superseded => (self.superseded, Role::Dim),
        }
    }

    /// Glyph and role of a health.
    pub fn health(&self, health: Health) -> (&'static str, Role) {
        match health {
            Health::Healthy => (self.good, Role::Good),
            Health::Unknown => (self.unknown, Role::Unknown),
            Health::Changing => (self.moving, Role::Moving),
            Health::Degraded => (self.warning, Role::Warning),
            Health::Unhealthy => (self.bad, Role::Bad),
        }
    }

    /// Glyph and role of an alarm.
    pub fn alarm(&self, state: AlarmState) -> (&'static str, Role) {
        match state {
            AlarmState::Ok => (self.good, Role::Good),
            AlarmState::Unknown => (self.unknown, Role::Unknown),
            AlarmState::Pending => (self.warning, Role::Warning),
            AlarmState::Firing => (self.bad, Role::Bad),
        }
    }

    /// Glyph and role of a source.
    pub fn source(&self, health: SourceHealth) -> (&'static str, Role) {
        match health {
            SourceHealth::Answering => (self.good, Role::Good),
            SourceHealth::Pending => (self.moving, Role::Moving),
            SourceHealth::Partly => (self.warning, Role::Warning),
            SourceHealth::Throttled => (self.held, Role::Warning),
            SourceHealth::NotAuthenticated => (self.waiting, Role::Waiting),
            SourceHealth::Failing => (self.bad, Role::Bad),
        }
    }

    /// Glyph and role of how a canary stands; none while nothing was judged.
    pub fn stand(&self, stand: Option<Stand>) -> (&'static str, Role) {
        match stand {
            Some(Stand::Harm) => (self.bad, Role::Bad),
            Some(Stand::AtRisk) => (self.warning, Role::Warning),
            Some(Stand::Silent) => (self.unknown, Role::Warning),
            Some(Stand::NoData) => (self.unknown, Role::Unknown),
            Some(Stand::Watching) => (self.moving, Role::Moving),
            Some(Stand::Cleared) => (self.good, Role::Good),
            None => (self.idle, Role::Dim),
        }
    }

    /// Glyph and role of what needs attention.
    pub fn attention(&self, attention: Attention) -> (&'static str, Role) {
        match attention {
            Attention::Failing => (self.bad, Role::Bad),
            Attention::Waiting => (self.waiting, Role::Waiting),
            Attention::AtRisk => (self.warning, Role::Warning),
            Attention::Moving => (self.moving, Role::Moving),
            Attention::Calm => (self.idle, Role::Dim),
        }
    }

    /// Glyph and role of a change.
    pub fn kind(&self, kind: ChangeKind) -> (&'static str, Role) {
        match kind {
            ChangeKind::Deploy => (self.up, Role::Moving),
            ChangeKind::Rollback => (self.back, Role::Warning),
            ChangeKind::Pipeline => (self.moving, Role::Dim),
            ChangeKind::Approval => (self.waiting, Role::Waiting),
            ChangeKind::Flag => (self.flag, Role::Change),
            ChangeKind::Traffic => (self.traffic, Role::Canary),
            ChangeKind::Alarm => (self.warning, Role::Bad),
            ChangeKind::Stack | ChangeKind::Config | ChangeKind::Login => (self.change, Role::Dim),
        }
    }

    /// Glyph and role of an age; nothing for what is fresh.
    pub fn freshness(&self, freshness: Freshness) -> (&'static str, Role) {
        match freshness {
            Freshness::Fresh => (" ", Role::Text),
            Freshness::Stale => (self.stale, Role::Stale),
            Freshness::Lost => (self.lost, Role::Lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    #[test]
    fn state_glyphs_are_one_cell_and_ascii_is_ascii() {
        for set in [&UNICODE, &ASCII] {
            for glyph in [
                set.good,
                set.bad,
                set.moving,
                set.waiting,
                set.warning,
                set.unknown,
                set.idle,
                set.stopped,
                set.superseded,
                set.held,
                set.on,
                set.off,
                set.selection,
                set.stale,
                set.lost,
                set.flag,
                set.traffic,
                set.up,
                set.back,
                set.change,
                set.line,
                set.bar,
                set.dot,
                set.more,
                set.cursor,
                set.times,
            ] {
                assert_eq!(glyph.width(), 1, "{glyph}");
                assert!(*set == UNICODE || glyph.is_ascii(), "{glyph}");
            }
            assert_eq!(set.levels.len(), 8);
        }
        assert!(ASCII.levels.iter().chain(&ASCII.corners).all(|g| g.is_ascii()));
    }
}
