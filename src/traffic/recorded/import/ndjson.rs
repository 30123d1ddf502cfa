//! Recordings with one JSON object a line: `{"method":"GET","path":"/a","at":"2026-01-01T00:00:00Z"}`.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Raw, Why};

/// Reads one line.
pub fn request(line: &str) -> Result<Raw, Why> {
    let value: Value =
        serde_json::from_str(line).map_err(|why| format!("not JSON: {}", syntax(&why)))?;
    let Value::Object(fields) = value else { return Err("not a JSON object".to_owned()) };
    let text = |name: &str| match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` is not a text")),
    };
    let url = match text("url")? {
        Some(url) => Some(url),
        None => text("path")?,
    };
    let url = url.ok_or("it has neither `url` nor `path`")?;
    let method = text("method")?.unwrap_or_else(|| "GET".to_owned());
    let at = fields.get("at").filter(|at| !at.is_null()).map(time).transpose()?;
    let body = match fields.get("body") {
        None | Some(Value::Null) => None,
        Some(Value::String(body)) => Some(body.clone()),
        Some(json) => Some(json.to_string()),
    };
    Ok(Raw { place: 0, at, method, url, headers: headers(&fields)?, body })
}

/// What is wrong, without the place: it is always the one line.
fn syntax(why: &serde_json::Error) -> String {
    let said = why.to_string();
    let what = said.split(" at line ").next().unwrap_or_default().to_owned();
    format!("{what} at column {}", why.column())
}

/// RFC 3339, or seconds or milliseconds since 1970.
fn time(at: &Value) -> Result<Timestamp, Why> {
    let wrong = || "`at` is neither a time as in 2026-01-31T08:00:00Z nor seconds since 1970";
    let parsed = match at {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_f64().and_then(|seconds| {
            // Seconds that large would be beyond the year 5000.
            let seconds = if seconds.abs() >= 1e11 { seconds / 1e3 } else { seconds };
            let nanos = (seconds * 1e9).round();
            nanos.is_finite().then(|| Timestamp::from_nanosecond(nanos as i128).ok())?
        }),
        _ => None,
    };
    parsed.ok_or_else(|| wrong().to_owned())
}

/// `{"Accept": "a"}`, `{"Accept": ["a", "b"]}` or `[{"name": "Accept", "value": "a"}]`.
fn headers(fields: &Map<String, Value>) -> Result<Vec<(String, String)>, Why> {
    let wrong = || "`headers` is neither an object of texts nor a list of names and values";
    let mut headers = Vec::new();
    match fields.get("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) => {
            for (name, value) in map {
                match value {
                    Value::String(text) => headers.push((name.clone(), text.clone())),
                    Value::Array(several) => {
                        for value in several {
                            let text = value.as_str().ok_or_else(wrong)?;
                            headers.push((name.clone(), text.to_owned()));
                        }
                    }
                    _ => return Err(wrong().to_owned()),
                }
            }
        }
        Some(Value::Array(list)) => {
            for entry in list {
                let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
                let (Some(name), Some(value)) = (text("name"), text("value")) else {
                    return Err(wrong().to_owned());
                };
                headers.push((name, value));
            }
        }
        Some(_) => return Err(wrong().to_owned()),
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_all_they_may_have() {
        let raw = request(
            r#"{"method":"POST","url":"https://a.example/x?b=1","headers":{"A":"1","B":["2","3"]},
                "body":{"c":4},"at":"2026-01-31T08:00:00Z"}"#,
        )
        .unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((raw.method.as_str(), raw.url.as_str()), ("POST", "https://a.example/x?b=1"));
        let headers: Vec<(&str, &str)> =
            raw.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(headers, [("A", "1"), ("B", "2"), ("B", "3")]);
        assert_eq!(raw.body.as_deref(), Some(r#"{"c":4}"#));
        assert_eq!(raw.at, Some("2026-01-31T08:00:00Z".parse().unwrap()));
    }

    #[test]
    fn times_in_seconds_and_milliseconds() {
        for (at, expected) in [
            ("1769846400", "2026-01-31T08:00:00Z"),
            ("1769846400.25", "2026-01-31T08:00:00.25Z"),
            ("1769846400250", "2026-01-31T08:00:00.25Z"),
        ] {
            let raw = request(&format!(r#"{{"path":"/","at":{at}}}"#)).ok().unwrap();
            let off = raw.at.unwrap().duration_since(expected.parse().unwrap());
            assert!(off.abs() < jiff::SignedDuration::from_millis(1), "{at}: {off}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        for (line, why) in [
            ("hunter2", "not JSON: expected value at column 1"),
            (r#"{"path":"#, "not JSON: EOF while parsing a value at column 8"),
            (r#"["hunter2"]"#, "not a JSON object"),
            (r#"{"method":"GET"}"#, "it has neither `url` nor `path`"),
            (r#"{"path":["hunter2"]}"#, "`path` is not a text"),
            (
                r#"{"path":"/","at":"hunter2"}"#,
                "`at` is neither a time as in 2026-01-31T08:00:00Z nor seconds since 1970",
            ),
            (
                r#"{"path":"/","headers":"hunter2"}"#,
                "`headers` is neither an object of texts nor a list of names and values",
            ),
        ] {
            assert_eq!(request(line).err().as_deref(), Some(why), "{line}");
        }
    }
}
