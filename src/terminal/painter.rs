//! The painter: two buffers, and only the difference between them goes to the terminal.

use std::io;
use std::sync::Arc;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::tty::Sink;
use super::writer::{Counts, FrameWriter};

/// Draws frames by difference.
#[derive(Debug)]
pub struct Painter<W> {
    writer: FrameWriter<W>,
    shown: Option<Buffer>,
    next: Buffer,
}

impl<W: Sink> Painter<W> {
    /// A painter that writes to `sink`; the first frame clears the screen.
    pub fn new(sink: W) -> Self {
        Self { writer: FrameWriter::new(sink), shown: None, next: Buffer::empty(Rect::ZERO) }
    }

    /// Counts of bytes, writes and frames, which go on counting.
    pub fn counts(&self) -> Arc<Counts> {
        self.writer.counts()
    }

    /// Forgets what is on the screen, so that the next frame writes every cell.
    pub fn forget(&mut self) {
        self.shown = None;
    }

    /// Draws a frame of `size` columns and rows; writes nothing if nothing changed. False if the
    /// terminal has not taken all of it, or of the frame before: then it is to be drawn again later.
    pub fn paint(&mut self, size: (u16, u16), draw: impl FnOnce(&mut Buffer)) -> io::Result<bool> {
        // Frames that a slow terminal would show late are left out, not queued.
        if !self.writer.is_free()? {
            return Ok(false);
        }
        let area = Rect::new(0, 0, size.0, size.1);
        self.next.resize(area);
        self.next.reset();
        draw(&mut self.next);
        let whole = self.shown.as_ref().is_none_or(|shown| shown.area != area);
        let mut backend = CrosstermBackend::new(&mut self.writer);
        if whole {
            backend.clear()?;
            self.shown = Some(Buffer::empty(area));
        }
        let shown = self.shown.get_or_insert_with(|| Buffer::empty(area));
        let changes = shown.diff(&self.next);
        if !changes.is_empty() {
            // The backend writes its resets even for no cell at all.
            backend.draw(changes.into_iter())?;
        }
        std::mem::swap(shown, &mut self.next);
        self.writer.end_frame()?;
        self.writer.is_free()
    }

    /// Sends bytes that are no frame: a clipboard sequence.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.send_raw(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(painter: &mut Painter<Vec<u8>>, text: &str) -> (u64, u64) {
        let counts = painter.counts();
        let (bytes, writes) = (counts.bytes(), counts.writes());
        painter
            .paint((20, 3), |buffer| {
                buffer.set_string(0, 1, text, ratatui::style::Style::new());
            })
            .unwrap();
        (counts.bytes() - bytes, counts.writes() - writes)
    }

    #[test]
    fn a_frame_is_one_write_and_an_unchanged_one_is_none() {
        let mut painter = Painter::new(Vec::new());
        let (first, writes) = painted(&mut painter, "checkout 4f1c9a");
        assert_eq!(writes, 1);
        assert_eq!(painted(&mut painter, "checkout 4f1c9a"), (0, 0));
        let (small, writes) = painted(&mut painter, "checkout 4f1c9b");
        assert_eq!(writes, 1);
        assert!(small < first, "{small} < {first}");
        painter.forget();
        assert_eq!(painted(&mut painter, "checkout 4f1c9b"), (first, 1));
    }
}
