//! `Look`: theme and glyphs, and the small words of text that every pane is made of.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::glyphs::{ASCII, Glyphs, UNICODE};
use super::theme::{Role, Theme};
use crate::domain::environment::Health;
use crate::domain::pipeline::RunState;

/// Theme and glyphs.
#[derive(Clone, Debug)]
pub struct Look {
    /// How each role looks.
    pub theme: Theme,
    /// The glyphs.
    pub glyphs: &'static Glyphs,
}

impl Look {
    /// A look; `ascii` for terminals that show nothing else.
    pub fn new(theme: Theme, ascii: bool) -> Self {
        Self { theme, glyphs: if ascii { &ASCII } else { &UNICODE } }
    }

    /// How `role` looks.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Text that means `role`.
    pub fn span<'a>(&self, role: Role, text: impl Into<Cow<'a, str>>) -> Span<'a> {
        Span::styled(text, self.style(role))
    }

    /// A line of one piece.
    pub fn line<'a>(&self, role: Role, text: impl Into<Cow<'a, str>>) -> Line<'a> {
        Line::from(self.span(role, text))
    }

    /// Glyph and word, both in the colour of the state.
    pub fn marked(&self, mark: (&'static str, Role), word: &str) -> Span<'static> {
        let (glyph, role) = mark;
        self.span(role, if word.is_empty() { glyph.to_owned() } else { format!("{glyph} {word}") })
    }

    /// A state as glyph and word.
    pub fn run(&self, state: RunState) -> Span<'static> {
        self.marked(self.glyphs.run(state), state.word())
    }

    /// A health as glyph and word.
    pub fn health(&self, health: Health) -> Span<'static> {
        self.marked(self.glyphs.health(health), health.word())
    }
}
