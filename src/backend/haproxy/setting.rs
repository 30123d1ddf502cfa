//! One setting of one server: as a command, and whether it came about.

use super::answer::{DRAIN, MAINT, State};
use crate::domain::write::ArmWish;

/// One setting of one server.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub server: String,
    pub before: State,
    pub wish: ArmWish,
}

impl Setting {
    /// The command, without its end.
    pub(super) fn command(&self, backend: &str) -> String {
        let what = match self.wish {
            ArmWish::Ready => "state ready".to_owned(),
            ArmWish::Drain => "state drain".to_owned(),
            ArmWish::Maintenance => "state maint".to_owned(),
            ArmWish::Weight(weight) => format!("weight {weight}"),
        };
        format!("set server {backend}/{} {what}", self.server)
    }

    /// Whether `state` is what was wanted; `None` if that cannot be told.
    pub(super) fn is_met(&self, state: State) -> Option<bool> {
        Some(match self.wish {
            ArmWish::Weight(weight) => state.weight? == weight,
            ArmWish::Ready => state.admin? & (DRAIN | MAINT) == 0,
            ArmWish::Drain => state.admin? & DRAIN != 0 && state.admin? & MAINT == 0,
            ArmWish::Maintenance => state.admin? & MAINT != 0,
        })
    }

    /// The part of `state` that it is about, in words.
    pub(super) fn words(&self, state: State) -> String {
        match (self.wish, state.weight, state.admin) {
            (ArmWish::Weight(_), Some(weight), _) => format!("weight {weight}"),
            (ArmWish::Weight(_), None, _) | (_, _, None) => "unknown".to_owned(),
            (_, _, Some(admin)) if admin & MAINT != 0 => "maintenance".to_owned(),
            (_, _, Some(admin)) if admin & DRAIN != 0 => "drain".to_owned(),
            _ => "ready".to_owned(),
        }
    }
}
