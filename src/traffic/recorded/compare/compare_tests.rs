//! Tables of pairs of answers and what they differ in.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn answer(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_str(value).unwrap());
    }
    Answer { status, headers: map, body: body.to_vec(), cut: false }
}

fn differences(before: &Answer, after: &Answer) -> Vec<String> {
    let baseline = Cleaner::new("http://base.example:1", &["fr3sh".to_owned()]);
    let canary = Cleaner::new("http://canary.example:2", &["fr3sh".to_owned()]);
    let found = compare(&Prepared::new(before, &baseline), &Prepared::new(after, &canary));
    let show =
        |value: &Option<SafeText>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
    found
        .fields
        .iter()
        .map(|(f, p)| {
            let (before, after) = (show(&p.before), show(&p.after));
            format!("{:?} {:?} {} {before} > {after}", f.part, f.kind, f.name)
        })
        .collect()
}

fn json(before: &str, after: &str) -> Vec<String> {
    let body = |text: &str| answer(200, &[("content-type", "application/json")], text.as_bytes());
    differences(&body(before), &body(after))
}

#[test]
fn json_is_compared_by_structure() {
    for (before, after, expected) in [
        (r#"{"a":1,"b":[1]}"#, r#"{"b":[1.0],"a":1e0}"#, vec![]),
        (r#"{"a":1}"#, r#"{"a":2}"#, vec!["Json Value /a 1 > 2"]),
        (r#"{"a":1}"#, r#"{"a":"1"}"#, vec![r#"Json Type /a 1 > "1""#]),
        (r#"{"a":null}"#, "{}", vec!["Json Missing /a null > -"]),
        (r#"{"a":1}"#, r#"{"b":1}"#, vec!["Json Missing /a 1 > -", "Json Added /b - > 1"]),
        ("[1,2,3]", "[3,1,2]", vec!["Json Order  [1,2,3] > [3,1,2]"]),
        (
            r#"[{"a":1,"b":2},1]"#,
            r#"[1.0,{"b":2,"a":1}]"#,
            vec![r#"Json Order  [{"a":1,"b":2},1] > [1.0,{"b":2,"a":1}]"#],
        ),
        ("[1,2]", "[1,3]", vec!["Json Value /{} 2 > 3"]),
        (
            r#"{"i":[{"p":1},{"p":2}]}"#,
            r#"{"i":[{"p":3},{"p":4}]}"#,
            vec!["Json Value /i/{}/p 1 > 3"],
        ),
        (r#"{"i":[1]}"#, r#"{"i":[1,2]}"#, vec!["Json Length /i 1 items > 2 items"]),
        (
            r#"{"i":[{"name":1}]}"#,
            r#"{"i":[{"title":1},{"title":2}]}"#,
            vec![
                "Json Missing /i/{}/name (present) > -",
                "Json Added /i/{}/title - > (present)",
                "Json Length /i 1 items > 2 items",
            ],
        ),
        (r#"{"17":{"a":1}}"#, r#"{"17":{"a":2}}"#, vec!["Json Value /{}/a 1 > 2"]),
        (r#"{"a/b~c":1}"#, r#"{"a/b~c":2}"#, vec!["Json Value /a~1b~0c 1 > 2"]),
        (
            "9007199254740993",
            "9007199254740992",
            vec!["Json Value  9007199254740993 > 9007199254740992"],
        ),
        ("1", "1.5", vec!["Json Value  1 > 1.5"]),
        (r#"{"u":"http://base.example:1/x"}"#, r#"{"u":"http://canary.example:2/x"}"#, vec![]),
    ] {
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        let mut found = json(before, after);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{before} {after}");
    }
}

#[test]
fn what_examples_show_holds_no_credential() {
    for (before, after) in [
        (r#"{"token":"t0k3n"}"#, r#"{"token":"t0k3n2"}"#),
        (r#"{"session":{"id":"t0k3n"}}"#, r#"{"session":{"id":"t0k3n2"}}"#),
        (r#"{"a":{"password":"t0k3n"}}"#, r#"{"a":7}"#),
        (r#"{"a":"x fr3sh"}"#, r#"{"a":"y fr3sh"}"#),
        (r#"{"a":"/x?api_key=t0k3n"}"#, r#"{"a":"/y?api_key=t0k3n"}"#),
        (r#"{"a":"Bearer t0k3nt0k3n"}"#, r#"{"a":"Bearer t0k3nt0k3m"}"#),
    ] {
        let found = json(before, after).join("\n");
        assert!(
            !found.is_empty() && !found.contains("t0k3n") && !found.contains("fr3sh"),
            "{found}"
        );
    }
}

#[test]
fn headers_are_compared_but_those_of_the_moment() {
    let before = answer(
        200,
        &[
            ("date", "a"),
            ("x-a", "1"),
            ("x-gone", "1"),
            ("location", "http://base.example:1/l?token=x"),
        ],
        b"",
    );
    let after = answer(
        200,
        &[("date", "b"), ("x-a", "2"), ("x-new", "1"), ("location", "http://canary.example:2/m")],
        b"",
    );
    let mut found = differences(&before, &after);
    found.sort();
    assert_eq!(
        found,
        [
            "Header Added x-new - > 1",
            "Header Missing x-gone 1 > -",
            "Header Value location (host)/l > (host)/m",
            "Header Value x-a 1 > 2",
        ]
    );
    let cookies = |value: &str| answer(200, &[("set-cookie", value)], b"");
    assert_eq!(
        differences(&cookies("s=t0k3n; Path=/; Expires=x"), &cookies("s=other; Path=/; Expires=y")),
        Vec::<String>::new()
    );
    assert_eq!(
        differences(&cookies("s=t0k3n; HttpOnly"), &cookies("s=t0k3n")),
        ["Header Value set-cookie s=(withheld); HttpOnly > s=(withheld)"]
    );
}

#[test]
fn of_another_status_nothing_else_is_told() {
    let found = differences(&answer(200, &[("x-a", "1")], b"{}"), &answer(500, &[], b"oops"));
    assert_eq!(found, ["Status Value  200 > 500"]);
}

#[test]
fn texts_are_compared_by_lines_and_the_rest_as_a_whole() {
    for (before, after, expected) in [
        (&b"a\nb"[..], &b"a\nb"[..], None),
        (b"a\nb\nc", b"a\nx\nc", Some("Body Value line 2 b > x")),
        (b"a\nb", b"a\nb\nc", Some("Body Length  2 lines; line 3: (end) > 3 lines; line 3: c")),
        (b"a\r\nb", b"a\nb", Some("Body Value line ends 4 bytes > 3 bytes")),
        (b"", b"a", Some("Body Added  - > text: a")),
        (b"a", b"", Some("Body Missing  text: a > -")),
        (b"{}", b"a", Some("Body Type  JSON: {} > text: a")),
        (b"\xff\x00", b"\xff\x00", None),
        (
            b"\xff\x00",
            b"\xff\x01",
            Some("Body Value  2 bytes, SHA-256 06eb7d6a… > 2 bytes, SHA-256 b47c3a4a…"),
        ),
    ] {
        let found = differences(&answer(200, &[], before), &answer(200, &[], after));
        // The digests are not worked out by hand: only their form is compared.
        let plain = |text: &str| {
            let mut parts = text.split("SHA-256 ");
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |out, part| out + "SHA-256 " + part.get(8..).unwrap_or_default())
        };
        let found: Vec<String> = found.iter().map(|text| plain(text)).collect();
        assert_eq!(
            found,
            expected.map(plain).into_iter().collect::<Vec<_>>(),
            "{before:?} {after:?}"
        );
    }
}

#[test]
fn a_long_or_hostile_value_is_bounded() {
    let long = format!("\"{}\"", "x".repeat(100_000));
    let found = json(&long, "\"\\u001b]0;evil\\u0007\\u202e\"");
    assert_eq!(found.len(), 1);
    assert!(found[0].len() < 400 && !found[0].contains('\u{1b}') && !found[0].contains('\u{202e}'));
    let many = |value: u8| {
        let fields: Vec<String> = (0..2_000).map(|i| format!("\"f{i}\":{value}")).collect();
        answer(200, &[], format!("{{{}}}", fields.join(",")).as_bytes())
    };
    let cleaner = Cleaner::default();
    let found = compare(&Prepared::new(&many(1), &cleaner), &Prepared::new(&many(2), &cleaner));
    assert!(found.more && found.fields.len() == MOST_FIELDS);
}

#[test]
fn a_body_that_was_cut_is_not_compared() {
    let cut = Answer { cut: true, ..answer(200, &[], b"aaa") };
    assert_eq!(differences(&cut, &answer(200, &[], b"b")), Vec::<String>::new());
    assert!(Prepared::new(&cut, &Cleaner::default()).is_cut());
}
