//! The configuration as its users meet it: defaults, layers, fixtures right and wrong, the schema.

#[path = "config/fixtures.rs"]
mod fixtures;
#[path = "config/layers.rs"]
mod layers;
#[path = "config/meaning.rs"]
mod meaning;
#[path = "config/robust.rs"]
mod robust;
