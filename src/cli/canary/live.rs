//! `flightdeck canary list | status | watch`: the canaries that the configuration describes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use super::document::{CanaryEvent, CanaryLine, CanaryPicture, EVENT_FORMAT, PICTURE_FORMAT};
use super::{ListArgs, StatusArgs, WatchArgs};
use crate::app::State;
use crate::app::row::RowId;
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::headless::{Format, open, settled, wanted};
use crate::cli::rows::rows;
use crate::cli::threads::runtime;
use crate::cli::watch::LineFormat;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::ids::CanaryId;
use crate::domain::text::SafeText;
use crate::judge::Verdict;
use crate::runtime::headless::Headless;

/// What one source brings comes in several messages: they are told together.
const PACE: Duration = Duration::from_millis(200);

/// Prints the canaries without reading anything.
pub fn list(global: &Global, args: &ListArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (started, _) = open(global)?;
    let state = State::new(started.setup);
    let picture = picture(&state, args.service.as_deref())?;
    let written = match args.output {
        Format::Table => {
            let mut lines = vec![["canary", "for", "metrics", "steps"].map(str::to_owned).to_vec()];
            for line in &picture.canaries {
                let names: Vec<&str> = line.metrics.iter().map(SafeText::as_str).collect();
                let steps: Vec<String> = line.steps.iter().map(|s| format!("{s:.0}%")).collect();
                lines.push(vec![
                    line.canary.to_string(),
                    line.purpose.to_owned(),
                    names.join(", "),
                    steps.join(" "),
                ]);
            }
            rows(&lines, out)
        }
        format => document(&picture, format, out),
    };
    ended(written, out, Exit::Good)
}

/// Reads everything once, and prints how the canaries stand.
pub fn status(global: &Global, args: &StatusArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (state, _) = settled(global, Duration::from_secs(args.wait))?;
    let picture = picture(&state, args.service.as_deref())?;
    let written = match args.output {
        Format::Table => table(&picture, out),
        format => document(&picture, format, out),
    };
    ended(written, out, exit(&picture.canaries))
}

/// Prints a line for each change, until the end that was asked for.
pub fn watch(global: &Global, args: &WatchArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (started, _) = open(global)?;
    let tokio = runtime(started.sources.len())?;
    let result = tokio.block_on(async {
        let mut headless = Headless::start(started.setup, started.sources, started.clock);
        let known = picture(&headless.state, args.service.as_deref())?;
        if known.canaries.is_empty() {
            return Err(Failure::usage("no canary is described there"));
        }
        let ended = tokio::select! {
            result = follow(&mut headless, args, out) => result,
            () = sleep(args.seconds) => Ok(()),
            _ = tokio::signal::ctrl_c() => Ok(()),
        };
        let last = picture(&headless.state, args.service.as_deref())?;
        match ended {
            Ok(()) => Ok(exit(&last.canaries)),
            Err(error) => Failure::output(&error, exit(&last.canaries)),
        }
    });
    tokio.shutdown_background();
    result
}

async fn sleep(seconds: Option<u64>) {
    match seconds {
        Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
        None => std::future::pending().await,
    }
}

async fn follow(headless: &mut Headless, args: &WatchArgs, out: &mut impl Write) -> io::Result<()> {
    let mut told: BTreeMap<CanaryId, (Option<SafeText>, String)> = BTreeMap::new();
    while headless.next().await {
        let pause = tokio::time::sleep(PACE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                more = headless.next() => if !more { break },
            }
        }
        headless.tick();
        let Ok(now) = picture(&headless.state, args.service.as_deref()) else { return Ok(()) };
        for line in &now.canaries {
            let event = event(line, &headless.state);
            // The figures of a sentence change with every tick; what they come to does not.
            let gist = (event.lead.clone(), format!("{:?} {:?}", line.verdict, share(line)));
            if told.get(&line.canary) != Some(&gist) {
                write(&event, args.output, out)?;
                told.insert(line.canary.clone(), gist);
            }
        }
        out.flush()?;
        let mut under_way = now.canaries.iter().filter(|line| line.verdict.is_some()).peekable();
        if args.until_verdict
            && under_way.peek().is_some()
            && under_way.all(|line| line.verdict != Some(Verdict::NotEnoughData))
        {
            return Ok(());
        }
    }
    Ok(())
}

fn event(line: &CanaryLine, state: &State) -> CanaryEvent {
    CanaryEvent {
        format: EVENT_FORMAT,
        at: state.now,
        canary: line.canary.clone(),
        percent: line.percent,
        verdict: line.verdict,
        lead: line.judged.as_ref().map(|judged| judged.lead.clone()),
        sentence: says(line).into(),
    }
}

fn write(event: &CanaryEvent, format: LineFormat, out: &mut impl Write) -> io::Result<()> {
    match format {
        LineFormat::Ndjson => {
            serde_json::to_writer(&mut *out, event)?;
            out.write_all(b"\n")
        }
        LineFormat::Plain => {
            let time = event.at.strftime("%H:%M:%S");
            let lead = event.lead.as_ref().map(|lead| format!("{lead}: ")).unwrap_or_default();
            writeln!(out, "{time} {}: {lead}{}", event.canary, event.sentence)
        }
    }
}

