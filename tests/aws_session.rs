//! As whom the AWS sources call: roles, profiles side by side, SSO, instances, and nobody at all.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws.rs"]
mod aws;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws_child.rs"]
mod child;

use std::sync::{Arc, Mutex};

use aws::{Cloud, Reply, Request, context, schedule, scope};
use child::Laptop;
use flightdeck::backend::Source;
use flightdeck::backend::aws::CodePipeline;
use flightdeck::config::sources::CodePipelineSource;
use flightdeck::domain::error::{Fault, FaultKind};
use flightdeck::domain::ids::SourceId;
use flightdeck::domain::observation::{Observation, Topic};
use serde_json::json;

const ROLE: &str = "arn:aws:iam::210987654321:role/deck";

/// The sample response of `AssumeRole` in the STS API reference.
const ASSUMED: &str = r#"<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleResult>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::210987654321:assumed-role/deck/flightdeck</Arn>
      <AssumedRoleId>ARO123EXAMPLE123:flightdeck</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <AccessKeyId>AKIDROLE</AccessKeyId>
      <SecretAccessKey>role-secret</SecretAccessKey>
      <SessionToken>role-token</SessionToken>
      <Expiration>2099-11-09T13:34:41Z</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</AssumeRoleResponse>"#;

fn empty() -> Reply {
    Reply::json(&json!({ "pipelines": [] }))
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    Reply::status(
        status,
        &format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error></ErrorResponse>"
        ),
    )
}

/// A cloud that keeps every request it gets.
async fn recording(
    answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Cloud, Arc<Mutex<Vec<Request>>>) {
    let kept: Arc<Mutex<Vec<Request>>> = Arc::default();
    let keep = Arc::clone(&kept);
    let cloud = Cloud::start(move |request| {
        keep.lock().unwrap().push(request.clone());
        answer(request)
    })
    .await;
    (cloud, kept)
}

fn in_role(cloud: &Cloud, sts: Option<&Cloud>) -> CodePipeline {
    let mut aws = cloud.access();
    aws.role_arn = Some(ROLE.to_owned());
    aws.external_id = Some("deck-4711".to_owned());
    aws.sts_endpoint = sts.map(|sts| sts.url.parse().unwrap());
    let settings = CodePipelineSource { aws, ..CodePipelineSource::default() };
    CodePipeline::new(SourceId::new("pipes"), &settings, schedule(), &cloud.sessions())
}

async fn overview(source: &CodePipeline) -> Result<Observation, Fault> {
    source.observe(&scope(Topic::Overview, Vec::new()), &context().0).await
}

#[tokio::test]
async fn a_role_is_taken_by_the_profile_and_signs_every_call() {
    let (cloud, kept) = recording(|request| match request.operation().as_str() {
        "AssumeRole" => Reply::status(200, ASSUMED),
        _ => empty(),
    })
    .await;
    let source = in_role(&cloud, None);
    overview(&source).await.unwrap();
    overview(&source).await.unwrap();
    let kept = kept.lock().unwrap();
    let taken: Vec<_> = kept.iter().filter(|r| r.operation() == "AssumeRole").collect();
    let [taken] = taken[..] else { panic!("taken {} times", taken.len()) };
    assert_eq!(taken.key(), "AKIDLAB");
    let body = String::from_utf8_lossy(&taken.body);
    for part in ["ExternalId=deck-4711", "RoleSessionName=flightdeck", "role%2Fdeck"] {
        assert!(body.contains(part), "{part} not in {body}");
    }
    let calls: Vec<_> = kept.iter().filter(|r| r.operation() == "ListPipelines").collect();
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(call.key(), "AKIDROLE");
        assert_eq!(call.headers["x-amz-security-token"], "role-token");
    }
}

