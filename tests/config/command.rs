//! `flightdeck config` as a user sees it: what is printed, and the exit code.

use std::path::PathBuf;

use flightdeck::cli::config::{ConfigCommand, run};
use flightdeck::config::origin::Layer;
use flightdeck::config::{Inputs, Setting};

struct Seen {
    code: u8,
    out: String,
    err: String,
}

fn see(command: &ConfigCommand, inputs: &Inputs) -> Seen {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(command, inputs, &["quit"], &mut out, &mut err).unwrap();
    Seen { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn explain(key: &str) -> ConfigCommand {
    ConfigCommand::Explain { key: Some(key.to_owned()) }
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/config").join(name)
}

fn set(key: &str, value: &str) -> Inputs {
    let flag = format!("--set {key}");
    let setting = Setting { flag, key: key.to_owned(), value: value.to_owned() };
    Inputs { settings: vec![setting], ..Inputs::default() }
}

#[test]
fn explaining_a_setting() {
    let seen = see(&explain("view.glyphs"), &set("view.glyphs", "ascii"));
    assert_eq!((seen.code, seen.err.as_str()), (0, ""));
    let line = flightdeck::config::load::DEFAULT_TOML
        .lines()
        .position(|line| line.starts_with("glyphs"))
        .unwrap();
    assert_eq!(
        seen.out,
        format!(
            "view.glyphs = \"ascii\"\n  \
             The signs for states: auto takes ascii where the locale is not UTF-8.\n  \
             set by    --set view.glyphs\n  \
             overrode  \"auto\" of default.toml:{}:10 (built-in)\n  \
             one of    auto, unicode, ascii\n  \
             default   \"auto\"\n",
            line + 1
        )
    );
}

#[test]
fn explaining_what_is_not_there() {
    let seen = see(&explain("view.glyhps"), &Inputs::default());
    assert_eq!(seen.code, 2);
    assert_eq!(seen.err, "there is no setting `view.glyhps`\n    did you mean `view.glyphs`?\n");
}

#[test]
fn explaining_works_on_a_faulty_configuration_and_says_that_it_is() {
    let seen = see(&explain("view.theme"), &set("view.mouse", "perhaps"));
    assert_eq!(seen.code, 2);
    assert!(seen.out.starts_with("view.theme = \"default\"\n"), "{}", seen.out);
    assert_eq!(seen.err, "faults in the configuration: 1; see `flightdeck config check`\n");
}

#[test]
fn everything_that_is_set_can_be_listed() {
    let seen = see(&ConfigCommand::Explain { key: None }, &set("view.theme", "mono"));
    assert!(seen.out.contains("view.theme = \"mono\"    # --set view.theme\n"), "{}", seen.out);
    assert!(seen.out.contains("polling.fast = \"5s\"    # default.toml:"), "{}", seen.out);
}

#[test]
fn checking_a_file() {
    let check =
        |name: &str| see(&ConfigCommand::Check { file: Some(fixture(name)) }, &Inputs::default());
    let good = check("valid/minimal.toml");
    assert_eq!((good.code, good.err.as_str()), (0, ""));
    assert!(good.out.ends_with("no faults: 1 source, 0 services\n"), "{}", good.out);
    let bad = check("invalid/cycles.toml");
    assert_eq!((bad.code, bad.out.as_str()), (2, ""));
    assert!(bad.err.contains("cycles.toml:8:10: "), "{}", bad.err);
    let missing = check("nowhere.toml");
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("nowhere.toml: "), "{}", missing.err);
}

#[test]
fn checking_all_layers_finds_keys_without_a_command() {
    let nothing = see(&ConfigCommand::Check { file: None }, &Inputs::default());
    assert_eq!(nothing.out, "no faults: 0 sources, 0 services; the rehearsal world opens\n");
    let seen = see(&ConfigCommand::Check { file: None }, &set("keys.qiut", "x"));
    assert_eq!(seen.code, 2);
    assert!(seen.err.contains("did you mean `quit`?"), "{}", seen.err);
}

#[test]
fn checking_finds_themes_and_scenarios_that_do_not_exist() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let text = "[view]\ntheme = \"lihgt\"\n[rehearsal]\nscenario = \"bad-canery\"\n";
    std::fs::write(&path, text).unwrap();
    let check = ConfigCommand::Check { file: Some(path) };
    let seen = see(&check, &Inputs::default());
    assert_eq!((seen.code, seen.out.as_str()), (2, ""));
    for (place, name) in [
        ("x.toml:2:9: view.theme: ", "did you mean light?"),
        ("x.toml:4:12: rehearsal.scenario: ", "did you mean bad-canary?"),
    ] {
        let line = seen.err.lines().find(|line| line.contains(place));
        assert!(line.is_some_and(|line| line.contains(name)), "{place}{name}: {}", seen.err);
    }
}

