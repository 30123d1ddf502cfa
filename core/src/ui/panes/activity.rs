//! Activity: what was done from here, step by step, and what came of it.

use ratatui::text::Line;

use super::{ListPane, field, heading, name};
use crate::app::State;
use crate::app::activity::{ActivityStep, Phase};
use crate::app::flight::Flight;
use crate::app::row::RowId;
use crate::domain::flight::FlightWord;
use crate::domain::write::{Outcome, OutcomeKind};
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::when;
use crate::ui::wrap::wrap;

/// What was done from here.
pub struct Activities<'a> {
    /// The facts.
    pub state: &'a State,
    /// Theme and glyphs.
    pub look: &'a Look,
}

impl Activities<'_> {
    fn mark(&self, outcome: Option<OutcomeKind>) -> (&'static str, Role, &'static str) {
        let glyphs = self.look.glyphs;
        match outcome {
            None => (glyphs.moving, Role::Moving, "under way"),
            Some(OutcomeKind::Done) => (glyphs.good, Role::Good, "done"),
            Some(OutcomeKind::Answered) => (glyphs.superseded, Role::Text, "answered"),
            Some(OutcomeKind::Moved) => (glyphs.warning, Role::Warning, "moved"),
            Some(OutcomeKind::Refused | OutcomeKind::Unrecorded) => {
                (glyphs.warning, Role::Warning, "refused")
            }
            Some(OutcomeKind::Failed) => (glyphs.bad, Role::Bad, "failed"),
            Some(OutcomeKind::Unknown) => (glyphs.unknown, Role::Unknown, "unknown"),
        }
    }

    fn flown(&self, flight: &Flight) -> (&'static str, Role, &'static str) {
        let glyphs = self.look.glyphs;
        let (glyph, role) = match flight.last().map(|event| event.what) {
            _ if flight.was_cut_short() => (glyphs.warning, Role::Warning),
            Some(FlightWord::Finished) => (glyphs.good, Role::Good),
            Some(FlightWord::RolledBack) => (glyphs.bad, Role::Bad),
            Some(FlightWord::HandedOver) => (glyphs.superseded, Role::Text),
            Some(FlightWord::Grounded | FlightWord::Calling) => (glyphs.waiting, Role::Waiting),
            _ => (glyphs.moving, Role::Moving),
        };
        (glyph, role, flight.word())
    }

    fn told(&self, flight: &Flight, width: u16) -> Vec<Line<'static>> {
        let (state, look) = (self.state, self.look);
        let room = usize::from(width.saturating_sub(4)).max(8);
        let mut lines = Vec::new();
        for told in &flight.told {
            let event = &told.event;
            let share = event.share.map(|share| format!(" at {share:.0}%")).unwrap_or_default();
            let verdict = event.verdict.as_ref().map(|v| format!(", verdict {v}"));
            let verdict = verdict.unwrap_or_default();
            let at = when::moment(state, told.at);
            lines.push(Line::from(vec![
                look.span(Role::Dim, format!("{at} ")),
                look.span(Role::Strong, event.what.word()),
                look.span(Role::Dim, format!("{share}{verdict}")),
            ]));
            for part in wrap(event.text.as_str(), room, 3) {
                lines.push(look.line(Role::Text, format!("    {part}")));
            }
        }
        lines
    }

    fn step(&self, step: &ActivityStep, width: u16) -> Vec<Line<'static>> {
        let look = self.look;
        let outcome = match &step.phase {
            Some(Phase::Ended { outcome }) => Some(outcome),
            _ => None,
        };
        let (glyph, role, word) = match (&step.phase, outcome) {
            (None, _) => (look.glyphs.idle, Role::Dim, "not yet"),
            (Some(Phase::Checking), _) => (look.glyphs.moving, Role::Moving, "reading again"),
            (Some(Phase::Sending), _) => (look.glyphs.moving, Role::Moving, "sent"),
            (Some(Phase::Verifying), _) => (look.glyphs.moving, Role::Moving, "looking"),
            (_, outcome) => self.mark(outcome.map(Outcome::kind)),
        };
        let mut lines = vec![Line::from(vec![
            look.span(role, format!("{glyph} {word:<10} ")),
            look.span(Role::Text, step.words.to_string()),
        ])];
        let room = usize::from(width.saturating_sub(4)).max(8);
        if let Some(outcome) = outcome {
            for part in wrap(&outcome.sentence(), room, 6) {
                lines.push(look.line(Role::Dim, format!("    {part}")));
            }
        }
        if let Some(why) = &step.no_undo {
            for part in wrap(&format!("cannot be undone: {why}"), room, 3) {
                lines.push(look.line(Role::Dim, format!("    {part}")));
            }
        }
        lines
    }
}

impl ListPane for Activities<'_> {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("when", 6, 6),
            Column::new("outcome", 11, 11),
            Column::new("what", 20, 70),
            Column::new("service", 9, 16).optional(2),
            Column::new("detail", 12, 120).optional(1),
        ]
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let row = state.rows.activity.get(id)?;
        let (glyph, role, word) = match &row.flight {
            Some(flight) => self.flown(flight),
            None => self.mark(row.outcome),
        };
        let service = row.service.as_ref().map(ToString::to_string).unwrap_or_default();
        Some(vec![
            look.line(Role::Dim, when::moment(state, row.at)),
            look.line(role, format!("{glyph} {word}")),
            name(state, look, id, row.title.as_str()),
            look.line(Role::Text, service),
            look.line(Role::Dim, row.sentence.to_string()),
        ])
    }

    fn empty(&self) -> &'static str {
        "nothing was done from here yet"
    }

    fn detail(&self, row: &RowId, width: u16) -> Vec<Line<'static>> {
        let (state, look) = (self.state, self.look);
        let RowId::Plan(plan) = row else { return Vec::new() };
        let Some(own) = state.activity.iter().find(|a| a.plan == *plan) else { return Vec::new() };
        let when = format!("{} {}", when::full(state, own.at), when::zone_word(state));
        let mut lines: Vec<Line<'static>> = wrap(own.title.as_str(), usize::from(width), 3)
            .iter()
            .map(|part| heading(look, part))
            .collect();
        let label = if own.flight.is_some() { "began" } else { "confirmed" };
        lines.push(field(look, label, when));
        lines.push(field(look, "plan", own.plan.0.clone()));
        lines.push(Line::default());
        for step in &own.steps {
            lines.extend(self.step(step, width));
        }
        if let Some(flight) = &own.flight {
            lines.extend(self.told(flight, width));
        }
        lines
    }
}
