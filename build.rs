//! Passes facts of the build on to `--version`.

use std::process::Command;

fn main() {
    let commit = Command::new("git")
        .args(["rev-parse", "--short=10", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "no commit".to_owned(), |hash| hash.trim().to_owned());
    let profile = std::env::var("PROFILE").unwrap_or_default();
    let features = if std::env::var_os("CARGO_FEATURE_AWS").is_some() { "aws" } else { "none" };
    println!("cargo::rustc-env=FLIGHTDECK_COMMIT={commit}");
    println!("cargo::rustc-env=FLIGHTDECK_PROFILE={profile}");
    println!("cargo::rustc-env=FLIGHTDECK_FEATURES={features}");
    // A commit moves HEAD's log. A path that does not exist would make every build ask again.
    if std::path::Path::new(".git/logs/HEAD").exists() {
        println!("cargo::rerun-if-changed=.git/logs/HEAD");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
