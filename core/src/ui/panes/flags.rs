//! The flags: flags down, environments across; what changed last first.

use std::collections::BTreeMap;

use ratatui::text::Line;

use super::{ListPane, field, heading, name, owners};
use crate::app::State;
use crate::app::row::RowId;
use crate::domain::flag::{Flag, FlagState};
use crate::domain::ids::ItemId;
use crate::domain::text::SafeText;
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::when;

/// Columns of environments at most.
const ENVIRONMENTS: usize = 6;
/// Flags that the columns are made from.
const SURVEYED: usize = 400;

/// The flags.
pub struct Flags<'a> {
    state: &'a State,
    look: &'a Look,
    environments: Vec<SafeText>,
}

impl<'a> Flags<'a> {
    /// The flags as they are now.
    pub fn new(state: &'a State, look: &'a Look) -> Self {
        let mut seen: BTreeMap<&SafeText, usize> = BTreeMap::new();
        for (_, observed) in state.fleet.flags.iter().take(SURVEYED) {
            for e in &observed.value.environments {
                *seen.entry(&e.environment).or_default() += 1;
            }
        }
        let mut names: Vec<(&SafeText, usize)> = seen.into_iter().collect();
        names.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let environments = names.into_iter().take(ENVIRONMENTS).map(|(n, _)| n.clone()).collect();
        Self { state, look, environments }
    }
}

/// A flag in one environment: on or off, and for how many.
pub fn state_cell(look: &Look, state: Option<&FlagState>) -> Line<'static> {
    let Some(state) = state else { return look.line(Role::Dim, look.glyphs.idle) };
    let percent = match state.percent {
        Some(p) if p < 100.0 => format!(" {p:.0}%"),
        // For whom, the rules say: that need not be everybody.
        None if !state.rules.is_empty() => " by rules".to_owned(),
        _ => String::new(),
    };
    let mut line = match state.enabled {
        Some(true) => look.line(Role::Good, format!("{} on{percent}", look.glyphs.on)),
        Some(false) => look.line(Role::Dim, format!("{} off", look.glyphs.off)),
        None => look.line(Role::Unknown, format!("{} unknown", look.glyphs.unknown)),
    };
    if let Some(rollout) = &state.rollout {
        line.push_span(
            look.span(Role::Moving, format!(" {} {:.0}%", look.glyphs.moving, rollout.percent)),
        );
    }
    line
}

impl ListPane for Flags<'_> {
    fn columns(&self) -> Vec<Column> {
        let mut columns =
            vec![Column::new("flag", 14, 30), Column::new("service", 9, 16).optional(5)];
        columns
            .extend(self.environments.iter().map(|e| Column::new(e.as_str(), 10, 14).optional(1)));
        columns.push(Column::new("changed", 7, 7).right().optional(2));
        columns.push(Column::new("by", 6, 14).optional(3));
        columns.push(Column::new("stale", 12, 24).optional(4));
        columns
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let row = state.rows.flags.get(id)?;
        let flag = state.fleet.flags.get(&row.flag).map(|o| &*o.value);
        let title = flag.map_or(row.flag.name.as_str(), |f| f.key.as_str());
        let mut cells = vec![name(state, look, id, title), owners(look, &row.services)];
        for environment in &self.environments {
            cells.push(match flag {
                Some(flag) => state_cell(look, flag.environment(environment.as_str())),
                None => look.line(Role::Unknown, look.glyphs.unknown),
            });
        }
        let changed = row.changed.map(|at| when::ago(state, at)).unwrap_or_default();
        let by = flag.and_then(last_by).map(ToString::to_string).unwrap_or_default();
        let stale =
            row.stale.as_ref().map(|s| format!("{} {s}", look.glyphs.stale)).unwrap_or_default();
        cells.push(look.line(Role::Text, changed));
        cells.push(look.line(Role::Dim, by));
        cells.push(look.line(Role::Warning, stale));
        Some(cells)
    }

    fn empty(&self) -> &'static str {
        "no source has a flag"
    }

    fn detail(&self, row: &RowId, _width: u16) -> Vec<Line<'static>> {
        let (state, look) = (self.state, self.look);
        let RowId::Item(ItemId::Flag(id)) = row else { return Vec::new() };
        let Some(observed) = state.fleet.flags.get(id) else {
            let why = state.fleet.flags.unread(id).map(ToString::to_string).unwrap_or_default();
            return vec![
                heading(look, id.name.as_str()),
                look.line(Role::Unknown, format!("unknown {why}")),
            ];
        };
        let flag = &*observed.value;
        let mut lines = vec![
            heading(look, flag.key.as_str()),
            field(
                look,
                "read",
                format!("{} ago from {}", when::ago(state, observed.at), id.source),
            ),
            field(look, "project", flag.project.to_string()),
        ];
        if let Some(fault) = &observed.fault {
            lines.push(look.line(Role::Unknown, format!("not confirmed: {fault}")));
        }
        let mut add = |label: &str, value: Option<&SafeText>| {
            if let Some(value) = value {
                lines.push(field(look, label, value.to_string()));
            }
        };
        add("kind", flag.kind.as_ref());
        add("tells", flag.description.as_ref());
        add("stale", flag.stale.as_ref());
        add("link", flag.link.as_ref());
        for e in &flag.environments {
            lines.push(Line::default());
            let mut head = look.line(Role::Strong, format!("{:<14}", e.environment));
            head.spans.extend(state_cell(look, Some(e)).spans);
            lines.push(head);
            let who = e.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            if let Some(at) = e.changed {
                lines.push(field(look, "  changed", format!("{} ago{who}", when::ago(state, at))));
            }
            if let Some(at) = e.last_seen {
                lines.push(field(look, "  last seen", format!("{} ago", when::ago(state, at))));
            }
            if let Some(version) = &e.version {
                lines.push(field(look, "  version", version.to_string()));
            }
            lines.extend(e.rules.iter().map(|rule| field(look, "  rule", rule.to_string())));
            lines.extend(
                e.attributes.iter().map(|(k, v)| field(look, "  attribute", format!("{k} = {v}"))),
            );
            if let Some(r) = &e.rollout {
                let text =
                    format!("{} {} to {}, {:.0}%", r.strategy, r.state, r.version, r.percent);
                lines.push(field(look, "  rollout", text));
            }
        }
        lines
    }
}

fn last_by(flag: &Flag) -> Option<&SafeText> {
    flag.environments.iter().max_by_key(|e| e.changed)?.by.as_ref()
}
