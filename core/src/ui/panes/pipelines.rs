//! The pipelines: their stages at a glance; actions, approvals, executions and what would ship.

use ratatui::text::{Line, Span};

use super::{ListPane, field, heading, name, owners, stages};
use crate::app::State;
use crate::app::row::RowId;
use crate::domain::ids::{ItemId, PipelineId};
use crate::domain::pipeline::{Action, Approval, Execution, Pipeline, Stage};
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::when;

/// Executions that are told in the details.
const EXECUTIONS: usize = 12;

/// The pipelines.
pub struct Pipelines<'a> {
    /// The facts.
    pub state: &'a State,
    /// Theme and glyphs.
    pub look: &'a Look,
}

impl ListPane for Pipelines<'_> {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("pipeline", 14, 28),
            Column::new("service", 9, 16).optional(2),
            Column::new("stages", 32, 40),
            Column::new("moved", 5, 5).right(),
            Column::new("source", 14, 14).optional(1),
        ]
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let row = state.rows.pipelines.get(id)?;
        let stages = match &row.unknown {
            Some(why) if row.stages.is_empty() => {
                look.line(Role::Unknown, format!("{} unknown: {why}", look.glyphs.unknown))
            }
            _ if row.stages.is_empty() => look.line(Role::Dim, "not read yet"),
            _ => stages::strip(state, look, &row.stages),
        };
        Some(vec![
            name(state, look, id, row.pipeline.name.as_str()),
            owners(look, &row.services),
            stages,
            look.line(Role::Dim, row.moved.map(|at| when::ago(state, at)).unwrap_or_default()),
            look.line(Role::Dim, row.pipeline.source.to_string()),
        ])
    }

    fn empty(&self) -> &'static str {
        "no source has a pipeline"
    }

    fn detail(&self, row: &RowId, _width: u16) -> Vec<Line<'static>> {
        let RowId::Item(ItemId::Pipeline(id)) = row else { return Vec::new() };
        lines(self.state, self.look, id)
    }
}

/// Everything that is known about a pipeline.
pub fn lines(state: &State, look: &Look, id: &PipelineId) -> Vec<Line<'static>> {
    let Some(observed) = state.fleet.pipelines.get(id) else {
        let why = state.fleet.pipelines.unread(id).map(ToString::to_string).unwrap_or_default();
        return vec![
            heading(look, id.name.as_str()),
            look.line(Role::Unknown, format!("unknown {why}")),
        ];
    };
    let pipeline = &*observed.value;
    let mut lines = vec![heading(look, pipeline.id.name.as_str())];
    let mode = format!("{:?}", pipeline.mode).to_lowercase();
    let flavour = pipeline.flavour.as_ref().map(|f| format!("{f}, ")).unwrap_or_default();
    lines.push(field(
        look,
        "read",
        format!("{} ago from {} · {flavour}{mode}", when::ago(state, observed.at), id.source),
    ));
    if let Some(fault) = &observed.fault {
        lines.push(
            look.line(Role::Unknown, format!("{} not confirmed: {fault}", look.glyphs.unknown)),
        );
        lines.push(look.line(Role::Dim, format!("  {}", fault.hint)));
    }
    for stage in &pipeline.stages {
        lines.push(Line::default());
        lines.extend(stage_lines(state, look, pipeline, stage));
    }
    lines.push(Line::default());
    lines.push(heading(look, "Executions"));
    if pipeline.executions.is_empty() {
        let why = if pipeline.detail { "none" } else { "not read yet" };
        lines.push(look.line(Role::Dim, why));
    }
    lines.extend(pipeline.executions.iter().take(EXECUTIONS).map(|e| execution(state, look, e)));
    if let Some(link) = &pipeline.link {
        lines.push(Line::default());
        lines.push(look.line(Role::Dim, link.to_string()));
    }
    lines
}

fn stage_lines(
    state: &State,
    look: &Look,
    pipeline: &Pipeline,
    stage: &Stage,
) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    if let Some(transition) = stage.transition.as_ref().filter(|t| !t.enabled) {
        let by = transition.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let at =
            transition.at.map(|at| format!(" {} ago", when::ago(state, at))).unwrap_or_default();
        let why = transition.reason.as_ref().map(|r| format!(": {r}")).unwrap_or_default();
        lines.push(look.line(Role::Warning, format!("{} held{by}{at}{why}", look.glyphs.held)));
    }
    if let Some(inbound) = &stage.inbound {
        lines.push(look.line(
            Role::Warning,
            format!("{} {} waits to enter", look.glyphs.waiting, short(inbound.as_str())),
        ));
    }
    let revision = stage.revision.as_ref().map(|r| format!("  {}", r.short())).unwrap_or_default();
    let since = stage.since.map(|at| format!("  {}", when::ago(state, at))).unwrap_or_default();
    lines.push(Line::from(vec![
        look.run(stage.state),
        look.span(Role::Strong, format!("  {}", stage.name)),
        look.span(Role::Text, revision),
        look.span(Role::Dim, since),
    ]));
    for action in &stage.actions {
        lines.push(action_line(state, look, action));
        if let Some(error) = &action.error {
            lines.push(look.line(Role::Bad, format!("      {error}")));
        }
        if let Some(ask) = &action.approval {
            lines.extend(approval(state, look, pipeline, stage, ask));
        }
    }
    for condition in &stage.conditions {
        let text = condition.summary.as_ref().map(|s| format!(": {s}")).unwrap_or_default();
        let (glyph, role) = look.glyphs.run(condition.state);
        lines.push(look.line(role, format!("    {glyph} condition {}{text}", condition.when)));
    }
    lines
}

