//! Tables for the value types of the configuration.

use super::*;

#[test]
fn durations_read_as_people_write_them() {
    for (text, seconds) in
        [("15s", 15), ("2m", 120), ("1h30m", 5400), ("1h 30m", 5400), ("2d", 172_800), ("0s", 0)]
    {
        assert_eq!(text.parse::<HumanDuration>().unwrap().get().as_secs(), seconds, "{text}");
    }
    for text in ["", "15", "soon", "-5s", "1mo", "5 parsecs"] {
        assert!(text.parse::<HumanDuration>().is_err(), "{text}");
    }
}

#[test]
fn durations_are_shown_so_that_they_read_back() {
    for seconds in [0, 1, 59, 60, 90, 3600, 5400, 86_400] {
        let length = HumanDuration::from_secs(seconds);
        assert_eq!(length.to_string().parse::<HumanDuration>().unwrap(), length);
    }
    assert_eq!(HumanDuration::from_secs(5400).to_string(), "1h30m");
}

#[test]
fn globs_match_whole_names() {
    for (pattern, text, fits) in [
        ("checkout", "checkout", true),
        ("checkout", "checkout-2", false),
        ("check*", "checkout", true),
        ("*out", "checkout", true),
        ("c*k*t", "checkout", true),
        ("c*k*x", "checkout", false),
        ("*", "", true),
        ("?", "", false),
        ("ch?ckout", "chéckout", true),
        ("**a", "bba", true),
        ("a*b*c*d", "aXbXcXbXcXd", true),
    ] {
        assert_eq!(pattern.parse::<Glob>().unwrap().matches(text), fits, "{pattern} {text}");
    }
    for wrong in ["", "a[bc]", "{a,b}", "a\u{1b}b"] {
        assert!(wrong.parse::<Glob>().is_err(), "{wrong:?}");
    }
}

#[test]
fn a_hostile_glob_ends_soon() {
    let glob: Glob = format!("{}c", "a*".repeat(200)).parse().unwrap();
    assert!(!glob.matches(&format!("{}b", "a".repeat(2_000))));
}

#[test]
fn scoped_globs_name_a_source_or_none() {
    let scoped: ScopedGlob = "aws-eu/checkout-*".parse().unwrap();
    assert!(scoped.matches("aws-eu", "checkout-main"));
    assert!(!scoped.matches("aws-us", "checkout-main"));
    let anywhere: ScopedGlob = "checkout-*".parse().unwrap();
    assert!(anywhere.matches("aws-us", "checkout-main"));
    let nested: ScopedGlob = "*/shop/flags".parse().unwrap();
    assert!(nested.matches("config", "shop/flags"));
    assert_eq!(nested.to_string().parse::<ScopedGlob>().unwrap(), nested);
    for wrong in ["/x", "x/", ""] {
        assert!(wrong.parse::<ScopedGlob>().is_err(), "{wrong}");
    }
}

#[test]
fn addresses_carry_no_credentials() {
    assert!("https://prom.example.com/base/".parse::<HttpUrl>().is_ok());
    for wrong in ["prom.example.com", "ftp://x", "https://me:pw@x", "https://", ""] {
        assert!(wrong.parse::<HttpUrl>().is_err(), "{wrong}");
    }
}

#[test]
fn sockets_are_tcp_or_unix() {
    for text in ["tcp://127.0.0.1:9999", "tcp://[::1]:9999", "unix:///run/haproxy.sock"] {
        assert_eq!(text.parse::<SocketAddress>().unwrap().to_string(), text);
    }
    for wrong in
        ["127.0.0.1:9999", "tcp://host", "tcp://:1", "tcp://h:0", "unix://rel", "tcp://h:99999"]
    {
        assert!(wrong.parse::<SocketAddress>().is_err(), "{wrong}");
    }
}
