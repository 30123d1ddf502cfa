//! Sessions: scripted keys and sources, a screen that only notes; recorded, and replayed to the same state.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flightdeck::app::key::Key;
use flightdeck::app::msg::{Mouse, MouseKind, Notice};
use flightdeck::app::pane::Pane;
use flightdeck::app::setup::Rehearsal;
use flightdeck::app::{Msg, Setup, State};
use flightdeck::backend::Cadence;
use flightdeck::backend::clock::WallClock;
use flightdeck::domain::Timestamp;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::observation::Topic;
use flightdeck::domain::source::SourceHealth;
use flightdeck::runtime::record::{Recorder, ReplayError, replay};
use flightdeck::runtime::run::{Screen, Session, Speed, run};
use flightdeck::runtime::writer::Desk;
use futures::Stream;
use tokio::sync::watch;

use crate::scripted::{self, Scripted, answer, configured, each, item, listing, pipeline, setup};
use crate::support::seconds;

/// A screen that notes what it was asked to do and shows the state to the script.
struct Notes {
    log: Arc<Mutex<Vec<String>>>,
    shown: watch::Sender<Option<State>>,
}

impl Notes {
    fn add(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
    }
}

impl Screen for Notes {
    fn draw(&mut self, state: &State) -> io::Result<bool> {
        self.add("draw");
        self.shown.send_replace(Some(state.clone()));
        Ok(true)
    }
    fn forget(&mut self) -> io::Result<()> {
        self.add("forget");
        Ok(())
    }
    fn load_theme(&mut self, name: &str) -> Result<(), String> {
        self.add(format!("theme {name}"));
        if name == "broken" { Err("no such colour".to_owned()) } else { Ok(()) }
    }
    fn copy(&mut self, text: &str) -> Result<(), String> {
        self.add(format!("copy {text}"));
        Err("no clipboard here".to_owned())
    }
    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.add(format!("mouse {on}"));
        Ok(())
    }
    fn suspend(&mut self) -> io::Result<()> {
        self.add("suspend");
        Ok(())
    }
}

enum Step {
    /// Goes on when a frame shows this.
    Until(&'static str, fn(&State) -> bool),
    Send(Msg),
}

fn key(text: &str) -> Step {
    Step::Send(Msg::Key { key: Key::parse(text).unwrap(), ms: 0 })
}

fn typed(text: &str) -> impl Iterator<Item = Step> + '_ {
    text.chars().map(|c| Step::Send(Msg::Key { key: Key::char(c), ms: 0 }))
}

fn input(steps: Vec<Step>, shown: watch::Receiver<Option<State>>) -> impl Stream<Item = Msg> {
    futures::stream::unfold((VecDeque::from(steps), shown), |(mut steps, mut shown)| async move {
        loop {
            match steps.pop_front()? {
                Step::Send(msg) => return Some((msg, (steps, shown))),
                Step::Until(what, reached) => {
                    let seen = shown.wait_for(|state| state.as_ref().is_some_and(reached));
                    let seen = tokio::time::timeout(seconds(30), seen).await;
                    seen.expect(what).expect("the screen is there");
                }
            }
        }
    })
}

/// A desk of its own, as long as its folder is kept.
fn desk() -> (Desk, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (
        Desk {
            folder: folder.path().to_owned(),
            who: "test".into(),
            origin: None,
            lasting: true,
            patience: Duration::from_mins(1),
        },
        folder,
    )
}

/// Runs a session to its end: the last state, and what the screen was asked to do.
async fn play<W: Write>(
    setup: Setup,
    sources: &[Arc<Scripted>],
    steps: Vec<Step>,
    record: Option<Recorder<W>>,
) -> (State, Vec<String>) {
    let (send, receive) = watch::channel(None);
    let log = Arc::default();
    let screen = Notes { log: Arc::clone(&log), shown: send };
    let (desk, _folder) = desk();
    let session = Session {
        desk,
        setup,
        sources: configured(sources, &[]),
        clock: Arc::new(WallClock),
        speed: Some(Arc::new(Throttle(Arc::clone(&log)))),
        record,
    };
    let state = run(session, screen, input(steps, receive)).await.unwrap();
    let log = log.lock().unwrap().clone();
    (state, log)
}

struct Throttle(Arc<Mutex<Vec<String>>>);

