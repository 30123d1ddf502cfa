//! What a pilot tells is in the journal, in the inbox and on the screen.

use flightdeck::app::Msg;
use flightdeck::app::activity::Activity;
use flightdeck::app::needs::needs;
use flightdeck::app::pane::Pane;
use flightdeck::app::pilot::End;
use flightdeck::app::update::engage;
use flightdeck::domain::flight::{FlightEvent, FlightWord};
use flightdeck::domain::write::PlanId;
use flightdeck::store::journal::{Event, Journal, Record};
use jiff::SignedDuration;

use super::{Flight, LONG, done, this_canary};

#[tokio::test]
async fn the_journal_tells_the_whole_flight_and_is_whole() {
    let mut flight = Flight::begin("bad-canary").await;
    flight.engage(LONG);
    flight.until_sent().await;
    let notes = flight.sent[0].plan().notes.clone();
    let note = notes.iter().find(|note| note.as_str().starts_with("by the pilot: "));
    assert!(note.is_some_and(|note| note.as_str().contains("ROLL BACK")), "{notes:?}");
    flight.carry_out(done()).await;
    let words: Vec<FlightWord> = flight.told.iter().map(|(_, event)| event.what).collect();
    assert_eq!(words.first(), Some(&FlightWord::Engaged));
    assert_eq!(words.last(), Some(&FlightWord::RolledBack));
    let last = &flight.told.last().unwrap().1;
    assert_eq!(last.verdict.as_ref().map(flightdeck::domain::text::SafeText::as_str), Some("fail"));
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::new(folder.path());
    for (plan, event) in &flight.told {
        let (at, event) = (flight.now(), Event::Pilot(Box::new(event.clone())));
        let (title, who) = ("pilot".into(), "dana".into());
        let plan = plan.0.clone();
        journal.append(&Record { at, plan, title, step: None, who, event }).unwrap();
    }
    let known = journal.read(None).unwrap();
    assert!(known.is_whole() && known.findings.is_empty(), "{:?}", known.findings);
    assert!(known.unresolved().is_empty(), "what a pilot tells is no open write");
    assert_eq!(known.entries.len(), flight.told.len());
    // The pane of what was done has it too, and a flight is no write that is under way.
    let own = flight.state.activity.iter().find(|own| own.flight.is_some()).unwrap();
    assert!(!own.is_under_way());
    assert!(own.progress().starts_with("rolled back: rolled back, and held"), "{}", own.progress());
}

#[tokio::test]
async fn a_step_forward_says_why_in_a_note_and_gives_no_reason() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.until_sent().await;
    let notes = &flight.sent[0].plan().notes;
    let note = notes.iter().find(|note| note.as_str().starts_with("by the pilot: "));
    assert!(note.is_some_and(|note| note.as_str().contains("CLEARED")), "{notes:?}");
    // A reason would go through guards that want a human.
    assert_eq!(flight.sent[0].reason(), None);
}

#[tokio::test]
async fn a_hold_that_lasts_calls_a_human_and_going_on_calls_him_off() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.minutes().await;
    assert_eq!(flight.asked(), "");
    let before = needs(&flight.state).waiting;
    while flight.pilot().holding.is_none() {
        flight.only_time(SignedDuration::from_secs(20));
    }
    assert_eq!(flight.asked(), "", "not at once");
    flight.only_time(SignedDuration::from_mins(3));
    assert!(flight.asked().contains("holding"), "{}", flight.asked());
    assert_eq!(needs(&flight.state).waiting, before + 1);
    assert!(flight.screen(Pane::Canaries).contains("a human"), "{}", flight.screen(Pane::Canaries));
    flight.read().await;
    flight.minutes().await;
    assert_eq!(flight.asked(), "", "{:?}", flight.pilot().log);
    let words: Vec<FlightWord> = flight.told.iter().map(|(_, event)| event.what).collect();
    assert!(words.contains(&FlightWord::Holding), "{words:?}");
    assert!(words.contains(&FlightWord::Calling), "{words:?}");
    assert!(words.contains(&FlightWord::Flying), "{words:?}");
}

