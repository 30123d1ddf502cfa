//! One mapping from what the AWS SDK reports to a [`Fault`].

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use jiff::{SignedDuration, Timestamp};

use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

/// What a provider of role credentials meets.
type AssumeRoleFailure =
    SdkError<aws_sdk_sts::operation::assume_role::AssumeRoleError, HttpResponse>;

/// The call by which a role is taken.
const ASSUME_ROLE: Call = Call { service: "sts", operation: "AssumeRole" };

/// Service Unavailable (RFC 9110, section 15.6.4).
const UNAVAILABLE: u16 = 503;

/// The longest `Retry-After` that is believed.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);

/// One operation of one service, as permissions name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The service's prefix in permissions: `codepipeline`.
    pub service: &'static str,
    /// The operation: `GetPipelineState`.
    pub operation: &'static str,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.service, self.operation)
    }
}

/// With whose credentials a call was made; decides the hint when they are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The profile that the configuration names.
    pub profile: Option<String>,
    /// Without a profile, keys in environment variables win, and only a restart changes those.
    pub from_environment: bool,
}

/// What a service answered instead of a result.
#[derive(Clone, Copy, Debug, Default)]
pub struct Refusal<'a> {
    /// The error code, where the answer carries one.
    pub code: Option<&'a str>,
    /// Its message.
    pub message: Option<&'a str>,
    /// The HTTP status.
    pub status: u16,
    /// The `Retry-After` header.
    pub retry_after: Option<&'a str>,
}

/// Why `call` failed.
pub fn of<E>(
    error: &SdkError<E, HttpResponse>,
    call: Call,
    caller: &Caller,
    now: Timestamp,
) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(fault) = credentials(error, caller, now) {
        return fault;
    }
    match error {
        SdkError::ServiceError(refused) => {
            if refused.raw().status().is_success() {
                // A result that is none: a sign-in page, a proxy's greeting.
                let message = format!("{call}: the answer could not be read");
                return Fault::new(FaultKind::InvalidReply, message);
            }
            Refusal::of(refused.err(), refused.raw()).fault(call, caller, now)
        }
        SdkError::ResponseError(odd) => {
            let status = odd.raw().status().as_u16();
            if status >= 500 {
                let retry_after = odd.raw().headers().get("retry-after");
                let refusal = Refusal { status, retry_after, ..Refusal::default() };
                return refusal.fault(call, caller, now);
            }
            let message = format!("{call}: the answer could not be read: {}", innermost(error));
            Fault::new(FaultKind::InvalidReply, message)
        }
        SdkError::TimeoutError(_) => {
            Fault::new(FaultKind::Unreachable, format!("{call}: no answer in time"))
        }
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            Fault::new(FaultKind::Unreachable, format!("{call}: no connection in time"))
        }
        SdkError::DispatchFailure(_) => {
            Fault::new(FaultKind::Unreachable, format!("{call}: {}", innermost(error)))
        }
        _ => Fault::new(FaultKind::InvalidRequest, format!("{call}: {}", innermost(error))),
    }
}

impl<'a> Refusal<'a> {
    fn of(error: &'a impl ProvideErrorMetadata, raw: &'a HttpResponse) -> Self {
        Self {
            code: error.code(),
            message: error.message(),
            status: raw.status().as_u16(),
            retry_after: raw.headers().get("retry-after"),
        }
    }
}