impl Speed for Throttle {
    fn set_speed(&self, speed: f64) {
        self.0.lock().unwrap().push(format!("speed {speed}"));
    }
}

fn soon() -> Cadence {
    let longest_pause = Duration::from_millis(30);
    Cadence { longest_pause, budget_per_minute: 60_000, ..crate::support::cadence() }
}

fn sources() -> Vec<Arc<Scripted>> {
    let good = Scripted::new("good", soon(), |scope, _| match scope.topic {
        Topic::Overview => listing((0..40).map(|n| item("good", &format!("p{n}"))).collect()),
        _ => each(scope),
    });
    let bad = Scripted::new("bad", soon(), |_, before| match before % 2 {
        0 => scripted::Step::Fail(FaultKind::Unreachable),
        _ => scripted::Step::Panic,
    });
    vec![good, bad]
}

fn rehearsing(sources: &[Arc<Scripted>]) -> Setup {
    Setup {
        rehearsal: Some(Rehearsal {
            scenario: "calm".into(),
            story: "Nothing happens.".into(),
            speed: 1.0,
            seed: 7,
            partly: false,
        }),
        themes: vec!["default".to_owned(), "broken".to_owned(), "light".to_owned()],
        ..setup(sources)
    }
}

fn a_day() -> Vec<Step> {
    let all_read = |state: &State| state.rows.pipelines.len() == 40;
    let mut steps = vec![
        key("3"),
        Step::Until("all pipelines are read", all_read),
        key("j"),
        key("pagedown"),
        Step::Send(Msg::Resize { width: 200, height: 50 }),
        key("y"),
        key("T"),
        key("M"),
        Step::Send(Msg::Mouse(Mouse { kind: MouseKind::Click, x: 3, y: 9 })),
        key("+"),
        key("ctrl-z"),
        key("/"),
    ];
    steps.extend(typed("p1"));
    steps.extend([key("enter"), key("enter"), key("esc"), key(":"), key("x"), key("esc")]);
    steps.push(Step::Until("a source fails", |state| {
        state.fleet.sources[&SourceId::new("bad")].health() == SourceHealth::Failing
    }));
    steps.extend([key("0"), Step::Send(Msg::Paste("grün\u{1b}[2J".to_owned())), key("q")]);
    steps
}

#[tokio::test]
async fn a_recording_replays_to_the_same_state() {
    let mut bytes = Vec::new();
    let sources = sources();
    let setup = rehearsing(&sources);
    let recorder = Recorder::new(&mut bytes, &setup).unwrap();
    let (state, log) = play(setup, &sources, a_day(), Some(recorder)).await;
    assert_eq!(state.view.pane, Pane::Sources);
    assert_eq!(state.fleet.pipelines.len(), 40);
    assert!(state.view.mouse && state.view.lists[&Pane::Pipelines].filter == "p1");
    let asked: Vec<&str> = log.iter().map(String::as_str).filter(|what| *what != "draw").collect();
    assert_eq!(
        asked,
        ["copy p23", "theme broken", "mouse true", "speed 5", "suspend", "forget"],
        "each effect was carried out"
    );
    assert_eq!(replay(bytes.as_slice()).unwrap(), state);
}

