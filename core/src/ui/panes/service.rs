//! One service in one screen: pipeline, canary, environments, flags, alarms, changes.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{canaries, environments, flags, stages};
use crate::app::explain::{self, changes_of};
use crate::app::layout::Area;
use crate::app::membership::Members;
use crate::app::row::RowId;
use crate::app::select::unheard::Unheard;
use crate::app::{State, age};
use crate::domain::fact::FactKind;
use crate::domain::ids::{ItemId, ServiceId};
use crate::domain::observed::Freshness;
use crate::domain::service::Service;
use crate::domain::text::SafeText;
use crate::ui::canvas::Canvas;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::when;

/// From this width on there are two columns of boxes.
const WIDE: u16 = 110;

/// Cells that a stage of a pipeline may take, besides its name: the sentence below tells the ages.
const STAGE: u16 = 9;

/// A box: its title and its lines.
struct Panel {
    title: String,
    lines: Vec<Line<'static>>,
    /// The higher, the rather it gives up lines where there is no room.
    yields: usize,
}

/// Draws the service that is chosen.
pub fn draw(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let look = canvas.look;
    let chosen = state.view.service.as_ref();
    let Some(service) = chosen.and_then(|id| state.places.service(&state.setup, id)) else {
        let text = match chosen {
            Some(id) => format!("there is no service {id}; 1 shows the board"),
            None => "no service is chosen: open one on the board".to_owned(),
        };
        canvas.line(area, 1, 3, &look.line(Role::Dim, text));
        return;
    };
    canvas.line(area, 0, 1, &head(state, look, service));
    let sentences = explain::of_service(state, &service.id);
    for (row, sentence) in (1..3).zip(&sentences) {
        let role = if row == 1 { Role::Text } else { Role::Dim };
        canvas.line(area, row, 3, &look.line(role, sentence.clone()));
    }
    let body = Area { y: area.y + 3, height: area.height.saturating_sub(3), ..area };
    let none = Members::default();
    let members = state.membership.members(&service.id).unwrap_or(&none);
    let wide = area.width >= WIDE;
    let left_width = if wide { area.width * 3 / 5 } else { area.width };
    let inner = usize::from(left_width.saturating_sub(4));
    let row = state.rows.board.get(&RowId::Service(service.id.clone()));
    let unheard = row.map_or(&[][..], |row| &row.unheard);
    let mut left = pipelines(state, look, service, members);
    left.extend(canary_panels(state, look, service, inner));
    left.push(environment_panel(state, look, members, unheard));
    let mut right = vec![changes(state, look, &service.id)];
    right.push(flag_panel(state, look, members, unheard));
    right.push(alarms(state, look, members, unheard));
    right.extend(links(look, service));
    let room = usize::from(body.height);
    let in_boxes = match Fit::of(room, &left).max(Fit::of(room, &right)) {
        // Who zooms or scrolls wants to see what the boxes leave out.
        _ if state.view.zoomed => false,
        Fit::Whole => true,
        Fit::Cut => state.view.detail_top == 0,
        Fit::Not => false,
    };
    if wide && in_boxes {
        stack(canvas, Area { width: left_width, ..body }, &left);
        let right_area = Area { x: body.x + left_width, width: body.width - left_width, ..body };
        stack(canvas, right_area, &right);
    } else {
        left.extend(right);
        let lines = flatten(look, left);
        let last = lines.len().saturating_sub(usize::from(body.height));
        let top = state.view.detail_top.min(last);
        let inner = Area { x: body.x + 1, width: body.width.saturating_sub(2), ..body };
        canvas.lines(inner, &lines, top);
        if top < last {
            let more = look.line(Role::Dim, format!("{} {} more: J", look.glyphs.more, last - top));
            canvas.line_right(inner, inner.height.saturating_sub(1), 0, &more);
        }
    }
}

