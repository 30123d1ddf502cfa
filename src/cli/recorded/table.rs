//! What a replay would send, and what it found, for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::domain::text::SafeText;
use crate::traffic::recorded::compare::Kind;
use crate::traffic::recorded::import::Format;
use crate::traffic::recorded::report::{
    Difference, Ended, Finding, OfPattern, Recording, ReplayReport,
};
use crate::ui::plain::plain_text;

/// So many noisy fields of a pattern are named.
const NOISY: usize = 5;

/// Writes what would be sent.
pub fn plan(report: &ReplayReport, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{}: would send {} requests, each twice to {} and once to {}, and nothing to others",
        report.recording.file, report.planned, report.places.baseline, report.places.canary
    )?;
    recording(&report.recording, out)?;
    notes(report, out)
}

/// Writes what was found; our own words in ASCII if nothing else may be shown.
pub fn result(report: &ReplayReport, ascii: bool, out: &mut impl Write) -> io::Result<()> {
    let mut text = Vec::new();
    whole(report, &mut text)?;
    let text = String::from_utf8_lossy(&text);
    out.write_all(if ascii { plain_text(&text) } else { text.into_owned() }.as_bytes())
}

fn whole(report: &ReplayReport, out: &mut impl Write) -> io::Result<()> {
    let places = &report.places;
    writeln!(
        out,
        "{}: canary {} against baseline {}",
        report.recording.file, places.canary, places.baseline
    )?;
    let ended = match report.ended {
        Ended::AllSent => String::new(),
        Ended::Interrupted { .. } => format!(", interrupted after {:.0} s", report.seconds),
    };
    writeln!(out, "{}{ended}", word(report.finding))?;
    let counts = &report.requests;
    writeln!(
        out,
        "   {} requests compared: {} different, {} the same, {} differ in noise only; {} unknown{}",
        counts.compared,
        counts.different,
        counts.same,
        counts.noise,
        counts.unknown,
        match report.not_finished {
            0 => String::new(),
            left => format!("; {left} not finished"),
        }
    )?;
    for silence in &report.silences {
        let (who, why) = (silence.asked.word(), &silence.why);
        writeln!(out, "   no answer: {who} {why}: {} x, first {}", silence.count, silence.request)?;
    }
    recording(&report.recording, out)?;
    notes(report, out)?;
    for of in report.patterns.iter().filter(|of| !of.differences.is_empty()) {
        writeln!(out)?;
        pattern(of, out)?;
    }
    let quiet: Vec<&OfPattern> =
        report.patterns.iter().filter(|of| of.differences.is_empty()).collect();
    if !quiet.is_empty() {
        writeln!(out)?;
        writeln!(out, "no difference beyond noise")?;
        for of in quiet {
            let unknown =
                if of.unknown > 0 { format!(", {} unknown", of.unknown) } else { String::new() };
            writeln!(
                out,
                "   {}: {} compared{unknown}{}",
                of.pattern,
                of.compared,
                noise(&of.noise)
            )?;
        }
    }
    Ok(())
}

fn pattern(of: &OfPattern, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {} compared{}", of.pattern, of.compared, noise(&of.noise))?;
    for difference in &of.differences {
        let also = match difference.noise {
            0 => String::new(),
            noise => format!(", in the baseline itself in {noise}"),
        };
        let (label, kind) = (label(difference), kind(difference.kind));
        writeln!(out, "   {label}: {kind} in {} of {}{also}", difference.count, of.compared)?;
        for example in &difference.examples {
            let side = |value: &Option<SafeText>| {
                value.as_ref().map_or_else(|| "(none)".to_owned(), ToString::to_string)
            };
            writeln!(out, "      {} ({})", example.request, example.place)?;
            writeln!(out, "         baseline  {}", side(&example.before))?;
            writeln!(out, "         canary    {}", side(&example.after))?;
        }
    }
    Ok(())
}

fn label(difference: &Difference) -> String {
    difference.part.label(&difference.field)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Missing => "missing in the canary",
        Kind::Added => "new in the canary",
        Kind::Type => "of another type",
        Kind::Value => "another value",
        Kind::Length => "another length",
        Kind::Order => "another order",
    }
}

/// `; noise: /id, /time`
fn noise(fields: &[Difference]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let mut names: Vec<String> = fields.iter().take(NOISY).map(label).collect();
    if fields.len() > NOISY {
        names.push(format!("and {} more", fields.len() - NOISY));
    }
    format!("; noise: {}", names.join(", "))
}

fn word(finding: Finding) -> &'static str {
    match finding {
        Finding::Different => "different",
        Finding::Same => "the same",
        Finding::Unknown => "unknown: nothing differs, but not everything could be compared",
        Finding::Nothing => "nothing could be compared",
    }
}

fn recording(recording: &Recording, out: &mut impl Write) -> io::Result<()> {
    let unit = match recording.format {
        Format::Har => "entry",
        Format::Ndjson | Format::AccessLog => "line",
    };
    let unreadable = &recording.unreadable;
    if unreadable.count > 0 {
        writeln!(out, "   {} of {} could not be read:", unreadable.count, recording.read)?;
        for unread in &unreadable.first {
            writeln!(out, "      {}, {unit} {}: {}", recording.file, unread.place, unread.why)?;
        }
        let more = unreadable.count.saturating_sub(unreadable.first.len() as u64);
        if more > 0 {
            writeln!(out, "      and {more} more; --format says what the file is")?;
        }
    }
    listed("not sent", &recording.skipped, out)?;
    listed("taken out", &recording.scrubbed, out)
}

fn listed(what: &str, counts: &BTreeMap<String, u64>, out: &mut impl Write) -> io::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let words: Vec<String> =
        counts.iter().map(|(name, count)| format!("{name} {count} x")).collect();
    writeln!(out, "   {what}: {}", SafeText::from(words.join(", ")))
}

fn notes(report: &ReplayReport, out: &mut impl Write) -> io::Result<()> {
    report.notes.iter().try_for_each(|note| writeln!(out, "   note: {note}"))
}
