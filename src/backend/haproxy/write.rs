//! Writes over the Runtime API: what is sent, and what HAProxy made of it.
//!
//! There is no native precondition: everything is read right before, and what was really set is read
//! in the same conversation that sets it. Weights are always sent as absolute numbers: a relative
//! one is cut at 256 without a word, and a share of a weight of 0 stays 0.

use super::super::context::ReadContext;
use super::answer::{Answer, Server};
use super::setting::Setting;
use super::weights::{MOST, Standing, weights};
use super::{COMMANDS, HaProxy, reply, socket, split};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::Fact;
use crate::domain::fleet::Fleet;
use crate::domain::ids::TrafficId;
use crate::domain::observation::{Observation, Scope, Topic};
use crate::domain::text::SafeText;
use crate::domain::write::{ArmWish, Order, Receipt, Write, expectation};

/// What `set server` needs (Management Guide, 9.3).
const LEVEL: &str = "level admin";
/// Bytes of a command line that every HAProxy takes in one piece (`tune.bufsize` is 16,384).
const LONGEST: usize = 12_000;

impl HaProxy {
    /// Reads, compares, sends once, and tells what was really set.
    pub(super) async fn write(&self, order: &Order, cx: &ReadContext) -> Result<Receipt, Fault> {
        let (Write::Shares { split: id, .. }
        | Write::Weights { split: id, .. }
        | Write::Arm { split: id, .. }) = order.write()
        else {
            let verb = order.write().verb();
            return Err(self.refusal(format!("HAProxy cannot {}", verb.word())));
        };
        cx.spend().await;
        let text = socket::ask(&self.address, COMMANDS, self.deadline).await?;
        let told = Answer::parse(&text)
            .map_err(|fault| Fault { message: self.at(&fault.message), ..fault })?;
        self.is_allowed(&told)?;
        let (backend, servers) = self.servers_of(id, &told)?;
        self.has_moved(order, id, &backend, &servers, cx)?;
        let settings = self.settings(order.write(), &backend, &servers)?;
        if settings.is_empty() {
            let note = Some("it was so already; nothing was sent".into());
            return Ok(Receipt { id: None, note });
        }
        let commands: Vec<String> = settings.iter().map(|s| s.command(&backend)).collect();
        let line = format!("{};show servers state {backend}", commands.join(";"));
        if line.len() > LONGEST {
            let count = settings.len();
            return Err(self.refusal(format!("{count} servers do not fit into one command line")));
        }
        cx.spend().await;
        let text = socket::tell(&self.address, &line, self.deadline).await?;
        reply::judge(&text, &backend, &settings)
            .map_err(|fault| Fault { message: self.at(&fault.message), ..fault })
    }

    fn refusal(&self, why: impl Into<SafeText>) -> Fault {
        Fault::new(FaultKind::InvalidRequest, self.at(&why.into()))
            .hint("read what is there now, and ask for something that can be set")
    }

    /// Refuses before anything is sent where HAProxy would not let us, or only a part of it would.
    fn is_allowed(&self, told: &Answer) -> Result<(), Fault> {
        if let Some(level) = told.info.level.as_ref().filter(|level| *level != "admin") {
            let why = format!("this socket is of level {level}, and `set server` needs {LEVEL}");
            let kind = FaultKind::Forbidden { permission: Some(LEVEL.into()) };
            return Err(Fault::new(kind, self.at(&why.into())).hint(reply::LEVEL_HINT));
        }
        if let Some(processes) = told.info.processes.filter(|n| *n > 1) {
            let why = format!("one of {processes} processes answers, and the others would differ");
            return Err(self.refusal(why));
        }
        Ok(())
    }

