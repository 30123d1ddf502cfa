//! What `watch` and `--plain` tell: every change once, what is gone, and nothing that only grew older.

use flightdeck::app::report::{Event, EventKind, Watcher};
use flightdeck::app::{Msg, State, update};
use flightdeck::domain::alarm::AlarmState;
use flightdeck::domain::environment::Health;
use flightdeck::domain::fact::{Fact, FactKind};
use flightdeck::domain::pipeline::RunState;
use flightdeck::domain::revision::Revision;

use crate::ages::told;
use crate::world::{fact, moment, setup};

/// A state, who watches it, and the time.
struct Watched {
    state: State,
    watcher: Watcher,
    at: u64,
}

impl Watched {
    fn new() -> Self {
        Self { state: State::new(setup()), watcher: Watcher::default(), at: 0 }
    }

    /// A minute later the lab lists exactly these things; what is told of them.
    fn lists(&mut self, facts: Vec<Fact>) -> Vec<Event> {
        self.at += 60;
        let every = vec![
            FactKind::Pipelines,
            FactKind::Environments,
            FactKind::Traffic,
            FactKind::Flags,
            FactKind::Alarms,
        ];
        update(&mut self.state, told("lab", self.at, facts, every));
        update(&mut self.state, Msg::Tick(moment(self.at)));
        let news = self.watcher.news(&self.state);
        news.into_iter().filter(|event| event.kind != EventKind::Source).collect()
    }

    fn texts(&mut self, facts: Vec<Fact>) -> Vec<String> {
        self.lists(facts).iter().map(|event| event.text.to_string()).collect()
    }
}

fn weight(new: u32) -> Fact {
    let Fact::Traffic(mut split) = fact(2, 1, 0, 1) else { panic!() };
    split.arms[0].weight = 100 - new;
    split.arms[1].weight = new;
    Fact::Traffic(split)
}

fn percent(percent: f64) -> Fact {
    let Fact::Flag(mut flag) = fact(3, 1, 0, 1) else { panic!() };
    flag.environments[0].percent = Some(percent);
    Fact::Flag(flag)
}

fn version(version: &str, summary: &str) -> Fact {
    let Fact::Environment(mut environment) = fact(1, 1, 0, 0) else { panic!() };
    environment.health = Health::Healthy;
    environment.revision = Some(Revision::of(version));
    environment.summary = Some(summary.into());
    Fact::Environment(environment)
}

fn alarm(state: AlarmState, since: u64, reason: &str) -> Fact {
    let Fact::Alarm(mut alarm) = fact(4, 1, 0, 1) else { panic!() };
    alarm.state = state;
    alarm.since = Some(moment(since));
    alarm.reason = Some(reason.into());
    Fact::Alarm(alarm)
}

fn stages(states: &[RunState]) -> Fact {
    let Fact::Pipeline(mut pipeline) = fact(0, 1, 0, 3) else { panic!() };
    let stage = pipeline.stages[0].clone();
    pipeline.stages = states
        .iter()
        .enumerate()
        .map(|(n, state)| {
            let mut stage = stage.clone();
            stage.name = format!("Stage{n}").into();
            stage.state = *state;
            stage.since = Some(moment(0));
            stage.transition = None;
            stage.inbound = None;
            stage.actions.clear();
            stage
        })
        .collect();
    Fact::Pipeline(pipeline)
}

#[test]
fn every_change_is_told_once_and_what_is_the_same_is_not() {
    use RunState::{Failed, Running, Succeeded};
    let cases: Vec<(&str, Vec<(Fact, &str)>)> = vec![
        (
            "weight",
            vec![
                (weight(10), "new 10%"),
                (weight(10), ""),
                (weight(25), "new 25%"),
                (weight(10), "new 10%"),
            ],
        ),
        ("percent", vec![(percent(10.0), "10%"), (percent(50.0), "50%"), (percent(50.0), "")]),
        (
            "version",
            vec![
                (version("1.4.2", "HTTP 200"), "runs 1.4.2"),
                (version("1.4.3", "HTTP 200"), "runs 1.4.3"),
                (version("1.4.3", "HTTP 200; certificate ends in 9d"), "certificate"),
                (version("1.4.3", "HTTP 200; certificate ends in 8d"), ""),
            ],
        ),
        (
            "alarm",
            vec![
                (alarm(AlarmState::Ok, 0, "0.1 < 5"), "ok"),
                (alarm(AlarmState::Firing, 60, "7.3 > 5"), "firing"),
                (alarm(AlarmState::Firing, 60, "9.1 > 5"), ""),
                (alarm(AlarmState::Firing, 200, "9.1 > 5"), "firing"),
                (alarm(AlarmState::Ok, 260, "0.1 < 5"), "ok"),
                (alarm(AlarmState::Firing, 300, "7.3 > 5"), "firing"),
            ],
        ),
        (
            "pipeline",
            vec![
                (stages(&[Running, Failed]), "Stage1 of checkout-0 failed"),
                // What failed is still the worst; that the other is through is told all the same.
                (stages(&[Succeeded, Failed]), "Stage0 of checkout-0: succeeded"),
                (stages(&[Succeeded, Failed]), ""),
                (stages(&[Succeeded, Running]), "Stage1 of checkout-0 is running"),
            ],
        ),
    ];
    for (case, steps) in cases {
        let mut watched = Watched::new();
        for (step, (fact, said)) in steps.into_iter().enumerate() {
            let texts = watched.texts(vec![fact]);
            match said {
                "" => assert!(texts.is_empty(), "{case}, step {step}: {texts:?}"),
                said => {
                    assert_eq!(texts.len(), 1, "{case}, step {step}: {texts:?}");
                    assert!(texts[0].contains(said), "{case}, step {step}: {texts:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_gone_is_told_and_is_news_again_when_it_comes_back() {
    let mut watched = Watched::new();
    let firing = || alarm(AlarmState::Firing, 60, "7.3 > 5");
    assert_eq!(watched.texts(vec![firing()]).len(), 1);
    // A rule that no longer says anything has no alert at all.
    let gone = watched.lists(Vec::new());
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!(gone[0].kind, EventKind::Alarm);
    assert_eq!(gone[0].text.as_str(), "checkout-0 fires no more: it is gone");
    assert_eq!(gone[0].services[0].as_str(), "checkout", "those who claim it hear of it");
    assert!(watched.texts(Vec::new()).is_empty());
    assert_eq!(watched.texts(vec![firing()]).len(), 1, "the second firing is told too");

    let mut watched = Watched::new();
    watched.lists(vec![stages(&[RunState::Succeeded])]);
    assert_eq!(watched.texts(Vec::new()), ["checkout-0 is gone"]);
    assert_eq!(watched.texts(vec![stages(&[RunState::Succeeded])]).len(), 1);
}

#[test]
fn every_event_of_a_rehearsal_says_so() {
    let mut watched = Watched::new();
    let news = watched.lists(vec![weight(10)]);
    assert_eq!(news[0].rehearsal.as_ref().unwrap().as_str(), "calm");
    let mut real = setup();
    real.rehearsal = None;
    watched.state = State::new(real);
    watched.watcher = Watcher::default();
    assert_eq!(watched.lists(vec![weight(10)])[0].rehearsal, None);
}
