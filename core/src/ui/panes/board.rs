//! The board: services down, stages across, what needs attention first.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use ratatui::text::{Line, Span};

use super::canaries::stand_word;
use super::{ListPane, name, stages};
use crate::app::State;
use crate::app::canary::Stand;
use crate::app::row::RowId;
use crate::app::select::board::BoardRow;
use crate::domain::text::SafeText;
use crate::domain::time::age;
use crate::ui::look::Look;
use crate::ui::table::{Column, Layout};
use crate::ui::theme::Role;
use crate::ui::when;

/// Rows that the stage columns are made from; a screen shows far fewer.
const SURVEYED: usize = 400;
/// Stage columns at most.
const STAGES: usize = 8;
/// A flag that changed within this time is worth a look.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// The board.
pub struct Board<'a> {
    state: &'a State,
    look: &'a Look,
    stages: Vec<SafeText>,
    /// Some row has a stage without a column of its own.
    has_others: bool,
}

impl<'a> Board<'a> {
    /// The board as it is now.
    pub fn new(state: &'a State, look: &'a Look) -> Self {
        let stages = stage_names(state);
        let surveyed = state.rows.board.iter().take(SURVEYED);
        let has_others =
            surveyed.flat_map(|row| &row.stages).any(|stage| !stages.contains(&stage.name));
        Self { state, look, stages, has_others }
    }

    /// Why it stands where it stands, and its name.
    fn service(&self, id: &RowId, row: &BoardRow) -> Line<'static> {
        let (glyph, role) = self.look.glyphs.attention(row.attention);
        let mut line = self.look.line(role, format!("{glyph} "));
        line.spans.extend(name(self.state, self.look, id, row.service.as_str()).spans);
        line
    }

    fn health(&self, row: &BoardRow) -> Line<'static> {
        match row.health {
            _ if row.is_unread() && row.health.is_none() => {
                self.look.line(Role::Unknown, format!("{} unknown", self.look.glyphs.unknown))
            }
            Some(health) => Line::from(self.look.health(health)),
            None => self.look.line(Role::Dim, self.look.glyphs.idle),
        }
    }

    fn canary(&self, row: &BoardRow, width: u16) -> Line<'static> {
        match row.canary_percent {
            Some(percent) => {
                let stand = row.canary_stand.as_ref();
                let (glyph, role) = self.look.glyphs.stand(stand.map(|(stand, _)| *stand));
                let word = stand_word(stand.map(|(stand, _)| *stand));
                // Whoever holds does not watch any more, whatever the figures say.
                let risky = stand.is_some_and(|(stand, _)| stand.is_risky());
                if row.canary_calls && !risky {
                    let text = format!("{} {percent:.0}% a human", self.look.glyphs.waiting);
                    return self.look.line(Role::Waiting, text);
                }
                let share = format!("{percent:.0}%");
                let (most, least) = match stand {
                    Some((Stand::Harm | Stand::AtRisk, odds)) => (format!("{word} {odds}"), word),
                    _ => (format!("{share} {word}"), share.as_str()),
                };
                // Half of a number would be another number.
                let fits = Span::raw(&most).width() + 2 <= usize::from(width);
                let text = if fits { most.as_str() } else { least };
                self.look.line(role, format!("{glyph} {text}"))
            }
            None => self.look.line(Role::Dim, self.look.glyphs.idle),
        }
    }

    fn flags(&self, row: &BoardRow) -> Line<'static> {
        let look = self.look;
        match row.flag_changed {
            Some(at) if age(self.state.now, at) < LATELY => look
                .line(Role::Change, format!("{} {}", look.glyphs.flag, when::ago(self.state, at))),
            _ => look.line(Role::Dim, look.glyphs.idle),
        }
    }

    fn alarms(&self, row: &BoardRow) -> Line<'static> {
        let look = self.look;
        if row.firing > 0 {
            look.line(Role::Bad, format!("{} {}", look.glyphs.bad, row.firing))
        } else {
            look.line(Role::Dim, look.glyphs.idle)
        }
    }

    /// Stages that have no column of their own: the one that matters most, and how many there are.
    fn others(&self, row: &BoardRow, width: u16) -> Line<'static> {
        let others: Vec<_> = row.stages.iter().filter(|s| !self.stages.contains(&s.name)).collect();
        let Some(worst) = others.iter().max_by_key(|s| weight(s.state)) else {
            return Line::default();
        };
        let name = u16::try_from(Span::raw(worst.name.as_str()).width()).unwrap_or(0);
        let room = width.saturating_sub(name + 1);
        let mut line = stages::cell(self.state, self.look, worst, room);
        line.spans.insert(0, Span::raw(format!("{} ", worst.name)));
        line
    }
}

