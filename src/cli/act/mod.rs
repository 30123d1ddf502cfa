//! The commands that change something: the same plans, guards and gateway as in the control room.

mod answered;
mod args;
mod intent;
mod perform;
mod print;
mod wait;

pub use args::Act;
pub use perform::run;
pub use wait::{WaitArgs, run as run_wait};
