//! `Interest`: what is visible or moving and thus read often; the rest is read seldom or not at all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::ids::ItemId;

/// What is to be read often.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Interest {
    /// Items that are visible or moving. Series that are not in here are not read at all.
    pub items: BTreeSet<ItemId>,
    /// Everything once and then at the slow cadence, series too: for a headless picture.
    pub everything: bool,
}
