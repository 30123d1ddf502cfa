//! What the documented exceptions of the AWS writes mean: who refused, why, and that nothing happened.

use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::source::Verb;

use crate::account::refusal;
use crate::aws::Reply;
use crate::server::Mood;
use crate::writing::{Hand, appconfig, codepipeline};

/// The fault of the first write of `verb` whose own call, `back` calls before the last one, is
/// answered so.
async fn refused(hand: &Hand, verb: Verb, back: usize, reply: Reply) -> Fault {
    let write = hand.writes.iter().find(|write| write.verb() == verb).unwrap();
    let order = hand.order(write).await;
    let at = hand.length(&order).await - back;
    let mood = Mood::At(at, Box::new(Mood::Always(reply)));
    hand.submit(&order, mood).await.unwrap_err()
}

fn name(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Conflict => "conflict",
        FaultKind::InvalidRequest => "invalid",
        FaultKind::NotFound => "gone",
        FaultKind::Throttled { .. } => "throttled",
        FaultKind::NotAuthenticated => "sign in",
        FaultKind::Forbidden { .. } => "forbidden",
        FaultKind::OutcomeUnknown => "unknown",
        other => other.word(),
    }
}

#[tokio::test]
async fn the_exceptions_of_codepipeline_say_what_moved() {
    let hand = codepipeline().await;
    for (verb, codes) in [
        (
            Verb::Approve,
            vec![
                ("ApprovalAlreadyCompletedException", "conflict"),
                ("InvalidApprovalTokenException", "conflict"),
                ("ActionNotFoundException", "gone"),
                ("ValidationException", "invalid"),
            ],
        ),
        (
            Verb::Retry,
            vec![
                ("ConflictException", "conflict"),
                ("StageNotRetryableException", "conflict"),
                ("NotLatestPipelineExecutionException", "conflict"),
                ("StageNotFoundException", "gone"),
            ],
        ),
        (
            Verb::Stop,
            vec![
                ("PipelineExecutionNotStoppableException", "conflict"),
                ("DuplicatedStopRequestException", "conflict"),
                ("ConflictException", "conflict"),
            ],
        ),
        (
            Verb::Start,
            vec![
                ("ConcurrentPipelineExecutionsLimitExceededException", "invalid"),
                ("PipelineNotFoundException", "gone"),
            ],
        ),
        (
            Verb::Rollback,
            vec![
                ("UnableToRollbackStageException", "invalid"),
                ("PipelineExecutionOutdatedException", "conflict"),
                ("PipelineExecutionNotFoundException", "gone"),
            ],
        ),
        (
            Verb::Override,
            vec![
                ("ConditionNotOverridableException", "conflict"),
                ("NotLatestPipelineExecutionException", "conflict"),
            ],
        ),
        (Verb::Transition, vec![("StageNotFoundException", "gone")]),
    ] {
        for (code, kind) in codes {
            let fault = refused(&hand, verb, 0, Reply::error(400, code, "the words of it")).await;
            assert_eq!(name(&fault.kind), kind, "{code}: {fault}");
            assert!(fault.message.as_str().contains("the words of it"), "{fault}");
            assert!(!fault.hint.is_empty(), "{code}");
        }
    }
}

#[tokio::test]
async fn only_what_certainly_did_not_happen_is_a_refusal() {
    for hand in [codepipeline().await, appconfig().await] {
        let verb = hand.writes[0].verb();
        for (status, code, kind) in [
            (400, "ThrottlingException", "throttled"),
            (503, "ThrottlingException", "throttled"),
            (429, "TooManyRequestsException", "throttled"),
            (400, "ExpiredTokenException", "sign in"),
            (403, "AccessDeniedException", "forbidden"),
            (500, "InternalServerException", "unknown"),
            (500, "InternalFailure", "unknown"),
            (503, "ServiceUnavailable", "unknown"),
            (408, "RequestTimeout", "unknown"),
        ] {
            let words = serde_json::json!({ "__type": code, "message": "no", "Message": "no" });
            let reply = Reply::status(status, &words.to_string()).header("x-amzn-errortype", code);
            let fault = refused(&hand, verb, 0, reply).await;
            assert_eq!(name(&fault.kind), kind, "{verb:?}, {status} {code}: {fault}");
        }
    }
}

#[tokio::test]
async fn the_exceptions_of_appconfig_say_that_nothing_was_deployed() {
    let hand = appconfig().await;
    for (status, code, kind) in [
        // Somebody else made a version after the one that was read last.
        (409, "ConflictException", "conflict"),
        (400, "BadRequestException", "invalid"),
        (402, "ServiceQuotaExceededException", "invalid"),
        (413, "PayloadTooLargeException", "invalid"),
        (500, "InternalServerException", "server error"),
    ] {
        let fault = refused(&hand, Verb::Flag, 1, refusal(status, code, "the words of it")).await;
        assert_eq!(name(&fault.kind), kind, "{code}: {fault}");
        assert!(fault.message.as_str().ends_with("nothing was deployed"), "{fault}");
    }
    for (status, code, kind) in [
        // Somebody else deployed something after what was seen.
        (409, "ConflictException", "conflict"),
        (400, "BadRequestException", "invalid"),
        (404, "ResourceNotFoundException", "gone"),
    ] {
        let fault = refused(&hand, Verb::Flag, 0, refusal(status, code, "the words of it")).await;
        assert_eq!(name(&fault.kind), kind, "{code}: {fault}");
        assert!(
            fault.message.as_str().ends_with("version 3 was made and is not deployed"),
            "{fault}"
        );
    }
}
