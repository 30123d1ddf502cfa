//! A long trail of values on few cells: the greatest of each cell, so that no peak is lost.

/// The greatest value of each of at most `cells` cells, oldest first. A trail that fits is not
/// stretched.
pub fn peaks(trail: &[f32], cells: usize) -> impl Iterator<Item = f32> {
    let used = trail.len().min(cells);
    (0..used).map(move |cell| {
        let range = begin(cell, trail.len(), used)..begin(cell + 1, trail.len(), used);
        trail.get(range).unwrap_or_default().iter().copied().fold(f32::NEG_INFINITY, f32::max)
    })
}

/// The cell that holds point `at` of a trail of `points`.
pub fn cell_of(at: usize, points: usize, cells: usize) -> usize {
    let used = points.min(cells);
    // The last cell that begins at or before the point.
    (0..used).rev().find(|cell| begin(*cell, points, used) <= at).unwrap_or(0)
}

/// The first of `points` in a cell.
fn begin(cell: usize, points: usize, used: usize) -> usize {
    (cell * points).checked_div(used).unwrap_or(0)
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

    #[test]
    fn no_peak_is_lost_at_any_width() {
        let mut trail = vec![0.0_f32; 1_000];
        trail[377] = 2.0;
        for cells in [1, 7, 56, 120, 999, 1_000, 2_000] {
            let drawn: Vec<f32> = peaks(&trail, cells).collect();
            assert_eq!(drawn.len(), cells.min(1_000));
            let high: Vec<usize> = (0..drawn.len()).filter(|cell| drawn[*cell] >= 2.0).collect();
            assert_eq!(high, [cell_of(377, trail.len(), cells)]);
        }
        assert_eq!(peaks(&[], 10).count() + peaks(&[1.0], 0).count(), 0);
    }

    #[test]
    fn labels_never_run_into_each_other() {
        let texts = |at: [usize; 3]| at.into_iter().zip(["|5%", "|25%", "|50%"].map(str::to_owned));
        let labels = |at, cells| labels(&texts(at).collect::<Vec<_>>(), cells);
        assert_eq!(labels([0, 4, 9], 14), "|5% |25% |50% ");
        assert_eq!(labels([0, 1, 9], 11), "||25%    | ");
    }
}
