//! Brent's root finder in the form that R's `uniroot` uses, step by step, because Kayenta's numbers
//! depend on where it stops.

/// What differs from the algorithm's textbook form is nothing; the tolerance is absolute.
/// `at_low` and `at_high` are the values at the ends. At most `steps` evaluations.
pub fn brent(
    low: f64,
    high: f64,
    at_low: f64,
    at_high: f64,
    tolerance: f64,
    steps: u32,
    mut f: impl FnMut(f64) -> f64,
) -> f64 {
    if at_low == 0.0 {
        return low;
    }
    if at_high == 0.0 {
        return high;
    }
    // `best` is the current guess, `previous` the one before, `other` on the far side of the root.
    let (mut previous, mut at_previous) = (low, at_low);
    let (mut best, mut at_best) = (high, at_high);
    let (mut other, mut at_other) = (previous, at_previous);
    for _ in 0..steps {
        let last_step = best - previous;
        if at_other.abs() < at_best.abs() {
            (previous, best, other) = (best, other, best);
            (at_previous, at_best, at_other) = (at_best, at_other, at_best);
        }
        let least = 2.0 * f64::EPSILON * best.abs() + tolerance / 2.0;
        let halving = (other - best) / 2.0;
        if halving.abs() <= least || at_best == 0.0 {
            return best;
        }
        let mut step = halving;
        if last_step.abs() >= least && at_previous.abs() > at_best.abs() {
            let width = other - best;
            let (mut rise, mut run);
            #[expect(
                clippy::float_cmp,
                reason = "asks whether the two guesses are one and the same"
            )]
            if previous == other {
                let s = at_best / at_previous;
                rise = width * s;
                run = 1.0 - s;
            } else {
                let r = at_previous / at_other;
                let s = at_best / at_other;
                let t = at_best / at_previous;
                rise = t * (width * r * (r - s) - (best - previous) * (s - 1.0));
                run = (r - 1.0) * (s - 1.0) * (t - 1.0);
            }
            if rise > 0.0 {
                run = -run;
            } else {
                rise = -rise;
            }
            let short = rise < 0.75 * width * run - (least * run).abs() / 2.0;
            if short && rise < (last_step * run / 2.0).abs() {
                step = rise / run;
            }
        }
        if step.abs() < least {
            step = least.copysign(step);
        }
        (previous, at_previous) = (best, at_best);
        best += step;
        at_best = f(best);
        if (at_best > 0.0 && at_other > 0.0) || (at_best < 0.0 && at_other < 0.0) {
            (other, at_other) = (previous, at_previous);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_root_is_found_within_the_tolerance() {
        let f = |x: f64| x.exp() - 2.0;
        let found = brent(0.0, 5.0, f(0.0), f(5.0), 1e-10, 1000, f);
        assert!((found - 2.0_f64.ln()).abs() < 1e-9);
    }
}
