//! `status` and `sources`: tables for people, JSON for programs, and nothing mixed up.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::home::{Home, said};

const QUIET: [&str; 2] = ["--scenario", "quiet-day"];

fn quiet<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&QUIET[..], args].concat()
}

fn names(document: &Value, list: &str, key: &str) -> BTreeSet<String> {
    let rows = document[list].as_array().unwrap();
    rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_picture_as_a_table_and_as_json_tell_the_same() {
    let home = Home::new();
    let table = home.run(&quiet(&["status"])).exits(10);
    let json = home.run(&quiet(&["status", "-o", "json"])).exits(10).json();
    assert_eq!(json["format"], "flightdeck/status/1");
    assert_eq!(json["rehearsal"], "quiet-day");
    let services = names(&json, "services", "service");
    assert_eq!(services.len(), 12);
    for service in &services {
        assert!(table.out.contains(service.as_str()), "{service} is not in the table");
    }
    assert_eq!(json["summary"]["waiting"], 4);
    assert!(table.out.contains("REHEARSAL quiet-day · 4 waiting"), "{}", table.out);
}

#[test]
fn one_line_of_ndjson_is_the_same_document() {
    let home = Home::new();
    let line = home.run(&quiet(&["status", "-o", "ndjson"])).exits(10);
    assert_eq!(line.out.lines().count(), 1);
    let whole = home.run(&quiet(&["status", "-o", "json"])).exits(10);
    let keys = |document: Value| document.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(line.json()), keys(whole.json()));
}

#[test]
fn one_service_alone() {
    let home = Home::new();
    let json = home.run(&quiet(&["status", "-s", "sessions", "-o", "json"])).json();
    assert_eq!(names(&json, "services", "service"), BTreeSet::from(["sessions".to_owned()]));
    let table = home.run(&quiet(&["status", "-s", "search"])).exits(0);
    assert!(table.out.contains("search") && !table.out.contains("mobile-api"), "{}", table.out);
}

#[test]
fn every_pane_has_a_table_of_its_own() {
    let home = Home::new();
    let mut seen = BTreeSet::new();
    for pane in
        ["board", "inbox", "pipelines", "environments", "canaries", "flags", "timeline", "sources"]
    {
        let said = home.run(&quiet(&["status", "--pane", pane]));
        let heading = said.out.lines().next().unwrap().to_owned();
        assert!(!heading.trim().is_empty(), "{pane}: {said:?}");
        assert!(seen.insert(heading), "{pane} has the heading of another pane");
    }
}

#[test]
fn who_answers() {
    let home = Home::new();
    let said = home.run(&quiet(&["sources"])).exits(0);
    let json = home.run(&quiet(&["sources", "-o", "json"])).exits(0).json();
    let rows = json["sources"].as_array().unwrap();
    assert_eq!(rows.len(), said.out.lines().count());
    for row in rows {
        assert_eq!(row["health"], "answering");
        assert!(said.out.contains(row["source"].as_str().unwrap()));
        assert!(row["age_seconds"].as_i64().unwrap() < 60, "{row}");
    }
    let lines = home.run(&quiet(&["sources", "-o", "ndjson"])).exits(0);
    assert_eq!(lines.out.lines().count(), rows.len());
    for line in lines.out.lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap()["source"].is_string());
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    let home = Home::new();
    let plain = home.run(&quiet(&["status"]));
    assert!(!plain.out.contains('\u{1b}'), "a pipe is no terminal");
    let always = home.run(&quiet(&["--color", "always", "status"]));
    assert!(always.out.contains("\u{1b}["));
    let forced = said(home.command(&quiet(&["status"])).env("CLICOLOR_FORCE", "1"));
    assert!(!forced.out.contains("\u{1b}]"), "nothing but colours");
    let refused =
        said(home.command(&quiet(&["status"])).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"));
    assert!(!refused.out.contains('\u{1b}'), "NO_COLOR goes before CLICOLOR_FORCE");
    let json = home.run(&quiet(&["--color", "always", "status", "-o", "json"]));
    assert!(!json.out.contains('\u{1b}'), "JSON has no colours");
    json.json();
}

#[test]
fn only_ascii_where_the_locale_has_no_more() {
    let home = Home::new();
    let quiet = |args: &[&str]| [&QUIET[..], args].concat().join(" ");
    for (args, words) in [
        (quiet(&["status"]), "mobile-api"),
        (quiet(&["status", "--service", "sessions"]), "sessions"),
        (quiet(&["sources"]), "answering"),
        (quiet(&["watch", "--for", "1", "-o", "plain"]), "mobile-api"),
        (quiet(&["approve", "sessions", "--dry-run"]), "sessions"),
        ("--scenario bad-canary status".to_owned(), "checkout"),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let said = said(home.command(&args).env("LANG", "C"));
        let other: Vec<char> = said.out.chars().filter(|c| !c.is_ascii()).collect();
        assert!(other.is_empty(), "{args:?}: {other:?}");
        assert!(said.out.contains(words), "{args:?}: {said:?}");
    }
}

#[test]
fn json_stays_json_while_warnings_are_said() {
    use std::os::unix::fs::PermissionsExt;

    let home = Home::new();
    let token = home.write("token", "secret-of-the-test");
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    home.write(
        "open.toml",
        "[sources.flags]\nkind = \"unleash\"\nurl = \"http://127.0.0.1:9\"\n\
         token = { file = \"token\" }\n",
    );
    let said = home.run(&["--config", "open.toml", "status", "-o", "json"]).exits(12);
    said.json();
    assert!(said.err.contains("chmod o-r"), "{said:?}");
    assert!(!format!("{said:?}").contains("secret-of-the-test"), "{said:?}");
}

#[test]
fn a_source_that_never_answers_is_waited_for_only_so_long() {
    let home = Home::new();
    // Accepts connections, and never says anything.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    home.write(
        "mute.toml",
        &format!(
            "[sources.prom]\nkind = \"prometheus\"\nurl = \"http://{}\"\n",
            mute.local_addr().unwrap()
        ),
    );
    let said = home.run(&["--config", "mute.toml", "status", "--wait", "1"]).exits(12);
    assert!(said.out.contains("not everything was read in time"), "{said:?}");
    let said = home.run(&["--config", "mute.toml", "status", "--wait", "1", "-o", "json"]);
    assert_eq!(said.exits(12).json()["settled"], false);
}
