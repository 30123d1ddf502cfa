//! Access logs of the common and combined form: `1.2.3.4 - ann [31/Jan/2026:08:00:00 +0000] "GET / …" 200 5`.

use jiff::Timestamp;
use jiff::fmt::strtime;

use super::{Raw, Why};

/// Reads one line. Client, user and what was answered are left out.
pub fn request(line: &str) -> Result<Raw, Why> {
    let (at, rest) = time(line).ok_or("no time as in [31/Jan/2026:08:00:00 +0000]")?;
    let mut quoted = Vec::new();
    let mut rest = rest;
    while let Some(begin) = rest.find('"') {
        let (text, after) = unquoted(rest.get(begin + 1..).unwrap_or_default())
            .ok_or("a quotation that does not end")?;
        quoted.push(text);
        rest = after;
    }
    let mut quoted = quoted.into_iter();
    let line = quoted.next().ok_or("no request in quotation marks behind the time")?;
    let mut words = line.split(' ').filter(|word| !word.is_empty());
    let (method, url, version, more) = (words.next(), words.next(), words.next(), words.next());
    let (Some(method), Some(url), None) = (method, url, more) else {
        return Err("its request is not a method, a path and a version".to_owned());
    };
    // HTTP/0.9 had none.
    if version.is_some_and(|version| !version.starts_with("HTTP/")) {
        return Err("its request is not a method, a path and a version".to_owned());
    }
    let names = ["Referer", "User-Agent"];
    let headers = names
        .into_iter()
        .zip(quoted)
        .filter(|(_, value)| !value.is_empty() && value != "-")
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Ok(Raw {
        place: 0,
        at: Some(at),
        method: method.to_owned(),
        url: url.to_owned(),
        headers,
        body: None,
    })
}

/// The first time in brackets, and what is behind it; a user may be called `[…]`.
fn time(line: &str) -> Option<(Timestamp, &str)> {
    let mut rest = line;
    loop {
        let begin = rest.find('[')?;
        rest = rest.get(begin + 1..)?;
        let end = rest.find(']')?;
        let parsed = strtime::parse("%d/%b/%Y:%H:%M:%S %z", rest.get(..end)?);
        if let Some(at) = parsed.ok().and_then(|broken| broken.to_timestamp().ok()) {
            return Some((at, rest.get(end + 1..)?));
        }
    }
}

/// The text up to the closing quotation mark, its `\"` and `\xHH` resolved, and what is behind.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\\'])?;
        bytes.extend_from_slice(rest.get(..at)?.as_bytes());
        let mark = rest.get(at..=at)?;
        rest = rest.get(at + 1..)?;
        if mark == "\"" {
            return Some((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        let escaped = rest.chars().next()?;
        let code = rest.get(1..3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = rest.get(escaped.len_utf8()..)?;
        match (escaped, code) {
            ('x', Some(byte)) => {
                bytes.push(byte);
                rest = rest.get(2..)?;
            }
            ('t', _) => bytes.push(b'\t'),
            ('n', _) => bytes.push(b'\n'),
            _ => bytes.extend_from_slice(escaped.to_string().as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(line: &str) -> (String, String, Vec<(String, String)>) {
        let raw = request(line).unwrap_or_else(|why| panic!("{line}: {why}"));
        assert_eq!(raw.at, Some("2026-01-31T07:00:00Z".parse().unwrap()), "{line}");
        (raw.method, raw.url, raw.headers)
    }

    #[test]
    fn common_combined_and_with_a_virtual_host() {
        let time = "[31/Jan/2026:08:00:00 +0100]";
        let plain = ("GET".to_owned(), "/a?b=1".to_owned(), Vec::new());
        for begin in ["1.2.3.4 - -", "::1 - ann", "shop.example:443 1.2.3.4 - -", "1.2.3.4 - [odd]"]
        {
            for end in ["200 12", "200 -", "200 12 \"-\" \"-\"", "200 12 0.003"] {
                let line = format!("{begin} {time} \"GET /a?b=1 HTTP/1.1\" {end}");
                assert_eq!(parts(&line), plain, "{line}");
            }
        }
        let line = format!(
            r#"1.2.3.4 - - {time} "GET /a?b=1 HTTP/1.1" 200 1 "https://x.example/" "A \"B\" \x41""#
        );
        let headers = parts(&line).2;
        assert_eq!(headers[0], ("Referer".to_owned(), "https://x.example/".to_owned()));
        assert_eq!(headers[1], ("User-Agent".to_owned(), "A \"B\" A".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        let time = "[31/Jan/2026:08:00:00 +0100]";
        for (line, why) in [
            ("hunter2".to_owned(), "no time as in [31/Jan/2026:08:00:00 +0000]"),
            ("x [1] [31/Foo/2026]".to_owned(), "no time as in [31/Jan/2026:08:00:00 +0000]"),
            (format!("x {time} hunter2"), "no request in quotation marks behind the time"),
            (format!("x {time} \"GET /hunter2"), "a quotation that does not end"),
            (format!("x {time} \"-\" 400 0"), "its request is not a method, a path and a version"),
            (
                format!(r#"x {time} "\x16\x03\x01 a b c" 400 0"#),
                "its request is not a method, a path and a version",
            ),
            (
                format!("x {time} \"GET /a b\" 400 0"),
                "its request is not a method, a path and a version",
            ),
        ] {
            assert_eq!(request(&line).err().as_deref(), Some(why), "{line}");
        }
    }
}
