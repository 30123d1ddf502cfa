//! `State`: everything that the screen and the headless commands are made from.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::activity::{Activity, Phase, WriteReport};
use super::canary::Watch;
use super::effect::{Effect, Refresh};
use super::interest::Interest;
use super::keymap::Keymap;
use super::layout::{self, Regions};
use super::membership::Membership;
use super::msg::Notice;
use super::overlay::Overlay;
use super::pane::Pane;
use super::pilot::Pilot;
use super::places::Places;
use super::row::RowId;
use super::select::canaries::split_of;
use super::select::missing::claims_by_name;
use super::select::unheard::may_be_of;
use super::select::{Facts, Rows, activity, inbox};
use super::setup::Setup;
use crate::domain::fleet::{Fleet, Touched};
use crate::domain::ids::{CanaryId, ServiceId};
use crate::domain::service::Service;
use crate::domain::text::SafeText;
use crate::domain::write::{Outcome, PlanId};

/// Everything that the screen and the headless commands are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// What was fixed at the start.
    pub setup: Setup,
    /// Where everything stands in it.
    pub places: Places,
    /// Which key does what.
    pub keymap: Keymap,
    /// All facts.
    pub fleet: Fleet,
    /// Which resources belong to which service.
    pub membership: Membership,
    /// Canaries under judgement.
    pub watches: BTreeMap<CanaryId, Watch>,
    /// Rows of every list pane, sorted.
    pub rows: Rows,
    /// The writes of this control room, the newest first.
    pub activity: Vec<Activity>,
    /// Why the journal takes no writes now; then nothing may be sent.
    pub journal: Option<SafeText>,
    /// Pilots and the canaries that they fly.
    pub pilots: BTreeMap<CanaryId, Pilot>,
    /// How many plans were made.
    pub plans: u64,
    /// What the operator looks at.
    pub view: View,
    /// The time, as of the last tick.
    pub now: Timestamp,
    /// The interest that the runtime was told last.
    pub watched: Interest,
    /// Whether the first message was taken in.
    pub(super) begun: bool,
    /// What was computed so far: the same messages cost the same work.
    pub work: Work,
}

/// Counts what is computed, so that nothing is computed for nothing without anybody noticing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Rows that filters looked at.
    pub filtered: u64,
    /// Items gathered for the interest.
    pub gathered: u64,
    /// Items whose rows were built anew.
    pub rows: u64,
}

/// What the operator looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Columns and rows of the screen.
    pub size: (u16, u16),
    /// The pane that is shown.
    pub pane: Pane,
    /// Where Esc leads back to.
    pub back: Vec<Pane>,
    /// Selection, scroll position and filter of each list pane.
    pub lists: BTreeMap<Pane, ListView>,
    /// The service that the service pane shows.
    pub service: Option<ServiceId>,
    /// Details cover the whole body.
    pub zoomed: bool,
    /// First line of the details that is shown.
    pub detail_top: usize,
    /// What lies over the pane.
    pub overlay: Option<Overlay>,
    /// A line for the operator, until the next key.
    pub notice: Option<Notice>,
    /// Name of the theme.
    pub theme: String,
    /// Name of the theme that was asked for last, until it is loaded.
    pub tried_theme: Option<String>,
    /// Mouse reporting is on.
    pub mouse: bool,
    /// The board is grouped by owner.
    pub group_by_owner: bool,
    /// Speed of the rehearsal's clock.
    pub speed: f64,
    /// Nothing may be written until the operator allows it again.
    pub locked: bool,
    /// When the last key was pressed, in monotonic milliseconds.
    pub last_key: u64,
    /// Ctrl-C was pressed once.
    pub leaving: bool,
    /// Leaving was asked for while something is under way; the next key tells.
    pub quitting: bool,
}

/// Selection, scroll position and filter of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ListView {
    /// Which row is selected.
    pub selected: Option<RowId>,
    /// The operator chose it; until then the first row is selected, whichever that is.
    pub chosen: bool,
    /// Where it was, so that a neighbour is selected when it goes away.
    pub position: usize,
    /// First row that is shown.
    pub top: usize,
    /// What was typed to narrow the list.
    pub filter: String,
    /// The rows that pass the filter; only kept while there is one.
    pub matching: Vec<RowId>,
    /// The filter and the revision of the rows for which `matching` was made.
    pub(super) applied: Option<(String, u64)>,
}

