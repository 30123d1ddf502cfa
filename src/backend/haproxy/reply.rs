//! What HAProxy answered to settings: done, refused as a whole, or something in between.

use super::answer::State;
use super::setting::Setting;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;
use crate::domain::write::{ArmWish, Receipt};

/// How the missing level is given.
pub(super) const LEVEL_HINT: &str =
    "name a `stats socket` with `level admin` in the configuration of this source";

/// Judges `text`, the answers to these settings and to `show servers state` after them.
///
/// A setting that was taken is answered by nothing, one that was not by a sentence. What was really
/// set counts, not what was answered.
///
/// # Errors
/// Nothing of it was set, or it is not told what was.
pub(super) fn judge(text: &str, backend: &str, settings: &[Setting]) -> Result<Receipt, Fault> {
    let sections: Vec<&str> =
        text.split("\n\n").map(str::trim).filter(|section| !section.is_empty()).collect();
    let (tables, refusals): (Vec<&str>, Vec<&str>) =
        sections.into_iter().partition(|section| State::is_table(section));
    let said = refusals.first().map(|text| text.lines().collect::<Vec<_>>().join(" "));
    let quoted = || said.as_ref().map(|said| format!(" (HAProxy: {said})")).unwrap_or_default();
    let states = tables.first().map(|table| State::parse(table)).unwrap_or_default();
    let (mut done, mut open, mut changed) = (Vec::new(), Vec::new(), false);
    for setting in settings {
        let server = &setting.server;
        let key = (backend.to_owned(), server.clone());
        let Some((now, met)) = states.get(&key).and_then(|now| Some((*now, setting.is_met(*now)?)))
        else {
            let why =
                format!("{backend}/{server} was to be set, and is not told of after{}", quoted());
            return Err(Fault::new(FaultKind::OutcomeUnknown, why));
        };
        let (before, after) = (setting.words(setting.before), setting.words(now));
        if met {
            done.push(format!("{server} {after}, before {before}"));
        } else {
            changed |= before != after;
            let wanted = setting.wish.word();
            open.push(format!("{server} {after} instead of {wanted}{}", explain(setting, now)));
        }
    }
    if open.is_empty() {
        let note = format!("{backend}: {}{}", done.join("; "), quoted());
        return Ok(Receipt { id: None, note: Some(note.into()) });
    }
    if done.is_empty() && !changed {
        return Err(refused(backend, said.as_deref(), &open.join("; ")));
    }
    let done = if done.is_empty() { "nothing".to_owned() } else { done.join("; ") };
    let note = format!("{backend}: not as asked: {}; set: {done}{}", open.join("; "), quoted());
    Ok(Receipt { id: None, note: Some(note.into()) })
}

/// Why it can be that a server is not as it was set.
fn explain(setting: &Setting, now: State) -> &'static str {
    let has = |bits: u32| now.admin.is_some_and(|admin| admin & bits != 0);
    match setting.wish {
        ArmWish::Ready if has(0x02 | 0x10) => ", as the server that it tracks",
        ArmWish::Ready if has(0x20) => ", because its name does not resolve",
        ArmWish::Ready if has(0x40) => ", because its name is not known yet",
        _ => "",
    }
}

/// Nothing was set.
fn refused(backend: &str, said: Option<&str>, open: &str) -> Fault {
    let Some(said) = said else {
        let why = format!("{backend}: it was accepted without a word, and nothing changed: {open}");
        return Fault::new(FaultKind::InvalidReply, why)
            .hint("look at what else sets it: an agent, another operator");
    };
    let message = SafeText::from(format!("{backend}: {said}"));
    if said.starts_with("Permission denied") {
        let kind = FaultKind::Forbidden { permission: Some("level admin".into()) };
        return Fault::new(kind, message).hint(LEVEL_HINT);
    }
    if said.contains("No such server") || said.contains("No such backend") {
        return Fault::new(FaultKind::NotFound, message).hint("read again: it is gone");
    }
    let fault = Fault::new(FaultKind::InvalidRequest, message);
    if said.contains("static LB algorithm") {
        return fault.hint(
            "this way of balancing takes all or nothing; `balance roundrobin` or `hash-type consistent` take any share",
        );
    }
    fault.hint("ask for something that HAProxy accepts")
}
