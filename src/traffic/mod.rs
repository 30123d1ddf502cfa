//! Traffic of our own making, fired at a baseline and a canary alike, and what came of it.
//!
//! Two sorts: *designed* requests ([`design`], for `flightdeck probe`) and recorded ones. Both share
//! [`target`]: the one place that sends, only to the host it was given, without redirects unless they
//! are asked for.
//!
//! # Open loop
//! A load generator that waits for an answer before it sends the next request sends less when the
//! server is slow, and so hides most of the slowness (*coordinated omission*). Here a schedule says
//! beforehand when each request is due, whatever the answers; latency counts from that time, and so
//! does the wait for a free place when too many are under way.

pub mod book;
pub mod design;
pub mod fire;
pub mod frozen;
pub mod recorded;
pub mod schedule;
pub mod tally;
pub mod target;
