//! Writes over the Admin API: on and off, the share of a roll-out, marked or not.
//!
//! The flag is read right before. Where the API takes a JSON Patch, what was read goes along as its
//! `test` operations (RFC 6902, 4.6), so that Unleash itself refuses what has moved since.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::context::ReadContext;
use super::super::http_client::{Answer, Session};
use super::ask::segment;
use super::refusal;
use super::rules;
use super::wire::{Detail, State};
use super::{Shown, Unleash, ask, flag};
use crate::domain::error::{Fault, FaultKind};
use crate::domain::fact::Fact;
use crate::domain::fleet::Fleet;
use crate::domain::ids::FlagId;
use crate::domain::observation::{Scope, Topic};
use crate::domain::text::SafeText;
use crate::domain::write::{FlagChange, Order, Receipt, Write, expectation};

/// Members of a strategy whose change since they were read refuses a new share.
const TESTED: [&str; 5] = ["name", "parameters", "constraints", "segments", "disabled"];

/// One request.
struct Request {
    method: Method,
    path: String,
    body: Option<Value>,
    /// What is done, if it is accepted.
    note: String,
}

/// The flag as it is now.
struct Present {
    id: FlagId,
    project: String,
    detail: Detail,
    /// The same as it was answered.
    raw: Value,
}

impl Unleash {
    /// Reads, compares, and sends once.
    pub(super) async fn write(&self, order: &Order, cx: &ReadContext) -> Result<Receipt, Fault> {
        let Write::Flag { flag: id, environment, change, .. } = order.write() else {
            let verb = order.write().verb();
            return Err(refuse(format!("Unleash cannot {}", verb.word())));
        };
        let session = self.http.session().await?;
        let present = self.present(&session, id, cx).await?;
        self.has_moved(order, &present, cx)?;
        let state = present.state(environment)?;
        let Some(request) = present.request(state, change)? else {
            let note = Some("it was so already; nothing was sent".into());
            return Ok(Receipt { id: None, note });
        };
        let page = format!(
            "{}/projects/{}/features/{}",
            self.address, present.project, present.detail.name
        );
        let about = refusal::About { environment, page: &page, path: &request.path };
        let explain = |answer: &Answer| refusal::explain(&about, &session, answer);
        let sent = session
            .submit(request.method.clone(), &request.path, request.body.as_ref(), cx, explain)
            .await;
        // Whatever came of it, what was read before is not what is there now.
        self.memory().turn(id);
        sent?;
        Ok(Receipt { id: None, note: Some(request.note.into()) })
    }

    /// The flag as it is now.
    async fn present(
        &self,
        session: &Session,
        id: &FlagId,
        cx: &ReadContext,
    ) -> Result<Present, Fault> {
        let (project, name, _) = self.place_of(id)?;
        if !flag::wants(&self.projects, &project) {
            return Err(refuse(format!("the configuration of this source leaves {project} out")));
        }
        let (detail, raw) = ask::feature_as_told(session, &project, &name, cx).await?;
        Ok(Present { id: id.clone(), project, detail, raw })
    }

    /// Compares what is there now with what was seen.
    fn has_moved(&self, order: &Order, present: &Present, cx: &ReadContext) -> Result<(), Fault> {
        let scope = Scope { topic: Topic::Items, items: vec![order.write().target()] };
        let mut now = cx.answer(&self.meta.id, &scope);
        now.epoch = 0;
        let flag = {
            let memory = self.memory();
            let listed = memory.flags.get(&present.id).map(|known| &known.listed);
            let shown = Shown { id: &present.id, project: &present.project, at: now.at };
            self.flag(&memory, &shown, listed, Some(&present.detail))
        };
        now.facts.push(Fact::Flag(flag));
        let mut fleet = Fleet::new([self.meta.clone()]);
        fleet.apply(now);
        let now = expectation(order.write(), &fleet).map_err(refuse)?;
        let moved: Vec<String> = order
            .expects()
            .moved(&now)
            .iter()
            .map(|m| format!("{} was {}, is {}", m.what, m.seen, m.now))
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        let message = format!("{}: {}", present.detail.name, moved.join("; "));
        Err(Fault::new(FaultKind::Conflict, message))
    }
}

fn refuse(why: impl Into<SafeText>) -> Fault {
    Fault::new(FaultKind::InvalidRequest, why).hint("ask for something that Unleash can do")
}

