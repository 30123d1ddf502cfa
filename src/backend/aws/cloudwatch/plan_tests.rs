//! Tests of periods, spans and batches.

use super::*;
use crate::domain::ids::{SeriesId, SourceId};
use crate::domain::series::SeriesKind;

fn spec(step: i64, window: i64, query: &str) -> SeriesSpec {
    SeriesSpec {
        id: SeriesId::new(&SourceId::new("cw"), "x"),
        query: SeriesQuery::Expression(query.to_owned()),
        kind: SeriesKind::Gauge,
        unit: "ms".into(),
        step: SignedDuration::from_secs(step),
        window: SignedDuration::from_secs(window),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn periods_are_those_that_exist() {
    for (asked, expected) in [
        (1, 1),
        (3, 5),
        (10, 10),
        (15, 20),
        (30, 30),
        (45, 60),
        (60, 60),
        (61, 120),
        (90_000, 86_400),
    ] {
        assert_eq!(period(asked), expected, "{asked}");
    }
}

#[test]
fn only_periods_that_are_over_are_asked_for() {
    let spec = spec(60, 3_600, "x");
    let query = Query::new(&spec, None, at(1_000_000_030));
    assert_eq!(query.span, Span { from: 999_996_420, to: 1_000_000_020 });
    assert_eq!(query.span.to % 60, 0);
    assert_eq!(query.note, None);
}

#[test]
fn a_later_read_begins_before_the_last_known_point() {
    let spec = spec(60, 3_600, "x");
    let query = Query::new(&spec, Some(at(999_999_960)), at(1_000_000_030));
    assert_eq!(query.span, Span { from: 999_999_660, to: 1_000_000_020 });
    // A series that was silent for longer than its window is read as if it were new.
    let query = Query::new(&spec, Some(at(5)), at(1_000_000_030));
    assert_eq!(query.span.from, 999_996_420);
}

#[test]
fn what_is_no_longer_kept_is_not_asked_for() {
    let spec = spec(10, 86_400, "x");
    let query = Query::new(&spec, None, at(1_000_000_000));
    assert!(query.span.from >= 1_000_000_000 - 3 * 3_600);
    assert_eq!(query.note.as_deref(), Some("not more than 2h can be had in steps of 10 s"));
}

#[test]
fn batches_hold_what_one_call_takes() {
    let (short, long) = (spec(60, 600, "x"), spec(60, 864_000, "x"));
    let now = at(1_000_000_000);
    let mut queries: Vec<_> = (0..1_200).map(|_| Query::new(&short, None, now)).collect();
    queries.extend((0..20).map(|_| Query::new(&long, None, now)));
    let batches = batches(queries, |_| false);
    let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    assert_eq!(sizes, [500, 500, 200, 7, 7, 6]);
    for batch in &batches {
        let span = span(batch);
        let points = (span.to - span.from) / 60 * i64::try_from(batch.len()).unwrap();
        assert!(points <= MAX_POINTS);
    }
}

#[test]
fn an_insights_query_and_a_refused_one_go_alone() {
    let (plain, insights) = (spec(60, 600, "x"), spec(60, 600, " SELECT AVG(x) FROM y"));
    let now = at(1_000_000_000);
    let queries = [&plain, &insights, &plain, &insights].map(|s| Query::new(s, None, now));
    let sizes = |batches: Vec<Vec<Query<'_>>>| batches.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(batches(queries.to_vec(), |_| false)), [1, 1, 2]);
    assert_eq!(sizes(batches(queries.to_vec(), |_| true)), [1, 1, 1, 1]);
}

#[test]
fn operands_count_as_queries() {
    use crate::domain::series::Operand;
    let operand = Operand {
        namespace: "n".to_owned(),
        name: "m".to_owned(),
        dimensions: Vec::new(),
        statistic: "Sum".to_owned(),
    };
    let operands = ["a", "b", "c"].map(|name| (name.to_owned(), operand.clone())).into();
    let query = SeriesQuery::Maths { expression: "a+b+c".to_owned(), operands };
    let specs = vec![SeriesSpec { query, ..spec(60, 3_600, "") }; 300];
    let queries = specs.iter().map(|spec| Query::new(spec, None, at(1_000_000))).collect();
    let sizes: Vec<usize> = batches(queries, |_| false).iter().map(Vec::len).collect();
    assert_eq!(sizes, [125, 125, 50], "four of the 500 for each");
}
