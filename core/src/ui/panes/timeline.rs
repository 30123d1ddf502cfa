//! The timeline: every change of every source on one clock, newest first.

use ratatui::text::Line;

use super::{ListPane, field, heading, name, owners};
use crate::app::State;
use crate::app::row::RowId;
use crate::domain::ids::ItemId;
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::when;

/// The timeline.
pub struct Timeline<'a> {
    /// The facts.
    pub state: &'a State,
    /// Theme and glyphs.
    pub look: &'a Look,
}

impl ListPane for Timeline<'_> {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("time", 6, 6),
            Column::new("kind", 10, 10),
            Column::new("what", 18, 80),
            Column::new("who", 6, 14).optional(1),
            Column::new("where", 10, 14).optional(3),
            Column::new("service", 9, 16).optional(2),
        ]
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let row = state.rows.timeline.get(id)?;
        let text = |t: &Option<crate::domain::text::SafeText>| {
            t.as_ref().map(ToString::to_string).unwrap_or_default()
        };
        Some(vec![
            look.line(Role::Dim, when::moment(state, row.at)),
            Line::from(look.marked(look.glyphs.kind(row.kind), row.kind.word())),
            name(state, look, id, row.title.as_str()),
            look.line(Role::Text, text(&row.who)),
            look.line(Role::Dim, text(&row.environment)),
            if row.services.is_empty() { Line::default() } else { owners(look, &row.services) },
        ])
    }

    fn empty(&self) -> &'static str {
        "nothing changed in the time that the sources tell of"
    }

    fn detail(&self, row: &RowId, _width: u16) -> Vec<Line<'static>> {
        let RowId::Item(ItemId::Change(id)) = row else { return Vec::new() };
        let Some(observed) = self.state.fleet.changes.get(id) else { return Vec::new() };
        let (state, look, change) = (self.state, self.look, &observed.value);
        let mut lines = vec![
            heading(look, change.title.as_str()),
            field(
                look,
                "when",
                format!(
                    "{} {} ({} ago)",
                    when::full(state, change.at),
                    when::zone_word(state),
                    when::ago(state, change.at)
                ),
            ),
            Line::from(vec![
                look.span(Role::Dim, "kind        "),
                look.marked(look.glyphs.kind(change.kind), change.kind.word()),
            ]),
        ];
        let mut add = |label, value: Option<String>| {
            if let Some(value) = value {
                lines.push(field(look, label, value));
            }
        };
        add("who", change.who.as_ref().map(ToString::to_string));
        add("where", change.environment.as_ref().map(ToString::to_string));
        add("what", change.target.as_ref().map(|t| format!("{} in {}", t.name(), t.source())));
        add("detail", change.detail.as_ref().map(ToString::to_string));
        add("link", change.link.as_ref().map(ToString::to_string));
        add("source", Some(id.source.to_string()));
        lines
    }
}
