//! What every AWS source shares: a client that follows the session, faults, and a pause on demand.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::fault::{self, Call};
use super::sent;
use super::session::{Loaded, Session};
use crate::backend::context::ReadContext;
use crate::backend::port::Cadence;
use crate::config::Schedule;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::observed::FreshnessPolicy;
use crate::domain::text::SafeText;

/// Makes and keeps the client of one source.
pub(super) struct Reader<C> {
    session: Arc<Session>,
    service: &'static str,
    make: fn(&SdkConfig) -> C,
    deadline: Duration,
    client: Mutex<Option<(u64, C)>>,
    /// By the clock that nobody can set: one set back would make the pause last.
    quiet_until: Mutex<Option<Instant>>,
}

/// A client for one read.
pub(super) struct Connection<C> {
    pub(super) client: C,
    pub(super) loaded: Arc<Loaded>,
    service: &'static str,
}

impl<C: Clone> Reader<C> {
    pub(super) fn new(
        session: Arc<Session>,
        service: &'static str,
        make: fn(&SdkConfig) -> C,
        deadline: Duration,
    ) -> Self {
        let (client, quiet_until) = (Mutex::new(None), Mutex::new(None));
        Self { session, service, make, deadline, client, quiet_until }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// A client with the present credentials; refused while the service asked to be left alone.
    pub(super) async fn connect(&self, now: Timestamp) -> Result<Connection<C>, Fault> {
        let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = until.map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(pause) = pause.filter(|pause| !pause.is_zero()) {
            let kind = FaultKind::Throttled { until: now.checked_add(pause).ok() };
            return Err(Fault::new(kind, format!("{} asked for a pause", self.service)));
        }
        let loaded = self.session.load().await?;
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        let client = match slot.as_ref() {
            Some((generation, client)) if *generation == loaded.generation => client.clone(),
            _ => {
                let mut timeouts =
                    TimeoutConfig::builder().operation_timeout(self.deadline).build();
                if let Some(known) = loaded.config.timeout_config() {
                    timeouts.take_defaults_from(known);
                }
                let config = loaded.config.clone().into_builder().timeout_config(timeouts).build();
                let client = (self.make)(&config);
                *slot = Some((loaded.generation, client.clone()));
                client
            }
        };
        drop(slot);
        Ok(Connection { client, loaded, service: self.service })
    }

    /// The address of `path` in the console; none where the service is not AWS's own.
    pub(super) fn console(&self, connection: &Connection<C>, path: &str) -> Option<SafeText> {
        if self.session.is_elsewhere() {
            return None;
        }
        let region = connection.loaded.region();
        let host = if region.starts_with("cn-") {
            format!("{region}.console.amazonaws.cn")
        } else {
            format!("{region}.console.aws.amazon.com")
        };
        Some(SafeText::from(format!("https://{host}/{path}")))
    }

    /// Takes in why a read that failed just `now` did: refused credentials are dropped, a pause is
    /// kept.
    pub(super) async fn learn(&self, loaded: &Loaded, fault: &Fault, now: Timestamp) {
        match fault.kind {
            FaultKind::NotAuthenticated => self.session.forget(loaded.generation).await,
            FaultKind::Throttled { until: Some(until) } => {
                let pause = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                let mut quiet = self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
                *quiet = (*quiet).max(Instant::now().checked_add(pause));
            }
            _ => {}
        }
    }
}

impl<C> Connection<C> {
    /// Why `operation` failed.
    pub(super) fn fault<E>(
        &self,
        error: &SdkError<E, HttpResponse>,
        operation: &'static str,
        now: Timestamp,
    ) -> Fault
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let call = Call { service: self.service, operation };
        fault::of(error, call, &self.loaded.caller, now)
    }

    /// Why the write `operation` failed, and whether that means that nothing happened.
    pub(super) fn write_fault<E>(
        &self,
        error: &SdkError<E, HttpResponse>,
        operation: &'static str,
        now: Timestamp,
    ) -> Fault
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let call = Call { service: self.service, operation };
        sent::fault(error, call, &self.loaded.caller, now)
    }

    /// As whom AWS sees us, and what to warn of if that is not known.
    pub(super) async fn identity(
        &self,
        context: &ReadContext,
    ) -> (Option<SafeText>, Option<SafeText>) {
        match self.loaded.identity(context).await {
            Ok(known) => (Some(known), None),
            Err(why) => (None, Some(why)),
        }
    }
}

/// Whether a fault of one item ends the whole read: every other call would meet the same.
pub(super) fn ends_read(fault: &Fault) -> bool {
    match &fault.kind {
        FaultKind::NotAuthenticated | FaultKind::Throttled { .. } => true,
        // The role that everything is done as.
        FaultKind::Forbidden { permission } => {
            permission.as_ref().is_some_and(|permission| permission.as_str() == "sts:AssumeRole")
        }
        _ => false,
    }
}

/// When facts of a source with this schedule are stale and lost.
pub(super) fn policy(schedule: &Schedule) -> FreshnessPolicy {
    let span =
        |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    FreshnessPolicy {
        stale_after: span(schedule.stale_after.get()),
        lost_after: span(schedule.lost_after.get()),
    }
}

/// The cadence of a source with this schedule that reads `batch` items at once.
pub(super) fn cadence(schedule: &Schedule, batch: usize, concurrency: usize) -> Cadence {
    let usual = Cadence::of(schedule);
    // A batch is several calls, one after the other.
    let deadline = usual.deadline.saturating_mul(3);
    Cadence { batch, concurrency, deadline, ..usual }
}
