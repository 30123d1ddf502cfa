//! What the terminal and the system tell us: keys, pastes, resizes and signals, as one stream.

use std::time::Duration;

use crossterm::event::{
    Event as Raw, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton,
    MouseEventKind,
};
use futures::StreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
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

/// Reads the terminal and the signals.
pub struct Events {
    raw: EventStream,
    start: Instant,
    burst: BurstDetector,
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
    stop: Signal,
    proceed: Signal,
    /// A printable key that may turn out to be the first of a paste.
    held: Option<(KeyEvent, Duration)>,
    over: bool,
}

impl Events {
    /// Begins to listen.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self {
            raw: EventStream::new(),
            start: Instant::now(),
            burst: BurstDetector::default(),
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            proceed: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
            stop: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            held: None,
            over: false,
        })
    }

    /// The next event; `None` after the one that said to leave.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if self.over {
                return None;
            }
            let held = self.held.map(|(_, at)| self.start + at + burst::GAP);
            let event = tokio::select! {
                biased;
                _ = self.hang_up.recv() => self.leave(),
                _ = self.terminate.recv() => self.leave(),
                _ = self.interrupt.recv() => self.leave(),
                _ = self.stop.recv() => Event::Stop,
                _ = self.proceed.recv() => Event::Continued,
                raw = self.raw.next() => match raw {
                    Some(Ok(raw)) => match self.read(raw) {
                        Some(event) => event,
                        None => continue,
                    },
                    // A tty that is gone must not be read again: the reader would spin.
                    Some(Err(_)) | None => self.leave(),
                },
                () = tokio::time::sleep_until(held.unwrap_or(self.start)), if held.is_some() => {
                    match self.held.take() {
                        Some((key, at)) => Event::Key(key, at),
                        None => continue,
                    }
                },
            };
            return Some(event);
        }
    }

    /// The tty or a signal says to leave: that must work even if the rest of the program hangs.
    fn leave(&mut self) -> Event {
        self.over = true;
        std::thread::spawn(|| {
            std::thread::sleep(WATCHDOG);
            // On a stalled tty restoring may block for ever; leaving must not wait for it.
            std::thread::spawn(super::modes::restore);
            std::thread::sleep(RESTORE);
            std::process::exit(129);
        });
        Event::Leave
    }

    fn read(&mut self, raw: Raw) -> Option<Event> {
        match raw {
            Raw::Key(key) if key.kind == KeyEventKind::Release => None,
            Raw::Key(key) => self.key(key),
            Raw::Paste(text) => Some(Event::Paste(text)),
            Raw::Resize(width, height) => Some(Event::Resize(width, height)),
            Raw::FocusGained => Some(Event::Focus(true)),
            Raw::FocusLost => Some(Event::Focus(false)),
            Raw::Mouse(mouse) => {
                let pointer = match mouse.kind {
                    MouseEventKind::Down(MouseButton::Left) => Pointer::Click,
                    MouseEventKind::ScrollUp => Pointer::Up,
                    MouseEventKind::ScrollDown => Pointer::Down,
                    _ => return None,
                };
                Some(Event::Mouse(pointer, mouse.column, mouse.row))
            }
        }
    }

    /// A printable key is held back for a moment: if another follows at once, both are a paste.
    fn key(&mut self, key: KeyEvent) -> Option<Event> {
        let at = self.start.elapsed();
        let Some(c) = printable(&key) else {
            return Some(Event::Key(key, at));
        };
        match self.burst.key(at) {
            Verdict::Pasted => {
                let first = self.held.take().and_then(|(held, _)| printable(&held));
                Some(Event::Paste(first.into_iter().chain([c]).collect()))
            }
            Verdict::Typed => {
                let before = self.held.replace((key, at));
                before.map(|(key, at)| Event::Key(key, at))
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
