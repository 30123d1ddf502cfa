//! The confirmation: what, to what, where, from what to what, the guards, who, and the way back.

use ratatui::text::{Line, Span};

use super::inset;
use crate::app::State;
use crate::app::dialog::{Dialog, Focus};
use crate::app::layout::Area;
use crate::domain::write::{GuardVerdict, Step};
use crate::ui::canvas::Canvas;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::when;
use crate::ui::wrap::wrap;

/// Cells of the labels on the left.
const LABEL: usize = 11;
/// Cells of the box at most.
const WIDTH: u16 = 100;

/// The confirmation of a plan.
pub fn confirm(state: &State, canvas: &mut Canvas<'_>, screen: Area, dialog: &Dialog) {
    let look = canvas.look;
    let width = usize::from(WIDTH.min(screen.width.saturating_sub(2)).saturating_sub(4));
    let body = body(state, look, dialog, width);
    let foot = foot(look, dialog);
    let wanted = body.len() + foot.len() + 3;
    let height = u16::try_from(wanted).unwrap_or(u16::MAX);
    let area = inset(screen, WIDTH, height);
    canvas.clear(area);
    let role = if dialog.plan.production { Role::Bad } else { Role::Title };
    let where_to = if dialog.plan.production { "PRODUCTION: " } else { "" };
    let title = look.line(role, format!("{where_to}{}", capital(dialog.plan.title.as_str())));
    let inner = canvas.boxed(area, &title);
    let foot_height = u16::try_from(foot.len()).unwrap_or(0).min(inner.height);
    let room = inner.height.saturating_sub(foot_height + 1);
    let last = body.len().saturating_sub(usize::from(room));
    let top = dialog.top.min(last);
    canvas.lines(Area { height: room, ..inner }, &body, top);
    if top < last && room > 0 {
        let more =
            look.line(Role::Warning, format!(" {} {} more: down", look.glyphs.more, last - top));
        canvas.line_right(inner, room - 1, 0, &more);
    }
    let below = inner.y + inner.height - foot_height;
    canvas.lines(Area { y: below, height: foot_height, ..inner }, &foot, 0);
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn field(
    look: &Look,
    lines: &mut Vec<Line<'static>>,
    label: &str,
    role: Role,
    text: &str,
    width: usize,
) {
    let room = width.saturating_sub(LABEL);
    for (i, part) in wrap(text, room, 4).into_iter().enumerate() {
        let label = if i == 0 { label } else { "" };
        lines.push(Line::from(vec![
            look.span(Role::Dim, format!("{label:<LABEL$}")),
            look.span(role, part),
        ]));
    }
}

fn body(state: &State, look: &Look, dialog: &Dialog, width: usize) -> Vec<Line<'static>> {
    let plan = &dialog.plan;
    let mut lines = Vec::new();
    for moved in &dialog.moved {
        let text = format!("{}: was {}, is {}", moved.what, moved.seen, moved.now);
        field(look, &mut lines, "MOVED", Role::Bad, &text, width);
    }
    for (i, step) in plan.steps.iter().enumerate() {
        let label =
            if plan.steps.len() > 1 { format!("step {}", i + 1) } else { "does".to_owned() };
        let mut text = step.words.what.to_string();
        let arrow = look.glyphs.arrow;
        match (&step.words.from, &step.words.to) {
            (Some(from), Some(to)) => text.push_str(&format!(": {from} {arrow} {to}")),
            (None, Some(to)) => text.push_str(&format!(" {arrow} {to}")),
            _ => {}
        }
        field(look, &mut lines, &label, Role::Strong, &text, width);
    }
    for note in &plan.notes {
        field(look, &mut lines, "note", Role::Text, note.as_str(), width);
    }
    let mut said: Vec<String> = Vec::new();
    for step in &plan.steps {
        let text = seen(state, step);
        if !said.contains(&text) {
            field(
                look,
                &mut lines,
                if said.is_empty() { "seen" } else { "" },
                Role::Text,
                &text,
                width,
            );
            said.push(text);
        }
    }
    let mut as_whom: Vec<String> = Vec::new();
    for step in &plan.steps {
        let who =
            step.identity.as_ref().map_or("identity not told".to_owned(), ToString::to_string);
        let text = format!("{who}, in {} ({})", step.write.source(), step.place);
        if !as_whom.contains(&text) {
            field(
                look,
                &mut lines,
                if as_whom.is_empty() { "as" } else { "" },
                Role::Text,
                &text,
                width,
            );
            as_whom.push(text);
        }
    }
    guards(look, dialog, width, &mut lines);
    let (role, text) = way_back(&plan.steps);
    field(look, &mut lines, "way back", role, &text, width);
    lines
}

