//! What came of a write that was sent: its effect is looked for, and whose it is.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::fresh::{self, Fresh};
use super::sent::Sent;
use super::{End, Gateway, PACE};
use crate::backend::Source;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;
use crate::domain::write::{
    Outcome, Receipt, Seen, Whose, Write, begun, seen, whose, whose_answer,
};
use crate::store::journal::Looked;

/// What one look shows.
enum Look {
    /// It is over.
    Over(Outcome),
    /// It may still come.
    Not(String),
    /// It could not be read.
    Unread(String),
}

/// What is known of the reply.
enum Reply {
    /// It was accepted.
    Accepted(Receipt),
    /// It was lost: why.
    Lost(SafeText),
}

impl Gateway {
    /// What came of it; what could not be read is tried for as long as what does not show yet.
    pub(super) async fn verify(
        &self,
        source: &Arc<dyn Source>,
        sent: &Sent<'_>,
        reply: Result<Receipt, Fault>,
    ) -> End {
        let lost = match &reply {
            Ok(receipt) => Reply::Accepted(receipt.clone()),
            Err(fault) => Reply::Lost(fault.message.clone()),
        };
        let patience = (self.patience, self.patience);
        let (found, looked) = self.find(source, sent, reply, patience).await;
        let outcome = found.unwrap_or_else(|why| Outcome::Unknown { why: lost.but(&why).into() });
        End { outcome, looked }
    }

    /// Reads the target until it shows the effect, or patience ends: that of what does not show, and
    /// that of what cannot be read. Without a reply, what the backend tells to be somebody else's is not ours;
    /// where it tells nobody, the note says so. Fails where nothing could be read. Tells how it looked.
    pub(super) async fn find(
        &self,
        source: &Arc<dyn Source>,
        sent: &Sent<'_>,
        reply: Result<Receipt, Fault>,
        patience: (Duration, Duration),
    ) -> (Result<Outcome, String>, Option<Looked>) {
        let mut looked = None;
        let found = self.search(source, sent, reply, patience, &mut looked).await;
        (found, looked)
    }

    async fn search(
        &self,
        source: &Arc<dyn Source>,
        sent: &Sent<'_>,
        reply: Result<Receipt, Fault>,
        (patience, unread): (Duration, Duration),
        looked: &mut Option<Looked>,
    ) -> Result<Outcome, String> {
        let reply = match reply {
            Ok(receipt) => Reply::Accepted(receipt),
            Err(fault) if fault.kind == FaultKind::OutcomeUnknown => Reply::Lost(fault.message),
            Err(fault) if matches!(fault.kind, FaultKind::Conflict | FaultKind::InvalidRequest) => {
                let outcome = self.asking(source).conflict(sent, fault).await;
                self.note(looked, &outcome.sentence());
                return Ok(outcome);
            }
            Err(fault) if matches!(fault.kind, FaultKind::Throttled { .. }) => {
                let outcome = self.throttled(source, sent, fault).await;
                self.note(looked, &outcome.sentence());
                return Ok(outcome);
            }
            Err(fault) => return Ok(Outcome::Failed { fault }),
        };
        let start = Instant::now();
        let mut last: Result<String, String>;
        loop {
            let end = match self.look(source, sent, &reply).await {
                Look::Over(outcome) => {
                    self.note(looked, &outcome.sentence());
                    return Ok(outcome);
                }
                Look::Not(why) => {
                    self.note(looked, &why);
                    last = Ok(why);
                    start + patience
                }
                Look::Unread(why) => {
                    self.note(looked, &format!("it could not be read: {why}"));
                    last = Err(why);
                    start + unread
                }
            };
            if Instant::now() + PACE >= end {
                break;
            }
            tokio::time::sleep(PACE).await;
        }
        last.map(|last| Outcome::Unknown { why: reply.but(&last).into() })
    }

    /// One more look, and what it showed.
    fn note(&self, looked: &mut Option<Looked>, shows: &str) {
        let times = looked.as_ref().map_or(0, |looked| looked.times).saturating_add(1);
        *looked = Some(Looked { times, at: self.clock.now(), shows: shows.into() });
    }

