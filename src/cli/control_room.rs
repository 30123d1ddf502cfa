//! The control room: the screen, its input, and the session between them.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::sync::atomic::Ordering;

use crossterm::event::{KeyCode as RawCode, KeyEvent, KeyModifiers};
use futures::stream::{self, Stream};
use rustix::io::Errno;
use rustix::process::Signal;

use super::desk::desk;
use super::exit::{Exit, Failure};
use super::global::{Global, Room};
use super::progress::say;
use super::start::{Started, start};
use super::themes;
use super::threads::runtime;
use crate::app::key::{Key, KeyCode};
use crate::app::msg::{Mouse, MouseKind};
use crate::app::pane::Pane;
use crate::app::{Msg, State};
use crate::config::model::Color;
use crate::runtime::record::Recorder;
use crate::runtime::run::{Screen, Session, run as run_session};
use crate::terminal::caps::{Depth, Environment, Wish};
use crate::terminal::clipboard;
use crate::terminal::events::{Event, Events, Pointer};
use crate::terminal::modes::{CONTROL_ROOM, Modes};
use crate::terminal::painter::Painter;
use crate::terminal::palette;
use crate::terminal::tty::Tty;
use crate::ui::theme::Theme;
use crate::ui::{Look, draw};

/// Opens the control room and stays until the operator leaves.
///
/// Returns the exit code: that of the signal that ended it, as shells count, or zero.
pub fn run(global: &Global, room: &Room) -> Result<u8, Failure> {
    let environment = Environment::of_process();
    if !environment.is_tty {
        return Err(Failure::usage(
            "the control room needs a terminal; `flightdeck status` prints one picture, \
             --plain one line per change",
        ));
    }
    if environment.term == "dumb" {
        return Err(Failure::usage(
            "this terminal cannot move its cursor (TERM is dumb); `flightdeck status` prints one \
             picture, --plain one line per change",
        ));
    }
    let mut started = start(global, room.settings(), environment.wants_ascii())?;
    let options = &mut started.setup.options;
    if let Some(pane) = room.pane.as_deref().and_then(Pane::named) {
        options.pane = pane;
    }
    options.size = crossterm::terminal::size().map_err(|e| terminal(&e))?;
    let depth = environment.depth(wish(started.config.view.color));
    let theme = themes::load(&options.theme).map_err(|e| Failure::usage(e.to_string()))?;
    let look = Look::new(at_depth(theme, depth), options.ascii);
    let record = match &room.record {
        Some(path) => {
            // It holds what was typed and what every source told: nobody else is to read it.
            let mut options = File::options();
            options.write(true).create(true).truncate(true).mode(0o600);
            let file = options
                .open(path)
                .and_then(|file| {
                    file.set_permissions(Permissions::from_mode(0o600))?;
                    Ok(file)
                })
                .map_err(|e| Failure::usage(format!("--record {}: {e}", path.display())))?;
            let recorder = Recorder::new(BufWriter::new(file), &started.setup);
            Some(recorder.map_err(|e| Failure::new(format!("cannot record: {e}")))?)
        }
        None => None,
    };
    for warning in &started.warnings {
        say(warning);
    }
    let tokio = runtime(started.sources.len())?;
    let Started { setup, sources, clock, speed, config, .. } = started;
    let desk = desk(setup.is_rehearsal(), &config.safety)?;
    let mouse = setup.options.mouse;
    let result: io::Result<i32> = tokio.block_on(async move {
        let events = Events::new()?;
        let signal = events.signal();
        let mut modes = Modes::enter(&CONTROL_ROOM)?;
        let mut painter = Painter::new(Tty::open());
        if mouse {
            painter.send(&modes.mouse(true)?)?;
        }
        let screen = ControlRoom { painter, look, depth, modes, tmux: environment.tmux };
        let session = Session { setup, sources, clock, speed, record, desk };
        run_session(session, screen, input(events)).await?;
        Ok::<_, io::Error>(signal.load(Ordering::Relaxed))
    });
    // A source that hangs must not hold up the way out.
    tokio.shutdown_background();
    let signal = match result {
        // The terminal was gone before the signal that tells it came.
        Err(error) if is_gone(&error) => Signal::HUP.as_raw(),
        result => result.map_err(|e| terminal(&e))?,
    };
    Ok(match u8::try_from(signal) {
        Ok(0) | Err(_) => Exit::Good.code(),
        Ok(signal) => signal.saturating_add(128),
    })
}

