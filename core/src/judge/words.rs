//! The verdict in the words of an on-call engineer: what to do first, then odds, range and time.

use super::analysis::Verdict;
use super::decide::{Action, Obstacle};
use super::eta::Needed;
use super::odds::thousands;
use super::report::{MetricReport, Plausible, Report};
use super::spec::Direction;

/// What is cleared so far, while the rest is waited for.
const SO_FAR: &str = "CLEARED SO FAR";
/// Where it was said that some has cleared, so strong a sign of harm takes that back: what wavers
/// about even odds is not told again and again.
const TAKES_BACK: f64 = 3.0;

/// The leading words and the sentence after them. `blamed` names the metrics a failure rests on.
pub fn headline(report: &Report, blamed: &[&str]) -> (String, String) {
    headline_after(report, blamed, None)
}

/// The same, where `before` are the leading words of the look before.
pub fn headline_after(report: &Report, blamed: &[&str], before: Option<&str>) -> (String, String) {
    let (lead, sentence) = if let Some(silence) = silence(report) {
        ("NO DATA", silence)
    } else {
        match report.verdict {
            Verdict::Fail if report.action == Action::RollBack => {
                ("ROLL BACK", harm(report, blamed))
            }
            Verdict::Fail => ("HOLD, CALL A HUMAN", harm(report, blamed)),
            Verdict::Marginal => ("HOLD, CALL A HUMAN", marginal(report)),
            Verdict::Pass => cleared(report),
            Verdict::NotEnoughData => waiting(report, before),
        }
    };
    (lead.to_owned(), sentence)
}

fn silence(report: &Report) -> Option<String> {
    if report.evidence == Verdict::Fail {
        return None;
    }
    let silent = report.obstacles.iter().find_map(|obstacle| match obstacle {
        Obstacle::CanarySilent { ticks, .. } => Some(*ticks),
        _ => None,
    });
    if let Some(ticks) = silent {
        let time = duration(ticks as f64 * report.tick_seconds);
        let then = match report.action {
            Action::RollBack => "Roll back: a critical metric is blind.",
            _ => "Hold and call a human.",
        };
        return Some(format!("canary silent {time} while baseline reports. {then}"));
    }
    let missing: Vec<_> = report
        .obstacles
        .iter()
        .filter_map(|obstacle| match obstacle {
            Obstacle::NoData { metric, ticks } => Some((metric.as_str(), *ticks)),
            _ => None,
        })
        .collect();
    let (_, longest) = missing.iter().max_by_key(|(_, ticks)| *ticks)?;
    if report.verdict == Verdict::Marginal {
        return None;
    }
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    let time = duration(*longest as f64 * report.tick_seconds);
    Some(format!("{} not readable for {time}; no pass without it.", list(&names)))
}

fn harm(report: &Report, blamed: &[&str]) -> String {
    let worst = blamed
        .iter()
        .filter_map(|name| report.metrics.iter().find(|metric| metric.name == *name))
        .max_by(|a, b| a.harm.ln.total_cmp(&b.harm.ln));
    let others: Vec<&str> =
        blamed.iter().copied().filter(|name| worst.is_none_or(|w| w.name != *name)).collect();
    let also = if others.is_empty() { String::new() } else { format!("Also {}. ", list(&others)) };
    let line = thousands(report.line);
    let odds = &report.harm.text;
    let evidence = if report.harm.to_one >= report.line {
        format!("Evidence of harm {odds} (line {line}:1).")
    } else {
        // The line was crossed earlier; a failure is never taken back.
        format!("Evidence of harm passed {line}:1, now {odds}.")
    };
    format!("{}{also}{evidence}", worst.map(describe).unwrap_or_default())
}