    async fn look(&self, source: &Arc<dyn Source>, sent: &Sent<'_>, reply: &Reply) -> Look {
        let now = match self.asking(source).read(sent.write).await {
            Ok(now) => now,
            Err(fault) => return Look::Unread(fault.to_string()),
        };
        let shown = seen(sent.write, sent.was, &now.fleet);
        match (shown, reply) {
            (Seen::NotYet, _) => Look::Not("its effect was not seen yet".to_owned()),
            (Seen::Unknown(why), _) => Look::Not(why),
            (Seen::Effect, Reply::Accepted(receipt)) => {
                match begun(sent.write, receipt, &now.fleet) {
                    Some(false) => Look::Not("what it began is not told of yet".to_owned()),
                    Some(true) | None => Look::Over(Outcome::Done { note: receipt_note(receipt) }),
                }
            }
            (Seen::Other(what), Reply::Accepted(_)) => {
                Look::Over(Outcome::Unknown { why: reply.but(&what).into() })
            }
            (shown, Reply::Lost(_)) => {
                let note = "the answer was lost; reading again shows that it was done";
                self.lost(source, sent, &now, (shown, reply, note)).await
            }
        }
    }

    /// What a look shows after the reply was lost, with the note of what turns out to be done.
    async fn lost(
        &self,
        source: &Arc<dyn Source>,
        sent: &Sent<'_>,
        now: &Fresh,
        (shown, reply, note): (Seen, &Reply, &str),
    ) -> Look {
        let done = || Look::Over(Outcome::Done { note: Some(note.into()) });
        let unknown = |what: &str| Look::Over(Outcome::Unknown { why: reply.but(what).into() });
        if let Write::Answer { approve, comment, .. } = sent.write {
            let decision = match self.asking(source).answered(sent.write, &now.fleet).await {
                Ok(Some(decision)) => decision,
                Ok(None) => {
                    return match shown {
                        Seen::Other(what) => unknown(&what),
                        _ => Look::Not("its effect was not seen yet".to_owned()),
                    };
                }
                Err(fault) => return Look::Unread(fault.to_string()),
            };
            return match (whose_answer(&decision, comment, sent.me), decision.verdict.answer()) {
                (Whose::Ours, Some(approved)) if approved == *approve => done(),
                (Whose::Untold, Some(approved)) if approved == *approve => {
                    unknown(&format!("it was {}; by whom is not known", decision.verdict.word()))
                }
                _ => Look::Over(fresh::told(decision)),
            };
        }
        if let Seen::Other(what) = &shown {
            return unknown(what);
        }
        match whose(sent.write, sent.was, sent.me, &now.fleet) {
            Whose::Ours => done(),
            // What begins anew can be there twice, once by each.
            Whose::Untold if matches!(sent.write, Write::Start { .. } | Write::RollBack { .. }) => {
                unknown("it is so now; by whom is not known")
            }
            // It was not so just before, and what was wanted holds: nothing is left to be done.
            Whose::Untold => {
                let note = format!("{note}; by whom is not told");
                Look::Over(Outcome::Done { note: Some(note.into()) })
            }
            // What was sent may still come.
            Whose::Others { by, at } => {
                let by = by.map_or("somebody else".to_owned(), |by| by.to_string());
                let at = at.map(|at| format!(" at {at}")).unwrap_or_default();
                Look::Not(format!("it is so now by {by}{at}"))
            }
        }
    }

    /// Something on the way back may have said that it was throttled.
    async fn throttled(&self, source: &Arc<dyn Source>, sent: &Sent<'_>, fault: Fault) -> Outcome {
        let Ok(now) = self.asking(source).read(sent.write).await else {
            return Outcome::Failed { fault };
        };
        let shown = seen(sent.write, sent.was, &now.fleet);
        if shown != Seen::Effect {
            return Outcome::Failed { fault };
        }
        let note = format!("it was answered as {fault}; reading again shows that it was done");
        let reply = Reply::Lost(SafeText::from(fault.to_string()));
        match self.lost(source, sent, &now, (shown, &reply, &note)).await {
            Look::Over(outcome) => outcome,
            Look::Not(_) | Look::Unread(_) => Outcome::Failed { fault },
        }
    }
}

impl Reply {
    /// What is known of it, and what was seen besides.
    fn but(&self, last: &str) -> String {
        match self {
            Self::Accepted(receipt) => {
                let said = receipt_note(receipt).map(|said| format!(" ({said})"));
                format!("it was accepted{}, but {last}", said.unwrap_or_default())
            }
            Self::Lost(said) => format!("the answer was lost ({said}), and {last}"),
        }
    }
}

fn receipt_note(receipt: &Receipt) -> Option<SafeText> {
    receipt.note.clone().or_else(|| receipt.id.clone())
}
