//! The day by subcommands, each looked at before it is done. Each opens the world anew.

use crate::{run, story};

const WORLD: [&str; 4] = ["--scenario", "good-canary", "--set", "rehearsal.speed=60"];

#[test]
fn a_script_releases_takes_back_and_tells_it() {
    let home = tempfile::tempdir().unwrap();
    let says = |words: &[&str], code: i32, texts: &[&str]| {
        let told = run(home.path(), &[&WORLD[..], words].concat());
        assert_eq!(told.0, code, "{words:?}: {}", told.1);
        for text in texts {
            assert!(told.1.contains(text), "{words:?}: {text} is not in {}", told.1);
        }
    };
    let looked_at_and_done = |words: &[&str], shown: &[&str]| {
        let looked = [words, &["--dry-run", "--break-glass", "a drill"]].concat();
        says(&looked, 0, &[shown, &["nothing was sent: this was a dry run"]].concat());
        says(&[words, &["--yes", "--break-glass", "a drill"]].concat(), 0, &["done"]);
    };
    says(&["status"], 10, &["sessions", "checkout"]);
    let approve = ["approve", "sessions", "--expect-revision", "8e21d4"];
    looked_at_and_done(&approve, &["ships 8e21d4"]);
    // It is followed to its end, and what is not as expected is not done.
    let followed = ["approve", "sessions", "--expect-revision", "8e21d4", "--yes", "--wait"];
    says(&followed, 0, &["done"]);
    says(&["approve", "sessions", "--expect-revision", "ffffff0", "--yes"], 22, &["ffffff0"]);
    looked_at_and_done(&["traffic", "checkout", "--percent", "10"], &["canary 10%, stable 90%"]);
    looked_at_and_done(&["rollback", "checkout", "--accept-current"], &["hold"]);
    for (change, flag) in [("off", "one-click"), ("on", "new-tax")] {
        looked_at_and_done(&["flag", flag, change, "--environment", "production"], &[change]);
    }
    let slow = ["flag", "one-click", "off", "--environment", "staging", "--strategy", "Linear"];
    looked_at_and_done(&slow, &["linear 20 % over 5m"]);
    // What was written to a world that is gone cannot be undone.
    says(&["undo", "--yes"], 20, &["nothing was done that could be undone"]);

    let told = story(home.path());
    let wanted = [
        "approve Prod of sessions-main 8e21d4: done",
        "approve Prod of sessions-main 8e21d4: done",
        "traffic of checkout.prod-eu: canary 10%, stable 90%: done",
        "roll back checkout, and hold: done, done",
        "flag one-click in production: off (AllAtOnce: all at once): done",
        "flag new-tax in production: on (AllAtOnce: all at once): done",
        "one-click off in staging (Linear): done",
    ];
    assert_eq!(told, wanted);
    says(&["journal", "verify"], 0, &[]);
}
