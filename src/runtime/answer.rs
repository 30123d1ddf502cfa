//! What a source answered, made fit to be taken in: its own, of bounded size, in parts.

use jiff::Timestamp;

use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::Fact;
use crate::domain::fleet::{MAX_CHANGES, age_of};
use crate::domain::ids::{ChangeId, ItemId, SourceId};
use crate::domain::observation::Observation;

/// Facts taken from one answer; a source that floods is cut here and says so.
const MAX_FACTS: usize = 50_000;
/// Facts taken in at once: between two parts a key is looked at and a frame is drawn.
const PART: usize = 500;

/// An answer that is the source's own and of bounded size.
pub(super) fn checked(source: &SourceId, mut answer: Observation) -> Result<Observation, Fault> {
    if answer.source != *source {
        let message = format!("{source} answered as {}", answer.source);
        return Err(Fault::new(FaultKind::Crashed, message));
    }
    keep_newest_changes(&mut answer.facts);
    let items = answer.items.as_ref().map_or(0, Vec::len);
    let count = answer.facts.len().max(answer.faults.len()).max(items);
    if count > MAX_FACTS {
        answer.facts.truncate(MAX_FACTS);
        answer.faults.truncate(MAX_FACTS);
        if let Some(items) = &mut answer.items {
            items.truncate(MAX_FACTS);
        }
        // What was cut off is not gone.
        answer.complete.clear();
        let warning = format!("{count} facts in one answer; the first {MAX_FACTS} are shown");
        answer.warnings.push(warning.into());
    }
    Ok(answer)
}

/// Leaves out the changes that would be forgotten at once.
fn keep_newest_changes(facts: &mut Vec<Fact>) {
    fn age(fact: &Fact) -> Option<(Timestamp, &ChangeId)> {
        if let Fact::Change(change) = fact { Some(age_of(change)) } else { None }
    }
    let mut ages: Vec<_> = facts.iter().filter_map(age).collect();
    let surplus = ages.len().saturating_sub(MAX_CHANGES);
    if surplus == 0 {
        return;
    }
    ages.sort_unstable();
    let oldest = ages.into_iter().nth(surplus).map(|(at, id)| (at, id.clone()));
    let oldest = oldest.as_ref().map(|(at, id)| (*at, id));
    facts.retain(|fact| age(fact).is_none_or(|age| Some(age) >= oldest));
}

/// The answer in parts of bounded size. What it says of everything together comes with the last:
/// only then is everything named that exists.
pub(super) fn parts(mut answer: Observation) -> Vec<Observation> {
    let mut parts = Vec::new();
    if answer.facts.len() > PART && !answer.complete.is_empty() {
        let named: Vec<ItemId> = answer.facts.iter().map(Fact::item).collect();
        answer.items.get_or_insert_default().extend(named);
    }
    while answer.facts.len() > PART {
        let rest = answer.facts.split_off(PART);
        parts.push(Observation {
            facts: std::mem::replace(&mut answer.facts, rest),
            faults: Vec::new(),
            complete: Vec::new(),
            items: None,
            source: answer.source.clone(),
            scope: answer.scope.clone(),
            identity: answer.identity.clone(),
            warnings: answer.warnings.clone(),
            ..answer
        });
    }
    parts.push(answer);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::domain::change::{Change, ChangeKind};
    use crate::domain::fact::FactKind;
    use crate::domain::fleet::Fleet;
    use crate::domain::ids::PipelineId;
    use crate::domain::observation::{Scope, Topic};
    use crate::domain::pipeline::Pipeline;

    fn id() -> SourceId {
        SourceId::new("a")
    }

    fn change(second: usize) -> Fact {
        Fact::Change(Change {
            id: ChangeId::new(&id(), &format!("c{second:06}")),
            at: Timestamp::from_second(i64::try_from(second).unwrap()).unwrap(),
            kind: ChangeKind::Deploy,
            title: "it was changed".into(),
            who: None,
            target: None,
            environment: None,
            detail: None,
            link: None,
        })
    }

    fn pipeline(n: usize) -> Fact {
        Fact::Pipeline(Pipeline::listed(PipelineId::new(&id(), &format!("p{n:05}"))))
    }

    fn answer(facts: Vec<Fact>) -> Observation {
        let scope = Scope { topic: Topic::Overview, items: Vec::new() };
        let mut answer = Observation::new(&id(), 0, &scope, Timestamp::UNIX_EPOCH);
        answer.facts = facts;
        answer
    }

    #[test]
    fn of_a_flood_of_changes_the_newest_are_kept_and_nothing_else_is_cut() {
        let facts = (0..60_000).rev().map(change).chain([pipeline(1)]).collect();
        let kept = checked(&id(), answer(facts)).unwrap();
        assert_eq!(kept.facts.len(), MAX_CHANGES + 1);
        assert!(kept.warnings.is_empty(), "{:?}", kept.warnings);
        assert!(kept.facts.contains(&change(55_000)) && !kept.facts.contains(&change(54_999)));
        assert!(kept.facts.contains(&pipeline(1)));
    }

    #[test]
    fn parts_bring_what_the_whole_brings() {
        let mut whole = answer((0..1_750).map(pipeline).collect());
        whole.complete = vec![FactKind::Pipelines];
        whole.warnings.push("careful".into());
        let parts = parts(whole.clone());
        assert_eq!(parts.iter().map(|p| p.facts.len()).collect::<Vec<_>>(), [500, 500, 500, 250]);
        let meta = crate::domain::source::SourceMeta {
            id: id(),
            kind: "scripted".into(),
            place: "here".into(),
            capabilities: crate::domain::source::Capabilities::default(),
            policy: crate::domain::observed::FreshnessPolicy {
                stale_after: jiff::SignedDuration::from_mins(1),
                lost_after: jiff::SignedDuration::from_mins(9),
            },
        };
        let (mut once, mut piecewise) = (Fleet::new([meta.clone()]), Fleet::new([meta]));
        once.apply(answer(vec![pipeline(9_999)]));
        piecewise.apply(answer(vec![pipeline(9_999)]));
        once.apply(whole);
        for part in parts {
            piecewise.apply(part);
        }
        let names = |fleet: &Fleet| fleet.pipelines.iter().map(|(id, _)| id.clone()).collect();
        let (once_names, names): (Vec<PipelineId>, Vec<PipelineId>) =
            (names(&once), names(&piecewise));
        assert_eq!(names, once_names);
        assert_eq!(names.len(), 1_750, "the one that is not named is gone");
        assert_eq!(piecewise.sources[&id()].warnings, once.sources[&id()].warnings);
    }
}
