//! Recordings: the setup and every message, one JSON document a line; a replay ends in the same state.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::app::{Msg, Setup, State, update};

/// One line of a recording.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first line.
    Setup(Box<Setup>),
    /// Any other line.
    Msg(Box<Msg>),
}

/// Writes a recording.
pub struct Recorder<W> {
    out: W,
}

impl<W: Write> Recorder<W> {
    /// Begins a recording.
    pub fn new(mut out: W, setup: &Setup) -> io::Result<Self> {
        line(&mut out, &Line::Setup(Box::new(setup.clone())))?;
        Ok(Self { out })
    }

    /// Adds a message.
    pub fn add(&mut self, msg: &Msg) -> io::Result<()> {
        line(&mut self.out, &Line::Msg(Box::new(msg.clone())))
    }

    /// Hands on what was added so far, so that a crash takes little of it.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn line(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// Why a recording could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It could not be read.
    #[error("cannot read the recording: {0}")]
    Read(#[from] io::Error),
    /// A line is not what a recording of this version has.
    #[error("line {line} of the recording cannot be understood: {reason}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// Nothing was recorded.
    #[error("the recording is empty")]
    Empty,
}

/// Replays a recording. A last line that was cut off by a crash is left out.
pub fn replay(input: impl BufRead) -> Result<State, ReplayError> {
    let mut state: Option<State> = None;
    // Bytes, not text: a line may have been cut in the middle of a character.
    let mut lines = input.split(b'\n').enumerate().peekable();
    while let Some((i, text)) = lines.next() {
        let text = text?;
        let bad = |reason: String| ReplayError::Line { line: i + 1, reason };
        match (serde_json::from_slice::<Line>(&text), &mut state) {
            (Ok(Line::Setup(setup)), None) => state = Some(State::new(*setup)),
            (Ok(Line::Msg(msg)), Some(state)) => {
                update(state, *msg);
            }
            (Ok(Line::Setup(_)), Some(_)) => return Err(bad("a second setup".to_owned())),
            (Ok(Line::Msg(_)), None) => return Err(bad("a message before the setup".to_owned())),
            (Err(_), Some(_)) if lines.peek().is_none() => break,
            (Err(error), _) => return Err(bad(error.to_string())),
        }
    }
    state.ok_or(ReplayError::Empty)
}
