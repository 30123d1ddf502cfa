//! Tests of the journal: what is written is found again, and nothing can be changed unnoticed.

use super::*;

fn record(n: i64, event: Event) -> Record {
    Record {
        at: Timestamp::from_second(1_800_000_000 + n).unwrap(),
        plan: format!("plan-{}", n / 10),
        title: "approve shop".into(),
        step: Some(0),
        who: "dana@here".into(),
        event,
    }
}

fn sending() -> Event {
    Event::Sending { order: serde_json::json!({"b": 1, "a": [1.5, "x"]}) }
}

fn ended() -> Event {
    Event::Ended {
        outcome: serde_json::json!({"outcome": "done"}),
        sentence: "done".into(),
        looked: None,
    }
}

fn filled(count: i64) -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::new(folder.path().join("journal"));
    for n in 0..count {
        journal.append(&record(n, sending())).unwrap();
    }
    (folder, journal)
}

fn only_file(journal: &Journal) -> PathBuf {
    journal.files().unwrap().remove(0)
}

#[test]
fn what_is_written_is_read_again_and_whole() {
    let (_folder, journal) = filled(5);
    let read = journal.read(None).unwrap();
    assert_eq!(read.entries.len(), 5);
    assert_eq!(read.entries[3].record, record(3, sending()));
    assert_eq!(read.findings, []);
    let later = journal.read(Some(Timestamp::from_second(1_800_000_003).unwrap())).unwrap();
    assert_eq!(later.entries.len(), 2);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(only_file(&journal)).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn edits_gaps_and_truncation_are_found() {
    type Change = fn(&str) -> String;
    let changes: [(&str, Change); 5] = [
        ("an edit", |text| text.replacen("approve shop", "approve shed", 1)),
        ("a line taken out", |text| {
            let lines: Vec<&str> = text.lines().collect();
            format!("{}\n{}\n{}\n", lines[0], lines[2], lines[3])
        }),
        ("the end cut off", |text| {
            let lines: Vec<&str> = text.lines().collect();
            format!("{}\n{}\n", lines[0], lines[1])
        }),
        ("two lines swapped", |text| {
            let lines: Vec<&str> = text.lines().collect();
            format!("{}\n{}\n{}\n{}\n", lines[0], lines[2], lines[1], lines[3])
        }),
        ("everything gone", |_| String::new()),
    ];
    for (what, change) in changes {
        let (_folder, journal) = filled(4);
        let path = only_file(&journal);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(&text)).unwrap();
        let read = journal.read(None).unwrap();
        assert!(!read.is_whole(), "{what} is not found");
    }
}

#[test]
fn a_crash_in_the_middle_of_a_line_loses_nothing_else() {
    for cut in [1, 20, 80, 200] {
        let (_folder, journal) = filled(3);
        let path = only_file(&journal);
        let text = std::fs::read_to_string(&path).unwrap();
        let head = std::fs::read_to_string(journal.folder.join("HEAD")).unwrap();
        // The fourth line was begun and not ended, so HEAD was not written either.
        journal.append(&record(8, sending())).unwrap();
        let fourth = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &fourth[..text.len() + cut]).unwrap();
        std::fs::write(journal.folder.join("HEAD"), head).unwrap();
        assert!(journal.read(None).unwrap().is_whole(), "cut at {cut}");
        journal.append(&record(9, ended())).unwrap();
        let read = journal.read(None).unwrap();
        assert!(read.is_whole(), "cut at {cut}: {:?}", read.findings);
        assert_eq!((read.entries.len(), read.findings.len()), (4, 1));
    }
}

#[test]
fn wherever_a_line_is_torn_the_next_one_follows_the_last_whole_one() {
    let (_folder, journal) = filled(3);
    let path = only_file(&journal);
    let text = std::fs::read_to_string(&path).unwrap();
    let last = text.lines().next_back().unwrap();
    let before = &text[..text.len() - last.len() - 1];
    let head = &before.lines().next_back().unwrap()[9..73];
    for cut in (1..=last.len()).rev().step_by(5).chain([last.len() - 1, last.len() - 2]) {
        std::fs::write(&path, format!("{before}{}", &last[..cut])).unwrap();
        std::fs::write(journal.folder.join("HEAD"), head).unwrap();
        let kept = usize::from(cut == last.len());
        assert_eq!(journal.check().unwrap(), kept == 0, "cut at {cut}");
        journal.append(&record(9, ended())).unwrap();
        let read = journal.read(None).unwrap();
        assert!(read.is_whole(), "cut at {cut}: {:?}", read.findings);
        assert_eq!((read.entries.len(), read.findings.len()), (3 + kept, 1 - kept), "cut at {cut}");
        assert!(!journal.check().unwrap(), "cut at {cut}");
    }
}

