//! The desk: where the journal of writes lies, and who writes.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use rustix::termios::ttyname;

use super::exit::Failure;
use crate::config::model::Safety;
use crate::domain::text::SafeText;
use crate::runtime::writer::Desk;
use crate::store::journal::Origin;

/// Where writes are recorded. Rehearsals have a folder of their own; what they write does not last.
pub fn desk(rehearsal: bool, safety: &Safety) -> Result<Desk, Failure> {
    let folder = folder(rehearsal)?;
    let origin = origin();
    let who = format!("{}@{} pid {}", origin.user, origin.host, origin.process).into();
    let patience = safety.patience.get();
    Ok(Desk { folder, who, origin: Some(origin), lasting: !rehearsal, patience })
}

/// The folder of the journal and the locks.
pub fn folder(rehearsal: bool) -> Result<PathBuf, Failure> {
    let folder =
        state_folder(std::env::var_os("FLIGHTDECK_STATE").map(PathBuf::from)).ok_or_else(|| {
            Failure::new("there is no home folder for the journal: set FLIGHTDECK_STATE")
        })?;
    Ok(if rehearsal { folder.join("rehearsal") } else { folder })
}

fn state_folder(set: Option<PathBuf>) -> Option<PathBuf> {
    let of_system = || {
        let dirs = ProjectDirs::from("", "", "flightdeck")?;
        Some(dirs.state_dir().map_or_else(|| dirs.data_local_dir().to_owned(), Path::to_owned))
    };
    set.filter(|path| path.is_absolute()).or_else(of_system)
}

/// The user, the host, the process, and from which terminal.
fn origin() -> Origin {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    // `address port address port`: the first is the other end's.
    let remote = std::env::var("SSH_CONNECTION").ok();
    Origin {
        user: user.unwrap_or_else(|_| "unknown".to_owned()).into(),
        uid: rustix::process::getuid().as_raw(),
        host: host.trim().into(),
        process: std::process::id(),
        terminal: terminal(),
        remote: remote.and_then(|told| Some(told.split_whitespace().next()?.into())),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// The terminal that somebody sits at, whichever of our ends is there.
fn terminal() -> Option<SafeText> {
    let name = |fd: BorrowedFd<'_>| ttyname(fd, Vec::new()).ok();
    let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let found =
        name(input.as_fd()).or_else(|| name(output.as_fd())).or_else(|| name(error.as_fd()));
    Some(SafeText::new(&found?.to_string_lossy()))
}

/// A name for this session that no other on this host has: plans are told apart by it.
pub fn session(now: jiff::Timestamp) -> String {
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%S"), std::process::id())
}
