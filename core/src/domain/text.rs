//! `SafeText`: the only string type that may reach a screen or a table.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Longest text kept, in characters; what is beyond is cut and marked with `…`.
pub const MAX_CHARS: usize = 2_000;

/// Text from outside that carries no control, no escape sequence and no invisible direction change.
///
/// Escape sequences (CSI, OSC, DCS, …) are parsed out whole, tabs and line ends become a space,
/// other controls become their visible picture, bidirectional and zero-width controls become `·`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeText {
    text: Arc<str>,
    altered: bool,
}

impl SafeText {
    /// Sanitises `raw`.
    pub fn new(raw: &str) -> Self {
        if is_plain(raw) {
            return Self { text: Arc::from(raw), altered: false };
        }
        let text = sanitise(raw);
        let altered = text != raw;
        Self { text: Arc::from(text), altered }
    }

    /// Sanitises bytes; invalid UTF-8 becomes U+FFFD.
    pub fn from_bytes(raw: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(raw))
    }

    /// The text, safe to print.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether sanitising changed the text: then it must not be sent back as an identifier.
    pub fn is_altered(&self) -> bool {
        self.altered
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Display width in terminal cells.
    pub fn width(&self) -> usize {
        self.text.width()
    }

    /// At most `cells` wide; a cut is marked with `…`.
    pub fn fit(&self, cells: usize) -> String {
        fit(&self.text, cells)
    }
}

/// Cuts `text` to at most `cells` display cells at a grapheme boundary; a cut is marked with `…`.
pub fn fit(text: &str, cells: usize) -> String {
    if text.width() <= cells {
        return text.to_owned();
    }
    if cells == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let width = grapheme.width();
        if used + width > cells - 1 {
            break;
        }
        out.push_str(grapheme);
        used += width;
    }
    out.push('…');
    out
}

fn is_plain(raw: &str) -> bool {
    raw.len() <= MAX_CHARS && raw.bytes().all(|b| (0x20..0x7f).contains(&b))
}

fn sanitise(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len().min(MAX_CHARS * 4));
    let mut kept = 0;
    let mut marks = 0;
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        let shown = match c {
            '\u{1b}' => {
                skip_escape(&mut chars);
                continue;
            }
            // C1 forms of the sequence introducers.
            '\u{9b}' => {
                skip_csi(&mut chars);
                continue;
            }
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => {
                skip_string(&mut chars);
                continue;
            }
            '\r' if chars.peek() == Some(&'\n') => continue,
            '\t' | '\n' | '\r' | '\u{0b}' | '\u{0c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
            '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('·'),
            '\u{7f}' => '␡',
            '\u{80}'..='\u{9f}' => '·',
            c if is_invisible(c) => '·',
            c => c,
        };
        // A pile of combining marks on one cell is a way to smear over other rows.
        if is_combining(shown) {
            marks += 1;
            if marks > 3 {
                continue;
            }
        } else {
            marks = 0;
        }
        if kept + 1 >= MAX_CHARS {
            out.push('…');
            break;
        }
        out.push(shown);
        kept += 1;
    }
    out
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// After ESC: drops the whole sequence that it introduces.
fn skip_escape(chars: &mut Chars<'_>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            chars.next();
            skip_string(chars);
        }
        Some(' '..='/') => {
            while chars.next_if(|c| (' '..='/').contains(c)).is_some() {}
            chars.next_if(|c| ('0'..='~').contains(c));
        }
        Some('0'..='~') => {
            chars.next();
        }
        _ => {}
    }
}

fn skip_csi(chars: &mut Chars<'_>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Drops an OSC, DCS, SOS, PM or APC string up to its terminator; an unterminated one ends the text.
fn skip_string(chars: &mut Chars<'_>) {
    while let Some(c) = chars.next() {
        match c {
            '\u{07}' | '\u{9c}' | '\u{18}' | '\u{1a}' => return,
            '\u{1b}' => {
                chars.next_if_eq(&'\\');
                return;
            }
            _ => {}
        }
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

impl fmt::Display for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for SafeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

impl Default for SafeText {
    fn default() -> Self {
        Self::new("")
    }
}

impl From<&str> for SafeText {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for SafeText {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl From<&String> for SafeText {
    fn from(raw: &String) -> Self {
        Self::new(raw)
    }
}

impl PartialEq<str> for SafeText {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for SafeText {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl Serialize for SafeText {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for SafeText {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let raw = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Ok(Self::new(&raw))
    }
}

impl schemars::JsonSchema for SafeText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SafeText".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_parsed_out_whole() {
        for (raw, shown) in [
            ("plain", "plain"),
            ("a\x1b]52;c;ZXZpbA==\x07b", "ab"),
            ("a\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
            ("a\x1b[31mred\x1b[0m", "ared"),
            ("a\u{9b}31mred", "ared"),
            ("a\u{9d}52;c;x\u{9c}b", "ab"),
            ("a\x1bP+q544e\x1b\\b", "ab"),
            ("a\x1b(0b", "ab"),
            ("tab\there\r\nthere", "tab here there"),
            ("over\rwrite", "over write"),
            ("bell\x07", "bell␇"),
            ("rtl\u{202e}gpj.exe", "rtl·gpj.exe"),
            ("zero\u{200b}width", "zero·width"),
            ("unterminated\x1b]52;c;ZXZ", "unterminated"),
        ] {
            assert_eq!(SafeText::new(raw).as_str(), shown, "{raw:?}");
        }
    }

    #[test]
    fn a_megabyte_is_cut_and_marked() {
        let text = SafeText::new(&"é".repeat(1_000_000));
        assert_eq!(text.as_str().chars().count(), MAX_CHARS);
        assert!(text.as_str().ends_with('…'));
        assert!(text.is_altered());
    }

    #[test]
    fn invalid_utf8_becomes_the_replacement_character() {
        assert_eq!(SafeText::from_bytes(b"a\xff\xfeb").as_str(), "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn fit_cuts_by_display_width() {
        assert_eq!(SafeText::new("日本語").fit(5), "日本…");
        assert_eq!(SafeText::new("日本語").fit(6), "日本語");
        assert_eq!(SafeText::new("abc").fit(0), "");
        assert_eq!(SafeText::new("abc").fit(1), "…");
    }

    proptest::proptest! {
        #[test]
        fn nothing_hostile_survives(raw in ".{0,200}|(\\x1b|\\u{9b}|\\u{9d}|[a-z;\\[\\]]|\\u{202e}){0,60}") {
            let safe = SafeText::new(&raw);
            for c in safe.as_str().chars() {
                proptest::prop_assert!(!c.is_control() && !is_invisible(c), "{c:?} in {safe:?}");
            }
            proptest::prop_assert_eq!(&SafeText::new(safe.as_str()).text, &safe.text);
        }
    }
}
