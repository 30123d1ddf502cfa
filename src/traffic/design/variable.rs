//! Variables: lists, ranges and secrets, from which each request takes its values.

use std::borrow::Cow;

use crate::config::{Secret, SecretError, SecretValue};

/// Which value the next request takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Any, by the seed.
    #[default]
    Random,
    /// One after the other, and from the first again.
    Turn,
}

/// Where its values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// One of these; never empty.
    List(Vec<String>),
    /// A whole number from the first to the last, both included.
    Range(i64, i64),
    /// Always this one, which is never shown.
    Secret(Secret),
}

/// A variable as it was designed.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its values.
    pub origin: Origin,
    /// Which value is next.
    pub order: Order,
}

impl Variable {
    /// How many values it has; at least one.
    pub fn count(&self) -> u64 {
        match &self.origin {
            Origin::List(list) => (list.len() as u64).max(1),
            Origin::Range(from, to) => to.abs_diff(*from).saturating_add(1),
            Origin::Secret(_) => 1,
        }
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.origin, Origin::Secret(_))
    }
}

#[derive(Clone, Debug)]
enum Held {
    List(Vec<String>),
    Range(i64),
    Secret(SecretValue),
}

/// The values of all variables, secrets included; cannot be printed.
#[derive(Clone, Debug)]
pub struct Values(Vec<Held>);

impl Values {
    /// Fetches the secrets.
    ///
    /// # Errors
    /// The name of the variable whose secret cannot be had, and why.
    pub async fn fetch(variables: &[Variable]) -> Result<Self, (String, SecretError)> {
        let mut held = Vec::with_capacity(variables.len());
        for variable in variables {
            held.push(match &variable.origin {
                Origin::List(list) => Held::List(list.clone()),
                Origin::Range(from, _) => Held::Range(*from),
                Origin::Secret(secret) => {
                    let value = secret.resolve().await;
                    Held::Secret(value.map_err(|why| (variable.name.clone(), why))?)
                }
            });
        }
        Ok(Self(held))
    }

    /// Value number `pick` of variable number `number`, counted from 0.
    pub(super) fn of(&self, number: usize, pick: u64) -> Cow<'_, str> {
        match self.0.get(number) {
            Some(Held::List(list)) => {
                let at = usize::try_from(pick).unwrap_or(0);
                Cow::Borrowed(list.get(at).map_or("", String::as_str))
            }
            Some(Held::Range(from)) => {
                Cow::Owned((i128::from(*from) + i128::from(pick)).to_string())
            }
            Some(Held::Secret(secret)) => Cow::Borrowed(secret.expose()),
            None => Cow::Borrowed(""),
        }
    }

    /// `text` without the secrets in it, as an answer may repeat them.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for held in &self.0 {
            if let Held::Secret(secret) = held {
                text = text.replace(secret.expose(), "(secret)");
            }
        }
        text
    }

    #[cfg(test)]
    pub(crate) fn of_lists(lists: &[&[&str]]) -> Self {
        let held = |list: &&[&str]| Held::List(list.iter().map(ToString::to_string).collect());
        Self(lists.iter().map(held).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(origin: Origin) -> Variable {
        Variable { name: "v".to_owned(), origin, order: Order::Random }
    }

    #[tokio::test]
    async fn each_sort_has_its_values() {
        let variables = [
            variable(Origin::List(vec!["de".to_owned(), "fr".to_owned()])),
            variable(Origin::Range(-1, 3)),
            variable(Origin::Range(i64::MIN, i64::MAX)),
            variable(Origin::Secret(Secret::Command(vec!["echo".into(), "s3cret".into()]))),
        ];
        let counts: Vec<u64> = variables.iter().map(Variable::count).collect();
        assert_eq!(counts, [2, 5, u64::MAX, 1]);
        let values = Values::fetch(&variables).await.unwrap();
        assert_eq!(values.of(0, 1), "fr");
        assert_eq!(values.of(1, 0), "-1");
        assert_eq!(values.of(1, 4), "3");
        assert_eq!(values.of(2, u64::MAX), i64::MAX.to_string());
        assert_eq!(values.of(3, 0), "s3cret");
        assert_eq!(values.redact("it said s3cret!"), "it said (secret)!");
        assert!(!format!("{values:?}").contains("s3cret"));
    }

    #[tokio::test]
    async fn a_secret_that_is_not_there_is_named() {
        let gone = variable(Origin::Secret(Secret::Env("FLIGHTDECK_TEST_UNSET".to_owned())));
        let (name, why) = Values::fetch(&[gone]).await.unwrap_err();
        assert_eq!(name, "v");
        assert!(why.to_string().contains("FLIGHTDECK_TEST_UNSET"));
    }
}
