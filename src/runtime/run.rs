//! The one `select!`: messages in, effects out, a frame when something changed.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::gateway::Gateway;
use super::manner::Manner;
use super::pool::{Configured, Pool};
use super::record::Recorder;
use super::writer::{Desk, Writer};
use crate::app::effect::Effect;
use crate::app::msg::Notice;
use crate::app::update::takes_text;
use crate::app::{Msg, Setup, State, update};
use crate::backend::clock::SharedClock;

/// Messages that wait to be handled; a source that floods waits here, not in memory.
const QUEUE: usize = 256;
/// At most 30 frames a second.
const FRAME: Duration = Duration::from_millis(33);
/// Weight of the messages handled before a key is looked at again and a frame may be drawn.
const BURST: usize = 64;
/// Facts that weigh as much as a message.
const FACTS: usize = 16;

/// The screen, as the runtime sees it.
pub trait Screen {
    /// Draws the state; writes nothing if nothing visible changed. False if the terminal is too slow to
    /// take it now: then it is to be drawn again.
    fn draw(&mut self, state: &State) -> io::Result<bool>;
    /// Forgets what is on the screen, so that the next frame writes every cell.
    fn forget(&mut self) -> io::Result<()>;
    /// Switches the theme; says what is wrong with it otherwise.
    fn load_theme(&mut self, name: &str) -> Result<(), String>;
    /// Puts text on the operator's clipboard.
    fn copy(&mut self, text: &str) -> Result<(), String>;
    /// Switches mouse reporting.
    fn mouse(&mut self, on: bool) -> io::Result<()>;
    /// Leaves the screen, stops the process, and comes back when it is continued.
    fn suspend(&mut self) -> io::Result<()>;
}

/// A clock whose speed can be changed: the rehearsal's.
pub trait Speed {
    /// Runs the clock at this speed; zero is a pause.
    fn set_speed(&self, speed: f64);
}

impl Speed for crate::backend::rehearsal::SimulatedClock {
    fn set_speed(&self, speed: f64) {
        Self::set_speed(self, speed);
    }
}

/// What a session is made of.
pub struct Session<W> {
    /// What is fixed before the first message.
    pub setup: Setup,
    /// The sources.
    pub sources: Vec<Configured>,
    /// The time.
    pub clock: SharedClock,
    /// The rehearsal's clock, if it is one.
    pub speed: Option<Arc<dyn Speed + Send + Sync>>,
    /// Where every message is recorded.
    pub record: Option<Recorder<W>>,
    /// Where writes are recorded, and as whose.
    pub desk: Desk,
}

/// Runs until the operator leaves or the input ends; returns the last state.
pub async fn run<W: io::Write>(
    session: Session<W>,
    mut screen: impl Screen,
    input: impl Stream<Item = Msg>,
) -> io::Result<State> {
    let Session { setup, sources, clock, speed, mut record, desk } = session;
    let mut input = std::pin::pin!(input);
    let mut state = State::new(setup);
    // The first frame comes before any network.
    let mut dirty = !screen.draw(&state)?;
    let (out, mut inbox) = mpsc::channel(QUEUE);
    let known = sources.iter().map(|s| Arc::clone(&s.source));
    let gateway = Gateway::new(known, Arc::clone(&clock), desk.folder, desk.who);
    let pool = Pool::start(sources, &clock, &out, Manner::default());
    let gateway = gateway.origin(desk.origin).patience(desk.patience).meters(pool.meters());
    let mut writer = Writer::start(gateway, &out, desk.lasting);
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut drawn = Instant::now();
    loop {
        let mut msgs = tokio::select! {
            biased;
            msg = input.next() => match msg {
                Some(msg) => vec![msg],
                None => break,
            },
            () = tokio::time::sleep_until(drawn + FRAME), if dirty => {
                dirty = !screen.draw(&state)?;
                drawn = Instant::now();
                continue;
            },
            // Before the inbox: a source that floods must not stop the clock.
            _ = ticks.tick() => vec![Msg::Tick(clock.now())],
            msg = inbox.recv() => msg.into_iter().collect(),
        };
        let mut load: usize = msgs.iter().map(weight).sum();
        while load < BURST
            && let Ok(msg) = inbox.try_recv()
        {
            load += weight(&msg);
            msgs.push(msg);
        }
        let mut msgs = VecDeque::from(msgs);
        while let Some(msg) = msgs.pop_front() {
            // A full disk ends the recording, not the session.
            if let Some(recorder) = &mut record
                && let Err(error) = keep(recorder, &state, &msg)
            {
                record = None;
                let text = format!("the recording has ended: {error}");
                msgs.push_back(Msg::Notice(Notice::warning(text)));
            }
            for effect in update(&mut state, msg) {
                if effect == Effect::Quit {
                    writer.finish().await;
                    return finish(record, state);
                }
                msgs.extend(perform(effect, &pool, &mut writer, &mut screen, speed.as_deref())?);
            }
        }
        dirty = true;
        // Nobody else may have had a turn meanwhile, not even the timer of the frame.
        if drawn.elapsed() >= FRAME {
            dirty = !screen.draw(&state)?;
            drawn = Instant::now();
            tokio::task::yield_now().await;
        }
    }
    finish(record, state)
}

