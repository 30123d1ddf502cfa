//! The desk: where the journal of writes lies, and who writes.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::exit::Failure;
use crate::config::model::Safety;
use crate::domain::text::SafeText;
use crate::runtime::writer::Desk;

/// Where writes are recorded. Rehearsals have a folder of their own; what they write does not last.
pub fn desk(rehearsal: bool, safety: &Safety) -> Result<Desk, Failure> {
    let folder = folder(rehearsal)?;
    Ok(Desk { folder, who: who(), lasting: !rehearsal, patience: safety.patience.get() })
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

/// The user, the host and the process.
fn who() -> SafeText {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let user = user.unwrap_or_else(|_| "unknown".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"))
        .unwrap_or_default();
    format!("{user}@{} pid {}", host.trim(), std::process::id()).into()
}

/// A name for this session that no other on this host has: plans are told apart by it.
pub fn session(now: jiff::Timestamp) -> String {
    format!("{}-{}", now.strftime("%Y%m%dT%H%M%S"), std::process::id())
}