#[test]
fn a_line_made_into_something_else_is_no_crash() {
    for other in ["{}", "half of it", "{\"hash\":\"\"}"] {
        let (_folder, journal) = filled(3);
        let path = only_file(&journal);
        let text = std::fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            std::fs::write(&path, text.replace(line, other)).unwrap();
            assert!(!journal.read(None).unwrap().is_whole(), "{other} for {line}");
            let why = journal.check().unwrap_err().to_string();
            assert!(why.contains("was changed by somebody"), "{why}");
        }
    }
}

#[test]
fn a_crash_before_the_first_line_is_named_is_a_crash() {
    let (_folder, journal) = filled(1);
    std::fs::write(journal.folder.join("HEAD"), GENESIS).unwrap();
    journal.check().unwrap();
    journal.append(&record(9, ended())).unwrap();
    assert_eq!(journal.read(None).unwrap().findings, []);
}

#[test]
fn without_head_a_journal_is_not_whole_however_short() {
    for lines in 1..4 {
        let (_folder, journal) = filled(3);
        let path = only_file(&journal);
        let text = std::fs::read_to_string(&path).unwrap();
        let kept: String = text.split_inclusive('\n').take(lines).collect();
        std::fs::write(&path, kept).unwrap();
        std::fs::remove_file(journal.folder.join("HEAD")).unwrap();
        let why = journal.check().unwrap_err().to_string();
        assert!(why.contains("HEAD is missing"), "{why}");
        assert!(journal.append(&record(9, ended())).is_err());
    }
}

#[test]
fn a_journal_that_was_cut_short_takes_no_line_that_would_hide_it() {
    for lines in 0..3 {
        let (_folder, journal) = filled(5);
        let path = only_file(&journal);
        let text = std::fs::read_to_string(&path).unwrap();
        let kept: String = text.split_inclusive('\n').take(lines).collect();
        if lines == 0 {
            std::fs::remove_file(&path).unwrap();
        } else {
            std::fs::write(&path, &kept).unwrap();
        }
        let why = journal.append(&record(9, ended())).unwrap_err().to_string();
        assert!(why.contains("the newest lines are missing"), "{why}");
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), kept);
        assert!(!journal.read(None).unwrap().is_whole());
    }
}

#[test]
fn a_line_that_somebody_put_in_is_no_crash() {
    let other = format!("{{\"hash\":\"{GENESIS}\",\"prev\":\"{}\"", "f".repeat(64));
    for added in ["hello", "{\"hash\":\"xyz", "", other.as_str()] {
        let (_folder, journal) = filled(3);
        let path = only_file(&journal);
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.split_inclusive('\n').next().unwrap();
        std::fs::write(&path, text.replacen(first, &format!("{first}{added}\n"), 1)).unwrap();
        let read = journal.read(None).unwrap();
        assert_eq!((read.entries.len(), read.is_whole()), (3, added.is_empty()), "{added}");
    }
}

#[test]
fn lines_of_a_newer_version_are_told_as_that() {
    let (_folder, journal) = filled(2);
    let text = std::fs::read_to_string(only_file(&journal)).unwrap();
    let prev = text.lines().next_back().unwrap()[9..73].to_owned();
    let body = "{\"at\":\"later\"}";
    let hash = chain(&prev, body);
    let line = format!("{{\"hash\":\"{hash}\",\"prev\":\"{prev}\",\"record\":{body}}}\n");
    std::fs::write(only_file(&journal), text + &line).unwrap();
    std::fs::write(journal.folder.join("HEAD"), hash).unwrap();
    let why = journal.check().unwrap_err().to_string();
    assert!(why.contains("of a newer flightdeck") && !why.contains("changed by"), "{why}");
}

#[test]
fn what_holds_the_journal_is_waited_for_and_told_of() {
    let (_folder, journal) = filled(1);
    let held = journal.lock().unwrap();
    let why = journal.append(&record(9, ended())).unwrap_err().to_string();
    assert!(why.contains("another process holds it"), "{why}");
    drop(held);
    journal.append(&record(9, ended())).unwrap();
}

