//! The journal: every write is recorded, synced and chained before it is sent.
//!
//! A folder holds one file a day, `YYYY-MM-DD.jsonl`, and `HEAD`. Each line is
//! `{"hash":"…","prev":"…","record":{…}}`; `hash` is the SHA-256 of `prev`, a line feed and the text
//! of the record. `HEAD` names the newest line, so that a journal that was cut short is found out.

mod record;
mod verify;

pub use record::{Entry, Event, Record};
pub use verify::{Finding, Verified};

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The hash before the first line.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Enough of the end of a file to hold its last line; records are far smaller.
const TAIL: u64 = 1 << 20;

/// A journal in a folder.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
}

/// A journal that cannot be written or read: nothing may be sent without it.
#[derive(Debug, thiserror::Error)]
#[error("the journal in {} {doing}: {source}", folder.display())]
pub struct JournalError {
    folder: PathBuf,
    doing: &'static str,
    source: io::Error,
}

impl Journal {
    /// The journal in `folder`, which is made when it is first written to.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends `record` and returns when it is on the disk. Safe against other processes.
    pub fn append(&self, record: &Record) -> Result<(), JournalError> {
        self.append_line(record).map_err(|source| self.error("cannot be written", source))
    }

    /// Whether it could be written to now.
    pub fn probe(&self) -> Result<(), JournalError> {
        self.make_folder()
            .and_then(|()| self.lock().map(|_| ()))
            .map_err(|source| self.error("cannot be written", source))
    }

    fn error(&self, doing: &'static str, source: io::Error) -> JournalError {
        JournalError { folder: self.folder.clone(), doing, source }
    }

    fn make_folder(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    /// One writer at a time, across processes; released when the file is dropped.
    fn lock(&self) -> io::Result<File> {
        let file = open(&self.folder.join("LOCK"))?;
        file.lock()?;
        Ok(file)
    }

    fn append_line(&self, record: &Record) -> io::Result<()> {
        self.make_folder()?;
        let _lock = self.lock()?;
        let newest = self.files()?.into_iter().next_back();
        let (prev, torn) = match &newest {
            Some(path) => last_hash(path, self.head_hash().as_deref())?,
            None => (GENESIS.to_owned(), false),
        };
        // The day never goes back, even if the clock does: lines stay in the order they were made.
        let today = self.folder.join(format!("{}.jsonl", record.at.strftime("%Y-%m-%d")));
        let path = newest.filter(|newest| *newest > today).unwrap_or(today);
        let new = !path.exists();
        let text = serde_json::to_string(record)?;
        let hash = chain(&prev, &text);
        let mut line = String::new();
        if torn && !new {
            // A crash left half a line: it stays, ended, for `verify` to tell of.
            line.push('\n');
        }
        line.push_str(&format!("{{\"hash\":\"{hash}\",\"prev\":\"{prev}\",\"record\":{text}}}\n"));
        let mut file = open(&path)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        if new {
            File::open(&self.folder)?.sync_all()?;
        }
        self.write_head(&hash)
    }

    fn write_head(&self, hash: &str) -> io::Result<()> {
        let (path, next) = (self.folder.join("HEAD"), self.folder.join("HEAD.new"));
        let mut file = open(&next)?;
        file.set_len(0)?;
        file.write_all(hash.as_bytes())?;
        file.sync_data()?;
        fs::rename(next, path)
    }

    fn head_hash(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("HEAD")).ok()
    }

    /// The files of the journal, the oldest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = match fs::read_dir(&self.folder) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        files.sort();
        Ok(files)
    }

    /// Every record since `since`, the oldest first, and what is wrong with the journal.
    pub fn read(&self, since: Option<Timestamp>) -> Result<Verified, JournalError> {
        let files = self.files().map_err(|source| self.error("cannot be read", source))?;
        let mut verified = Verified::default();
        for path in &files {
            let text = fs::read(path).map_err(|source| self.error("cannot be read", source))?;
            verified.file(path, &String::from_utf8_lossy(&text));
        }
        verified.head(self.head_hash().as_deref());
        if let Some(since) = since {
            verified.entries.retain(|entry| entry.record.at >= since);
        }
        Ok(verified)
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

/// The hash of a record after `prev`.
fn chain(prev: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(prev.as_bytes());
    hash.update(b"\n");
    hash.update(text.as_bytes());
    hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        hex.push_str(&format!("{byte:02x}"));
        hex
    })
}

/// The hash of the last whole line of a file, and whether half a line comes after it.
fn last_hash(path: &Path, head: Option<&str>) -> io::Result<(String, bool)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let text = String::from_utf8_lossy(&tail);
    let torn = !text.is_empty() && !text.ends_with('\n');
    let whole = text.lines().rev().skip(usize::from(torn));
    let hash = whole.filter_map(verify::parts).map(|(hash, ..)| hash.to_owned()).next();
    // A first line that was torn leaves no hash here: what HEAD says comes before it.
    Ok((hash.or_else(|| head.map(str::to_owned)).unwrap_or_else(|| GENESIS.to_owned()), torn))
}

#[cfg(test)]
mod tests;
