//! A write in words: what it does, from what, to what.

use serde::{Deserialize, Serialize};

use super::kind::{ArmWish, FlagChange, Write};
use crate::domain::fleet::Fleet;
use crate::domain::pipeline::Execution;
use crate::domain::revision::Revision;
use crate::domain::text::SafeText;

/// A write in words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// What is done, to what.
    pub what: SafeText,
    /// What is there now, if that says more.
    pub from: Option<SafeText>,
    /// What will be there.
    pub to: Option<SafeText>,
}

/// `write` in words, with what `fleet` knows of its target.
pub fn words(write: &Write, fleet: &Fleet) -> Words {
    let revision =
        |pipeline: &crate::domain::ids::PipelineId, stage: &SafeText| -> Option<String> {
            let stage = fleet.pipelines.get(pipeline)?.value.stage(stage.as_str())?.clone();
            Some(stage.revision?.short())
        };
    let (what, from, to) = match write {
        Write::Answer { pipeline, stage, execution, approve, .. } => {
            let verb = if *approve { "approve" } else { "reject" };
            // Several executions may wait in one stage: it is this one's revision that counts.
            let asked = execution.as_ref().and_then(|id| {
                let known = fleet.pipelines.get(pipeline)?;
                Some(known.value.execution(id)?.revisions.first()?.short())
            });
            let shown = asked
                .or_else(|| revision(pipeline, stage))
                .map(|r| format!(" {r}"))
                .unwrap_or_default();
            let known = fleet.pipelines.get(pipeline).map(|o| &*o.value);
            let entering = execution.as_ref().filter(|_| *approve);
            let runs =
                known.zip(entering).map(|(known, id)| (known.live_before(id), known.execution(id)));
            let short = |run: Option<&Execution>| run?.revisions.first().map(Revision::short);
            let (from, to) = runs.map_or((None, None), |(live, asked)| (short(live), short(asked)));
            (format!("{verb} {stage} of {}{shown}", pipeline.name), from, to)
        }
        Write::Retry { pipeline, stage, all, .. } => {
            let what = if *all { "every action" } else { "the failed actions" };
            (
                format!("retry {what} of {stage} of {}", pipeline.name),
                Some("failed".to_owned()),
                Some("running".to_owned()),
            )
        }
        Write::Stop { pipeline, execution, abandon, .. } => {
            let how = if *abandon { ", abandoning what runs" } else { ", after what runs" };
            let id: String = execution.as_str().chars().take(8).collect();
            (format!("stop {id} of {}{how}", pipeline.name), None, Some("stopped".to_owned()))
        }
        Write::Start { pipeline } => {
            (format!("start {}", pipeline.name), None, Some("running".to_owned()))
        }
        Write::Hold { pipeline, stage, .. } => (
            format!("hold {stage} of {}", pipeline.name),
            Some("open".to_owned()),
            Some("closed".to_owned()),
        ),
        Write::Release { pipeline, stage } => {
            let known = fleet.pipelines.get(pipeline).map(|o| &*o.value);
            let inbound = known.and_then(|known| known.stage(stage.as_str())?.inbound.as_ref());
            let waits = inbound.map(|id| {
                let run = known.and_then(|known| known.execution(id));
                let revision = run.and_then(|run| run.revisions.first());
                let revision = revision.map(|r| format!(" {}", r.short())).unwrap_or_default();
                let id: String = id.as_str().chars().take(8).collect();
                format!("; {id}{revision} enters")
            });
            (
                format!("release {stage} of {}{}", pipeline.name, waits.unwrap_or_default()),
                Some("closed".to_owned()),
                Some("open".to_owned()),
            )
        }
        Write::RollBack { pipeline, stage, to } => {
            let run = fleet.pipelines.get(pipeline).and_then(|o| o.value.execution(to).cloned());
            let target = run.and_then(|r| r.revisions.first().map(Revision::short));
            (
                format!("roll back {stage} of {}", pipeline.name),
                revision(pipeline, stage),
                target.or_else(|| Some(to.as_str().chars().take(8).collect())),
            )
        }
        Write::Override { pipeline, stage, condition, .. } => (
            format!("override the condition {condition} of {stage} of {}", pipeline.name),
            Some("failed".to_owned()),
            Some("passed".to_owned()),
        ),
        Write::Shares { split, shares } => {
            let now = fleet.traffic.get(split).map(|o| {
                let one = |arm: &SafeText| {
                    o.value.percent(arm.as_str()).map_or("?".to_owned(), |p| format!("{p:.0}%"))
                };
                shares
                    .iter()
                    .map(|(arm, _)| format!("{arm} {}", one(arm)))
                    .collect::<Vec<_>>()
                    .join(", ")
            });
            let to: Vec<String> =
                shares.iter().map(|(arm, share)| format!("{arm} {share}%")).collect();
            (format!("traffic of {}", split.name), now, Some(to.join(", ")))
        }
        Write::Weights { split, weights } => {
            let observed = fleet.traffic.get(split).map(|o| &*o.value);
            let then = observed.and_then(|now| write.shares_after(now)).unwrap_or_default();
            let one = |name: &SafeText, weight: u32, share: Option<f64>| {
                let share = share.map_or_else(|| "?".to_owned(), |share| format!("{share:.0}%"));
                format!("{name} {share} (weight {weight})")
            };
            let now = observed.map(|now| {
                let arms = weights.iter().filter_map(|(name, _)| now.arm(name.as_str()));
                let all: Vec<String> = arms
                    .map(|arm| one(&arm.name, arm.weight, now.percent(arm.name.as_str())))
                    .collect();
                all.join(", ")
            });
            let to: Vec<String> = weights
                .iter()
                .map(|(name, weight)| {
                    let share = then.iter().find(|(own, _)| own == name).map(|(_, share)| *share);
                    one(name, *weight, share)
                })
                .collect();
            (format!("traffic of {}", split.name), now, Some(to.join(", ")))
        }
        Write::Arm { split, arm, wish } => {
            let now = fleet.traffic.get(split).and_then(|o| {
                o.value.arm(arm.as_str()).map(|a| match wish {
                    ArmWish::Weight(_) => format!("weight {}", a.weight),
                    _ => a.state.to_string(),
                })
            });
            (format!("{arm} of {}", split.name), now, Some(wish.word()))
        }
        Write::Flag { flag, environment, change, strategy } => {
            let observed = fleet.flags.get(flag).map(|o| &o.value);
            let state = observed.and_then(|f| f.environment(environment.as_str()));
            let on = |on: bool| if on { "on" } else { "off" }.to_owned();
            let (from, to) = match change {
                FlagChange::Enabled { on: wanted } => {
                    (state.and_then(|s| s.enabled).map(on), on(*wanted))
                }
                FlagChange::Percent { percent } => (
                    state.and_then(|s| s.gradual).map(|p| format!("{p:.0}%")),
                    format!("{percent:.0}%"),
                ),
                FlagChange::Attribute { name, value } => {
                    let before = state.and_then(|s| s.attributes.iter().find(|(k, _)| k == name));
                    (before.map(|(k, v)| format!("{k} = {v}")), format!("{name} = {value}"))
                }
                FlagChange::Stale { stale } => {
                    let word = |stale: bool| if stale { "stale" } else { "not stale" }.to_owned();
                    (observed.map(|f| word(f.marked)), word(*stale))
                }
                FlagChange::Halt => {
                    let rollout = state.and_then(|s| s.rollout.as_ref());
                    let from =
                        rollout.map(|r| format!("version {} at {:.0}%", r.version, r.percent));
                    (from, "what was there before that roll-out".to_owned())
                }
                FlagChange::Revert => {
                    let version = state.and_then(|s| s.version.as_ref());
                    let to = "the version before it, with every flag in it";
                    (version.map(|v| format!("version {v}")), to.to_owned())
                }
            };
            // How it reaches everybody, and how long that takes.
            let pace = match change {
                FlagChange::Halt | FlagChange::Revert => None,
                _ => state.and_then(|s| match strategy {
                    Some(name) => s.paces.iter().find(|pace| pace.name == *name),
                    None => s.paces.first(),
                }),
            };
            let to = match (pace, strategy) {
                (Some(pace), _) => format!("{to} ({})", pace.words),
                (None, Some(name)) => format!("{to} ({name})"),
                (None, None) => to,
            };
            let key = observed.map_or(flag.name.as_str(), |f| f.key.as_str());
            (format!("flag {key} in {environment}"), from, Some(to))
        }
    };
    Words { what: what.into(), from: from.map(Into::into), to: to.map(Into::into) }
}
