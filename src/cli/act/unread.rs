//! What could not be read is unknown, not absent: a refusal for want of something tells which it is.

use std::collections::BTreeSet;

use super::args::Act;
use super::intent::items;
use crate::app::State;
use crate::cli::exit::{Exit, Failure};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::{ItemId, SourceId};

/// `failure`, or what stands behind it: the journal, or what of the `needed` sources could not be
/// read. No other source counts.
pub fn unread(state: &State, act: &Act, needed: &BTreeSet<SourceId>, failure: Failure) -> Failure {
    if failure.exit != Exit::Refused {
        return failure;
    }
    if let Some(why) = &state.journal {
        let message = format!("{failure}\n  nothing was sent: {why}");
        return Failure { exit: Exit::NoJournal, message };
    }
    let faults = faults(state, act, needed);
    let Some((what, fault)) =
        faults.iter().find(|(_, fault)| is_shut(fault)).or_else(|| faults.first())
    else {
        return failure;
    };
    let exit = if is_shut(fault) { Exit::NotAuthenticated } else { Exit::Unknown };
    let message =
        format!("unknown: {what}: {fault} ({})\n  as far as it was read, {failure}", fault.hint);
    Failure { exit, message }
}

fn is_shut(fault: &Fault) -> bool {
    fault.kind == FaultKind::NotAuthenticated
}

/// What of `act` could not be read.
fn faults(state: &State, act: &Act, needed: &BTreeSet<SourceId>) -> Vec<(String, Fault)> {
    let mut found = Vec::new();
    for source in state.fleet.sources.values().filter(|source| needed.contains(&source.meta.id)) {
        let name = format!("source {}", source.meta.id);
        if let Some(failing) = source.worst() {
            found.push((name, failing.fault.clone()));
        } else if !source.report.settled {
            let fault = Fault::new(FaultKind::Unreachable, "it has not told everything in time");
            found.push((name, fault));
        }
    }
    let fleet = &state.fleet;
    for item in items(state, act) {
        let fault = match &item {
            ItemId::Pipeline(id) => fleet.pipelines.get(id).and_then(|o| o.fault.clone()),
            ItemId::Traffic(id) => fleet.traffic.get(id).and_then(|o| o.fault.clone()),
            ItemId::Flag(id) => fleet.flags.get(id).and_then(|o| o.fault.clone()),
            _ => None,
        };
        found.extend(fault.map(|fault| (item.name().to_string(), fault)));
    }
    found
}
