//! What was seen beside the target of a write: the version that a canary's share goes to.

use serde::{Deserialize, Serialize};

use super::moved::Moved;
use crate::domain::environment::Environment;
use crate::domain::fleet::Fleet;
use crate::domain::ids::EnvironmentId;
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;

/// The version that was seen in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// In which environment.
    pub environment: EnvironmentId,
    /// Of several fleets the one that counts.
    pub slot: SafeText,
    /// Which version.
    pub revision: SafeText,
    /// It is read again before anything is sent. The way away from a canary waits for no reading of
    /// it: it may be down.
    pub binding: bool,
}

impl Beside {
    /// What is seen in `environment`, if it tells a version.
    pub fn seen(environment: &Environment, slot: &SafeText, binding: bool) -> Option<Self> {
        let revision = revision(environment, slot)?.id.clone();
        let (environment, slot) = (environment.id.clone(), slot.clone());
        Some(Self { environment, slot, revision, binding })
    }

    /// What it is.
    pub fn what(&self) -> SafeText {
        format!("revision in {}", self.environment.name).into()
    }

    /// The version, as people write it.
    pub fn short(&self) -> SafeText {
        Revision::of(self.revision.as_str()).short().into()
    }

    /// What is there now, if it is told and another one.
    pub fn moved(&self, fleet: &Fleet) -> Option<Moved> {
        let now = fleet.environments.get(&self.environment)?;
        let now = revision(&now.value, &self.slot)?;
        (now.id != self.revision).then(|| self.but(now))
    }

    /// The same of a reading that was made to find out: what is not told by it has moved as well.
    pub fn moved_or_gone(&self, fleet: &Fleet) -> Option<Moved> {
        let told = fleet.environments.get(&self.environment);
        match told.and_then(|o| revision(&o.value, &self.slot)) {
            Some(now) => (now.id != self.revision).then(|| self.but(now)),
            None => Some(Moved {
                what: self.what(),
                seen: self.short(),
                now: "not told any more".into(),
            }),
        }
    }

    fn but(&self, now: &Revision) -> Moved {
        let (mut seen, mut other) = (self.short(), SafeText::from(now.short()));
        if seen == other {
            (seen, other) = (self.revision.clone(), now.id.clone());
        }
        Moved { what: self.what(), seen, now: other }
    }
}

/// The version of one fleet of an environment; of the whole, if none is called so.
fn revision<'a>(environment: &'a Environment, slot: &SafeText) -> Option<&'a Revision> {
    match environment.slots.iter().find(|own| own.name == *slot) {
        Some(own) => own.revision.as_ref(),
        None => environment.revision.as_ref(),
    }
}
