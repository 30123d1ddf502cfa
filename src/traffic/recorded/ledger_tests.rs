//! What is noise and what is not, counted over many requests.

use super::super::compare::Kind;
use super::*;

fn field(name: &str, kind: Kind) -> Field {
    let part = if name == "status" { Part::Status } else { Part::Json };
    Field { part, name: name.into(), kind }
}

fn differences(fields: &[(&str, Kind)]) -> Differences {
    let pair = || Pair { before: Some("1".into()), after: Some("2".into()) };
    let fields = fields.iter().map(|(name, kind)| (field(name, *kind), pair())).collect();
    Differences { fields, more: false }
}

fn exchange(canary: &[(&str, Kind)], noise: &[(&str, Kind)]) -> Exchange {
    let (canary, noise) = (differences(canary), differences(noise));
    Exchange {
        place: 7,
        pattern: "GET /orders/{}".into(),
        request: "GET /orders/1".into(),
        outcome: Outcome::Compared { canary, noise, silences: Vec::new(), cut: false },
    }
}

fn ledger(exchanges: impl IntoIterator<Item = Exchange>) -> Ledger {
    let mut ledger = Ledger::new(2, Vec::new());
    for exchange in exchanges {
        ledger.enter(exchange);
    }
    ledger
}

const ID: (&str, Kind) = ("/id", Kind::Value);
const GONE: (&str, Kind) = ("/id", Kind::Missing);

#[test]
fn what_the_baseline_shows_too_is_noise() {
    let ledger = ledger((0..50).map(|_| exchange(&[ID], &[ID])));
    let counts = Counts { compared: 50, noise: 50, ..Counts::default() };
    assert_eq!(ledger.counts(), counts);
}

#[test]
fn a_single_difference_where_the_baseline_is_steady_is_real() {
    let same = (0..49).map(|_| exchange(&[], &[]));
    let ledger = ledger(same.chain([exchange(&[ID], &[])]));
    let counts = Counts { compared: 50, same: 49, different: 1, ..Counts::default() };
    assert_eq!(ledger.counts(), counts);
}

#[test]
fn another_kind_of_difference_in_a_noisy_field_is_real() {
    let ledger = ledger((0..3).map(|_| exchange(&[GONE], &[ID])));
    assert_eq!(ledger.counts().different, 3);
    let book = ledger.patterns.values().next().unwrap();
    let real: Vec<&Field> = book.fields().filter(|(_, t)| t.is_real()).map(|(f, _)| f).collect();
    assert_eq!(real, [&field("/id", Kind::Missing)]);
}

#[test]
fn where_both_are_noisy_the_share_decides() {
    for (canary_only, noise_only, both, real) in [
        (3, 3, 0, false),
        (6, 1, 0, false),
        // 1 of 128 is less than 1 of 100, 1 of 64 is not.
        (7, 0, 1, true),
        (6, 0, 1, false),
        (30, 10, 5, true),
        (0, 30, 0, false),
        (0, 0, 9, false),
        (1, 0, 0, true),
    ] {
        let tally = Tally {
            canary: canary_only + both,
            noise: noise_only + both,
            canary_only,
            noise_only,
            examples: Vec::new(),
        };
        assert_eq!(tally.is_real(), real, "{canary_only} {noise_only} {both}");
    }
}

#[test]
fn the_tail_of_fair_coins() {
    for (k, n, expected) in [(0, 10, 1.0), (10, 10, 1.0 / 1024.0), (5, 9, 0.5), (3, 4, 5.0 / 16.0)]
    {
        assert!((at_least(k, n) - expected).abs() < 1e-12, "{k} of {n}");
    }
    assert!((at_least(5_000, 10_000) - 0.504).abs() < 1e-3);
}

#[test]
fn with_another_status_the_rest_is_not_weighed() {
    let status = ("status", Kind::Value);
    let ledger = ledger([exchange(&[status], &[ID]), exchange(&[ID], &[status])]);
    let book = ledger.patterns.values().next().unwrap();
    assert!(book.fields().all(|(field, _)| field.part == Part::Status));
}

#[test]
fn ignored_fields_are_not_looked_at() {
    let mut ledger = Ledger::new(2, vec!["/meta/*".to_owned(), "status".to_owned()]);
    ledger.enter(exchange(&[("/meta/version", Kind::Value)], &[]));
    ledger.enter(exchange(&[("status", Kind::Value)], &[]));
    ledger.enter(exchange(&[("/other", Kind::Value)], &[]));
    let counts = ledger.counts();
    assert_eq!((counts.same, counts.different), (2, 1));
}

#[test]
fn a_failed_request_is_unknown_and_never_the_same() {
    let unknown = |why: &str| Exchange {
        outcome: Outcome::Unknown { asked: Asked::Baseline, why: why.into() },
        ..exchange(&[], &[])
    };
    let ledger = ledger([unknown("timeout"), unknown("timeout"), unknown("refused")]);
    assert_eq!(ledger.counts(), Counts { unknown: 3, ..Counts::default() });
    let counts: Vec<u64> = ledger.silences.iter().map(|s| s.count).collect();
    assert_eq!(counts, [2, 1]);
}

#[test]
fn examples_patterns_and_fields_are_bounded() {
    let mut ledger = ledger((0..9).map(|_| exchange(&[ID], &[])));
    let book = ledger.patterns.values().next().unwrap();
    assert_eq!(book.fields().next().unwrap().1.examples.len(), 2);
    for i in 0..MOST_PATTERNS + 5 {
        ledger.enter(Exchange { pattern: format!("GET /{i}").into(), ..exchange(&[], &[]) });
    }
    assert_eq!(ledger.patterns.len(), MOST_PATTERNS + 1);
    assert_eq!(ledger.patterns.get(&SafeText::from(OTHERS)).unwrap().compared, 6);
    for i in 0..MOST_FIELDS + 5 {
        let name = format!("/{i}");
        ledger.enter(exchange(&[(name.as_str(), Kind::Value)], &[]));
    }
    assert!(ledger.counts().cut_short > 0);
}
