//! What is let through, what is left out, and how that is counted.

use super::*;

fn raw(method: &str, url: &str) -> Raw {
    Raw {
        place: 1,
        at: None,
        method: method.to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        body: None,
    }
}

fn with(method: &str, url: &str, headers: &[(&str, &str)]) -> Raw {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Raw { headers, ..raw(method, url) }
}

#[test]
fn only_safe_methods_unless_allowed_by_name() {
    let post = Selection { methods: vec![Method::POST], ..Selection::default() };
    for (selection, request, sent) in [
        (Selection::default(), raw("get", "/"), true),
        (Selection::default(), raw("HEAD", "/"), true),
        (Selection::default(), raw("OPTIONS", "/"), true),
        (Selection::default(), raw("POST", "/"), false),
        (Selection::default(), raw("TRACE", "/"), false),
        (Selection::default(), raw("GET", "/a?_method=delete"), false),
        (Selection::default(), with("GET", "/", &[("X-HTTP-Method-Override", "DELETE")]), false),
        (post.clone(), raw("POST", "/"), true),
        (post.clone(), raw("DELETE", "/"), false),
        (post, with("POST", "/", &[("X-HTTP-Method-Override", "PUT")]), false),
    ] {
        let mut intake = Intake::new(selection);
        intake.take(1, Ok(request));
        assert_eq!(intake.requests.len(), usize::from(sent), "{:?}", intake.skipped);
        assert_eq!(intake.skipped.len(), usize::from(!sent), "{:?}", intake.skipped);
    }
}

#[test]
fn another_method_that_a_body_means_counts() {
    let post = Selection { methods: vec![Method::POST], ..Selection::default() };
    let parts = "--x\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\ndelete\r\n--x--";
    for (media, body, sent) in [
        ("application/x-www-form-urlencoded", "a=1&b=_method", true),
        ("application/x-www-form-urlencoded", "a=1&_method=DELETE", false),
        ("application/x-www-form-urlencoded", "%5Fmethod=patch", false),
        ("application/x-www-form-urlencoded", "_method=post", true),
        ("application/json", r#"{"a":1,"b":{"_method":"DELETE"}}"#, true),
        ("application/json", r#" {"a":1,"_method":"delete"}"#, false),
        ("application/json", r#"{"_method":7}"#, false),
        ("multipart/form-data; boundary=x", parts, false),
    ] {
        let mut request = with("POST", "/", &[("Content-Type", media)]);
        request.body = Some(body.to_owned());
        let mut intake = Intake::new(post.clone());
        intake.take(1, Ok(request));
        assert_eq!(intake.requests.len(), usize::from(sent), "{body}: {:?}", intake.skipped);
    }
}

#[test]
fn what_names_the_own_host_is_kept_without_it_and_what_names_another_as_it_is() {
    let mut intake = Intake::new(Selection::default());
    let headers = [
        ("Origin", "https://shop.example"),
        ("Referer", "https://shop.example/cart?step=2"),
        ("X-From", "https://shop.example/"),
    ];
    intake.take(1, Ok(with("GET", "https://shop.example/a", &headers)));
    let headers = [("Origin", "https://other.example"), ("Referer", "https://other.example/x")];
    intake.take(2, Ok(with("GET", "https://shop.example/a", &headers)));
    let kept = |at: usize| -> Vec<String> {
        let headers = &intake.requests[at].headers;
        headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect()
    };
    assert_eq!(kept(0), ["origin: /", "referer: /cart?step=2", "x-from: https://shop.example/"]);
    assert_eq!(kept(1), ["origin: https://other.example", "referer: https://other.example/x"]);
}

#[test]
fn hosts_are_counted_and_left_out() {
    let selection = Selection { hosts: vec!["shop.example".to_owned()], ..Selection::default() };
    let mut intake = Intake::new(selection);
    for url in ["https://u:p@Shop.example:8443/a", "http://cdn.example/b", "https://shop.example?c"]
    {
        intake.take(1, Ok(raw("GET", url)));
    }
    intake.take(1, Ok(with("GET", "/d", &[("Host", "shop.example")])));
    let paths: Vec<&str> = intake.requests.iter().map(|r| r.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/?c", "/d"]);
    assert_eq!(intake.skipped.get("another host"), Some(&1));
    assert_eq!(intake.hosts.get("shop.example"), Some(&2));
    assert!(intake.hosts.keys().all(|host| !host.contains('@')));
}

#[test]
fn what_is_no_request_of_a_host_is_told_apart() {
    let mut intake = Intake::new(Selection { limit: 1, ..Selection::default() });
    for (place, url) in [(1, "*"), (2, "data:text/plain,x"), (3, "a/b"), (4, "/a"), (5, "/b")] {
        intake.take(place, Ok(raw("GET", url)));
    }
    intake.take(6, Ok(raw("G T", "/")));
    assert_eq!(intake.unreadable.count, 3);
    assert_eq!(intake.skipped.get("not http or https"), Some(&1));
    assert_eq!(intake.skipped.get("beyond the limit"), Some(&1));
    assert_eq!((intake.read, intake.requests.len()), (6, 1));
}

#[test]
fn headers_of_the_connection_and_credentials_are_left_out() {
    let mut intake = Intake::new(Selection::default());
    intake.take(
        1,
        Ok(with(
            "GET",
            "/a?token=t0k3n",
            &[
                (":path", "/a"),
                ("Host", "shop.example"),
                ("If-None-Match", "x"),
                ("Accept-Encoding", "br"),
                ("Cookie", "s=t0k3n"),
                ("Authorization", "Bearer t0k3n"),
                ("Accept", "a"),
                ("Accept", "b"),
            ],
        )),
    );
    let request = &intake.requests[0];
    let kept: Vec<(&str, &str)> =
        request.headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
    assert_eq!(kept, [("accept", "a"), ("accept", "b")]);
    assert_eq!(request.path, "/a");
    let names: Vec<&str> = intake.scrubbed().keys().map(String::as_str).collect();
    assert_eq!(names, ["header authorization", "header cookie", "query token"]);
    assert!(!format!("{intake:?}").contains("t0k3n"));
}

#[test]
fn requests_go_by_their_times() {
    let mut intake = Intake::new(Selection::default());
    let at = |second: i64| Some(jiff::Timestamp::from_second(second).unwrap());
    for (url, at) in [("/b", at(2)), ("/b2", None), ("/a", at(1)), ("/c", at(3))] {
        intake.take(1, Ok(Raw { at, ..raw("GET", url) }));
    }
    intake.sort();
    let paths: Vec<&str> = intake.requests.iter().map(|r| r.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/b", "/b2", "/c"]);
}
