//! Reads recordings: what format they have, what of them may be sent again, and what was left out.

mod access_log;
mod har;
mod intake;
mod ndjson;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

pub use intake::{Intake, Selection, Unreadable};

use crate::domain::text::SafeText;

/// A longer line is none of a recording.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;
/// So much of a file is looked at to tell its format.
const GLANCE: usize = 64 * 1024;

/// The format of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// HTTP Archive 1.2, as browsers and proxies export it.
    Har,
    /// One JSON object a line: `method`, `url` or `path`, `headers`, `body`, `at`.
    Ndjson,
    /// Common or combined, as Apache and nginx write them.
    AccessLog,
}

/// One request as it stands in a recording. It holds credentials: it is not printed, and lives only
/// until it is scrubbed.
pub(crate) struct Raw {
    /// The line or entry, counted from 1.
    pub place: u64,
    /// When it was sent.
    pub at: Option<jiff::Timestamp>,
    /// Its method.
    pub method: String,
    /// An address or a path.
    pub url: String,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: Option<String>,
}

/// Why one entry cannot be read; never quotes what stands there.
pub(crate) type Why = String;

/// Why a recording cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{file}: {why}")]
    File {
        /// Which.
        file: SafeText,
        /// The system's words.
        why: io::Error,
    },
    /// It is not of its format.
    #[error("{file}:{line}: {why}\n    {hint}")]
    Format {
        /// Which.
        file: SafeText,
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: &'static str,
    },
}

/// Reads `path`; without a `format`, by what its name and its beginning say.
///
/// # Errors
/// The file, or a beginning that is of no known format.
pub fn read(
    path: &Path,
    format: Option<Format>,
    selection: Selection,
) -> Result<(Format, Intake), ImportError> {
    let file = SafeText::new(&path.display().to_string());
    let failed = |why: io::Error| ImportError::File { file: file.clone(), why };
    let mut input = BufReader::with_capacity(GLANCE, File::open(path).map_err(failed)?);
    let format = match format {
        Some(format) => format,
        None => {
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            detect(extension, input.fill_buf().map_err(failed)?)
        }
    };
    let mut intake = Intake::new(selection);
    match format {
        Format::Har => har::read(input, &file, &mut intake)?,
        Format::Ndjson => lines(input, &mut intake, ndjson::request).map_err(failed)?,
        Format::AccessLog => lines(input, &mut intake, access_log::request).map_err(failed)?,
    }
    Ok((format, intake))
}

/// The format by the extension of the name, or by the beginning of the content.
fn detect(extension: &str, beginning: &[u8]) -> Format {
    match extension.to_ascii_lowercase().as_str() {
        "har" => return Format::Har,
        "ndjson" | "jsonl" => return Format::Ndjson,
        _ => {}
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with('{') {
        return Format::AccessLog;
    }
    let first = text.lines().next().unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(first) {
        // A whole HAR on one line has its `log`.
        Ok(object) if object.get("log").is_none() => Format::Ndjson,
        Ok(_) => Format::Har,
        Err(_) if first.contains("\"log\"") || first.trim() == "{" => Format::Har,
        Err(_) => Format::Ndjson,
    }
}

/// Gives each line to `request`.
fn lines(
    mut input: impl BufRead,
    intake: &mut Intake,
    request: impl Fn(&str) -> Result<Raw, Why>,
) -> io::Result<()> {
    let mut line = Vec::new();
    for place in 1.. {
        line.clear();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let whole = line.ends_with(b"\n") || (line.len() as u64) < LONGEST_LINE;
        if !whole {
            intake.unreadable(place, format!("longer than {} MiB", LONGEST_LINE >> 20));
            skip_line(&mut input)?;
            continue;
        }
        let Ok(text) = std::str::from_utf8(&line) else {
            intake.unreadable(place, "not UTF-8".to_owned());
            continue;
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.is_empty() {
            intake.take(place, request(text).map(|raw| Raw { place, ..raw }));
        }
    }
    Ok(())
}

fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(buffer.len(), |end| end + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_name_or_content() {
        for (extension, beginning, format) in [
            ("har", "", Format::Har),
            ("JSONL", "", Format::Ndjson),
            ("json", "{\n  \"log\": {", Format::Har),
            ("json", "{\"log\":{\"entries\":[", Format::Har),
            ("json", "{\"log\":{\"entries\":[]}}", Format::Har),
            ("json", "{\"path\":\"/a\"}\n{\"path\":\"/b\"}", Format::Ndjson),
            ("txt", "{\"path\":\"/a", Format::Ndjson),
            ("log", "1.2.3.4 - - [", Format::AccessLog),
            ("", "", Format::AccessLog),
        ] {
            assert_eq!(detect(extension, beginning.as_bytes()), format, "{extension} {beginning}");
        }
    }

    #[test]
    fn lines_are_counted_as_they_stand_in_the_file() {
        let mut intake = Intake::new(Selection::default());
        let text = b"{\"path\":\"/a\"}\n\n\xff\xfe\nnot json\n{\"path\":\"/b\"}";
        lines(&text[..], &mut intake, ndjson::request).unwrap();
        let places: Vec<u64> = intake.requests.iter().map(|r| r.place).collect();
        assert_eq!(places, [1, 5]);
        assert_eq!(intake.unreadable.count, 2);
        let first: Vec<u64> = intake.unreadable.first.iter().map(|u| u.place).collect();
        assert_eq!(first, [3, 4]);
    }
}
