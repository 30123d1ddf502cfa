//! Stages as cells: which revision is where, in which state, since when.

use ratatui::text::{Line, Span};

use crate::app::State;
use crate::app::select::stages::StageCell;
use crate::domain::pipeline::RunState;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::when;

/// A stage in at most `width` cells: glyph, word, revision and age, as much of it as there is room for.
/// The revision is the last to go: it says what an approval is about.
pub fn cell(state: &State, look: &Look, stage: &StageCell, width: u16) -> Line<'static> {
    let (glyph, role) = look.glyphs.run(stage.state);
    let age = stage.since.map(|at| when::minutes(state, at)).unwrap_or_default();
    let revision = stage.revision.as_deref().unwrap_or_default();
    let word = word(stage.state);
    let [most, less, least]: [&[&str]; 3] = if revision.is_empty() {
        [&[word, &age], &[word], &[word]]
    } else {
        [&[word, revision, &age], &[revision, &age], &[revision]]
    };
    let held = if stage.held { format!(" {}", look.glyphs.held) } else { String::new() };
    let text = |parts: &[&str]| {
        let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    };
    let fits = |text: &String| {
        Span::raw(text.as_str()).width() + 2 + Span::raw(&held).width() <= usize::from(width)
    };
    let told = [most, less].into_iter().map(text).find(fits).unwrap_or_else(|| text(least));
    let calm = matches!(stage.state, RunState::Succeeded | RunState::NotRun | RunState::Skipped);
    let mut spans = vec![
        look.span(role, format!("{glyph} ")),
        look.span(if calm { Role::Text } else { role }, told),
    ];
    if stage.held {
        spans.push(look.span(Role::Warning, held));
    }
    Line::from(spans)
}

/// The word for a state where there is little room.
fn word(state: RunState) -> &'static str {
    match state {
        RunState::Succeeded => "ok",
        RunState::Waiting => "wait",
        RunState::Running => "runs",
        RunState::NotRun => "",
        other => other.word(),
    }
}

/// All stages of a pipeline in one short line: a glyph each, and the name of the one that matters.
pub fn strip(state: &State, look: &Look, stages: &[StageCell]) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for stage in stages {
        if stage.held {
            spans.push(look.span(Role::Warning, look.glyphs.held));
        }
        let (glyph, role) = look.glyphs.run(stage.state);
        spans.push(look.span(role, format!("{glyph} ")));
    }
    let matters = stages
        .iter()
        .find(|s| s.state == RunState::Failed)
        .or_else(|| stages.iter().find(|s| s.state == RunState::Waiting))
        .or_else(|| stages.iter().find(|s| s.state.is_moving()))
        .or_else(|| {
            stages.iter().find(|s| matches!(s.state, RunState::Unknown | RunState::Stopped))
        })
        .or_else(|| stages.iter().find(|s| s.held));
    if let Some(stage) = matters {
        let (_, role) = look.glyphs.run(stage.state);
        let rests = matches!(stage.state, RunState::Succeeded | RunState::NotRun);
        let word = if stage.held && rests { "held" } else { stage.state.word() };
        let since = stage.since.map(|at| format!(" {}", when::ago(state, at))).unwrap_or_default();
        spans.push(look.span(role, format!("{} {word}{since}", stage.name)));
    } else if let Some(last) = stages.last() {
        let revision = last.revision.clone().unwrap_or_default();
        spans.push(look.span(Role::Dim, revision));
    }
    Line::from(spans)
}
