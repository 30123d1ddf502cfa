//! Tags of pipelines: asked for where a service claims by tags, kept, and in the listing too.

use flightdeck::domain::text::SafeText;
use serde_json::{Value, json};

use super::aws::{Cloud, Reply, Request};
use super::pipes::{checkout, overview, pipelines, read, source};

const ARN: &str = "arn:aws:codepipeline:eu-west-1:123456789012:checkout";

/// Each tag on a page of its own.
fn tagged(request: &Request) -> Reply {
    match request.operation().as_str() {
        "ListPipelines" => {
            Reply::json(&json!({ "pipelines": [{ "name": "checkout", "version": 4 }] }))
        }
        "GetPipeline" => {
            let mut body: Value = serde_json::from_slice(&checkout(request).body).unwrap();
            body["metadata"] = json!({ "pipelineArn": ARN });
            Reply::json(&body)
        }
        "ListTagsForResource" => {
            assert_eq!(request.text("resourceArn"), ARN);
            Reply::json(&match request.text("nextToken").as_str() {
                "" => json!({ "tags": [{ "key": "team", "value": "shop" }], "nextToken": "2" }),
                _ => json!({ "tags": [{ "key": "tier", "value": "1" }] }),
            })
        }
        _ => checkout(request),
    }
}

#[tokio::test]
async fn they_are_asked_for_once_and_stay() {
    let cloud = Cloud::start(tagged).await;
    let source = source(&cloud, &[]).tagged(true);
    let expected = [("team", "shop"), ("tier", "1")]
        .map(|(key, value)| (SafeText::new(key), SafeText::new(value)));
    for _ in 0..2 {
        let seen = read(&source, &["checkout"]).await.unwrap();
        assert_eq!(pipelines(&seen)[0].tags, expected.clone().into());
        let listed = overview(&source).await.unwrap();
        assert_eq!(pipelines(&listed)[0].tags, expected.clone().into());
    }
    assert_eq!(cloud.count("ListTagsForResource"), 2, "one for each page");
}

#[tokio::test]
async fn nobody_who_claims_by_name_pays_for_them() {
    let cloud = Cloud::start(tagged).await;
    read(&source(&cloud, &[]), &["checkout"]).await.unwrap();
    assert_eq!(cloud.count("ListTagsForResource"), 0);
}

#[tokio::test]
async fn tags_that_may_not_be_read_are_a_warning() {
    let cloud = Cloud::start(|request| match request.operation().as_str() {
        "ListTagsForResource" => Reply::error(400, "AccessDeniedException", "no"),
        _ => tagged(request),
    })
    .await;
    let source = source(&cloud, &[]).tagged(true);
    for _ in 0..2 {
        let seen = read(&source, &["checkout"]).await.unwrap();
        let warning = seen.warnings[0].as_str();
        assert_eq!(warning, "no service claims by tags here: codepipeline:ListTagsForResource: no");
        assert!(pipelines(&seen)[0].tags.is_empty());
    }
    assert_eq!(cloud.count("ListTagsForResource"), 1);
}