fn head(state: &State, look: &Look, service: &Service) -> Line<'static> {
    let mut spans = vec![look.span(Role::Title, service.id.to_string())];
    let mut part =
        |text: String| spans.push(look.span(Role::Dim, format!(" {} {text}", look.glyphs.dot)));
    let join = |names: Vec<String>| names.join(", ");
    if !service.owners.is_empty() {
        part(format!(
            "owned by {}",
            join(service.owners.iter().map(ToString::to_string).collect())
        ));
    }
    if let Some(tier) = service.tier {
        part(format!("tier {tier}"));
    }
    if !service.needs.is_empty() {
        part(format!("needs {}", join(service.needs.iter().map(ToString::to_string).collect())));
    }
    let users: Vec<String> = state
        .setup
        .services
        .iter()
        .filter(|other| other.needs.contains(&service.id))
        .map(|other| other.id.to_string())
        .collect();
    if !users.is_empty() {
        part(format!("used by {}", join(users)));
    }
    if let Some(description) = &service.description {
        part(description.to_string());
    }
    Line::from(spans)
}

/// A line in the colour of its age, with the mark of it.
fn aged(state: &State, look: &Look, item: &ItemId, line: Line<'static>) -> Line<'static> {
    let freshness = age::of_item(state, item).map_or(Freshness::Fresh, |a| a.freshness);
    if freshness == Freshness::Fresh {
        return line;
    }
    let (glyph, role) = look.glyphs.freshness(freshness);
    let old = age::of_item(state, item).map(|a| when::ago(state, a.at)).unwrap_or_default();
    look.line(role, format!("{glyph} {line} ({} {old})", freshness.word()))
}

fn unknown(look: &Look, what: &str, why: Option<&crate::domain::error::Fault>) -> Line<'static> {
    let why = why.map_or("not read yet".to_owned(), ToString::to_string);
    look.line(Role::Unknown, format!("{} {what} unknown: {why}", look.glyphs.unknown))
}

fn pipelines(state: &State, look: &Look, service: &Service, members: &Members) -> Vec<Panel> {
    let mut panels = Vec::new();
    for id in &members.pipelines {
        let item = ItemId::Pipeline(id.clone());
        let mut lines = Vec::new();
        let row = state.rows.pipelines.get(&RowId::Item(item.clone()));
        match row {
            Some(row) if !row.stages.is_empty() => {
                let mut spans: Vec<Span<'static>> = Vec::new();
                for stage in &row.stages {
                    spans.push(look.span(Role::Dim, format!("{} ", stage.name)));
                    spans.extend(stages::cell(state, look, stage, STAGE).spans);
                    spans.push(Span::raw("  "));
                }
                lines.push(aged(state, look, &item, Line::from(spans)));
            }
            _ => lines.push(unknown(look, id.name.as_str(), state.fleet.pipelines.unread(id))),
        }
        let sentences = explain::of_pipeline(state, id);
        lines.extend(sentences.into_iter().take(2).map(|s| look.line(Role::Text, s)));
        panels.push(Panel { title: format!("pipeline {}", id.name), lines, yields: 1 });
    }
    if panels.is_empty() {
        panels.push(Panel {
            title: "pipeline".to_owned(),
            lines: vec![no_pipeline(look, service)],
            yields: 1,
        });
    }
    panels
}

fn no_pipeline(look: &Look, service: &Service) -> Line<'static> {
    let claims = &service.claims;
    if claims.pipelines.is_empty() && claims.tags.is_empty() {
        return look.line(Role::Dim, "none is claimed by this service");
    }
    let claimed: Vec<String> =
        claims.pipelines.iter().map(|p| format!("{}/{}", p.source, p.name)).collect();
    let claimed = if claimed.is_empty() { "its tags".to_owned() } else { claimed.join(", ") };
    look.line(Role::Unknown, format!("{} none was found by {claimed}", look.glyphs.unknown))
}

fn canary_panels(state: &State, look: &Look, service: &Service, width: usize) -> Vec<Panel> {
    service
        .canaries
        .iter()
        .map(|spec| {
            let mut lines = canaries::lines(state, look, spec, width);
            // The box has the name.
            lines.remove(0);
            lines.retain(|line| !line.spans.is_empty());
            Panel { title: format!("canary {}", spec.id), lines, yields: 4 }
        })
        .collect()
}

