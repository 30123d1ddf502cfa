//! An execution in one stage: from when it stands before it until it is through, or has ended there.

use jiff::{SignedDuration, Timestamp};

use super::deeds::{Deed, DeedKind};
use super::operator::YOU;
use super::script::{Release, Run, Script, ServiceScript};
use crate::domain::pipeline::RunState;

/// Work without an end of its own takes so long to be stopped.
const WINDS_DOWN: SignedDuration = SignedDuration::from_secs(30);

/// An execution in one stage.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When it stands before the stage.
    pub arrived: Timestamp,
    /// When it enters, the last time; never if the way stays closed.
    pub entered: Option<Timestamp>,
    /// When it is approved; the same as `entered` where nobody is asked.
    pub approved: Option<Timestamp>,
    /// Who answered, where somebody was asked.
    pub by: Option<String>,
    /// When somebody stops it; what is under way still ends.
    pub stopping: Option<Timestamp>,
    /// When it is through, or has ended here.
    pub left: Option<Timestamp>,
    /// How it ends here.
    pub end: RunState,
    /// Why it was rejected.
    pub rejected: Option<String>,
    /// It was run again: every action, or only those that had failed.
    pub again: Option<bool>,
}

impl Visit {
    /// One that never enters.
    pub fn before(arrived: Timestamp) -> Self {
        Self {
            arrived,
            entered: None,
            approved: None,
            by: None,
            stopping: None,
            left: None,
            end: RunState::Succeeded,
            rejected: None,
            again: None,
        }
    }

    /// The state at `now`, and since when; `None` before it entered.
    pub fn state(&self, now: Timestamp) -> Option<(RunState, Timestamp)> {
        let entered = self.entered.filter(|at| *at <= now)?;
        if let Some(left) = self.left.filter(|at| *at <= now) {
            return Some((self.end, left));
        }
        if let Some(at) = self.stopping.filter(|at| *at <= now) {
            return Some((RunState::Stopping, at));
        }
        match self.approved {
            Some(at) if at <= now => Some((RunState::Running, at)),
            _ => Some((RunState::Waiting, entered)),
        }
    }

    /// Whether it stands before the closed or busy stage at `now`.
    pub fn is_inbound(&self, now: Timestamp) -> bool {
        self.arrived <= now && self.entered.is_none_or(|at| at > now)
    }
}

/// An execution and one of its stages.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// Whose pipeline.
    pub service: &'a ServiceScript,
    /// What happens there.
    pub script: &'a Script,
    /// What the script says of the execution.
    pub run: &'a Run,
    /// What is done to it by hand, the oldest first.
    pub deeds: &'a [&'a Deed],
    /// Which stage.
    pub i: usize,
    /// When the world opens.
    pub start: Timestamp,
}

