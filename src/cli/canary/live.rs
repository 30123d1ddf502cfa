//! `flightdeck canary list | status | watch`: the canaries that the configuration describes.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use super::document::{CanaryEvent, CanaryLine, CanaryPicture, EVENT_FORMAT, PICTURE_FORMAT};
use super::{ListArgs, StatusArgs, WatchArgs};
use crate::app::age::of_item;
use crate::app::row::RowId;
use crate::app::select::canaries::split_of;
use crate::app::{State, figures};
use crate::cli::exit::{Exit, Failure};
use crate::cli::global::Global;
use crate::cli::headless::{Format, open, settled, wanted};
use crate::cli::rows::rows;
use crate::cli::threads::runtime;
use crate::cli::watch::LineFormat;
use crate::domain::canary::{CanarySpec, Purpose};
use crate::domain::ids::{CanaryId, ItemId};
use crate::domain::observed::Freshness;
use crate::domain::text::SafeText;
use crate::judge::Verdict;
use crate::runtime::headless::Headless;

/// What one source brings comes in several messages: they are told together.
const PACE: Duration = Duration::from_millis(200);
/// What is known is looked at that often, if nothing comes.
const BEAT: Duration = Duration::from_secs(1);

/// The columns of the list.
const LIST: [&str; 5] = ["canary", "for", "judged by", "metrics", "steps"];