fn environment_panel(state: &State, look: &Look, members: &Members, unheard: &[Unheard]) -> Panel {
    let mut lines = Vec::new();
    let names = members.environments.iter().filter_map(|id| state.fleet.environments.get(id));
    let widths = names.map(|o| o.value.name.width());
    let widths = widths.chain(members.traffic.iter().map(|id| id.name.width()));
    let wide = widths.max().unwrap_or(0).clamp(12, 24);
    let name = |name: &SafeText| {
        let name = name.fit(wide);
        let blank = " ".repeat(wide.saturating_sub(UnicodeWidthStr::width(name.as_str())) + 1);
        look.span(Role::Text, name + &blank)
    };
    for id in &members.environments {
        let line = match state.fleet.environments.get(id) {
            Some(o) => {
                let mut spans =
                    vec![name(&o.value.name), look.health(o.value.health), Span::raw("  ")];
                spans.extend(environments::runs(look, &o.value).spans);
                aged(state, look, &ItemId::Environment(id.clone()), Line::from(spans))
            }
            None => unknown(look, id.name.as_str(), state.fleet.environments.unread(id)),
        };
        lines.push(line);
    }
    for id in &members.traffic {
        let line = match state.fleet.traffic.get(id) {
            Some(o) => {
                let mut spans = vec![name(&id.name)];
                spans.extend(environments::shares(look, &o.value).spans);
                aged(state, look, &ItemId::Traffic(id.clone()), Line::from(spans))
            }
            None => unknown(look, id.name.as_str(), state.fleet.traffic.unread(id)),
        };
        lines.push(line);
    }
    or_none(look, &mut lines, unheard, &[FactKind::Environments, FactKind::Traffic]);
    Panel { title: "environments and traffic".to_owned(), lines, yields: 2 }
}

fn flag_panel(state: &State, look: &Look, members: &Members, unheard: &[Unheard]) -> Panel {
    let mut rows: Vec<_> = members.flags.iter().collect();
    let changed = |id: &&crate::domain::ids::FlagId| {
        std::cmp::Reverse(state.fleet.flags.get(*id).and_then(|o| o.value.changed()))
    };
    rows.sort_by_key(changed);
    let mut lines = Vec::new();
    for id in rows {
        let line = match state.fleet.flags.get(id) {
            Some(o) => {
                let mut spans = vec![look.span(Role::Text, format!("{:<16} ", o.value.key))];
                let is_production = |name: &str| state.setup.policy.is_production(&[name]);
                let mut environments: Vec<_> = o.value.environments.iter().collect();
                // Where customers are first: the end of a long line is cut.
                environments.sort_by_key(|e| !is_production(e.environment.as_str()));
                for e in environments {
                    spans.push(look.span(Role::Dim, format!("{} ", e.environment)));
                    spans.extend(flags::state_cell(look, Some(e)).spans);
                    spans.push(Span::raw("  "));
                }
                if let Some(at) = o.value.changed() {
                    spans.push(look.span(Role::Dim, when::ago(state, at)));
                }
                aged(state, look, &ItemId::Flag(id.clone()), Line::from(spans))
            }
            None => unknown(look, id.name.as_str(), state.fleet.flags.unread(id)),
        };
        lines.push(line);
    }
    or_none(look, &mut lines, unheard, &[FactKind::Flags]);
    Panel { title: "flags".to_owned(), lines, yields: 3 }
}

fn alarms(state: &State, look: &Look, members: &Members, unheard: &[Unheard]) -> Panel {
    let mut lines = Vec::new();
    for id in &members.alarms {
        let line = match state.fleet.alarms.get(id) {
            Some(o) => {
                let since = o.value.since.map(|at| when::ago(state, at)).unwrap_or_default();
                let mark = look.marked(look.glyphs.alarm(o.value.state), o.value.state.word());
                let spans = vec![
                    mark,
                    look.span(Role::Text, format!("  {}", o.value.name)),
                    look.span(Role::Dim, format!("  {since}")),
                ];
                aged(state, look, &ItemId::Alarm(id.clone()), Line::from(spans))
            }
            None => unknown(look, id.name.as_str(), state.fleet.alarms.unread(id)),
        };
        lines.push(line);
    }
    or_none(look, &mut lines, unheard, &[FactKind::Alarms]);
    Panel { title: "alarms".to_owned(), lines, yields: 2 }
}