#[tokio::test]
async fn a_recording_cut_anywhere_in_its_last_line_replays_without_it() {
    let mut bytes = Vec::new();
    let setup = setup(&[]);
    let recorder = Recorder::new(&mut bytes, &setup).unwrap();
    let steps = vec![
        Step::Send(Msg::Resize { width: 99, height: 30 }),
        Step::Send(Msg::Notice(Notice::info("später: 部署"))),
    ];
    let (state, _) = play(setup, &[], steps, Some(recorder)).await;
    let whole = replay(bytes.as_slice()).unwrap();
    assert_eq!(whole, state);
    // Up to the notice: a tick of the clock may have come after it, or what changes nothing.
    let text = String::from_utf8(bytes).unwrap();
    let notice = text.find("später").unwrap();
    let start = text[..notice].rfind('\n').unwrap() + 1;
    let end = notice + text[notice..].find('\n').unwrap() + 1;
    let bytes = &text.as_bytes()[..end];
    let whole = replay(bytes).unwrap();
    let without = replay(&bytes[..start]).unwrap();
    assert_ne!(without, whole);
    for cut in start..bytes.len() - 1 {
        assert_eq!(replay(&bytes[..cut]).unwrap(), without, "cut at {cut}");
    }
    assert_eq!(replay(&bytes[..bytes.len() - 1]).unwrap(), whole, "only the line's end is cut");
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    let mut bytes = Vec::new();
    let setup = Setup::empty(Timestamp::UNIX_EPOCH);
    let mut recorder = Recorder::new(&mut bytes, &setup).unwrap();
    recorder.add(&Msg::Focus(true)).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    let refused = |text: String| match replay(text.as_bytes()) {
        Err(ReplayError::Line { line, .. }) => line,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(refused(format!("{first}\n{{\"msg\":\n{second}")), 2);
    assert_eq!(refused(format!("{first}\n{first}\n{second}")), 2);
    assert_eq!(refused(format!("{second}{first}\n")), 1);
    assert_eq!(refused("GIF89a".to_owned()), 1);
    assert!(matches!(replay(&b""[..]), Err(ReplayError::Empty)));
}

/// A disk that is full after so many bytes.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_ends_the_recording_and_not_the_session() {
    let setup = setup(&[]);
    let recorder = Recorder::new(Full(2_000), &setup).unwrap();
    let mut steps: Vec<Step> =
        (0..100).map(|n| Step::Send(Msg::Resize { width: 50 + n, height: 30 })).collect();
    steps.push(Step::Until("the operator is told", |state| state.view.notice.is_some()));
    let (state, _) = play(setup, &[], steps, Some(recorder)).await;
    assert_eq!(state.view.size, (149, 30));
    let notice = state.view.notice.unwrap();
    assert!(notice.text.as_str().starts_with("the recording has ended"), "{}", notice.text);
}

#[tokio::test]
async fn the_first_frame_comes_before_any_read() {
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&log);
    let source = Scripted::new("a", soon(), move |_, _| {
        noted.lock().unwrap().push("read".to_owned());
        answer(vec![pipeline("a", "p")])
    });
    let sources = [source];
    let (send, receive) = watch::channel(None);
    let screen = Notes { log: Arc::clone(&log), shown: send };
    let steps = vec![Step::Until("it is read", |state| !state.fleet.pipelines.is_empty())];
    let (desk, _folder) = desk();
    let session = Session::<Vec<u8>> {
        desk,
        setup: setup(&sources),
        sources: configured(&sources, &[]),
        clock: Arc::new(WallClock),
        speed: None,
        record: None,
    };
    run(session, screen, input(steps, receive)).await.unwrap();
    assert_eq!(log.lock().unwrap()[..2], ["draw", "read"]);
}

#[tokio::test]
async fn a_burst_of_messages_is_drawn_at_most_thirty_times_a_second() {
    let start = Instant::now();
    let mut steps: Vec<Step> =
        (0..3_000).map(|n| Step::Send(Msg::Resize { width: 50 + n % 9, height: 30 })).collect();
    steps.push(Step::Send(Msg::Resize { width: 77, height: 30 }));
    steps.push(Step::Until("the last is drawn", |state| state.view.size.0 == 77));
    let (_, log) = play::<Vec<u8>>(setup(&[]), &[], steps, None).await;
    let most = start.elapsed().as_millis() / 33 + 2;
    assert!((log.len() as u128) <= most, "{} frames, at most {most}", log.len());
}

#[tokio::test]
async fn a_key_is_not_held_up_by_a_flood() {
    let all = 20_000;
    let flood = Scripted::new("flood", soon(), move |_, _| {
        answer((0..all).map(|n| pipeline("flood", &format!("p{n:05}"))).collect())
    });
    let sources = [flood];
    let some = |state: &State| !state.fleet.pipelines.is_empty();
    let steps = vec![
        Step::Until("the flood begins", some),
        key("3"),
        Step::Until("the key is seen", |state| state.view.pane == Pane::Pipelines),
        key("q"),
    ];
    let (state, _) = play::<Vec<u8>>(setup(&sources), &sources, steps, None).await;
    assert_eq!(state.view.pane, Pane::Pipelines);
    let known = state.fleet.pipelines.len();
    assert!(known < all / 2, "both keys came after {known} of {all} pipelines");
}
