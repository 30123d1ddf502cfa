//! What the terminal and the system tell us: keys, pastes, resizes and signals, as one stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use crossterm::event::{
    Event as Raw, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton,
    MouseEventKind,
};
use futures::StreamExt;
use rustix::process::Signal;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::burst::{self, BurstDetector, Verdict};

/// A process that does not leave by itself within this time after a hang-up is ended.
const WATCHDOG: Duration = Duration::from_secs(1);
/// What restoring the terminal may take at that end.
const RESTORE: Duration = Duration::from_millis(100);

/// Something that the terminal or the system tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A key, and the time since the start.
    Key(KeyEvent, Duration),
    /// Text that was pasted, with or without brackets.
    Paste(String),
    /// The mouse: what, column, row.
    Mouse(Pointer, u16, u16),
    /// Columns and rows.
    Resize(u16, u16),
    /// The window gained or lost the focus.
    Focus(bool),
    /// Another process asks this one to stop, as Ctrl-Z would.
    Stop,
    /// The process was stopped and goes on.
    Continued,
    /// The tty is gone, or a signal asks to leave.
    Leave,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    /// The first button went down.
    Click,
    /// The wheel went up.
    Up,
    /// The wheel went down.
    Down,
}

/// What the terminal told, and when, since the start; or that it tells nothing any more.
type Read = std::io::Result<(Raw, Duration)>;

/// Reads the terminal in a task of its own. A reader that meets a tty at the moment when it goes may spin
/// within one read for ever: that must hold up neither the signal that says so nor the way out. And when
/// a key came does not depend on when there was time for it.
fn reader(mut raw: EventStream, start: Instant) -> mpsc::Receiver<Read> {
    let (out, events) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Some(event) = raw.next().await {
            // A tty that is gone must not be read again.
            let gone = event.is_err();
            if out.send(event.map(|event| (event, start.elapsed()))).await.is_err() || gone {
                break;
            }
        }
    });
    events
}

/// Reads the terminal and the signals.
pub struct Events {
    /// From now on it knows of every new size.
    tty: Option<EventStream>,
    /// Read from the first event on that is asked for, when the modes are set.
    raw: Option<mpsc::Receiver<Read>>,
    start: Instant,
    burst: BurstDetector,
    hang_up: Listener,
    terminate: Listener,
    interrupt: Listener,
    stop: Listener,
    proceed: Listener,
    /// Printable keys that may turn out to be the first of a paste.
    held: Vec<(KeyEvent, Duration)>,
    /// What is told next, in order.
    next: VecDeque<Event>,
    over: bool,
    signal: Arc<AtomicI32>,
}

impl Events {
    /// Begins to listen.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            tty: Some(EventStream::new()),
            raw: None,
            start: Instant::now(),
            burst: BurstDetector::default(),
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            proceed: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
            stop: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            held: Vec::new(),
            next: VecDeque::new(),
            over: false,
            signal: Arc::default(),
        })
    }

    /// The number of the signal that said to leave; zero as long as none did.
    pub fn signal(&self) -> Arc<AtomicI32> {
        Arc::clone(&self.signal)
    }

    /// The next event; `None` after the one that said to leave.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if self.over {
                return None;
            }
            if let Some(event) = self.next.pop_front() {
                return Some(event);
            }
            let held = self.held.last().map(|(_, at)| self.start + *at + burst::GAP);
            if let Some(tty) = self.tty.take() {
                self.raw = Some(reader(tty, self.start));
            }
            let raw = async {
                match &mut self.raw {
                    Some(raw) => raw.recv().await,
                    None => None,
                }
            };
            let event = tokio::select! {
                biased;
                _ = self.hang_up.recv() => self.leave(Signal::HUP),
                _ = self.terminate.recv() => self.leave(Signal::TERM),
                _ = self.interrupt.recv() => self.leave(Signal::INT),
                _ = self.stop.recv() => Event::Stop,
                _ = self.proceed.recv() => Event::Continued,
                raw = raw => match raw {
                    Some(Ok((raw, at))) => match self.read(raw, at) {
                        Some(event) => event,
                        None => continue,
                    },
                    Some(Err(_)) | None => self.leave(Signal::HUP),
                },
                () = tokio::time::sleep_until(held.unwrap_or(self.start)), if held.is_some() => {
                    self.release();
                    continue;
                },
            };
            return Some(event);
        }
    }

    /// The tty or a signal says to leave: that must work even if the rest of the program hangs.
    fn leave(&mut self, signal: Signal) -> Event {
        self.over = true;
        let signal = signal.as_raw();
        self.signal.store(signal, Ordering::Relaxed);
        std::thread::spawn(move || {
            std::thread::sleep(WATCHDOG);
            // On a stalled tty restoring may block for ever; leaving must not wait for it.
            std::thread::spawn(super::modes::restore);
            std::thread::sleep(RESTORE);
            std::process::exit(128 + signal);
        });
        Event::Leave
    }

    fn read(&mut self, raw: Raw, at: Duration) -> Option<Event> {
        match raw {
            Raw::Key(key) if key.kind == KeyEventKind::Release => None,
            Raw::Key(key) => self.key(key, at),
            Raw::Paste(text) => Some(self.after_held(Event::Paste(text))),
            Raw::Resize(width, height) => Some(self.after_held(Event::Resize(width, height))),
            Raw::FocusGained => Some(self.after_held(Event::Focus(true))),
            Raw::FocusLost => Some(self.after_held(Event::Focus(false))),
            Raw::Mouse(mouse) => {
                let pointer = match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => Pointer::Click,
                    MouseEventKind::ScrollUp => Pointer::Up,
                    MouseEventKind::ScrollDown => Pointer::Down,
                    _ => return None,
                };
                Some(self.after_held(Event::Mouse(pointer, mouse.column, mouse.row)))
            }
        }
    }

    /// `event`, but never before keys that were pressed earlier.
    fn after_held(&mut self, event: Event) -> Event {
        self.release();
        match self.next.pop_front() {
            Some(first) => {
                self.next.push_back(event);
                first
            }
            None => event,
        }
    }

    /// The keys that were held back are keys.
    fn release(&mut self) {
        self.next.extend(self.held.drain(..).map(|(key, at)| Event::Key(key, at)));
    }

    /// A printable key is held back for a moment: if another follows at once, both are a paste.
    fn key(&mut self, key: KeyEvent, at: Duration) -> Option<Event> {
        let Some(c) = printable(&key) else {
            return Some(self.after_held(Event::Key(key, at)));
        };
        match self.burst.key(c, at) {
            Verdict::Pasted => {
                let before = self.held.drain(..).filter_map(|(held, _)| printable(&held));
                let text: String = before.chain([c]).collect();
                Some(self.after_held(Event::Paste(text)))
            }
            Verdict::Repeated => {
                self.held.push((key, at));
                None
            }
            Verdict::Typed => {
                self.release();
                self.held.push((key, at));
                self.next.pop_front()
            }
        }
    }
}

/// The character that a key types, if it types one.
fn printable(key: &KeyEvent) -> Option<char> {
    if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    match key.code {
        KeyCode::Char(c) => Some(c),
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        _ => None,
    }
}
