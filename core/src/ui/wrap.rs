//! Wrapping text at spaces, by cells.

use unicode_width::UnicodeWidthStr;

/// `text` in at most `rows` lines of `width` cells, broken at spaces; the last line keeps the rest.
pub fn wrap(text: &str, width: usize, rows: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() && lines.len() < rows {
        if rest.width() <= width || lines.len() + 1 == rows {
            lines.push(rest.to_owned());
            break;
        }
        let mut end = 0;
        for (at, _) in rest.match_indices(' ') {
            if rest.get(..at).is_some_and(|head| head.width() <= width) {
                end = at;
            }
        }
        if end == 0 {
            lines.push(rest.to_owned());
            break;
        }
        let (head, tail) = rest.split_at(end);
        lines.push(head.to_owned());
        rest = tail.trim_start();
    }
    lines
}
