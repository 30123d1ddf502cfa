//! The canaries: baseline and canary side by side on one time axis, with the changes on it.

use jiff::SignedDuration;
use ratatui::text::{Line, Span};

use super::{ListPane, field, heading, name};
use crate::app::canary::{Answer, Judged, JudgedMetric, Mark, Stand, ratio_number};
use crate::app::explain::changes_of;
use crate::app::row::RowId;
use crate::app::{State, age, figures};
use crate::domain::canary::{CanaryData, CanaryMetric, CanarySpec, CountPair};
use crate::domain::ids::{CanaryId, ItemId, SeriesId};
use crate::domain::observed::Freshness;
use crate::domain::text::SafeText;
use crate::ui::chart::{Axis, bounds, marks, number, per_second, scale, sparkline};
use crate::ui::look::Look;
use crate::ui::table::Column;
use crate::ui::theme::Role;
use crate::ui::trail::{Trail, labels};
use crate::ui::when;
use crate::ui::wrap::wrap;

/// The time that the charts show, at least.
const WINDOW: SignedDuration = SignedDuration::from_mins(30);
/// How often it may be doubled until it shows the whole flight: up to sixteen hours.
const DOUBLED: usize = 5;
/// With more metrics than this, those that are likely among the guilty are named.
const MANY: usize = 20;
/// Cells left of a chart: the name of the arm and its newest value.
const LABEL: usize = 24;

/// The canaries.
pub struct Canaries<'a> {
    /// The facts.
    pub state: &'a State,
    /// Theme and glyphs.
    pub look: &'a Look,
}

/// The description of a canary.
pub fn spec<'a>(state: &'a State, row: &RowId) -> Option<&'a CanarySpec> {
    let RowId::Canary(id) = row else { return None };
    state.setup.services.iter().flat_map(|s| &s.canaries).find(|c| c.id == *id)
}

/// How a canary stands, in a word.
pub fn stand_word(stand: Option<Stand>) -> &'static str {
    stand.map_or("", Stand::word)
}

/// How a canary stands, or what an experiment answers, in a word.
fn word(judged: &Judged) -> &'static str {
    match judged.answer {
        None => stand_word(Some(judged.stand)),
        Some(Answer::Canary) => "better",
        Some(Answer::Baseline) => "worse",
        Some(Answer::Same) => "the same",
        Some(Answer::Open) => "open",
    }
}

/// What sets a metric apart, in words.
fn mark_word(mark: Option<Mark>) -> &'static str {
    match mark {
        Some(Mark::Culprit) => " (culprit)",
        Some(Mark::Silent) => " (canary silent)",
        Some(Mark::Missing) => " (no data)",
        Some(Mark::Limiting) => " (takes longest)",
        Some(Mark::Muted) | None => "",
    }
}

/// Share of the traffic, as a word.
pub fn share(look: &Look, percent: Option<f64>) -> Line<'static> {
    match percent {
        None => look.line(Role::Unknown, format!("{} unknown", look.glyphs.unknown)),
        Some(p) if p > 0.0 && p < 100.0 => look.line(Role::Canary, format!("{p:.0}%")),
        Some(_) => look.line(Role::Dim, format!("{} none", look.glyphs.idle)),
    }
}

impl ListPane for Canaries<'_> {
    fn columns(&self) -> Vec<Column> {
        vec![
            Column::new("canary", 14, 28),
            Column::new("share", 9, 9),
            Column::new("stands", 17, 17),
            Column::new("service", 9, 16).optional(1),
            Column::new("why", 30, 120).optional(2),
        ]
    }

    fn cells(&self, id: &RowId) -> Option<Vec<Line<'static>>> {
        let (state, look) = (self.state, self.look);
        let row = state.rows.canaries.get(id)?;
        let judged = row.judged.as_ref();
        let stand = judged.map(|j| j.stand);
        let (glyph, role) = look.glyphs.stand(stand);
        let under_way = row.percent.is_some_and(|p| p > 0.0 && p < 100.0);
        let called = state.pilots.get(&row.canary).is_some_and(|pilot| pilot.asks().is_some());
        let stands = match (judged, under_way) {
            // Whoever holds does not watch any more, whatever the figures say.
            _ if called && !stand.is_some_and(Stand::is_risky) => {
                look.line(Role::Waiting, format!("{} a human", look.glyphs.waiting))
            }
            // What is old looks old; a silence has no odds worth a place.
            (Some(judged), _) => {
                let role = if old(state, &row.canary).is_some() { Role::Stale } else { role };
                let odds = match judged.stand {
                    Stand::Silent | Stand::NoData => "",
                    _ => judged.odds.as_str(),
                };
                look.line(role, format!("{glyph} {} {odds}", word(judged)))
            }
            (None, true) => look.line(Role::Moving, "not measured"),
            (None, false) => look.line(Role::Dim, look.glyphs.idle),
        };
        let says = judged.map(|j| format!("{}: {}", j.lead, j.sentence)).unwrap_or_default();
        let pilot = state.pilots.get(&row.canary).filter(|pilot| pilot.ended().is_none());
        let says = match pilot {
            Some(pilot) => format!("pilot: {}; {says}", pilot.now()),
            None => says,
        };
        Some(vec![
            name(state, look, id, row.canary.as_str()),
            share(look, row.percent),
            stands,
            look.line(Role::Text, row.service.to_string()),
            look.line(Role::Dim, says),
        ])
    }

    fn empty(&self) -> &'static str {
        "no service describes a canary"
    }

    fn detail(&self, row: &RowId, width: u16) -> Vec<Line<'static>> {
        let Some(spec) = spec(self.state, row) else { return Vec::new() };
        lines(self.state, self.look, spec, usize::from(width))
    }
}

