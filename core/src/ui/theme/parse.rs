//! Theme files: TOML, with errors that say the line and the nearest right word.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use toml::Spanned;

use super::builtin::BUILT_IN;
use super::role::Role;

/// A theme file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct ThemeFile {
    /// Its name: the file's, without the ending.
    pub name: String,
    /// The theme that it changes.
    pub inherits: Option<String>,
    /// How roles look.
    pub styles: Vec<(Role, Style)>,
}

/// What is wrong with a theme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("theme {theme}{}: {problem}", line.map(|l| format!(", line {l}")).unwrap_or_default())]
pub struct ThemeError {
    theme: String,
    line: Option<usize>,
    problem: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    inherits: Option<String>,
    #[serde(default)]
    roles: std::collections::BTreeMap<Spanned<String>, RawStyle>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawStyle {
    fg: Option<Spanned<String>>,
    bg: Option<Spanned<String>>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

const COLORS: [(&str, Color); 16] = [
    ("black", Color::Black),
    ("red", Color::Red),
    ("green", Color::Green),
    ("yellow", Color::Yellow),
    ("blue", Color::Blue),
    ("magenta", Color::Magenta),
    ("cyan", Color::Cyan),
    ("white", Color::Gray),
    ("bright-black", Color::DarkGray),
    ("bright-red", Color::LightRed),
    ("bright-green", Color::LightGreen),
    ("bright-yellow", Color::LightYellow),
    ("bright-blue", Color::LightBlue),
    ("bright-magenta", Color::LightMagenta),
    ("bright-cyan", Color::LightCyan),
    ("bright-white", Color::White),
];

impl ThemeError {
    /// There is no theme of this name.
    pub(super) fn unknown(name: &str, wanted_by: Option<&str>) -> Self {
        let by = wanted_by.map(|by| format!(" (inherited by {by})")).unwrap_or_default();
        let hint = nearest(name, BUILT_IN.iter().map(|(own, _)| *own));
        Self {
            theme: name.to_owned(),
            line: None,
            problem: format!("there is none of this name{by}{hint}"),
        }
    }

    /// Its file is there, but cannot be read.
    pub fn unreadable(name: &str, why: &str) -> Self {
        Self { theme: name.to_owned(), line: None, problem: why.to_owned() }
    }

    /// It inherits from itself.
    pub(super) fn circle(name: &str) -> Self {
        Self { theme: name.to_owned(), line: None, problem: "it inherits from itself".to_owned() }
    }
}

impl ThemeFile {
    /// Reads the text of a theme file.
    pub fn parse(name: &str, text: &str) -> Result<Self, ThemeError> {
        let error = |line: Option<usize>, problem: String| ThemeError {
            theme: name.to_owned(),
            line,
            problem,
        };
        let raw: Raw = toml::from_str(text)
            .map_err(|e| error(e.span().map(|s| line_at(text, s.start)), e.message().to_owned()))?;
        let mut styles = Vec::new();
        for (role, raw) in &raw.roles {
            let line = line_at(text, role.span().start);
            let Some(known) = Role::named(role.get_ref()) else {
                let hint = nearest(role.get_ref(), Role::ALL.iter().map(|(_, own)| *own));
                return Err(error(
                    Some(line),
                    format!("there is no role {:?}{hint}", role.get_ref()),
                ));
            };
            let color = |value: &Option<Spanned<String>>| -> Result<Option<Color>, ThemeError> {
                let Some(value) = value else { return Ok(None) };
                parse_color(value.get_ref())
                    .map(Some)
                    .map_err(|problem| error(Some(line_at(text, value.span().start)), problem))
            };
            let mut style = Style::new();
            style.fg = color(&raw.fg)?;
            style.bg = color(&raw.bg)?;
            for (on, modifier) in [
                (raw.bold, Modifier::BOLD),
                (raw.dim, Modifier::DIM),
                (raw.italic, Modifier::ITALIC),
                (raw.underline, Modifier::UNDERLINED),
                (raw.reverse, Modifier::REVERSED),
            ] {
                if on {
                    style = style.add_modifier(modifier);
                }
            }
            styles.push((known, style));
        }
        Ok(Self { name: name.to_owned(), inherits: raw.inherits, styles })
    }
}

fn parse_color(text: &str) -> Result<Color, String> {
    if let Some((_, color)) = COLORS.iter().find(|(name, _)| *name == text) {
        return Ok(*color);
    }
    if let Some(hex) = text.strip_prefix('#') {
        return match (hex.len(), u32::from_str_radix(hex, 16)) {
            (6, Ok(rgb)) => {
                let [_, r, g, b] = rgb.to_be_bytes();
                Ok(Color::Rgb(r, g, b))
            }
            _ => Err(format!("{text:?} is no colour: write #rrggbb")),
        };
    }
    if let Ok(index) = text.parse::<u8>() {
        return Ok(Color::Indexed(index));
    }
    let hint = nearest(text, COLORS.iter().map(|(name, _)| *name));
    Err(format!("{text:?} is no colour{hint}: write a name, 0 to 255, or #rrggbb"))
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, name)| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1)
}