/// How much work a message is.
fn weight(msg: &Msg) -> usize {
    match msg {
        Msg::Observed(observation) => 1 + observation.facts.len() / FACTS,
        _ => 1,
    }
}

/// Records `msg`; once a second it is handed on to the disk. What was pasted where no field takes it may
/// be anything, a password too: only that something was pasted is kept.
fn keep<W: io::Write>(recorder: &mut Recorder<W>, state: &State, msg: &Msg) -> io::Result<()> {
    match msg {
        Msg::Paste(_) if !takes_text(state) => recorder.add(&Msg::Paste(String::new()))?,
        msg => recorder.add(msg)?,
    }
    if matches!(msg, Msg::Tick(_)) { recorder.flush() } else { Ok(()) }
}

fn finish<W: io::Write>(record: Option<Recorder<W>>, state: State) -> io::Result<State> {
    if let Some(mut recorder) = record {
        recorder.flush()?;
    }
    Ok(state)
}

/// Carries out an effect; what it brings about comes back as a message.
fn perform(
    effect: Effect,
    pool: &Pool,
    writer: &mut Writer,
    screen: &mut impl Screen,
    speed: Option<&(dyn Speed + Send + Sync)>,
) -> io::Result<Option<Msg>> {
    Ok(match effect {
        Effect::Watch(interest) => {
            pool.watch(&interest);
            None
        }
        Effect::Refresh(what) => {
            pool.refresh(&what);
            None
        }
        Effect::Submit(confirmed) => {
            writer.carry_out(*confirmed);
            None
        }
        Effect::Lease { canary, split, flight, take } => {
            if take {
                Some(writer.lease(&canary, &split, &flight))
            } else {
                writer.give_back(&canary);
                None
            }
        }
        Effect::Tell { flight, at, event } => {
            writer.tell(&flight, at, event);
            None
        }
        Effect::Copy(text) => screen.copy(&text).err().map(|why| Msg::Notice(Notice::warning(why))),
        Effect::LoadTheme(name) => Some(match screen.load_theme(&name) {
            Ok(()) => {
                screen.forget()?;
                Msg::Theme(name)
            }
            Err(why) => Msg::Notice(Notice::warning(why)),
        }),
        Effect::Mouse(on) => {
            screen.mouse(on)?;
            None
        }
        Effect::Speed(factor) => speed.map(|clock| {
            clock.set_speed(factor);
            Msg::Speed(factor)
        }),
        Effect::Redraw => {
            screen.forget()?;
            None
        }
        Effect::Suspend => {
            screen.suspend()?;
            Some(Msg::Resumed)
        }
        Effect::Quit => None,
    })
}
