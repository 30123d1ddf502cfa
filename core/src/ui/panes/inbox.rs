//! The inbox: everything that waits for a human, most urgent first.

use ratatui::text::Line;

use super::{ListPane, name, owners};
use crate::app::State;
use crate::app::row::RowId;
use crate::app::select::inbox::AskKind;
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::when;

/// The inbox.
pub struct Inbox<'a> {
    /// The facts.
    pub state: &'a State,
    /// Theme and glyphs.
    pub look: &'a Look,
}

impl ListPane for Inbox<'_> {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("wants", 9, 9),
            Column::new("what", 16, 36),
            Column::new("service", 10, 18).optional(2),
            Column::new("for", 4, 4).right(),
            Column::new("ends", 7, 7).right().optional(1),
            Column::new("detail", 12, 200).optional(3),
        ]
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let row = state.rows.inbox.get(id)?;
        let glyphs = look.glyphs;
        let mark = match row.kind {
            AskKind::Canary => (glyphs.warning, Role::Warning),
            AskKind::Alarm | AskKind::Unhealthy | AskKind::Failed => (glyphs.bad, Role::Bad),
            AskKind::Unsure => (glyphs.unknown, Role::Unknown),
            AskKind::Approval | AskKind::SignIn | AskKind::Pilot => (glyphs.waiting, Role::Waiting),
            AskKind::Held => (glyphs.held, Role::Warning),
        };
        let since = row.since.map(|at| when::ago(state, at)).unwrap_or_default();
        let (ends, role) = match row.deadline {
            Some(at) => {
                let close = at < state.now + jiff::SignedDuration::from_hours(1);
                (when::until(state, at), if close { Role::Warning } else { Role::Text })
            }
            None => (String::new(), Role::Text),
        };
        Some(vec![
            Line::from(look.marked(mark, row.kind.word())),
            name(state, look, id, row.title.as_str()),
            match row.kind {
                AskKind::SignIn => look.line(Role::Dim, "a source"),
                _ => owners(look, &row.services),
            },
            look.line(Role::Text, since),
            look.line(role, ends),
            look.line(Role::Dim, row.detail.as_ref().map(ToString::to_string).unwrap_or_default()),
        ])
    }

    fn empty(&self) -> &'static str {
        "nothing waits for a human"
    }
}
