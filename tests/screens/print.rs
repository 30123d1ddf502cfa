//! A frame as text: its rows, and under them a map of its styles with a legend.

use std::fmt::Write;

use flightdeck::ui::Look;
use flightdeck::ui::theme::Role;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Style};
use unicode_width::UnicodeWidthStr;

/// The rows of a frame; the cell that a wide character covers is left out.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let symbol = cell(buffer, x, y).symbol();
            row.push_str(symbol);
            x += u16::try_from(symbol.width()).unwrap().max(1);
        }
        writeln!(text, "{}", row.trim_end()).unwrap();
    }
    text
}

/// Rows and styles. A style that a role of the theme has is shown by that role's letter, any other
/// by a digit in the order of its first cell; a dot is the style of ordinary text.
pub fn styled(buffer: &Buffer, look: &Look) -> String {
    let own = roles(look);
    let mut others: Vec<String> = Vec::new();
    let mut used = std::collections::BTreeSet::new();
    let mut map = String::new();
    for y in 0..buffer.area.height {
        let mut row = String::new();
        for x in 0..buffer.area.width {
            let cell = cell(buffer, x, y);
            let style = words(cell);
            // Nobody sees the colour of ink that is not there.
            if style.is_empty() || (cell.symbol() == " " && !shows_on_blanks(cell)) {
                row.push('.');
                continue;
            }
            let letter = match own.iter().position(|(_, own)| *own == style) {
                Some(at) => char::from(b'a' + u8::try_from(at).unwrap()),
                None => {
                    let at = others.iter().position(|other| *other == style).unwrap_or_else(|| {
                        others.push(style);
                        others.len() - 1
                    });
                    char::from_digit(u32::try_from(at).unwrap(), 10).unwrap()
                }
            };
            used.insert(letter);
            row.push(letter);
        }
        writeln!(map, "{}", row.trim_end_matches('.')).unwrap();
    }
    let mut legend = String::new();
    for (at, (names, style)) in own.iter().enumerate() {
        let letter = char::from(b'a' + u8::try_from(at).unwrap());
        if used.contains(&letter) {
            writeln!(legend, "{letter} {names}: {style}").unwrap();
        }
    }
    for (at, style) in others.iter().enumerate() {
        writeln!(legend, "{at} {style}").unwrap();
    }
    format!(
        "{}~ styles\n{}~ legend\n{legend}",
        text(buffer),
        map.trim_end_matches('\n').to_owned() + "\n"
    )
}

fn cell(buffer: &Buffer, x: u16, y: u16) -> &Cell {
    buffer.cell((x, y)).unwrap()
}

/// The roles of the theme by how they look: those that look alike share a letter.
fn roles(look: &Look) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (role, name) in Role::ALL {
        let style = words(&painted(look.style(role)));
        if style.is_empty() {
            continue;
        }
        match found.iter_mut().find(|(_, other)| *other == style) {
            Some((names, _)) => {
                names.push('/');
                names.push_str(name);
            }
            None => found.push((name.to_owned(), style)),
        }
    }
    found
}

fn painted(style: Style) -> Cell {
    let mut cell = Cell::new(" ");
    cell.set_style(style);
    cell
}

fn shows_on_blanks(cell: &Cell) -> bool {
    use ratatui::style::Modifier;
    cell.bg != Color::Reset || cell.modifier.intersects(Modifier::REVERSED | Modifier::UNDERLINED)
}

/// How a cell looks, in words; nothing for ordinary text.
fn words(cell: &Cell) -> String {
    let mut words = Vec::new();
    if cell.fg != Color::Reset {
        words.push(cell.fg.to_string());
    }
    if cell.bg != Color::Reset {
        words.push(format!("on {}", cell.bg));
    }
    words.extend(cell.modifier.iter_names().map(|(name, _)| name.to_lowercase()));
    words.join(" ")
}
