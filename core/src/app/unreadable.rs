//! Items that cannot be read while their source answers: who they are, why, and what to do.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::error::Fault;
use crate::domain::fleet::Fleet;
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::text::SafeText;

/// Names told of items that fail for the same reason.
const NAMES: usize = 5;

/// Items that cannot be read, all for the same reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FailingItems {
    /// What kind of thing they are.
    pub kind: String,
    /// How many.
    pub count: usize,
    /// Some of their names.
    pub names: Vec<SafeText>,
    /// Why one of them failed, and what to do.
    pub fault: Fault,
    /// The permission that is missing, if that is known.
    pub missing_permission: Option<SafeText>,
}

impl FailingItems {
    fn new(item: &ItemId, fault: &Fault) -> Self {
        Self {
            kind: item.kind().to_owned(),
            count: 1,
            names: vec![item.name().clone()],
            fault: fault.clone(),
            missing_permission: fault.kind.missing_permission().cloned(),
        }
    }

    fn add(&mut self, item: &ItemId) {
        self.count += 1;
        if self.names.len() < NAMES {
            self.names.push(item.name().clone());
        }
    }

    fn takes(&self, item: &ItemId, fault: &Fault) -> bool {
        self.kind == item.kind() && self.fault.kind.is_like(&fault.kind)
    }

    /// How many of what cannot be read, why, and some of their names.
    pub fn words(&self) -> String {
        let Self { kind, count, fault, .. } = self;
        let s = match (*count, kind.as_str()) {
            (1, _) | (_, "series" | "traffic") => "",
            _ => "s",
        };
        let missing = match &self.missing_permission {
            Some(permission) => format!(", missing {permission}"),
            None => String::new(),
        };
        let names: Vec<&str> = self.names.iter().map(SafeText::as_str).collect();
        let more = if *count > names.len() { ", …" } else { "" };
        format!("{count} {kind}{s}: {}{missing} ({}{more})", fault.kind.word(), names.join(", "))
    }
}

/// What of each source cannot be read by itself, by kind and reason.
pub fn by_source(fleet: &Fleet) -> BTreeMap<SourceId, Vec<FailingItems>> {
    let mut found: BTreeMap<SourceId, Vec<FailingItems>> = BTreeMap::new();
    for (item, fault) in fleet.faults() {
        let groups = found.entry(item.source().clone()).or_default();
        match groups.iter_mut().find(|group| group.takes(&item, fault)) {
            Some(group) => group.add(&item),
            None => groups.push(FailingItems::new(&item, fault)),
        }
    }
    found
}

/// What of `source` cannot be read by itself. Free when nothing fails.
pub fn of(fleet: &Fleet, source: &SourceId) -> Vec<FailingItems> {
    match fleet.sources.get(source) {
        Some(state) if state.unreadable > 0 => by_source(fleet).remove(source).unwrap_or_default(),
        _ => Vec::new(),
    }
}
