//! Backends as traffic splits: who is behind them, how they are, who can take traffic.

use super::answer::Server;
use super::figures::Counts;
use crate::domain::environment::Health;
use crate::domain::ids::{SourceId, TrafficId};
use crate::domain::text::SafeText;
use crate::domain::traffic::{Arm, TrafficSplit};

/// The split of the backend `name` with these servers.
pub(super) fn split(source: &SourceId, name: &str, servers: &[&Server]) -> TrafficSplit {
    let active = servers.iter().any(|s| !s.is_backup() && takes(s) && s.weight() > 0);
    let mut stand_in = false;
    let arms = servers
        .iter()
        .map(|server| {
            // The first usable backup takes over when no other server can; without
            // `option allbackups`, which nothing tells, it does so alone.
            let usable = if server.is_backup() {
                let takes_over = !active && !stand_in && takes(server);
                stand_in |= takes_over;
                takes_over
            } else {
                takes(server)
            };
            arm(server, usable)
        })
        .collect();
    let agents = servers.iter().filter(|s| s.get("agent_status").is_some()).count();
    TrafficSplit {
        id: TrafficId::new(source, name),
        arms,
        since: None,
        automation: (agents > 0)
            .then(|| format!("agent checks of {agents} servers may move weights").into()),
    }
}

fn arm(server: &Server, usable: bool) -> Arm {
    let counts = Counts::of(server);
    Arm {
        name: SafeText::from(server.text("svname")),
        weight: server.weight(),
        usable,
        state: state(server).into(),
        health: health(server),
        revision: None,
        request_rate: server.get("rate").and_then(|rate| rate.parse().ok()),
        error_rate: None,
        requests: counts.map(|c| c.requests),
        errors: counts.map(|c| c.errors),
    }
}

/// Whether it takes traffic according to its weight.
fn takes(server: &Server) -> bool {
    match server.word() {
        "UP" | "DRAIN" | "no check" => !server.is_drained(),
        // DOWN, MAINT, NOLB, and words of later versions.
        _ => false,
    }
}

/// The backend's word, and what explains it.
fn state(server: &Server) -> String {
    let mut state = server.get("status").unwrap_or("unknown").to_owned();
    if server.word() == "DOWN"
        && let Some(check) = server.get("check_status")
    {
        state.push_str(&format!(" {check}"));
    }
    if let Some(share) = server.get("throttle").filter(|share| *share != "100") {
        state.push_str(&format!(", slow start {share}%"));
    }
    if server.is_backup() {
        state.push_str(", backup");
    }
    state
}

fn health(server: &Server) -> Health {
    let counting = server.get("status").is_some_and(|status| status.contains('/'));
    match server.word() {
        // It answered its last check, and one more failure may take it out.
        "UP" if counting => Health::Degraded,
        "UP" => Health::Healthy,
        "DOWN" if counting => Health::Changing,
        "DOWN" => Health::Unhealthy,
        "NOLB" => Health::Changing,
        "DRAIN" if server.is_drained() => Health::Changing,
        "DRAIN" => match server.get("check_status") {
            Some(check) if check.contains("OK") => Health::Healthy,
            _ => Health::Unknown,
        },
        // Not checked, or in maintenance and not checked either.
        _ => Health::Unknown,
    }
}