#[tokio::test]
async fn an_sts_of_its_own_gives_the_role() {
    let sts = Cloud::start(|_| Reply::status(200, ASSUMED)).await;
    let cloud = Cloud::start(|_| empty()).await;
    overview(&in_role(&cloud, Some(&sts))).await.unwrap();
    assert_eq!((sts.count("AssumeRole"), sts.count("GetCallerIdentity")), (1, 1));
    assert_eq!((cloud.count("AssumeRole"), cloud.count("GetCallerIdentity")), (0, 0));
}

#[tokio::test]
async fn a_refused_role_is_no_expired_credential() {
    let forbidden = || FaultKind::Forbidden { permission: Some("sts:AssumeRole".into()) };
    let denied = "User: arn:aws:iam::123456789012:user/Alice is not authorized to perform: \
                  sts:AssumeRole on resource: arn:aws:iam::210987654321:role/deck";
    for (status, code, message, expected, hint) in [
        (403, "AccessDenied", denied, forbidden(), "ask for the permission sts:AssumeRole"),
        (400, "Throttling", "Rate exceeded", FaultKind::Throttled { until: None }, "wait"),
        (403, "ExpiredToken", "expired", FaultKind::NotAuthenticated, "of profile lab"),
        (500, "InternalFailure", "oops", FaultKind::ServerError, "read again"),
    ] {
        let cloud = Cloud::start(move |_| refused(status, code, message)).await;
        let fault = overview(&in_role(&cloud, None)).await.unwrap_err();
        assert_eq!(fault.kind, expected, "{fault}");
        assert!(fault.message.as_str().starts_with("sts:AssumeRole: "), "{fault}");
        assert!(fault.hint.as_str().contains(hint), "{}", fault.hint);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_profiles_side_by_side_sign_with_their_own_keys() {
    let (eu, to_eu) = recording(|_| empty()).await;
    let (us, to_us) = recording(|_| empty()).await;
    let laptop = Laptop::new();
    laptop.aws("config", "[profile a]\nregion = eu-west-1\n[profile b]\nregion = us-east-1\n");
    laptop.aws(
        "credentials",
        "[a]\naws_access_key_id = AKIDA\naws_secret_access_key = x\n\
         [b]\naws_access_key_id = AKIDB\naws_secret_access_key = y\n",
    );
    let source = |name: &str, url: &str| {
        format!(
            "[sources.{name}]\nkind = \"codepipeline\"\nprofile = \"{name}\"\nendpoint = \"{url}\"\n"
        )
    };
    laptop.configure(&(source("a", &eu.url) + &source("b", &us.url)));
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "z")];
    let seen = laptop.status(&keys).await;
    assert_eq!(seen.code, 0, "{seen:?}");
    for (kept, key, region) in [(to_eu, "AKIDA", "eu-west-1"), (to_us, "AKIDB", "us-east-1")] {
        let kept = kept.lock().unwrap();
        assert!(!kept.is_empty(), "{key} was never asked");
        for call in kept.iter() {
            assert_eq!(call.key(), key);
            assert!(call.headers["authorization"].contains(&format!("/{region}/")));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_laptop_without_credentials_is_told_to_sign_in() {
    let cloud = Cloud::start(|_| empty()).await;
    let laptop = Laptop::new();
    laptop.configure(&format!(
        "[sources.aws]\nkind = \"codepipeline\"\nregion = \"eu-west-1\"\nendpoint = \"{}\"\n",
        cloud.url
    ));
    // Nothing listens where instances ask for their role.
    let seen = laptop.status(&[]).await;
    assert_eq!(seen.code, 13, "{seen:?}");
    let source = &seen.json()["sources"][0];
    let fault = &source["failing"][0]["fault"];
    assert_eq!(fault["kind"], "not_authenticated", "{source}");
    assert!(fault["hint"].as_str().unwrap().contains("aws sso login"), "{fault}");
    let inbox = seen.json()["inbox"].to_string();
    assert!(inbox.contains("aws sso login"), "{inbox}");
    assert_eq!(cloud.counts().len(), 0, "nothing is sent without a signature");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_sso_session_says_how_to_sign_in_and_heals() {
    let (cloud, kept) = recording(|request| {
        if request.path.starts_with("/federation/credentials") {
            assert_eq!(request.headers["x-amz-sso_bearer_token"], "fresh");
            return Reply::json(&json!({ "roleCredentials": {
                "accessKeyId": "AKIDSSO", "secretAccessKey": "s", "sessionToken": "t",
                "expiration": 4_102_444_800_000_u64
            }}));
        }
        empty()
    })
    .await;
    let laptop = Laptop::new();
    laptop.aws(
        "config",
        "[sso-session corp]\nsso_start_url = https://corp.example.com/start\n\
         sso_region = eu-west-1\nsso_registration_scopes = sso:account:access\n\
         [profile dev]\nregion = eu-west-1\nsso_session = corp\n\
         sso_account_id = 123456789012\nsso_role_name = Deck\n",
    );
    // The name is the SHA-1 of the session's.
    let cache = "sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let token = |token: &str, until: &str| {
        json!({
            "startUrl": "https://corp.example.com/start", "region": "eu-west-1",
            "accessToken": token, "expiresAt": until
        })
        .to_string()
    };
    laptop.aws(cache, &token("old", "2020-01-01T00:00:00Z"));
    laptop.configure(&format!(
        "[sources.aws]\nkind = \"codepipeline\"\nprofile = \"dev\"\nendpoint = \"{}\"\n\
         every = \"1s\"\n",
        cloud.url
    ));
    let portal = [("AWS_ENDPOINT_URL_SSO", cloud.url.as_str())];
    let seen = laptop.status(&portal).await;
    assert_eq!(seen.code, 13, "{seen:?}");
    let fault = seen.json()["sources"][0]["failing"][0]["fault"].clone();
    let hint = fault["hint"].as_str().unwrap();
    assert!(hint.contains("`aws sso login --profile dev`"), "{fault}");

    // One that is running already.
    let mut watch = laptop.watch(&portal);
    watch.until("not authenticated").await;
    laptop.aws(cache, &token("fresh", "2099-01-01T00:00:00Z"));
    watch.until("answering").await;
    let kept = kept.lock().unwrap();
    let calls = kept.iter().filter(|request| request.operation() == "ListPipelines");
    let keys: Vec<String> = calls.map(Request::key).collect();
    assert!(!keys.is_empty() && keys.iter().all(|key| key == "AKIDSSO"), "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_calls_by_its_role() {
    let (cloud, kept) = recording(|request| match request.path.as_str() {
        "/latest/api/token" => {
            Reply::status(200, "a-token").header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
        }
        "/latest/meta-data/iam/security-credentials/" => Reply::status(200, "deck"),
        "/latest/meta-data/iam/security-credentials/deck" => Reply::json(&json!({
            "Code": "Success", "LastUpdated": "2026-01-01T00:00:00Z", "Type": "AWS-HMAC",
            "AccessKeyId": "AKIDIMDS", "SecretAccessKey": "s", "Token": "t",
            "Expiration": "2099-01-01T00:00:00Z"
        })),
        _ => empty(),
    })
    .await;
    let laptop = Laptop::new();
    laptop.configure(&format!(
        "[sources.aws]\nkind = \"codepipeline\"\nregion = \"eu-west-1\"\nendpoint = \"{}\"\n",
        cloud.url
    ));
    let seen = laptop.status(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", cloud.url.as_str())]).await;
    assert_eq!(seen.code, 0, "{seen:?}");
    let kept = kept.lock().unwrap();
    let asked = kept.iter().find(|request| request.path.ends_with("/deck")).unwrap();
    assert_eq!(asked.headers["x-aws-ec2-metadata-token"], "a-token");
    let calls: Vec<_> = kept.iter().filter(|r| r.operation() == "ListPipelines").collect();
    assert!(!calls.is_empty() && calls.iter().all(|call| call.key() == "AKIDIMDS"));
}
