//! Text with variables: `{{name}}` is filled in anew for each request; `{{{{` stands for `{{` itself.

use super::variable::Values;

/// How a value is written where it is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// As it is.
    Plain,
    /// For a path or a query: all but letters, digits and `-._~` as `%XX` (RFC 3986, section 2.3).
    Percent,
    /// For the inside of a JSON string.
    Json,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The variable of this number.
    Variable(usize),
}

/// A text, read once and filled in often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Part>);

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Odd {
    /// `{{` without its end, or without a name.
    Open,
    /// There is no such variable.
    Unknown(String),
}

impl Template {
    /// Reads `text`; `names` are the variables, in the order of their numbers.
    pub fn parse(text: &str, names: &[&str]) -> Result<Self, Odd> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix("{{") {
                plain.push_str("{{");
                rest = after;
                continue;
            }
            let (name, after) = after.split_once("}}").ok_or(Odd::Open)?;
            let name = name.trim();
            if !is_name(name) {
                return Err(Odd::Open);
            }
            let number = names.iter().position(|known| *known == name);
            let number = number.ok_or_else(|| Odd::Unknown(name.to_owned()))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Variable(number));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The text with the values of one request in it.
    pub fn fill(&self, picks: &[u64], values: &Values, escape: Escape) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable(number) => {
                    let pick = picks.get(*number).copied().unwrap_or(0);
                    put(&mut out, &values.of(*number, pick), escape);
                }
            }
        }
        out
    }

    /// The numbers of its variables.
    pub fn variables(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(number) => Some(*number),
            Part::Text(_) => None,
        })
    }

    /// Its text, without its variables.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Variable(_) => None,
        })
    }
}

/// Whether a variable may be called so.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn put(out: &mut String, value: &str, escape: Escape) {
    match escape {
        Escape::Plain => out.push_str(value),
        Escape::Percent => {
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            out.push_str(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values::of_lists(&[&["a b/ü", "\"x\"\n"], &["7"]])
    }

    #[test]
    fn variables_are_put_in_where_they_stand() {
        let template = Template::parse("/u/{{ who }}/{{n}}?q={{{{x}}", &["who", "n"]).unwrap();
        let values = values();
        assert_eq!(template.fill(&[0, 0], &values, Escape::Plain), "/u/a b/ü/7?q={{x}}");
        assert_eq!(template.fill(&[0, 0], &values, Escape::Percent), "/u/a%20b%2F%C3%BC/7?q={{x}}");
        assert_eq!(template.fill(&[1, 0], &values, Escape::Json), "/u/\\\"x\\\"\\n/7?q={{x}}");
        assert_eq!(template.variables().collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn what_is_no_variable_is_told() {
        let parse = |text: &str| Template::parse(text, &["who"]);
        assert_eq!(parse("{{who"), Err(Odd::Open));
        assert_eq!(parse("{{}}"), Err(Odd::Open));
        assert_eq!(parse("{{w o}}"), Err(Odd::Open));
        assert_eq!(parse("{{whom}}"), Err(Odd::Unknown("whom".to_owned())));
        assert_eq!(parse("{\"a\":{}}").unwrap().texts().collect::<String>(), "{\"a\":{}}");
        assert_eq!(parse("").unwrap(), Template::default());
    }
}
