//! Why the journal cannot be used, and what to do about it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

/// A journal that cannot be written or read: nothing may be sent without it.
#[derive(Debug, thiserror::Error)]
#[error("the journal in {} {what}; {}", folder.display(), what.remedy())]
pub struct JournalError {
    pub(super) folder: PathBuf,
    pub(super) what: Trouble,
}

/// What is wrong with the journal as a whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("cannot be written: {0}")]
    Write(io::Error),
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// Not by a crash: what it tells is not what was written.
    #[error("was changed by somebody: {file} line {line}: {what}")]
    Changed { file: String, line: usize, what: String },
    /// Nobody has changed it, but this program does not understand all of it.
    #[error("has lines of a newer flightdeck, from {file} line {line}")]
    Newer { file: String, line: usize },
}

impl Trouble {
    fn remedy(&self) -> &'static str {
        if let Self::Newer { .. } = self {
            return "use that version here too, or name another folder in FLIGHTDECK_STATE";
        }
        let (Self::Write(error) | Self::Read(error)) = self else {
            return "`flightdeck journal verify` tells all of it; look at what was written last, move \
                    the folder away and keep it, and the next write begins a new journal";
        };
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded => {
                "make room there, or name another folder in FLIGHTDECK_STATE"
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "let this user write there, or name another folder in FLIGHTDECK_STATE"
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists | ErrorKind::IsADirectory => {
                "move away what is in its place, or name another folder in FLIGHTDECK_STATE"
            }
            ErrorKind::TimedOut => {
                "find the process that holds it, or name another folder in FLIGHTDECK_STATE"
            }
            _ => "see to it, or name another folder in FLIGHTDECK_STATE",
        }
    }
}
