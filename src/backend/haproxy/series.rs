//! Figures of arms as series, kept here because HAProxy keeps no history.
//!
//! A series begins with the first read after the start. A read that fails leaves a gap, and a
//! counter that begins anew with its process begins at 0 at that process's start.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::answer::Server;
use super::figures::Figure;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::ids::SeriesId;
use crate::domain::series::{Point, Series, SeriesKind, SeriesQuery, SeriesSpec};

/// Points kept of a series.
const MAX_POINTS: usize = 2_000;

/// The series that may be asked for, each with what was read of it.
#[derive(Debug)]
pub(super) struct Shelf(BTreeMap<SeriesId, Kept>);

#[derive(Debug)]
struct Kept {
    spec: SeriesSpec,
    level: bool,
    points: VecDeque<Point>,
    /// Why the last read had no figure for it.
    missing: Option<Fault>,
}

impl Shelf {
    /// Nothing read yet.
    pub(super) fn new(specs: Vec<SeriesSpec>) -> Self {
        let kept = |spec| Kept { spec, level: false, points: VecDeque::new(), missing: None };
        Self(specs.into_iter().map(|spec| (spec.id.clone(), kept(spec))).collect())
    }

    /// Takes in what was read at `now`; `restarted` is when the counters began anew.
    pub(super) fn take(
        &mut self,
        servers: &[Server],
        restarted: Option<Timestamp>,
        now: Timestamp,
    ) {
        for kept in self.0.values_mut() {
            match figure(&kept.spec, servers) {
                Ok(figure) => kept.take(figure, restarted, now),
                Err(fault) => kept.missing = Some(fault),
            }
        }
    }

    /// The series `id`, as far as it is known.
    ///
    /// # Errors
    /// It is not configured, or the last read had no such figure.
    pub(super) fn series(&self, id: &SeriesId, now: Timestamp) -> Result<Series, Fault> {
        let kept = self.0.get(id).ok_or_else(|| {
            let message = format!("{id}: no figure is configured for it");
            Fault::new(FaultKind::InvalidRequest, message)
        })?;
        match &kept.missing {
            Some(fault) => Err(fault.clone()),
            None => Ok(kept.series(now)),
        }
    }
}

impl Kept {
    fn take(&mut self, figure: Figure, restarted: Option<Timestamp>, now: Timestamp) {
        self.missing = None;
        let (level, value) = match figure {
            Figure::Level(value) => (true, value),
            Figure::Counter(value) => (false, value),
        };
        self.level = level;
        let newest = self.points.back().map(|p| p.at);
        if let Some(start) = restarted.filter(|_| !level)
            && newest.is_some_and(|newest| newest < start)
            && start < now
        {
            self.points.push_back(Point { at: start, value: 0.0 });
        } else {
            self.thin();
        }
        if self.points.back().is_none_or(|p| p.at < now) {
            self.points.push_back(Point { at: now, value });
        }
        let first = now.saturating_sub(self.spec.window).unwrap_or(now);
        while self.points.len() > MAX_POINTS || self.points.front().is_some_and(|p| p.at < first) {
            self.points.pop_front();
        }
    }

    /// Reads can be far denser than the step: of those within half a step the newest is enough.
    fn thin(&mut self) {
        let half = SignedDuration::from_millis_i128(self.spec.step.as_millis() / 2);
        let mut newest = self.points.iter().rev();
        if let (Some(last), Some(before)) = (newest.next(), newest.next())
            && last.value >= before.value
            && last.at.duration_since(before.at) < half
        {
            self.points.pop_back();
        }
    }

    fn series(&self, now: Timestamp) -> Series {
        let spec = &self.spec;
        let per_second = spec.kind == SeriesKind::Gauge && !self.level;
        let points: Vec<Point> = if per_second {
            let pairs = self.points.iter().zip(self.points.iter().skip(1));
            pairs.filter_map(|(from, to)| rate(*from, *to)).collect()
        } else {
            self.points.iter().copied().collect()
        };
        let from = now.saturating_sub(spec.window).unwrap_or(now);
        let whole = self
            .points
            .front()
            .is_some_and(|p| p.at.duration_since(from) <= spec.step.saturating_mul(2));
        Series {
            id: spec.id.clone(),
            kind: if self.level || per_second { SeriesKind::Gauge } else { SeriesKind::Counter },
            unit: spec.unit.clone(),
            step: spec.step,
            points,
            note: (!whole).then(|| "kept since flightdeck started; HAProxy has no history".into()),
        }
    }
}

/// What was gained per second; nothing where the counter began anew.
fn rate(from: Point, to: Point) -> Option<Point> {
    let seconds = to.at.duration_since(from.at).as_secs_f64();
    let gained = to.value - from.value;
    (seconds > 0.0 && gained >= 0.0).then(|| Point { at: to.at, value: gained / seconds })
}

fn figure(spec: &SeriesSpec, servers: &[Server]) -> Result<Figure, Fault> {
    let invalid =
        |why: String| Fault::new(FaultKind::InvalidRequest, format!("{}: {why}", spec.id));
    let SeriesQuery::Arm { split, arm, figure } = &spec.query else {
        return Err(invalid("HAProxy is asked for BACKEND/SERVER/FIGURE".to_owned())
            .hint("as in checkout/canary/requests"));
    };
    let mut behind = servers.iter().filter(|s| s.get("pxname") == Some(split)).peekable();
    if behind.peek().is_none() {
        return Err(invalid(format!("there is no backend {split} with servers")));
    }
    let Some(server) = behind.find(|s| s.get("svname") == Some(arm)) else {
        return Err(invalid(format!("the backend {split} has no server {arm}")));
    };
    Figure::of(server, figure).ok_or_else(|| {
        let known = server.knows(figure);
        let why = if known { "is not kept for this server" } else { "is not known" };
        invalid(format!("the figure {figure} {why}"))
            .hint("ask for requests, errors, or a numeric column of `show stat`")
    })
}
