//! A plan and what came of it, for people and for scripts.

use std::io::{self, Write};

use crate::app::report::Act;

/// One JSON document, over several lines or in one.
pub fn json(act: &Act, pretty: bool, out: &mut impl Write) -> io::Result<()> {
    if pretty {
        serde_json::to_writer_pretty(&mut *out, act)?;
    } else {
        serde_json::to_writer(&mut *out, act)?;
    }
    out.write_all(b"\n")
}

/// Labels and values.
pub fn table(act: &Act, out: &mut impl Write) -> io::Result<()> {
    let production = if act.production { "PRODUCTION: " } else { "" };
    if let Some(scenario) = &act.rehearsal {
        writeln!(out, "   REHEARSAL {scenario}: nothing of this is real")?;
    }
    writeln!(out, "   {production}{}", act.title)?;
    let several = act.steps.len() > 1;
    for (i, step) in act.steps.iter().enumerate() {
        let label = if several { format!("step {}", i + 1) } else { "does".to_owned() };
        let change = match (&step.from, &step.to) {
            (Some(from), Some(to)) => format!(": {from} -> {to}"),
            (None, Some(to)) => format!(" -> {to}"),
            _ => String::new(),
        };
        row(out, &label, &format!("{}{change}", step.what))?;
        let seen: Vec<String> = step
            .seen
            .iter()
            .filter(|fact| !fact.value.as_str().is_empty())
            .map(|fact| format!("{} {}", fact.what, fact.value))
            .collect();
        row(out, "seen", &format!("{}, read at {}", seen.join(", "), step.seen_at))?;
        let who =
            step.identity.as_ref().map_or("identity not told".to_owned(), ToString::to_string);
        row(out, "as", &format!("{who}, in {} ({})", step.source, step.place))?;
        if let Some(why) = &step.no_undo {
            row(out, "way back", &format!("none: {why}"))?;
        }
        if let Some(sentence) = &step.sentence {
            row(out, "outcome", sentence.as_str())?;
        }
    }
    for note in &act.notes {
        row(out, "note", note.as_str())?;
    }
    let passed: Vec<&str> =
        act.guards.iter().filter(|g| g.why.is_none()).map(|g| g.name.as_str()).collect();
    row(out, "passed", &passed.join(", "))?;
    for guard in &act.guards {
        if let Some(why) = &guard.why {
            row(out, guard.verdict.as_str(), &format!("{}: {why}", guard.name))?;
        }
    }
    row(out, "plan", &act.plan)?;
    if let Some(why) = &act.refusal {
        writeln!(out, "   {why}")?;
    }
    Ok(())
}

fn row(out: &mut impl Write, label: &str, text: &str) -> io::Result<()> {
    writeln!(out, "   {label:<13}{text}")
}
