//! Compares two answers to one request: status, headers, and the body by its structure.

mod body;
mod headers;
mod json;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::clean::Cleaner;
use super::scrub::is_secret_name;
use crate::domain::text::{SafeText, fit};
use crate::traffic::target::Answer;

/// So many fields of one pair of answers are told apart.
const MOST_FIELDS: usize = 300;
/// So wide is a value in an example, in cells.
const VALUE_WIDTH: usize = 160;
/// So wide is the name of a field.
const NAME_WIDTH: usize = 200;

/// Which part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The status.
    Status,
    /// A header.
    Header,
    /// A field of a JSON body.
    Json,
    /// A body that is no JSON.
    Body,
}

impl Part {
    /// Where, as `status`, `header server`, `/items/{}/price` or `body line 3`.
    pub fn label(self, name: &SafeText) -> String {
        match self {
            Self::Status => "status".to_owned(),
            Self::Header => format!("header {name}"),
            Self::Json if name.is_empty() => "(document)".to_owned(),
            Self::Json => name.to_string(),
            Self::Body if name.is_empty() => "body".to_owned(),
            Self::Body => format!("body {name}"),
        }
    }
}

/// How the canary differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The baseline has it, the canary has not.
    Missing,
    /// The canary has it, the baseline has not.
    Added,
    /// It is of another type.
    Type,
    /// It has another value.
    Value,
    /// The list or text has another length.
    Length,
    /// The same items in another order.
    Order,
}

/// Where answers differ, and how: what noise is counted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// Which part.
    pub part: Part,
    /// The name of a header, or a JSON pointer whose list indexes and ids are `{}`; empty for a whole.
    pub name: SafeText,
    /// How.
    pub kind: Kind,
}

impl Field {
    /// Where, as [`Part::label`] says it.
    pub fn label(&self) -> String {
        self.part.label(&self.name)
    }
}

/// Both values of a field, fit to be shown; none where there is no such field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Of the first answer.
    pub before: Option<SafeText>,
    /// Of the second.
    pub after: Option<SafeText>,
}

/// What two answers differ in, each field once.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// By field, with the values of the first place in which it was found.
    pub fields: BTreeMap<Field, Pair>,
    /// Whether there were more fields than are told apart.
    pub more: bool,
}

impl Differences {
    fn add(&mut self, part: Part, name: &str, kind: Kind, pair: impl FnOnce() -> Pair) {
        let field = Field { part, name: SafeText::from(fit(name, NAME_WIDTH)), kind };
        if self.fields.contains_key(&field) {
            return;
        }
        if self.fields.len() >= MOST_FIELDS {
            self.more = true;
            return;
        }
        self.fields.insert(field, pair());
    }
}

/// An answer, ready to be compared.
#[derive(Clone, Debug)]
pub struct Prepared {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Empty,
    Json(Value),
    Text(String),
    Bytes(Vec<u8>),
    /// Longer than what was kept.
    Cut,
}

impl Prepared {
    /// Makes `answer` comparable with those of other hosts.
    pub fn new(answer: &Answer, cleaner: &Cleaner) -> Self {
        Self {
            status: answer.status,
            headers: headers::prepare(&answer.headers, cleaner),
            body: body::prepare(answer, cleaner),
        }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Whether its body was too long to be compared.
    pub fn is_cut(&self) -> bool {
        matches!(self.body, Body::Cut)
    }
}

/// What no answer has otherwise than `before`: nobody knows the rest.
pub fn compare_silence(before: &Prepared, why: &SafeText) -> Differences {
    let mut found = Differences::default();
    let pair = || Pair {
        before: Some(SafeText::from(before.status.to_string())),
        after: Some(SafeText::from(fit(why.as_str(), VALUE_WIDTH))),
    };
    found.add(Part::Status, "", Kind::Missing, pair);
    found
}

/// What `after` has otherwise than `before`. Of answers with another status only that is told: an
/// error page differs from everything.
pub fn compare(before: &Prepared, after: &Prepared) -> Differences {
    let mut found = Differences::default();
    if before.status != after.status {
        let pair = || Pair {
            before: Some(SafeText::from(before.status.to_string())),
            after: Some(SafeText::from(after.status.to_string())),
        };
        found.add(Part::Status, "", Kind::Value, pair);
        return found;
    }
    headers::compare(&before.headers, &after.headers, &mut found);
    body::compare(&before.body, &after.body, &mut found);
    found
}

/// A value as an example shows it; withheld if its `name` says that it is a credential.
fn shown(name: &str, text: &str) -> SafeText {
    if is_secret_name(name) {
        return SafeText::new("(withheld)");
    }
    // Longer texts are cut twice: once cheaply, once by what they take on the screen.
    let begin: String = text.chars().take(4 * VALUE_WIDTH).collect();
    let clean = super::scrub::Scrubber::default().shown(&begin);
    SafeText::from(SafeText::new(&clean).fit(VALUE_WIDTH))
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
