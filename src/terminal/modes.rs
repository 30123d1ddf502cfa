//! Terminal modes as a stack: entered in order, undone in reverse, whatever ends the program.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste,
    EnableFocusChange, EnableMouseCapture,
};
use crossterm::execute;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

use super::tty::Tty;
use super::writer::END;

/// One mode of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Keys arrive one by one, unechoed.
    Raw,
    /// The screen that leaves the scrollback alone.
    AlternateScreen,
    /// No cursor.
    HiddenCursor,
    /// Pastes arrive in brackets.
    BracketedPaste,
    /// Gaining and losing the focus is reported.
    FocusReporting,
    /// The mouse is reported.
    Mouse,
}

/// The modes of the control room, in the order in which they are entered.
pub const CONTROL_ROOM: [Mode; 5] = [
    Mode::Raw,
    Mode::AlternateScreen,
    Mode::HiddenCursor,
    Mode::BracketedPaste,
    Mode::FocusReporting,
];

impl Mode {
    fn enter(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Raw => enable_raw_mode(),
            Self::AlternateScreen => execute!(out, EnterAlternateScreen),
            Self::HiddenCursor => execute!(out, Hide),
            Self::BracketedPaste => execute!(out, EnableBracketedPaste),
            Self::FocusReporting => execute!(out, EnableFocusChange),
            Self::Mouse => execute!(out, EnableMouseCapture),
        }
    }

    fn leave(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Raw => disable_raw_mode(),
            Self::AlternateScreen => execute!(out, LeaveAlternateScreen),
            Self::HiddenCursor => execute!(out, Show),
            Self::BracketedPaste => execute!(out, DisableBracketedPaste),
            Self::FocusReporting => execute!(out, DisableFocusChange),
            Self::Mouse => execute!(out, DisableMouseCapture),
        }
    }
}

/// The modes that are on now. There is one terminal, so there is one stack.
static ON: Mutex<Vec<Mode>> = Mutex::new(Vec::new());
/// The panic hook is in place.
static HOOKED: AtomicBool = AtomicBool::new(false);

/// Leaves every mode in reverse. What cannot be undone, because the tty is gone or takes nothing, is
/// skipped.
pub fn restore() {
    let mut on = ON.lock().unwrap_or_else(PoisonError::into_inner);
    if on.is_empty() {
        return;
    }
    // A frame may have been cut off in the middle.
    let mut bytes = END.to_vec();
    let mut raw = false;
    while let Some(mode) = on.pop() {
        raw |= mode == Mode::Raw;
        if mode != Mode::Raw {
            let _ = mode.leave(&mut bytes);
        }
    }
    let _ = Tty::open().write_patiently(&bytes);
    if raw {
        let _ = disable_raw_mode();
    }
}

/// Holds the modes; dropping it restores the terminal.
#[derive(Debug)]
pub struct Modes {
    wanted: Vec<Mode>,
}

impl Modes {
    /// Enters `modes` in order. If one fails, the ones before it are undone.
    pub fn enter(modes: &[Mode]) -> io::Result<Self> {
        let held = Self { wanted: modes.to_vec() };
        hook_panics(thread::current().id());
        held.enter_all()?;
        Ok(held)
    }

    fn enter_all(&self) -> io::Result<()> {
        for mode in &self.wanted {
            Self::push(*mode)?;
        }
        Ok(())
    }

    fn push(mode: Mode) -> io::Result<()> {
        // Noted first: a mode that was entered halfway is undone too.
        ON.lock().unwrap_or_else(PoisonError::into_inner).push(mode);
        let mut bytes = Vec::new();
        mode.enter(&mut bytes)?;
        Tty::open().write_patiently(&bytes)
    }

    /// Switches mouse reporting; returns what is to be sent to the terminal.
    pub fn mouse(&mut self, on: bool) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut modes = ON.lock().unwrap_or_else(PoisonError::into_inner);
        let was_on = modes.contains(&Mode::Mouse);
        self.wanted.retain(|mode| *mode != Mode::Mouse);
        modes.retain(|mode| *mode != Mode::Mouse);
        if on {
            self.wanted.push(Mode::Mouse);
            modes.push(Mode::Mouse);
            Mode::Mouse.enter(&mut bytes)?;
        } else if was_on {
            Mode::Mouse.leave(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Enters every mode once more: another program may have left the terminal otherwise. Returns what
    /// is to be sent to the terminal.
    pub fn again(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for mode in &self.wanted {
            if *mode == Mode::Raw {
                // Leaving and entering would lose what is typed in between.
                if is_raw() {
                    continue;
                }
                // The library believes that it still is.
                Mode::Raw.leave(&mut bytes)?;
            }
            mode.enter(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// Leaves every mode, stops this process group as the shell expects of Ctrl-Z, and enters the
    /// modes again when it is continued. Where no shell could continue it, nothing is stopped.
    pub fn suspend(&self) -> io::Result<()> {
        if !has_shell() {
            return Ok(());
        }
        restore();
        // SIGSTOP cannot be caught, so the process stops here and nowhere else.
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        self.enter_all()
    }
}

/// Whether the terminal, asked itself, hands keys over one by one and unechoed.
fn is_raw() -> bool {
    use rustix::termios::{LocalModes, tcgetattr};
    let cooked = LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
    tcgetattr(io::stdin()).is_ok_and(|now| !now.local_modes.intersects(cooked))
}

/// Whether the parent is of this session: only then can it continue this process group. A session or
/// group from outside a container has the number 0, which is an answer like any other.
fn has_shell() -> bool {
    use nix::unistd::{getpgid, getpgrp, getppid, getsid};
    let parent = getppid();
    // The parent is outside the container.
    if parent.as_raw() == 0 {
        return false;
    }
    let same_session = getsid(Some(parent)).is_ok_and(|theirs| getsid(None) == Ok(theirs));
    same_session && getpgid(Some(parent)).is_ok_and(|theirs| theirs != getpgrp())
}

impl Drop for Modes {
    fn drop(&mut self) {
        restore();
    }
}

/// A panic on the thread that draws restores the terminal before its message is printed; one on
/// any other thread is reported by who supervises it, and the screen stays as it is.
fn hook_panics(drawing: ThreadId) {
    if HOOKED.swap(true, Ordering::SeqCst) {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == drawing {
            restore();
            before(panic);
        } else if ON.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            before(panic);
        }
    }));
}
