//! Runs: what `probe` and `replay` write tick by tick, as series by which a canary can be judged.
//!
//! A run is a file `NAME.ndjson` in one folder, as `flightdeck probe … -o ndjson` writes it; it may still
//! be growing. A figure is asked for as `NAME/SIDE/FIGURE`.

mod file;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;

use self::file::{Ticks, read};
use super::context::ReadContext;
use super::port::{Cadence, Source};
use super::reading;
use crate::config::Schedule;
use crate::config::sources::RunsSource;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::{Fact, FactKind};
use crate::domain::ids::{ItemId, SeriesId, SourceId};
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::series::{Series, SeriesQuery, SeriesSpec};
use crate::domain::source::{Capabilities, SourceMeta};
use crate::domain::text::SafeText;

/// A folder of runs.
pub struct Runs {
    meta: SourceMeta,
    cadence: Cadence,
    folder: PathBuf,
    specs: BTreeMap<SeriesId, SeriesSpec>,
}

impl Runs {
    /// The source `id`; `specs` are the series it may be asked for. Does no I/O.
    pub fn new(
        id: SourceId,
        settings: RunsSource,
        schedule: &Schedule,
        specs: Vec<SeriesSpec>,
    ) -> Self {
        let meta = SourceMeta {
            id,
            kind: "runs".into(),
            place: SafeText::new(&settings.folder.display().to_string()),
            capabilities: Capabilities {
                reads: vec![FactKind::Series],
                topics: vec![Topic::Overview, Topic::Series],
                writes: Vec::new(),
            },
            policy: reading::policy(schedule),
        };
        Self {
            meta,
            cadence: reading::cadence(schedule, &settings.reading),
            folder: settings.folder,
            specs: specs.into_iter().map(|spec| (spec.id.clone(), spec)).collect(),
        }
    }

    /// Whether the folder is there.
    async fn overview(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        cx.spend().await;
        let about = tokio::fs::metadata(&self.folder).await;
        if !about.map_err(|why| trouble(&self.folder, &why))?.is_dir() {
            return Err(trouble(&self.folder, &std::io::Error::other("not a folder")));
        }
        Ok(cx.answer(&self.meta.id, scope))
    }

    async fn series(&self, scope: &Scope, cx: &ReadContext) -> Result<Observation, Fault> {
        let mut answer = cx.answer(&self.meta.id, scope);
        // Figures of one run come out of one look at its file.
        let mut runs: BTreeMap<&str, Result<Ticks, Fault>> = BTreeMap::new();
        for item in &scope.items {
            let ItemId::Series(id) = item else { continue };
            if id.source != self.meta.id {
                continue;
            }
            let (spec, run, side, figure) = match self.asked(id) {
                Ok(asked) => asked,
                Err(fault) => {
                    answer.faults.push((item.clone(), fault));
                    continue;
                }
            };
            if !runs.contains_key(run) {
                cx.spend().await;
                let path = self.folder.join(format!("{run}.ndjson"));
                runs.insert(run, read(&path).await.map_err(|why| trouble(&path, &why)));
            }
            match runs.get(run) {
                Some(Ok(ticks)) => {
                    let from = cx.now().saturating_sub(spec.window).unwrap_or(cx.now());
                    let note = (ticks.unread > 0).then(|| {
                        let plural = if ticks.unread == 1 { "" } else { "s" };
                        format!("{} line{plural} could not be read", ticks.unread).into()
                    });
                    answer.facts.push(Fact::Series(Series {
                        id: id.clone(),
                        kind: spec.kind,
                        unit: spec.unit.clone(),
                        step: spec.step,
                        points: ticks.points(side, figure, from),
                        note,
                    }));
                }
                Some(Err(fault)) => answer.faults.push((item.clone(), fault.clone())),
                None => {}
            }
        }
        Ok(answer)
    }

    /// What `id` asks for: the run, the side, the figure.
    fn asked(&self, id: &SeriesId) -> Result<(&SeriesSpec, &str, &str, &str), Fault> {
        let invalid = |why: &str| {
            Fault::new(FaultKind::InvalidRequest, format!("{id}: {why}"))
                .hint("ask for RUN/SIDE/FIGURE, as in checkout/canary/errors")
        };
        let spec = self.specs.get(id).ok_or_else(|| invalid("no figure is configured for it"))?;
        match &spec.query {
            SeriesQuery::Arm { split, arm, figure } => {
                // It becomes a part of a path.
                if split.contains(['/', '\\', '\0']) {
                    return Err(invalid("this is no name of a run"));
                }
                if !file::SIDES.contains(&arm.as_str()) {
                    return Err(invalid("a run has the sides baseline and canary"));
                }
                Ok((spec, split, arm, figure))
            }
            _ => Err(invalid("a run has figures of its sides")),
        }
    }
}

/// What a file or folder that cannot be read means.
fn trouble(path: &Path, why: &std::io::Error) -> Fault {
    let shown = SafeText::new(&path.display().to_string());
    // A run that is not there may begin yet: what it would say is unknown, not gone.
    let kind = match why.kind() {
        std::io::ErrorKind::PermissionDenied => FaultKind::Forbidden { permission: None },
        _ => FaultKind::Unreachable,
    };
    Fault::new(kind, format!("{shown}: {}", SafeText::new(&why.to_string())))
        .hint("`flightdeck probe … -o ndjson > FOLDER/NAME.ndjson` writes a run")
}

impl Source for Runs {
    fn meta(&self) -> SourceMeta {
        self.meta.clone()
    }

    fn cadence(&self) -> Cadence {
        self.cadence
    }

    fn observe<'a>(
        &'a self,
        scope: &'a Scope,
        context: &'a ReadContext,
    ) -> BoxFuture<'a, Result<Observation, Fault>> {
        Box::pin(async move {
            match scope.topic {
                Topic::Overview => self.overview(scope, context).await,
                Topic::Series => self.series(scope, context).await,
                Topic::Items | Topic::Changes => Ok(context.answer(&self.meta.id, scope)),
            }
        })
    }
}