    /// The backend's name as HAProxy has it, with its servers.
    fn servers_of<'a>(
        &self,
        id: &TrafficId,
        told: &'a Answer,
    ) -> Result<(String, Vec<&'a Server>), Fault> {
        let name = id.name.as_str();
        let own = |s: &&Server| s.get("pxname").is_some_and(|own| id.name == *own);
        let servers: Vec<&Server> = told.servers.iter().filter(own).collect();
        if servers.is_empty() {
            let why = format!("there is no backend {name} with servers");
            return Err(Fault::new(FaultKind::NotFound, self.at(&why.into())));
        }
        if !self.wants(name) {
            let why = format!("the configuration of this source leaves the backend {name} out");
            return Err(self.refusal(why));
        }
        if !is_plain(name) {
            return Err(self.refusal(format!("{name} cannot be named in a command")));
        }
        Ok((name.to_owned(), servers))
    }

    /// Compares what is there now with what was seen.
    fn has_moved(
        &self,
        order: &Order,
        id: &TrafficId,
        backend: &str,
        servers: &[&Server],
        cx: &ReadContext,
    ) -> Result<(), Fault> {
        let scope = Scope { topic: Topic::Overview, items: Vec::new() };
        let mut fleet = Fleet::new([self.meta.clone()]);
        let mut now = Observation::new(&id.source, 0, &scope, cx.now());
        now.facts.push(Fact::Traffic(split::split(&self.meta.id, backend, servers)));
        fleet.apply(now);
        let now = expectation(order.write(), &fleet).map_err(|why| self.refusal(why))?;
        let moved = order.expects().moved(&now);
        if moved.is_empty() {
            return Ok(());
        }
        let moved: Vec<String> =
            moved.iter().map(|m| format!("{} was {}, is {}", m.what, m.seen, m.now)).collect();
        Err(Fault::new(FaultKind::Conflict, self.at(&moved.join("; ").into())))
    }

    /// What has to be set: raises before cuts, so that some server always takes traffic.
    fn settings(
        &self,
        write: &Write,
        backend: &str,
        servers: &[&Server],
    ) -> Result<Vec<Setting>, Fault> {
        let refuse = |why: String| self.refusal(format!("{backend}: {why}"));
        let wishes: Vec<(SafeText, ArmWish)> = match write {
            Write::Shares { shares, .. } => {
                let usable = split::split(&self.meta.id, backend, servers).arms;
                let standing: Vec<Standing> = usable
                    .into_iter()
                    .zip(servers)
                    .map(|(arm, server)| Standing {
                        name: arm.name,
                        weight: arm.weight,
                        configured: server.state().configured,
                        usable: arm.usable,
                        state: arm.state,
                    })
                    .collect();
                let weights = weights(&standing, shares).map_err(refuse)?;
                let named = shares.iter().map(|(name, _)| name.clone());
                named.zip(weights.into_iter().map(ArmWish::Weight)).collect()
            }
            Write::Weights { weights, .. } => {
                let own = weights.iter();
                own.map(|(name, weight)| (name.clone(), ArmWish::Weight(*weight))).collect()
            }
            Write::Arm { arm, wish, .. } => vec![(arm.clone(), *wish)],
            _ => Vec::new(),
        };
        let mut settings = Vec::new();
        for (name, wish) in wishes {
            if let ArmWish::Weight(weight) = wish
                && weight > MOST
            {
                return Err(refuse(format!("a weight is between 0 and {MOST}, not {weight}")));
            }
            let server = servers.iter().find(|s| s.get("svname").is_some_and(|own| name == *own));
            let server = server.ok_or_else(|| refuse(format!("there is no server {name}")))?;
            if !is_plain(name.as_str()) {
                return Err(refuse(format!("{name} cannot be named in a command")));
            }
            let mut before = server.state();
            before.weight = Some(server.weight());
            let setting = Setting { server: server.text("svname"), before, wish };
            if setting.is_met(before) != Some(true) {
                settings.push(setting);
            }
        }
        settings.sort_by_key(|s| match (s.wish, s.before.weight) {
            (ArmWish::Weight(wanted), Some(before)) => wanted < before,
            _ => false,
        });
        Ok(settings)
    }
}

/// Whether a name is made of what HAProxy allows in names, and of nothing that ends a command.
fn is_plain(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    !name.is_empty() && name.chars().all(allowed)
}