/// Everything that is known about a canary, in lines of at most `width` cells.
pub fn lines(state: &State, look: &Look, spec: &CanarySpec, width: usize) -> Vec<Line<'static>> {
    let row = state.rows.canaries.get(&RowId::Canary(spec.id.clone()));
    let mut lines = vec![heading(look, spec.id.as_str())];
    let mut head = look.line(Role::Dim, "traffic     ");
    head.spans.extend(share(look, row.and_then(|r| r.percent)).spans);
    if let Some(traffic) = row.and_then(|r| r.traffic.as_ref()) {
        head.push_span(look.span(Role::Dim, format!(" of {} in {}", traffic.name, traffic.source)));
    }
    lines.push(head);
    let steps: Vec<String> = spec.steps.iter().map(|s| format!("{s:.0}")).collect();
    lines.push(field(look, "steps", format!("{} %", steps.join(", "))));
    let judged = row.and_then(|r| r.judged.as_ref());
    let old = judged.and_then(|_| figures::old(state, spec));
    let axis = Axis::until(state.now, window(judged), width.saturating_sub(LABEL).min(120));
    if let Some(judged) = judged {
        let (glyph, role) = look.glyphs.stand(Some(judged.stand));
        lines.push(Line::from(vec![
            look.span(Role::Dim, "verdict     "),
            look.span(if old.is_some() { Role::Stale } else { role }, verdict_words(glyph, judged)),
            look.span(Role::Dim, evidence_words(judged)),
        ]));
        if let Some(old) = &old {
            lines.push(note(look, Role::Stale, &format!("unknown by now: {old}")));
        }
        for piece in wrap(judged.sentence.as_str(), width.saturating_sub(12), 3) {
            lines.push(Line::from(vec![Span::raw(" ".repeat(12)), look.span(Role::Text, piece)]));
        }
        lines.extend(judged.notes.iter().map(|text| note(look, Role::Dim, text.as_str())));
        if judged.metrics.len() > MANY && !judged.suspects.is_empty() {
            let names: Vec<&str> = judged.suspects.iter().map(SafeText::as_str).collect();
            lines.push(note(look, Role::Dim, &format!("suspects: {}", names.join(", "))));
        }
    }
    if let Some(pilot) = state.pilots.get(&spec.id) {
        let said = pilot.log.iter().rev().take(5);
        for (i, line) in said.enumerate() {
            let role = match (i, pilot.asks()) {
                (0, Some(_)) => Role::Waiting,
                (0, None) => Role::Strong,
                _ => Role::Dim,
            };
            let label = if i == 0 { "pilot" } else { "" };
            let text = format!("{} {}", when::moment(state, line.at), line.text);
            for (n, piece) in wrap(&text, width.saturating_sub(12), 2).into_iter().enumerate() {
                let label = if n == 0 { label } else { "" };
                lines.push(Line::from(vec![
                    look.span(Role::Dim, format!("{label:<12}")),
                    look.span(role, piece),
                ]));
            }
        }
    }
    if let Some(judged) = judged {
        let (_, role) = look.glyphs.stand(Some(judged.stand));
        lines.extend(evidence(look, judged, role, &axis));
    }
    let changes = changes_of(state, &spec.service)
        .take_while(|change| change.at > axis.end - axis.length)
        .map(|change| (change.at, look.glyphs.kind(change.kind).0));
    let mut changed = marks(look, &axis, changes);
    changed.spans.insert(0, look.span(Role::Dim, format!("{:<LABEL$}", "changes")));
    lines.push(changed);
    for metric in &spec.metrics {
        lines.push(Line::default());
        let own = judged.and_then(|j| j.metrics.iter().find(|m| m.name == metric.name));
        lines.extend(chart(state, look, spec, metric, own, &axis));
    }
    let start = when::moment(state, axis.end - axis.length);
    let mut times = scale(look, &axis, &start, &when::clock(state));
    times.spans.insert(0, Span::raw(" ".repeat(LABEL)));
    lines.push(Line::default());
    lines.push(times);
    lines
}

