//! Edits of a JSON text that leave every other byte of it as it is.
//!
//! What a document holds that this program knows nothing of must survive a toggle: unknown members,
//! the order of members, and numbers in more digits than a float has.

use std::ops::Range;

use serde_json::Value;

/// One step from a value into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The member of an object.
    Key(&'a str),
    /// The item of an array.
    Index(usize),
}

/// `text` with the value at `path` replaced by the JSON `value`, or added as the last member of its
/// object; the error says what is in the way.
pub(super) fn set(text: &str, path: &[Step<'_>], value: &str) -> Result<String, String> {
    let Some((last, parents)) = path.split_last() else { return Err("no path".to_owned()) };
    let parent = find(text, parents)?;
    match (children(text, parent.clone())?, last) {
        (Children::Members(members), Step::Key(key)) => {
            if let Some(member) = members.iter().rfind(|m| m.key == *key) {
                return Ok(replaced(text, member.value.clone(), value));
            }
            let at = members.last().map_or(parent.start + 1, |last| last.value.end);
            let comma = if members.is_empty() { "" } else { "," };
            Ok(replaced(text, at..at, &format!("{comma}{}:{value}", Value::from(*key))))
        }
        (Children::Items(items), Step::Index(index)) => {
            let item = items.get(*index).ok_or_else(|| format!("there is no item {index}"))?;
            Ok(replaced(text, item.clone(), value))
        }
        (_, step) => Err(format!("{step:?} does not fit what is there")),
    }
}

/// `text` without the member at `path`; the same if it is not there.
pub(super) fn remove(text: &str, path: &[Step<'_>]) -> Result<String, String> {
    let Some((Step::Key(key), parents)) = path.split_last() else {
        return Err("only members can be removed".to_owned());
    };
    let Children::Members(members) = children(text, find(text, parents)?)? else {
        return Err(format!("{key} is no member of an object"));
    };
    let Some(at) = members.iter().rposition(|member| member.key == *key) else {
        return Ok(text.to_owned());
    };
    let own = |at: usize| members.get(at).map(|member| member.whole.clone());
    // With the comma before it, or else with the one behind it.
    let gone = match (at.checked_sub(1).and_then(own), own(at), own(at + 1)) {
        (Some(before), Some(this), _) => before.end..this.end,
        (None, Some(this), Some(after)) => this.start..after.start,
        (None, Some(this), None) => this,
        (_, None, _) => return Ok(text.to_owned()),
    };
    Ok(replaced(text, gone, ""))
}

/// What a value consists of.
enum Children {
    Members(Vec<Member>),
    Items(Vec<Range<usize>>),
}

/// One member of an object: its key, and where it stands.
struct Member {
    key: String,
    whole: Range<usize>,
    value: Range<usize>,
}

fn replaced(text: &str, range: Range<usize>, by: &str) -> String {
    let mut new = text.to_owned();
    new.replace_range(range, by);
    new
}

/// Where the value at `path` stands.
fn find(text: &str, path: &[Step<'_>]) -> Result<Range<usize>, String> {
    let start = skip(text, 0);
    let mut place = start..value_end(text, start)?;
    for step in path {
        let inner = match (children(text, place)?, step) {
            // Of two members of one name the last one counts.
            (Children::Members(members), Step::Key(key)) => {
                members.into_iter().rfind(|m| m.key == *key).map(|member| member.value)
            }
            (Children::Items(items), Step::Index(index)) => items.get(*index).cloned(),
            _ => None,
        };
        place = inner.ok_or_else(|| format!("{step:?} is not there"))?;
    }
    Ok(place)
}

fn children(text: &str, place: Range<usize>) -> Result<Children, String> {
    let is_object = match byte(text, place.start) {
        Some(b'{') => true,
        Some(b'[') => false,
        _ => return Err("a value has no members".to_owned()),
    };
    let (mut members, mut items) = (Vec::new(), Vec::new());
    let mut at = skip(text, place.start + 1);
    while at + 1 < place.end {
        let start = at;
        if is_object {
            let end = value_end(text, at)?;
            let key = text.get(at..end).and_then(|key| serde_json::from_str(key).ok());
            let key: String = key.ok_or("a key that is none")?;
            let colon = skip(text, end);
            if byte(text, colon) != Some(b':') {
                return Err("a member without a value".to_owned());
            }
            at = skip(text, colon + 1);
            let end = value_end(text, at)?;
            members.push(Member { key, whole: start..end, value: at..end });
            at = end;
        } else {
            at = value_end(text, at)?;
            items.push(start..at);
        }
        at = skip(text, at);
        if byte(text, at) == Some(b',') {
            at = skip(text, at + 1);
        }
    }
    Ok(if is_object { Children::Members(members) } else { Children::Items(items) })
}

fn byte(text: &str, at: usize) -> Option<u8> {
    text.as_bytes().get(at).copied()
}

/// The first position from `at` on that is no white space.
fn skip(text: &str, mut at: usize) -> usize {
    while byte(text, at).is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// Where the value that begins at `start` ends.
fn value_end(text: &str, start: usize) -> Result<usize, String> {
    let (mut at, mut depth, mut inside) = (start, 0_usize, false);
    while let Some(b) = byte(text, at) {
        match b {
            b'\\' if inside => at += 1,
            b'"' => {
                inside = !inside;
                if !inside && depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ if inside => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => {
                return Ok(at);
            }
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    if depth == 0 && !inside && at > start {
        return Ok(at);
    }
    Err("the document ends within a value".to_owned())
}

#[cfg(test)]
mod tests {
    use super::Step::{Index, Key};
    use super::*;

    const TEXT: &str = r#" {
  "version": "1",
  "odd \"key\" {": [1, {"a": "]}"}, 12345678901234567890.10],
  "values": {"tax": { "enabled" : false , "rate":1e2 }, "empty": {}, "tax": {"enabled": true}},
  "list": [ {"on": true}, {"on": false} ]
} "#;

    #[test]
    fn a_value_changes_and_nothing_else() {
        for (path, value, from, to) in [
            (vec![Key("version")], "2", r#""version": "1""#, r#""version": 2"#),
            (
                vec![Key("values"), Key("tax"), Key("enabled")],
                "false",
                r#""tax": {"enabled": true}"#,
                r#""tax": {"enabled": false}"#,
            ),
            (
                vec![Key("values"), Key("tax"), Key("x\"y")],
                "[]",
                r#""tax": {"enabled": true}"#,
                r#""tax": {"enabled": true,"x\"y":[]}"#,
            ),
            (
                vec![Key("values"), Key("empty"), Key("on")],
                "1",
                r#""empty": {}"#,
                r#""empty": {"on":1}"#,
            ),
            (vec![Key("list"), Index(1), Key("on")], "true", r#"{"on": false}"#, r#"{"on": true}"#),
            (vec![Key("odd \"key\" {"), Index(2)], "0", "12345678901234567890.10]", "0]"),
        ] {
            assert_eq!(set(TEXT, &path, value).unwrap(), TEXT.replace(from, to), "{path:?}");
        }
        for path in [
            vec![],
            vec![Key("values"), Index(0)],
            vec![Key("none"), Key("x")],
            vec![Key("version"), Key("x")],
            vec![Key("list"), Index(2)],
        ] {
            assert!(set(TEXT, &path, "1").is_err(), "{path:?}");
        }
    }

    #[test]
    fn a_member_goes_with_one_comma() {
        for (text, key, left) in [
            (r#"{"a":1, "b": [2], "c":3}"#, "a", r#"{"b": [2], "c":3}"#),
            (r#"{"a":1, "b": [2], "c":3}"#, "b", r#"{"a":1, "c":3}"#),
            (r#"{"a":1, "b": [2], "c":3}"#, "c", r#"{"a":1, "b": [2]}"#),
            (r#"{ "a" : 1 }"#, "a", "{  }"),
            (r#"{"a":1}"#, "b", r#"{"a":1}"#),
        ] {
            assert_eq!(remove(text, &[Key(key)]).unwrap(), left);
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        for text in ["", "{", "{\"a\"", "{\"a\":", "{\"a\" 1}", "[1", "7", "{\"a\\", "{]", "nul"] {
            assert!(set(text, &[Key("a"), Key("b")], "1").is_err(), "{text}");
        }
    }
}