#[test]
fn a_clock_that_goes_back_keeps_the_order() {
    let (_folder, journal) = filled(2);
    let mut early = record(0, sending());
    early.at = Timestamp::from_second(1_799_000_000).unwrap();
    journal.append(&early).unwrap();
    let read = journal.read(None).unwrap();
    assert_eq!((read.entries.len(), read.findings.len()), (3, 0));
    assert_eq!(journal.files().unwrap().len(), 1);
}

#[test]
fn days_are_chained() {
    let (_folder, journal) = filled(2);
    let mut next = record(0, sending());
    next.at = Timestamp::from_second(1_800_000_000 + 90_000).unwrap();
    journal.append(&next).unwrap();
    let files = journal.files().unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(journal.read(None).unwrap().findings, []);
    std::fs::remove_file(&files[0]).unwrap();
    assert!(!journal.read(None).unwrap().is_whole());
}

#[test]
fn many_writers_at_once_make_one_chain() {
    let (_folder, journal) = filled(0);
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let journal = journal.clone();
            std::thread::spawn(move || {
                for n in 0..25 {
                    journal.append(&record(writer * 100 + n, sending())).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let read = journal.read(None).unwrap();
    assert_eq!((read.entries.len(), read.findings.len()), (100, 0));
}

#[test]
fn what_has_no_outcome_is_unresolved() {
    let (_folder, journal) = filled(0);
    journal.append(&record(0, sending())).unwrap();
    journal.append(&record(1, ended())).unwrap();
    journal.append(&record(20, sending())).unwrap();
    let read = journal.read(None).unwrap();
    let open: Vec<&str> = read.unresolved().iter().map(|e| e.record.plan.as_str()).collect();
    assert_eq!(open, ["plan-2"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let journal = Journal::new(file.join("journal"));
    let error = journal.append(&record(0, sending())).unwrap_err().to_string();
    assert!(error.contains("file/journal") && error.contains("cannot be written"), "{error}");
    assert!(journal.check().is_err());
}

/// A line as nobody here has written it.
fn forged(journal: &Journal) {
    let path = journal.files().unwrap().pop().unwrap();
    let hash = "e".repeat(64);
    let line = format!("{{\"hash\":\"{hash}\",\"prev\":\"{GENESIS}\",\"record\":{{}}}}\n");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + &line).unwrap();
}

#[test]
fn what_another_process_adds_between_two_checks_is_read_and_verified() {
    let (_folder, own) = filled(3);
    // A handle of its own knows nothing of what this one has checked.
    let other = Journal::new(own.folder());
    let seen = |journal: &Journal| journal.checked.lock().unwrap().clone().map(|(stamp, _)| stamp);
    assert!(!own.check().unwrap());
    let before = seen(&own);
    other.append(&record(4, sending())).unwrap();
    assert!(!own.check().unwrap());
    assert!(seen(&own) != before && seen(&own) == own.stamp(), "the whole file was read again");
    own.append(&record(5, ended())).unwrap();
    assert_eq!(own.read(None).unwrap().findings, []);
    // What is no line of the chain is found out, whoever looks, though both had checked before.
    assert!(!other.check().unwrap());
    forged(&own);
    for journal in [&own, &other] {
        let why = journal.check().unwrap_err().to_string();
        assert!(why.contains("line 6"), "{why}");
        assert!(
            journal.append(&record(6, sending())).is_err()
                || !journal.read(None).unwrap().is_whole()
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]

    /// Two processes add and check in any order; from the moment that somebody else puts a line in,
    /// neither relies on it any more, whatever it had checked.
    #[test]
    fn two_processes_rely_on_one_chain_until_it_is_changed(
        before in proptest::collection::vec((0..2_usize, 0..3_u8), 1..12),
        after in proptest::collection::vec(0..2_usize, 1..4),
    ) {
        let (_folder, first) = filled(1);
        let both = [first.clone(), Journal::new(first.folder())];
        let mut lines = 1;
        for (who, what) in before {
            if what == 0 {
                proptest::prop_assert!(!both[who].check().unwrap());
            } else {
                lines += 1;
                both[who].append(&record(lines, sending())).unwrap();
            }
        }
        let known = first.read(None).unwrap();
        let told = i64::try_from(known.entries.len()).unwrap();
        proptest::prop_assert_eq!((told, known.findings.len()), (lines, 0));
        forged(&first);
        for who in after {
            proptest::prop_assert!(both[who].check().is_err());
        }
    }
}
