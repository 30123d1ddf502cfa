//! What changes something, from a script: what is said, what is sent, and how it ends.

use crate::home::Home;

const QUIET: [&str; 2] = ["--scenario", "quiet-day"];

fn quiet<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&QUIET[..], args].concat()
}

#[test]
fn nothing_is_sent_without_words_for_it() {
    let home = Home::new();
    let plan = home.run(&quiet(&["approve", "sessions", "--dry-run"])).exits(0);
    assert!(plan.out.contains("nothing was sent: this was a dry run"), "{plan:?}");
    assert!(plan.out.contains("8e21d4"), "what would ship is named: {plan:?}");
    let blind = home.run(&quiet(&["approve", "sessions", "--yes"])).exits(2);
    assert!(blind.out.contains("nothing was sent"), "{blind:?}");
    assert!(blind.out.contains("--expect-revision"), "{blind:?}");
    let journal = home.run(&quiet(&["journal", "verify"])).exits(0);
    assert!(journal.out.contains("0 lines"), "{journal:?}");
}

#[test]
fn what_was_seen_is_what_is_approved() {
    let home = Home::new();
    let other = ["approve", "sessions", "--expect-revision", "ffffff0", "--yes"];
    let said = home.run(&quiet(&other)).exits(22);
    assert!(said.out.contains("ffffff0"), "{said:?}");
    let seen = ["approve", "sessions", "--expect-revision", "8e21d4", "--yes", "-o", "json"];
    let done = home.run(&quiet(&seen)).exits(0).json();
    assert_eq!(done["steps"][0]["outcome"], "done");
    home.run(&quiet(&["journal", "verify"])).exits(0);
    let journal = home.run(&quiet(&["journal", "--since", "1h"])).exits(0);
    assert!(journal.out.contains("sessions-main"), "{journal:?}");
}

#[test]
fn guards_and_freezes_refuse_each_in_its_way() {
    let home = Home::new();
    let write = ["approve", "sessions", "--accept-current", "--yes"];
    let said = home.run(&quiet(&[&["--read-only"][..], &write].concat())).exits(20);
    assert!(said.out.contains("refused      read-only"), "{said:?}");
    home.write(
        "frozen.toml",
        "[[freeze]]\nname = \"stock-taking\"\nfrom = \"2020-01-01T00:00:00Z\"\n\
         until = \"2100-01-01T00:00:00Z\"\n",
    );
    let frozen = home.run(&quiet(&[&["--config", "frozen.toml"][..], &write].concat())).exits(21);
    assert!(frozen.out.contains("stock-taking"), "{frozen:?}");
    // A comment passes over nothing; a reason does, and the journal tells of both.
    let with = |words: &[&str]| {
        home.run(&quiet(&[&["--config", "frozen.toml"][..], &write, words].concat()))
    };
    let said = with(&["--comment", "tested it well"]).exits(21);
    assert!(said.out.contains("give a reason to go on with --break-glass"), "{said:?}");
    with(&["--comment", "tested", "--break-glass", "the shop is down"]).exits(0);
    let journal = home.run(&quiet(&["journal", "--since", "1h"])).exits(0);
    let told = ": tested; the glass was broken: the shop is down";
    assert!(journal.out.contains(told), "{journal:?}");
}

#[test]
fn nothing_to_do_and_too_late() {
    let home = Home::new();
    let said = home.run(&quiet(&["approve", "checkout"])).exits(20);
    assert!(said.err.contains("nothing waits for an answer in checkout"), "{said:?}");
    let said = home.run(&quiet(&["undo", "--yes"])).exits(20);
    assert!(said.err.contains("nothing was done that could be undone"), "{said:?}");
    let wait = ["wait", "--for", "sessions/Prod=succeeded", "--timeout", "1"];
    let said = home.run(&quiet(&wait)).exits(25);
    assert!(said.out.contains("sessions/Prod is waiting"), "{said:?}");
    home.run(&quiet(&["wait", "--for", "search/Prod=succeeded", "--timeout", "20"])).exits(0);
}

/// A listener that takes connections and never answers, and a configuration with it beside the
/// rehearsal: `more` are lines of the service that owns the pipeline too.
fn beside_a_mute(home: &Home, more: &str) -> std::net::TcpListener {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = mute.local_addr().unwrap();
    home.write(
        "mute.toml",
        &format!(
            "[rehearsal]\nscenario = \"quiet-day\"\n[sources.practice]\nkind = \"rehearsal\"\n\
             [sources.prom]\nkind = \"prometheus\"\nurl = \"http://{url}\"\n\
             [services.mine]\npipelines = [\"*/sessions-main\"]\n{more}"
        ),
    );
    mute
}

#[test]
fn a_write_does_not_mind_a_source_that_has_nothing_to_do_with_it() {
    let home = Home::new();
    let mute = beside_a_mute(&home, "");
    let write = ["--config", "mute.toml", "approve", "mine", "--accept-current", "--yes"];
    let done = home.run(&write).exits(0);
    assert!(done.out.contains("outcome      done"), "{done:?}");
    assert!(done.out.contains("REHEARSAL quiet-day: nothing of this is real"), "{done:?}");
    // A real source stands beside it: its writes last, and what is told is told of both.
    let told = home.run(&["--config", "mute.toml", "journal"]).exits(0);
    assert!(told.out.contains("sessions-main") && !told.out.contains("REHEARSAL"), "{told:?}");
    drop(mute);
}

#[test]
fn a_guard_takes_what_never_answered_as_unknown() {
    let home = Home::new();
    let mute = beside_a_mute(&home, "alarms = [\"prom/*\"]\n");
    let write = ["approve", "mine", "--accept-current", "--yes", "--timeout", "1"];
    let before = ["--config", "mute.toml"];
    let refused = home.run(&[&before[..], &write].concat()).exits(20);
    let why = "red line: whether an alarm of prom fires is unknown";
    assert!(refused.out.contains(why), "{refused:?}");
    // Back to safety nobody asks for alarms.
    let back = ["reject", "mine", "--yes", "--timeout", "1"];
    home.run(&[&before[..], &back].concat()).exits(0);
    drop(mute);
}
