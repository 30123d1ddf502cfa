//! Secrets by reference: the configuration says where a secret is, never what it is.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How long a command may take to print a secret.
pub const COMMAND_DEADLINE: Duration = Duration::from_secs(15);

/// A secret longer than this is a wrong file, not a secret.
const MAX_BYTES: usize = 64 * 1024;

/// Where a secret can be found. Resolved anew for every use, so that a renewed one is picked up;
/// who asks often keeps what a command printed for a while.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Secret {
    /// The value of an environment variable.
    Env(String),
    /// The content of a file, without the line end. `~/` is the home folder.
    File(PathBuf),
    /// What a program prints, without the line end; run directly, not through a shell.
    Command(Vec<String>),
}

/// A resolved secret. It cannot be printed, only [exposed](SecretValue::expose) on purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(String);

impl SecretValue {
    /// The secret itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl fmt::Display for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Why a secret could not be had. None of these carries any part of the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or empty.
    #[error("the environment variable {0} is not set or empty")]
    NoVariable(String),
    /// The file cannot be read.
    #[error("{path}: {why}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// The program could not be started, failed, or printed nothing of use.
    #[error("`{program}` {why}")]
    Command {
        /// Which program.
        program: String,
        /// What happened.
        why: String,
    },
}

impl Secret {
    /// Fetches the secret from where it is kept.
    pub async fn resolve(&self) -> Result<SecretValue, SecretError> {
        match self {
            Self::Env(name) => match std::env::var(name) {
                Ok(value) if !value.trim().is_empty() => Ok(trimmed(&value)),
                _ => Err(SecretError::NoVariable(name.clone())),
            },
            Self::File(path) => read_file(path.clone()).await,
            Self::Command(words) => run(words, COMMAND_DEADLINE).await,
        }
    }

    /// The warning an operator should see, if the way the secret is kept calls for one: a file
    /// that every user of the machine can read.
    pub fn warning(&self) -> Option<String> {
        let Self::File(path) = self else { return None };
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(home(path)).ok()?.permissions().mode();
            (mode & 0o004 != 0)
                .then(|| format!("{} can be read by every user: chmod o-r {0}", path.display()))
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            None
        }
    }
}

async fn read_file(path: PathBuf) -> Result<SecretValue, SecretError> {
    let fail = |why: String| SecretError::File { path: path.clone(), why };
    let bytes = tokio::fs::read(home(&path)).await.map_err(|e| fail(e.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(fail("is too large for a secret".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|_| fail("is not text".to_owned()))?;
    if text.trim().is_empty() {
        return Err(fail("is empty".to_owned()));
    }
    Ok(trimmed(&text))
}

async fn run(words: &[String], deadline: Duration) -> Result<SecretValue, SecretError> {
    let program = words.first().cloned().unwrap_or_default();
    let fail = |why: String| SecretError::Command { program: program.clone(), why };
    let mut command = std::process::Command::new(&program);
    command.args(words.get(1..).unwrap_or_default()).stdin(std::process::Stdio::null());
    // In the background, the system stops a program that would ask at our terminal.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = tokio::process::Command::from(command).kill_on_drop(true).output();
    // What the program says on stderr may quote the secret, so only its exit status is told.
    let done = tokio::time::timeout(deadline, child)
        .await
        .map_err(|_| fail(format!("did not answer within {deadline:?}; it cannot ask here")))?
        .map_err(|e| fail(format!("could not be run: {e}")))?;
    if !done.status.success() {
        return Err(fail(format!("failed ({})", done.status)));
    }
    if done.stdout.len() > MAX_BYTES {
        return Err(fail("printed too much for a secret".to_owned()));
    }
    let text = String::from_utf8(done.stdout).map_err(|_| fail("printed no text".to_owned()))?;
    if text.trim().is_empty() {
        return Err(fail("printed nothing".to_owned()));
    }
    Ok(trimmed(&text))
}

fn trimmed(text: &str) -> SecretValue {
    SecretValue(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// `~/x` in the home folder; everything else as it is.
fn home(path: &std::path::Path) -> Cow<'_, std::path::Path> {
    match (path.strip_prefix("~"), directories::BaseDirs::new()) {
        (Ok(rest), Some(dirs)) => Cow::Owned(dirs.home_dir().join(rest)),
        _ => Cow::Borrowed(path),
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(words) => {
                write!(f, "command {}", words.first().map_or("", String::as_str))
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

/// A reference to a secret: exactly one of the three. The secret itself is never written here.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Secret", extend("minProperties" = 1, "maxProperties" = 1))]
struct Reference {
    /// The name of the environment variable that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    env: Option<String>,
    /// The file that holds it (readable by you alone); `~/` is the home folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// The program, and its arguments, that print it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    command: Option<Vec<String>>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let wrong = || serde::de::Error::custom("a secret is one of env, file, command");
        match Reference::deserialize(input)? {
            Reference { env: Some(name), file: None, command: None } => Ok(Self::Env(name)),
            Reference { env: None, file: Some(path), command: None } => Ok(Self::File(path)),
            Reference { env: None, file: None, command: Some(words) } if !words.is_empty() => {
                Ok(Self::Command(words))
            }
            _ => Err(wrong()),
        }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let (env, file, command) = match self.clone() {
            Self::Env(name) => (Some(name), None, None),
            Self::File(path) => (None, Some(path), None),
            Self::Command(words) => (None, None, Some(words)),
        };
        Reference { env, file, command }.serialize(output)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Reference::json_schema(generator);
        schema.insert("format".to_owned(), "flightdeck-secret".into());
        schema
    }
}

/// The value of a request header: plain text, or a secret.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeaderValue {
    /// Sent as it is.
    Plain(String),
    /// Resolved for each request.
    Secret(Secret),
}

impl HeaderValue {
    /// The text to send.
    pub async fn resolve(&self) -> Result<SecretValue, SecretError> {
        match self {
            Self::Plain(text) => Ok(SecretValue(text.clone())),
            Self::Secret(secret) => secret.resolve().await,
        }
    }
}

impl JsonSchema for HeaderValue {
    fn schema_name() -> Cow<'static, str> {
        "HeaderValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = generator.subschema_for::<Secret>();
        json_schema!({
            "description": "Plain text, or a reference to a secret.",
            "anyOf": [{ "type": "string" }, secret],
        })
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
