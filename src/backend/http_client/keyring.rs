//! Secrets that a command printed, kept for a while: a password manager is not asked at every read.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::{Duration, Instant};

use crate::config::{HeaderValue, Secret, SecretError, SecretValue};

/// How long what a command printed is used.
const KEPT: Duration = Duration::from_mins(5);

/// What the commands of one source printed.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    /// Held while a command runs, so that reads side by side run it once.
    kept: tokio::sync::Mutex<HashMap<Secret, Kept>>,
    /// How many times the backend refused what it was sent.
    refusals: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    value: SecretValue,
    since: Instant,
    /// Refusals until then.
    refusals: u64,
}

impl Keyring {
    /// The secret, from where it is kept or from what was printed not long ago.
    pub(super) async fn secret(&self, secret: &Secret) -> Result<SecretValue, SecretError> {
        let Secret::Command(_) = secret else { return secret.resolve().await };
        let mut kept = self.kept.lock().await;
        let refusals = self.refusals.load(Ordering::Relaxed);
        if let Some(known) = kept.get(secret)
            && known.since.elapsed() < KEPT
            && known.refusals == refusals
        {
            return Ok(known.value.clone());
        }
        let value = secret.resolve().await?;
        let known = Kept { value: value.clone(), since: Instant::now(), refusals };
        kept.insert(secret.clone(), known);
        Ok(value)
    }

    /// The text of a header.
    pub(super) async fn header(&self, value: &HeaderValue) -> Result<SecretValue, SecretError> {
        match value {
            HeaderValue::Secret(secret) => self.secret(secret).await,
            HeaderValue::Plain(_) => value.resolve().await,
        }
    }

    /// The backend refused what it was sent: the next read asks for it anew.
    pub(super) fn refused(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Only for a moment: under a stopped clock a child process has no time to answer.
    async fn later(by: Duration) {
        tokio::time::pause();
        tokio::time::advance(by).await;
        tokio::time::resume();
    }

    #[tokio::test]
    async fn a_command_runs_once_in_five_minutes_or_after_a_refusal() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!("echo x >> {0}; wc -l < {0}", log.display());
        let secret = Secret::Command(vec!["sh".to_owned(), "-c".to_owned(), script]);
        let ring = Keyring::default();
        let now = async || ring.secret(&secret).await.unwrap().expose().trim().to_owned();
        let (one, two) = futures::future::join(now(), now()).await;
        assert_eq!((one.as_str(), two.as_str()), ("1", "1"));
        later(KEPT / 2).await;
        assert_eq!(now().await, "1");
        later(KEPT / 2).await;
        assert_eq!(now().await, "2");
        ring.refused();
        assert_eq!(now().await, "3");
        assert_eq!(now().await, "3");
    }

    #[tokio::test]
    async fn a_file_is_read_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let ring = Keyring::default();
        for text in ["one", "two"] {
            std::fs::write(file.path(), text).unwrap();
            let secret = Secret::File(file.path().to_owned());
            assert_eq!(ring.secret(&secret).await.unwrap().expose(), text);
        }
    }
}
