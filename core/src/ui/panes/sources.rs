//! The sources: who answers, who does not, why, as whom, and at what cost.

use ratatui::text::Line;

use super::{ListPane, field, heading, name};
use crate::app::State;
use crate::app::row::RowId;
use crate::app::unreadable::{self, FailingItems};
use crate::domain::error::FaultKind;
use crate::domain::source::SourceState;
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::when;

/// The sources.
pub struct Sources<'a> {
    /// The facts.
    pub state: &'a State,
    /// Theme and glyphs.
    pub look: &'a Look,
}

impl Sources<'_> {
    fn source(&self, row: &RowId) -> Option<&SourceState> {
        let RowId::Source(id) = row else { return None };
        self.state.fleet.sources.get(id)
    }

    /// What it cannot read while it answers.
    fn unreadable(&self, source: &SourceState) -> Vec<String> {
        let groups = unreadable::of(&self.state.fleet, &source.meta.id);
        groups.iter().map(FailingItems::words).collect()
    }
}

impl ListPane for Sources<'_> {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("source", 12, 20),
            Column::new("kind", 9, 13).optional(3),
            Column::new("health", 19, 19),
            Column::new("heard", 5, 5).right(),
            Column::new("calls/min", 9, 9).right().optional(2),
            Column::new("last error", 12, 120).optional(1),
        ]
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let source = self.source(id)?;
        let health = source.health();
        let heard = match source.last_answer() {
            Some(at) => when::ago(state, at),
            None => "never".to_owned(),
        };
        let report = &source.report;
        let calls = format!("{}/{}", report.calls_last_minute, report.budget_per_minute);
        let error = match source.worst() {
            Some(f) => format!("{} ago: {}", when::ago(state, f.since), f.fault),
            None => self.unreadable(source).join("; "),
        };
        Some(vec![
            name(state, look, id, source.meta.id.as_str()),
            look.line(Role::Dim, source.meta.kind.to_string()),
            Line::from(look.marked(look.glyphs.source(health), health.word())),
            look.line(Role::Text, heard),
            look.line(Role::Dim, calls),
            look.line(Role::Text, error),
        ])
    }

    fn empty(&self) -> &'static str {
        "no source is configured"
    }

    fn detail(&self, row: &RowId, _width: u16) -> Vec<Line<'static>> {
        let (state, look) = (self.state, self.look);
        let Some(source) = self.source(row) else { return Vec::new() };
        let (meta, report) = (&source.meta, &source.report);
        let health = source.health();
        let mut lines = vec![
            heading(look, &format!("{} ({})", meta.id, meta.kind)),
            field(look, "where", meta.place.to_string()),
            field(
                look,
                "as",
                source.identity.as_ref().map_or("not told".to_owned(), ToString::to_string),
            ),
            Line::from(vec![
                look.span(Role::Dim, "health      "),
                look.marked(look.glyphs.source(health), health.word()),
            ]),
            field(
                look,
                "calls",
                format!(
                    "{} so far, {} in the last minute of {} allowed",
                    report.calls, report.calls_last_minute, report.budget_per_minute
                ),
            ),
        ];
        if report.unread_items > 0 {
            lines.push(field(
                look,
                "unread",
                format!("{} items are known and not read yet", report.unread_items),
            ));
        }
        if let Some(until) = report.backoff_until {
            lines.push(field(
                look,
                "pause",
                format!("no read before {}", when::full(state, until)),
            ));
        }
        lines.push(Line::default());
        lines.push(heading(look, "Answers"));
        for topic in &meta.capabilities.topics {
            let word = format!("{topic:?}").to_lowercase();
            let (mark, text) = match (source.failing.get(topic), source.last_ok.get(topic)) {
                (Some(failing), ok) => {
                    let ok = ok.map_or("never answered".to_owned(), |at| {
                        format!("last answered {} ago", when::ago(state, *at))
                    });
                    (
                        (look.glyphs.bad, Role::Bad),
                        format!(
                            "failing for {}, {} times; {ok}",
                            when::ago(state, failing.since),
                            failing.times
                        ),
                    )
                }
                (None, Some(at)) => {
                    ((look.glyphs.good, Role::Good), format!("{} ago", when::ago(state, *at)))
                }
                (None, None) => ((look.glyphs.idle, Role::Dim), "not asked yet".to_owned()),
            };
            lines.push(Line::from(vec![
                look.marked(mark, &format!("{word:<10}")),
                look.span(Role::Text, text),
            ]));
        }
        let reads: Vec<String> =
            meta.capabilities.reads.iter().map(|k| format!("{k:?}").to_lowercase()).collect();
        lines.push(field(look, "tells", reads.join(", ")));
        for failing in source.failing.values() {
            lines.push(Line::default());
            lines.push(heading(look, failing.fault.kind.word()));
            lines.push(look.line(Role::Bad, failing.fault.message.to_string()));
            if let FaultKind::Forbidden { permission: Some(permission) } = &failing.fault.kind {
                lines.push(field(look, "missing", permission.to_string()));
            }
            lines.push(field(look, "do", failing.fault.hint.to_string()));
        }
        for items in unreadable::of(&state.fleet, &meta.id) {
            lines.push(Line::default());
            lines.push(heading(look, "Cannot be read"));
            lines.push(look.line(Role::Bad, items.words()));
            lines.push(look.line(Role::Text, items.fault.message.to_string()));
            lines.push(field(look, "do", items.fault.hint.to_string()));
        }
        for warning in &source.warnings {
            lines.push(look.line(Role::Warning, format!("{} {warning}", look.glyphs.warning)));
        }
        lines
    }
}
