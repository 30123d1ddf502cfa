//! Each exit code of what only reads, from a situation that brings it about.

use crate::home::{Backend, Home, Said};

/// A configuration whose one service is healthy if `url` says so.
fn configured(home: &Home, url: &str) {
    home.write(
        ".config.toml",
        &format!(
            "[sources.web]\nkind = \"http\"\n[[sources.web.targets]]\nname = \"shop\"\n\
             url = \"{url}/health\"\n[services.shop]\nenvironments = [\"web/shop\"]\n"
        ),
    );
}

fn status(home: &Home) -> Said {
    home.run(&["--config", ".config.toml", "status"])
}

fn sources(home: &Home) -> Said {
    home.run(&["--config", ".config.toml", "sources"])
}

#[test]
fn all_good_is_0() {
    let (home, backend) = (Home::new(), Backend::answering(200, "{}"));
    configured(&home, &backend.url);
    let said = status(&home).exits(0);
    assert!(said.out.contains("healthy") && said.out.contains("1 of 1 sources answer"), "{said:?}");
    assert!(!said.out.contains("REHEARSAL"), "{said:?}");
    sources(&home).exits(0);
}

#[test]
fn a_program_that_cannot_write_is_1() {
    let home = Home::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_flightdeck"))
        .args(["--scenario", "quiet-day", "status"])
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(err.contains("cannot write the output"), "{err}");
}

#[test]
fn wrong_words_and_wrong_settings_are_2() {
    let home = Home::new();
    home.write("wrong.toml", "[veiw]\ntheme = \"light\"\n");
    home.write("cut.jsonl", "{");
    for (args, words) in [
        (&["statsu"][..], "'status'"),
        (&["status", "--pane", "bord"][..], "'board'"),
        (&["status", "--service", "chekout"][..], "did you mean checkout?"),
        (&["watch", "--service", "chekout"][..], "did you mean checkout?"),
        (&["status", "--wait", "soon"][..], "--wait"),
        (&["--scenario", "quiet-dya", "status"][..], "quiet-day"),
        (&["--set", "view.theme", "status"][..], "KEY=VALUE"),
        (&["--set", "view.thme=light", "status"][..], "`theme`"),
        (&["--set", "view.theme=lihgt", "status"][..], "light"),
        (&["--config", "wrong.toml", "status"][..], "wrong.toml:1"),
        (&["--config", "missing.toml", "status"][..], "missing.toml"),
        (&["config", "check", "wrong.toml"][..], "`view`"),
        (&["wait", "--for", "nonsense"][..], "SERVICE/STAGE=STATE"),
        (&["replay-session", "missing"][..], "missing"),
        (&["replay-session", "cut.jsonl"][..], "cut.jsonl"),
        (&["completions", "nosh"][..], "bash"),
        (&["schema", "nothing"][..], "status"),
        (&[][..], "needs a terminal"),
    ] {
        let said = home.run(args).exits(2);
        assert!(said.err.contains(words), "{args:?}: {said:?}");
        assert_eq!(said.out, "", "{args:?}");
    }
}

#[test]
fn a_human_who_is_waited_for_is_10() {
    let said = Home::new().run(&["--scenario", "quiet-day", "status"]).exits(10);
    assert!(said.out.contains("4 waiting · 0 failed"), "{said:?}");
}

#[test]
fn what_fails_is_11() {
    let (home, backend) = (Home::new(), Backend::answering(500, "{}"));
    configured(&home, &backend.url);
    status(&home).exits(11);
    Home::new().run(&["--scenario", "bad-canary", "status"]).exits(11);
}

#[test]
fn what_cannot_be_read_is_12_and_never_healthy() {
    let home = Home::new();
    let gone = Backend::answering(200, "{}").url.clone();
    home.write(
        ".config.toml",
        &format!(
            "[sources.prom]\nkind = \"prometheus\"\nurl = \"{gone}\"\n\
             [services.shop]\nalarms = [\"prom/*\"]\n"
        ),
    );
    let said = status(&home).exits(12);
    assert!(said.out.contains("0 of 1 sources answer"), "{said:?}");
    assert!(!said.out.replace("0 unhealthy", "").contains("healthy"), "{said:?}");
    assert!(said.out.contains("? unknown"), "{said:?}");
    let said = sources(&home).exits(12);
    assert!(said.out.contains("do: "), "{said:?}");
}

#[test]
fn a_source_that_does_not_let_us_in_is_13() {
    let (home, backend) = (Home::new(), Backend::answering(401, "{}"));
    home.write(
        ".config.toml",
        &format!("[sources.prom]\nkind = \"prometheus\"\nurl = \"{}\"\n", backend.url),
    );
    let said = status(&home).exits(13);
    assert!(said.out.contains("not authenticated"), "{said:?}");
    let said = sources(&home).exits(13);
    assert!(said.out.contains("not authenticated") && said.out.contains("do: "), "{said:?}");
}
