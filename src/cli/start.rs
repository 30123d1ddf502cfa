//! From the configuration to a running start: services, sources, clock, and how they are shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::desk::session;
use super::exit::Failure;
use super::global::Global;
use super::themes;
use crate::app::command::TABLE;
use crate::app::key::Key;
use crate::app::pane::Pane;
use crate::app::setup::{Options, Rehearsal, Setup};
use crate::backend::clock::{SharedClock, WallClock};
use crate::backend::registry::Registry;
use crate::backend::rehearsal;
use crate::config::model::{Clock, Glyphs, StartPane};
use crate::config::sources::SourceConfig;
use crate::config::{Config, Inputs, Loaded, Setting, load};
use crate::domain::ids::{ItemId, SourceId};
use crate::domain::policy::Policy;
use crate::domain::series::SeriesSpec;
use crate::domain::service::Service;
use crate::domain::text::SafeText;
use crate::runtime::pool::Configured;
use crate::runtime::run::Speed;

/// Everything that a session or a headless command starts from.
pub struct Started {
    /// What is fixed before the first message.
    pub setup: Setup,
    /// The sources.
    pub sources: Vec<Configured>,
    /// The time.
    pub clock: SharedClock,
    /// The rehearsal's clock, if it is one.
    pub speed: Option<Arc<dyn Speed + Send + Sync>>,
    /// The settings.
    pub config: Config,
    /// What is odd but not wrong.
    pub warnings: Vec<String>,
}

/// Reads the configuration of the process.
pub fn configuration(global: &Global, more: Vec<Setting>) -> Result<Loaded, Failure> {
    let mut settings = global.settings().map_err(Failure::usage)?;
    settings.extend(more);
    let inputs = Inputs::of_process(global.config.as_deref(), settings);
    let loaded = load(&inputs).map_err(|report| Failure::usage(report.to_string()))?;
    let commands: Vec<&str> = TABLE.iter().map(|row| row.name).collect();
    let unknown = loaded.unknown_commands(&commands);
    if !unknown.is_empty() {
        return Err(Failure::usage(crate::config::Report::new(unknown).to_string()));
    }
    Ok(loaded)
}

/// Makes everything ready; `ascii` if the terminal wants it, where the configuration leaves it open.
pub fn start(global: &Global, more: Vec<Setting>, ascii: bool) -> Result<Started, Failure> {
    let loaded = configuration(global, more)?;
    let warnings = loaded.warnings().iter().map(ToString::to_string).collect();
    let config = loaded.config;
    let mut start =
        Start { services: Vec::new(), sources: Vec::new(), rehearsal: None, world: None };
    let wants_world = config.sources.values().any(|s| matches!(s, SourceConfig::Rehearsal(_)));
    let alone = global.rehearse || global.scenario.is_some() || config.is_rehearsal();
    if alone || wants_world {
        start.open_world(&config, alone)?;
    }
    if !alone {
        start.add_sources(&config)?;
    }
    start.services.push(Service::unclaimed());
    let clock: SharedClock = match &start.world {
        Some(world) => Arc::clone(world) as SharedClock,
        None => Arc::new(WallClock),
    };
    let now = clock.now();
    let setup = Setup {
        services: start.services,
        sources: start.sources.iter().map(|s| s.source.meta()).collect(),
        rehearsal: start.rehearsal,
        options: options(&config, ascii, now),
        policy: policy(&config),
        keys: keys(&config)?,
        themes: themes::names(),
        session: session(Timestamp::now()),
        now,
    };
    Ok(Started {
        setup,
        sources: start.sources,
        clock,
        speed: start.world.map(|world| world as Arc<dyn Speed + Send + Sync>),
        config,
        warnings,
    })
}

struct Start {
    services: Vec<Service>,
    sources: Vec<Configured>,
    rehearsal: Option<Rehearsal>,
    world: Option<Arc<rehearsal::SimulatedClock>>,
}

