//! Designs: what is read, and what is told about faults.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::judge::spec::MetricKind;

const LEAST: &str = "rate = 10\nduration = '5s'\n";

fn design(text: &str) -> Design {
    parse(Path::new("p.toml"), text).unwrap_or_else(|report| panic!("{report}"))
}

/// The faults of a design that has one request and `more`.
fn faults(more: &str) -> String {
    let text = format!("{LEAST}{more}\n[requests.home]\npath = '/'\n");
    faults_of(&text)
}

fn faults_of(text: &str) -> String {
    let report = parse(Path::new("p.toml"), text).unwrap_err();
    report.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_a_design() {
    let text = include_str!("../../../config/examples/probe.toml");
    let design = design(text);
    assert_eq!(design.total(), 50 * 65);
    let names: Vec<&str> = design.requests.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["cart", "health"]);
    assert_eq!(design.requests[0].latency, Some(Duration::from_millis(200)));
    assert_eq!(design.requests[1].latency, Some(Duration::from_millis(300)));
    assert_eq!(design.requests[0].expect.len(), 3);
    assert_eq!(design.spec.warm_up_ticks, 5);
    let metrics: Vec<&str> = design.spec.metrics.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(metrics, [ERRORS, SLOW]);
}

#[test]
fn what_is_left_out_has_its_default() {
    let design = design(&format!("{LEAST}[requests.home]\npath = '/'\n"));
    assert_eq!((design.concurrency, design.tick), (64, Duration::from_secs(1)));
    assert_eq!(design.timeout, Duration::from_secs(10));
    assert!(!design.follow_redirects && !design.has_limit());
    // Without a latency limit nothing can be slow, and so nothing is judged by it.
    assert_eq!(design.spec.metrics.len(), 1);
    let kind = &design.spec.metrics[0].kind;
    assert_eq!(*kind, MetricKind::Count { floor: Some(0.01), strict: false });
}

#[test]
fn faults_of_form_have_file_and_line() {
    for (text, told) in [
        ("rat = 3", "p.toml:3:1: rat: unknown key\n    did you mean `rate`?"),
        ("timeout = 5", "p.toml:3:11: timeout: expected a length of time such as \"30s\""),
        ("pace = 'evn'", "p.toml:3:8: pace: `evn` is not one of `even`, `random`"),
        ("concurrency = 0", "p.toml:3:15: concurrency: 0 is out of range"),
        ("[variables.t]\nsecret = 's3cret'", "a secret is never written"),
        ("[variables.t]\nlist = []", "p.toml:4:8: variables.t.list: cannot be empty"),
        ("seed = = 2", "p.toml:3:"),
    ] {
        let found = faults(text);
        assert!(found.contains(told), "{text}: {found}");
        assert!(!found.contains("s3cret"), "{found}");
    }
    assert!(faults_of(LEAST).contains("`requests` is missing"));
    assert!(faults_of(&format!("{LEAST}[requests]\n")).contains("p.toml:3:"));
}

#[test]
fn faults_of_meaning_have_file_and_line_too() {
    for (text, told) in [
        ("[requests.a]\npath = 'a'", "p.toml:4:8: requests.a.path: does not begin with a slash"),
        ("[requests.a]\npath = '/a#b'", "p.toml:4:8: requests.a.path: '#' cannot be in a path"),
        ("[requests.a]\npath = '/{{x}}'", "requests.a.path: there is no variable `x`"),
        ("[requests.a]\npath = '/{{x'", "requests.a.path: `{{` without a name"),
        (
            "[requests.a]\npath = '/'\nmethod = 'POST'",
            "p.toml:5:10: requests.a.method: POST may change something on both sides\n    \
             if that is meant, write unsafe_methods = true",
        ),
        ("[requests.a]\npath = '/'\nmethod = 'get'", "`get` is no method"),
        ("[requests.a]\npath = '/'\nexpect = [{ at = '/x' }]", "expect[0]: needs exactly one of"),
        (
            "[requests.a]\npath = '/'\nmethod = 'HEAD'\nexpect = [{ at = '/x', exists = true }]",
            "an answer to HEAD has nothing in it",
        ),
        ("[variables.t]\nrange = [3, 1]", "p.toml:4:9: variables.t.range: is no range"),
        ("[variables.t]\norder = 'turn'", "needs exactly one of `list`, `range`, `secret`"),
        ("[variables.'a b']\nrange = [1, 2]", "is no name of a variable"),
        ("[headers]\nauthorization = 'Bearer abc'", "a secret is never written"),
        (
            "[headers]\ncookie = 's={{n}}'\n[variables.n]\nrange = [1, 2]",
            "p.toml:4:10: headers.cookie: a secret is never written into a file",
        ),
        ("[headers]\n'a b' = 'x'", "is no name of a header"),
        ("[headers]\ncontent-length = '3'", "follows from the request itself"),
        ("[headers]\nx = \"a\\nb\"", "has characters that no header may have"),
        ("latency = '10s'", "p.toml:3:11: latency: 10s is not below the timeout"),
        ("tick = '1ms'", "p.toml:3:8: tick: is too short"),
        ("[judge]\nalpha = 0", "p.toml:3:2: judge: alpha is 0"),
    ] {
        let found = faults(text);
        assert!(found.contains(told), "{text}: {found}");
        assert!(!found.contains("abc"), "{found}");
    }
}

#[test]
fn more_than_the_cap_must_be_meant() {
    let heavy = "rate = 5000\nduration = '1m'\n";
    let request = "[requests.home]\npath = '/'\n";
    let found = faults_of(&format!("{heavy}{request}"));
    assert!(
        found.starts_with("p.toml:1:8: rate: rate × (warm_up + duration) is 300000"),
        "{found}"
    );
    assert!(found.contains("more than max_requests (100000)"), "{found}");
    let meant = design(&format!("{heavy}max_requests = 300000\n{request}"));
    assert_eq!(meant.total(), 300_000);
}

#[test]
fn requests_are_written_with_their_values() {
    let text = format!(
        "{LEAST}unsafe_methods = true\n[headers]\nx-all = 'a'\nx-both = 'a'\n\
         [variables.name]\nlist = ['a \"b\"/c']\n\
         [requests.save]\nmethod = 'PUT'\npath = '/n/{{{{name}}}}'\n\
         headers = {{ content-type = 'application/json', X-Both = '{{{{name}}}}' }}\n\
         body = '{{\"n\":\"{{{{name}}}}\"}}'\n"
    );
    let design = design(&text);
    let values = Values::of_lists(&[&["a \"b\"/c"]]);
    let wire = design.requests[0].wire(&[0], &values).unwrap();
    assert_eq!(wire.method.as_str(), "PUT");
    assert_eq!(wire.path, "/n/a%20%22b%22%2Fc");
    assert_eq!(wire.body.unwrap(), br#"{"n":"a \"b\"/c"}"#);
    let header = |name: &str| wire.headers.get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!((header("x-all"), header("x-both")), ("a".to_owned(), "a \"b\"/c".to_owned()));
    let odd = Values::of_lists(&[&["line\nbreak"]]);
    assert_eq!(design.requests[0].wire(&[0], &odd).unwrap_err().as_str(), "x-both");
}