/// A remark under the verdict.
fn note(look: &Look, role: Role, text: &str) -> Line<'static> {
    Line::from(vec![Span::raw(" ".repeat(12)), look.span(role, text.to_owned())])
}

/// Glyph and lead; where the lead alone would not tell, how it stands too.
fn verdict_words(glyph: &str, judged: &Judged) -> String {
    match judged.stand {
        Stand::Silent | Stand::NoData => {
            format!("{glyph} {}: {}", judged.lead, stand_word(Some(judged.stand)))
        }
        _ => format!("{glyph} {}", judged.lead),
    }
}

/// Why the figures of a canary are too old to go by.
fn old(state: &State, canary: &CanaryId) -> Option<String> {
    let spec = spec(state, &RowId::Canary(canary.clone()))?;
    figures::old(state, spec)
}

/// The time that the charts show: the whole flight, if it is not too long. It grows seldom.
fn window(judged: Option<&Judged>) -> SignedDuration {
    let flight = judged.and_then(trail).map_or(WINDOW, |trail| trail.length());
    let mut window = WINDOW;
    for _ in 0..DOUBLED {
        if window < flight {
            window = window.saturating_mul(2);
        }
    }
    window
}

fn trail(judged: &Judged) -> Option<Trail<'_>> {
    let tick = SignedDuration::try_from_secs_f64(judged.tick_seconds).ok()?;
    Some(Trail { values: &judged.trail, until: judged.until?, tick })
}

fn evidence_words(judged: &Judged) -> String {
    if let Some(counted) = &judged.counted {
        return format!("  {counted}");
    }
    match judged.answer {
        None => format!("  odds of harm {}, roll back at {:.0}:1", judged.odds, judged.line),
        Some(Answer::Canary) => format!("  odds {}, answered at {:.0}:1", judged.odds, judged.line),
        Some(_) => format!("  odds of worse {}, answered at {:.0}:1", judged.odds, judged.line),
    }
}

/// The evidence of harm over the flight, and the steps of traffic on it: at the full height of the
/// line something is done.
fn evidence(look: &Look, judged: &Judged, role: Role, axis: &Axis) -> Vec<Line<'static>> {
    let Some(trail) = trail(judged).filter(|trail| !trail.values.is_empty()) else {
        return Vec::new();
    };
    let line = judged.line.max(1.0).log10();
    // Full height is kept for what has reached the line, however near the rest comes.
    let below = line * (1.0 - 0.51 / look.glyphs.levels.len().saturating_sub(1).max(1) as f64);
    let height = |log: f64| if log >= line { line } else { log.clamp(0.0, below) };
    let values: Vec<Option<f64>> =
        trail.peaks(axis).into_iter().map(|log| log.map(height)).collect();
    let label = |text: String| look.span(Role::Dim, format!("{text:<LABEL$}"));
    let mut drawn = sparkline(look, role, &values, 0.0, line);
    drawn.spans.insert(0, label(format!("evidence, to {:.0}:1", judged.line)));
    let mut lines = vec![drawn];
    let steps: Vec<_> = judged
        .trail_steps
        .iter()
        .filter_map(|step| {
            let cell = trail.cell_of(step.at, axis)?;
            Some((cell, format!("|{:.0}%", step.weight * 100.0)))
        })
        .collect();
    if !steps.is_empty() {
        let text = labels(&steps, axis.cells);
        lines.push(Line::from(vec![
            label("steps of traffic".to_owned()),
            look.span(Role::Change, text),
        ]));
    }
    lines
}

