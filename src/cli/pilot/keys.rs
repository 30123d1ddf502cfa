//! Single keys of the terminal, for as long as the program is in its foreground.

use std::io::{self, IsTerminal, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use tokio::sync::mpsc;

/// Between two looks whether the program is still in the foreground.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Single keys of the terminal, if there is one; the terminal is as before when this is dropped.
pub(super) struct Keys {
    before: Option<Termios>,
    pressed: mpsc::Receiver<()>,
    _open: mpsc::Sender<()>,
}

impl Keys {
    /// Listens. In the background of a shell the terminal is somebody else's: it is left alone.
    pub(super) fn listen() -> Self {
        let (send, pressed) = mpsc::channel(1);
        let mut before = None;
        if io::stdin().is_terminal() {
            if is_ours() {
                before = single_keys();
            }
            let send = send.clone();
            std::thread::spawn(move || {
                while let Ok(key) = next() {
                    if !key || send.blocking_send(()).is_err() {
                        return;
                    }
                }
            });
        }
        Self { before, pressed, _open: send }
    }

    /// Waits for a key.
    pub(super) async fn pressed(&mut self) {
        if self.pressed.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before
            && is_ours()
        {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Whether the program is in the foreground: else a change of the terminal, or a read, stops it.
fn is_ours() -> bool {
    tcgetpgrp(io::stdin()).is_ok_and(|foreground| foreground == getpgrp())
}

/// Keys come without Enter from now on; returns how the terminal was before.
fn single_keys() -> Option<Termios> {
    let before = tcgetattr(io::stdin()).ok()?;
    let mut single = before.clone();
    single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    // Without it a key comes with the next Enter: later, but it comes.
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, &single);
    Some(before)
}

/// Waits for a key; false if none can come any more.
fn next() -> io::Result<bool> {
    loop {
        let stdin = io::stdin();
        let mut wanted = [PollFd::new(&stdin, PollFlags::IN)];
        let ready = match poll(&mut wanted, Some(&LOOK)) {
            Ok(count) => count > 0,
            Err(rustix::io::Errno::INTR) => false,
            Err(error) => return Err(error.into()),
        };
        if ready && is_ours() {
            return Ok(io::stdin().lock().read(&mut [0])? > 0);
        }
        if ready {
            // What is typed is for the shell; it stays there.
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }
}
