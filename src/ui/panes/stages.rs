//! Stages as cells: which revision is where, in which state, since when.

use ratatui::text::{Line, Span};

use crate::app::State;
use crate::app::select::stages::StageCell;
use crate::domain::pipeline::RunState;
use crate::ui::look::Look;
use crate::ui::theme::Role;
use crate::ui::when;

/// A stage as one cell: glyph, then what matters most in its state.
pub fn cell(state: &State, look: &Look, stage: &StageCell) -> Line<'static> {
    let (glyph, role) = look.glyphs.run(stage.state);
    let since = stage.since.map(|at| when::ago(state, at)).unwrap_or_default();
    let revision = stage.revision.clone().unwrap_or_default();
    let mut spans = vec![look.span(role, format!("{glyph} "))];
    match stage.state {
        RunState::Waiting => spans.push(look.span(role, format!("wait {since}"))),
        RunState::Running | RunState::Failed | RunState::Stopped | RunState::Stopping
            if revision.is_empty() =>
        {
            spans.push(look.span(role, format!("{} {since}", stage.state.word())));
        }
        RunState::NotRun if revision.is_empty() => {}
        RunState::Unknown if revision.is_empty() => spans.push(look.span(role, "unknown")),
        RunState::Failed | RunState::Running => spans.push(look.span(role, revision)),
        _ => spans.push(look.span(Role::Text, revision)),
    }
    if stage.held {
        spans.push(look.span(Role::Warning, format!(" {}", look.glyphs.held)));
    }
    Line::from(spans)
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
