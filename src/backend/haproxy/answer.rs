//! The answers of the Runtime API: who answers, the table of statistics, the state of servers.

use std::collections::HashMap;
use std::sync::Arc;

use csv::StringRecord;

use crate::domain::error::{Fault, FaultKind};

/// What is asked, in one conversation. All of it is allowed at level `user`.
pub(super) const COMMANDS: &str = "show cli level;show info;show stat;show servers state";

/// The type of a line of `show stat` that is about a server.
const SERVER: &str = "2";

/// Bits of `srv_admin_state` that say drain: forced, inherited (`include/haproxy/server-t.h`).
pub(super) const DRAIN: u32 = 0x08 | 0x10;
/// Those that say maintenance: forced, inherited, configured, for want of an address.
pub(super) const MAINT: u32 = 0x01 | 0x02 | 0x04 | 0x20 | 0x40;

/// Everything that one conversation told.
#[derive(Debug)]
pub(super) struct Answer {
    pub info: Info,
    pub servers: Vec<Server>,
    /// What was refused or is missing, while the rest was told.
    pub remarks: Vec<String>,
}

/// Who answers.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Info {
    pub version: Option<String>,
    pub node: Option<String>,
    /// What we may do: `user`, `operator` or `admin`.
    pub level: Option<String>,
    pub pid: Option<u64>,
    /// Seconds since the process started, and with it every counter.
    pub uptime: Option<u64>,
    pub processes: Option<u64>,
}

/// One server, by its line of statistics and what `show servers state` adds.
#[derive(Debug, Clone)]
pub(super) struct Server {
    columns: Arc<HashMap<String, usize>>,
    cells: StringRecord,
    state: Option<State>,
}

/// What `show servers state` tells of one server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Bits that say who took it out of traffic, and how.
    pub admin: Option<u32>,
    /// The weight that was set.
    pub weight: Option<u32>,
    /// The weight in the configuration.
    pub configured: Option<u32>,
}

impl Answer {
    /// Understands the answers to [`COMMANDS`].
    ///
    /// Each is found by how it begins, not by its place: a command that is refused or unknown is
    /// answered by a sentence.
    ///
    /// # Errors
    /// No table of statistics, or one that cannot be read.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let mut sections = text.split("\n\n").map(str::trim).filter(|s| !s.is_empty());
        let mut info = Info::default();
        let (mut table, mut states, mut refusal) = (None, None, None);
        let mut remarks = Vec::new();
        for section in sections.by_ref() {
            if section.starts_with("# pxname") {
                table = Some(section);
            } else if State::is_table(section) {
                states = Some(section);
            } else if section.lines().any(|line| line.starts_with("Version:")) {
                info = Info { level: info.level.take(), ..Info::parse(section) };
            } else if matches!(section, "user" | "operator" | "admin") {
                info.level = Some(section.to_owned());
            } else {
                refusal = refusal.or(section.lines().next());
            }
        }
        let Some(table) = table else { return Err(no_table(refusal)) };
        let mut servers = servers(table)?;
        match states {
            Some(states) => {
                let states = State::parse(states);
                for server in &mut servers {
                    let key = (server.text("pxname"), server.text("svname"));
                    server.state = states.get(&key).copied();
                }
            }
            None => remarks.push("show servers state is not answered".to_owned()),
        }
        if let Some(refusal) = refusal {
            remarks.push(format!("a command was refused: {refusal}"));
        }
        if let Some(processes) = info.processes.filter(|n| *n > 1) {
            remarks.push(format!("counts are of one of {processes} processes"));
        }
        Ok(Self { info, servers, remarks })
    }
}

fn no_table(refusal: Option<&str>) -> Fault {
    let refusal = refusal.unwrap_or("nothing that is known");
    if refusal.starts_with("Permission denied") {
        let kind = FaultKind::Forbidden { permission: Some("level user".into()) };
        return Fault::new(kind, format!("show stat: {refusal}"));
    }
    let message = format!("show stat is answered with: {refusal}");
    Fault::new(FaultKind::InvalidReply, message)
        .hint("name the `stats socket` of a worker; the master's socket tells no statistics")
}

