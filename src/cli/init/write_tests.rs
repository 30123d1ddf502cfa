//! The written file reads well, passes the check, and claims exactly what was grouped.

use super::super::candidates::candidates;
use super::super::group::group;
use super::super::{Answer, InitArgs};
use super::*;
use crate::config::load_text;

fn args() -> InitArgs {
    InitArgs {
        regions: vec!["eu-west-1".to_owned()],
        prometheus: Some("http://127.0.0.1:9090".to_owned()),
        unleash: Some("http://127.0.0.1:4242".to_owned()),
        unleash_token_env: "UNLEASH_TOKEN".to_owned(),
        haproxy: Some("tcp://127.0.0.1:9999".to_owned()),
        http: vec!["https://checkout.example.com/health".to_owned()],
        ..InitArgs::default()
    }
}

/// Answers of all candidates, with these names; `prometheus` is not reached.
fn answers(named: &[(&str, FactKind, &str)]) -> Vec<Answer> {
    let outcome = |source: &str| Outcome::Reached {
        resources: named
            .iter()
            .filter(|(of, _, _)| *of == source)
            .map(|(_, kind, name)| Resource {
                source: source.to_owned(),
                kind: *kind,
                name: (*name).to_owned(),
            })
            .collect(),
        identity: None,
    };
    candidates(&args())
        .unwrap()
        .into_iter()
        .map(|candidate| Answer {
            outcome: match candidate.name.as_str() {
                "prometheus" => Outcome::Failed("connection refused\nby 127.0.0.1".to_owned()),
                name => outcome(name),
            },
            name: candidate.name,
            config: candidate.config,
        })
        .collect()
}

fn written(answers: &[Answer]) -> (String, Grouping) {
    let found: Vec<Resource> = answers
        .iter()
        .filter_map(|answer| match &answer.outcome {
            Outcome::Reached { resources, .. } => Some(resources.clone()),
            Outcome::Failed(_) => None,
        })
        .flatten()
        .collect();
    let grouping = group(&found);
    (render(answers, &grouping), grouping)
}

#[test]
fn the_file_tells_what_was_found() {
    let answers = answers(&[
        ("pipelines", FactKind::Pipelines, "checkout-main"),
        ("pipelines", FactKind::Pipelines, "checkout-prod"),
        ("pipelines", FactKind::Pipelines, "search"),
        ("haproxy", FactKind::Traffic, "be_checkout"),
        ("web", FactKind::Environments, "checkout.example.com"),
        ("unleash", FactKind::Flags, "default:checkout.new-tax"),
        ("unleash", FactKind::Flags, "default:checkout.express"),
        ("unleash", FactKind::Flags, "default:dark-mode"),
        ("flags", FactKind::Flags, "search/main:fuzzy"),
        ("alarms", FactKind::Alarms, "prod-search-5xx"),
    ]);
    let (text, _) = written(&answers);
    let (_, services) = text.split_once("# The services.").unwrap();
    assert_eq!(
        services,
        r#" Resources are named SOURCE/PATTERN; * stands for any run of characters.

[services.checkout]
# owners = ["…"]
pipelines = ["pipelines/checkout-*"]
environments = ["web/checkout.example.com"]
traffic = ["haproxy/be_checkout"]
flags = ["unleash/default:checkout.*"]

[services.search]
# owners = ["…"]
pipelines = ["pipelines/search"]
flags = ["flags/search/*"]
alarms = ["alarms/prod-search-5xx"]

# Unclaimed, as they fit no service by name:
#   flag unleash/default:dark-mode
"#
    );
    assert!(text.contains("# Not reached: connection refused\n# by 127.0.0.1\n"), "{text}");
    assert!(text.contains("# [sources.prometheus]\n"), "{text}");
    assert!(text.contains("[sources.unleash.token]\nenv = \"UNLEASH_TOKEN\"\n"), "{text}");
    let loaded = load_text("x.toml", &text, &[]).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(loaded.config.sources.len(), 6);
}

#[test]
fn patterns_are_as_wide_as_is_safe() {
    for (names, others, wanted) in [
        (vec!["checkout"], vec![], vec!["checkout"]),
        (vec!["checkout-a", "checkout-b"], vec![], vec!["checkout-*"]),
        (vec!["checkout", "checkout-b"], vec!["search"], vec!["checkout*"]),
        (vec!["checkout-a", "checkout-b"], vec!["checkout-c"], vec!["checkout-a", "checkout-b"]),
        (vec!["a-checkout", "b-checkout"], vec![], vec!["a-checkout", "b-checkout"]),
        (vec!["shop/main:a", "shop/main:b"], vec!["x/y:z"], vec!["shop/*"]),
        (vec!["odd[1]"], vec![], vec!["odd?1?"]),
    ] {
        assert_eq!(patterns(&names, &others), wanted, "{names:?} {others:?}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_the_names_the_file_passes_and_claims_its_groups(
        names in proptest::collection::vec("[a-c.:/_\\-\\[*\"'$\\{}\\\\\\n\u{202e}é ]{1,10}", 0..12),
    ) {
        let kinds = [
            ("pipelines", FactKind::Pipelines), ("unleash", FactKind::Flags),
            ("haproxy", FactKind::Traffic), ("web", FactKind::Environments),
            ("alarms", FactKind::Alarms), ("flags", FactKind::Flags),
        ];
        let named: Vec<(&str, FactKind, &str)> = names
            .iter()
            .enumerate()
            .map(|(i, name)| (kinds[i % kinds.len()].0, kinds[i % kinds.len()].1, name.as_str()))
            .collect();
        let (text, grouping) = written(&answers(&named));
        let loaded = match load_text("x.toml", &text, &[]) {
            Ok(loaded) => loaded,
            Err(report) => panic!("{report}\n{text}"),
        };
        proptest::prop_assert_eq!(loaded.config.services.len(), grouping.groups.len());
        for group in &grouping.groups {
            let service = &loaded.config.services[&group.name];
            for resource in &group.resources {
                let claims = match resource.kind {
                    FactKind::Pipelines => &service.pipelines,
                    FactKind::Environments => &service.environments,
                    FactKind::Traffic => &service.traffic,
                    FactKind::Flags => &service.flags,
                    _ => &service.alarms,
                };
                proptest::prop_assert!(
                    claims.iter().any(|claim| claim.matches(&resource.source, &resource.name)),
                    "{:?} not in\n{}", resource, text
                );
            }
        }
    }
}
