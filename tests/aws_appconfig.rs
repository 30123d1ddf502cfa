//! `AppConfig` as a source: replies in the shapes of its API reference, decoded by the real SDK.
#![cfg(feature = "aws")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failing unwrap in a test is a failing test"
)]

#[path = "support/aws_flags.rs"]
mod account;
#[allow(dead_code, reason = "each test file uses a part of it")]
#[path = "support/aws.rs"]
mod aws;

use account::{Account, ago, changes, deployment, flags, in_state, read, refusal, source, state};
use aws::Reply;
use flightdeck::domain::change::ChangeKind;
use flightdeck::domain::error::FaultKind;
use flightdeck::domain::fact::FactKind;
use flightdeck::domain::ids::ItemId;
use flightdeck::domain::observation::Observation;
use serde_json::{Value, json};

fn titles(seen: &Observation) -> Vec<(ChangeKind, &str)> {
    changes(seen).iter().map(|change| (change.kind, change.title.as_str())).collect()
}

fn faults(seen: &Observation) -> Vec<(&str, &FaultKind)> {
    seen.faults.iter().map(|(item, fault)| (item.name().as_str(), &fault.kind)).collect()
}

const DEPLOYMENTS: &str = "/applications/app1/environments/env1/deployments";

#[tokio::test]
async fn flags_carry_what_is_deployed_in_each_environment() {
    let account = Account::shop();
    let cloud = account.start().await;
    let seen = read(&source(&cloud, &[])).await.unwrap();
    assert_eq!(seen.complete, [FactKind::Flags]);
    assert!(seen.faults.is_empty() && seen.warnings.is_empty(), "{:?}", seen.warnings);
    let identity = seen.identity.as_ref().unwrap().as_str();
    assert!(identity.starts_with("arn:aws:iam::123456789012:user/Alice"), "{identity}");
    let ids: Vec<_> = flags(&seen).iter().map(|flag| flag.id.to_string()).collect();
    assert_eq!(ids, ["ac/shop/flags:old", "ac/shop/flags:tax"]);
    let tax = flags(&seen)[1];
    assert_eq!(tax.project.as_str(), "shop/flags");
    assert_eq!(tax.description.as_ref().unwrap().as_str(), "what tax is for");
    let places: Vec<_> = tax.environments.iter().map(|e| e.environment.as_str()).collect();
    assert_eq!(places, ["prod", "test"]);
    let prod = state(&seen, "tax", "prod");
    assert_eq!((prod.enabled, prod.version.as_ref().unwrap().as_str()), (Some(true), "2"));
    assert_eq!(prod.attributes[0].1.as_str(), "5");
    assert!(prod.rollout.is_none() && prod.rules.is_empty());
    // It changed with the deployment; its neighbour did not.
    assert!(prod.changed.is_some());
    assert_eq!(state(&seen, "old", "prod").changed, None);
    assert_eq!(titles(&seen), [(ChangeKind::Flag, "tax on in prod")]);
    let Some(ItemId::Flag(target)) = &changes(&seen)[0].target else { panic!("{seen:?}") };
    assert_eq!(target, &tax.id);
    assert_eq!(changes(&seen)[0].environment.as_ref().unwrap().as_str(), "prod");
}

#[tokio::test]
async fn what_never_changes_is_read_once() {
    let account = Account::shop();
    let cloud = account.start().await;
    let source = source(&cloud, &[]);
    let first = read(&source).await.unwrap();
    assert_eq!(account.asked("hostedconfigurationversions/2"), 1, "for two environments");
    assert_eq!(account.asked("hostedconfigurationversions/1"), 1);
    let second = read(&source).await.unwrap();
    assert_eq!(first.facts, second.facts);
    assert_eq!(account.asked("hostedconfigurationversions/2"), 1);
    assert_eq!((account.asked("environments"), account.asked("configurationprofiles")), (1, 1));
    assert_eq!((account.asked("/applications"), account.asked("deployments")), (2, 4));
}