fn changes(state: &State, look: &Look, service: &ServiceId) -> Panel {
    let mut lines: Vec<Line<'static>> = changes_of(state, service)
        .take(40)
        .map(|row| {
            let who = row.who.as_ref().map(|w| format!("  {w}")).unwrap_or_default();
            let (glyph, role) = look.glyphs.kind(row.kind);
            Line::from(vec![
                look.span(Role::Dim, format!("{:<6} ", when::moment(state, row.at))),
                look.span(role, format!("{glyph} ")),
                look.span(Role::Text, row.title.to_string()),
                look.span(Role::Dim, who),
            ])
        })
        .collect();
    if lines.is_empty() {
        lines.push(look.line(Role::Dim, "nothing that the sources tell of"));
    }
    Panel { title: format!("what changed ({})", when::zone_word(state)), lines, yields: 9 }
}

fn links(look: &Look, service: &Service) -> Option<Panel> {
    let lines: Vec<Line<'static>> = service
        .links
        .iter()
        .map(|(name, address)| {
            Line::from(vec![
                look.span(Role::Dim, format!("{name:<10} ")),
                look.span(Role::Text, address.to_string()),
            ])
        })
        .collect();
    (!lines.is_empty()).then(|| Panel { title: "links".to_owned(), lines, yields: 5 })
}

/// That there is none is said only where it was read.
fn or_none(look: &Look, lines: &mut Vec<Line<'static>>, unheard: &[Unheard], kinds: &[FactKind]) {
    for it in unheard.iter().filter(|it| kinds.contains(&it.kind)) {
        let text = format!("{} unknown: {} of {}", look.glyphs.unknown, it.kind.word(), it.source);
        lines.push(look.line(Role::Unknown, format!("{text} were never read")));
    }
    if lines.is_empty() {
        lines.push(look.line(Role::Dim, "none is claimed by this service"));
    }
}

/// How boxes fit into a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// With all of their lines.
    Whole,
    /// Each with a line at least.
    Cut,
    /// Some would not be shown at all.
    Not,
}

impl Fit {
    fn of(room: usize, panels: &[Panel]) -> Self {
        let rows = |lines: fn(usize) -> usize| -> usize {
            panels.iter().map(|panel| lines(panel.lines.len()) + 2).sum()
        };
        if rows(|lines| lines) <= room {
            Self::Whole
        } else if rows(|lines| lines.min(1)) <= room {
            Self::Cut
        } else {
            Self::Not
        }
    }
}

/// Boxes from the top down; those that yield give up lines until all fit.
fn stack(canvas: &mut Canvas<'_>, area: Area, panels: &[Panel]) {
    let mut heights: Vec<usize> = panels.iter().map(|p| p.lines.len() + 2).collect();
    let room = usize::from(area.height);
    while heights.iter().sum::<usize>() > room {
        // The one that yields most relative to its height gives up a line.
        let largest = heights
            .iter()
            .zip(panels)
            .enumerate()
            .filter(|(_, (height, _))| **height > 3)
            .max_by_key(|(_, (height, panel))| **height * panel.yields)
            .map(|(i, _)| i);
        match largest.and_then(|i| heights.get_mut(i)) {
            Some(height) => *height -= 1,
            None => break,
        }
    }
    let look = canvas.look;
    let mut y = area.y;
    for (panel, height) in panels.iter().zip(heights) {
        let left = usize::from((area.y + area.height).saturating_sub(y));
        let height = u16::try_from(height.min(left)).unwrap_or(0);
        if height < 3 {
            break;
        }
        let own = Area { y, height, ..area };
        let inner = canvas.boxed(own, &look.line(Role::Title, panel.title.clone()));
        canvas.lines(inner, &panel.lines, 0);
        let hidden = panel.lines.len().saturating_sub(usize::from(inner.height));
        if hidden > 0 {
            let foot = Area { y: own.y + height - 1, height: 1, width: own.width - 2, ..own };
            canvas.line_right(foot, 0, 0, &look.line(Role::Dim, format!(" {hidden} more: z ")));
        }
        y += height;
    }
}

fn flatten(look: &Look, panels: Vec<Panel>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for panel in panels {
        lines.push(look.line(Role::Title, panel.title));
        lines.extend(panel.lines.into_iter().map(|mut line| {
            line.spans.insert(0, Span::raw("  "));
            line
        }));
    }
    lines
}
