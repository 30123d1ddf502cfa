//! Makes answers of two hosts comparable and fit to be shown: own addresses and fresh secrets left out.

use std::borrow::Cow;

/// What stands for the address that was asked.
const HOST: &str = "(host)";
/// What stands for a fresh credential.
const SECRET: &str = "(secret)";

/// Replaces what is said about one side's address, and every fresh credential.
#[derive(Clone, Default)]
pub struct Cleaner {
    /// Longest first: the base address, its origin, its host and port.
    addresses: Vec<String>,
    secrets: Vec<String>,
}

impl Cleaner {
    /// For the side under `base`, asked with these secrets.
    pub fn new(base: &str, secrets: &[String]) -> Self {
        let base = base.trim_end_matches('/');
        let mut addresses = vec![base.to_owned()];
        if let Some((scheme, rest)) = base.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            addresses.push(format!("{scheme}://{host}"));
            addresses.push(host.to_owned());
        }
        let secrets = secrets.iter().filter(|s| !s.is_empty()).cloned().collect();
        Self { addresses, secrets }
    }

    /// `text` without them.
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.secrets.iter().filter(|s| !s.is_empty()) {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), SECRET));
            }
        }
        for address in &self.addresses {
            if text.contains(address.as_str()) {
                text = Cow::Owned(replaced(&text, address));
            }
        }
        text
    }
}

/// `text` with `(host)` for `address` where it is a whole one: `http://a:80` is not in `http://a:8080`.
fn replaced(text: &str, address: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(address) {
        let (before, found) = rest.split_at(at);
        let after = found.get(address.len()..).unwrap_or_default();
        out.push_str(before);
        let left = before.chars().next_back().is_none_or(|c| !is_name(c) && c != '.');
        let mut ahead = after.chars();
        let right = match ahead.next() {
            None => true,
            // A dot or a colon may end a sentence, or go on with the name or the port.
            Some('.' | ':') => ahead.next().is_none_or(|c| !is_name(c)),
            Some(c) => !is_name(c),
        };
        out.push_str(if left && right { HOST } else { address });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_and_secrets_are_left_out() {
        let cleaner = Cleaner::new("http://10.0.0.1:80/shop/", &["s3cr3t".to_owned()]);
        for (text, expected) in [
            ("http://10.0.0.1:80/shop/cart", "(host)/cart"),
            ("http://10.0.0.1:80/other", "(host)/other"),
            ("http://10.0.0.1:8080/shop", "http://10.0.0.1:8080/shop"),
            ("from 10.0.0.1:80.", "from (host)."),
            ("110.0.0.1:80", "110.0.0.1:80"),
            ("you sent Bearer s3cr3t", "you sent Bearer (secret)"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(cleaner.clean(text), expected, "{text}");
        }
        assert_eq!(Cleaner::default().clean("as it is"), "as it is");
    }
}