#[tokio::test]
async fn a_running_deployment_is_told_with_its_strategy_and_progress() {
    let account = Account::shop();
    account.version(3, &json!({ "tax": { "enabled": false }, "new": { "enabled": true } }));
    let running = in_state(deployment(3, 3, 120), "DEPLOYING", 40.0);
    account.deployments("env1", &[running, deployment(2, 2, 864_000), deployment(1, 1, 900_000)]);
    account.put(
        &format!("{DEPLOYMENTS}/3"),
        &json!({ "DeploymentNumber": 3, "DeploymentStrategyId": "str1", "State": "DEPLOYING" }),
    );
    account.put("/deploymentstrategies/str1", &json!({ "Id": "str1", "Name": "Careful" }));
    let cloud = account.start().await;
    let source = source(&cloud, &[]);
    let seen = read(&source).await.unwrap();
    let prod = state(&seen, "tax", "prod");
    assert_eq!((prod.enabled, prod.version.as_ref().unwrap().as_str()), (Some(true), "2"));
    let rollout = prod.rollout.as_ref().unwrap();
    assert_eq!(rollout.state.as_str(), "DEPLOYING");
    assert_eq!(rollout.strategy.as_str(), "Careful: linear 20 % over 10m, bakes 5m");
    assert_eq!((rollout.percent.round() as i64, rollout.version.as_str()), (40, "3"));
    assert!(rollout.started.is_some());
    assert_eq!(prod.rules[0].as_str(), "version 3 under way: off");
    let new = state(&seen, "new", "prod");
    assert_eq!((new.enabled, new.rules[0].as_str()), (Some(false), "not in version 2"));
    assert_eq!(new.rules[1].as_str(), "version 3 under way: added, on");
    assert_eq!(state(&seen, "new", "test").rollout, None);
    let told: Vec<_> = titles(&seen).into_iter().map(|(_, title)| title).collect();
    let expected = ["new added, on", "old removed", "tax off"];
    assert_eq!(told, expected.map(|what| format!("{what} in prod (under way)")));
    // The strategy does not change while it runs.
    read(&source).await.unwrap();
    assert_eq!((account.asked("deployments/3"), account.asked("str1")), (1, 1));

    // While it bakes, everybody has it.
    let baking = in_state(deployment(3, 3, 900), "BAKING", 100.0);
    account.deployments("env1", &[baking, deployment(2, 2, 864_000)]);
    let seen = read(&source).await.unwrap();
    let prod = state(&seen, "tax", "prod");
    assert_eq!((prod.enabled, prod.version.as_ref().unwrap().as_str()), (Some(false), "3"));
    assert_eq!(prod.rollout.as_ref().unwrap().state.as_str(), "BAKING");
    assert!(prod.rules.is_empty());
}

#[tokio::test]
async fn what_was_taken_back_is_not_what_runs() {
    let account = Account::shop();
    account.version(3, &json!({ "tax": { "enabled": false }, "old": { "enabled": true } }));
    let back = in_state(deployment(3, 3, 1_200), "ROLLED_BACK", 0.0);
    account.deployments("env1", &[back, deployment(2, 2, 864_000), deployment(1, 1, 900_000)]);
    account.put(
        &format!("{DEPLOYMENTS}/3"),
        &json!({
            "DeploymentNumber": 3, "DeploymentStrategyId": "AppConfig.AllAtOnce",
            "EventLog": [
                { "EventType": "ROLLBACK_COMPLETED", "TriggeredBy": "CLOUDWATCH_ALARM",
                  "Description": "alarm checkout-5xx fired", "OccurredAt": ago(600) },
                { "EventType": "DEPLOYMENT_STARTED", "TriggeredBy": "USER", "OccurredAt": ago(1_200) }
            ]
        }),
    );
    let cloud = account.start().await;
    let source = source(&cloud, &[]);
    let seen = read(&source).await.unwrap();
    let prod = state(&seen, "tax", "prod");
    assert_eq!((prod.enabled, prod.version.as_ref().unwrap().as_str()), (Some(true), "2"));
    assert!(prod.rollout.is_none());
    let now = jiff::Timestamp::now();
    assert!((590..900).contains(&now.duration_since(prod.changed.unwrap()).as_secs()));
    assert_eq!(
        titles(&seen),
        [
            (ChangeKind::Flag, "tax off in prod (taken back)"),
            (ChangeKind::Rollback, "shop/flags version 3 taken back in prod"),
        ]
    );
    let why = changes(&seen)[1].detail.as_ref().unwrap();
    assert_eq!(why.as_str(), "alarm checkout-5xx fired");
    read(&source).await.unwrap();
    assert_eq!(account.asked("deployments/3"), 1);
}

#[tokio::test]
async fn an_unreadable_version_blanks_only_its_environment() {
    let account = Account::shop();
    account.deployments("env2", &[deployment(7, 1, 864_000)]);
    let no = refusal(403, "AccessDeniedException", "not allowed");
    account.reply(&Account::version_path(2), no);
    let cloud = account.start().await;
    let source = source(&cloud, &[]);
    let seen = read(&source).await.unwrap();
    assert_eq!(state(&seen, "tax", "test").enabled, Some(false));
    let prod = state(&seen, "tax", "prod");
    assert_eq!((prod.enabled, prod.version.as_ref().unwrap().as_str()), (None, "2"));
    assert!(prod.rules[0].as_str().starts_with("not readable: forbidden"), "{:?}", prod.rules);
    assert!(seen.warnings[0].as_str().starts_with("shop/flags in prod: forbidden"));
    assert_eq!(seen.complete, [FactKind::Flags]);
    // What happened is told without what it did.
    assert_eq!(titles(&seen), [(ChangeKind::Flag, "shop/flags version 2 deployed in prod")]);

    // It heals without a restart.
    account.version(2, &json!({ "tax": { "enabled": true } }));
    let seen = read(&source).await.unwrap();
    assert_eq!(state(&seen, "tax", "prod").enabled, Some(true));
    assert!(seen.warnings.is_empty());
}

