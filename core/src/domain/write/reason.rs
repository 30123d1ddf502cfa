//! The reason of a hold, in the few characters that the tightest backend takes.

/// Most characters of a reason (`DisableStageTransition` in the API reference).
const MOST: usize = 300;
/// What is written where nothing of the reason is left: the service wants at least one character.
const NONE: &str = "held";

/// `text` in what `DisableStageTransition` allows, `[a-zA-Z0-9!@ ().*?-]{1,300}`: signs that only
/// structure a sentence become spaces and dashes, letters lose their accents, and what has no
/// counterpart becomes a question mark.
pub fn hold_reason(text: &str) -> String {
    let mut mapped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => mapped.push(c),
            '!' | '@' | ' ' | '(' | ')' | '.' | '*' | '?' | '-' => mapped.push(c),
            '[' | '{' => mapped.push('('),
            ']' | '}' => mapped.push(')'),
            '<' => mapped.push_str(" under "),
            '>' => mapped.push_str(" over "),
            '\'' | '"' | '`' | '’' | '‘' | '“' | '”' | '„' => {}
            '&' => mapped.push_str(" and "),
            '%' => mapped.push_str(" percent"),
            '+' => mapped.push_str(" plus "),
            '=' => mapped.push_str(" is "),
            ':' | '/' | '\\' | '_' | '|' | '~' | '–' | '—' => mapped.push('-'),
            ',' | ';' | '#' | '$' | '^' => mapped.push(' '),
            '…' => mapped.push_str("..."),
            c if c.is_whitespace() => mapped.push(' '),
            c => mapped.push_str(plain(c)),
        }
    }
    let words: Vec<&str> = mapped.split_whitespace().collect();
    let cut: String = words.join(" ").chars().take(MOST).collect();
    let cut = cut.trim();
    if cut.is_empty() { NONE.to_owned() } else { cut.to_owned() }
}

/// A letter of a western European name without its accent.
fn plain(c: char) -> &'static str {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'å' => "a",
        'À' | 'Á' | 'Â' | 'Ã' | 'Å' => "A",
        'ä' | 'æ' => "ae",
        'Ä' | 'Æ' => "Ae",
        'ç' | 'č' | 'ć' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'ě' => "e",
        'È' | 'É' | 'Ê' | 'Ë' => "E",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' | 'ń' => "n",
        'ò' | 'ó' | 'ô' | 'õ' => "o",
        'ö' | 'ø' | 'œ' => "oe",
        'Ö' | 'Ø' => "Oe",
        'ł' => "l",
        'ř' => "r",
        'š' | 'ś' => "s",
        'ß' => "ss",
        'ù' | 'ú' | 'û' | 'ů' => "u",
        'ü' => "ue",
        'Ü' => "Ue",
        'ý' | 'ÿ' => "y",
        'ž' | 'ź' | 'ż' => "z",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_said_in_what_the_service_takes() {
        for (text, said) in [
            ("peak hours", "peak hours"),
            ("INC-42: p99 > 2s, see #ops", "INC-42- p99 over 2s see ops"),
            ("rolled back & held (by flightdeck)", "rolled back and held (by flightdeck)"),
            ("errors at 5%", "errors at 5 percent"),
            ("Jürgen's canary… fails\n", "Juergens canary... fails"),
            ("赤い", "??"),
            ("'\"", "held"),
            ("", "held"),
        ] {
            assert_eq!(hold_reason(text), said, "{text}");
        }
    }

    #[test]
    fn any_reason_fits() {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!@ ().*?-".contains(c);
        let every: String = (0..0x3000).filter_map(char::from_u32).collect();
        for text in [every.as_str(), &"ä".repeat(400), &" x".repeat(400)] {
            let said = hold_reason(text);
            assert!((1..=MOST).contains(&said.chars().count()));
            assert!(said.chars().all(allowed), "{said}");
        }
    }
}