/// Whether an error says that there is no terminal any more: of what was open, or of `/dev/tty`.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::IO, Errno::NXIO].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| gone.contains(&code))
}

fn terminal(error: &io::Error) -> Failure {
    Failure::new(format!("the terminal failed: {error}"))
}

/// What the configuration wants of colours.
pub fn wish(color: Color) -> Wish {
    match color {
        Color::Auto => Wish::Auto,
        Color::Always => Wish::Always,
        Color::Never => Wish::Never,
    }
}

/// The theme in as many colours as the terminal shows.
pub fn at_depth(theme: Theme, depth: Depth) -> Theme {
    theme.with_colors(|color| palette::at_depth(color, depth))
}

/// The screen of the control room.
struct ControlRoom {
    painter: Painter<Tty>,
    look: Look,
    depth: Depth,
    modes: Modes,
    tmux: bool,
}

impl Screen for ControlRoom {
    fn draw(&mut self, state: &State) -> io::Result<bool> {
        let look = &self.look;
        self.painter.paint(state.view.size, |buffer| draw(state, look, buffer))
    }

    fn forget(&mut self) -> io::Result<()> {
        let bytes = self.modes.again()?;
        self.painter.forget();
        self.painter.send(&bytes)
    }

    fn load_theme(&mut self, name: &str) -> Result<(), String> {
        let theme = themes::load(name).map_err(|error| error.to_string())?;
        self.look.theme = at_depth(theme, self.depth);
        Ok(())
    }

    fn copy(&mut self, text: &str) -> Result<(), String> {
        let bytes = clipboard::sequence(text, self.tmux)?;
        self.painter.send(&bytes).map_err(|error| format!("cannot copy: {error}"))
    }

    fn mouse(&mut self, on: bool) -> io::Result<()> {
        let bytes = self.modes.mouse(on)?;
        self.painter.send(&bytes)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.modes.suspend()?;
        self.painter.forget();
        Ok(())
    }
}

/// What the terminal tells, as messages.
fn input(events: Events) -> impl Stream<Item = Msg> {
    stream::unfold(events, |mut events| async {
        loop {
            let event = events.next().await?;
            if let Some(msg) = message(event) {
                return Some((msg, events));
            }
        }
    })
}

fn message(event: Event) -> Option<Msg> {
    Some(match event {
        Event::Key(key, at) => {
            Msg::Key { key: key_of(key)?, ms: u64::try_from(at.as_millis()).unwrap_or(u64::MAX) }
        }
        Event::Paste(text) => Msg::Paste(text),
        Event::Mouse(pointer, x, y) => {
            let kind = match pointer {
                Pointer::Click => MouseKind::Click,
                Pointer::Up => MouseKind::ScrollUp,
                Pointer::Down => MouseKind::ScrollDown,
            };
            Msg::Mouse(Mouse { kind, x, y })
        }
        Event::Resize(width, height) => Msg::Resize { width, height },
        Event::Focus(on) => Msg::Focus(on),
        Event::Stop => Msg::Suspend,
        Event::Continued => Msg::Resumed,
        Event::Leave => Msg::Leave,
    })
}

fn key_of(event: KeyEvent) -> Option<Key> {
    let code = match event.code {
        RawCode::Char(c) => KeyCode::Char(c),
        RawCode::Enter => KeyCode::Enter,
        RawCode::Esc => KeyCode::Esc,
        RawCode::Tab => KeyCode::Tab,
        RawCode::BackTab => KeyCode::BackTab,
        RawCode::Backspace => KeyCode::Backspace,
        RawCode::Delete => KeyCode::Delete,
        RawCode::Up => KeyCode::Up,
        RawCode::Down => KeyCode::Down,
        RawCode::Left => KeyCode::Left,
        RawCode::Right => KeyCode::Right,
        RawCode::PageUp => KeyCode::PageUp,
        RawCode::PageDown => KeyCode::PageDown,
        RawCode::Home => KeyCode::Home,
        RawCode::End => KeyCode::End,
        RawCode::F(n) => KeyCode::F(n),
        _ => return None,
    };
    Some(Key {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
    })
}