/// `errors 2.1× baseline (plausible 1.4–3.2×), +1.1 pp, ≈55 extra a minute. `
pub fn describe(metric: &MetricReport) -> String {
    let Some(range) = metric.plausible else { return format!("{}. ", metric.name) };
    let mut parts = vec![format!(
        "{} {} baseline (plausible {})",
        metric.name,
        times(range.ratio),
        span(range)
    )];
    if let Some(absolute) = metric.absolute {
        parts.push(points(absolute.points));
        let extra = absolute.extra_per_minute;
        if extra.abs() >= 0.5 {
            let kind = if extra > 0.0 { "extra" } else { "fewer" };
            parts.push(format!("≈{} {kind} a minute", thousands(extra.abs().round())));
        }
    }
    format!("{}. ", parts.join(", "))
}

fn marginal(report: &Report) -> String {
    let worst = report
        .metrics
        .iter()
        .filter(|metric| !metric.muted)
        .max_by(|a, b| a.any_harm.ln.total_cmp(&b.any_harm.ln));
    let Some(worst) = worst else { return String::new() };
    format!(
        "{}Worse than baseline ({}), not shown to be beyond {}.",
        describe(worst),
        report.any_harm.text,
        times(worst.margin_ratio)
    )
}

fn cleared(report: &Report) -> (&'static str, String) {
    let safe = safe_metrics(report);
    let baking = report.obstacles.iter().find_map(|obstacle| match obstacle {
        Obstacle::Baking { ticks } => Some(*ticks as f64 * report.tick_seconds),
        _ => None,
    });
    match (report.action, baking) {
        (Action::Hold, _) => ("HOLD", format!("deadline passed. Cleared: {safe}.")),
        (_, Some(seconds)) => ("CLEARED", format!("{safe}; bakes {} more.", duration(seconds))),
        _ => ("CLEARED", format!("{safe}. Ready for the next step.")),
    }
}

fn waiting(report: &Report, before: Option<&str>) -> (&'static str, String) {
    for obstacle in &report.obstacles {
        if let Obstacle::WarmUp { ticks } = obstacle {
            let time = duration(*ticks as f64 * report.tick_seconds);
            return ("WARMING UP", format!("not judged for {time} more."));
        }
    }
    if report.metrics.iter().all(|metric| metric.usable_ticks == 0) {
        return ("NO DATA", "nothing usable has arrived yet.".to_owned());
    }
    let worsened = report.obstacles.iter().find_map(|obstacle| match obstacle {
        Obstacle::Worsened { metric } => report.metrics.iter().find(|own| own.name == *metric),
        _ => None,
    });
    // Odds of exactly 1:1 are what one starts with: not yet a sign.
    let no_sign = report.any_harm.ln <= 1e-9;
    let so_far = no_sign || before == Some(SO_FAR) && report.any_harm.ln < TAKES_BACK.ln();
    if report.action != Action::Hold && so_far && !report.safe.is_empty() && worsened.is_none() {
        let rest = report.limiting.as_deref().unwrap_or("the rest");
        let time = match report.seconds_needed {
            Some(seconds) => format!("{rest} still needs ~{}", duration(seconds)),
            None => format!("{rest} needs longer than can be foreseen"),
        };
        return (SO_FAR, format!("{}; {time}.", safe_metrics(report)));
    }
    let mut parts = vec![if let Some(metric) = worsened {
        format!("was cleared, and is worse since: {}", describe(metric).trim_end())
    } else if no_sign {
        format!("no sign of harm ({}).", report.any_harm.text)
    } else {
        let word = report.any_harm.strength.word();
        format!("{word} evidence of harm ({}).", report.any_harm.text)
    }];
    let limiting = report
        .limiting
        .as_ref()
        .and_then(|name| report.metrics.iter().find(|metric| metric.name == *name));
    if let Some(metric) = limiting {
        let worst = metric.absolute.and_then(|absolute| absolute.worst_points);
        parts.extend(worst.map(|worst| format!("Worst plausible {}.", points(worst))));
        parts.push(time_needed(report, metric));
    }
    let text = parts.join(" ");
    if report.action == Action::Hold {
        ("HOLD", format!("deadline passed without an answer; {text}"))
    } else {
        ("WATCHING", text)
    }
}

