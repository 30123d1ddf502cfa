//! From the file to a design: every fault of meaning at once, each with its line.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};

use super::expect::{Expectation, Is};
use super::file::{DesignFile, ExpectShape, RequestShape, Scalar, VariableShape};
use super::request::Request;
use super::template::{Escape, Odd, Template, is_name};
use super::variable::{Origin, Variable};
use super::{Design, ERRORS, SLOW};
use crate::config::document::{Document, read_document};
use crate::config::tree::KeyPath;
use crate::config::{Problem, Report};
use crate::domain::text::SafeText;
use crate::judge::spec::MetricKind;
use crate::judge::{Direction, MetricSpec, Spec};
use crate::traffic::target::is_safe;

/// The shortest tick.
const LEAST_TICK: Duration = Duration::from_millis(100);
/// The most ticks: what is kept of each adds up.
const MOST_TICKS: f64 = 86_400.0;
/// Headers that carry a credential: their value is a secret.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];
/// Headers that follow from the request itself.
const OUR_OWN: [&str; 3] = ["content-length", "transfer-encoding", "connection"];

/// Reads a design. `path` is only for messages.
///
/// # Errors
/// Every fault of form, or if there is none, every fault of meaning.
pub fn parse(path: &Path, text: &str) -> Result<Design, Report> {
    let document = read_document::<DesignFile>(path, text)?;
    let mut checker = Checker { document: &document, variables: Vec::new(), problems: Vec::new() };
    let design = checker.design();
    if checker.problems.is_empty() { Ok(design) } else { Err(Report::new(checker.problems)) }
}

struct Checker<'d> {
    document: &'d Document<DesignFile>,
    variables: Vec<Variable>,
    problems: Vec<Problem>,
}

fn key(name: &str) -> KeyPath {
    KeyPath::default().key(name)
}

