//! Plain characters for terminals that show nothing else: our own sentences use typographic ones.

use ratatui::buffer::Buffer;

use super::glyphs::{ASCII, Glyphs};

/// What stands for a character of our own sentences, in as many cells.
fn plain(symbol: &str) -> Option<&'static str> {
    Some(match symbol {
        "…" | "≈" => "~",
        "·" | "–" | "—" => "-",
        "×" => "x",
        "≤" | "←" => "<",
        "≥" | "→" => ">",
        "±" => "%",
        "“" | "”" => "\"",
        "‘" | "’" => "'",
        _ => return None,
    })
}

/// A sentence of our own where only ASCII may be shown.
pub fn plain_text(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut bytes = [0; 4];
    for symbol in sentence.chars() {
        let symbol = symbol.encode_utf8(&mut bytes);
        text.push_str(plain(symbol).unwrap_or(symbol));
    }
    text
}

impl Glyphs {
    /// Replaces what is not ASCII in our own sentences, if only ASCII may be shown. Names and
    /// messages of others stay as they are: to alter them would be to show something else.
    pub fn plain(&self, buffer: &mut Buffer) {
        if *self != ASCII {
            return;
        }
        for cell in &mut buffer.content {
            if let Some(symbol) = plain(cell.symbol()) {
                cell.set_symbol(symbol);
            }
        }
    }
}
