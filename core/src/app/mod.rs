//! The pure core: `State`, `Msg`, `Effect` and `update`, with the command table and the selectors.
//!
//! Nothing here does I/O, reads a clock or draws. The same list of messages gives the same state.

pub mod activity;
pub mod age;
pub mod availability;
pub mod canary;
pub mod claimants;
pub mod command;
pub mod dialog;
pub mod effect;
pub mod explain;
pub mod figures;
pub mod flight;
pub mod index;
pub mod intent;
pub mod interest;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod membership;
pub mod msg;
pub mod needs;
pub mod overlay;
pub mod pane;
pub mod pilot;
pub mod places;
pub mod plan;
pub mod report;
pub mod row;
pub mod search;
pub mod select;
pub mod setup;
pub mod state;
pub mod target;
pub mod unreadable;
pub mod update;
pub mod wish;

pub use effect::Effect;
pub use msg::Msg;
pub use setup::Setup;
pub use state::State;
pub use update::update;
