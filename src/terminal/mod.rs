//! The tty: modes, frame writer, capabilities, clipboard. Imports nothing else of this crate.