#[tokio::test]
async fn flags_that_cannot_be_seen_any_more_are_unknown_not_gone() {
    let account = Account::shop();
    let cloud = account.start().await;
    let source = source(&cloud, &[]);
    read(&source).await.unwrap();
    let no = refusal(403, "AccessDeniedException", "not allowed");
    for environment in ["env1", "env2"] {
        let path = format!("/applications/app1/environments/{environment}/deployments");
        account.reply(&path, no.clone());
    }
    let seen = read(&source).await.unwrap();
    let permission = Some("appconfig:ListDeployments".into());
    let forbidden = FaultKind::Forbidden { permission };
    let known = [("shop/flags:old", &forbidden), ("shop/flags:tax", &forbidden)];
    assert_eq!(faults(&seen), known);

    // Who never saw them still learns that there is something.
    let fresh = account::source(&cloud, &[]);
    assert_eq!(faults(&read(&fresh).await.unwrap()), [("shop/flags:*", &forbidden)]);
    account.deployments("env1", &[deployment(2, 2, 3_600)]);
    let seen = read(&fresh).await.unwrap();
    assert_eq!(flags(&seen).len(), 2);
    assert!(seen.faults.is_empty() && seen.complete == [FactKind::Flags]);
}

#[tokio::test]
async fn a_forbidden_application_does_not_blank_the_others() {
    let account = Account::shop();
    let apps = json!({ "Items": [
        { "Id": "app0", "Name": "secret" }, { "Id": "app1", "Name": "shop" }
    ] });
    account.put("/applications", &apps);
    let no = refusal(403, "AccessDeniedException", "not allowed");
    account.reply("/applications/app0/configurationprofiles", no);
    let cloud = account.start().await;
    let seen = read(&source(&cloud, &[])).await.unwrap();
    assert_eq!(flags(&seen).len(), 2);
    let permission = Some("appconfig:ListConfigurationProfiles".into());
    assert_eq!(faults(&seen), [("secret/*:*", &FaultKind::Forbidden { permission })]);
    let seen = read(&source(&cloud, &["sh*"])).await.unwrap();
    assert!(seen.faults.is_empty() && flags(&seen).len() == 2);
}

#[tokio::test]
async fn listings_come_in_pages_and_names_may_repeat() {
    let account = Account::shop();
    account.put(
        "/applications",
        &json!({ "Items": [{ "Id": "app1", "Name": "shop" }], "NextToken": "two" }),
    );
    account.put("/applications#two", &json!({ "Items": [{ "Id": "app2", "Name": "shop" }] }));
    account.put(
        "/applications/app2/configurationprofiles",
        &json!({ "Items": [
        { "Id": "free", "Name": "settings", "Type": "AWS.Freeform" }
    ] }),
    );
    // The live version is behind a page of other profiles' deployments.
    let mut other = deployment(90, 1, 60);
    other["ConfigurationProfileId"] = json!("settings");
    account.put(DEPLOYMENTS, &json!({ "Items": [other], "NextToken": "old" }));
    let old = deployment(2, 2, 864_000);
    account.put(&format!("{DEPLOYMENTS}#old"), &json!({ "Items": [old] }));
    let cloud = account.start().await;
    let source = source(&cloud, &[]);
    let seen = read(&source).await.unwrap();
    let ids: Vec<_> = flags(&seen).iter().map(|flag| flag.id.name.to_string()).collect();
    assert_eq!(ids, ["shop (app1)/flags:old", "shop (app1)/flags:tax"]);
    assert_eq!(state(&seen, "tax", "prod").enabled, Some(true));
    assert_eq!(account.asked(DEPLOYMENTS), 2);
    // What was found on the second page is not looked for again.
    let again = read(&source).await.unwrap();
    assert_eq!(again.facts, seen.facts);
    assert_eq!(account.asked(DEPLOYMENTS), 3);
}