#[tokio::test]
async fn a_grounded_pilot_is_in_the_inbox_and_its_row_does_not_watch() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(SignedDuration::from_mins(10));
    for _ in 0..40 {
        flight.minutes().await;
    }
    assert!(flight.asked().contains("its time is over"), "{}", flight.asked());
    let screen = flight.screen(Pane::Canaries);
    assert!(screen.contains("a human") && !screen.contains("watching"), "{screen}");
    let board = flight.screen(Pane::Board);
    assert!(board.contains("% a human"), "{board}");
    assert!(flight.screen(Pane::Inbox).contains("pilot"));
    assert!(
        flight.screen(Pane::Activity).contains("grounded"),
        "{}",
        flight.screen(Pane::Activity)
    );
}

#[tokio::test]
async fn any_write_key_on_its_service_hands_over() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.minutes().await;
    flight.screen(Pane::Canaries);
    flight.key('t');
    assert_eq!(flight.pilot().ended(), Some(End::HandedOver), "{:?}", flight.pilot().log);
    assert_eq!(flight.leases, [true, false]);
    assert_eq!(flight.told.last().unwrap().1.what, FlightWord::HandedOver);
}

#[tokio::test]
async fn who_leaves_hands_over_and_that_is_recorded_before_the_end() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.minutes().await;
    flight.key('q');
    assert_eq!(flight.pilot().ended(), None, "it asks first");
    flight.key('q');
    assert!(flight.quit);
    assert_eq!(flight.pilot().ended(), Some(End::HandedOver));
    assert_eq!(flight.told.last().unwrap().1.what, FlightWord::HandedOver);
}

fn flown(flight: &Flight, what: FlightWord, over: bool) -> Activity {
    let event = FlightEvent {
        canary: Flight::canary(),
        service: "checkout".into(),
        what,
        text: "flying".into(),
        share: Some(5.0),
        verdict: None,
    };
    let began = flight.now() - SignedDuration::from_mins(50);
    let mut own = Activity::of_flight(PlanId("before".to_owned()), began, event);
    own.flight.as_mut().unwrap().over = over;
    own
}

#[tokio::test]
async fn the_time_of_a_flight_that_was_cut_short_goes_on() {
    for (what, over, left) in [
        // Killed: its hour began 50 minutes ago.
        (FlightWord::Engaged, true, 10),
        // It had ended, or somebody flies it: this one is another flight.
        (FlightWord::HandedOver, true, 60),
        (FlightWord::Engaged, false, 60),
    ] {
        let mut flight = Flight::begin("good-canary").await;
        let before = flown(&flight, what, over);
        flight.send(Msg::Past(vec![before]));
        let canary = this_canary(&flight.state);
        let hour = Some(SignedDuration::from_hours(1));
        engage(&mut flight.state, &canary, hour, &mut Vec::new()).unwrap();
        let found = flight.pilot().deadline.duration_since(flight.now());
        assert_eq!(found, SignedDuration::from_mins(left), "{what:?} {over}");
        assert_eq!(flight.pilot().flight.0 == "before", left == 10);
    }
}

#[tokio::test]
async fn a_share_that_another_desk_set_is_noticed_from_the_beginning() {
    let mut flight = Flight::begin("good-canary").await;
    flight.engage(LONG);
    flight.minutes().await;
    assert_eq!(
        flight.pilot().share,
        Some(5.0),
        "the share that it found is the one it looks after"
    );
    // Another pilot, whose lease is in another folder, takes the first step in the same world.
    let mut other = Flight::beside(&flight);
    other.read().await;
    other.engage(LONG);
    other.until_sent().await;
    other.carry_out(done()).await;
    flight.minutes().await;
    assert_eq!(flight.pilot().ended(), Some(End::HandedOver), "{:?}", flight.pilot().log);
    assert!(flight.pilot().now().contains("somebody set 10%, not 5%"), "{}", flight.pilot().now());
    assert!(flight.sent.is_empty());
    assert_eq!(other.pilot().ended(), None);
}

#[tokio::test]
async fn the_greatest_limit_is_no_panic() {
    let mut flight = Flight::begin("good-canary").await;
    let canary = this_canary(&flight.state);
    let long = Some(SignedDuration::from_mins(i64::from(u32::MAX)));
    engage(&mut flight.state, &canary, long, &mut Vec::new()).unwrap();
    assert!(flight.pilot().deadline > flight.now());
}