fn weight(state: crate::domain::pipeline::RunState) -> u8 {
    use crate::domain::pipeline::RunState::{Failed, Running, Unknown, Waiting};
    match state {
        Failed => 4,
        Waiting => 3,
        Unknown => 2,
        Running => 1,
        _ => 0,
    }
}

impl ListPane for Board<'_> {
    fn columns(&self) -> Vec<Column> {
        let mut columns = vec![
            Column::new("service", 12, 26).wants(0, 17),
            Column::new("owner", 8, 18).optional(40).wants(10, 13),
        ];
        let stages = self.stages.iter();
        // Where there is little room, what a stage far from production holds matters least; near to it
        // it is worth its word and its age.
        let many = self.stages.len();
        columns.extend(stages.enumerate().map(|(i, stage)| {
            let left = u8::try_from(many - i).unwrap_or(9).min(9);
            let column = |least| Column::new(stage.as_str(), least, 20).wants(left, 14);
            match (left, i) {
                (1, _) => column(12),
                (2, _) => column(10),
                (_, 0) => column(10).optional(41),
                (left, _) => column(10).optional(left),
            }
        }));
        if self.has_others {
            columns.push(Column::new("other", 10, 24).optional(9));
        }
        columns.push(Column::new("health", 11, 12).optional(30));
        columns.push(Column::new("canary", 8, 20).optional(2).wants(0, 16));
        columns.push(Column::new("flags", 6, 8).optional(1));
        columns.push(Column::new("alarms", 6, 6).optional(31));
        columns
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        self.cells_in(id, &Layout::new(&self.columns(), 400))
    }

    fn cells_in(&self, id: &RowId, layout: &Layout) -> Option<Vec<Line<'static>>> {
        let row = self.state.rows.board.get(id)?;
        let look = self.look;
        let owner = row.owners.first().map(ToString::to_string).unwrap_or_default();
        let mut cells = vec![self.service(id, row), look.line(Role::Dim, owner)];
        for column in &self.stages {
            let width = layout.width(cells.len());
            let stage = row.stages.iter().find(|s| s.name == *column);
            cells.push(match stage {
                Some(stage) => stages::cell(self.state, look, stage, width),
                None if row.stages.is_empty() && (row.is_unread() || row.lacks_a_pipeline()) => {
                    look.line(Role::Unknown, look.glyphs.unknown)
                }
                None => Line::default(),
            });
        }
        if self.has_others {
            cells.push(self.others(row, layout.width(cells.len())));
        }
        cells.push(self.health(row));
        cells.push(self.canary(row, layout.width(cells.len())));
        cells.extend([self.flags(row), self.alarms(row)]);
        Some(cells)
    }

    fn empty(&self) -> &'static str {
        "no service is configured: `flightdeck init` groups what it finds into services"
    }
}

/// The stages that deserve a column: those that many services share, in the order of their place.
fn stage_names(state: &State) -> Vec<SafeText> {
    let mut seen: BTreeMap<&SafeText, (usize, f64)> = BTreeMap::new();
    let mut rows = 0;
    for row in state.rows.board.iter().take(SURVEYED) {
        rows += usize::from(!row.stages.is_empty());
        let last = row.stages.len().saturating_sub(1).max(1);
        for (i, stage) in row.stages.iter().enumerate() {
            let entry = seen.entry(&stage.name).or_default();
            entry.0 += 1;
            entry.1 += i as f64 / last as f64;
        }
    }
    let needed = (rows / 8).max(1);
    let mut names: Vec<(&SafeText, usize, f64)> = seen
        .into_iter()
        .filter(|(_, (count, _))| *count >= needed)
        .map(|(name, (count, place))| (name, count, place / count as f64))
        .collect();
    names.sort_by_key(|(_, count, _)| std::cmp::Reverse(*count));
    names.truncate(STAGES);
    names.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(b.0)));
    names.into_iter().map(|(name, ..)| name.clone()).collect()
}