impl Present {
    /// The state in the environment that is shown as `environment`.
    fn state(&self, environment: &SafeText) -> Result<&State, Fault> {
        let mut states = self.detail.environments.iter();
        states.find(|state| SafeText::from(&state.name) == *environment).ok_or_else(|| {
            let message = format!("{} has no environment {environment}", self.detail.name);
            Fault::new(FaultKind::NotFound, message)
        })
    }

    /// What is to be sent; nothing if it is so already.
    fn request(&self, state: &State, change: &FlagChange) -> Result<Option<Request>, Fault> {
        let (project, flag) = (segment(&self.project)?, segment(&self.detail.name)?);
        let path = format!("/api/admin/projects/{project}/features/{flag}");
        match change {
            FlagChange::Enabled { on } => switch(&path, state, *on),
            FlagChange::Percent { percent } => self.share(&path, state, *percent),
            FlagChange::Stale { stale } => Ok((self.detail.stale != *stale).then(|| Request {
                method: Method::PATCH,
                path,
                body: Some(json!([
                    { "op": "test", "path": "/stale", "value": self.detail.stale },
                    { "op": "replace", "path": "/stale", "value": stale },
                ])),
                note: format!("marked as {}", if *stale { "stale" } else { "not stale" }),
            })),
            FlagChange::Attribute { .. } => {
                Err(refuse("an attribute cannot be set: Unleash has variants instead"))
            }
            FlagChange::Halt | FlagChange::Revert => {
                Err(refuse("nothing is rolled out in steps here: turn the flag back"))
            }
        }
    }

    fn share(&self, path: &str, state: &State, percent: f64) -> Result<Option<Request>, Fault> {
        let name = &state.name;
        if !(0.0..=100.0).contains(&percent) || percent.fract() != 0.0 {
            return Err(refuse(format!("a share is a whole number from 0 to 100, not {percent}")));
        }
        let Some(strategy) = rules::gradual(&state.strategies) else {
            let count = state.strategies.iter().filter(|s| s.name == "flexibleRollout").count();
            let why = format!("there are {count} gradual roll-outs in {name} that could be meant");
            return Err(refuse(why).hint("change its strategies in Unleash"));
        };
        if strategy.id.is_empty() {
            return Err(refuse(format!("the gradual roll-out in {name} is told without its id")));
        }
        if rules::share(strategy) == Some(percent) {
            return Ok(None);
        }
        let raw = self.raw_strategy(state, &strategy.id);
        let mut patch: Vec<Value> = TESTED
            .iter()
            .filter_map(|member| Some((member, raw?.get(*member)?)))
            .filter(|(_, value)| !value.is_null())
            .map(|(member, value)| json!({ "op": "test", "path": format!("/{member}"), "value": value }))
            .collect();
        // Adding a member that is there replaces it.
        let value = format!("{percent}");
        patch.push(json!({ "op": "add", "path": "/parameters/rollout", "value": value }));
        Ok(Some(Request {
            method: Method::PATCH,
            path: format!(
                "{path}/environments/{}/strategies/{}",
                segment(name)?,
                segment(&strategy.id)?
            ),
            body: Some(Value::Array(patch)),
            note: format!("the gradual roll-out in {name} gives {percent}%"),
        }))
    }

    /// A strategy as it was answered.
    fn raw_strategy(&self, state: &State, id: &str) -> Option<&Value> {
        let named = |list: &'_ Value, member: &str, wanted: &str| {
            list.as_array()?
                .iter()
                .position(|v| v.get(member).and_then(Value::as_str) == Some(wanted))
        };
        let environments = self.raw.get("environments")?;
        let own = environments.get(named(environments, "name", &state.name)?)?;
        let strategies = own.get("strategies")?;
        strategies.get(named(strategies, "id", id)?)
    }
}

fn switch(path: &str, state: &State, on: bool) -> Result<Option<Request>, Fault> {
    if state.enabled == on {
        return Ok(None);
    }
    let strategies = &state.strategies;
    let name = &state.name;
    if on && !strategies.is_empty() && strategies.iter().all(|s| s.disabled == Some(true)) {
        // Unleash would add one, for everybody (`updateEnabled` of its feature service).
        let why = format!(
            "all strategies in {name} are disabled, and turning it on would add one for everybody"
        );
        return Err(refuse(why).hint("enable a strategy of it in Unleash first"));
    }
    let verb = if on { "on" } else { "off" };
    let added = if on && strategies.is_empty() {
        "; it had no strategy, so Unleash adds the usual one of the project"
    } else {
        ""
    };
    Ok(Some(Request {
        method: Method::POST,
        path: format!("{path}/environments/{}/{verb}", segment(name)?),
        body: Some(json!({})),
        note: format!("turned {verb} in {name}{added}"),
    }))
}
