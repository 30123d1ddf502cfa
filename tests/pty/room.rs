//! A program in a terminal of its own, and what it shows there.

use std::num::NonZero;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use pty_process::{Command, Pty, Size, open};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;

/// The longest that anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Keys closer than a person presses them are a paste.
const PACE: Duration = Duration::from_millis(60);

/// A program in a terminal of its own.
pub struct Room {
    pub pty: Pty,
    pub child: Child,
    pub screen: vt100::Parser,
    pub raw: Vec<u8>,
    pub home: tempfile::TempDir,
    pressed: Option<Instant>,
}

pub fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

impl Room {
    pub fn open(width: u16, height: u16, args: &[&str]) -> Self {
        Self::run(width, height, env!("CARGO_BIN_EXE_flightdeck"), args, &[])
    }

    /// Any program, with these variables besides the usual ones.
    pub fn run(
        width: u16,
        height: u16,
        program: &str,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        Self::run_at(tempfile::tempdir().unwrap(), width, height, program, args, variables)
    }

    /// The same in a home that is there already.
    pub fn run_at(
        home: tempfile::TempDir,
        width: u16,
        height: u16,
        program: &str,
        args: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let (pty, pts) = open().unwrap();
        pty.resize(Size::new(height, width)).unwrap();
        let child = Command::new(program)
            .args(args)
            .env_clear()
            .env("HOME", home.path())
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .envs(variables.iter().copied())
            .current_dir(home.path())
            .spawn(pts)
            .unwrap();
        let screen = vt100::Parser::new(cells(height), cells(width), 0);
        Self { pty, child, screen, raw: Vec::new(), home, pressed: None }
    }

    pub fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Reads on until the screen fits.
    pub async fn until(&mut self, what: &str, fits: impl Fn(&vt100::Screen) -> bool) {
        let mut bytes = vec![0; 65_536];
        let look = async {
            while !fits(self.screen.screen()) {
                match self.pty.read(&mut bytes).await {
                    Ok(0) | Err(_) => break,
                    Ok(count) => {
                        let new = bytes.get(..count).unwrap();
                        self.raw.extend(new);
                        self.screen.process(new);
                    }
                }
            }
        };
        let late = tokio::time::timeout(PATIENCE, look).await.is_err();
        let seen = fits(self.screen.screen());
        assert!(!late && seen, "{what} was not seen:\n{}", self.text());
    }

    pub async fn shows(&mut self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text)).await;
    }

    /// Presses keys all at once, but not closer to those before than a person does.
    pub async fn press(&mut self, keys: &str) {
        if let Some(last) = self.pressed {
            tokio::time::sleep(PACE.saturating_sub(last.elapsed())).await;
        }
        self.pressed = Some(Instant::now());
        self.pty.write_all(keys.as_bytes()).await.unwrap();
    }

    /// How it ended; what it wrote until then is read.
    pub async fn end(&mut self) -> ExitStatus {
        let mut bytes = vec![0; 65_536];
        let read = async {
            while let Ok(count @ 1..) = self.pty.read(&mut bytes).await {
                let new = bytes.get(..count).unwrap();
                self.raw.extend(new);
                self.screen.process(new);
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap();
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap()
    }

    /// The terminal is as before.
    pub fn is_restored(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was left");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert!(!screen.bracketed_paste(), "pastes are as before");
        let last = |what: &[u8]| self.raw.windows(what.len()).rposition(|bytes| bytes == what);
        assert!(last(b"\x1b[?1004l") > last(b"\x1b[?1004h"), "focus is not reported any more");
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}