impl Checker<'_> {
    fn fault(&mut self, at: &KeyPath, message: impl Into<String>, hint: &str) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.problems.push(self.document.fault(at, message, hint));
    }

    fn design(&mut self) -> Design {
        let document = self.document;
        let file = &document.value;
        self.variables =
            file.variables.iter().filter_map(|(name, shape)| self.variable(name, shape)).collect();
        let requests: Vec<Request> =
            file.requests.iter().map(|(name, shape)| self.request(name, shape)).collect();
        if requests.iter().all(|request| request.weight <= 0.0) {
            self.fault(&key("requests"), "no request has a weight above 0", "");
        }
        let design = Design {
            rate: file.rate,
            duration: file.duration.get(),
            warm_up: file.warm_up.get(),
            concurrency: usize::try_from(file.concurrency).unwrap_or(usize::MAX),
            timeout: file.timeout.get(),
            tick: file.tick.get(),
            pace: file.pace,
            seed: file.seed,
            follow_redirects: file.follow_redirects,
            max_requests: file.max_requests,
            ca_file: file.ca_file.clone(),
            variables: self.variables.clone(),
            requests,
            baseline_errors: file.judge.baseline_errors,
            spec: Spec::default(),
        };
        self.times(&design);
        let spec = spec(file, &design);
        if let Err(error) = spec.check() {
            self.fault(&key("judge"), error.to_string(), "");
        }
        Design { spec, ..design }
    }

    fn times(&mut self, design: &Design) {
        if design.duration.is_zero() {
            self.fault(&key("duration"), "nothing would be measured", "");
        }
        if design.timeout.is_zero() {
            self.fault(&key("timeout"), "nothing could be answered in no time", "");
        }
        if design.tick < LEAST_TICK {
            self.fault(&key("tick"), "is too short", "a tick has 100ms or more");
        } else if design.whole().as_secs_f64() / design.tick.as_secs_f64() > MOST_TICKS {
            self.fault(&key("tick"), "makes more than 86,400 ticks", "write a longer one");
        }
        // In numbers of its own: a duration may be as long as it likes.
        let total = design.rate * design.whole().as_secs_f64();
        let most = design.max_requests;
        if total > most as f64 {
            let message = format!(
                "rate × (warm_up + duration) is {total:.0} requests to each side, more than \
                 max_requests ({most})"
            );
            let hint = "send less or shorter, or raise max_requests to the number that is meant";
            self.fault(&key("rate"), message, hint);
        }
        let document = self.document;
        for (name, request) in &document.value.requests {
            let own = request.latency.map(|limit| (limit, key("requests").key(name)));
            let general = document.value.latency.map(|limit| (limit, KeyPath::default()));
            if let Some((limit, at)) = own.or(general)
                && limit.get() >= design.timeout
            {
                let message = format!("{limit} is not below the timeout");
                self.fault(&at.key("latency"), message, "no answer could ever be slow");
            }
        }
    }

    fn variable(&mut self, name: &str, shape: &VariableShape) -> Option<Variable> {
        let at = key("variables").key(name);
        if !is_name(name) {
            self.fault(&at, "is no name of a variable", "use letters, digits, - and _");
        }
        let list = shape
            .list
            .as_ref()
            .map(|list| Origin::List(list.iter().map(Scalar::to_text).collect()));
        let range = match shape.range.as_deref() {
            None => None,
            Some([from, to]) if from <= to => Some(Origin::Range(*from, *to)),
            Some(_) => {
                self.fault(&at.key("range"), "is no range", "write [FIRST, LAST], as in [1, 100]");
                return None;
            }
        };
        let secret = shape.secret.clone().map(Origin::Secret);
        let mut origins = [list, range, secret].into_iter().flatten();
        match (origins.next(), origins.next()) {
            (Some(origin), None) => {
                Some(Variable { name: name.to_owned(), origin, order: shape.order })
            }
            _ => {
                self.fault(&at, "needs exactly one of `list`, `range`, `secret`", "");
                None
            }
        }
    }

    fn template(&mut self, text: &str, at: &KeyPath) -> Template {
        // Of all that are in the file: one that is at fault itself is no unknown one too.
        let document = self.document;
        let all: Vec<&str> = document.value.variables.keys().map(String::as_str).collect();
        let usable: Vec<&str> = self.variables.iter().map(|v| v.name.as_str()).collect();
        match Template::parse(text, &usable) {
            Ok(template) => template,
            Err(Odd::Unknown(name)) if all.contains(&name.as_str()) => Template::default(),
            Err(Odd::Unknown(name)) => {
                let message = format!("there is no variable `{name}`");
                let hint = format!("add [variables.{name}]");
                self.fault(at, message, &hint);
                Template::default()
            }
            Err(Odd::Open) => {
                let hint = "write {{name}} for a variable, {{{{ for {{ itself";
                self.fault(at, "`{{` without a name and `}}`", hint);
                Template::default()
            }
        }
    }

    fn request(&mut self, name: &str, shape: &RequestShape) -> Request {
        let at = key("requests").key(name);
        let method = self.method(shape, &at);
        if !shape.path.starts_with('/') {
            self.fault(&at.key("path"), "does not begin with a slash", "write a path, as in /cart");
        } else if let Some(odd) = shape.path.chars().find(|c| *c == '#' || *c <= ' ') {
            self.fault(&at.key("path"), format!("{odd:?} cannot be in a path"), "write it as %XX");
        }
        let path = self.template(&shape.path, &at.key("path"));
        let headers = self.headers(&shape.headers, &at);
        let is_json = |(name, value): &(HeaderName, Template)| {
            name.as_str() == "content-type" && value.texts().any(|text| text.contains("json"))
        };
        let escape = if headers.iter().any(is_json) { Escape::Json } else { Escape::Plain };
        let body = shape.body.as_ref().map(|body| (self.template(body, &at.key("body")), escape));
        let expect: Vec<Expectation> = shape
            .expect
            .iter()
            .enumerate()
            .map(|(index, expect)| self.expectation(expect, &at.key("expect").index(index)))
            .collect();
        if method == Method::HEAD && !expect.is_empty() {
            self.fault(&at.key("expect"), "an answer to HEAD has nothing in it", "");
        }
        Request {
            name: SafeText::new(name),
            method,
            path,
            headers,
            body,
            weight: shape.weight,
            status: shape.status.clone(),
            expect,
            latency: shape.latency.or(self.document.value.latency).map(Duration::from),
        }
    }

    fn method(&mut self, shape: &RequestShape, at: &KeyPath) -> Method {
        const KNOWN: [Method; 7] = [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        let found = KNOWN.into_iter().find(|method| method.as_str() == shape.method);
        let Some(method) = found else {
            let message = format!("`{}` is no method", shape.method);
            let hint = "one of GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE";
            self.fault(&at.key("method"), message, hint);
            return Method::GET;
        };
        if !is_safe(&method) && !self.document.value.unsafe_methods {
            let message = format!("{method} may change something on both sides");
            let hint = "if that is meant, write unsafe_methods = true at the top of the file";
            self.fault(&at.key("method"), message, hint);
        }
        method
    }

    /// The headers of all requests, and over them those of one.
    fn headers(
        &mut self,
        own: &BTreeMap<String, String>,
        at: &KeyPath,
    ) -> Vec<(HeaderName, Template)> {
        let document = self.document;
        let general = document.value.headers.iter().map(|row| (KeyPath::default(), row));
        let own = own.iter().map(|row| (at.clone(), row));
        let mut headers: Vec<(HeaderName, Template)> = Vec::new();
        for (owner, (name, text)) in general.chain(own) {
            let at = owner.key("headers").key(name);
            let Ok(header) = HeaderName::try_from(name.as_str()) else {
                self.fault(&at, "is no name of a header", "");
                continue;
            };
            if OUR_OWN.contains(&header.as_str()) {
                self.fault(&at, "follows from the request itself", "leave it out");
            }
            let value = self.template(text, &at);
            if value.texts().any(|text| HeaderValue::from_str(text).is_err()) {
                self.fault(&at, "has characters that no header may have", "");
            }
            let is_credential = CREDENTIALS.contains(&header.as_str());
            let secret = |number| self.variables.get(number).is_some_and(Variable::is_secret);
            if is_credential && !value.variables().any(secret) {
                let hint =
                    "write {{token}}, and [variables.token] with secret = { env = \"NAME\" }";
                self.fault(&at, "a secret is never written into a file", hint);
            }
            headers.retain(|(known, _)| *known != header);
            headers.push((header, value));
        }
        headers
    }

    fn expectation(&mut self, shape: &ExpectShape, at: &KeyPath) -> Expectation {
        let equals = shape.equals.as_ref().map(|equals| match equals {
            Scalar::Bool(yes) => Is::Bool(*yes),
            Scalar::Integer(number) => Is::Number(*number as f64),
            Scalar::Number(number) => Is::Number(*number),
            Scalar::Text(text) => Is::Text(self.template(text, &at.key("equals"))),
        });
        let bounds = shape.at_least.is_some() || shape.at_most.is_some();
        let within = bounds.then_some(Is::Within(shape.at_least, shape.at_most));
        let mut found = [equals, shape.exists.map(Is::There), within].into_iter().flatten();
        let is = found.next();
        if is.is_none() || found.next().is_some() {
            let message = "needs exactly one of `equals`, `exists`, `at_least` and `at_most`";
            self.fault(at, message, "at_least and at_most go together");
        }
        Expectation { at: shape.at.clone(), is: is.unwrap_or(Is::There(true)) }
    }
}

impl Scalar {
    fn to_text(&self) -> String {
        match self {
            Self::Bool(yes) => yes.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

fn spec(file: &DesignFile, design: &Design) -> Spec {
    let judge = &file.judge;
    let metric = |name: &str, margin: f64, floor: f64| MetricSpec {
        kind: MetricKind::Count { floor: (floor != 0.0).then_some(floor), strict: judge.strict },
        direction: Direction::Increase,
        margin,
        ..MetricSpec::errors(name)
    };
    let mut metrics = vec![metric(ERRORS, judge.errors_margin, judge.errors_floor)];
    if design.has_limit() {
        metrics.push(metric(SLOW, judge.slow_margin, judge.slow_floor));
    }
    let tick = design.tick.max(LEAST_TICK).as_secs_f64();
    Spec {
        alpha: judge.alpha,
        beta: judge.beta,
        tick_seconds: tick,
        warm_up_ticks: (design.warm_up.as_secs_f64() / tick).ceil() as u64,
        min_bake_ticks: 0,
        // Whoever sends the requests knows of each what became of it: nothing is ever silent.
        silent_after_ticks: u64::MAX,
        metrics,
        ..Spec::default()
    }
}
