//! Text fields: what a key or pasted text does to one.

use crate::app::key::{Key, KeyCode};
use crate::domain::text::SafeText;

/// Longest text that a field takes.
pub const MAX_FIELD: usize = 200;

/// Adds text to a field, as far as there is room; whether there was.
pub fn push(field: &mut String, text: &str, room: usize) -> bool {
    let left = room.saturating_sub(field.chars().count());
    field.extend(text.chars().take(left));
    text.chars().count() <= left
}

/// Changes a text field by one key; false if there is no room for it.
pub fn edit(field: &mut String, key: Key, room: usize) -> bool {
    match key.code {
        KeyCode::Backspace => {
            field.pop();
        }
        KeyCode::Char('u') if key.ctrl => field.clear(),
        KeyCode::Char('w') if key.ctrl => {
            let kept = field.trim_end().rfind(' ').map_or(0, |at| at + 1);
            field.truncate(kept);
        }
        _ => {
            if let Some(c) = key.typed() {
                return push(field, SafeText::new(c.encode_utf8(&mut [0; 4])).as_str(), room);
            }
        }
    }
    true
}
