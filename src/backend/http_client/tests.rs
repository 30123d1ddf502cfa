//! The client against a loopback server that answers, refuses and misbehaves.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::backend::clock::{Clock, WallClock};
use crate::backend::context::Meter;
use crate::backend::responder::{Reply, Responder, closed_port};

fn context() -> ReadContext {
    ReadContext::new(Arc::new(WallClock), 1, Arc::new(Meter::new(60_000)))
}

fn settings(url: &str) -> HttpSettings {
    HttpSettings {
        url: url.parse().unwrap(),
        credentials: Credentials::None,
        headers: BTreeMap::new(),
        ca_file: None,
        deadline: Duration::from_millis(800),
        limit: 64 * 1024,
        keep_alive: true,
    }
}

async fn ask(settings: HttpSettings) -> Result<Value, Fault> {
    let client = HttpClient::new(settings);
    client.session().await?.get_json("/x", &[("q", "a b&c")], &context()).await
}

fn secret_file(folder: &tempfile::TempDir, text: &str) -> Secret {
    let path = folder.path().join("secret");
    std::fs::write(&path, text).unwrap();
    Secret::File(path)
}

#[tokio::test]
async fn credentials_headers_path_and_query_arrive() {
    let server = Responder::start(|_| Reply::json("{}")).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = secret_file(&folder, "s3cret\n");
    for (credentials, expected) in [
        (Credentials::None, None),
        (Credentials::Bearer(secret.clone()), Some("Bearer s3cret")),
        (Credentials::Token(secret.clone()), Some("s3cret")),
        (
            Credentials::Basic { user: "me".to_owned(), password: secret.clone() },
            Some("Basic bWU6czNjcmV0"),
        ),
    ] {
        let mut settings = settings(&format!("{}/base/", server.url));
        settings.credentials = credentials;
        settings.headers = [
            ("X-Scope-OrgID".to_owned(), HeaderValue::Plain("tenant-1".to_owned())),
            ("X-Key".to_owned(), HeaderValue::Secret(secret.clone())),
        ]
        .into();
        ask(settings).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert_eq!(asked.path, "/base/x");
        assert_eq!(asked.query["q"], "a b&c");
        assert_eq!(asked.headers.get("authorization").map(String::as_str), expected);
        assert_eq!(asked.headers["x-scope-orgid"], "tenant-1");
        assert_eq!(asked.headers["x-key"], "s3cret");
        assert!(asked.headers["user-agent"].starts_with("flightdeck/"));
    }
}