/// The canaries of a service, or all of them, as they are known now.
fn picture(state: &State, service: Option<&str>) -> Result<CanaryPicture, Failure> {
    let wanted = wanted(state, service, None)?.service;
    let services = state.setup.services.iter();
    let services = services.filter(|s| wanted.as_ref().is_none_or(|wanted| s.id == *wanted));
    Ok(CanaryPicture {
        format: PICTURE_FORMAT,
        at: state.now,
        rehearsal: state.setup.rehearsed(state.setup.sources.iter().map(|s| s.id.clone())),
        canaries: services.flat_map(|s| &s.canaries).map(|spec| line(state, spec)).collect(),
    })
}

fn line(state: &State, spec: &CanarySpec) -> CanaryLine {
    let row = state.rows.canaries.get(&RowId::Canary(spec.id.clone()));
    let judged = row.and_then(|row| row.judged.clone());
    let series = || spec.metrics.iter().flat_map(|metric| metric.data.series());
    let ages: Option<Vec<i64>> = series()
        .map(|id| state.fleet.series.get(id))
        .map(|known| known.map(|known| state.now.duration_since(known.at).as_secs().max(0)))
        .collect();
    let mut unread: Vec<SafeText> = series()
        .filter_map(|id| Some((id, state.fleet.series.unread(id)?)))
        .map(|(id, fault)| format!("{id}: {fault}").into())
        .collect();
    let percent = row.and_then(|row| row.percent);
    if percent.is_none() && spec.traffic.is_some() {
        unread.push("its traffic split was not read".into());
    }
    CanaryLine {
        canary: spec.id.clone(),
        service: spec.service.clone(),
        purpose: match spec.purpose {
            Purpose::Canary => "canary",
            Purpose::Experiment => "experiment",
        },
        metrics: spec.metrics.iter().map(|metric| metric.name.clone()).collect(),
        steps: spec.steps.clone(),
        traffic: row.and_then(|row| row.traffic.clone()),
        percent,
        verdict: judged.as_ref().map(|judged| judged.verdict),
        judged,
        oldest_seconds: ages.and_then(|ages| ages.into_iter().max()),
        unread,
    }
}

/// The worst of them decides; a canary of which nothing can be said is unknown, not well.
fn exit(lines: &[CanaryLine]) -> Exit {
    let verdicts: Vec<Verdict> = lines.iter().filter_map(|line| line.verdict).collect();
    let has = |verdict| verdicts.contains(&verdict);
    if has(Verdict::Fail) {
        return Exit::of(Verdict::Fail);
    }
    if has(Verdict::Marginal) {
        return Exit::of(Verdict::Marginal);
    }
    if lines.iter().any(|line| line.percent.is_none()) {
        return Exit::Unknown;
    }
    let silent = lines.iter().any(|line| line.verdict.is_none() && is_under_way(line));
    if silent || has(Verdict::NotEnoughData) {
        return Exit::of(Verdict::NotEnoughData);
    }
    Exit::Good
}

fn is_under_way(line: &CanaryLine) -> bool {
    line.percent.is_some_and(|percent| percent > 0.0 && percent < 100.0)
}

fn share(line: &CanaryLine) -> String {
    line.percent.map_or("unknown".to_owned(), |percent| format!("{percent:.0}%"))
}

fn says(line: &CanaryLine) -> String {
    match &line.judged {
        Some(judged) => judged.sentence.to_string(),
        None if line.percent.is_none() && line.unread.is_empty() => {
            "nothing is measured yet".to_owned()
        }
        None if line.percent.is_none() => "unknown, see below".to_owned(),
        None if is_under_way(line) => "nothing is measured yet".to_owned(),
        None => "not under way".to_owned(),
    }
}

fn table(picture: &CanaryPicture, out: &mut impl Write) -> io::Result<()> {
    if let Some(scenario) = &picture.rehearsal {
        writeln!(out, "REHEARSAL {scenario}")?;
    }
    let mut lines = vec![["canary", "share", "verdict", "says"].map(str::to_owned).to_vec()];
    for line in &picture.canaries {
        let lead = line.judged.as_ref().map(|judged| format!("{}: ", judged.lead));
        lines.push(vec![
            line.canary.to_string(),
            share(line),
            line.verdict.map_or("-", super::judge::word).to_owned(),
            format!("{}{}", lead.unwrap_or_default(), says(line)),
        ]);
    }
    rows(&lines, out)?;
    for line in &picture.canaries {
        for fault in &line.unread {
            writeln!(out, "   unknown: {}: {fault}", line.canary)?;
        }
    }
    Ok(())
}

fn document(picture: &CanaryPicture, format: Format, out: &mut impl Write) -> io::Result<()> {
    if format == Format::Ndjson {
        serde_json::to_writer(&mut *out, picture)?;
    } else {
        serde_json::to_writer_pretty(&mut *out, picture)?;
    }
    out.write_all(b"\n")
}

fn ended(written: io::Result<()>, out: &mut impl Write, exit: Exit) -> Result<Exit, Failure> {
    match written.and_then(|()| out.flush()) {
        Ok(()) => Ok(exit),
        Err(error) => Failure::output(&error, exit),
    }
}
