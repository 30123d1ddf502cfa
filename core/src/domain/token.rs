//! `Token`: proof that an answer belongs to one request; compared and recorded only by its digest.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A secret that a backend gave us to send back. Two tokens are equal if their digests are.
#[derive(Clone)]
pub struct Token {
    digest: String,
    /// Not known any more after a recording was replayed.
    raw: Option<String>,
}

impl Token {
    /// The token as the backend gave it.
    pub fn new(raw: &str) -> Self {
        let hash = Sha256::digest(raw.as_bytes());
        let start = hash.iter().take(8).fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
        Self { digest: format!("{start:016x}"), raw: Some(raw.to_owned()) }
    }

    /// The token to send back; `None` in a replayed recording.
    pub fn reveal(&self) -> Option<&str> {
        self.raw.as_deref()
    }

    /// First eight bytes of its SHA-256, in hexadecimal: enough to tell two tokens apart.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.digest)
    }
}

impl Serialize for Token {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.digest)
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Self { digest: String::deserialize(d)?, raw: None })
    }
}

impl schemars::JsonSchema for Token {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Token".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_written_out_but_stays_equal() {
        let token = Token::new("secret-token");
        let json = serde_json::to_string(&token).unwrap();
        assert!(!json.contains("secret") && !format!("{token:?}").contains("secret"));
        let back: Token = serde_json::from_str(&json).unwrap();
        assert_eq!(back, token);
        assert_eq!(back.reveal(), None);
        assert_ne!(back, Token::new("other"));
    }
}
