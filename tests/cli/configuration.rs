//! `config` and `init`: where settings come from, what is wrong with them, a first file.

use crate::home::{Home, said};

#[test]
fn without_a_configuration_all_is_well_and_the_rehearsal_opens() {
    let said = Home::new().run(&["config", "check"]).exits(0);
    assert!(said.out.contains("no faults: 0 sources, 0 services; the rehearsal"), "{said:?}");
}

#[test]
fn later_layers_go_before_earlier_ones() {
    let home = Home::new();
    let told = |args: &[&str], variable: Option<&str>| {
        let mut command = home.command(&[args, &["config", "explain", "view.theme"]].concat());
        if let Some(value) = variable {
            command.env("FLIGHTDECK_VIEW__THEME", value);
        }
        said(&mut command).exits(0).out
    };
    assert!(told(&[], None).contains("view.theme = \"default\""));
    let folder = home.path().join(".config/flightdeck");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "[view]\ntheme = \"light\"\n").unwrap();
    let user = told(&[], None);
    assert!(user.contains("\"light\"") && user.contains("config.toml:2"), "{user}");
    let variable = told(&[], Some("mono"));
    assert!(variable.contains("view.theme = \"mono\""), "{variable}");
    assert!(variable.contains("FLIGHTDECK_VIEW__THEME"), "{variable}");
    let flag = told(&["--set", "view.theme=high-contrast"], Some("mono"));
    assert!(flag.contains("view.theme = \"high-contrast\""), "{flag}");
    assert!(flag.contains("overrode  \"mono\""), "{flag}");
}

#[test]
fn every_fault_of_a_file_is_said_with_its_line() {
    let home = Home::new();
    home.write(
        "bad.toml",
        "[view]\ntheme = 7\nglyhps = \"ascii\"\n[services.shop]\nalarms = [\"prom/*\"]\n",
    );
    let said = home.run(&["config", "check", "bad.toml"]).exits(2);
    assert_eq!(said.out, "");
    for words in ["bad.toml:2", "bad.toml:3", "`glyphs`", "bad.toml:5", "prom"] {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
}

#[test]
fn a_first_configuration_is_written_once_and_is_right() {
    let home = Home::new();
    let backend = crate::home::Backend::answering(200, "{}");
    let url = format!("{}/health", backend.url);
    let init = ["init", "--no-aws", "--http", &url, "-o", "first.toml"];
    home.run(&init).exits(0);
    home.run(&["config", "check", "first.toml"]).exits(0);
    home.run(&["--config", "first.toml", "status"]).exits(0);
    let before = std::fs::read_to_string(home.path().join("first.toml")).unwrap();
    let said = home.run(&init).exits(2);
    assert!(said.err.contains("--force"), "{said:?}");
    assert_eq!(std::fs::read_to_string(home.path().join("first.toml")).unwrap(), before);
    home.run(&[&init[..], &["--force"]].concat()).exits(0);
}
