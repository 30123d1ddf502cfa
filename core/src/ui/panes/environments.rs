//! The environments and the traffic splits in front of them.

use jiff::{SignedDuration, Timestamp};
use ratatui::text::{Line, Span};

use super::{ListPane, field, heading, name, owners};
use crate::app::State;
use crate::app::row::RowId;
use crate::domain::environment::Environment;
use crate::domain::ids::{EnvironmentId, ItemId, TrafficId};
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;
use crate::domain::traffic::TrafficSplit;
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::when;

/// A certificate that ends within this time wants to be renewed.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The environments.
pub struct Environments<'a> {
    /// The facts.
    pub state: &'a State,
    /// Theme and glyphs.
    pub look: &'a Look,
}

impl ListPane for Environments<'_> {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("environment", 14, 26),
            Column::new("service", 9, 16).optional(2),
            Column::new("health", 11, 11),
            Column::new("what runs", 30, 70),
            Column::new("source", 10, 14).optional(3),
        ]
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let row = state.rows.environments.get(id)?;
        let runs = match &row.item {
            ItemId::Environment(id) => {
                state.fleet.environments.get(id).map(|o| runs(look, &o.value))
            }
            ItemId::Traffic(id) => state.fleet.traffic.get(id).map(|o| shares(look, &o.value)),
            _ => None,
        };
        let unknown = || {
            let why = row.unknown.as_ref().map(ToString::to_string).unwrap_or_default();
            look.line(Role::Unknown, format!("unknown: {why}"))
        };
        Some(vec![
            name(state, look, id, row.name.as_str()),
            owners(look, &row.services),
            Line::from(look.health(row.health)),
            runs.unwrap_or_else(unknown),
            look.line(Role::Dim, row.item.source().to_string()),
        ])
    }

    fn empty(&self) -> &'static str {
        "no source tells of an environment"
    }

    fn detail(&self, row: &RowId, _width: u16) -> Vec<Line<'static>> {
        match row {
            RowId::Item(ItemId::Environment(id)) => environment(self.state, self.look, id),
            RowId::Item(ItemId::Traffic(id)) => traffic(self.state, self.look, id),
            _ => Vec::new(),
        }
    }
}

/// What runs in an environment, in one line.
pub fn runs(look: &Look, environment: &Environment) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    if let Some(revision) = &environment.revision {
        spans.push(look.span(Role::Text, format!("{} ", revision.short())));
    }
    for slot in &environment.slots {
        let (glyph, role) = look.glyphs.health(slot.health);
        // The only slot has what the environment has.
        let only = environment.slots.len() == 1 && environment.revision == slot.revision;
        if only && let (Some(healthy), Some(desired)) = (slot.healthy, slot.desired) {
            spans.push(look.span(role, format!("{healthy}/{desired} {glyph}  ")));
            continue;
        }
        let revision =
            slot.revision.as_ref().map(|r| format!(" {}", r.short())).unwrap_or_default();
        let percent = slot.percent.map(|p| format!(" {p:.0}%")).unwrap_or_default();
        let count = match (slot.healthy, slot.desired) {
            (Some(healthy), Some(desired)) => format!(" {healthy}/{desired}"),
            _ => String::new(),
        };
        spans.push(look.span(Role::Text, format!("{}{revision}{percent}", slot.name)));
        spans.push(look.span(role, format!("{count} {glyph}  ")));
    }
    if let Some(summary) = &environment.summary {
        spans.push(look.span(Role::Dim, summary.to_string()));
    }
    Line::from(spans)
}

/// The shares of a traffic split, in one line.
pub fn shares(look: &Look, split: &TrafficSplit) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for arm in &split.arms {
        let percent =
            split.percent(arm.name.as_str()).map_or("?%".to_owned(), |p| format!("{p:.0}%"));
        let (glyph, role) = look.glyphs.health(arm.health);
        spans.push(look.span(role, format!("{glyph} ")));
        spans.push(look.span(Role::Text, format!("{} {percent}  ", arm.name)));
    }
    Line::from(spans)
}

