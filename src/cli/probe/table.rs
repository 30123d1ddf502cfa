//! What a probe would send, and what it found, for people.

use std::io::{self, Write};

use super::ProbeArgs;
use super::document::{Ended, Figures, OfRequest, ProbeReport, time};
use crate::cli::rows::rows;
use crate::domain::text::SafeText;
use crate::judge::Verdict;
use crate::traffic::book::Both;
use crate::traffic::design::Design;
use crate::ui::plain::plain_text;

/// Writes what would be sent.
pub fn plan(design: &Design, args: &ProbeArgs, out: &mut impl Write) -> io::Result<()> {
    let file = SafeText::new(&args.file.display().to_string());
    writeln!(
        out,
        "{file}: would send about {} requests within {} s to each of these, and nothing to others:",
        design.total(),
        design.whole().as_secs_f64()
    )?;
    writeln!(out, "   baseline  {}", SafeText::new(args.baseline.as_str()))?;
    writeln!(out, "   canary    {}", SafeText::new(args.canary.as_str()))?;
    let whole: f64 = design.requests.iter().map(|request| request.weight).sum();
    let mut lines =
        vec![["request", "method", "share", "latency limit"].map(str::to_owned).to_vec()];
    let learned = if design.learns() { "p95 in the warm-up" } else { "none" };
    for request in &design.requests {
        let limit = request.latency.map(|limit| time(limit.as_secs_f64() * 1e3));
        lines.push(vec![
            request.name.to_string(),
            request.method.to_string(),
            format!("{:.0}%", 100.0 * request.weight / whole),
            limit.unwrap_or_else(|| learned.to_owned()),
        ]);
    }
    rows(&lines, out)
}

/// Writes what was found; in `ascii` if nothing else may be shown.
pub fn result(report: &ProbeReport, ascii: bool, out: &mut impl Write) -> io::Result<()> {
    let ours = |text: &SafeText| if ascii { plain_text(text.as_str()) } else { text.to_string() };
    let Both { baseline, canary } = &report.places;
    writeln!(out, "{}: canary {canary} against baseline {baseline}", report.file)?;
    let ended = match report.ended {
        Ended::AllSent => String::new(),
        Ended::Verdict => format!(", ended by it after {:.0} s", report.seconds),
        Ended::Interrupted { .. } => format!(", interrupted after {:.0} s", report.seconds),
    };
    writeln!(out, "{}{ended}", word(report.verdict))?;
    writeln!(out, "   {}: {}", report.judged.lead, ours(&report.judged.sentence))?;
    rows(&sides(&report.sides), out)?;
    if report.requests.len() > 1 {
        rows(&by_request(&report.requests), out)?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "   note: {}", ours(note)))
}

/// A verdict in words.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Marginal => "marginal",
        Verdict::Fail => "fail",
        Verdict::NotEnoughData => "not enough data",
    }
}

fn sides(both: &Both<Figures>) -> Vec<Vec<String>> {
    type Cell = fn(&Figures) -> String;
    let at = |f: &Figures, pick: fn(&super::document::Quantiles) -> f64| {
        f.latency_ms.as_ref().map_or_else(|| "-".to_owned(), |latency| time(pick(latency)))
    };
    let counts: [(&str, Cell); 7] = [
        ("sent", |f| f.sent.to_string()),
        ("errors", |f| share(f.errors, f.sent)),
        ("  unexpected status", |f| f.status.to_string()),
        ("  unexpected answer", |f| f.expectation.to_string()),
        ("  connection failed", |f| f.connection.to_string()),
        ("  timeout", |f| f.timeout.to_string()),
        ("not sent", |f| f.unsent.to_string()),
    ];
    let both_of = |name: &str, cell: &dyn Fn(&Figures) -> String| {
        vec![name.to_owned(), cell(&both.baseline), cell(&both.canary)]
    };
    let mut lines = vec![["", "baseline", "canary"].map(str::to_owned).to_vec()];
    lines.extend(counts.iter().map(|(name, cell)| both_of(name, cell)));
    if both.baseline.limited + both.canary.limited > 0 {
        lines.push(both_of("slow", &|f| share(f.slow, f.limited)));
    }
    lines.push(both_of("latency p50", &|f| at(f, |q| q.p50)));
    lines.push(both_of("latency p99", &|f| at(f, |q| q.p99)));
    lines.push(both_of("latency max", &|f| at(f, |q| q.max)));
    lines
}

fn by_request(requests: &[OfRequest]) -> Vec<Vec<String>> {
    let heads = ["request", "sent", "errors", "slow", "p99"];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    for request in requests {
        let Both { baseline, canary } = &request.sides;
        let pair =
            |cell: &dyn Fn(&Figures) -> String| format!("{} / {}", cell(baseline), cell(canary));
        lines.push(vec![
            request.name.to_string(),
            pair(&|f| f.sent.to_string()),
            pair(&|f| f.errors.to_string()),
            pair(&|f| f.slow.to_string()),
            pair(&|f| f.latency_ms.map_or_else(|| "-".to_owned(), |latency| time(latency.p99))),
        ]);
    }
    lines
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return part.to_string();
    }
    format!("{part} ({:.1}%)", 100.0 * part as f64 / whole as f64)
}
