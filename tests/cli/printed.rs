//! What the program prints for people, whole: the tables.

use crate::home::Home;

/// Compares `text` with the snapshot `name`.
fn compare(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// `text` with what the moment decides left open, how long ago and how many calls, and so without the
/// widths that follow from it.
fn steady(text: &str) -> String {
    let is_age = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let number = word.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or("");
        word == "now" || (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let mut steady = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let told = words.iter().enumerate().map(|(at, word)| match words.get(at + 1) {
            Some(&"calls") => "(n)",
            _ if is_age(word) => "(age)",
            _ => word,
        });
        steady.push_str(&told.collect::<Vec<_>>().join(" "));
        steady.push('\n');
    }
    steady
}

#[test]
fn the_tables_of_status_and_sources() {
    let home = Home::new();
    let status = home.run(&["--scenario", "quiet-day", "status"]).exits(10).out;
    let sources = home.run(&["--scenario", "quiet-day", "sources"]).exits(0).out;
    compare("tables", &steady(&format!("{status}\n~ sources\n{sources}")));
}
