//! One request that changes something: sent once, and told apart by what may have come of it.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{Answer, Session, Trouble, status};
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};

impl Session {
    /// Sends `body` to `path`, once, and returns the answer if the backend took it. Spends one call
    /// of the budget. Of a refusal `explain` may know more than its status tells.
    ///
    /// # Errors
    /// As [`crate::backend::Source::submit`] has it: `OutcomeUnknown` where it may have happened.
    pub async fn submit(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        context: &ReadContext,
        explain: impl FnOnce(&Answer) -> Option<Fault>,
    ) -> Result<Answer, Fault> {
        context.spend().await;
        let what = format!("{}{path}", self.place);
        let to = self.at(path);
        let mut request = self.client.request(method, to.clone());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.send(request).await.map_err(|trouble| {
            let fault = trouble.fault(&what);
            if may_have_arrived(&trouble) { lost(&fault) } else { fault }
        })?;
        if answer.status.is_success() && answer.url != to {
            // A redirect turns a POST into a GET: what was answered may be a page to sign in.
            let message = format!("{what}: it was redirected to {}", answer.url.path());
            return Err(Fault::new(FaultKind::OutcomeUnknown, message));
        }
        if answer.status.is_success() {
            return Ok(answer);
        }
        if let Some(fault) = explain(&answer) {
            return Err(fault);
        }
        let fault = status::fault(&answer, &what, self, context.now());
        Err(if is_open(answer.status) { lost(&fault) } else { fault })
    }
}

/// Whether the backend may have had the request.
fn may_have_arrived(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Silent(_) | Trouble::Broken(_) | Trouble::Garbled(_) => true,
        Trouble::Refused
        | Trouble::Name(_)
        | Trouble::NoRoute(_)
        | Trouble::Expired(_)
        | Trouble::Tls(_)
        | Trouble::Unsent(_) => false,
    }
}

/// Whether a status leaves open what the backend did: it failed, or something before it gave up.
fn is_open(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
}

fn lost(fault: &Fault) -> Fault {
    Fault::new(FaultKind::OutcomeUnknown, fault.message.clone())
}
