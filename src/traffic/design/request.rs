//! One designed request: how it is written for the wire, and whether its answer is right.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::expect::Expectation;
use super::template::{Escape, Template};
use super::variable::Values;
use crate::domain::text::SafeText;
use crate::traffic::target::{Answer, Wire};

/// So much of an answer is read as JSON; a longer one does not meet an expectation.
pub const ANSWER_LIMIT: usize = 4 * 1024 * 1024;

/// A request of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its name.
    pub name: SafeText,
    /// Its method.
    pub method: Method,
    /// Path and query.
    pub path: Template,
    /// Its headers, those of all requests among them.
    pub headers: Vec<(HeaderName, Template)>,
    /// Its body, and how variables are written in it.
    pub body: Option<(Template, Escape)>,
    /// How often it is sent, relative to the others.
    pub weight: f64,
    /// The status codes that are right.
    pub status: Vec<u16>,
    /// What the answer says.
    pub expect: Vec<Expectation>,
    /// From when on an answer is slow.
    pub latency: Option<Duration>,
}

/// What is wrong with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Another status than expected.
    Status(u16),
    /// It does not say what was expected.
    Expectation(SafeText),
}

impl Request {
    /// The request with the values of one shot in it.
    ///
    /// # Errors
    /// The name of a header whose value may not be sent.
    pub fn wire(&self, picks: &[u64], values: &Values) -> Result<Wire, HeaderName> {
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            let text = template.fill(picks, values, Escape::Plain);
            let mut value = HeaderValue::from_str(&text).map_err(|_| name.clone())?;
            value.set_sensitive(true);
            headers.insert(name.clone(), value);
        }
        let body = self.body.as_ref();
        Ok(Wire {
            method: self.method.clone(),
            path: self.path.fill(picks, values, Escape::Percent),
            headers,
            body: body.map(|(body, escape)| body.fill(picks, values, *escape).into_bytes()),
        })
    }

    /// How much of an answer is to be kept.
    pub fn keep(&self) -> usize {
        if self.expect.is_empty() { 0 } else { ANSWER_LIMIT }
    }

    /// Whether `answer` is right.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, answer: &Answer, picks: &[u64], values: &Values) -> Result<(), Wrong> {
        if !self.status.contains(&answer.status) {
            return Err(Wrong::Status(answer.status));
        }
        if self.expect.is_empty() {
            return Ok(());
        }
        let wrong = |why: &str| Wrong::Expectation(SafeText::new(why));
        if answer.cut {
            return Err(wrong("the answer is longer than 4 MiB"));
        }
        let json = serde_json::from_slice(&answer.body)
            .map_err(|_| wrong("the answer is not the JSON that was expected"))?;
        for expectation in &self.expect {
            expectation.check(&json, picks, values).map_err(Wrong::Expectation)?;
        }
        Ok(())
    }
}
