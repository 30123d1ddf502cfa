//! The clipboard by OSC 52, write only; inside tmux through its buffer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest text that is copied, in bytes: xterm and others cut longer sequences.
pub const MAX_BYTES: usize = 8 * 1024;

/// The sequence that puts `text` on the clipboard, or why it cannot be sent.
///
/// Inside tmux the sequence is wrapped for its passthrough as well as sent plainly: tmux takes the
/// plain form into its own buffer where `set-clipboard` allows it, and passes the other on where
/// `allow-passthrough` does.
pub fn sequence(text: &str, tmux: bool) -> Result<Vec<u8>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("too long to copy: {} of at most {MAX_BYTES} bytes", text.len()));
    }
    // Base64 has no byte that could end the sequence.
    let plain = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    if !tmux {
        return Ok(plain.into_bytes());
    }
    let wrapped = format!("\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b"));
    Ok(format!("{plain}{wrapped}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_break_out_of_the_sequence() {
        let bytes = sequence("evil\x07\x1b]0;title\x07", false).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.matches('\x1b').count(), 1);
        assert_eq!(text.matches('\x07').count(), 1);
        assert!(text.starts_with("\x1b]52;c;") && text.ends_with('\x07'));
    }

    #[test]
    fn tmux_gets_both_forms() {
        let text = String::from_utf8(sequence("a", true).unwrap()).unwrap();
        assert_eq!(text, "\x1b]52;c;YQ==\x07\x1bPtmux;\x1b\x1b]52;c;YQ==\x07\x1b\\");
    }

    #[test]
    fn a_long_text_is_refused() {
        assert!(sequence(&"x".repeat(MAX_BYTES + 1), false).is_err());
    }
}