fn environment(state: &State, look: &Look, id: &EnvironmentId) -> Vec<Line<'static>> {
    let mut lines = vec![heading(look, id.name.as_str())];
    let Some(observed) = state.fleet.environments.get(id) else {
        let why = state.fleet.environments.unread(id).map(ToString::to_string).unwrap_or_default();
        lines.push(look.line(Role::Unknown, format!("unknown {why}")));
        return lines;
    };
    let e = &*observed.value;
    lines.push(field(
        look,
        "read",
        format!("{} ago from {}", when::ago(state, observed.at), id.source),
    ));
    if let Some(fault) = &observed.fault {
        lines.push(look.line(Role::Unknown, format!("not confirmed: {fault}")));
    }
    let since = e.since.map(|at| format!(" for {}", when::ago(state, at))).unwrap_or_default();
    lines.push(Line::from(vec![
        look.span(Role::Dim, "health      "),
        look.health(e.health),
        look.span(Role::Dim, since),
    ]));
    let text = |t: &SafeText| t.to_string();
    let mut add = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(field(look, label, value));
        }
    };
    add("tells", e.summary.as_ref().map(text));
    add("production", e.production.map(|p| if p { "yes" } else { "no" }.to_owned()));
    add(
        "revision",
        e.revision.as_ref().map(|r| {
            let message = r.message.as_ref().map(|m| format!("  {m}")).unwrap_or_default();
            format!("{}{message}", r.id)
        }),
    );
    add("latency", e.latency.map(|l| format!("{} ms", l.as_millis())));
    lines.extend(e.tls_expires.map(|at| certificate(state, look, at)));
    let mut add = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(field(look, label, value));
        }
    };
    add("address", e.address.as_ref().map(text));
    add("link", e.link.as_ref().map(text));
    if !e.slots.is_empty() {
        lines.push(Line::default());
        lines.push(heading(look, "Slots"));
    }
    for slot in &e.slots {
        let revision = slot.revision.as_ref().map(Revision::short).unwrap_or_default();
        let percent = slot.percent.map_or(String::new(), |p| format!("{p:.0}%"));
        let count = match (slot.healthy, slot.desired) {
            (Some(healthy), Some(desired)) => format!("{healthy} of {desired} healthy"),
            _ => String::new(),
        };
        lines.push(Line::from(vec![
            look.health(slot.health),
            look.span(Role::Strong, format!("  {:<10}", slot.name)),
            look.span(Role::Text, format!("{revision:<14}{percent:>4}  {count}")),
        ]));
    }
    lines
}

/// Until when the certificate is good; a warning while somebody still has time to do something.
fn certificate(state: &State, look: &Look, at: Timestamp) -> Line<'static> {
    let text = format!("expires {} ({})", when::full(state, at), when::until(state, at));
    let (glyph, role) = match at.duration_since(state.now) {
        left if left <= SignedDuration::ZERO => (look.glyphs.bad, Role::Bad),
        left if left < SOON => (look.glyphs.warning, Role::Warning),
        _ => return field(look, "tls", text),
    };
    Line::from(vec![
        look.span(Role::Dim, "tls         "),
        look.span(role, format!("{glyph} {text}")),
    ])
}

fn traffic(state: &State, look: &Look, id: &TrafficId) -> Vec<Line<'static>> {
    let mut lines = vec![heading(look, id.name.as_str())];
    let Some(observed) = state.fleet.traffic.get(id) else {
        let why = state.fleet.traffic.unread(id).map(ToString::to_string).unwrap_or_default();
        lines.push(look.line(Role::Unknown, format!("unknown {why}")));
        return lines;
    };
    let split = &*observed.value;
    lines.push(field(
        look,
        "read",
        format!("{} ago from {}", when::ago(state, observed.at), id.source),
    ));
    if let Some(fault) = &observed.fault {
        lines.push(look.line(Role::Unknown, format!("not confirmed: {fault}")));
    }
    if let Some(at) = split.since {
        lines.push(field(look, "since", format!("{} ago", when::ago(state, at))));
    }
    if let Some(by) = &split.automation {
        lines.push(
            look.line(
                Role::Warning,
                format!("{} {by} sets these weights too", look.glyphs.warning),
            ),
        );
    }
    lines.push(Line::default());
    for arm in &split.arms {
        let percent =
            split.percent(arm.name.as_str()).map_or("?".to_owned(), |p| format!("{p:.0}%"));
        let revision =
            arm.revision.as_ref().map(|r| format!("  {}", r.short())).unwrap_or_default();
        lines.push(Line::from(vec![
            look.health(arm.health),
            look.span(Role::Strong, format!("  {:<12}", arm.name)),
            look.span(Role::Text, format!("{percent:>4}  weight {}{revision}", arm.weight)),
            look.span(Role::Dim, format!("  {}", arm.state)),
        ]));
        let requests = arm.request_rate.map(|rate| format!("{rate:.1} requests/s  "));
        let failed = arm.error_rate.map(|share| format!("{:.1}% of them failed", 100.0 * share));
        let figures = requests.unwrap_or_default() + &failed.unwrap_or_default();
        if !figures.is_empty() {
            lines.push(look.line(Role::Dim, format!("    {figures}")));
        }
    }
    lines
}
