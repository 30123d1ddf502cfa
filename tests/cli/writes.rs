//! What changes something, from a script: what is said, what is sent, and how it ends.

use crate::home::{Backend, Home, said};

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

/// Every verb that writes, each with something to do on a day with a bad canary.
const VERBS: [&str; 11] = [
    "approve payments",
    "reject payments",
    "promote checkout",
    "rollback checkout",
    "hold search",
    "release inventory",
    "traffic checkout --percent 25",
    "flag new-tax off --environment production",
    "retry search",
    "stop payments",
    "start search",
];

#[test]
fn no_verb_sends_anything_without_yes() {
    let home = Home::new();
    for verb in VERBS {
        let mut args = vec!["--scenario", "bad-canary"];
        args.extend(verb.split(' '));
        args.extend(["--break-glass", "drill", "-o", "json"]);
        let told = home.run(&args).exits(2).json();
        assert_eq!(told["refusal"], "nothing was sent: --yes does it", "{verb}");
    }
    let journal = home.run(&["--scenario", "bad-canary", "journal", "verify"]).exits(0);
    assert!(journal.out.contains("0 lines"), "{journal:?}");
}

#[test]
fn what_goes_forward_or_back_as_a_whole_wants_to_know_what_was_seen() {
    let home = Home::new();
    for verb in ["promote", "rollback", "approve"] {
        let service = if verb == "approve" { "payments" } else { "checkout" };
        let args = ["--scenario", "bad-canary", verb, service, "--yes", "--break-glass", "drill"];
        let said = home.run(&args).exits(2);
        assert!(said.out.contains("--expect-percent"), "{said:?}");
    }
    let seen = |what: &str, value: &str, code| {
        let args = ["--scenario", "bad-canary", "traffic", "checkout", "--percent", "25", what];
        home.run(&[&args[..], &[value, "--yes", "--break-glass", "drill"]].concat()).exits(code)
    };
    // The revision of the canary is meant, not that of the baseline, and no other word.
    seen("--expect-revision", "weight", 22);
    seen("--expect-percent", "60", 22);
    seen("--expect-revision", "4f1c9a", 0);
}

#[test]
fn a_refusal_before_there_is_a_plan_is_a_document_too() {
    let home = Home::new();
    let said = home.run(&quiet(&["approve", "checkout", "-o", "json"])).exits(20);
    let told = said.json();
    assert_eq!(told["format"], "flightdeck/act/1");
    assert_eq!(told["steps"].as_array().unwrap().len(), 0);
    let why = told["refusal"].as_str().unwrap();
    assert!(why.contains("nothing waits for an answer in checkout"), "{said:?}");
    assert!(said.err.contains(why), "people are told the same: {said:?}");
}

