//! What people and pipelines changed, as each source tells it.

use jiff::Timestamp;

use super::operator::YOU;
use super::pipelines::stopped_by;
use super::plan::Planned;
use super::script::{Flip, ServiceScript};
use super::world::{
    TOLD, World, alarm_id, environment_id, flag_id, pipeline_id, pipeline_source, traffic_id,
};
use crate::domain::alarm::AlarmState;
use crate::domain::change::{Change, ChangeKind};
use crate::domain::ids::{ChangeId, ItemId, SourceId};
use crate::domain::pipeline::RunState;

/// What `source` tells of the time up to `now`.
pub fn changes(world: &World, source: &SourceId, now: Timestamp) -> Vec<Change> {
    let mut teller = Teller { world, source, now, told: Vec::new() };
    match source.as_str() {
        "edge" => teller.traffic(),
        "metrics" => teller.alarms(),
        "flags" => teller.flags(),
        _ => teller.pipelines(),
    }
    teller.told
}

struct Teller<'a> {
    world: &'a World,
    source: &'a SourceId,
    now: Timestamp,
    told: Vec<Change>,
}

impl Teller<'_> {
    fn tell(
        &mut self,
        at: Timestamp,
        kind: ChangeKind,
        title: String,
        who: &str,
        target: ItemId,
        place: Option<String>,
    ) {
        if at > self.now || at < self.now - TOLD {
            return;
        }
        let where_to = place.as_deref().unwrap_or_default();
        let id = format!("{}-{}-{where_to}-{title}", at.as_second(), kind.word());
        self.told.push(Change {
            id: ChangeId::new(self.source, &id),
            at,
            kind,
            title: title.into(),
            who: (!who.is_empty()).then(|| who.into()),
            target: Some(target),
            environment: place.map(Into::into),
            detail: None,
            link: None,
        });
    }

    fn pipelines(&mut self) {
        let world = self.world;
        for service in world.script.services.iter().filter(|s| pipeline_source(s) == *self.source) {
            let item = ItemId::Pipeline(pipeline_id(service));
            for run in world.plan.get(&service.name).into_iter().flatten() {
                self.run(service, run, &item);
            }
            for hold in world.script.holds.iter().filter(|h| h.service == service.name) {
                let title = format!("held {}: {}", hold.stage, hold.reason);
                self.tell(
                    hold.at.after(world.start),
                    ChangeKind::Pipeline,
                    title,
                    &hold.by,
                    item.clone(),
                    None,
                );
            }
        }
    }

    fn run(&mut self, service: &ServiceScript, run: &Planned, item: &ItemId) {
        let short: String = run.run.revision.chars().take(6).collect();
        let place = format!("prod-{}", service.region);
        let (Some(last), Some(i)) = (run.visits.last(), service.stages.len().checked_sub(1)) else {
            return;
        };
        let in_production = run.first + run.visits.len() == service.stages.len();
        if in_production
            && service.approval
            && let (Some(at), Some(by)) = (last.approved, &last.by)
        {
            self.tell(
                at,
                ChangeKind::Approval,
                format!("approved {short}"),
                by,
                item.clone(),
                Some(place.clone()),
            );
        }
        if let Some(at) = last.approved.filter(|_| in_production) {
            let title = format!("{short} {}", run.run.message);
            self.tell(at, ChangeKind::Deploy, title, &run.run.author, item.clone(), Some(place));
        }
        let (state, at) = run.state(self.now);
        let stage = service.stages.get(run.first + run.visits.len() - 1).or(service.stages.get(i));
        let stage = stage.map_or("", String::as_str);
        match state {
            RunState::Failed if last.rejected.is_some() => {
                let by = last.by.as_deref().unwrap_or_default();
                let title = format!("rejected {short}");
                self.tell(at, ChangeKind::Approval, title, by, item.clone(), None);
            }
            RunState::Failed => {
                self.tell(
                    at,
                    ChangeKind::Pipeline,
                    format!("{stage} failed for {short}"),
                    "",
                    item.clone(),
                    None,
                );
            }
            RunState::Stopped => {
                let by = stopped_by(run);
                self.tell(
                    at,
                    ChangeKind::Pipeline,
                    format!("stopped {short} in {stage}"),
                    by,
                    item.clone(),
                    None,
                );
            }
            RunState::Superseded => {
                self.tell(
                    at,
                    ChangeKind::Pipeline,
                    format!("{short} was overtaken in {stage}"),
                    "",
                    item.clone(),
                    None,
                );
            }
            _ => {}
        }
    }

    fn flags(&mut self) {
        let world = self.world;
        for flip in &world.script.flips {
            let word = match &flip.attribute {
                Some((name, value)) => format!("{name} = {value}"),
                None if flip.on => "on".to_owned(),
                None => "off".to_owned(),
            };
            let percent = if flip.percent < 100.0 && flip.attribute.is_none() {
                format!(" {:.0}%", flip.percent)
            } else {
                String::new()
            };
            let title = format!("{} {word}{percent}", flip.flag);
            let at = flip.at.after(world.start);
            self.flip(at, title.clone(), &flip.by, flip);
            if let Some(back) = flip.back {
                let title = format!("{title}: taken back");
                self.flip(back.after(world.start), title, YOU, flip);
            }
        }
    }

    fn flip(&mut self, at: Timestamp, title: String, who: &str, flip: &Flip) {
        let item = ItemId::Flag(flag_id(&flip.flag));
        self.tell(at, ChangeKind::Flag, title, who, item, Some(flip.environment.clone()));
    }

    fn traffic(&mut self) {
        let world = self.world;
        let mut before = std::collections::BTreeMap::new();
        let mut shifts: Vec<_> = world.script.shifts.iter().collect();
        shifts.sort_by_key(|s| s.at);
        for shift in shifts {
            let Some(service) = world.script.service(&shift.service) else { continue };
            let at = shift.at.after(world.start);
            let now = world.percent(&shift.service, at);
            let from = before.insert(&shift.service, now).unwrap_or(0.0);
            let title = match shift.wish {
                Some((arm, wish)) => format!("{} to {}", arm.word(), wish.word()),
                None => format!("traffic {from:.0}% to {now:.0}%"),
            };
            let item = ItemId::Traffic(traffic_id(service));
            let place = Some(format!("prod-{}", service.region));
            self.tell(at, ChangeKind::Traffic, title, &shift.by, item, place);
        }
        for health in &world.script.healths {
            let Some(service) = world.script.service(&health.service) else { continue };
            let item = ItemId::Environment(environment_id(service, &health.environment));
            let title =
                format!("{} {}: {}", health.environment, health.health.word(), health.summary);
            let place = Some(format!("{}-{}", health.environment, service.region));
            self.tell(health.at.after(world.start), ChangeKind::Alarm, title, "", item, place);
        }
    }

    fn alarms(&mut self) {
        let world = self.world;
        for alarm in &world.script.alarms {
            let word = if alarm.state == AlarmState::Firing { "fires" } else { alarm.state.word() };
            let item = ItemId::Alarm(alarm_id(&alarm.name));
            self.tell(
                alarm.at.after(world.start),
                ChangeKind::Alarm,
                format!("{} {word}", alarm.name),
                "",
                item,
                None,
            );
        }
    }
}
