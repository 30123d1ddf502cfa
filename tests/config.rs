//! The configuration as its users meet it: defaults, layers, fixtures right and wrong, the schema.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing unwrap fails the test")]

#[path = "config/agree.rs"]
mod agree;
#[path = "config/command.rs"]
mod command;
#[path = "config/fixtures.rs"]
mod fixtures;
#[path = "config/freezes.rs"]
mod freezes;
#[path = "config/init.rs"]
mod init;
#[path = "config/layers.rs"]
mod layers;
#[path = "config/meaning.rs"]
mod meaning;
#[path = "config/robust.rs"]
mod robust;