impl Start {
    fn open_world(&mut self, config: &Config, alone: bool) -> Result<(), Failure> {
        let wanted = &config.rehearsal;
        // Real sources live by the wall's clock, so a world among them cannot run faster.
        let speed = if alone { wanted.speed } else { 1.0 };
        let mut world = rehearsal::open(&wanted.scenario, wanted.seed, speed, Timestamp::now())
            .map_err(|error| Failure::usage(error.to_string()))?;
        if !alone {
            world.set_apart();
        }
        self.rehearsal = Some(Rehearsal {
            scenario: world.name,
            story: world.story,
            speed,
            seed: world.seed,
            partly: !alone,
        });
        self.services.extend(world.services);
        self.sources
            .extend(world.sources.into_iter().map(|(source, series)| configured(source, &series)));
        self.world = alone.then_some(world.clock);
        Ok(())
    }

    fn add_sources(&mut self, config: &Config) -> Result<(), Failure> {
        let registry = Registry::of(config);
        let mut series: BTreeMap<SourceId, Vec<SeriesSpec>> = config.series();
        for (name, source) in &config.sources {
            if matches!(source, SourceConfig::Rehearsal(_)) {
                continue;
            }
            let specs = series.remove(&SourceId::new(name)).unwrap_or_default();
            let adapter =
                registry.build(name, source, &config.schedule(name), specs.clone()).map_err(
                    |fault| Failure::usage(format!("source {name}: {fault}\n    {}", fault.hint)),
                )?;
            self.must_be_new("source", name, |world| {
                world.sources.iter().any(|s| s.source.meta().id.as_str() == name)
            })?;
            self.sources.push(configured(adapter, &specs));
        }
        let services = config.services();
        for service in &services {
            self.must_be_new("service", service.id.as_str(), |world| {
                world.services.iter().any(|s| s.id == service.id)
            })?;
        }
        self.services.extend(services);
        Ok(())
    }

    /// The rehearsal beside real sources brings names of its own; facts of two may not mix.
    fn must_be_new(
        &self,
        what: &str,
        name: &str,
        is_known: impl Fn(&Self) -> bool,
    ) -> Result<(), Failure> {
        if is_known(self) {
            let message = format!("the rehearsal has a {what} {name} too: give yours another name");
            return Err(Failure::usage(message));
        }
        Ok(())
    }
}

fn configured(source: Arc<dyn crate::backend::Source>, series: &[SeriesSpec]) -> Configured {
    Configured { source, series: series.iter().map(|s| ItemId::Series(s.id.clone())).collect() }
}

fn options(config: &Config, ascii: bool, now: Timestamp) -> Options {
    let view = &config.view;
    Options {
        pane: match view.pane {
            StartPane::Board => Pane::Board,
            StartPane::Inbox => Pane::Inbox,
            StartPane::Pipelines => Pane::Pipelines,
            StartPane::Environments => Pane::Environments,
            StartPane::Canaries => Pane::Canaries,
            StartPane::Flags => Pane::Flags,
            StartPane::Timeline => Pane::Timeline,
            StartPane::Activity => Pane::Activity,
            StartPane::Sources => Pane::Sources,
        },
        theme: view.theme.clone(),
        ascii: match view.glyphs {
            Glyphs::Auto => ascii,
            Glyphs::Unicode => false,
            Glyphs::Ascii => true,
        },
        mouse: view.mouse,
        group_by_owner: view.group_by_owner,
        read_only: config.safety.read_only,
        utc_offset: match view.clock {
            Clock::Utc => 0,
            Clock::Local => now.to_zoned(jiff::tz::TimeZone::system()).offset().seconds(),
        },
        ..Options::default()
    }
}

fn policy(config: &Config) -> Policy {
    Policy {
        read_only: config.safety.read_only,
        production: config
            .safety
            .production
            .iter()
            .map(|glob| SafeText::from(glob.to_string()))
            .collect(),
        // More than the type can count is no limit.
        writes_per_minute: usize::try_from(config.safety.writes_per_minute).unwrap_or(usize::MAX),
        freezes: config.freezes(),
    }
}

fn keys(config: &Config) -> Result<BTreeMap<String, Vec<Key>>, Failure> {
    let mut keys = BTreeMap::new();
    for (command, binding) in &config.keys {
        let parsed: Result<Vec<Key>, String> =
            binding.keys().iter().map(|key| Key::parse(key)).collect();
        let parsed = parsed.map_err(|why| Failure::usage(format!("keys.{command}: {why}")))?;
        keys.insert(command.clone(), parsed);
    }
    Ok(keys)
}
