//! The only place that touches the world: effects, polling, supervision and the one `select!`.

mod answer;
mod diary;
pub mod gateway;
pub mod headless;
pub mod keeper;
pub mod manner;
pub mod pool;
mod reading;
pub mod record;
pub mod run;
pub mod writer;
