//! Roll backs of a stage: what it really carries, what can be put back into it, and what is older.

use super::ids::ExecutionId;
use super::pipeline::{Execution, ExecutionMode, Pipeline, RunState, Stage};

impl Pipeline {
    /// The execution whose work `stage` carries: of a roll back, the one that it put back.
    pub fn carried<'a>(&'a self, stage: &'a Stage) -> Option<&'a ExecutionId> {
        Some(self.origin(stage.execution.as_ref()?))
    }

    /// The execution whose work this one carries.
    pub(super) fn origin<'a>(&'a self, id: &'a ExecutionId) -> &'a ExecutionId {
        let mut at = id;
        // As many roll backs of roll backs as there are executions; no circle holds this up.
        for _ in &self.executions {
            match self.execution(at).and_then(|run| run.rollback_to.as_ref()) {
                Some(to) => at = to,
                None => break,
            }
        }
        at
    }

    /// Whether what is in `stage` was to put something back, and has not.
    fn failed_to_put_back(&self, stage: &Stage) -> bool {
        let run = stage.execution.as_ref().and_then(|id| self.execution(id));
        let over =
            matches!(stage.state, RunState::Failed | RunState::Stopped | RunState::Cancelled);
        over && run.is_some_and(|run| run.rollback_to.is_some())
    }

    /// The executions that could be put back into `stage`, the newest first; those that cannot with
    /// the reason. The rules are those of `RollbackStage` in the CodePipeline API reference.
    pub fn rollback_targets(&self, stage: &str) -> Vec<(ExecutionId, Result<(), &'static str>)> {
        let position = self.stages.iter().position(|s| s.name == *stage);
        let own = self.stage(stage);
        let carried = own.and_then(|stage| self.carried(stage));
        let missed = own.is_some_and(|stage| self.failed_to_put_back(stage));
        let why = |run: &Execution| {
            if self.mode == ExecutionMode::Parallel {
                Err("a parallel pipeline cannot be rolled back")
            } else if position == Some(0) {
                Err("a source stage cannot be rolled back")
            } else if Some(&run.id) == carried && !missed {
                Err("it is there now")
            } else {
                self.could_be_put_back(run, position)
            }
        };
        self.executions.iter().map(|run| (run.id.clone(), why(run))).collect()
    }

    /// Whether `run` could be put into the stage at `position`, wherever it is now.
    fn could_be_put_back(
        &self,
        run: &Execution,
        position: Option<usize>,
    ) -> Result<(), &'static str> {
        let later = self.stages.iter().skip(position.map_or(usize::MAX, |at| at.saturating_add(1)));
        // What has come further has succeeded here.
        let passed = run.state == RunState::Succeeded
            || later.into_iter().any(|stage| stage.execution.as_ref() == Some(&run.id));
        if run.rollback_to.is_some() {
            Err("it is a roll back itself")
        } else if !passed {
            Err("it did not succeed")
        } else if run.started.zip(self.updated).is_some_and(|(began, edited)| began < edited) {
            Err("the pipeline was edited since")
        } else {
            Ok(())
        }
    }

    /// What undoes a roll back of `stage`: what it carries now; or why that cannot be put back.
    pub fn back_again(&self, stage: &Stage) -> Result<ExecutionId, String> {
        let carried = self.carried(stage).ok_or("what was there before is not known")?;
        let run = self.execution(carried).ok_or_else(|| {
            format!("{carried}, which was there before, is not among the executions told")
        })?;
        let position = self.stages.iter().position(|own| own.name == stage.name);
        match self.could_be_put_back(run, position) {
            Ok(()) => Ok(carried.clone()),
            Err(why) => {
                Err(format!("{carried}, which was there before, cannot be put back: {why}"))
            }
        }
    }

    /// What a roll back of `stage` goes to, where nothing else is said: the newest before what the
    /// stage carries.
    pub fn before(&self, stage: &Stage) -> Result<ExecutionId, String> {
        let none = || format!("no execution of {} can be put back", self.id.name);
        let targets = self.rollback_targets(stage.name.as_str());
        if targets.iter().all(|(_, why)| why.is_err()) {
            return Err(none());
        }
        let carried = self.carried(stage);
        let place = targets.iter().position(|(id, _)| Some(id) == carried).ok_or_else(|| {
            format!(
                "what {} of {} carries is not among the executions told: say which to put back",
                stage.name, self.id.name
            )
        })?;
        let mut older = targets.into_iter().skip(place);
        older.find(|(_, why)| why.is_ok()).map(|(id, _)| id).ok_or_else(none)
    }

    /// Whether `to` is older than what `stage` carries, or is what it should carry: putting it back
    /// goes to where it was safe. What is not known is not safe.
    pub fn is_way_back(&self, stage: &Stage, to: &ExecutionId) -> bool {
        // Executions are told the newest first.
        let place = |id: &ExecutionId| self.executions.iter().position(|run| run.id == *id);
        let Some(carried) = self.carried(stage) else { return false };
        let missed = self.failed_to_put_back(stage) && carried == to;
        let older = place(to).zip(place(carried)).is_some_and(|(to, now)| to > now);
        older || missed
    }
}