/// The split is the rehearsal's, and the canary behind it tells its version by itself: another one is
/// deployed after the plan was made, before anything is sent.
#[test]
fn a_canary_that_was_replaced_since_it_was_seen_gets_no_more_traffic() {
    let versions = |first: &'static str, then: &'static str| {
        Backend::answering_each(move |before| (200, if before == 0 { first } else { then }))
    };
    let (old, new) = (r#"{"version":"build-8"}"#, r#"{"version":"build-9"}"#);
    let shift = |backend: &Backend, percent: &str, more: &[&str]| {
        let home = Home::new();
        home.write(
            "canary.toml",
            &format!(
                "[rehearsal]\nscenario = \"good-canary\"\n[sources.practice]\nkind = \"rehearsal\"\n\
                 [sources.web]\nkind = \"http\"\nevery = \"2m\"\n[[sources.web.targets]]\n\
                 name = \"canary\"\nurl = \"{}/\"\nversion_pointer = \"/version\"\n\
                 [services.mine]\ntraffic = [\"*/checkout*\"]\n[[services.mine.canaries]]\nname = \"next\"\n\
                 traffic = \"*/checkout*\"\nenvironment = \"web/canary\"\nbaseline = \"stable\"\n\
                 canary = \"canary\"\n\
                 signals = {{ source = \"prom\", labels = 'version=\"{{arm}}\"' }}\n\
                 [sources.prom]\nkind = \"prometheus\"\nurl = \"http://127.0.0.1:9\"\n",
                backend.url
            ),
        );
        let args = ["--config", "canary.toml", "traffic", "mine", "--percent", percent, "--yes"];
        let told = home.run(&[&args[..], &["--break-glass", "drill"], more].concat());
        let journal = home.run(&["--config", "canary.toml", "journal"]).exits(0);
        (told, journal)
    };
    let (told, journal) = shift(&versions(old, new), "50", &["--accept-current"]);
    let told = told.exits(22);
    let why = "revision in canary was build-8, is build-9";
    assert!(told.out.contains(why), "{told:?}");
    assert!(journal.out.contains(why) && !journal.out.contains("sending"), "{journal:?}");
    let (told, _) = shift(&versions(old, old), "50", &["--accept-current"]);
    let told = told.exits(0);
    assert!(told.out.contains("revision in canary build-8, read at"), "{told:?}");
    // Away from it, whatever it is by now.
    let (told, journal) = shift(&versions(old, new), "1", &["--accept-current"]);
    assert!(told.code == 0 && journal.out.contains("sending"), "{told:?}");
}

/// A flag service at `url`, and the rehearsal beside it.
fn with_flags(home: &Home, url: &str) {
    home.write(
        "flags.toml",
        &format!(
            "[rehearsal]\nscenario = \"quiet-day\"\n[sources.practice]\nkind = \"rehearsal\"\n\
             [sources.lamps]\nkind = \"unleash\"\nurl = \"{url}\"\ntoken = {{ env = \"TOKEN\" }}\n\
             [services.mine]\npipelines = [\"*/checkout-main\"]\nflags = [\"lamps/*\"]\n"
        ),
    );
}

#[test]
fn what_could_not_be_read_is_unknown_and_not_absent() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let shut = Backend::answering(401, "{}");
    for (url, code) in [(gone.as_str(), 12), (shut.url.as_str(), 13)] {
        let home = Home::new();
        with_flags(&home, url);
        let run = |words: &str| {
            let mut command = home.command(&["--config", "flags.toml"]);
            command.args(words.split(' ')).env("TOKEN", "*:*.lamp");
            said(&mut command)
        };
        let told = run("flag tax off --environment production --yes").exits(code);
        assert!(told.err.contains("unknown: source lamps"), "{told:?}");
        // What has nothing to do with it is as it was.
        let told = run("approve mine --yes --accept-current").exits(20);
        assert!(told.err.contains("nothing waits for an answer in mine"), "{told:?}");
    }
}

#[test]
fn a_stage_goes_back_to_what_was_in_it_before_and_nothing_is_held() {
    let home = Home::new();
    let back = |stage: &str, more: &[&str]| {
        let args = ["rollback", "search", "--stage", stage, "--break-glass", "drill"];
        home.run(&quiet(&[&args[..], more].concat()))
    };
    let said = back("Nowhere", &["--yes", "--accept-current"]).exits(20);
    assert!(said.err.contains("nothing can be put back into Nowhere of search"), "{said:?}");
    for stage in ["Staging", "Prod"] {
        let plan = back(stage, &["--dry-run", "-o", "json"]).exits(0).json();
        let title = plan["title"].as_str().unwrap();
        assert!(title.contains(stage) && title.contains("search-main"), "{title}");
        let done = back(stage, &["--yes", "--accept-current", "-o", "json"]).exits(0).json();
        let steps = done["steps"].as_array().unwrap();
        assert_eq!((steps.len(), &steps[0]["outcome"]), (1, &"done".into()), "{done}");
    }
    let journal = home.run(&quiet(&["journal"])).exits(0);
    assert!(!journal.out.contains("hold"), "{journal:?}");
    // Without a stage, the last one goes back and its way in is closed.
    let whole = ["rollback", "search", "--accept-current", "--yes", "--break-glass", "drill"];
    let whole = home.run(&quiet(&[&whole[..], &["-o", "json"]].concat())).exits(0).json();
    assert_eq!(whole["steps"].as_array().unwrap().len(), 2, "{whole}");
}

/// Somebody on this host has the pipeline in hands: the traffic goes back, and its way in stays open.
#[test]
fn a_plan_of_which_only_a_part_was_done_is_24() {
    let home = Home::new();
    let (folder, target) = (home.path().join("state/rehearsal"), "pipelines-eu/checkout-main");
    std::fs::create_dir_all(&folder).unwrap();
    let held = flightdeck::store::lock::try_lock(&folder, target, "kim@desk").unwrap();
    let held = held.taken().unwrap();
    let args = ["--scenario", "bad-canary", "rollback", "checkout", "--accept-current", "--yes"];
    let args = [&args[..], &["--break-glass", "drill", "-o", "json"]].concat();
    let told = home.run(&args).exits(24).json();
    let ends: Vec<_> = told["steps"].as_array().unwrap().iter().map(|s| &s["outcome"]).collect();
    assert_eq!(ends, ["done", "refused"], "{told}");
    let why = told["steps"][1]["sentence"].as_str().unwrap();
    assert!(why.contains("another process of this host") && why.contains("kim@desk"), "{why}");
    drop(held);
    home.run(&args).exits(0);
}
