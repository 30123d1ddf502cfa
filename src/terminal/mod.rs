//! The tty: modes, frame writer, capabilities, clipboard. Imports nothing else of this crate.

pub mod burst;
pub mod caps;
pub mod clipboard;
pub mod events;
pub mod modes;
pub mod painter;
pub mod palette;
pub mod tty;
pub mod writer;
