//! The trail of evidence on the axis of time: the greatest of each cell, so that no peak is lost.

use jiff::{SignedDuration, Timestamp};

use super::chart::Axis;

/// A row of values, one a tick, of which the last ends at `until`.
#[derive(Clone, Copy, Debug)]
pub struct Trail<'a> {
    /// The values, oldest first.
    pub values: &'a [f32],
    /// When the last tick ended.
    pub until: Timestamp,
    /// Length of a tick.
    pub tick: SignedDuration,
}

impl Trail<'_> {
    /// When tick `at` ended.
    fn end(&self, at: usize) -> Timestamp {
        let later = self.values.len().saturating_sub(at + 1);
        let back = self.tick.checked_mul(i32::try_from(later).unwrap_or(i32::MAX));
        let begin = back.and_then(|back| self.until.checked_sub(back).ok());
        begin.unwrap_or(Timestamp::MIN)
    }

    /// How long all of it lasted.
    pub fn length(&self) -> SignedDuration {
        let ticks = i32::try_from(self.values.len()).unwrap_or(i32::MAX);
        self.tick.checked_mul(ticks).unwrap_or(SignedDuration::MAX)
    }

    /// The cell in which tick `at` ended.
    pub fn cell_of(&self, at: usize, axis: &Axis) -> Option<usize> {
        axis.cell(self.end(at))
    }

    /// The greatest value of each cell; a tick reaches back to the one before.
    pub fn peaks(&self, axis: &Axis) -> Vec<Option<f64>> {
        let mut cells = vec![None; axis.cells];
        let mut before: Option<usize> = None;
        for (at, value) in self.values.iter().enumerate() {
            let Some(to) = self.cell_of(at, axis) else { continue };
            let from = before.map_or(to, |before| (before + 1).min(to));
            for cell in cells.iter_mut().take(to + 1).skip(from) {
                let value = f64::from(*value);
                *cell = Some(cell.map_or(value, |known: f64| known.max(value)));
            }
            before = Some(to);
        }
        cells
    }
}

/// A row of `cells` with a text at each place, in ascending order. Where the next begins too soon,
/// or the row ends, only the first sign of a text is written.
pub fn labels(texts: &[(usize, String)], cells: usize) -> String {
    let mut row = vec![' '; cells];
    let ends: Vec<usize> = texts.iter().skip(1).map(|(at, _)| *at).chain([cells]).collect();
    for ((at, text), end) in texts.iter().zip(ends) {
        let whole = at + text.chars().count() <= end;
        let kept = if whole { text.chars().count() } else { 1 };
        for (cell, sign) in row.iter_mut().skip(*at).zip(text.chars().take(kept)) {
            *cell = sign;
        }
    }
    row.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(minutes: i64, cells: usize) -> Axis {
        let end = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(48);
        Axis { end, length: SignedDuration::from_mins(minutes), cells }
    }

    #[test]
    fn no_peak_is_lost_at_any_width() {
        let mut values = vec![0.0_f32; 1_000];
        values[377] = 2.0;
        let tick = SignedDuration::from_mins(1);
        for cells in [1, 7, 56, 120, 999, 1_000, 2_000] {
            let axis = axis(1_000, cells);
            let trail = Trail { values: &values, until: axis.end, tick };
            let drawn = trail.peaks(&axis);
            assert_eq!(drawn.len(), cells);
            let high = drawn.iter().flatten().filter(|value| **value >= 2.0).count();
            assert!((1..=2_usize.max(cells / 500)).contains(&high), "{cells}: {high}");
            let cell = trail.cell_of(377, &axis).unwrap();
            assert_eq!(drawn[cell], Some(2.0));
            assert!(drawn.iter().skip(cell + 1).all(Option::is_some), "{cells}");
        }
        let nothing = Trail { values: &[], until: axis(1, 1).end, tick };
        assert_eq!(nothing.peaks(&axis(10, 3)), [None; 3]);
    }

    #[test]
    fn what_lies_before_the_axis_is_not_on_it() {
        let axis = axis(10, 10);
        let values = [5.0, 1.0, 1.0];
        let tick = SignedDuration::from_mins(6);
        let trail = Trail { values: &values, until: axis.end, tick };
        assert!(trail.peaks(&axis).iter().flatten().all(|value| *value <= 1.0));
        assert_eq!(trail.cell_of(2, &axis), Some(9));
        assert_eq!(trail.cell_of(0, &axis), None);
    }

    #[test]
    fn labels_never_run_into_each_other() {
        let texts = |at: [usize; 3]| at.into_iter().zip(["|5%", "|25%", "|50%"].map(str::to_owned));
        let labels = |at, cells| labels(&texts(at).collect::<Vec<_>>(), cells);
        assert_eq!(labels([0, 4, 9], 14), "|5% |25% |50% ");
        assert_eq!(labels([0, 1, 9], 11), "||25%    | ");
    }
}
