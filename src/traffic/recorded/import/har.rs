//! HAR files (HTTP Archive 1.2): the `request` and `startedDateTime` of each of `log.entries`.

use std::fmt;
use std::io::Read;

use reqwest::Url;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};
use serde_json::Value;
use serde_json::error::Category;

use super::{ImportError, Intake, Raw, Why};
use crate::domain::text::SafeText;

const HINT: &str = "save it again as HAR, or say what it is: --format ndjson or access-log";

/// Reads a whole file; the answers in it are passed over, not kept.
pub fn read(input: impl Read, file: &SafeText, intake: &mut Intake) -> Result<(), ImportError> {
    let mut reader = serde_json::Deserializer::from_reader(input);
    let mut place = 0;
    let mut found = false;
    let result = At { path: &["log", "entries"], intake, place: &mut place, found: &mut found }
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    let (line, why) = match result {
        Ok(()) if found => return Ok(()),
        Ok(()) => (1, "there is no `log.entries`, as every HAR file has".to_owned()),
        // The words of other categories may quote what stands there.
        Err(why) => match why.classify() {
            Category::Syntax | Category::Eof => (why.line(), format!("not JSON: {why}")),
            Category::Io => {
                return Err(ImportError::File { file: file.clone(), why: why.into() });
            }
            Category::Data => {
                (why.line(), "`log.entries` of a HAR file is a list within an object".to_owned())
            }
        },
    };
    Err(ImportError::Format { file: file.clone(), line: line.max(1), why, hint: HINT })
}

/// Goes down `path` by names, and then through the list there.
struct At<'a> {
    path: &'a [&'a str],
    intake: &'a mut Intake,
    place: &'a mut u64,
    found: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        if self.path.is_empty() { input.deserialize_seq(self) } else { input.deserialize_map(self) }
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a HAR file")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.path.split_first() else { return Ok(()) };
        while let Some(name) = map.next_key::<String>()? {
            if name == *first {
                let at = At {
                    path: rest,
                    intake: &mut *self.intake,
                    place: &mut *self.place,
                    found: &mut *self.found,
                };
                map.next_value_seed(at)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        *self.found = true;
        while let Some(entry) = list.next_element::<Entry>()? {
            *self.place += 1;
            let place = *self.place;
            self.intake.take(place, request(&entry).map(|raw| Raw { place, ..raw }));
        }
        Ok(())
    }
}

/// One entry, whatever it is; of an object, two fields.
#[derive(Default)]
struct Entry {
    request: Option<Value>,
    started: Option<Value>,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Pick)
    }
}

struct Pick;

impl<'de> Visitor<'de> for Pick {
    type Value = Entry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut entry = Entry::default();
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "request" => entry.request = Some(map.next_value()?),
                "startedDateTime" => entry.started = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(entry)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry::default())
    }

    fn visit_unit<E>(self) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Entry, E> {
        Ok(Entry::default())
    }
}

fn request(entry: &Entry) -> Result<Raw, Why> {
    let request = entry.request.as_ref().ok_or("an entry without `request`")?;
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let url = text(request, "url").ok_or("a request without `url`")?;
    let method = text(request, "method").ok_or("a request without `method`")?;
    let at = match entry.started.as_ref().and_then(Value::as_str) {
        None => None,
        Some(at) => Some(at.parse().map_err(|_| "`startedDateTime` is not a time of ISO 8601")?),
    };
    let mut headers = Vec::new();
    for header in request.get("headers").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(name), Some(value)) = (text(header, "name"), text(header, "value")) {
            headers.push((name, value));
        }
    }
    let post = request.get("postData");
    let media = post.and_then(|post| text(post, "mimeType"));
    let body = post.and_then(|post| text(post, "text")).filter(|body| !body.is_empty());
    let params = post.and_then(|post| post.get("params")).and_then(Value::as_array);
    let body = match (body, params.filter(|params| !params.is_empty())) {
        (None, Some(params)) => Some(form(params, media.as_deref())?),
        (body, _) => body,
    };
    let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let (Some(media), true, false) = (media, body.is_some(), has_type) {
        headers.push(("Content-Type".to_owned(), media));
    }
    Ok(Raw { place: 0, at, method, url, headers, body })
}

