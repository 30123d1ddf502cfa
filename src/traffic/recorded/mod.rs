//! Recorded traffic, asked again of a baseline (twice) and a canary (once), and what differs.
//!
//! # Noise
//! Two answers of one and the same version differ too: request ids, times, random orders. What the two
//! answers of the baseline show between each other is therefore noise, counted for each path pattern,
//! field and kind of difference (the method of Diffy, Twitter 2015). The canary is asked between the
//! two, so that time has passed less, not more, than between the answers it is measured by.
//!
//! # Credentials
//! A recording is full of them. [`scrub`] takes them out while it is read; nothing behind it ever sees
//! one. What a recording says is never quoted in a message either.

pub mod clean;
pub mod compare;
pub mod import;
pub mod ledger;
pub mod normalise;
pub mod pace;
pub mod report;
pub mod scrub;
pub mod send;
pub mod ticks;

use jiff::Timestamp;
use reqwest::Method;
use reqwest::header::HeaderMap;

/// A request as it was recorded, without its host and its credentials.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The line, or the entry of a HAR file, that it comes from; counted from 1.
    pub place: u64,
    /// When it was sent.
    pub at: Option<Timestamp>,
    /// Its method.
    pub method: Method,
    /// Path and query; begins with a slash.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Option<Vec<u8>>,
}
