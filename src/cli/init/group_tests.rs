//! Tables of names as they are found in the wild, and the services they should become.

use super::*;

fn resource(text: &str) -> Resource {
    let (kind, rest) = text.split_once(' ').unwrap();
    let (source, name) = rest.split_once('/').unwrap();
    let kind = match kind {
        "pipeline" => FactKind::Pipelines,
        "environment" => FactKind::Environments,
        "traffic" => FactKind::Traffic,
        "flag" => FactKind::Flags,
        "alarm" => FactKind::Alarms,
        other => panic!("{other}"),
    };
    Resource { source: source.to_owned(), kind, name: name.to_owned() }
}

fn grouped(found: &[&str]) -> Vec<String> {
    let found: Vec<Resource> = found.iter().map(|text| resource(text)).collect();
    let grouping = group(&found);
    let names = |resources: &[Resource]| {
        resources.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(" ")
    };
    let mut lines: Vec<String> = grouping
        .groups
        .iter()
        .map(|group| format!("{}: {}", group.name, names(&group.resources)))
        .collect();
    if !grouping.unclaimed.is_empty() {
        lines.push(format!("- {}", names(&grouping.unclaimed)));
    }
    lines
}

#[test]
fn stages_and_places_are_no_services() {
    for (found, wanted) in [
        (
            vec!["pipeline a/checkout-main", "pipeline a/checkout-prod"],
            vec!["checkout: checkout-main checkout-prod"],
        ),
        (
            vec!["pipeline a/CheckoutPipeline", "traffic h/be_checkout"],
            vec!["checkout: CheckoutPipeline be_checkout"],
        ),
        (
            vec!["pipeline a/eu-west-1-search-deploy", "pipeline a/search"],
            vec!["search: eu-west-1-search-deploy search"],
        ),
        (
            vec!["environment w/checkout.example.com", "pipeline a/checkout"],
            vec!["checkout: checkout checkout.example.com"],
        ),
        (vec!["pipeline a/main"], vec!["main: main"]),
        (vec!["pipeline a/---"], vec!["- ---"]),
    ] {
        assert_eq!(grouped(&found), wanted, "{found:?}");
    }
}

#[test]
fn a_longer_name_is_a_service_of_its_own() {
    assert_eq!(
        grouped(&[
            "pipeline a/checkout",
            "pipeline a/checkout-worker",
            "alarm m/checkout-worker-queue-depth",
            "alarm m/prod-checkout-5xx",
            "alarm m/billing-total",
        ]),
        [
            "checkout: checkout prod-checkout-5xx",
            "checkout-worker: checkout-worker checkout-worker-queue-depth",
            "- billing-total",
        ]
    );
}

#[test]
fn an_organisation_before_every_name_is_left_out() {
    assert_eq!(
        grouped(&[
            "pipeline a/acme-checkout",
            "pipeline a/acme-payments",
            "pipeline a/acme-search",
            "flag u/default:payments.retry",
            "traffic h/checkout",
        ]),
        [
            "checkout: acme-checkout checkout",
            "payments: acme-payments payments.retry"
                .replace("acme-payments payments.retry", "acme-payments default:payments.retry")
                .as_str(),
            "search: acme-search"
        ]
    );
}

#[test]
fn pipelines_of_one_service_do_not_lose_its_name() {
    assert_eq!(
        grouped(&["pipeline a/shop-build", "pipeline a/shop-test", "pipeline a/shop-prod"]),
        ["shop: shop-build shop-prod shop-test"]
    );
}

#[test]
fn flags_join_by_their_key_or_their_application() {
    assert_eq!(
        grouped(&[
            "pipeline a/checkout",
            "flag u/default:checkout.new-tax",
            "flag u/default:dark-mode",
            "flag c/checkout/flags:express",
            "flag c/mobile/flags:login",
        ]),
        [
            "checkout: checkout checkout/flags:express default:checkout.new-tax",
            "mobile: mobile/flags:login",
            "- default:dark-mode",
        ]
    );
}

#[test]
fn a_plural_is_the_same_name() {
    assert_eq!(
        grouped(&["pipeline a/payments", "traffic h/payment"]),
        ["payments: payments payment"]
    );
}

proptest::proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_there_twice(
        names in proptest::collection::vec("[a-cA-C./:*-]{1,8}", 0..20),
    ) {
        let kinds = FactKind::ALL;
        let found: Vec<Resource> = names
            .iter()
            .enumerate()
            .map(|(i, name)| Resource {
                source: "s".to_owned(),
                kind: kinds[i % kinds.len()],
                name: name.clone(),
            })
            .collect();
        let grouping = group(&found);
        let mut all: Vec<Resource> = grouping
            .groups
            .into_iter()
            .flat_map(|group| group.resources)
            .chain(grouping.unclaimed)
            .collect();
        all.sort();
        let mut wanted = found.clone();
        wanted.sort();
        wanted.dedup();
        proptest::prop_assert_eq!(all, wanted);
    }
}
