//! What an answer is expected to say, at JSON pointers.

use std::fmt;

use serde_json::Value as Json;

use super::template::{Escape, Template};
use super::variable::Values;
use crate::domain::text::{SafeText, fit};

/// Longest part of an answer that is quoted, in cells.
const QUOTED: usize = 40;

/// One expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Where (RFC 6901); the empty pointer is the whole answer.
    pub at: String,
    /// What stands there.
    pub is: Is,
}

/// What is expected of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Is {
    /// It is there (or is not).
    There(bool),
    /// It is this text; a number is compared as it is written.
    Text(Template),
    /// It is this number.
    Number(f64),
    /// It is true, or false.
    Bool(bool),
    /// It is a number within these bounds, both included.
    Within(Option<f64>, Option<f64>),
}

impl Expectation {
    /// Whether `answer` is as expected.
    ///
    /// # Errors
    /// What it is instead, without secrets.
    pub fn check(&self, answer: &Json, picks: &[u64], values: &Values) -> Result<(), SafeText> {
        let found = answer.pointer(&self.at);
        let number = found.and_then(Json::as_f64);
        let fits = match &self.is {
            Is::There(wanted) => found.is_some() == *wanted,
            Is::Text(template) => {
                let wanted = template.fill(picks, values, Escape::Plain);
                match found {
                    Some(Json::String(text)) => *text == wanted,
                    Some(Json::Number(number)) => number.to_string() == wanted,
                    _ => false,
                }
            }
            Is::Number(wanted) => number.is_some_and(|number| number.total_cmp(wanted).is_eq()),
            Is::Bool(wanted) => found.and_then(Json::as_bool) == Some(*wanted),
            Is::Within(least, most) => number.is_some_and(|number| {
                least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
            }),
        };
        if fits {
            return Ok(());
        }
        let place = if self.at.is_empty() { "the answer" } else { &self.at };
        let got = match found {
            None => "nothing".to_owned(),
            Some(Json::Object(_)) => "an object".to_owned(),
            Some(Json::Array(_)) => "a list".to_owned(),
            Some(other) => fit(&values.redact(&other.to_string()), QUOTED),
        };
        Err(SafeText::new(&format!("{place} is {got}, expected {}", self.is)))
    }
}

impl fmt::Display for Is {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::There(true) => f.write_str("something"),
            Self::There(false) => f.write_str("nothing"),
            // What is filled in may be a secret.
            Self::Text(text) if text.variables().next().is_some() => f.write_str("what was sent"),
            Self::Text(text) => write!(f, "{:?}", text.texts().collect::<String>()),
            Self::Number(number) => write!(f, "{number}"),
            Self::Bool(yes) => write!(f, "{yes}"),
            Self::Within(Some(least), Some(most)) => write!(f, "{least} to {most}"),
            Self::Within(Some(least), None) => write!(f, "{least} or more"),
            Self::Within(None, Some(most)) => write!(f, "{most} or less"),
            Self::Within(None, None) => f.write_str("a number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(at: &str, is: Is) -> Result<(), String> {
        let answer = serde_json::json!({
            "state": "ok", "items": [{ "id": 7, "price": 2.5 }], "open": true, "none": null,
        });
        let values = Values::of_lists(&[&["7", "8"]]);
        let expectation = Expectation { at: at.to_owned(), is };
        expectation.check(&answer, &[0], &values).map_err(|why| why.to_string())
    }

    fn text(text: &str) -> Is {
        Is::Text(Template::parse(text, &["id"]).unwrap())
    }

    #[test]
    fn answers_are_as_expected_or_it_is_told_what_they_are() {
        for (at, is) in [
            ("/state", text("ok")),
            ("/items/0/id", text("{{id}}")),
            ("/items/0/id", Is::Number(7.0)),
            ("/items/0/price", Is::Within(Some(2.5), Some(3.0))),
            ("/open", Is::Bool(true)),
            ("/none", Is::There(true)),
            ("/items/1", Is::There(false)),
            ("", Is::There(true)),
        ] {
            assert_eq!(told(at, is.clone()), Ok(()), "{at} {is:?}");
        }
        for (at, is, why) in [
            ("/state", text("up"), "/state is \"ok\", expected \"up\""),
            ("/items/0/price", text("{{id}}"), "/items/0/price is 2.5, expected what was sent"),
            ("/items", Is::Number(1.0), "/items is a list, expected 1"),
            ("/items/0/id", Is::Within(Some(8.0), None), "/items/0/id is 7, expected 8 or more"),
            ("/open", Is::Bool(false), "/open is true, expected false"),
            ("/gone", Is::There(true), "/gone is nothing, expected something"),
        ] {
            assert_eq!(told(at, is), Err(why.to_owned()));
        }
    }
}