/// The body of a form of which only the fields were recorded.
fn form(params: &[Value], media: Option<&str>) -> Result<String, Why> {
    if !media.is_none_or(|media| media.starts_with("application/x-www-form-urlencoded")) {
        return Err(
            "a body of which only `params` were recorded, and that is no simple form".into()
        );
    }
    let pair = |param: &Value| {
        let text = |name: &str| param.get(name).and_then(Value::as_str).map(str::to_owned);
        (text("name").unwrap_or_default(), text("value").unwrap_or_default())
    };
    // An address whose query is the form: they are written alike.
    let form = Url::parse_with_params("http://form/", params.iter().map(pair));
    let form = form.map_err(|_| "a form that cannot be written")?;
    Ok(form.query().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::Selection;
    use super::*;

    fn take(text: &str) -> Result<Intake, String> {
        let mut intake = Intake::new(Selection::default());
        let file = SafeText::new("a.har");
        read(text.as_bytes(), &file, &mut intake).map_err(|why| why.to_string())?;
        Ok(intake)
    }

    #[test]
    fn entries_are_read_and_answers_passed_over() {
        let intake = take(
            r#"{"log":{"version":"1.2","pages":[],"entries":[
              {"startedDateTime":"2026-01-31T08:00:00.250+01:00",
               "request":{"method":"GET","url":"https://shop.example/a?b=1#c",
                 "headers":[{"name":":authority","value":"shop.example"},
                            {"name":"accept","value":"application/json"}]},
               "response":{"content":{"text":"…"}}},
              {"request":{"method":"GET"}}, 7, null, "x", [1],
              {"request":{"method":"GET","url":"wss://shop.example/live"}}
            ]}}"#,
        )
        .unwrap();
        let first = &intake.requests[0];
        assert_eq!((first.place, first.path.as_str()), (1, "/a?b=1"));
        assert_eq!(first.at, Some("2026-01-31T07:00:00.25Z".parse().unwrap()));
        assert_eq!(first.headers.len(), 1);
        assert_eq!((intake.requests.len(), intake.unreadable.count, intake.read), (1, 5, 7));
        assert_eq!(intake.unreadable.first[0].why.as_str(), "a request without `url`");
        assert_eq!(intake.skipped.get("not http or https"), Some(&1));
    }

    #[test]
    fn a_form_of_which_only_the_fields_were_recorded_is_written_again() {
        let entry = |kind: &str| {
            format!(
                r#"{{"log":{{"entries":[{{"request":{{"method":"GET","url":"https://shop.example/a",
                  "postData":{{"mimeType":"{kind}","params":[{{"name":"a b","value":"1&2"}},
                  {{"name":"c"}}]}}}}}}]}}}}"#
            )
        };
        let intake = take(&entry("application/x-www-form-urlencoded")).unwrap();
        let body = intake.requests[0].body.as_deref().unwrap();
        assert_eq!(std::str::from_utf8(body).unwrap(), "a+b=1%262&c=");
        let intake = take(&entry("multipart/form-data")).unwrap();
        assert_eq!(
            (intake.requests.len(), intake.unreadable.count),
            (0, 1),
            "not without its body"
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        for (text, why) in [
            ("{\n\"log\": hunter2", "a.har:2: not JSON: expected value at line 2 column 8"),
            ("{\"log\":", "a.har:1: not JSON: EOF while parsing a value at line 1 column 7"),
            ("{\"log\":{}}", "a.har:1: there is no `log.entries`, as every HAR file has"),
            (
                "{\"log\":{\"entries\":\"hunter2\"}}",
                "a.har:1: `log.entries` of a HAR file is a list within an object",
            ),
            ("[\"hunter2\"]", "a.har:1: `log.entries` of a HAR file is a list within an object"),
        ] {
            let said = take(text).err().unwrap();
            assert_eq!(said, format!("{why}\n    {HINT}"), "{text}");
        }
    }
}