impl Info {
    fn parse(section: &str) -> Self {
        let get = |wanted: &str| {
            section
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value.trim())
                .filter(|value| !value.is_empty())
        };
        let number = |wanted| get(wanted).and_then(|value| value.parse().ok());
        Self {
            version: get("Version").map(str::to_owned),
            node: get("node").map(str::to_owned),
            level: None,
            pid: number("Pid"),
            uptime: number("Uptime_sec"),
            processes: number("Nbproc"),
        }
    }

    /// As whom we are seen, and by whom.
    pub(super) fn identity(&self) -> String {
        let level = match &self.level {
            Some(level) => format!("level {level}"),
            None => "level not told".to_owned(),
        };
        let version = self.version.as_deref().unwrap_or("of unknown version");
        let node = self.node.as_ref().map(|node| format!(", node {node}")).unwrap_or_default();
        format!("{level} (HAProxy {version}{node})")
    }
}

/// The servers in a table of statistics; columns go by name, because every version adds some.
fn servers(table: &str) -> Result<Vec<Server>, Fault> {
    let invalid = |why: String| Fault::new(FaultKind::InvalidReply, format!("show stat: {why}"));
    let table = table.strip_prefix("# ").unwrap_or(table);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(table.as_bytes());
    let header = reader.headers().map_err(|error| invalid(error.to_string()))?;
    let columns: HashMap<String, usize> =
        header.iter().enumerate().map(|(at, name)| (name.to_owned(), at)).collect();
    for needed in ["pxname", "svname", "type", "status", "weight"] {
        if !columns.contains_key(needed) {
            return Err(invalid(format!("there is no column {needed}")));
        }
    }
    let width = header.len();
    let columns = Arc::new(columns);
    let mut servers = Vec::new();
    for (at, line) in reader.records().enumerate() {
        let cells = line.map_err(|error| invalid(error.to_string()))?;
        if cells.len() != width {
            let found = cells.len();
            return Err(invalid(format!("line {} has {found} of {width} columns", at + 2)));
        }
        let server = Server { columns: Arc::clone(&columns), cells, state: None };
        if server.get("type") == Some(SERVER) {
            servers.push(server);
        }
    }
    Ok(servers)
}

impl State {
    /// Whether `section` is the answer to `show servers state`.
    pub(super) fn is_table(section: &str) -> bool {
        section.lines().nth(1).is_some_and(|line| line.starts_with("# be_id"))
    }

    /// By backend and server. The format is versioned by its first line; what cannot be read is
    /// left out, and the statistics alone speak.
    pub(super) fn parse(section: &str) -> HashMap<(String, String), Self> {
        let mut lines = section.lines().skip(1);
        let header = lines.next().unwrap_or_default();
        let names: Vec<&str> = header.trim_start_matches("# ").split(' ').collect();
        let place = |wanted| names.iter().position(|name| *name == wanted);
        let (Some(backend), Some(server)) = (place("be_name"), place("srv_name")) else {
            return HashMap::new();
        };
        let (admin, weight) = (place("srv_admin_state"), place("srv_uweight"));
        let configured = place("srv_iweight");
        lines
            .filter_map(|line| {
                let cells: Vec<&str> = line.split(' ').collect();
                let number = |at: Option<usize>| cells.get(at?)?.parse().ok();
                let key = ((*cells.get(backend)?).to_owned(), (*cells.get(server)?).to_owned());
                let (admin, weight) = (number(admin), number(weight));
                Some((key, Self { admin, weight, configured: number(configured) }))
            })
            .collect()
    }
}

impl Server {
    /// The cell in the column `name`, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.cells.get(*self.columns.get(name)?).filter(|cell| !cell.is_empty())
    }

    /// The same, empty where it is.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// The cell as a count.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// Whether such a column exists at all.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    /// The weight that was set: that of the balancing differs while a server starts slowly.
    pub(super) fn weight(&self) -> u32 {
        let of = |column| self.count(column).and_then(|n| u32::try_from(n).ok());
        let set = self.state.and_then(|state| state.weight);
        set.or_else(|| of("uweight")).or_else(|| of("weight")).unwrap_or(0)
    }

    /// What `show servers state` told of it.
    pub(super) fn state(&self) -> State {
        self.state.unwrap_or_default()
    }

    /// The first word of its state: `UP` of `UP 1/3`.
    pub(super) fn word(&self) -> &str {
        let status = self.get("status").unwrap_or("unknown");
        if status == "no check" { status } else { status.split(' ').next().unwrap_or(status) }
    }

    /// Whether somebody drains it; a server can also show `DRAIN` because its weight is 0.
    pub(super) fn is_drained(&self) -> bool {
        match self.state.and_then(|state| state.admin) {
            Some(admin) => admin & DRAIN != 0,
            None => self.word() == "DRAIN" && self.weight() > 0,
        }
    }

    /// Whether it stands in for others only.
    pub(super) fn is_backup(&self) -> bool {
        self.count("bck").is_some_and(|n| n > 0)
    }
}
