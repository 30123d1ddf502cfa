//! The day by subcommands, each looked at before it is done.

use crate::day::Day;

fn says(told: &(i32, String), code: i32, words: &[&str]) {
    assert_eq!(told.0, code, "{}", told.1);
    for word in words {
        assert!(told.1.contains(word), "{word} is not in {}", told.1);
    }
}

#[tokio::test]
#[ignore = "needs the lab: bash tests/run"]
async fn a_script_releases_takes_back_and_tells_it() {
    let day = Day::new("script").await;
    let flag = day.lamp.name.as_str();
    says(&day.run(&["status"]), 10, &["shop"]);

    // What ships is read, then approved, as it was seen.
    let approve = ["approve", "shop", "--comment", "tested", "--expect-execution", &day.execution];
    says(&day.run(&[&approve[..], &["--dry-run"]].concat()), 0, &["ships", "nothing was sent"]);
    assert_eq!(day.approval().await, "InProgress", "a dry run answers nothing");
    says(&day.run(&[&approve[..], &["--yes"]].concat()), 0, &["done"]);
    assert_eq!(day.approval().await, "Succeeded");
    says(&day.run(&[&approve[..], &["--yes"]].concat()), 23, &["answered"]);
    day.deployed().await;
    says(&day.run(&["wait", "--for", "shop/Production=succeeded", "--timeout", "20"]), 0, &[]);

    // A canary begins, goes a step on, and back to the baseline, and nothing else ships meanwhile.
    let begin = ["traffic", "shop", "--percent", "10", "--break-glass", "begins"];
    says(&day.run(&[&begin[..], &["--dry-run"]].concat()), 0, &["10"]);
    assert_eq!(day.edge.weights("shop").await, (100, 0), "a dry run shifts nothing");
    says(&day.run(&[&begin[..], &["--yes"]].concat()), 0, &["done"]);
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(10.0));
    let promote = ["promote", "shop", "--accept-current", "--break-glass", "looks well"];
    says(&day.run(&[&promote[..], &["--dry-run"]].concat()), 0, &["25"]);
    says(&day.run(&[&promote[..], &["--yes"]].concat()), 0, &["done"]);
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(25.0));
    let back = ["rollback", "shop", "--accept-current", "--comment", "errors"];
    says(&day.run(&[&back[..], &["--dry-run"]].concat()), 0, &["nothing was sent"]);
    says(&day.run(&[&back[..], &["--yes"]].concat()), 0, &["done"]);
    assert_eq!(day.edge.split("shop").await.percent("green"), Some(0.0));
    assert_eq!(day.production().await["inboundTransitionState"]["enabled"], false);
    says(&day.run(&["release", "shop", "--yes", "--break-glass", "mended"]), 0, &["done"]);
    assert_eq!(day.production().await["inboundTransitionState"]["enabled"], true);

    // A flag goes off, on, and what was done last is undone.
    for (change, is_on) in [("off", false), ("on", true)] {
        let words = ["flag", flag, change, "--environment", "production", "--break-glass", "drill"];
        says(&day.run(&[&words[..], &["--dry-run"]].concat()), 0, &["nothing was sent"]);
        says(&day.run(&[&words[..], &["--yes"]].concat()), 0, &["done"]);
        assert_eq!(day.lamp.is_on().await, is_on);
    }
    says(&day.run(&["undo", "--dry-run"]), 0, &["off"]);
    says(&day.run(&["undo", "--yes", "--accept-current", "--break-glass", "drill"]), 0, &["done"]);
    assert!(!day.lamp.is_on().await);

    let story = day.story();
    let told: Vec<String> =
        story.iter().map(|(title, ends)| format!("{title}: {}", ends.join(", "))).collect();
    let wanted = [
        ("approve", "done"),
        ("10%", "done"),
        ("promote", "done"),
        ("roll back", "done, done"),
        ("release", "done"),
        ("off", "done"),
        ("on", "done"),
        ("undo", "done"),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:#?}");
    for (line, (title, ends)) in told.iter().zip(wanted) {
        assert!(line.contains(title) && line.ends_with(&format!(": {ends}")), "{told:#?}");
    }
    says(&day.run(&["journal", "verify"]), 0, &[]);
}