#[tokio::test]
async fn an_environment_without_a_deployment_has_no_flags() {
    let account = Account::shop();
    account.deployments("env2", &[]);
    let first = in_state(deployment(1, 1, 60), "VALIDATING", 0.0);
    account.deployments("env1", &[first]);
    let cloud = account.start().await;
    let seen = read(&source(&cloud, &[])).await.unwrap();
    let tax = flags(&seen)[1];
    assert_eq!(tax.environments.len(), 1);
    let prod = state(&seen, "tax", "prod");
    assert_eq!((prod.enabled, prod.version.as_ref()), (Some(false), None));
    assert_eq!(prod.rules[0].as_str(), "nothing is deployed yet");
    assert_eq!(prod.rollout.as_ref().unwrap().state.as_str(), "VALIDATING");
}

#[tokio::test]
async fn a_deployment_of_many_flags_is_one_change() {
    let account = Account::shop();
    let values: Value = (0..30)
        .map(|n| (format!("flag{n:02}"), json!({ "enabled": true })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    account.version(3, &values);
    account.deployments("env1", &[deployment(3, 3, 600), deployment(2, 2, 864_000)]);
    account.deployments("env2", &[deployment(9, 2, 600), deployment(8, 2, 864_000)]);
    let cloud = account.start().await;
    let seen = read(&source(&cloud, &[])).await.unwrap();
    assert_eq!(
        titles(&seen),
        [
            (ChangeKind::Flag, "shop/flags version 3 deployed in prod: 32 flags change"),
            (ChangeKind::Config, "shop/flags version 2 deployed in test: no flag changes"),
        ]
    );
}

#[tokio::test]
async fn throttling_and_expired_keys_are_the_sources_own() {
    for (status, code, expected) in [
        (429, "ThrottlingException", FaultKind::Throttled { until: None }),
        (403, "ExpiredTokenException", FaultKind::NotAuthenticated),
        (500, "InternalServerException", FaultKind::ServerError),
    ] {
        let account = Account::shop();
        account.reply("/applications", refusal(status, code, "no"));
        let cloud = account.start().await;
        assert_eq!(read(&source(&cloud, &[])).await.unwrap_err().kind, expected);
        // The same deeper inside.
        let account = Account::shop();
        account.reply(DEPLOYMENTS, refusal(status, code, "no"));
        let cloud = account.start().await;
        let seen = read(&source(&cloud, &[])).await;
        match expected {
            FaultKind::ServerError => {
                assert_eq!(state(&seen.unwrap(), "tax", "prod").enabled, None);
            }
            expected => assert_eq!(seen.unwrap_err().kind, expected),
        }
    }
}

#[tokio::test]
async fn a_throttled_application_waits_for_its_turn_and_gone_flags_still_go() {
    let account = Account::shop();
    let both = json!({ "Items": [
        { "Id": "app1", "Name": "shop" }, { "Id": "app2", "Name": "zoo" }
    ] });
    account.put("/applications", &both);
    account.put("/applications/app2/configurationprofiles", &json!({ "Items": [] }));
    let cloud = account.start().await;
    let source = source(&cloud, &[]);
    read(&source).await.unwrap();
    account.version(3, &json!({ "tax": { "enabled": true } }));
    account.deployments("env1", &[deployment(3, 3, 60), deployment(2, 2, 864_000)]);
    account.deployments("env2", &[deployment(8, 3, 60), deployment(7, 2, 864_000)]);
    let three = json!({ "Items": [
        { "Id": "app1", "Name": "shop" }, { "Id": "app2", "Name": "zoo" }, { "Id": "app3", "Name": "x" }
    ] });
    account.put("/applications", &three);
    let slow_down = refusal(429, "ThrottlingException", "slow down");
    account.reply("/applications/app3/configurationprofiles", slow_down);
    let seen = read(&source).await.unwrap();
    assert!(seen.complete.is_empty(), "not everything was read");
    assert_eq!(seen.warnings[0].as_str(), "2 of 3 applications were read; the others are next");
    assert_eq!(flags(&seen).len(), 1);
    assert_eq!(faults(&seen), [("shop/flags:old", &FaultKind::NotFound)]);
}

#[tokio::test]
async fn hostile_documents_do_not_reach_the_screen() {
    let account = Account::shop();
    let esc = "\u{1b}]52;c;AAAA\u{7}\u{202e}";
    account
        .version(2, &json!({ "tax": { "enabled": true, format!("a{esc}"): format!("b{esc}") } }));
    account.reply(&Account::version_path(1), Reply::status(200, "\u{0}not json"));
    let cloud = account.start().await;
    let seen = read(&source(&cloud, &[])).await.unwrap();
    let shown = serde_json::to_string(&seen).unwrap();
    assert!(!shown.contains("\\u001b") && !shown.contains('\u{202e}'), "{shown}");
    assert_eq!(state(&seen, "tax", "prod").enabled, Some(true));
}
