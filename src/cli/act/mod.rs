//! The commands that change something: the same plans, guards and gateway as in the control room.

mod answered;
mod args;
mod ended;
mod expected;
mod follow;
mod intent;
mod perform;
mod print;
mod unread;
mod wait;

pub use args::Act;
pub use perform::run;
pub use wait::{WaitArgs, run as run_wait};
