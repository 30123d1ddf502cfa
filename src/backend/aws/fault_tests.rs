//! The table of error codes, permissions, pauses and hints.

use super::*;

const CALL: Call = Call { service: "codepipeline", operation: "GetPipelineState" };

fn fault(refusal: &Refusal<'_>) -> Fault {
    refusal.fault(CALL, &Caller::default(), Timestamp::UNIX_EPOCH)
}

fn at(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

/// Codes from "Common Errors" of the `CodePipeline`, `CloudWatch` and `AppConfig` API references.
#[test]
fn codes_mean_kinds() {
    let forbidden =
        || FaultKind::Forbidden { permission: Some("codepipeline:GetPipelineState".into()) };
    for (code, status, expected) in [
        ("ThrottlingException", 400, FaultKind::Throttled { until: None }),
        ("Throttling", 400, FaultKind::Throttled { until: None }),
        ("TooManyRequestsException", 429, FaultKind::Throttled { until: None }),
        ("RequestLimitExceeded", 503, FaultKind::Throttled { until: None }),
        ("", 429, FaultKind::Throttled { until: None }),
        ("AccessDeniedException", 400, forbidden()),
        ("AccessDenied", 403, forbidden()),
        ("OptInRequired", 403, forbidden()),
        ("", 403, forbidden()),
        ("ExpiredTokenException", 400, FaultKind::NotAuthenticated),
        ("ExpiredToken", 403, FaultKind::NotAuthenticated),
        ("RequestExpired", 400, FaultKind::NotAuthenticated),
        ("UnrecognizedClientException", 400, FaultKind::NotAuthenticated),
        ("InvalidClientTokenId", 403, FaultKind::NotAuthenticated),
        ("InvalidSignatureException", 400, FaultKind::NotAuthenticated),
        ("MissingAuthenticationTokenException", 400, FaultKind::NotAuthenticated),
        ("", 401, FaultKind::NotAuthenticated),
        ("PipelineNotFoundException", 400, FaultKind::NotFound),
        ("ResourceNotFoundException", 404, FaultKind::NotFound),
        ("", 404, FaultKind::NotFound),
        ("ConflictException", 409, FaultKind::Conflict),
        ("ConcurrentModificationException", 400, FaultKind::Conflict),
        ("ValidationException", 400, FaultKind::InvalidRequest),
        ("InvalidNextTokenException", 400, FaultKind::InvalidRequest),
        ("InternalFailure", 500, FaultKind::ServerError),
        ("InternalServiceFault", 400, FaultKind::ServerError),
        ("ServiceUnavailable", 503, FaultKind::ServerError),
        ("", 502, FaultKind::ServerError),
    ] {
        let code = Some(code).filter(|code| !code.is_empty());
        let fault = fault(&Refusal { code, status, ..Refusal::default() });
        assert_eq!(fault.kind, expected, "{code:?} {status}");
        assert!(fault.message.as_str().starts_with("codepipeline:GetPipelineState: "));
        assert!(!fault.hint.is_empty());
    }
}

#[test]
fn the_missing_permission_is_the_one_that_the_message_names() {
    for (message, expected) in [
        (
            "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: \
             codepipeline:ListPipelines on resource: arn:aws:codepipeline:eu-west-1:111111111111:* \
             because no identity-based policy allows the codepipeline:ListPipelines action",
            "codepipeline:ListPipelines",
        ),
        ("not authorized to perform: sts:AssumeRole.", "sts:AssumeRole"),
        ("Access denied", "codepipeline:GetPipelineState"),
        ("not authorized to perform: that", "codepipeline:GetPipelineState"),
    ] {
        let refusal = Refusal {
            code: Some("AccessDeniedException"),
            message: Some(message),
            status: 400,
            retry_after: None,
        };
        let fault = fault(&refusal);
        assert_eq!(fault.kind, FaultKind::Forbidden { permission: Some(expected.into()) });
        assert!(fault.hint.as_str().ends_with(expected));
    }
}

#[test]
fn retry_after_is_seconds_or_a_date_and_never_absurd() {
    for (header, expected) in [
        ("7", at(7)),
        (" 0 ", at(0)),
        ("Thu, 01 Jan 1970 00:00:09 GMT", at(9)),
        ("99999999", at(3_600)),
        ("soon", None),
        ("-4", None),
    ] {
        let refusal = Refusal { status: 429, retry_after: Some(header), ..Refusal::default() };
        assert_eq!(fault(&refusal).kind, FaultKind::Throttled { until: expected }, "{header:?}");
    }
}

#[test]
fn unavailable_for_a_told_time_is_a_pause() {
    let refusal =
        |status, code| Refusal { status, code, retry_after: Some("7"), ..Refusal::default() };
    let pause = FaultKind::Throttled { until: at(7) };
    assert_eq!(fault(&refusal(503, None)).kind, pause);
    assert_eq!(fault(&refusal(503, Some("ServiceUnavailable"))).kind, pause);
    assert_eq!(fault(&refusal(500, None)).kind, FaultKind::ServerError);
    assert_eq!(fault(&refusal(403, Some("ExpiredToken"))).kind, FaultKind::NotAuthenticated);
    let untold = Refusal { status: 503, ..Refusal::default() };
    assert_eq!(fault(&untold).kind, FaultKind::ServerError);
}

#[test]
fn the_hint_says_how_to_sign_in_again() {
    let profile = || Caller { profile: Some("prod".to_owned()), from_environment: false };
    let keys = || Caller { profile: None, from_environment: true };
    for (caller, message, expected) in [
        (profile(), "The security token included in the request is expired", "of profile prod"),
        (profile(), "The SSO session has expired", "`aws sso login --profile prod`"),
        (Caller::default(), "the SSO session has expired", "`aws sso login`"),
        (keys(), "The security token is expired", "AWS_ACCESS_KEY_ID"),
        (Caller::default(), "expired", "name a profile"),
        (profile(), "Signature expired: 2026 is now earlier than 2027", "set the clock"),
    ] {
        let refusal = Refusal {
            code: Some("ExpiredTokenException"),
            message: Some(message),
            ..Refusal::default()
        };
        let fault = refusal.fault(CALL, &caller, Timestamp::UNIX_EPOCH);
        assert!(fault.hint.as_str().contains(expected), "{message}: {}", fault.hint);
    }
}
