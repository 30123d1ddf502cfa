//! What a failed write means: that nothing happened, or that nobody knows.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::Timestamp;

use super::fault::{self, Call, Caller, chain};
use crate::domain::error::{Fault, FaultKind};

/// The status of a request that a server or a proxy gave up waiting for (RFC 9110, section 15.5.9).
const REQUEST_TIMEOUT: u16 = 408;

/// Why the write `call` failed: [`FaultKind::OutcomeUnknown`] unless it is certain that the service
/// did not do it.
pub(super) fn fault<E>(
    error: &SdkError<E, HttpResponse>,
    call: Call,
    caller: &Caller,
    now: Timestamp,
) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let fault = fault::of(error, call, caller, now);
    if is_certain(error) {
        return fault;
    }
    Fault::new(FaultKind::OutcomeUnknown, fault.message)
}

/// Whether nothing happened.
fn is_certain<E>(error: &SdkError<E, HttpResponse>) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    // Without credentials nothing is signed, and without a signature nothing is sent.
    if chain(error).any(<dyn Error>::is::<CredentialsError>) {
        return true;
    }
    match error {
        SdkError::ConstructionFailure(_) => true,
        SdkError::DispatchFailure(_) => chain(error).any(is_connecting),
        SdkError::ServiceError(refused) => match refused.raw().status().as_u16() {
            // It was accepted, and what was said of it cannot be read.
            ..300 | REQUEST_TIMEOUT => false,
            500.. => refused.err().code().is_some_and(fault::asks_for_fewer),
            _ => true,
        },
        _ => false,
    }
}

/// Whether the connection was never made. The kind is private to the HTTP client and told by its
/// words alone; other words make the outcome unknown, which is safe.
fn is_connecting(error: &(dyn Error + 'static)) -> bool {
    let words = error.to_string();
    words == "client error (Connect)" || words.starts_with("HTTP connect timeout")
}
