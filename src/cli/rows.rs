//! Lines of cells, brought into columns.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr as _;

/// Writes `lines` with their cells below each other.
pub fn rows(lines: &[Vec<String>], out: &mut impl Write) -> io::Result<()> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |at: usize| {
        lines.iter().filter_map(|line| line.get(at)).map(|cell| cell.width()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for line in lines {
        let mut text = String::from("   ");
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}
