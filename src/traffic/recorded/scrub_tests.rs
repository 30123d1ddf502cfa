//! Tables of what is a credential, and of what stays.

use super::*;

#[test]
fn names_of_credentials() {
    for (name, secret) in [
        ("Authorization", true),
        ("Proxy-Authorization", true),
        ("Cookie", true),
        ("X-Api-Key", true),
        ("x-apikey", true),
        ("access_token", true),
        ("accessToken", true),
        ("X-Amz-Signature", true),
        ("X-Amz-Credential", true),
        ("client_secret", true),
        ("password", true),
        ("%74oken", true),
        ("sessionId", true),
        ("PHPSESSID", true),
        ("user[password]", true),
        ("key", true),
        ("sig", true),
        ("keyword", false),
        ("author", false),
        ("authority", false),
        ("passenger", false),
        ("compass", false),
        ("monkey", false),
        ("page", false),
        ("signal", false),
        ("Accept", false),
        ("pinned", false),
    ] {
        assert_eq!(is_secret_name(name), secret, "{name}");
    }
}

#[test]
fn values_that_are_credentials_by_their_looks() {
    for (value, secret) in [
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_123", true),
        ("Bearer abcdefgh123", true),
        ("basic dXNlcjpwYXNz", true),
        ("Bearer%20abcdefgh123", true),
        ("AKIAIOSFODNN7EXAMPLE", true),
        ("ghp_0123456789abcdef", true),
        ("asia", false),
        ("asian kitchen", false),
        ("eyJ", false),
        ("basic", false),
        ("1234", false),
    ] {
        assert_eq!(is_secret_value(value), secret, "{value}");
    }
}

#[test]
fn addresses_lose_their_credentials_and_keep_the_rest() {
    for (raw, kept) in [
        ("/a?page=2&token=abc&sort=up", "/a?page=2&sort=up"),
        ("/a?token=abc", "/a"),
        ("/a?%74oken=abc&b", "/a?b"),
        ("/a?x=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "/a"),
        ("/a?eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "/a"),
        ("/a#access_token=abc", "/a"),
        ("/a;jsessionid=ABC/b;v=1?c=1", "/a/b;v=1?c=1"),
        ("/verify/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc/x", "/verify/scrubbed/x"),
        ("/reset-password/0123456789abcdef", "/reset-password/scrubbed"),
        ("/session/12", "/session/12"),
        ("/coupon?code=SUMMER", "/coupon?code=SUMMER"),
        ("/back?code=abc&state=xyz", "/back?state=xyz"),
        ("/go?to=%2Fcart%3Ftoken%3Dabc%26a%3D1", "/go?to=%2Fcart%3Fa%3D1"),
        ("/go?to=%2Fcart%3Fa%3D1", "/go?to=%2Fcart%3Fa%3D1"),
    ] {
        assert_eq!(Scrubber::default().path(raw), kept, "{raw}");
    }
    let mut scrubber = Scrubber::default();
    assert_eq!(
        scrubber.url("https://ann:pw@shop.example/a?key=1&b=2"),
        "https://shop.example/a?b=2"
    );
    let counted: Vec<(&str, u64)> = scrubber.counts.iter().map(|(n, c)| (n.as_str(), *c)).collect();
    assert_eq!(counted, [("address user", 1), ("query key", 1)]);
}

#[test]
fn headers_and_bodies_lose_their_credentials() {
    let mut scrubber = Scrubber::default();
    assert_eq!(scrubber.header("Cookie", "a=b"), None);
    assert_eq!(scrubber.header("X-Trace", "Bearer abcdefgh123"), None);
    assert_eq!(scrubber.header("Accept", "text/html").as_deref(), Some("text/html"));
    assert_eq!(
        scrubber.header("Referer", "https://u:p@shop.example/?api_key=1").as_deref(),
        Some("https://shop.example/")
    );
    let body =
        r#"{"user":"ann","password":"x","deep":[{"apiKey":{"a":1}}],"note":"Bearer abcdefgh123"}"#;
    let kept = scrubber.body("application/json; charset=utf-8", body).unwrap();
    assert_eq!(
        String::from_utf8(kept).unwrap(),
        r#"{"user":"ann","password":"scrubbed","deep":[{"apiKey":"scrubbed"}],"note":"scrubbed"}"#
    );
    let form = scrubber.body("application/x-www-form-urlencoded", "user=ann&pwd=x").unwrap();
    assert_eq!(form, b"user=ann");
    assert_eq!(scrubber.body("multipart/form-data; boundary=x", "--x"), None);
    assert_eq!(scrubber.body("application/json", "{"), None);
    assert!(scrubber.counts.keys().all(|name| !name.contains("abcdefgh123")));
}
