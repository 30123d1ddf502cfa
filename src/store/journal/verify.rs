//! Whether the journal is whole: every line follows from the one before, and none is missing.

use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

use super::record::{Entry, Event, Record};
use super::{GENESIS, chain};

/// Length of a hash in hexadecimal digits.
const DIGITS: usize = 64;
/// What is told of a journal without its newest lines.
pub(super) const CUT_SHORT: &str = "the newest lines are missing: HEAD names one that is not there";
/// What is told of one without `HEAD`, which is there before the first line is.
pub(super) const NO_HEAD: &str = "HEAD is missing";

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// A crash explains it; otherwise somebody changed the journal.
    pub harmless: bool,
    /// Nobody did: a newer version wrote it.
    #[serde(skip)]
    pub(super) newer: bool,
}

/// What the journal says, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verified {
    /// The records, the oldest first.
    pub entries: Vec<Entry>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Its last line is torn: nothing was written since the crash.
    pub ends_torn: bool,
    hashes: Vec<String>,
}

impl Verified {
    /// Whether nothing but crashes is found.
    pub fn is_whole(&self) -> bool {
        self.findings.iter().all(|finding| finding.harmless)
    }

    pub(super) fn file(&mut self, path: &Path, text: &str) {
        let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        self.ends_torn = false;
        for (i, line) in text.lines().enumerate() {
            let mut find = |what: &str, harmless| {
                self.findings.push(Finding {
                    file: file.clone(),
                    line: i + 1,
                    what: what.to_owned(),
                    harmless,
                    newer: false,
                });
            };
            self.ends_torn = whole(line).is_none();
            let expected = self.hashes.last().map_or(GENESIS, String::as_str);
            let Some((hash, prev, body)) = parts(line).filter(|_| !self.ends_torn) else {
                // Half a line is what a crash leaves. A whole one that was made into this is found
                // out by the line after it, or by HEAD.
                if is_torn(line, expected) {
                    find("half a line, as a crash leaves it", true);
                } else {
                    find("it is no line of a journal", false);
                }
                continue;
            };
            if prev != expected {
                find("it does not follow the line before: one was taken out or changed", false);
            }
            let genuine = chain(prev, body) == hash;
            if !genuine {
                find("its text was changed", false);
            }
            self.hashes.push(hash.to_owned());
            match serde_json::from_str::<Record>(body) {
                Ok(record) => {
                    self.entries.push(Entry { file: file.clone(), line: i + 1, record });
                }
                Err(error) => self.findings.push(Finding {
                    file: file.clone(),
                    line: i + 1,
                    what: if genuine {
                        format!("a newer flightdeck wrote it: {error}")
                    } else {
                        format!("it is no record: {error}")
                    },
                    harmless: false,
                    newer: genuine,
                }),
            }
        }
    }

    /// Compares with the hash of the newest line.
    pub(super) fn head(&mut self, head: Option<&str>) {
        let Some(head) = head else {
            if !self.hashes.is_empty() || self.ends_torn {
                self.lost(NO_HEAD);
            }
            return;
        };
        // A crash between the line and HEAD leaves HEAD behind by one, never ahead.
        if head != GENESIS && !self.hashes.iter().any(|hash| hash == head) {
            self.lost(CUT_SHORT);
        }
    }

    fn lost(&mut self, what: &str) {
        let last = self.entries.last();
        let finding = Finding {
            file: last.map(|e| e.file.clone()).unwrap_or_default(),
            line: last.map_or(0, |e| e.line),
            what: what.to_owned(),
            harmless: false,
            newer: false,
        };
        self.findings.push(finding);
    }

    /// Steps that were about to be sent and have no outcome: they must be looked into.
    pub fn unresolved(&self) -> Vec<&Entry> {
        let mut open: BTreeMap<(&str, Option<usize>), &Entry> = BTreeMap::new();
        for entry in &self.entries {
            let key = (entry.record.plan.as_str(), entry.record.step);
            match entry.record.event {
                Event::Sending { .. } => {
                    open.insert(key, entry);
                }
                Event::Ended { .. } => {
                    open.remove(&key);
                }
                Event::Confirmed { .. } | Event::Reply { .. } | Event::Pilot(_) => {}
            }
        }
        open.into_values().collect()
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Whether `line` is the beginning of one that would have followed `expected`. A disk may have put
/// zeros where the end was to be.
fn is_torn(line: &str, expected: &str) -> bool {
    const START: &str = "{\"hash\":\"";
    let line = line.trim_end_matches('\0');
    let Some(rest) = line.strip_prefix(START) else { return START.starts_with(line) };
    let Some((hash, rest)) = rest.split_at_checked(DIGITS) else {
        return rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    };
    let next = format!("\",\"prev\":\"{expected}\",\"record\":");
    let follows = rest.starts_with(&next) || next.starts_with(rest);
    hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && follows && !is_json(line)
}

/// Hash and previous hash of a line that is not torn; its text may be another than it was.
pub(super) fn whole(line: &str) -> Option<(&str, &str)> {
    let (hash, prev, body) = parts(line)?;
    (chain(prev, body) == hash || is_json(line)).then_some((hash, prev))
}

/// Hash, previous hash and text of the record of a line.
pub(super) fn parts(line: &str) -> Option<(&str, &str, &str)> {
    let rest = line.strip_prefix("{\"hash\":\"")?;
    let (hash, rest) = rest.split_at_checked(DIGITS)?;
    let rest = rest.strip_prefix("\",\"prev\":\"")?;
    let (prev, rest) = rest.split_at_checked(DIGITS)?;
    let body = rest.strip_prefix("\",\"record\":")?.strip_suffix('}')?;
    Some((hash, prev, body))
}
