//! What a journal survives: a torn line, a disk that fills up, a clock that goes back, two at once.

use std::fs;

use flightdeck::store::journal::{Journal, Record};
use jiff::SignedDuration;

use crate::refused::on_a_disk_of;
use crate::world::{Told, VERBS, World, count, program};

/// All but undoing: a rehearsal has nothing to undo.
fn doing() -> impl Iterator<Item = &'static str> {
    VERBS.into_iter().filter(|verb| *verb != "undo")
}

/// The lines after the first `from`.
fn records(world: &World, from: usize) -> Vec<Record> {
    world.journal().entries.into_iter().skip(from).map(|entry| entry.record).collect()
}

#[test]
fn a_torn_last_line_is_told_of_and_ended_and_the_next_write_works() {
    let base = World::with_a_past();
    let text = fs::read_to_string(base.lines()).unwrap();
    let last = text.lines().next_back().unwrap();
    let inner = last.rfind("}}").unwrap();
    // Within the hash, within the record, at a bracket, and before the line feed.
    for (verb, cut) in doing().zip([3, 90, 150, inner + 1, inner, last.len()].into_iter().cycle()) {
        let world = World::with_a_past();
        let text = fs::read_to_string(world.lines()).unwrap();
        let last = text.lines().next_back().unwrap();
        let whole = text.len() - last.len() - 1;
        let cut = cut.min(last.len());
        fs::write(world.lines(), &text[..whole + cut]).unwrap();
        // HEAD is written after the line, so a torn one is not named by it.
        let before: Vec<&str> = text[..whole].lines().collect();
        let head = &before.last().unwrap()[9..73];
        fs::write(world.folder().join("HEAD"), head).unwrap();

        let lost = usize::from(cut < last.len());
        let told = world.run(verb);
        assert_eq!(told.code, 0, "{verb}: {}", told.text);
        assert_eq!(told.text.contains("ended in half a line"), lost == 1, "{verb}: {}", told.text);
        world.is_whole(verb);
        let known = world.journal();
        assert_eq!(known.findings.len(), lost, "{verb}: {:?}", known.findings);
        let new = records(&world, before.len() + 1 - lost);
        assert!(count(&new, "confirmed") == 1 && count(&new, "sending") >= 1, "{verb}: {new:?}");
        assert_eq!(count(&new, "ended"), count(&new, "sending"), "{verb}: {new:?}");
        // Told once.
        let told = world.run(verb);
        assert!(!told.text.contains("half a line"), "{verb}: {}", told.text);
    }
}

#[test]
fn a_disk_that_fills_up_in_the_middle_of_a_write_leaves_no_half_truth() {
    let mut ends = std::collections::BTreeSet::new();
    let base = World::with_a_past();
    let size = fs::metadata(base.lines()).unwrap().len() / 512;
    for more in 0..40 {
        let world = World::with_a_past();
        let past = world.journal().entries.len();
        let old = fs::read(world.lines()).unwrap();
        let told = on_a_disk_of(&world, size + more, "hold search");
        assert!(fs::read(world.lines()).unwrap().starts_with(&old), "{more}");
        world.is_whole(&format!("{more}"));
        assert_eq!(world.journal().findings, [], "{more}");
        let new = records(&world, past);
        let words: Vec<&str> = new.iter().map(|record| record.event.word()).collect();
        let sent = words.contains(&"sending");
        match told.code {
            // What is not in the journal was not sent, and the other way round.
            26 => assert!(!sent, "{more}: {words:?}"),
            0 => assert!(sent && told.outcomes() == ["done"], "{more}: {}", told.text),
            code => panic!("{more}: {code}: {}", told.text),
        }
        let unrecorded = told.code == 0 && !words.contains(&"ended");
        assert_eq!(told.text.contains("this was not recorded"), unrecorded, "{}", told.text);
        ends.insert((told.code, words.join(" ")));
        if words.len() == 4 {
            break;
        }
    }
    let has = |code: i32, words: &str| ends.contains(&(code, words.to_owned()));
    assert!(has(26, ""), "{ends:?}");
    assert!(has(0, "confirmed sending reply ended"), "{ends:?}");
    assert!(
        ends.iter().any(|(code, words)| *code == 26 && words.starts_with("confirmed")),
        "{ends:?}"
    );
}

#[test]
fn a_clock_that_goes_back_loses_nothing_and_breaks_nothing() {
    let base = World::with_a_past();
    let past = records(&base, 0);
    for verb in doing() {
        let world = World::new();
        // Written by a clock that was days ahead.
        let journal = Journal::new(world.folder());
        for record in &past {
            let at = record.at + SignedDuration::from_hours(72);
            journal.append(&Record { at, ..record.clone() }).unwrap();
        }
        let told = world.run(verb);
        assert_eq!(told.code, 0, "{verb}: {}", told.text);
        world.is_whole(verb);
        let known = world.journal();
        assert_eq!(known.findings, [], "{verb}");
        let new = records(&world, past.len());
        assert_eq!(new[0].event.word(), "confirmed", "{verb}");
        assert_eq!(new.last().unwrap().event.word(), "ended", "{verb}");
        assert!(new[0].at < known.entries[0].record.at, "{verb}");
        // Nothing of what was written now is left out of the last hour.
        let told = world.run("journal --since 1h --output json");
        assert_eq!(told.json["entries"].as_array().unwrap().len(), past.len() + new.len());
    }
}

#[test]
fn two_programs_at_once_keep_one_journal_and_each_write_is_accounted_for() {
    let world = World::new();
    let start = |verb: &str| world.command(&program(), verb).spawn().unwrap();
    for verb in doing() {
        let before = world.journal().entries.len();
        let both = [start(verb), start(verb)].map(|child| child.wait_with_output().unwrap());
        let told = both.each_ref().map(Told::of);
        // Each rehearses in a world of its own, so both may do it, one after the other; or each a part
        // of it, while the other has the rest in hands.
        let parts = told.iter().filter(|told| told.code == 24).count();
        let whole = told.iter().filter(|told| told.code == 0).count();
        assert!(whole >= 1 || parts == 2, "{verb}: {}\n{}", told[0].text, told[1].text);
        for other in told.iter().filter(|told| told.code != 0) {
            assert!([20, 24].contains(&other.code), "{verb}: {}", other.text);
            assert!(other.text.contains("another process of this host"), "{verb}: {}", other.text);
        }
        let new = records(&world, before);
        assert_eq!(count(&new, "confirmed"), 2, "{verb}");
        assert!(count(&new, "ended") >= count(&new, "sending"), "{verb}: {new:?}");
        assert_eq!(world.journal().unresolved().len(), 0, "{verb}");
    }
    world.is_whole("after all of them");
}
