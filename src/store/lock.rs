//! Locks: one write at a time to a target, across the processes of this host.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::domain::text::SafeText;

/// Bytes that name a holder, at most.
const LONGEST: u64 = 200;

/// A target that this process alone may write to, until it is dropped.
#[derive(Debug)]
pub struct TargetLock {
    _file: File,
}

/// What came of trying to take a lock.
#[derive(Debug)]
pub enum Lock {
    /// It is ours.
    Taken(TargetLock),
    /// Another holds it: who, and as which process, if that can be read.
    Held(Option<SafeText>),
}

impl Lock {
    /// The lock, if it is ours.
    pub fn taken(self) -> Option<TargetLock> {
        match self {
            Self::Taken(lock) => Some(lock),
            Self::Held(_) => None,
        }
    }
}

/// Takes the lock of `target` in `folder` for `who`, which others are told.
pub fn try_lock(folder: &Path, target: &str, who: &str) -> io::Result<Lock> {
    let folder = folder.join("locks");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let name =
        Sha256::digest(target.as_bytes()).iter().take(16).fold(String::new(), |mut hex, byte| {
            hex.push_str(&format!("{byte:02x}"));
            hex
        });
    let path = folder.join(name);
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true).mode(0o600);
    let mut file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => {
            // Only a name for others: the lock holds without it, as on a full disk.
            let _ = file
                .set_len(0)
                .and_then(|()| write!(file, "{who}, process {}", std::process::id()));
            Ok(Lock::Taken(TargetLock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut bytes = Vec::new();
            let _ = file.take(LONGEST).read_to_end(&mut bytes);
            let who = SafeText::new(&String::from_utf8_lossy(&bytes));
            Ok(Lock::Held((!who.is_empty()).then_some(who)))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_for_each_target_and_others_are_told_who() {
        let folder = tempfile::tempdir().unwrap();
        let take = |target: &str, who: &str| try_lock(folder.path(), target, who).unwrap();
        let first = take("a/b", "dana, who has a long name").taken().unwrap();
        let Lock::Held(Some(who)) = take("a/b", "kim") else { panic!("it is held") };
        assert_eq!(
            who,
            format!("dana, who has a long name, process {}", std::process::id()).as_str()
        );
        assert!(take("a/c", "kim").taken().is_some());
        drop(first);
        let _second = take("a/b", "kim").taken().unwrap();
        let Lock::Held(Some(who)) = take("a/b", "dana") else { panic!("it is held") };
        assert!(who.as_str().starts_with("kim, process "), "{who}");
    }
}