#[test]
fn nothing_hostile_in_a_file_reaches_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    let hostile = "\\u001b]52;c;ZXZpbA==\\u0007\\u202e";
    let text = format!(
        "[view]\ntheme = \"{hostile}\"\n\"{hostile}\" = 1\npane = \"{hostile}\"\n[services.\"a{hostile}\"]\n"
    );
    std::fs::write(&path, text).unwrap();
    let inputs = Inputs { files: vec![(Layer::User, path)], ..Inputs::default() };
    for command in
        [ConfigCommand::Check { file: None }, ConfigCommand::Explain { key: None }, explain("view")]
    {
        let seen = see(&command, &inputs);
        for text in [seen.out, seen.err] {
            let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(odd), "{text:?}");
        }
    }
}

#[test]
fn no_secret_that_was_written_out_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below.toml");
    let more = "[sources.flags]\nkind = \"unleash\"\nurl = \"https://me:hunter2@x\"\n\
                token = \"hunter2\"\ntokn = \"hunter2\"\n\
                [sources.prom4]\nkind = \"prometheus\"\nurl = \"http://x\"\n\
                auth = { bearer = { command = \"op read hunter2\", value = \"hunter2\" } }\n\
                [sources.prom5]\nkind = \"prometheus\"\nurl = \"http://x\"\nauth = \"hunter2\"\n\
                headers = \"Authorization: hunter2\"\n";
    std::fs::write(&path, more).unwrap();
    let inputs = Inputs {
        files: vec![(Layer::User, path), (Layer::Project, fixture("invalid/secrets.toml"))],
        variables: vec![("FLIGHTDECK_SOURCES__FLAGS__TOKEN".to_owned(), "hunter2-too".to_owned())],
        ..Inputs::default()
    };
    let keys = [
        "sources",
        "sources.flags",
        "sources.flags.url",
        "sources.flags.token",
        "sources.prom.auth.bearer",
        "sources.prom.headers.Authorization",
        "sources.prom3.auth.basic",
        "sources.prom4.auth.bearer",
        "sources.prom4.auth.bearer.command",
        "sources.prom5.auth",
        "sources.prom5",
    ];
    let one = keys.iter().map(|key| explain(key));
    let all = [ConfigCommand::Explain { key: None }, ConfigCommand::Check { file: None }];
    for command in one.chain(all) {
        let seen = see(&command, &inputs);
        assert_eq!(seen.code, 2);
        for text in [&seen.out, &seen.err] {
            assert!(!text.contains("hunter2") && !text.contains("12345"), "{command:?}\n{text}");
        }
    }
    let token = see(&explain("sources.flags.token"), &inputs).out;
    assert!(token.starts_with("sources.flags.token = (secret written out)\n"), "{token}");
    assert_eq!(token.matches("overrode  (secret written out) of ").count(), 2, "{token}");
    // What is a reference, and what is no secret, is told.
    let good = set("sources.p.auth.bearer", "{ command = [\"op\", \"read\", \"x\"] }");
    let told = see(&explain("sources.p.auth.bearer.command"), &good).out;
    assert!(told.contains("command = [\"op\", \"read\", \"x\"]\n"), "{told}");
    let fine = see(&explain("sources.prom.headers"), &inputs).out;
    assert!(fine.contains("X-Scope-OrgID = \"fine\""), "{fine}");
}

#[test]
fn the_schema_is_printed() {
    let seen = see(&ConfigCommand::Schema, &Inputs::default());
    assert_eq!(seen.code, 0);
    let schema: serde_json::Value = serde_json::from_str(&seen.out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}
