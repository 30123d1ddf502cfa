//! Requests, errors and other figures of one server.

use super::answer::Server;

/// Columns of `show stat` that are levels; every other number there only grows.
const LEVELS: [&str; 26] = [
    "qcur",
    "qmax",
    "scur",
    "smax",
    "slim",
    "qlimit",
    "weight",
    "uweight",
    "act",
    "bck",
    "throttle",
    "rate",
    "rate_lim",
    "rate_max",
    "check_duration",
    "lastchg",
    "lastsess",
    "qtime",
    "ctime",
    "rtime",
    "ttime",
    "agent_duration",
    "check_health",
    "srv_icur",
    "idle_conn_cur",
    "used_conn_cur",
];

/// Requests given to a server, and those that failed, since the counters began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub requests: u64,
    pub errors: u64,
}

/// One figure, by its name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Figure {
    /// It only grows.
    Counter(f64),
    /// It goes up and down.
    Level(f64),
}

impl Counts {
    /// What the statistics say of `server`.
    ///
    /// In HTTP mode `req_tot` of a server counts the answered requests alone. Those that failed
    /// are counted elsewhere: no connection in `econ`, no answer in `eresp`. `stot` counts each
    /// attempt to connect, so that retries are taken off again (measured on 2.6.12).
    pub(super) fn of(server: &Server) -> Option<Self> {
        let count = |name| server.count(name);
        let broken = count("econ").unwrap_or(0).saturating_add(count("eresp").unwrap_or(0));
        let statuses = ["hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other"];
        if let Some(failed) = count("hrsp_5xx") {
            let by_status = || statuses.iter().filter_map(|name| server.count(name)).sum();
            let answered: u64 = count("req_tot").unwrap_or_else(by_status);
            return Some(Self {
                requests: answered.saturating_add(broken),
                errors: failed.saturating_add(broken),
            });
        }
        let attempts = count("stot")?;
        Some(Self {
            requests: attempts.saturating_sub(count("wretr").unwrap_or(0)),
            errors: broken,
        })
    }
}

impl Figure {
    /// The figure `name` of `server`: `requests`, `errors`, or a column of `show stat`.
    pub(super) fn of(server: &Server, name: &str) -> Option<Self> {
        match name {
            "requests" => Counts::of(server).map(|counts| Self::Counter(counts.requests as f64)),
            "errors" => Counts::of(server).map(|counts| Self::Counter(counts.errors as f64)),
            _ => {
                let value: f64 = server.get(name)?.parse().ok()?;
                let level = LEVELS.contains(&name);
                let figure = if level { Self::Level } else { Self::Counter };
                value.is_finite().then(|| figure(value))
            }
        }
    }
}
