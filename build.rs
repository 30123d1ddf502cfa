//! Passes facts of the build on to `--version`.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    let commit = said("git", &["rev-parse", "--short=10", "HEAD"]);
    let rustc = env::var("RUSTC").ok().and_then(|rustc| said(&rustc, &["--version"]));
    // As in `rustc 1.95.0 (59807616e 2026-04-14)`.
    let rustc = rustc.map(|said| said.split(" (").next().unwrap_or_default().to_owned());
    let features = if env::var_os("CARGO_FEATURE_AWS").is_some() { "aws" } else { "none" };
    println!("cargo::rustc-env=FLIGHTDECK_COMMIT={}", commit.as_deref().unwrap_or("no commit"));
    println!("cargo::rustc-env=FLIGHTDECK_PROFILE={}", profile().unwrap_or_default());
    println!("cargo::rustc-env=FLIGHTDECK_TARGET={}", env::var("TARGET").unwrap_or_default());
    println!("cargo::rustc-env=FLIGHTDECK_RUSTC={}", rustc.as_deref().unwrap_or("rustc unknown"));
    println!("cargo::rustc-env=FLIGHTDECK_FEATURES={features}");
    // A commit moves HEAD's log. A path that does not exist would make every build ask again.
    if Path::new(".git/logs/HEAD").exists() {
        println!("cargo::rerun-if-changed=.git/logs/HEAD");
    }
    println!("cargo::rerun-if-changed=build.rs");
}

/// What a program says in one line, if it is there and says it.
fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok().filter(|o| o.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// The profile, by the name of its folder: `PROFILE` tells of each only what it inherits.
fn profile() -> Option<String> {
    // PROFILE/build/PACKAGE-HASH/out
    let out = env::var("OUT_DIR").ok()?;
    let folder = Path::new(&out).ancestors().nth(3)?.file_name()?.to_str()?;
    Some(if folder == "debug" { "dev".to_owned() } else { folder.to_owned() })
}