fn action_line(state: &State, look: &Look, action: &Action) -> Line<'static> {
    let (glyph, role) = look.glyphs.run(action.state);
    let mut spans: Vec<Span<'static>> = vec![
        look.span(role, format!("    {glyph} ")),
        look.span(Role::Text, action.name.to_string()),
        look.span(Role::Dim, format!("  {} {}", action.category, action.provider)),
    ];
    if let Some(percent) = action.percent.filter(|_| action.state.is_moving()) {
        spans.push(look.span(Role::Moving, format!("  {percent}%")));
    }
    if let Some(at) = action.at {
        spans.push(look.span(Role::Dim, format!("  {}", when::ago(state, at))));
    }
    let text = |t: &SafeText| look.span(Role::Dim, format!("  {t}"));
    spans.extend(action.by.as_ref().map(text));
    spans.extend(action.summary.as_ref().map(text));
    Line::from(spans)
}

fn approval(
    state: &State,
    look: &Look,
    pipeline: &Pipeline,
    stage: &Stage,
    ask: &Approval,
) -> Vec<Line<'static>> {
    let since =
        ask.requested.map(|at| format!(" for {}", when::ago(state, at))).unwrap_or_default();
    let ends =
        ask.deadline.map(|at| format!(", ends {}", when::until(state, at))).unwrap_or_default();
    let token = if ask.token.is_some() { "" } else { ", no token seen" };
    let which =
        ask.execution.as_ref().map(|e| format!(" {}", short(e.as_str()))).unwrap_or_default();
    let mut lines = vec![look.line(
        Role::Waiting,
        format!("      {} approval{which}{since}{ends}{token}", look.glyphs.waiting),
    )];
    lines.extend(ask.message.as_ref().map(|m| look.line(Role::Text, format!("        {m}"))));
    lines.extend(ask.link.as_ref().map(|l| look.line(Role::Dim, format!("        {l}"))));
    match pipeline.would_ship(stage.name.as_str()) {
        Some(revisions) if revisions.is_empty() => {
            lines.push(look.line(Role::Dim, "        would ship nothing new"));
        }
        Some(revisions) => {
            lines.push(look.line(Role::Strong, format!("        would ship {}", revisions.len())));
            lines.extend(revisions.into_iter().map(|r| revision_line(look, r)));
        }
        None => lines.push(look.line(Role::Unknown, "        what would ship is unknown")),
    }
    lines
}

fn revision_line(look: &Look, revision: &Revision) -> Line<'static> {
    let text = |t: &Option<SafeText>| t.as_ref().map(|t| format!(" {t}")).unwrap_or_default();
    Line::from(vec![
        look.span(Role::Strong, format!("          {}", revision.short())),
        look.span(Role::Text, text(&revision.message)),
        look.span(Role::Dim, text(&revision.author)),
    ])
}

fn execution(state: &State, look: &Look, execution: &Execution) -> Line<'static> {
    let (glyph, role) = look.glyphs.run(execution.state);
    let at =
        execution.updated.or(execution.started).map(|at| when::ago(state, at)).unwrap_or_default();
    let first = execution.revisions.first();
    let revision = first.map(Revision::short).unwrap_or_default();
    let message =
        first.and_then(|r| r.message.as_ref()).map(ToString::to_string).unwrap_or_default();
    let by = execution
        .by
        .as_ref()
        .or(execution.trigger.as_ref())
        .map(ToString::to_string)
        .unwrap_or_default();
    let back = execution
        .rollback_to
        .as_ref()
        .map(|to| format!(" back to {}", short(to.as_str())))
        .unwrap_or_default();
    Line::from(vec![
        look.span(role, format!("{glyph} {:<10} ", execution.state.word())),
        look.span(Role::Strong, format!("{revision:<8} ")),
        look.span(Role::Dim, format!("{at:>4}  ")),
        look.span(Role::Text, format!("{message}{back}  ")),
        look.span(Role::Dim, format!("{by}  {}", short(execution.id.as_str()))),
    ])
}

fn short(id: &str) -> String {
    id.chars().take(8).collect()
}