fn chart(
    state: &State,
    look: &Look,
    spec: &CanarySpec,
    metric: &CanaryMetric,
    judged: Option<&JudgedMetric>,
    axis: &Axis,
) -> Vec<Line<'static>> {
    let rows = sides(state, metric, axis);
    let unit = match metric.data {
        CanaryData::Counts { .. } => "%".to_owned(),
        CanaryData::Levels { .. } => metric.unit.to_string(),
    };
    let kind = if metric.critical { ", critical" } else { "" };
    let bad = match metric.direction {
        crate::domain::canary::Direction::Increase => "more is worse",
        crate::domain::canary::Direction::Decrease => "less is worse",
    };
    let mut head = vec![look.span(Role::Strong, metric.name.to_string())];
    if let Some(judged) = judged {
        let (_, role) = look.glyphs.stand(Some(judged.stand));
        head.push(look.span(role, format!("  {}", figures(look, judged))));
    }
    let counted = judged.map(|judged| format!(" of {}", judged.unit)).unwrap_or_default();
    head.push(look.span(Role::Dim, format!("  {unit}{counted}, {bad}{kind}")));
    let mut lines = vec![Line::from(head)];
    let freshness = metric
        .data
        .series()
        .into_iter()
        .filter_map(|id| age::of_item(state, &ItemId::Series(id.clone())))
        .map(|age| age.freshness)
        .max();
    let (low, high) = bounds([rows.0.as_slice(), rows.1.as_slice()]);
    for (label, role, values) in
        [(&spec.canary, Role::Canary, &rows.1), (&spec.baseline, Role::Baseline, &rows.0)]
    {
        // The mean of what is drawn: the last of noisy values would say something else each time.
        let (sum, count) =
            values.iter().flatten().fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
        let value = match count {
            0 => "no data".to_owned(),
            _ => number(sum / f64::from(count)),
        };
        let role = match freshness {
            Some(Freshness::Fresh) => role,
            Some(Freshness::Stale) => Role::Stale,
            Some(Freshness::Lost) | None => Role::Lost,
        };
        let mut line = sparkline(look, role, values, low, high);
        line.spans.insert(
            0,
            look.span(
                role,
                format!("  {:<10}{value:>10}  ", crate::domain::text::fit(label.as_str(), 10)),
            ),
        );
        lines.push(line);
    }
    if freshness.is_none() {
        lines.push(look.line(Role::Unknown, format!("  {}", why_unread(state, metric))));
    }
    lines.extend(source_note(state, metric).map(|note| look.line(Role::Dim, format!("  {note}"))));
    lines
}

/// Estimate and plausible range of a metric, and what it still needs.
fn figures(look: &Look, judged: &JudgedMetric) -> String {
    let times = look.glyphs.times;
    if judged.mark == Some(Mark::Muted) {
        return "shown only".to_owned();
    }
    let mut text = format!("{}{}", stand_word(Some(judged.stand)), mark_word(judged.mark));
    if let (Some(ratio), Some(low)) = (judged.ratio, judged.low) {
        let high = judged.high.map_or("?".to_owned(), ratio_number);
        let (ratio, low) = (ratio_number(ratio), ratio_number(low));
        text.push_str(&format!(" {ratio}{times} ({low} to {high}{times})"));
    }
    match &judged.counted {
        Some(counted) => text.push_str(&format!(", {counted}")),
        None => text.push_str(&format!(" odds {}", judged.odds)),
    }
    if let Some(seconds) = judged.seconds_needed {
        let time = SignedDuration::try_from_secs_f64(seconds.clamp(0.0, 1e9)).unwrap_or_default();
        text.push_str(&format!(" needs {}", when::steady(time)));
    }
    text
}

/// What a source says of the figures: a threshold it found, why there are none.
fn source_note(state: &State, metric: &CanaryMetric) -> Option<String> {
    let told = metric.data.series().into_iter().filter_map(|id| state.fleet.series.get(id));
    told.filter_map(|series| series.value.note.as_ref()).map(ToString::to_string).next()
}

fn why_unread(state: &State, metric: &CanaryMetric) -> String {
    let faults = metric.data.series().into_iter().filter_map(|id| state.fleet.series.unread(id));
    match faults.into_iter().next() {
        Some(fault) => format!("unknown: {fault}"),
        None => "not read yet".to_owned(),
    }
}

type Row = Vec<Option<f64>>;

/// Baseline and canary of a metric on the axis.
fn sides(state: &State, metric: &CanaryMetric, axis: &Axis) -> (Row, Row) {
    let rate = |id: &SeriesId| -> Row {
        match state.fleet.series.get(id) {
            Some(series) => axis.resample(&per_second(&series.value)),
            None => vec![None; axis.cells],
        }
    };
    let ratio = |pair: &CountPair| -> Row {
        rate(&pair.events)
            .into_iter()
            .zip(rate(&pair.requests))
            .map(|(events, requests)| match (events, requests) {
                (Some(events), Some(requests)) if requests > 0.0 => Some(events / requests * 100.0),
                _ => None,
            })
            .collect()
    };
    match &metric.data {
        CanaryData::Counts { baseline, canary } => (ratio(baseline), ratio(canary)),
        CanaryData::Levels { baseline, canary } => (rate(baseline), rate(canary)),
    }
}
