//! What the structure of a pipeline adds to its state: categories, order, time-outs, approvals.

use std::collections::BTreeMap;

use aws_sdk_codepipeline::types::{ActionCategory, ActionDeclaration, PipelineDeclaration};
use jiff::SignedDuration;

use crate::backend::aws::convert::text;
use crate::domain::pipeline::ExecutionMode;
use crate::domain::text::SafeText;

/// Approvals time out after this unless the action says otherwise (`CodePipeline` quotas).
pub(super) const APPROVAL_TIMEOUT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The parts of one version of a pipeline's structure that the state does not carry.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Definition {
    pub(super) mode: ExecutionMode,
    pub(super) flavour: Option<SafeText>,
    /// Stages by name, actions by name.
    pub(super) stages: BTreeMap<String, BTreeMap<String, ActionDefinition>>,
}

/// One action of the structure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ActionDefinition {
    pub(super) category: SafeText,
    pub(super) provider: SafeText,
    pub(super) is_approval: bool,
    /// Actions of the same number run side by side.
    pub(super) order: i32,
    /// How long an approval waits for its answer.
    pub(super) timeout: SignedDuration,
    /// What the approver is asked to look at.
    pub(super) message: Option<SafeText>,
    /// A page to look at before deciding.
    pub(super) link: Option<SafeText>,
}

impl Definition {
    pub(super) fn new(pipeline: &PipelineDeclaration) -> Self {
        let stages = pipeline.stages().iter().map(|stage| {
            let actions = stage.actions().iter().map(|a| (a.name.clone(), action(a)));
            (stage.name.clone(), actions.collect())
        });
        Self {
            mode: mode(pipeline.execution_mode()),
            flavour: pipeline.pipeline_type().map(|t| SafeText::new(t.as_str())),
            stages: stages.collect(),
        }
    }

    pub(super) fn action(&self, stage: &str, action: &str) -> Option<&ActionDefinition> {
        self.stages.get(stage)?.get(action)
    }
}

/// The mode in this program's terms; `SUPERSEDED` is what `CodePipeline` takes when it is left out.
pub(super) fn mode(mode: Option<&aws_sdk_codepipeline::types::ExecutionMode>) -> ExecutionMode {
    use aws_sdk_codepipeline::types::ExecutionMode as Sdk;
    match mode {
        Some(Sdk::Parallel) => ExecutionMode::Parallel,
        Some(Sdk::Queued) => ExecutionMode::Queued,
        _ => ExecutionMode::Superseded,
    }
}

fn action(action: &ActionDeclaration) -> ActionDefinition {
    let kind = action.action_type_id();
    let configured =
        |key: &str| text(action.configuration().and_then(|all| all.get(key)).map(String::as_str));
    let category = kind.map(|kind| &kind.category);
    let timeout = action.timeout_in_minutes().map(|m| SignedDuration::from_mins(i64::from(m)));
    ActionDefinition {
        category: SafeText::new(category.map_or("", ActionCategory::as_str)),
        provider: SafeText::new(kind.map_or("", |kind| kind.provider.as_str())),
        is_approval: category == Some(&ActionCategory::Approval),
        order: action.run_order().unwrap_or(1),
        timeout: timeout.unwrap_or(APPROVAL_TIMEOUT),
        message: configured("CustomData"),
        link: configured("ExternalEntityLink"),
    }
}
