//! `--header 'Name: env:VAR'`: headers for replayed requests; credentials only by reference.

use std::path::PathBuf;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::cli::exit::Failure;
use crate::config::Secret;
use crate::traffic::recorded::scrub::{is_secret_name, is_secret_value};

/// A shorter text is no secret, and would be found everywhere.
const SHORTEST: usize = 4;

/// A header to send.
#[derive(Debug)]
struct Wanted {
    name: HeaderName,
    /// What goes before the secret, or all of it.
    text: String,
    secret: Option<Secret>,
}

/// The headers, and the secrets that are in them.
pub async fn headers(texts: &[String]) -> Result<(HeaderMap, Vec<String>), Failure> {
    let mut headers = HeaderMap::new();
    let mut secrets = Vec::new();
    for text in texts {
        let Wanted { name, mut text, secret } = parse(text).map_err(Failure::usage)?;
        let is_secret = secret.is_some();
        if let Some(secret) = secret {
            let value = secret
                .resolve()
                .await
                .map_err(|why| Failure::usage(format!("--header {name}: {why}")))?;
            text.push_str(value.expose());
            if value.expose().chars().count() >= SHORTEST {
                secrets.push(value.expose().to_owned());
            }
        }
        // The value may be a secret: it is not quoted.
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            Failure::usage(format!("--header {name}: its value has characters no header may have"))
        })?;
        value.set_sensitive(is_secret);
        headers.append(name, value);
    }
    Ok((headers, secrets))
}

/// `Name: value`, `Name: env:VAR`, `Name: Bearer env:VAR`, `Name: file:PATH`. Never quotes a value.
fn parse(text: &str) -> Result<Wanted, String> {
    const HOW: &str = "write --header 'Name: value', or 'Name: env:VAR' for a credential";
    let (name, value) = text.split_once(':').ok_or(HOW)?;
    let name: HeaderName =
        name.trim().parse().map_err(|_| format!("not the name of a header: {HOW}"))?;
    let value = value.trim();
    let (before, last) = value.rsplit_once(' ').map_or(("", value), |(b, l)| (b, l));
    let secret = if let Some(variable) = last.strip_prefix("env:").filter(|v| !v.is_empty()) {
        Some(Secret::Env(variable.to_owned()))
    } else {
        last.strip_prefix("file:").filter(|p| !p.is_empty()).map(|p| Secret::File(PathBuf::from(p)))
    };
    if secret.is_some() {
        let text = if before.is_empty() { String::new() } else { format!("{before} ") };
        return Ok(Wanted { name, text, secret });
    }
    if is_secret_name(name.as_str()) || is_secret_value(value) {
        return Err(format!(
            "--header {name}: a credential is not written on a command line: say where it is, \
             '{name}: env:VAR' or '{name}: file:PATH'"
        ));
    }
    Ok(Wanted { name, text: value.to_owned(), secret: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_by_reference_only() {
        for (text, before, secret) in [
            ("Accept: text/html", "text/html", None),
            ("Authorization: env:TOKEN", "", Some(Secret::Env("TOKEN".to_owned()))),
            ("authorization:Bearer env:TOKEN", "Bearer ", Some(Secret::Env("TOKEN".to_owned()))),
            ("Cookie: file:/run/c", "", Some(Secret::File("/run/c".into()))),
        ] {
            let wanted = parse(text).unwrap();
            assert_eq!((wanted.text.as_str(), wanted.secret), (before, secret), "{text}");
        }
        for text in [
            "hunter2",
            "hunter 2: x",
            "Cookie: s=hunter2",
            "X-A: Bearer hunter2hunter2",
            "Authorization: env:",
        ] {
            let why = parse(text).err().unwrap();
            assert!(!why.contains("hunter2") && why.contains("env:VAR"), "{text}: {why}");
        }
    }
}
