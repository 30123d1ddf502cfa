//! The journal: every write is recorded, synced and chained before it is sent.
//!
//! A folder holds one file a day, `YYYY-MM-DD.jsonl`, and `HEAD`. Each line is
//! `{"hash":"…","prev":"…","record":{…}}`; `hash` is the SHA-256 of `prev`, a line feed and the text
//! of the record. `HEAD` names the newest line, so that a journal that was cut short is found out; it
//! is there before the first line is.

mod error;
mod record;
mod verify;

pub use error::JournalError;
pub use record::{Entry, Event, Looked, Origin, Record};
pub use verify::{Finding, Verified};

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use error::Trouble;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The hash before the first line.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// How long another process may hold the journal.
const HELD: Duration = Duration::from_secs(5);
/// Between two tries to get it.
const BETWEEN: Duration = Duration::from_millis(10);
/// Enough of the end of a file to hold its last line; records are far smaller.
const TAIL: u64 = 1 << 20;

/// A journal in a folder.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
    /// What the last check found, for as long as its files stay as they were.
    checked: Arc<Mutex<Option<(Stamp, bool)>>>,
}

/// Names, sizes and times of the files of a journal.
pub type Stamp = Vec<(PathBuf, u64, SystemTime)>;

impl Journal {
    /// The journal in `folder`, which is made when it is first written to.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), checked: Arc::default() }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Appends `record` and returns when it is on the disk. Safe against other processes. What could
    /// not be written as a whole is taken back.
    pub fn append(&self, record: &Record) -> Result<(), JournalError> {
        let lock = self.make_folder().and_then(|()| self.lock());
        let _lock = lock.map_err(|source| self.error(Trouble::Write(source)))?;
        let before = self.stamp();
        let end = self.end().map_err(|source| self.error(Trouble::Read(source)))?;
        if let Some(what) = end.cut_short() {
            // One more line would hide it.
            let (file, line) = (end.name(), end.lines);
            return Err(self.error(Trouble::Changed { file, line, what: what.to_owned() }));
        }
        let written = self.append_line(record, end);
        written.map_err(|source| self.error(Trouble::Write(source)))?;
        // What was whole before our own line is whole after it.
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, torn)) = checked.as_mut()
            && Some(&*seen) == before.as_ref()
            && let Some(now) = self.stamp()
        {
            (*seen, *torn) = (now, false);
        }
        Ok(())
    }

    /// Whether a write may rely on it: it can be written to now, and nobody but a crash has changed
    /// it. Returns whether its last line is torn; the next one ends it.
    ///
    /// A journal that was changed takes no writes. It is what tells whether something was sent
    /// already: by one that lies, a write could be done twice.
    pub fn check(&self) -> Result<bool, JournalError> {
        let lock = self.make_folder().and_then(|()| self.lock());
        let _lock = lock.map_err(|source| self.error(Trouble::Write(source)))?;
        let torn = self.look()?;
        self.write_next(GENESIS).map_err(|source| self.error(Trouble::Write(source)))?;
        Ok(torn)
    }

    /// Whether nobody but a crash has changed it, and whether its last line is torn.
    fn look(&self) -> Result<bool, JournalError> {
        let stamp = self.stamp();
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, torn)) = checked.as_ref().filter(|(seen, _)| Some(seen) == stamp.as_ref()) {
            return Ok(*torn);
        }
        let known = self.read(None)?;
        if let Some(found) = known.findings.iter().find(|found| !found.harmless) {
            let (file, line, what) = (found.file.clone(), found.line, found.what.clone());
            return Err(self.error(if found.newer {
                Trouble::Newer { file, line }
            } else {
                Trouble::Changed { file, line, what }
            }));
        }
        *checked = stamp.map(|stamp| (stamp, known.ends_torn));
        Ok(known.ends_torn)
    }

    /// Names, sizes and times of its files: other ones mean that it has changed.
    pub fn stamp(&self) -> Option<Stamp> {
        let mut files = self.files().ok()?;
        if files.is_empty() {
            return None;
        }
        files.push(self.folder.join("HEAD"));
        files
            .into_iter()
            .map(|path| {
                let told = fs::metadata(&path).ok()?;
                Some((path, told.len(), told.modified().ok()?))
            })
            .collect()
    }

    /// What is told where the work at it has failed without a word.
    pub fn unusable(&self) -> JournalError {
        self.error(Trouble::Write(io::Error::other("this program failed at it")))
    }

    fn error(&self, what: Trouble) -> JournalError {
        JournalError { folder: self.folder.clone(), what }
    }

    fn make_folder(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)
    }

    /// One writer at a time, across processes; released when the file is dropped.
    fn lock(&self) -> io::Result<File> {
        let file = open(&self.folder.join("LOCK"))?;
        let end = Instant::now() + HELD;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    std::thread::sleep(BETWEEN);
                }
                Err(TryLockError::WouldBlock) => {
                    let message = format!("another process holds it for {} s", HELD.as_secs());
                    return Err(io::Error::new(ErrorKind::TimedOut, message));
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// How it ends now.
    fn end(&self) -> io::Result<End> {
        let mut end = End { head: self.head_hash(), ..End::default() };
        for path in self.files()?.into_iter().rev() {
            let text = tail(&path)?;
            if end.newest.is_none() {
                end.torn = !text.is_empty() && !text.ends_with('\n');
                (end.newest, end.lines) = (Some(path), text.lines().count());
            }
            // Only the end of the last line may be missing: then the line counts. A first line that
            // was torn leaves no hash in its file.
            if let Some((hash, prev)) = text.lines().rev().find_map(verify::whole) {
                (end.hash, end.prev) = (Some(hash.to_owned()), Some(prev.to_owned()));
                break;
            }
        }
        Ok(end)
    }

    fn append_line(&self, record: &Record, end: End) -> io::Result<()> {
        if end.head.is_none() {
            let next = self.write_next(GENESIS)?;
            fs::rename(next, self.folder.join("HEAD"))?;
        }
        let (newest, torn, first) = (end.newest, end.torn, end.head.is_none());
        let prev = end.hash.unwrap_or_else(|| GENESIS.to_owned());
        // The day never goes back, even if the clock does: lines stay in the order they were made.
        let today = self.folder.join(format!("{}.jsonl", record.at.strftime("%Y-%m-%d")));
        let path = newest.filter(|newest| *newest > today).unwrap_or(today);
        let new = !path.exists();
        let before = if new { 0 } else { regular(&path)?.len() };
        let text = serde_json::to_string(record)?;
        let hash = chain(&prev, &text);
        let mut line = String::new();
        if torn && !new {
            // A crash left half a line: it stays, ended, for `verify` to tell of.
            line.push('\n');
        }
        line.push_str(&format!("{{\"hash\":\"{hash}\",\"prev\":\"{prev}\",\"record\":{text}}}\n"));
        let mut file = open(&path)?;
        let written = self.write_line(&mut file, &line, &hash, new);
        if written.is_err() {
            // Whoever reads it must not take for sent what is refused now. A full disk lets it shrink.
            let _ = file.set_len(before).and_then(|()| file.sync_data());
            if new {
                let _ = fs::remove_file(&path);
            }
            if first {
                let _ = fs::remove_file(self.folder.join("HEAD"));
            }
        }
        written
    }

    fn write_line(&self, file: &mut File, line: &str, hash: &str, new: bool) -> io::Result<()> {
        file.seek(SeekFrom::End(0))?;
        file.write_all(line.as_bytes())?;
        file.sync_data()?;
        if new {
            File::open(&self.folder)?.sync_all()?;
        }
        let next = self.write_next(hash)?;
        fs::rename(next, self.folder.join("HEAD"))
    }

    /// Writes what becomes `HEAD` by its new name.
    fn write_next(&self, hash: &str) -> io::Result<PathBuf> {
        let next = self.folder.join("HEAD.new");
        let mut file = open(&next)?;
        file.set_len(0)?;
        file.write_all(hash.as_bytes())?;
        file.sync_data()?;
        Ok(next)
    }

    fn head_hash(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("HEAD")).ok()
    }

    /// The files of the journal, the oldest first.
    fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files: Vec<PathBuf> = match fs::read_dir(&self.folder) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        files.sort();
        Ok(files)
    }

    /// Every record since `since`, the oldest first, and what is wrong with the journal.
    pub fn read(&self, since: Option<Timestamp>) -> Result<Verified, JournalError> {
        let failed = |source| self.error(Trouble::Read(source));
        // Before the lines: one that is added in between must not be missed.
        let head = self.head_hash();
        let mut verified = Verified::default();
        for path in &self.files().map_err(failed)? {
            let text = regular(path).and_then(|_| fs::read(path)).map_err(failed)?;
            verified.file(path, &String::from_utf8_lossy(&text));
        }
        verified.head(head.as_deref());
        if let Some(since) = since {
            verified.entries.retain(|entry| entry.record.at >= since);
        }
        Ok(verified)
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

/// What is told of a file; a device or a pipe may have no end.
fn regular(path: &Path) -> io::Result<fs::Metadata> {
    let told = fs::metadata(path)?;
    if told.is_file() {
        return Ok(told);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Err(io::Error::new(ErrorKind::AlreadyExists, format!("{name} is no file")))
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

/// How a journal ends.
#[derive(Default)]
struct End {
    head: Option<String>,
    /// The newest file, whether its last line is torn, and how many lines it has.
    newest: Option<PathBuf>,
    torn: bool,
    lines: usize,
    /// The hash of the last whole line, and the one before it.
    hash: Option<String>,
    prev: Option<String>,
}

impl End {
    /// What is wrong with it, if lines are missing. A crash leaves `HEAD` behind by one line.
    fn cut_short(&self) -> Option<&'static str> {
        let Some(head) = &self.head else {
            return self.newest.is_some().then_some(verify::NO_HEAD);
        };
        let last = self.hash.as_deref().unwrap_or(GENESIS);
        let known = head == last || Some(head) == self.prev.as_ref();
        (!known).then_some(verify::CUT_SHORT)
    }

    fn name(&self) -> String {
        let name = self.newest.as_deref().and_then(Path::file_name);
        name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }
}

/// The end of a file.
fn tail(path: &Path) -> io::Result<String> {
    let length = regular(path)?.len();
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(String::from_utf8_lossy(&tail).into_owned())
}

#[cfg(test)]
mod tests;
