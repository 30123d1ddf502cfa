//! Conditions on a measured value, as Argo Rollouts' configurations write them: `result[0] >= 0.95`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A condition: comparisons with numbers, joined by `&&` and `||`, without parentheses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    text: String,
    /// One of these must hold, and of it everything.
    any: Vec<Vec<Comparison>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Comparison {
    by: By,
    with: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    AtLeast,
    AtMost,
    Above,
    Below,
    Same,
    Other,
}

/// Longer ones first: `>=` begins with `>`.
const SIGNS: [(&str, By); 6] = [
    (">=", By::AtLeast),
    ("<=", By::AtMost),
    ("==", By::Same),
    ("!=", By::Other),
    (">", By::Above),
    ("<", By::Below),
];
/// What the value is called; the name may be left out.
const NAMES: [&str; 2] = ["result[0]", "result"];

impl Condition {
    /// Whether it holds for `value`.
    pub fn holds(&self, value: f64) -> bool {
        self.any.iter().any(|all| all.iter().all(|comparison| comparison.holds(value)))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Comparison {
    #[expect(clippy::float_cmp, reason = "the condition itself asks for equality")]
    fn holds(self, value: f64) -> bool {
        match self.by {
            By::AtLeast => value >= self.with,
            By::AtMost => value <= self.with,
            By::Above => value > self.with,
            By::Below => value < self.with,
            By::Same => value == self.with,
            By::Other => value != self.with,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let named = NAMES.iter().find_map(|name| text.strip_prefix(name));
        let text = named.unwrap_or(text).trim_start();
        let (rest, by) =
            SIGNS.iter().find_map(|(sign, by)| Some((text.strip_prefix(sign)?, *by)))?;
        let with = rest.trim().parse::<f64>().ok().filter(|with| with.is_finite())?;
        Some(Self { by, with })
    }
}

impl JsonSchema for Condition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "flightdeck-condition",
            "description": "Comparisons of the measured value with numbers, joined by && and ||.",
            "examples": ["result[0] <= 0.02"],
        })
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.text
    }
}

impl TryFrom<String> for Condition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let any = text
            .split("||")
            .map(|all| {
                let all = all.split("&&").map(|one| {
                    Comparison::read(one).ok_or_else(|| {
                        format!(
                            "`{}` is no condition: write a comparison with a number, as in \
                             `result[0] >= 0.95`, joined by && and ||",
                            one.trim()
                        )
                    })
                });
                all.collect()
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { text, any })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Condition, String> {
        Condition::try_from(text.to_owned())
    }

    #[test]
    fn conditions_hold_as_they_are_written() {
        for (text, yes, no) in [
            ("result[0] >= 0.95", 0.95, 0.94),
            ("result<=5", 5.0, 5.1),
            ("> 1 && < 2", 1.5, 2.0),
            ("result == 0 || result[0] > 10", 11.0, 5.0),
            ("!= 3", 2.0, 3.0),
        ] {
            let condition = read(text).unwrap();
            assert!(condition.holds(yes) && !condition.holds(no), "{text}");
            assert_eq!(condition.text(), text);
        }
    }

    #[test]
    fn what_cannot_be_evaluated_is_refused() {
        for text in ["", "result", "result > high", "isNaN(result)", "> 1 &&", ">= inf"] {
            assert!(read(text).unwrap_err().contains("is no condition"), "{text}");
        }
    }
}