#[tokio::test]
async fn statuses_become_faults() {
    let forbidden = FaultKind::Forbidden { permission: None };
    let throttled = FaultKind::Throttled { until: None };
    for (status, kind) in [
        (302, FaultKind::InvalidReply),
        (400, FaultKind::InvalidRequest),
        (401, FaultKind::NotAuthenticated),
        (403, forbidden),
        (404, FaultKind::NotFound),
        (409, FaultKind::Conflict),
        (422, FaultKind::InvalidRequest),
        (429, throttled),
        (500, FaultKind::ServerError),
        (502, FaultKind::ServerError),
        (503, FaultKind::ServerError),
    ] {
        let server =
            Responder::start(move |_| Reply::status(status, r#"{"error":"bad \u001b[31mluck"}"#))
                .await;
        let fault = ask(settings(&server.url)).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{status}: {fault}");
        assert!(fault.message.as_str().contains(&format!("/x: {status}")), "{fault}");
        if status >= 400 {
            assert!(fault.message.as_str().ends_with(": bad luck"), "{fault}");
        }
        assert!(!fault.hint.is_empty());
    }
}

#[tokio::test]
async fn retry_after_is_kept_for_429_and_503() {
    for status in [429, 503] {
        let server = Responder::start(move |_| {
            Reply::Http(status, vec![("Retry-After", "120".to_owned())], Vec::new())
        })
        .await;
        let before = WallClock.now();
        let fault = ask(settings(&server.url)).await.unwrap_err();
        let FaultKind::Throttled { until: Some(until) } = fault.kind else { panic!("{fault}") };
        let wait = until.duration_since(before).as_secs();
        assert!((119..=180).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_quoted_without_our_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = Responder::start(|_| {
        let page = b"<html>\x1b]52;c;evil\x07\n<b>Sign in</b> s3cret".to_vec();
        Reply::Http(200, vec![("Content-Type", "text/html".to_owned())], page)
    })
    .await;
    let mut settings = settings(&server.url);
    settings.credentials = Credentials::Bearer(secret_file(&folder, "s3cret"));
    let fault = ask(settings).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidReply);
    let message = fault.message.as_str();
    assert!(message.ends_with("got text/html: <html> <b>Sign in</b> (secret)"), "{message}");
}

#[tokio::test]
async fn a_connection_that_fails_says_how() {
    let truncated = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"a\":";
    for (raw, kind, words) in [
        (&truncated[..], FaultKind::Unreachable, "closed the connection"),
        (b"", FaultKind::Unreachable, "closed the connection"),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", FaultKind::InvalidReply, "does not speak HTTP"),
    ] {
        let server = Responder::start(move |_| Reply::Raw(raw.to_vec())).await;
        let fault = ask(settings(&server.url)).await.unwrap_err();
        assert_eq!(fault.kind, kind, "{fault}");
        assert!(fault.message.as_str().contains(words), "{fault}");
    }
    let fault = ask(settings(&closed_port())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.as_str().ends_with("/x: connection refused"), "{fault}");
    let fault = ask(settings("http://no-such-host.invalid")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.as_str().contains("cannot be resolved"), "{fault}");
}

#[tokio::test]
async fn a_hang_ends_at_the_deadline_and_a_flood_at_the_limit() {
    let server = Responder::start(|_| Reply::Hang).await;
    let fault = ask(settings(&server.url)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(fault.message.as_str().contains("no complete answer within 0.8 s"), "{fault}");
    let server = Responder::start(|_| Reply::Flood).await;
    let mut settings = settings(&server.url);
    settings.deadline = Duration::from_mins(1);
    let session = HttpClient::new(settings.clone()).session().await.unwrap();
    let answer = session.fetch(session.at("/x")).await.unwrap();
    assert!(answer.cut);
    assert_eq!(answer.body.len(), 64 * 1024);
    let fault = ask(settings).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidReply);
    assert!(fault.message.as_str().contains("larger than 65536 bytes"), "{fault}");
}

#[tokio::test]
async fn redirects_stay_within_one_origin() {
    let other = Responder::start(|_| Reply::json("{}")).await;
    let away = format!("{}/stolen", other.url);
    let server = Responder::start(move |asked| match asked.path.as_str() {
        "/x" => Reply::Http(302, vec![("Location", "/y".to_owned())], Vec::new()),
        "/y" => Reply::Http(307, vec![("Location", away.clone())], Vec::new()),
        _ => Reply::json("{}"),
    })
    .await;
    let fault = ask(settings(&server.url)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::InvalidReply);
    assert!(fault.message.as_str().contains("/stolen"), "{fault}");
    assert_eq!(server.asked().len(), 2);
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_missing_secret_or_authority_is_told_before_anything_is_sent() {
    let server = Responder::start(|_| Reply::json("{}")).await;
    let mut wrong = settings(&server.url);
    wrong.credentials = Credentials::Bearer(Secret::File("/nonexistent/token".into()));
    assert_eq!(ask(wrong).await.unwrap_err().kind, FaultKind::NotAuthenticated);
    let mut wrong = settings(&server.url);
    wrong.ca_file = Some("/nonexistent/ca.pem".into());
    assert_eq!(ask(wrong).await.unwrap_err().kind, FaultKind::InvalidRequest);
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = settings(&server.url);
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, "no certificate").unwrap();
    wrong.ca_file = Some(path);
    assert_eq!(ask(wrong).await.unwrap_err().kind, FaultKind::InvalidRequest);
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_renewed_secret_is_picked_up_by_the_same_client() {
    let server = Responder::start(|asked| match asked.headers["authorization"].as_str() {
        "Bearer new" => Reply::json("{}"),
        _ => Reply::status(401, ""),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(&server.url);
    settings.credentials = Credentials::Bearer(secret_file(&folder, "old"));
    let client = HttpClient::new(settings);
    let read = async || -> Result<Value, Fault> {
        client.session().await?.get_json("/x", &[], &context()).await
    };
    let fault = read().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotAuthenticated);
    assert!(fault.hint.as_str().contains("renew the secret in file"), "{}", fault.hint);
    secret_file(&folder, "new");
    read().await.unwrap();
}
