//! The gist of a fact: what of it, if it changes, is news. Ages grow and measurements waver; a share of
//! traffic, a version or a state does not.

use crate::domain::alarm::AlarmState;
use crate::domain::error::Fault;
use crate::domain::fleet::Fleet;
use crate::domain::ids::ItemId;

/// What of a fact, if it changes, is news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gist {
    /// Its sentence, ages left out.
    pub sentence: String,
    /// What the sentence may not tell.
    pub parts: Vec<String>,
    /// Why it cannot be read.
    pub fault: Option<String>,
    /// It is an alarm that fires.
    pub fires: bool,
}

/// The gist of `item`, about which this sentence is told.
pub fn of(fleet: &Fleet, item: &ItemId, sentence: &str, fault: Option<&Fault>) -> Gist {
    let mut gist = Gist {
        sentence: ageless(sentence),
        parts: Vec::new(),
        fault: fault.map(|fault| fault.kind.word().to_owned()),
        fires: false,
    };
    match item {
        ItemId::Pipeline(id) => {
            let stages = fleet.pipelines.get(id).into_iter().flat_map(|o| &o.value.stages);
            gist.parts = stages
                .map(|stage| {
                    let revision = stage.revision.as_ref().map(|r| format!(" {}", r.short()));
                    let held = if stage.is_held() { ", held" } else { "" };
                    let revision = revision.unwrap_or_default();
                    let (stage, word) = (&stage.name, stage.state.word());
                    format!("{stage} of {}{revision}: {word}{held}", id.name)
                })
                .collect();
        }
        ItemId::Environment(id) => {
            if let Some(o) = fleet.environments.get(id) {
                let environment = &o.value;
                let revision = environment.revision.as_ref().map(|r| r.id.to_string());
                let said = environment.summary.as_ref().map(|s| countless(s.as_str()));
                gist.sentence = environment.health.word().to_owned();
                gist.parts = revision.into_iter().chain(said).collect();
            }
        }
        ItemId::Alarm(id) => {
            if let Some(o) = fleet.alarms.get(id) {
                let alarm = &o.value;
                gist.fires = alarm.state == AlarmState::Firing;
                let silenced = if alarm.silenced { ", silenced" } else { "" };
                gist.sentence = format!("{}{silenced}", alarm.state.word());
                // One that fires anew between two reads fires since another time.
                let since = alarm.since.filter(|_| gist.fires).map(|at| at.to_string());
                let said = alarm.reason.as_ref().map(|r| countless(r.as_str()));
                gist.parts = since.into_iter().chain(said).collect();
            }
        }
        ItemId::Traffic(_) | ItemId::Flag(_) | ItemId::Change(_) | ItemId::Series(_) => {}
    }
    gist
}

/// `sentence` without the words that say how long ago something was.
fn ageless(sentence: &str) -> String {
    let is_age = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = word.strip_suffix(['s', 'm', 'h', 'd']);
        word == "now"
            || number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    let kept: Vec<&str> = sentence.split(' ').filter(|word| !is_age(word)).collect();
    kept.join(" ")
}

/// What others said, without its figures: they differ from one measurement to the next.
fn countless(said: &str) -> String {
    said.chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_left_out_and_figures_are_not() {
        for (sentence, gist) in [
            (
                "Prod waits for approval for 3m, 2h left; ships 4f1c9a",
                "Prod waits for approval for left; ships 4f1c9a",
            ),
            ("Prod failed <1m ago", "Prod failed ago"),
            (
                "edge splits traffic: stable 90% (healthy), new 10% (healthy)",
                "edge splits traffic: stable 90% (healthy), new 10% (healthy)",
            ),
            ("prod-eu is healthy since 45s, runs 1.4.2", "prod-eu is healthy since runs 1.4.2"),
        ] {
            assert_eq!(ageless(sentence), gist);
        }
        assert_eq!(countless("error rate 0.034 > 0.02"), "error rate . > .");
    }
}
