//! Traffic splits: the weights between the versions behind one address.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::environment::Health;
use super::ids::TrafficId;
use super::revision::Revision;
use super::text::SafeText;

/// One address and the arms behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficSplit {
    /// Who it is.
    pub id: TrafficId,
    /// In the backend's order.
    pub arms: Vec<Arm>,
    /// When a weight last changed, as far as the source tells.
    pub since: Option<Timestamp>,
    /// What moves the weights by itself, if anything does.
    pub automation: Option<SafeText>,
}

/// One version behind the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Arm {
    /// Its name, unique within the split.
    pub name: SafeText,
    /// The weight as the backend counts it.
    pub weight: u32,
    /// Whether it can take traffic at all (up, and neither drained nor in maintenance).
    pub usable: bool,
    /// The backend's word for its state: `UP`, `DRAIN`, `MAINT`, …
    pub state: SafeText,
    /// How it is.
    pub health: Health,
    /// What runs there, where known.
    pub revision: Option<Revision>,
    /// Requests a second.
    pub request_rate: Option<f64>,
    /// Share of requests that failed, 0–1.
    pub error_rate: Option<f64>,
    /// Requests since the counter started.
    pub requests: Option<u64>,
    /// Failed requests since the counter started.
    pub errors: Option<u64>,
}

impl TrafficSplit {
    /// The arm called `name`.
    pub fn arm(&self, name: &str) -> Option<&Arm> {
        self.arms.iter().find(|a| a.name == *name)
    }

    /// Share of the traffic that goes to `name`, 0–100; `None` if no arm can take any.
    pub fn percent(&self, name: &str) -> Option<f64> {
        let total: u64 = self.arms.iter().filter(|a| a.usable).map(|a| u64::from(a.weight)).sum();
        let arm = self.arm(name)?;
        if total == 0 {
            return None;
        }
        let own = if arm.usable { u64::from(arm.weight) } else { 0 };
        Some(own as f64 * 100.0 / total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::SourceId;

    fn arm(name: &str, weight: u32, usable: bool) -> Arm {
        Arm {
            name: name.into(),
            weight,
            usable,
            state: "UP".into(),
            health: Health::Healthy,
            revision: None,
            request_rate: None,
            error_rate: None,
            requests: None,
            errors: None,
        }
    }

    #[test]
    fn shares_count_only_usable_arms() {
        let mut split = TrafficSplit {
            id: TrafficId::new(&SourceId::new("lb"), "web"),
            arms: vec![arm("stable", 90, true), arm("canary", 10, true), arm("old", 50, false)],
            since: None,
            automation: None,
        };
        assert_eq!(split.percent("canary"), Some(10.0));
        assert_eq!(split.percent("old"), Some(0.0));
        assert_eq!(split.percent("nobody"), None);
        for arm in &mut split.arms {
            arm.usable = false;
        }
        assert_eq!(split.percent("canary"), None);
    }
}
