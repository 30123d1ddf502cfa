//! One reference case: typed access to its input, and comparison with what it expects. Every field of
//! input and expectation must be read, so that an option nobody understood cannot pass unseen.

use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// One case and what is wrong with it.
pub struct Case<'a> {
    value: &'a Value,
    read: RefCell<BTreeSet<String>>,
    /// Differences found.
    pub complaints: Vec<String>,
    /// Values compared.
    pub compared: usize,
}

impl<'a> Case<'a> {
    pub fn new(value: &'a Value) -> Self {
        Self { value, read: RefCell::default(), complaints: Vec::new(), compared: 0 }
    }

    pub fn kind(&self) -> &'a str {
        self.value["kind"].as_str().unwrap_or("")
    }

    pub fn complain(&mut self, what: String) {
        self.complaints.push(what);
    }

    /// A field of the input; null and absent are the same.
    pub fn find(&self, name: &str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(format!("input.{name}"));
        self.value["input"].get(name).filter(|value| !value.is_null())
    }

    pub fn need(&self, name: &str) -> Result<&'a Value, String> {
        self.find(name).ok_or_else(|| format!("input has no `{name}`"))
    }

    pub fn number(&self, name: &str) -> Result<f64, String> {
        self.need(name)?.as_f64().ok_or_else(|| format!("input `{name}` is no number"))
    }

    pub fn number_or(&self, name: &str, default: f64) -> Result<f64, String> {
        if self.find(name).is_some() { self.number(name) } else { Ok(default) }
    }

    pub fn truth_or(&self, name: &str, default: bool) -> Result<bool, String> {
        match self.find(name) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| format!("input `{name}` is no boolean")),
        }
    }

    pub fn text(&self, name: &str) -> Result<&'a str, String> {
        self.need(name)?.as_str().ok_or_else(|| format!("input `{name}` is no text"))
    }

    /// A list of numbers, null being not a number.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, String> {
        let list = self.list(name)?;
        Ok(list.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect())
    }

    pub fn list(&self, name: &str) -> Result<&'a [Value], String> {
        let list = self.need(name)?.as_array().ok_or_else(|| format!("`{name}` is no list"))?;
        Ok(list)
    }

    /// Whole numbers, as tick positions are.
    pub fn positions(&self, name: &str) -> Result<Vec<usize>, String> {
        let Some(value) = self.find(name) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| format!("`{name}` is no list"))?;
        list.iter()
            .map(|v| v.as_u64().map(|at| at as usize).ok_or(format!("`{name}` holds no position")))
            .collect()
    }

    pub fn expect(&self) -> &'a Value {
        &self.value["expect"]
    }

    /// A field of the expectation, which must be there (it may be null).
    pub fn wanted(&self, name: &str) -> Result<&'a Value, String> {
        self.read.borrow_mut().insert(format!("expect.{name}"));
        self.expect().get(name).ok_or_else(|| format!("expectation has no `{name}`"))
    }

    /// Compares a number, `None` standing for null.
    pub fn same_number(
        &mut self,
        what: &str,
        got: Option<f64>,
        want: &Value,
        tolerance: Tolerance,
    ) {
        self.compared += 1;
        let fine = match (got, want.as_f64()) {
            (None, None) => want.is_null(),
            (Some(got), Some(want)) => tolerance.accepts(got, want),
            _ => false,
        };
        if !fine {
            let got = got.map_or("null".to_owned(), |x| x.to_string());
            self.complaints.push(format!("{what} is {got}, expected {want}"));
        }
    }

    /// Compares the logarithm of an e-value: null stands for no evidence at all.
    pub fn same_log(&mut self, what: &str, got: f64, want: &Value) {
        let got = (got != f64::NEG_INFINITY).then_some(got);
        self.same_number(what, got, want, USUAL);
    }

    /// Compares anything that must be exactly equal.
    pub fn same(&mut self, what: &str, got: &Value, want: &Value) {
        self.compared += 1;
        if got != want {
            self.complaints.push(format!("{what} is {got}, expected {want}"));
        }
    }

    /// Complains about looks at a tick that is not among the `ticks`: nothing would be compared there.
    pub fn all_within(&mut self, name: &str, looks: &[Value], ticks: usize) {
        for look in looks.iter().map(|look| &look[name]) {
            if look.as_u64().is_none_or(|at| at >= ticks as u64) {
                self.complaints.push(format!("{name} {look} is at none of the {ticks} ticks"));
            }
        }
    }

    /// Complains about fields that nothing looked at.
    pub fn complain_about_unread(&mut self) {
        for part in ["input", "expect"] {
            let Some(fields) = self.value[part].as_object() else { continue };
            for name in fields.keys() {
                if !self.read.borrow().contains(&format!("{part}.{name}")) {
                    self.complaints.push(format!("{part} field `{name}` is not understood"));
                }
            }
        }
    }
}

/// Complains about fields of a nested object that are not among those understood.
pub fn only(fields: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!("field `{name}` is not understood")),
    }
}

/// How far a number may be off.
#[derive(Clone, Copy)]
pub enum Tolerance {
    /// Relative or absolute, whichever allows more.
    Either(f64, f64),
    /// `factor·(1+|scale|)`.
    Scaled(f64, f64),
}

/// For evidence, dispersion, estimates, intervals and statistics.
pub const USUAL: Tolerance = Tolerance::Either(1e-6, 1e-9);
/// For points of the grid.
pub const GRID: Tolerance = Tolerance::Either(1e-9, 0.0);
/// For whole numbers.
pub const EXACT: Tolerance = Tolerance::Either(0.0, 0.0);

impl Tolerance {
    fn accepts(self, got: f64, want: f64) -> bool {
        let off = (got - want).abs();
        match self {
            Self::Either(relative, absolute) => off <= (relative * want.abs()).max(absolute),
            Self::Scaled(factor, scale) => off <= factor * (1.0 + scale.abs()),
        }
    }
}