impl State {
    /// The state before the first message.
    pub fn new(setup: Setup) -> Self {
        let options = &setup.options;
        let view = View {
            size: options.size,
            pane: options.pane,
            back: Vec::new(),
            lists: BTreeMap::new(),
            service: None,
            zoomed: false,
            detail_top: 0,
            overlay: None,
            notice: None,
            theme: options.theme.clone(),
            tried_theme: None,
            mouse: options.mouse,
            group_by_owner: options.group_by_owner,
            speed: setup.rehearsal.as_ref().map_or(1.0, |r| r.speed),
            locked: false,
            last_key: 0,
            leaving: false,
            quitting: false,
        };
        let mut state = Self {
            places: Places::of(&setup),
            keymap: Keymap::new(&setup.keys),
            fleet: Fleet::new(setup.sources.iter().cloned()),
            membership: Membership::new(&setup.services),
            watches: BTreeMap::new(),
            activity: Vec::new(),
            journal: None,
            pilots: BTreeMap::new(),
            plans: 0,
            rows: Rows::default(),
            now: setup.now,
            watched: Interest::default(),
            begun: false,
            work: Work::default(),
            view,
            setup,
        };
        state.rebuild_rows();
        state
    }

    /// Takes in what became of a write, and tells the operator when it is over; returns what to do
    /// about it.
    pub(super) fn take_report(&mut self, report: WriteReport) -> Option<Effect> {
        let own = self.activity.iter_mut().find(|a| a.plan == report.plan)?;
        let plan = report.plan.clone();
        let target = own.steps.get(report.step).map(|step| step.write.target());
        // What was written to is looked at until it has settled.
        let look = matches!(report.phase, Phase::Verifying | Phase::Ended { .. });
        own.take(report);
        if let Some(outcome) = own.outcome() {
            let again = if own.to_plan_again().is_some() { "; n makes a new plan" } else { "" };
            let text = format!("{}: {}{again}", own.title, outcome.sentence());
            self.view.notice = Some(match outcome {
                Outcome::Done { .. } => Notice::info(text),
                _ => Notice::warning(text),
            });
        }
        self.refresh_activity(&plan);
        self.refresh_unsure();
        target.filter(|_| look).map(|target| Effect::Refresh(Refresh::Written(target)))
    }

    /// Takes in what the journal knows from before, or of other processes. Of what this session
    /// carries out itself, it knows less than the reports tell.
    pub(super) fn take_past(&mut self, activities: Vec<Activity>) {
        let session = format!("{}-", self.setup.session);
        for activity in activities {
            let plan = activity.plan.clone();
            match self.activity.iter_mut().find(|own| own.plan == plan) {
                Some(_) if plan.0.starts_with(&session) => {}
                Some(own) => own.replace(activity),
                None => self.activity.push(activity),
            }
            self.refresh_activity(&plan);
        }
        self.activity.sort_by_key(|a| Reverse(a.at));
        self.refresh_unsure();
    }

    /// Makes the row of a canary anew, and what it wants from a human.
    pub(super) fn refresh_canary(&mut self, canary: &CanaryId) {
        let Self { setup, fleet, membership, watches, pilots, rows, view, .. } = self;
        let group_by_owner = view.group_by_owner;
        let facts = Facts { setup, fleet, membership, watches, pilots, group_by_owner };
        let mut specs = facts.setup.services.iter().flat_map(|s| &s.canaries);
        if let Some(spec) = specs.find(|spec| spec.id == *canary) {
            rows.refresh_flown(spec, &facts);
        }
    }

    /// Makes the row of a plan anew.
    pub(super) fn refresh_activity(&mut self, plan: &PlanId) {
        if let Some(activity) = self.activity.iter().find(|a| a.plan == *plan) {
            self.rows.activity.set(activity::row(activity));
        }
    }

