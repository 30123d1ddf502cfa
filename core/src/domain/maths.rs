//! The names in an expression of metric maths, such as `e` and `r` in `100 * e / SUM(r)`.

use std::ops::Range;

/// Where the names stand in `expression`; what is in quotes, and numbers as `1e3`, have none.
pub fn names(expression: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut signs = expression.char_indices().peekable();
    while let Some((start, sign)) = signs.next() {
        if matches!(sign, '"' | '\'') {
            signs.by_ref().find(|(_, end)| *end == sign);
        } else if sign.is_alphanumeric() || sign == '_' {
            let mut end = start + sign.len_utf8();
            while let Some((at, more)) =
                signs.next_if(|(_, c)| c.is_alphanumeric() || *c == '_' || *c == '.')
            {
                end = at + more.len_utf8();
            }
            if !sign.is_numeric() {
                found.push(start..end);
            }
        }
    }
    found
}

/// The expression with every name for which `rename` knows another.
pub fn renamed(expression: &str, rename: impl Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(expression.len());
    let mut done = 0;
    for place in names(expression) {
        let name = expression.get(place.clone()).unwrap_or_default();
        text.push_str(expression.get(done..place.start).unwrap_or_default());
        text.push_str(rename(name).as_deref().unwrap_or(name));
        done = place.end;
    }
    text.push_str(expression.get(done..).unwrap_or_default());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_numbers_functions_and_quotes() {
        let short = |name: &str| (name.len() == 1).then(|| format!("fd_0_{name}"));
        for (expression, expected) in [
            ("100*e/r", "100*fd_0_e/fd_0_r"),
            ("e / (e + r)", "fd_0_e / (fd_0_e + fd_0_r)"),
            ("1e3 * e", "1e3 * fd_0_e"),
            ("SUM(e)", "SUM(fd_0_e)"),
            ("er + e2 + _e", "er + e2 + _e"),
            ("SEARCH('e r', \"e\") + e", "SEARCH('e r', \"e\") + fd_0_e"),
            ("'e", "'e"),
            ("", ""),
        ] {
            assert_eq!(renamed(expression, short), expected, "{expression}");
        }
    }
}
