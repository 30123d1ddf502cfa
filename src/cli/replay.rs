//! `flightdeck replay-session`: a recording again, and its last frame as text.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::ansi;
use super::exit::{Exit, Failure};
use crate::runtime::record::replay;
use crate::ui::theme::Theme;
use crate::ui::{Look, draw};

/// Replays the recording `path` and prints its last frame.
pub fn run(path: &Path, out: &mut impl Write) -> Result<Exit, Failure> {
    let shown = path.display();
    let file = File::open(path).map_err(|e| Failure::usage(format!("{shown}: {e}")))?;
    let state =
        replay(BufReader::new(file)).map_err(|e| Failure::usage(format!("{shown}: {e}")))?;
    let (width, height) = state.view.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw(&state, &Look::new(Theme::fallback(), state.setup.options.ascii), &mut buffer);
    for row in ansi::rows(&buffer, false) {
        let written = writeln!(out, "{row}");
        if let Err(error) = written {
            return Failure::output(&error, Exit::Good);
        }
    }
    Ok(Exit::Good)
}