fn seen(state: &State, step: &Step) -> String {
    let facts: Vec<String> = step
        .expects
        .told()
        .filter(|(_, value)| !value.as_str().is_empty())
        .map(|(name, value)| format!("{name} {}", short(value.as_str())))
        .collect();
    format!("{}, read {} ago", facts.join(", "), when::ago(state, step.seen_at))
}

/// Long ids are told by their beginning.
fn short(text: &str) -> String {
    let is_id = text.len() > 20 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_id { text.chars().take(8).collect() } else { text.to_owned() }
}

fn guards(look: &Look, dialog: &Dialog, width: usize, lines: &mut Vec<Line<'static>>) {
    let mut passed: Vec<&str> = Vec::new();
    let mut label = "guards";
    for guard in &dialog.plan.guards {
        let (glyph, role, text) = match &guard.verdict {
            GuardVerdict::Passed => {
                passed.push(guard.name.as_str());
                continue;
            }
            GuardVerdict::NeedsReason(why) => (
                look.glyphs.warning,
                Role::Warning,
                format!("{}: {why}; needs a reason", guard.name),
            ),
            GuardVerdict::Refused(why) => {
                (look.glyphs.bad, Role::Bad, format!("{}: {why}", guard.name))
            }
        };
        field(look, lines, label, role, &format!("{glyph} {text}"), width);
        label = "";
    }
    let all: Vec<String> =
        passed.iter().map(|name| format!("{} {name}", look.glyphs.good)).collect();
    field(look, lines, label, Role::Good, &all.join("  "), width);
}

fn way_back(steps: &[Step]) -> (Role, String) {
    let without: Vec<String> =
        steps.iter().filter_map(|s| s.no_undo.as_ref()).map(ToString::to_string).collect();
    if steps.is_empty() {
        (Role::Text, "P, and any key that would write here, hands over to you at once".to_owned())
    } else if without.is_empty() {
        (Role::Text, "u undoes it as long as nothing else has moved".to_owned())
    } else {
        (Role::Warning, format!("none: {}", without.join("; ")))
    }
}

/// The fields, the buttons, and what stands in the way.
fn foot(look: &Look, dialog: &Dialog) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let here = |focus: Focus| dialog.focus == focus;
    let cursor = |focus: Focus| if here(focus) { look.glyphs.cursor } else { "" };
    let marker = |focus: Focus| if here(focus) { look.glyphs.selection } else { " " };
    let mut text_field = |focus: Focus, label: String, value: &str| {
        lines.push(Line::from(vec![
            look.span(Role::Selected, format!("{} ", marker(focus))),
            look.span(if here(focus) { Role::Strong } else { Role::Dim }, label),
            look.span(Role::Input, value.to_owned()),
            look.span(Role::Key, cursor(focus)),
        ]));
    };
    if dialog.plan.production {
        text_field(Focus::Name, format!("type {} to confirm: ", dialog.plan.name), &dialog.typed);
    }
    if dialog.needs_reason() {
        text_field(Focus::Reason, "reason to go on: ".to_owned(), &dialog.reason);
    }
    if let Some(room) = dialog.plan.comment_room() {
        let left = room.saturating_sub(dialog.comment.chars().count());
        text_field(Focus::Comment, format!("comment ({left} left): "), &dialog.comment);
        if let Some(said) = dialog.written_as() {
            lines.push(look.line(Role::Dim, format!("  written as: {said}")));
        }
    }
    if let Some(why) = &dialog.refusal {
        lines.push(look.line(Role::Bad, format!("{} {why}", look.glyphs.bad)));
    }
    let button = |focus: Focus, text: &str, role: Role| -> Vec<Span<'static>> {
        if here(focus) {
            vec![look.span(Role::Selected, format!("{}[ {text} ]  ", look.glyphs.selection))]
        } else {
            vec![look.span(role, format!("   {text}    "))]
        }
    };
    let go_role = if dialog.is_dead() { Role::Dim } else { Role::Strong };
    let mut buttons = button(Focus::Cancel, "Cancel", Role::Text);
    buttons.extend(button(Focus::Go, "Do it", go_role));
    let keys = if dialog.is_dead() {
        "n makes a new plan, esc closes"
    } else {
        "tab moves, enter takes, esc closes"
    };
    buttons.push(look.span(Role::Dim, keys));
    lines.push(Line::from(buttons));
    lines
}
