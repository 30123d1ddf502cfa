//! No journal, no write: refused before anything is sent, with the reason and what to do.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::{Told, VERBS, World, program};

/// The exit code of a write that the journal could not take.
const NO_JOURNAL: i32 = 26;
/// A user that owns nothing here.
const NOBODY: u32 = 65_534;

/// Every verb is refused in `world`, and nothing is sent; with these words among the reasons.
fn is_refused(world: &World, words: [&str; 2], run: impl Fn(&str) -> Told) {
    let before = world.contents();
    for verb in VERBS {
        let told = run(verb);
        assert_eq!(told.code, NO_JOURNAL, "{verb}: {}", told.text);
        for wanted in words {
            assert!(told.text.contains(wanted), "{verb}: no {wanted:?} in {}", told.text);
        }
        assert_eq!(told.outcomes(), Vec::<String>::new(), "{verb}: {}", told.text);
    }
    assert_eq!(world.contents(), before);
}

#[test]
fn a_file_where_the_folder_should_be() {
    let world = World::new();
    fs::create_dir_all(world.state()).unwrap();
    fs::write(world.folder(), "in the way").unwrap();
    let reason = ["cannot be written", "move away what is in its place"];
    is_refused(&world, reason, |verb| world.run(verb));
    assert_eq!(fs::read_to_string(world.folder()).unwrap(), "in the way");
    fs::remove_file(world.folder()).unwrap();
    assert_eq!(world.run(VERBS[0]).code, 0);
    world.is_whole("after it was moved away");
}

#[test]
fn something_without_an_end_where_lines_should_be() {
    let world = World::with_a_past();
    let lines = world.lines();
    fs::remove_file(&lines).unwrap();
    std::os::unix::fs::symlink("/dev/full", &lines).unwrap();
    let reason = ["is no file", "move away what is in its place"];
    is_refused(&world, reason, |verb| world.run(verb));
}

#[test]
fn a_place_where_nobody_can_make_a_folder() {
    let world = World::new();
    is_refused(&world, ["cannot be written", "FLIGHTDECK_STATE"], |verb| {
        // Not even root makes folders there.
        let mut command = world.command(&program(), verb);
        command.env("FLIGHTDECK_STATE", "/proc/flightdeck");
        Told::of(&command.output().unwrap())
    });
}

/// The program where anybody may start it: root's own folders are closed to others.
fn open_to_all(folder: &Path) -> PathBuf {
    let mut probe = Command::new(program());
    if probe.arg("--version").uid(NOBODY).gid(NOBODY).output().is_ok_and(|o| o.status.success()) {
        return program();
    }
    let copy = folder.join("flightdeck");
    fs::copy(program(), &copy).unwrap();
    copy
}

#[test]
fn a_folder_that_may_only_be_read() {
    let world = World::with_a_past();
    let allow = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let folders = [world.home().to_owned(), world.home().join("state"), world.state()];
    for entry in fs::read_dir(world.folder()).unwrap() {
        allow(&entry.unwrap().path(), 0o444);
    }
    for folder in folders.iter().chain([&world.folder()]) {
        allow(folder, 0o755);
    }
    // Modes do not hold root back: there, another user tries.
    let root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let program = if root { open_to_all(world.home()) } else { program() };
    if !root {
        allow(&world.folder(), 0o555);
    }
    let run = |verb: &str| {
        let mut command = world.command(&program, verb);
        if root {
            command.uid(NOBODY).gid(NOBODY);
        }
        Told::of(&command.output().unwrap())
    };
    is_refused(&world, ["cannot be written: Permission denied", "let this user write there"], run);
    // What it tells can be read all the same.
    assert_eq!(run("journal verify").code, 0);
    allow(&world.folder(), 0o755);
}

/// The program on a disk that takes no file of more than `blocks` of 512 bytes: a limit of the process
/// holds for everybody, and what is beyond it fails as it does on a full disk, part of it written.
pub fn on_a_disk_of(world: &World, blocks: u64, verb: &str) -> Told {
    let inner = world.command(&program(), verb);
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(r#"trap "" XFSZ; ulimit -f "$0"; exec "$@""#).arg(blocks.to_string());
    command.arg(inner.get_program()).args(inner.get_args());
    world.set(&mut command);
    Told::of(&command.output().unwrap())
}

#[test]
fn a_full_disk() {
    for world in [World::new(), World::with_a_past()] {
        let reason = ["cannot be written", "make room there"];
        is_refused(&world, reason, |verb| on_a_disk_of(&world, 0, verb));
        assert_eq!(world.run(VERBS[0]).code, 0);
        world.is_whole("after there was room again");
    }
}

#[test]
fn a_line_that_somebody_has_changed() {
    let world = World::with_a_past();
    let text = fs::read_to_string(world.lines()).unwrap();
    let changed = text.replacen("search-main", "search-mine", 1);
    assert_ne!(text, changed);
    fs::write(world.lines(), changed).unwrap();
    is_refused(&world, ["was changed by somebody", "journal verify"], |verb| world.run(verb));
    assert_eq!(world.run("journal verify").code, 1);
    // As it says: kept elsewhere, and a new one is begun.
    fs::rename(world.folder(), world.state().join("kept")).unwrap();
    assert_eq!(world.run(VERBS[0]).code, 0);
    world.is_whole("the new one");
}

#[test]
fn the_newest_lines_taken_away() {
    let world = World::with_a_past();
    let text = fs::read_to_string(world.lines()).unwrap();
    let first: String = text.split_inclusive('\n').take(3).collect();
    fs::write(world.lines(), first).unwrap();
    is_refused(&world, ["the newest lines are missing", "journal verify"], |verb| world.run(verb));
}

#[test]
fn without_a_journal_a_plan_is_still_shown_and_says_why_it_is_refused() {
    let world = World::new();
    fs::create_dir_all(world.state()).unwrap();
    fs::write(world.folder(), "").unwrap();
    let mut command = Command::new(program());
    command.args(["--rehearse", "hold", "search", "--dry-run", "--output", "json"]);
    world.set(&mut command);
    let told = Told::of(&command.output().unwrap());
    assert_eq!(told.code, NO_JOURNAL, "{}", told.text);
    assert_eq!(told.json["steps"].as_array().unwrap().len(), 1, "{}", told.text);
    let guards = told.json["guards"].as_array().unwrap();
    let refused: Vec<_> = guards.iter().filter(|g| g["verdict"] == "refused").collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0]["why"].as_str().unwrap().contains("no write without a journal"));
}
