//! Paths as patterns: `/orders/123` and `/orders/456` are both `/orders/{}`.

use super::scrub::decoded;

/// What stands for an id.
pub const ID: &str = "{}";

/// A path (its query is left out) with its ids as `{}`; a pattern of `known` that fits goes first.
pub fn pattern(path: &str, known: &[String]) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if let Some(fits) = known.iter().find(|known| fits(known, path)) {
        return fits.clone();
    }
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Whether `path` is of the form of `known`, in which `{}` stands for any one segment.
fn fits(known: &str, path: &str) -> bool {
    let (mut known, mut path) = (known.split('/'), path.split('/'));
    loop {
        match (known.next(), path.next()) {
            (None, None) => return true,
            (Some(k), Some(p)) if k == p || (k == ID && !p.is_empty()) => {}
            _ => return false,
        }
    }
}

/// A segment of a path, or the name of a field, with ids in it as `{}`.
pub fn segment(raw: &str) -> String {
    let text = decoded(raw);
    if is_id(&text) || text.contains('@') {
        return ID.to_owned();
    }
    // `123.json`
    if let Some((stem, end)) = text.rsplit_once('.')
        && is_extension(end)
        && !stem.is_empty()
    {
        return format!("{}.{end}", segment(stem));
    }
    if !text.contains(['-', '_', ':', ',']) {
        return raw.to_owned();
    }
    // `order-123`, `2024-01-31`
    let mut out = String::new();
    let mut part = String::new();
    let mut only_ids = true;
    for c in text.chars().chain(['\0']) {
        if c.is_alphanumeric() {
            part.push(c);
            continue;
        }
        if !part.is_empty() {
            let id = is_id(&part);
            only_ids &= id;
            out.push_str(if id { ID } else { &part });
            part.clear();
        }
        if c != '\0' {
            out.push(c);
        }
    }
    if only_ids && out.contains(ID) {
        ID.to_owned()
    } else if out.contains(ID) {
        out
    } else {
        raw.to_owned()
    }
}

fn is_extension(end: &str) -> bool {
    (2..=5).contains(&end.len()) && end.chars().all(|c| c.is_ascii_lowercase())
}

/// The name of a field with `{}` for it if it is an id, as in maps by id. `line_2` is a name.
pub fn key(name: &str) -> &str {
    let long = name.chars().count() >= 8 || name.chars().all(|c| c.is_ascii_digit());
    let plain = name.chars().all(|c| c.is_ascii_hexdigit() || c == '-') || is_opaque(name);
    if long && plain && is_id(name) { ID } else { name }
}

/// Whether this is a number, a UUID, a hash, or something else that nobody would choose as a name.
fn is_id(text: &str) -> bool {
    let length = text.chars().count();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if length == 0 || digits == 0 {
        return false;
    }
    if digits == length {
        return true;
    }
    let is_hex = |t: &str| t.chars().all(|c| c.is_ascii_hexdigit());
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    if groups == [8, 4, 4, 4, 12] && is_hex(&text.replace('-', "")) {
        return true;
    }
    if length >= 8 && is_hex(text) {
        return true;
    }
    is_opaque(text)
        || (length >= 6 && text.chars().all(char::is_alphanumeric) && changes(text) >= 3)
}

/// Whether this is a long mixture of letters and digits, as keys and hashes are.
pub fn is_opaque(text: &str) -> bool {
    let alphabet =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '=' | '+' | '~' | '.');
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.chars().count() >= 16 && text.chars().all(alphabet) && digits >= 2 && changes(text) >= 3
}

/// How often letters and digits take turns.
fn changes(text: &str) -> usize {
    let kinds: Vec<bool> =
        text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.is_ascii_digit()).collect();
    kinds.windows(2).filter(|pair| matches!(pair, [a, b] if a != b)).count()
}

/// A path and query as an example shows it: what is long and opaque is left out.
pub fn shown(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(p, q)| (p, Some(q)));
    let hide = |text: &str| if is_opaque(&decoded(text)) { ID.to_owned() } else { text.to_owned() };
    let mut out = path.split('/').map(hide).collect::<Vec<_>>().join("/");
    if let Some(query) = query {
        let pairs = query.split('&').map(|pair| match pair.split_once('=') {
            Some((name, value)) => format!("{}={}", hide(name), hide(value)),
            None => hide(pair),
        });
        out.push('?');
        out.push_str(&pairs.collect::<Vec<_>>().join("&"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_become_one_pattern() {
        for (path, expected) in [
            ("/", "/"),
            ("/orders", "/orders"),
            ("/orders/123", "/orders/{}"),
            ("/orders/123?page=2", "/orders/{}"),
            ("/orders/123/", "/orders/{}/"),
            ("/v1/orders/123/items/9", "/v1/orders/{}/items/{}"),
            ("/users/0b9f7c1e-8f2a-4d7c-9a35-3f1f0a6f0c11", "/users/{}"),
            ("/commit/4f1c9a77", "/commit/{}"),
            ("/commit/deadbeef", "/commit/deadbeef"),
            ("/x/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/x/{}"),
            ("/customers/cus_9s6XKzkNRiz8i3", "/customers/{}"),
            ("/orders/order-123", "/orders/order-{}"),
            ("/day/2024-01-31", "/day/{}"),
            ("/orders/123.json", "/orders/{}.json"),
            ("/users/ann%40example.org", "/users/{}"),
            ("/sha256/base64/oauth2/s3bucket", "/sha256/base64/oauth2/s3bucket"),
            ("/red-shoes", "/red-shoes"),
            ("/app.js", "/app.js"),
            ("/robots.txt", "/robots.txt"),
        ] {
            assert_eq!(pattern(path, &[]), expected, "{path}");
        }
    }

    #[test]
    fn patterns_that_are_given_go_first() {
        let known = ["/shoes/{}".to_owned(), "/{}".to_owned()];
        for (path, expected) in [
            ("/shoes/red", "/shoes/{}"),
            ("/shoes/red?size=3", "/shoes/{}"),
            ("/ann", "/{}"),
            ("/shoes/red/3", "/shoes/red/{}"),
            ("/", "/"),
        ] {
            assert_eq!(pattern(path, &known), expected, "{path}");
        }
    }

    #[test]
    fn names_of_fields_are_folded_only_if_they_are_ids() {
        for (name, expected) in [
            ("123", "{}"),
            ("0b9f7c1e-8f2a-4d7c-9a35-3f1f0a6f0c11", "{}"),
            ("4f1c9a77", "{}"),
            ("line_2", "line_2"),
            ("sha256", "sha256"),
            ("facade", "facade"),
            ("", ""),
        ] {
            assert_eq!(key(name), expected, "{name}");
        }
    }

    #[test]
    fn examples_leave_out_what_is_opaque() {
        assert_eq!(
            shown("/a/9s6XKzkNRiz8i3Qp0Lm/12?b=3&c=9s6XKzkNRiz8i3Qp0Lm"),
            "/a/{}/12?b=3&c={}"
        );
    }
}
