//! Locks: one write at a time to a target, across the processes of this host.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};

/// A target that this process alone may write to, until it is dropped.
#[derive(Debug)]
pub struct TargetLock {
    _file: File,
}

/// Takes the lock of `target` in `folder`; `None` if another holds it.
pub fn try_lock(folder: &Path, target: &str) -> io::Result<Option<TargetLock>> {
    let folder = folder.join("locks");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let name =
        Sha256::digest(target.as_bytes()).iter().take(16).fold(String::new(), |mut hex, byte| {
            hex.push_str(&format!("{byte:02x}"));
            hex
        });
    let path = folder.join(name);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(TargetLock { _file: file })),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_for_each_target() {
        let folder = tempfile::tempdir().unwrap();
        let first = try_lock(folder.path(), "a/b").unwrap();
        assert!(first.is_some());
        assert!(try_lock(folder.path(), "a/b").unwrap().is_none());
        assert!(try_lock(folder.path(), "a/c").unwrap().is_some());
        drop(first);
        assert!(try_lock(folder.path(), "a/b").unwrap().is_some());
    }
}