/// Prints the canaries without reading anything.
pub fn list(global: &Global, args: &ListArgs, out: &mut impl Write) -> Result<Exit, Failure> {
    let (started, _) = open(global)?;
    let state = State::new(started.setup);
    let picture = picture(&state, args.service.as_deref(), None)?;
    let written = match args.output {
        Format::Table => {
            let mut lines = vec![LIST.map(str::to_owned).to_vec()];
            for line in &picture.canaries {
                let names: Vec<&str> = line.metrics.iter().map(SafeText::as_str).collect();
                let steps: Vec<String> = line.steps.iter().map(|s| format!("{s:.0}%")).collect();
                lines.push(vec![
                    line.canary.to_string(),
                    line.purpose.to_owned(),
                    line.policy.to_string(),
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
    let picture = some(&state, args.service.as_deref(), args.canary.as_deref())?;
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
        let now = |state: &State| some(state, args.service.as_deref(), args.canary.as_deref());
        now(&headless.state)?;
        let ended = tokio::select! {
            result = follow(&mut headless, args, out) => result,
            () = sleep(args.seconds) => Ok(()),
            _ = tokio::signal::ctrl_c() => Ok(()),
        };
        headless.tick();
        let last = now(&headless.state)?;
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
    let mut begun = false;
    // Where nothing comes any more, what is known grows old all the same.
    while !matches!(tokio::time::timeout(BEAT, headless.next()).await, Ok(false)) {
        let pause = tokio::time::sleep(PACE);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                more = headless.next() => if !more { break },
            }
        }
        headless.tick();
        let now = picture(&headless.state, args.service.as_deref(), args.canary.as_deref());
        let Ok(now) = now else { return Ok(()) };
        for line in &now.canaries {
            let event = event(line, &headless.state);
            // The figures of a sentence change with every tick; what they come to does not.
            let gist = format!("{:?} {:?} {:?}", line.verdict, share(line), line.old);
            let gist = (event.lead.clone(), gist);
            if told.get(&line.canary) != Some(&gist) {
                write(&event, args.output, out)?;
                told.insert(line.canary.clone(), gist);
            }
        }
        out.flush()?;
        let mut under_way = now.canaries.iter().filter(|line| is_under_way(line)).peekable();
        let some = under_way.peek().is_some();
        // One that was taken back meanwhile, or has everything, gets no verdict any more.
        if args.until_verdict && (some || begun) && under_way.all(is_decided) {
            return Ok(());
        }
        begun |= some;
    }
    Ok(())
}

/// Whether it is known what to do with it. What has cleared and grown old since is not known.
fn is_decided(line: &CanaryLine) -> bool {
    match line.verdict {
        Some(Verdict::Fail | Verdict::Marginal) => true,
        Some(Verdict::Pass) => line.old.is_none() && line.percent.is_some(),
        Some(Verdict::NotEnoughData) | None => false,
    }
}

fn event(line: &CanaryLine, state: &State) -> CanaryEvent {
    CanaryEvent {
        format: EVENT_FORMAT,
        at: state.now,
        canary: line.canary.clone(),
        percent: line.percent,
        verdict: line.verdict,
        old: line.old.clone(),
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
            let old = event.old.as_ref().map(|old| format!("UNKNOWN: {old}; before that: "));
            let old = old.unwrap_or_default();
            writeln!(out, "{time} {}: {old}{lead}{}", event.canary, event.sentence)
        }
    }
}

/// The same, if there are any.
fn some(
    state: &State,
    service: Option<&str>,
    name: Option<&str>,
) -> Result<CanaryPicture, Failure> {
    let picture = picture(state, service, name)?;
    if picture.canaries.is_empty() {
        return Err(Failure::usage("no such canary is described there"));
    }
    Ok(picture)
}

/// The canaries of a service, or all of them, as they are known now.
fn picture(
    state: &State,
    service: Option<&str>,
    name: Option<&str>,
) -> Result<CanaryPicture, Failure> {
    let wanted = wanted(state, service, None)?.service;
    let services = state.setup.services.iter();
    let services = services.filter(|s| wanted.as_ref().is_none_or(|wanted| s.id == *wanted));
    Ok(CanaryPicture {
        format: PICTURE_FORMAT,
        at: state.now,
        rehearsal: state.setup.rehearsed(state.setup.sources.iter().map(|s| s.id.clone())),
        canaries: services
            .flat_map(|s| &s.canaries)
            .filter(|spec| name.is_none_or(|name| spec.name == *name))
            .map(|spec| line(state, spec))
            .collect(),
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
    let under_way = judged.is_some() || percent.is_some_and(is_some_of);
    CanaryLine {
        canary: spec.id.clone(),
        service: spec.service.clone(),
        purpose: match spec.purpose {
            Purpose::Canary => "canary",
            Purpose::Experiment => "experiment",
        },
        policy: spec.policy.words().into(),
        metrics: spec.metrics.iter().map(|metric| metric.name.clone()).collect(),
        steps: spec.steps.clone(),
        traffic: row.and_then(|row| row.traffic.clone()),
        percent,
        verdict: judged.as_ref().map(|judged| judged.verdict),
        judged,
        old: under_way.then(|| old(state, spec)).flatten().map(SafeText::from),
        oldest_seconds: ages.and_then(|ages| ages.into_iter().max()),
        unread,
    }
}

/// Why what is known of a canary is too old to go by.
fn old(state: &State, spec: &CanarySpec) -> Option<String> {
    let split = split_of(spec, &state.fleet).map(|(id, _)| ItemId::Traffic(id.clone()));
    let read = split.and_then(|item| of_item(state, &item));
    match read.map(|age| age.freshness) {
        Some(Freshness::Fresh) | None => figures::old(state, spec),
        Some(other) => Some(format!("its share is {}", other.word())),
    }
}

/// The worst of them decides. Only what is under way, fresh and cleared passes: a canary of which
/// nothing can be said is unknown, and one without traffic has no verdict.
fn exit(lines: &[CanaryLine]) -> Exit {
    let has = |verdict| lines.iter().any(|line| line.verdict == Some(verdict));
    if has(Verdict::Fail) {
        return Exit::of(Verdict::Fail);
    }
    if has(Verdict::Marginal) {
        return Exit::of(Verdict::Marginal);
    }
    if lines.iter().any(|line| line.percent.is_none() || line.old.is_some()) {
        return Exit::Unknown;
    }
    if !lines.is_empty() && lines.iter().all(|line| line.verdict == Some(Verdict::Pass)) {
        return Exit::of(Verdict::Pass);
    }
    Exit::of(Verdict::NotEnoughData)
}

fn is_under_way(line: &CanaryLine) -> bool {
    line.verdict.is_some() || line.percent.is_some_and(is_some_of)
}

/// Whether a share is neither nothing nor everything.
fn is_some_of(percent: f64) -> bool {
    percent > 0.0 && percent < 100.0
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
        let verdict = if line.old.is_some() {
            "unknown"
        } else {
            line.verdict.map_or("-", super::judge::word)
        };
        lines.push(vec![
            line.canary.to_string(),
            share(line),
            verdict.to_owned(),
            format!("{}{}", lead.unwrap_or_default(), says(line)),
        ]);
    }
    rows(&lines, out)?;
    for line in &picture.canaries {
        for note in line.judged.iter().flat_map(|judged| &judged.notes) {
            writeln!(out, "   {}: {note}", line.canary)?;
        }
        for fault in line.old.iter().chain(&line.unread) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(percent: Option<f64>, verdict: Option<Verdict>, old: Option<&str>) -> CanaryLine {
        CanaryLine {
            canary: CanaryId::new("shop/prod"),
            service: crate::domain::ids::ServiceId::new("shop"),
            purpose: "canary",
            policy: "the odds".into(),
            metrics: Vec::new(),
            steps: Vec::new(),
            traffic: None,
            percent,
            verdict,
            judged: None,
            oldest_seconds: None,
            old: old.map(SafeText::from),
            unread: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_under_way_and_fresh_and_cleared_passes() {
        let (pass, none) = (Some(Verdict::Pass), Some(Verdict::NotEnoughData));
        let (fail, marginal) = (Some(Verdict::Fail), Some(Verdict::Marginal));
        for (percent, verdict, old, code) in [
            (Some(5.0), pass, None, 0),
            (Some(5.0), pass, Some("the figures of errors are stale"), 12),
            (Some(5.0), none, Some("the figures of errors are lost"), 12),
            (None, pass, None, 12),
            (None, None, None, 12),
            (Some(5.0), none, None, 32),
            (Some(5.0), None, None, 32),
            // Taken back, never begun, or over.
            (Some(0.0), None, None, 32),
            (Some(100.0), None, None, 32),
            // Harm that was shown stays shown.
            (Some(5.0), fail, Some("the figures of errors are lost"), 30),
            (None, marginal, None, 31),
        ] {
            let found = exit(&[line(percent, verdict, old)]).code();
            assert_eq!(found, code, "{percent:?} {verdict:?} {old:?}");
        }
        let both = [line(Some(5.0), pass, None), line(Some(0.0), None, None)];
        assert_eq!(exit(&both).code(), 32, "one that was taken back has not passed");
        assert_eq!(exit(&[]).code(), 32);
    }

    #[test]
    fn a_pass_that_has_grown_old_decides_nothing() {
        let pass = Some(Verdict::Pass);
        assert!(is_decided(&line(Some(5.0), pass, None)));
        assert!(!is_decided(&line(Some(5.0), pass, Some("stale"))));
        assert!(is_decided(&line(Some(5.0), Some(Verdict::Fail), Some("stale"))));
        assert!(!is_decided(&line(Some(5.0), None, None)));
    }
}
