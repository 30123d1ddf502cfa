//! The frame writer: everything of one frame in one write, inside synchronized output.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::tty::Sink;

/// Begins synchronized output (DEC private mode 2026): the terminal shows the frame at once.
const BEGIN: &[u8] = b"\x1b[?2026h";
/// Ends it.
pub const END: &[u8] = b"\x1b[?2026l";

/// What was written so far.
#[derive(Debug, Default)]
pub struct Counts {
    bytes: AtomicU64,
    writes: AtomicU64,
    frames: AtomicU64,
}

impl Counts {
    /// Bytes written.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Write calls made.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Frames that had anything to write.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }
}

/// Buffers what is written until the frame ends.
#[derive(Debug)]
pub struct FrameWriter<W> {
    sink: W,
    buffer: Vec<u8>,
    /// What the terminal did not take yet.
    pending: Vec<u8>,
    counts: Arc<Counts>,
}

impl<W: Sink> FrameWriter<W> {
    /// A writer of frames to `sink`.
    pub fn new(sink: W) -> Self {
        Self {
            sink,
            buffer: Vec::with_capacity(32 * 1024),
            pending: Vec::new(),
            counts: Arc::default(),
        }
    }

    /// The figures, which go on counting.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Whether the terminal has taken all of the frames before; if not, more is offered to it.
    pub fn is_free(&mut self) -> io::Result<bool> {
        let pending = std::mem::take(&mut self.pending);
        self.send(pending)?;
        Ok(self.pending.is_empty())
    }

    /// Sends what was buffered as one frame; nothing, if nothing was. What the terminal does not take
    /// now is kept: [`FrameWriter::is_free`] tells.
    pub fn end_frame(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut frame = Vec::with_capacity(self.buffer.len() + BEGIN.len() + END.len());
        frame.extend_from_slice(BEGIN);
        frame.append(&mut self.buffer);
        frame.extend_from_slice(END);
        self.counts.frames.fetch_add(1, Ordering::Relaxed);
        self.send(frame)
    }

    /// Sends bytes that belong to no frame, such as a clipboard sequence, after what was buffered.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.end_frame()?;
        self.send(bytes.to_vec())
    }

    /// Offers `bytes` to the terminal, after what it has not taken yet.
    fn send(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.pending.extend(bytes);
            return Ok(());
        }
        let mut taken = 0;
        while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
            match self.sink.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    self.counts.writes.fetch_add(1, Ordering::Relaxed);
                    self.counts.bytes.fetch_add(n as u64, Ordering::Relaxed);
                    taken += n;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !self.sink.wait() {
                        self.pending = rest.to_vec();
                        return Ok(());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.sink.flush()
    }
}

impl<W: Sink> Write for FrameWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Does nothing: a frame is sent by [`FrameWriter::end_frame`] alone.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Tty {
        writes: Vec<Vec<u8>>,
        at_most: usize,
        /// So many bytes are taken before it takes nothing.
        room: Option<usize>,
    }

    impl Sink for &mut Tty {
        fn wait(&mut self) -> bool {
            false
        }
    }

    impl Write for &mut Tty {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let at_most = if self.at_most == 0 { usize::MAX } else { self.at_most };
            let taken = bytes.len().min(at_most).min(self.room.unwrap_or(usize::MAX));
            if taken == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room = self.room.map(|room| room - taken);
            self.writes.push(bytes[..taken].to_vec());
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_one_write_inside_synchronized_output() {
        let mut tty = Tty::default();
        let mut writer = FrameWriter::new(&mut tty);
        let counts = writer.counts();
        writer.write_all(b"one").unwrap();
        writer.flush().unwrap();
        writer.write_all(b"two").unwrap();
        writer.end_frame().unwrap();
        writer.end_frame().unwrap();
        drop(writer);
        assert_eq!(tty.writes, vec![b"\x1b[?2026honetwo\x1b[?2026l".to_vec()]);
        assert_eq!((counts.frames(), counts.writes(), counts.bytes()), (1, 1, 22));
    }

    #[test]
    fn a_slow_tty_gets_everything_in_order() {
        let mut tty = Tty { at_most: 4, ..Tty::default() };
        let mut writer = FrameWriter::new(&mut tty);
        writer.write_all(b"0123456789").unwrap();
        writer.end_frame().unwrap();
        drop(writer);
        assert_eq!(tty.writes.concat(), b"\x1b[?2026h0123456789\x1b[?2026l");
    }

    #[test]
    fn a_stalled_tty_keeps_what_it_did_not_take_and_nothing_is_lost() {
        let mut tty = Tty { room: Some(12), ..Tty::default() };
        let mut writer = FrameWriter::new(&mut tty);
        writer.write_all(b"0123456789").unwrap();
        writer.end_frame().unwrap();
        assert!(!writer.is_free().unwrap());
        writer.send_raw(b"raw").unwrap();
        writer.sink.room = None;
        assert!(writer.is_free().unwrap());
        drop(writer);
        assert_eq!(tty.writes.concat(), b"\x1b[?2026h0123456789\x1b[?2026lraw");
    }

    #[test]
    fn a_dead_tty_is_an_error() {
        struct Dead;
        impl Sink for Dead {
            fn wait(&mut self) -> bool {
                false
            }
        }
        impl Write for Dead {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writer = FrameWriter::new(Dead);
        writer.write_all(b"x").unwrap();
        assert!(writer.end_frame().is_err());
    }
}