impl Refusal<'_> {
    /// The fault that the refusal means.
    pub fn fault(&self, call: Call, caller: &Caller, now: Timestamp) -> Fault {
        let said = self.message.or(self.code).filter(|said| !said.trim().is_empty());
        let message = match said {
            Some(said) => format!("{call}: {said}"),
            None => format!("{call}: HTTP status {}", self.status),
        };
        let kind = self.kind(call, now);
        let fault = Fault::new(kind, message);
        match fault.kind {
            FaultKind::NotAuthenticated => {
                let hint = sign_in(caller, said.unwrap_or_default());
                fault.hint(hint)
            }
            FaultKind::Forbidden { permission: Some(ref permission) } => {
                let hint = format!("ask for the permission {permission}");
                fault.hint(hint)
            }
            _ => fault,
        }
    }

    fn kind(&self, call: Call, now: Timestamp) -> FaultKind {
        match (self.said(call, now), self.until(now)) {
            // Whatever it calls itself: it is unavailable, and says how long.
            (FaultKind::ServerError, until @ Some(_)) if self.status == UNAVAILABLE => {
                FaultKind::Throttled { until }
            }
            (kind, _) => kind,
        }
    }

    /// What the code means, else the status.
    fn said(&self, call: Call, now: Timestamp) -> FaultKind {
        match self.code.unwrap_or_default() {
            "ExpiredToken"
            | "ExpiredTokenException"
            | "TokenRefreshRequired"
            | "RequestExpired"
            | "UnrecognizedClientException"
            | "InvalidClientTokenId"
            | "InvalidToken"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "AuthFailure"
            | "InvalidAccessKeyId" => return FaultKind::NotAuthenticated,
            "AccessDenied"
            | "AccessDeniedException"
            | "UnauthorizedOperation"
            | "NotAuthorized"
            | "OptInRequired" => {
                return FaultKind::Forbidden { permission: Some(self.permission(call)) };
            }
            code if asks_for_fewer(code) => {
                return FaultKind::Throttled { until: self.until(now) };
            }
            "ConflictException" | "ConcurrentModificationException" => return FaultKind::Conflict,
            "InternalFailure"
            | "InternalError"
            | "InternalServerException"
            | "InternalServiceError"
            | "InternalServiceFault"
            | "ServiceUnavailable"
            | "ServiceUnavailableException" => return FaultKind::ServerError,
            code if code.ends_with("NotFoundException") || code.ends_with("NotFound") => {
                return FaultKind::NotFound;
            }
            _ => {}
        }
        match self.status {
            401 => FaultKind::NotAuthenticated,
            403 => FaultKind::Forbidden { permission: Some(self.permission(call)) },
            404 if self.code.is_none() => FaultKind::NotFound,
            409 => FaultKind::Conflict,
            429 => FaultKind::Throttled { until: self.until(now) },
            500.. => FaultKind::ServerError,
            _ => FaultKind::InvalidRequest,
        }
    }

    /// `… is not authorized to perform: codepipeline:GetPipelineState on resource: …`
    fn permission(&self, call: Call) -> SafeText {
        let named =
            self.message.and_then(|m| m.split_once("to perform: ")).and_then(|(_, rest)| {
                let word = rest.split_whitespace().next()?.trim_end_matches(['.', ',']);
                word.contains(':').then_some(word)
            });
        named.map_or_else(|| SafeText::new(&call.to_string()), SafeText::new)
    }

    /// `Retry-After` is a number of seconds or an HTTP date (RFC 9110, section 10.2.3).
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let text = self.retry_after?.trim();
        let wait = match text.parse::<u32>() {
            Ok(seconds) => SignedDuration::from_secs(i64::from(seconds)),
            Err(_) => jiff::fmt::rfc2822::parse(text).ok()?.timestamp().duration_since(now),
        };
        now.checked_add(wait.clamp(SignedDuration::ZERO, LONGEST_WAIT)).ok()
    }
}

/// Whether an error code says that the call was not carried out because there were too many.
pub(super) fn asks_for_fewer(code: &str) -> bool {
    matches!(
        code,
        "Throttling"
            | "ThrottlingException"
            | "ThrottledException"
            | "RequestThrottled"
            | "RequestThrottledException"
            | "TooManyRequestsException"
            | "RequestLimitExceeded"
            | "SlowDown"
            | "BandwidthLimitExceeded"
    )
}

/// A failure to get credentials, which the SDK wraps into whatever it was doing.
fn credentials(error: &(dyn Error + 'static), caller: &Caller, now: Timestamp) -> Option<Fault> {
    let found = chain(error).find_map(|e| e.downcast_ref::<CredentialsError>())?;
    let assumed = chain(found).find_map(|e| e.downcast_ref::<AssumeRoleFailure>());
    if let Some(SdkError::ServiceError(refused)) = assumed {
        // Our own credentials are good; it is the role that was refused.
        let refusal = Refusal::of(refused.err(), refused.raw());
        return Some(refusal.fault(ASSUME_ROLE, caller, now));
    }
    let said = innermost(found);
    let all = chain(found).map(ToString::to_string).collect::<Vec<_>>().join(": ");
    // Where nothing is configured, the last place that is asked does not answer either: that of
    // instances, which a laptop has not.
    let nowhere = matches!(found, CredentialsError::CredentialsNotLoaded(_));
    let silent = matches!(found, CredentialsError::ProviderTimedOut(_));
    if silent || (!nowhere && all.contains("dispatch failure")) {
        let message = format!("no credentials: their provider does not answer: {said}");
        return Some(Fault::new(FaultKind::Unreachable, message));
    }
    let message = match found {
        CredentialsError::CredentialsNotLoaded(_) => match &caller.profile {
            Some(profile) => format!("no credentials in profile {profile}: {said}"),
            None => "no credentials found in environment, profile, SSO cache or role".to_owned(),
        },
        _ => format!("no credentials: {said}"),
    };
    let fault = Fault::new(FaultKind::NotAuthenticated, message);
    Some(fault.hint(sign_in(caller, &all)))
}

/// What to do so that credentials are accepted again.
fn sign_in(caller: &Caller, said: &str) -> String {
    let said = said.to_lowercase();
    let profile = caller.profile.as_deref();
    if said.contains("sso") || said.contains("token file") || said.contains("cached token") {
        let of = profile.map_or_else(String::new, |p| format!(" --profile {p}"));
        format!("run `aws sso login{of}`; it heals without a restart")
    } else if said.contains("signature expired") || said.contains("signature not yet current") {
        "set the clock of this machine; it heals without a restart".to_owned()
    } else if let Some(profile) = profile {
        format!("renew the credentials of profile {profile}; it heals without a restart")
    } else if caller.from_environment {
        "the keys come from AWS_ACCESS_KEY_ID: start again with new ones, or name a profile"
            .to_owned()
    } else {
        "sign in (`aws sso login`), or name a profile for this source; it heals without a restart"
            .to_owned()
    }
}

pub(super) fn chain<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e: &&'a (dyn Error + 'static)| (*e).source())
}

/// The words of the error at the bottom, which name the cause.
fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
