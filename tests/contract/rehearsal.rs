//! The practice world keeps the contract too, as far as it needs no server.

use flightdeck::backend::rehearsal;
use jiff::{SignedDuration, Timestamp};

use crate::laws::{check, read_all};
use crate::poison::survives;

#[tokio::test]
async fn every_scenario_answers_for_itself() {
    let start = Timestamp::now() - SignedDuration::from_mins(10);
    for scenario in rehearsal::names() {
        let world = rehearsal::open(scenario, 1, 1.0, start).unwrap();
        assert!(!world.sources.is_empty());
        for (source, specs) in &world.sources {
            let series: Vec<_> = specs
                .iter()
                .map(|spec| flightdeck::domain::ids::ItemId::Series(spec.id.clone()))
                .collect();
            for (scope, read) in read_all(&**source, &series, &[]).await {
                if let Ok(answer) = &read {
                    check(&**source, &scope, answer);
                    assert_eq!(survives(answer), None);
                }
            }
        }
    }
}
