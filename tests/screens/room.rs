//! A control room in the rehearsal at fixed times: its own sources, read by hand, into the state.

use std::sync::{Arc, Mutex};

use flightdeck::app::effect::Effect;
use flightdeck::app::key::Key;
use flightdeck::app::pane::Pane;
use flightdeck::app::setup::{Rehearsal as Told, Setup};
use flightdeck::app::{Msg, State, update};
use flightdeck::backend::Source;
use flightdeck::backend::clock::{Clock, SharedClock};
use flightdeck::backend::context::{Meter, ReadContext};
use flightdeck::backend::rehearsal::{self, Rehearsal};
use flightdeck::domain::Timestamp;
use flightdeck::domain::ids::ItemId;
use flightdeck::domain::observation::{ReadFailed, Scope, Topic};
use flightdeck::domain::source::SourceReport;
use flightdeck::ui::theme::Theme;
use flightdeck::ui::{Look, draw};
use futures::FutureExt;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// When every world begins: 2026-09-21, 14:13:20 UTC.
pub const START: i64 = 1_790_000_000;

/// A moment of the world.
pub fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

/// A clock that stands until it is set.
struct HandClock(Mutex<Timestamp>);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A state, the sources that feed it, and every message that it got.
pub struct Room {
    pub state: State,
    pub setup: Setup,
    pub taken: Vec<Msg>,
    pub effects: Vec<Effect>,
    clock: Arc<HandClock>,
    sources: Vec<(Arc<dyn Source>, Vec<ItemId>)>,
}

impl Room {
    /// The scenario of this name; nothing is read yet.
    pub fn open(scenario: &str, size: (u16, u16)) -> Self {
        Self::of(rehearsal::open(scenario, 1, 1.0, moment(0)).unwrap(), size, |_| {})
    }

    /// A world, on a screen of this size, with a setup that `change` may still alter.
    pub fn of(world: Rehearsal, size: (u16, u16), change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::empty(moment(0));
        setup.services = world.services;
        setup.sources = world.sources.iter().map(|(source, _)| source.meta()).collect();
        setup.rehearsal = Some(Told {
            scenario: world.name,
            story: world.story,
            speed: 1.0,
            seed: world.seed,
            partly: false,
        });
        setup.options.size = size;
        change(&mut setup);
        let items = |specs: &[flightdeck::domain::series::SeriesSpec]| {
            specs.iter().map(|s| ItemId::Series(s.id.clone())).collect()
        };
        let sources = world.sources.iter().map(|(s, specs)| (Arc::clone(s), items(specs)));
        Self {
            state: State::new(setup.clone()),
            sources: sources.collect(),
            setup,
            taken: Vec::new(),
            effects: Vec::new(),
            clock: Arc::new(HandClock(Mutex::new(moment(0)))),
        }
    }

    /// Hands a message to the state.
    pub fn take(&mut self, msg: Msg) {
        self.taken.push(msg.clone());
        self.effects.extend(update(&mut self.state, msg));
    }

    /// Reads everything at this many seconds of the world, and lets the time be that.
    pub fn read(&mut self, seconds: i64) {
        let now = moment(seconds);
        *self.clock.0.lock().unwrap() = now;
        let clock: SharedClock = Arc::clone(&self.clock) as SharedClock;
        for (source, series) in self.sources.clone() {
            let context = ReadContext::new(clock.clone(), 0, Arc::new(Meter::new(600)));
            let meta = source.meta();
            for topic in &meta.capabilities.topics {
                let items = if *topic == Topic::Series { series.clone() } else { Vec::new() };
                let scope = Scope { topic: *topic, items };
                // The rehearsal never waits.
                let answer = source.observe(&scope, &context).now_or_never().unwrap();
                self.take(match answer {
                    Ok(answer) => Msg::Observed(Box::new(answer)),
                    Err(fault) => Msg::ReadFailed(Box::new(ReadFailed {
                        source: meta.id.clone(),
                        epoch: 0,
                        scope,
                        at: now,
                        fault,
                    })),
                });
            }
            let calls = context.calls();
            let report = SourceReport {
                calls,
                calls_last_minute: u32::try_from(calls).unwrap(),
                budget_per_minute: 600,
                settled: true,
                ..SourceReport::default()
            };
            self.take(Msg::Report(meta.id, report));
        }
        self.take(Msg::Tick(now));
    }

    /// Lets the time pass without reading.
    pub fn tick(&mut self, seconds: i64) {
        self.take(Msg::Tick(moment(seconds)));
    }

    /// Presses keys, one after the other, at the pace of a person.
    pub fn keys(&mut self, keys: &[&str]) {
        for key in keys {
            let ms = self.state.view.last_key + 1_000;
            self.take(Msg::Key { key: Key::parse(key).unwrap(), ms });
        }
    }

    /// Types a word.
    pub fn typed(&mut self, text: &str) {
        for c in text.chars() {
            let ms = self.state.view.last_key + 100;
            self.take(Msg::Key { key: Key::char(c), ms });
        }
    }

    /// Changes the size of the screen.
    pub fn resize(&mut self, (width, height): (u16, u16)) {
        self.take(Msg::Resize { width, height });
    }

    /// Shows a pane; for the service pane, the service that needs attention most.
    pub fn show(&mut self, pane: Pane) {
        self.keys(&[pane.digit().to_string().as_str()]);
        assert_eq!(self.state.view.pane, pane);
    }

    /// The frame as it would be on the screen.
    pub fn frame(&self, look: &Look) -> Buffer {
        frame(&self.state, look)
    }
}

/// Ten minutes past the moment at which a story has unfolded, read along the way as it would be.
pub fn unfolded(scenario: &str, size: (u16, u16)) -> Room {
    let mut room = Room::open(scenario, size);
    for minute in [0, 4, 8, 12] {
        room.read(minute * 60);
    }
    room
}

/// One frame of a state.
pub fn frame(state: &State, look: &Look) -> Buffer {
    let (width, height) = state.view.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    draw(state, look, &mut buffer);
    buffer
}

/// The default look.
pub fn default_look() -> Look {
    Look::new(Theme::fallback(), false)
}