/// `~12 min more at 5%, ~6 min at 10%, to clear errors ≤1.5×.`
fn time_needed(report: &Report, metric: &MetricReport) -> String {
    let goal = format!("to clear {} {}", metric.name, limit(metric));
    let Some(seconds) = report.seconds_needed else {
        return match metric.needed {
            Needed::Unknown => format!("Time {goal}: not foreseeable yet."),
            Needed::Nothing | Needed::Ticks { .. } => format!("Never {goal} at this traffic."),
        };
    };
    let now = report.weight.map(|weight| format!(" at {}", percent(weight)));
    let more =
        report.seconds_at.iter().filter(|other| report.weight.is_some_and(|w| other.weight > w));
    let others: Vec<String> = more
        .take(2)
        .map(|other| format!(", ~{} at {}", duration(other.seconds), percent(other.weight)))
        .collect();
    let now = now.unwrap_or_default();
    format!("~{} more{now}{}, {goal}.", duration(seconds), others.concat())
}

/// `errors ≤1.5× (likely 0.8–1.2×), latency ≤1.1×`
fn safe_metrics(report: &Report) -> String {
    let parts: Vec<String> = report
        .metrics
        .iter()
        .filter(|metric| metric.verdict == Verdict::Pass && !metric.muted)
        .map(|metric| match metric.plausible {
            Some(range) if range.high.is_some() => {
                format!("{} {} (likely {})", metric.name, limit(metric), span(range))
            }
            _ => format!("{} {}", metric.name, limit(metric)),
        })
        .collect();
    let shown: Vec<&str> = parts.iter().take(3).map(String::as_str).collect();
    let rest = parts.len().saturating_sub(shown.len());
    if rest > 0 { format!("{} and {rest} more", shown.join(", ")) } else { shown.join(", ") }
}

fn limit(metric: &MetricReport) -> String {
    let sign = match metric.direction {
        Direction::Increase => "≤",
        Direction::Decrease => "≥",
    };
    format!("{sign}{}", times(metric.margin_ratio))
}

/// A ratio with as many digits as mean something.
pub fn number(ratio: f64) -> String {
    let text = if ratio < 0.095 || (ratio - 1.0).abs() < 0.095 || (ratio * 10.0).fract() > 1e-9 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.1}")
    };
    if ratio >= 1.995 { format!("{ratio:.1}") } else { text }
}

fn times(ratio: f64) -> String {
    format!("{}×", number(ratio))
}

fn span(range: Plausible) -> String {
    match (range.low > 0.0, range.high) {
        (true, Some(high)) => format!("{}–{}", number(range.low), times(high)),
        (false, Some(high)) => format!("up to {}", times(high)),
        (true, None) => format!("{} or more", times(range.low)),
        (false, None) => "anything".to_owned(),
    }
}

fn points(points: f64) -> String {
    let digits = if points.abs() < 0.1 { 2 } else { 1 };
    format!("{points:+.digits$} pp")
}

fn percent(weight: f64) -> String {
    let value = weight * 100.0;
    if (value - value.round()).abs() < 0.05 {
        format!("{value:.0}%")
    } else {
        format!("{value:.1}%")
    }
}

fn list(names: &[&str]) -> String {
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// A coarse duration: seconds below two minutes, minutes below two hours, else hours.
pub(crate) fn duration(seconds: f64) -> String {
    if seconds < 0.0 || !seconds.is_finite() {
        return "?".to_owned();
    }
    if seconds < 60.0 {
        format!("{seconds:.0} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", (seconds / 60.0).ceil())
    } else {
        format!("{:.0} h", (seconds / 3600.0).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(times(1.5), "1.5×");
        assert_eq!(times(1.25), "1.25×");
        assert_eq!(times(2.137), "2.1×");
        assert_eq!(points(1.14), "+1.1 pp");
        assert_eq!(points(-0.04), "-0.04 pp");
        assert_eq!(duration(300.0), "5 min");
        assert_eq!(duration(20.0), "20 s");
        assert_eq!(percent(0.05), "5%");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