    /// Asks what became of the writes of which nobody knows, unless a later write to the same target
    /// was done: then it matters no more.
    fn refresh_unsure(&mut self) {
        for activity in &self.activity {
            let overtaken = || self.activity.iter().any(|later| later.overtakes(activity));
            match inbox::of_activity(activity).filter(|_| !overtaken()) {
                Some(ask) => self.rows.inbox.set(ask),
                None => self.rows.inbox.remove(&RowId::Plan(activity.plan.clone())),
            }
        }
    }

    /// Takes in whether the journal takes writes.
    pub(super) fn take_journal(&mut self, fault: Option<SafeText>) {
        if fault != self.journal {
            self.view.notice = Some(match &fault {
                Some(why) => Notice::warning(format!("read-only: {why}")),
                None => Notice::info("the journal takes writes again"),
            });
        }
        self.journal = fault;
    }

    /// Whether every write is refused.
    pub fn is_read_only(&self) -> bool {
        let configured = self.setup.options.read_only || self.setup.policy.read_only;
        configured || self.view.locked || self.journal.is_some()
    }

    /// Where things are on the screen; `None` if it is too small.
    pub fn regions(&self) -> Option<Regions> {
        layout::regions(self.view.size, self.view.pane, self.view.zoomed)
    }

    /// The ids of the rows of `pane` that pass its filter, in order.
    pub fn listed(&self, pane: Pane) -> &[RowId] {
        match self.view.lists.get(&pane) {
            Some(list) if !list.filter.is_empty() => &list.matching,
            _ => self.rows.order(pane),
        }
    }

    /// The part of `listed` that is on the screen.
    pub fn visible_rows(&self, pane: Pane) -> &[RowId] {
        let height = self.regions().map_or(0, |r| usize::from(r.list.height));
        let listed = self.listed(pane);
        let top = self.view.lists.get(&pane).map_or(0, |l| l.top).min(listed.len());
        let end = (top + height).min(listed.len());
        listed.get(top..end).unwrap_or_default()
    }

    /// The selected row of `pane`.
    pub fn selected(&self, pane: Pane) -> Option<&RowId> {
        self.view.lists.get(&pane)?.selected.as_ref()
    }

    /// Builds every row anew; needed at the start and when the order itself changes.
    pub(super) fn rebuild_rows(&mut self) {
        let Self { setup, fleet, membership, watches, pilots, rows, view, .. } = self;
        let group_by_owner = view.group_by_owner;
        let facts = Facts { setup, fleet, membership, watches, pilots, group_by_owner };
        rows.rebuild(&facts);
    }

    /// Recomputes what `touched` shows.
    pub(super) fn refresh_rows(&mut self, touched: &Touched) {
        self.work.rows += touched.items.len() as u64;
        let Self { setup, places, fleet, membership, watches, pilots, rows, view, .. } = self;
        let mut services = BTreeSet::new();
        let mut claimed = Vec::new();
        for item in &touched.items {
            let before = membership.owners(item).to_vec();
            services.extend(membership.refresh(item, fleet, &setup.services));
            if membership.owners(item) != before {
                claimed.push(item);
            }
        }
        // What a source lists for the first time may show that something claimed is not there, and
        // is the first word of what was unheard of.
        if let Some(source) = &touched.source {
            let waits = |s: &Service| {
                let row = rows.board.get(&RowId::Service(s.id.clone()));
                row.is_some_and(|row| !row.unheard.is_empty()) && may_be_of(s, source)
            };
            let told = setup.services.iter().filter(|s| claims_by_name(s, source) || waits(s));
            services.extend(told.map(|s| s.id.clone()));
        }
        for spec in places.judged_by(setup, &touched.items) {
            let split = split_of(spec, fleet).map(|(_, split)| split);
            watches.entry(spec.id.clone()).or_default().refresh(spec, split, fleet);
            services.insert(spec.service.clone());
        }
        let group_by_owner = view.group_by_owner;
        let facts = Facts { setup, fleet, membership, watches, pilots, group_by_owner };
        let services: Vec<&Service> =
            services.iter().filter_map(|id| places.service(setup, id)).collect();
        rows.refresh(&facts, touched, &services);
        rows.refresh_changes_of(&claimed, &facts);
    }
}