impl Site<'_> {
    fn stage(&self) -> &str {
        self.service.stages.get(self.i).map_or("", String::as_str)
    }

    fn is_last(&self) -> bool {
        self.i + 1 == self.service.stages.len()
    }

    /// The first deed of some kind from `since` on.
    fn done(&self, since: Timestamp, kind: impl Fn(&DeedKind) -> bool) -> Option<&Deed> {
        self.deeds.iter().find(|deed| deed.at >= since && kind(&deed.kind)).copied()
    }

    /// When the condition of the stage lets it in that stands before it since `arrived`.
    pub fn let_in(&self, arrived: Timestamp) -> Option<Timestamp> {
        if self.run.refused.as_ref().is_none_or(|refused| refused.stage != self.stage()) {
            return Some(arrived);
        }
        let over =
            |kind: &DeedKind| matches!(kind, DeedKind::Overridden(own) if own == self.stage());
        self.done(arrived, over).map(|deed| deed.at)
    }

    /// When it is stopped while it still stands before the stage.
    pub fn stopped_before(
        &self,
        arrived: Timestamp,
        entered: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let stopped = self.done(arrived, |kind| matches!(kind, DeedKind::Stopped { .. }))?.at;
        entered.is_none_or(|entered| entered > stopped).then_some(stopped)
    }

    /// How it fares: as often as somebody runs again what failed.
    pub fn visit(
        &self,
        arrived: Timestamp,
        entered: Option<Timestamp>,
        work: SignedDuration,
    ) -> Visit {
        let mut visit = Visit::before(arrived);
        let Some(mut begun) = entered else { return visit };
        loop {
            visit = self.attempt(&visit, begun, work);
            let failed = visit.left.filter(|_| visit.end == RunState::Failed);
            let again = failed.and_then(|left| {
                self.deeds.iter().find_map(|deed| match &deed.kind {
                    DeedKind::Retried { stage, all } if stage == self.stage() => {
                        (deed.at >= left).then_some((deed.at, *all))
                    }
                    _ => None,
                })
            });
            match again {
                Some((at, all)) => (begun, visit.again) = (at, Some(all)),
                None => return visit,
            }
        }
    }

    fn attempt(&self, before: &Visit, begun: Timestamp, work: SignedDuration) -> Visit {
        let first = before.again.is_none();
        let mut visit =
            Visit { entered: Some(begun), again: before.again, ..Visit::before(before.arrived) };
        // What does not run again takes no time.
        let work = if before.again == Some(false) { work / 2 } else { work };
        if self.asks() {
            self.answer(&mut visit, begun, first);
        } else {
            visit.approved = Some(begun);
        }
        if visit.rejected.is_none() {
            // A canary stays in its stage until its traffic is at 100 %.
            visit.left = match visit.approved {
                Some(_) if self.stays() => self.promoted(),
                Some(at) => Some(at + work),
                None => None,
            };
            let own = |stage: &String| first && stage == self.stage();
            if self.run.fails.as_ref().is_some_and(|f| own(&f.stage)) {
                visit.end = RunState::Failed;
            } else if self.run.stopped.as_ref().is_some_and(|s| own(&s.stage)) {
                visit.end = RunState::Stopped;
            }
        }
        self.stop(&mut visit, begun);
        visit
    }

    /// Whether somebody is asked before the work begins.
    fn asks(&self) -> bool {
        self.service.approval && self.is_last() && self.run.puts_back.is_none()
    }

    fn answer(&self, visit: &mut Visit, begun: Timestamp, first: bool) {
        let own = |kind: &DeedKind| matches!(kind, DeedKind::Approved | DeedKind::Rejected(_));
        let scripted = self.run.approved.as_ref().filter(|_| first);
        let scripted = scripted.map(|answer| (answer.after.after(begun), answer.by.as_str()));
        let by_hand =
            self.done(begun, own).filter(|deed| scripted.is_none_or(|(at, _)| deed.at < at));
        match (by_hand.map(|deed| (&deed.kind, deed.at)), scripted) {
            (Some((DeedKind::Rejected(why), at)), _) => {
                visit.left = Some(at);
                visit.end = RunState::Failed;
                visit.rejected = Some(why.clone());
                visit.by = Some(YOU.to_owned());
            }
            (Some((_, at)), _) => (visit.approved, visit.by) = (Some(at), Some(YOU.to_owned())),
            (None, Some((at, by))) => {
                (visit.approved, visit.by) = (Some(at), Some(by.to_owned()));
            }
            (None, None) => {}
        }
    }

    fn stop(&self, visit: &mut Visit, begun: Timestamp) {
        let stopped = self.deeds.iter().find_map(|deed| match deed.kind {
            DeedKind::Stopped { abandon } if deed.at >= begun => Some((deed.at, abandon)),
            _ => None,
        });
        let Some((at, abandon)) = stopped else { return };
        if visit.left.is_some_and(|left| left <= at) {
            return;
        }
        let works = visit.approved.is_some_and(|approved| approved <= at);
        if !works {
            (visit.approved, visit.by) = (None, None);
        }
        visit.left = match visit.left {
            Some(left) if works && !abandon => Some(left),
            None if works && !abandon => Some(at + WINDS_DOWN),
            _ => Some(at),
        };
        visit.stopping = Some(at);
        visit.end = RunState::Stopped;
        visit.rejected = None;
    }

    fn stays(&self) -> bool {
        self.is_last() && self.service.release == Release::Canary && self.is_scripted()
    }

    fn is_scripted(&self) -> bool {
        let own = |r: &Run| r.service == self.run.service && r.revision == self.run.revision;
        !self.run.by_hand && self.script.runs.iter().any(own)
    }

    fn promoted(&self) -> Option<Timestamp> {
        let shifts = self.script.shifts.iter().filter(|s| s.service == self.service.name);
        let full = shifts.filter(|shift| shift.wish.is_none() && shift.percent >= 100.0);
        full.map(|shift| shift.at.after(self.start)).min()
    }
}
