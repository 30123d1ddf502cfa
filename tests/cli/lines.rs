//! `watch` and `--plain`: a line for each change, and readers that go away.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::home::Home;

const LIMIT: Duration = Duration::from_mins(1);

/// A program whose output is read while it runs; it is ended with the test.
struct Running(Child);

impl Running {
    fn start(home: &Home, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
        command.args(args).current_dir(home.path()).env("HOME", home.path());
        command.env("FLIGHTDECK_STATE", home.path().join("state"));
        command.env("LANG", "C.UTF-8").env_remove("FLIGHTDECK_CONFIG").env_remove("NO_COLOR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// The first `count` lines; then the reader goes away.
    fn lines(&mut self, count: usize) -> Vec<String> {
        let reader = BufReader::new(self.0.stdout.take().unwrap());
        reader.lines().take(count).map(Result::unwrap).collect()
    }

    /// How it ended, with what it said on standard error.
    fn ended(mut self) -> (Option<i32>, String) {
        let start = Instant::now();
        let code = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status.code();
            }
            assert!(start.elapsed() < LIMIT, "it goes on without a reader");
            std::thread::park_timeout(Duration::from_millis(5));
        };
        let mut err = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (code, err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const FAST: [&str; 4] = ["--scenario", "bad-canary", "--set", "rehearsal.speed=60"];

#[test]
fn every_line_of_a_watch_is_an_event() {
    let home = Home::new();
    let mut running = Running::start(&home, &[&FAST[..], &["watch"]].concat());
    let lines = running.lines(40);
    assert_eq!(lines.len(), 40);
    for line in &lines {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["format"], "flightdeck/event/1");
        assert!(!event["text"].as_str().unwrap().is_empty(), "{line}");
        assert!(event["at"].as_str().unwrap().ends_with('Z'), "{line}");
        assert_eq!(event["rehearsal"], "bad-canary", "nobody takes it for real: {line}");
    }
    assert_eq!(running.ended(), (Some(0), String::new()));
}

#[test]
fn a_watch_ends_after_its_time() {
    let home = Home::new();
    let said = home.run(&["--scenario", "quiet-day", "watch", "--for", "1", "-o", "plain"]);
    let said = said.exits(0);
    assert!(said.out.lines().any(|line| line.contains("source: ")), "{said:?}");
    let first = said.out.lines().next().unwrap();
    assert!(first.starts_with("REHEARSAL quiet-day: "), "{first}");
    assert_eq!(said.err, "");
}

#[test]
fn a_watch_of_one_service_tells_of_no_other() {
    let home = Home::new();
    let args = ["--scenario", "quiet-day", "watch", "--for", "1", "--service", "sessions"];
    let said = home.run(&args).exits(0);
    assert!(said.out.contains("sessions-main"), "{said:?}");
    for line in said.out.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let services = event["services"].as_array().unwrap();
        assert!(services.iter().any(|service| service == "sessions"), "{line}");
    }
}

#[test]
fn a_watch_tells_of_a_backend_that_goes_and_comes_back() {
    let home = Home::new();
    // It is back after seven minutes of the rehearsal; `--for` bounds the wait for it.
    let fast = ["--scenario", "dead-backends", "--set", "rehearsal.speed=60"];
    let watch = ["watch", "-o", "plain", "--for", "60"];
    let mut running = Running::start(&home, &[&fast[..], &watch].concat());
    let reader = BufReader::new(running.0.stdout.take().unwrap());
    let lines = reader.lines().map(Result::unwrap);
    let states: Vec<String> =
        lines.filter(|line| line.contains(" source: flags")).take(3).collect();
    let [before, meanwhile, after] = &states[..] else { panic!("{states:?}") };
    assert!(before.contains("flags is answering"), "{before}");
    assert!(meanwhile.contains("flags: not authenticated"), "{meanwhile}");
    assert!(meanwhile.contains("sign in again"), "what to do is said: {meanwhile}");
    assert!(after.contains("flags is answering"), "{after}");
}

#[test]
fn the_plain_control_room_needs_no_terminal() {
    let home = Home::new();
    let mut running = Running::start(&home, &[&FAST[..], &["--plain"]].concat());
    let lines = running.lines(20);
    assert_eq!(lines.len(), 20);
    for line in &lines {
        assert!(!line.contains('\u{1b}'), "{line}");
        assert!(line.contains(": "), "{line}");
    }
    assert_eq!(running.ended(), (Some(0), String::new()));
}

#[test]
fn the_plain_control_room_heeds_its_flags_or_refuses_them() {
    let home = Home::new();
    let mut running = Running::start(&home, &[&FAST[..], &["--plain", "--ascii"]].concat());
    let lines = running.lines(30);
    assert!(lines[0].starts_with("REHEARSAL bad-canary: "), "{}", lines[0]);
    assert!(lines.iter().all(|line| line.is_ascii()), "{lines:?}");
    drop(running);
    for flag in [["--pane", "flags"], ["--theme", "light"], ["--record", "session.ndjson"]] {
        let said = home.run(&[&["--plain"][..], &flag].concat()).exits(2);
        assert!(said.err.contains(&format!("{} is of the screen", flag[0])), "{said:?}");
        assert!(!home.path().join("session.ndjson").exists());
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure_and_changes_no_result() {
    let home = Home::new();
    home.write("wrong.toml", "[veiw]\ntheme = \"light\"\n");
    for (args, code) in [
        (&["--scenario", "quiet-day", "status"][..], 10),
        (&["--scenario", "bad-canary", "status"][..], 11),
        (&["--scenario", "bad-canary", "status", "-o", "json"][..], 11),
        (&["--scenario", "quiet-day", "sources"][..], 0),
        (&["config", "explain"][..], 0),
        (&["config", "schema"][..], 0),
        (&["config", "check", "wrong.toml"][..], 2),
        (&["schema", "status"][..], 0),
        (&["completions", "bash"][..], 0),
        (&["man"][..], 0),
        (&["--help"][..], 0),
        (&["--version"][..], 0),
        (&["journal"][..], 0),
    ] {
        assert_eq!(home.run(args).code, code, "{args:?}, read to the end");
        let mut running = Running::start(&home, args);
        drop(running.0.stdout.take());
        let (ended, said) = running.ended();
        assert_eq!(ended, Some(code), "{args:?}, not read at all: {said}");
        assert!(!said.contains("panicked") && !said.contains("cannot write"), "{args:?}: {said}");
    }
}

#[test]
fn a_stderr_that_is_closed_changes_no_result() {
    let home = Home::new();
    let token = home.write("token", "x");
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    // Its warning about the token has nowhere to go.
    home.write(
        "open.toml",
        "[sources.flags]\nkind = \"unleash\"\nurl = \"http://127.0.0.1:9\"\n\
         token = { file = \"token\" }\n",
    );
    let args = ["--config", "open.toml", "status"];
    assert!(home.run(&args).exits(12).err.contains("chmod o-r"));
    let mut running = Running::start(&home, &args);
    drop(running.0.stderr.take());
    let mut out = String::new();
    running.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(running.0.wait().unwrap().code(), Some(12), "{out}");
}
