//! Charts of series: sparklines, and two series side by side on one time axis with change marks.

use jiff::{SignedDuration, Timestamp};
use ratatui::text::{Line, Span};

use super::look::Look;
use super::theme::Role;
use crate::domain::series::{Point, Series, SeriesKind};

/// A span of time, cut into the cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Its end; the right edge.
    pub end: Timestamp,
    /// Its length.
    pub length: SignedDuration,
    /// Its cells.
    pub cells: usize,
}

impl Axis {
    /// The `length` before `now`, or a little less: it moves by a twelfth of its cells at once. Between
    /// two moves only what is new is drawn, and no point changes its cell.
    pub fn until(now: Timestamp, length: SignedDuration, cells: usize) -> Self {
        let cells_wide = i64::try_from(cells.max(1)).unwrap_or(i64::MAX);
        let step = (length.as_secs() / cells_wide).max(1);
        let stride = step.saturating_mul((cells_wide / 12).max(1));
        let end = now.as_second().div_euclid(stride).saturating_add(1).saturating_mul(stride);
        Self { end: Timestamp::from_second(end).unwrap_or(now), length, cells }
    }

    /// The cell that `at` falls into.
    pub fn cell(&self, at: Timestamp) -> Option<usize> {
        let start = self.end - self.length;
        if at <= start || at > self.end || self.cells == 0 {
            return None;
        }
        let share = at.duration_since(start).as_secs_f64() / self.length.as_secs_f64().max(1.0);
        // Cells are at most a few hundred, and the share lies between 0 and 1.
        let cell = (share * self.cells as f64).ceil() as usize;
        Some(cell.clamp(1, self.cells) - 1)
    }

    /// The mean of the points in each cell; `None` where there is none, never a made-up zero.
    pub fn resample(&self, points: &[Point]) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0_u32); self.cells];
        for point in points.iter().filter(|p| p.value.is_finite()) {
            if let Some(slot) = self.cell(point.at).and_then(|cell| sums.get_mut(cell)) {
                slot.0 += point.value;
                slot.1 += 1;
            }
        }
        sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect()
    }
}

/// What a series says per second: the slope of counters, deltas by their step, gauges as they are.
pub fn per_second(series: &Series) -> Vec<Point> {
    match series.kind {
        SeriesKind::Gauge => series.points.clone(),
        SeriesKind::Delta => {
            let step = series.step.as_secs_f64().max(1e-9);
            series.points.iter().map(|p| Point { at: p.at, value: p.value / step }).collect()
        }
        SeriesKind::Counter => series
            .points
            .windows(2)
            .filter_map(|pair| {
                let [before, after] = pair else { return None };
                let seconds = after.at.duration_since(before.at).as_secs_f64();
                // A counter that fell was reset: what it reached before is not known.
                let grown = if after.value >= before.value {
                    after.value - before.value
                } else {
                    after.value
                };
                (seconds > 0.0).then(|| Point { at: after.at, value: grown / seconds })
            })
            .collect(),
    }
}

/// Values as one row of levels between `low` and `high`; gaps stay blank.
pub fn sparkline(
    look: &Look,
    role: Role,
    values: &[Option<f64>],
    low: f64,
    high: f64,
) -> Line<'static> {
    let levels = look.glyphs.levels;
    let top = levels.len().saturating_sub(1);
    let text: String = values
        .iter()
        .map(|value| match value {
            None => " ",
            Some(value) => {
                let share =
                    if high > low { ((value - low) / (high - low)).clamp(0.0, 1.0) } else { 0.0 };
                let level = (share * top as f64).round() as usize;
                levels.get(level.min(top)).copied().unwrap_or(" ")
            }
        })
        .collect();
    look.line(role, text)
}

/// The least and the greatest of all values, from zero if they are all positive.
pub fn bounds<'a>(rows: impl IntoIterator<Item = &'a [Option<f64>]>) -> (f64, f64) {
    let mut low = 0.0_f64;
    let mut high = 0.0_f64;
    for value in rows.into_iter().flatten().flatten() {
        low = low.min(*value);
        high = high.max(*value);
    }
    (low, high)
}

/// A row with a glyph wherever something changed.
pub fn marks(
    look: &Look,
    axis: &Axis,
    changes: impl IntoIterator<Item = (Timestamp, &'static str)>,
) -> Line<'static> {
    let mut cells = vec![" "; axis.cells];
    for (at, glyph) in changes {
        if let Some(cell) = axis.cell(at).and_then(|cell| cells.get_mut(cell)) {
            *cell = glyph;
        }
    }
    look.line(Role::Change, cells.concat())
}

/// The time axis: its start on the left, its end on the right.
pub fn scale(look: &Look, axis: &Axis, start: &str, end: &str) -> Line<'static> {
    let rest = axis.cells.saturating_sub(start.chars().count() + end.chars().count());
    Line::from(vec![
        look.span(Role::Dim, start.to_owned()),
        Span::raw(" ".repeat(rest)),
        look.span(Role::Dim, end.to_owned()),
    ])
}

/// A value with as many digits as mean something.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "?".to_owned()
    } else if size >= 1e6 {
        format!("{:.1}M", value / 1e6)
    } else if size >= 10_000.0 {
        format!("{:.1}k", value / 1e3)
    } else if size >= 100.0 || size == 0.0 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{SeriesId, SourceId};
    use crate::ui::theme::Theme;

    fn points(values: &[f64]) -> Vec<Point> {
        let at = |i: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(10 * i);
        values.iter().zip(0..).map(|(v, i)| Point { at: at(i), value: *v }).collect()
    }

    #[test]
    fn gaps_stay_gaps() {
        let axis = Axis {
            end: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(60),
            length: SignedDuration::from_secs(60),
            cells: 6,
        };
        let mut all = points(&[9.0, 1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0]);
        all.remove(2);
        let row = axis.resample(&all);
        assert_eq!(row, [Some(1.0), None, None, Some(4.0), Some(5.0), Some(6.0)]);
        let look = Look::new(Theme::fallback(), false);
        let line = sparkline(&look, Role::Canary, &row, 0.0, 6.0);
        assert_eq!(line.to_string(), "▂  ▆▇█");
    }

    #[test]
    fn counters_become_rates_and_survive_a_reset() {
        let series = Series {
            id: SeriesId::new(&SourceId::new("m"), "x"),
            kind: SeriesKind::Counter,
            unit: "1".into(),
            step: SignedDuration::from_secs(10),
            points: points(&[100.0, 150.0, 20.0]),
            note: None,
        };
        let rates: Vec<f64> = per_second(&series).iter().map(|p| p.value).collect();
        assert_eq!(rates, [5.0, 2.0]);
    }

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (0.0, "0"),
            (0.01234, "0.012"),
            (4.56, "4.6"),
            (412.3, "412"),
            (25_000.0, "25.0k"),
            (3.2e6, "3.2M"),
        ] {
            assert_eq!(number(value), text);
        }
    }
}
