//! The tty as a sink that never blocks for long: a terminal that takes nothing must not stop the
//! program.

use std::fs::File;
use std::io::{self, Stdout, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

/// So long is waited for a terminal that takes nothing.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where frames go.
pub trait Sink: Write {
    /// Waits a moment until more can be written; false if nothing could be in that time.
    fn wait(&mut self) -> bool;
}

/// The terminal.
#[derive(Debug)]
pub enum Tty {
    /// Opened once more for us alone, so that nobody else's reads and writes are changed.
    Own(File),
    /// Where it could not be opened again.
    Shared(Stdout),
}

impl Tty {
    /// The terminal of the standard output.
    pub fn open() -> Self {
        let name = rustix::termios::ttyname(io::stdout(), Vec::new()).ok();
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let open = |name: &std::ffi::CStr| rustix::fs::open(name, flags, Mode::empty()).ok();
        let own = name.and_then(|name| open(&name)).or_else(|| open(c"/dev/tty"));
        own.map_or_else(|| Self::Shared(io::stdout()), |own| Self::Own(File::from(own)))
    }

    /// Writes all of `bytes`, or as much as the terminal takes before it takes nothing for a second.
    pub fn write_patiently(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut tries = 0;
        while !bytes.is_empty() && tries < 20 {
            match self.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    bytes = bytes.get(n..).unwrap_or_default();
                    tries = 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait();
                    tries += 1;
                }
                Err(error) => return Err(error),
            }
        }
        self.flush()
    }
}

impl Write for Tty {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Own(tty) => tty.write(bytes),
            Self::Shared(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Own(tty) => tty.flush(),
            Self::Shared(out) => out.flush(),
        }
    }
}

impl Sink for Tty {
    fn wait(&mut self) -> bool {
        let Self::Own(tty) = self else { return true };
        let mut wanted = [PollFd::new(tty, PollFlags::OUT)];
        let patience = Timespec::try_from(PATIENCE).ok();
        // A hung-up tty is ready too: the next write tells.
        poll(&mut wanted, patience.as_ref()).is_ok_and(|ready| ready > 0)
    }
}

impl Sink for Vec<u8> {
    fn wait(&mut self) -> bool {
        true
    }
}

impl Sink for io::Sink {
    fn wait(&mut self) -> bool {
        true
    }
}
