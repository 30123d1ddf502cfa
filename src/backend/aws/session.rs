//! Sessions: credentials, region and endpoint, shared by the sources that use the same ones.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use tokio::time::Instant;

use super::fault::{self, Call, Caller};
use crate::backend::context::ReadContext;
use crate::config::sources::AwsAccess;
use crate::domain::error::{Fault, FaultKind};
use crate::domain::text::SafeText;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The caller's identity is a courtesy: it must not hold up what was asked for.
const IDENTITY_TIMEOUT: Duration = Duration::from_secs(4);
/// An identity that could not be told is asked for again after this time.
const IDENTITY_PAUSE: Duration = Duration::from_mins(5);

/// All sessions of this program.
#[derive(Debug, Default)]
pub struct Sessions {
    files: Option<ProfileFiles>,
    open: Mutex<Vec<(AwsAccess, Weak<Session>)>>,
}

/// Where profiles are kept.
#[derive(Clone, Debug)]
struct ProfileFiles {
    config: PathBuf,
    credentials: PathBuf,
}

impl Sessions {
    /// Sessions that find profiles where the environment says, else in `~/.aws`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sessions that find profiles in these two files, which must exist.
    pub fn with_files(config: PathBuf, credentials: PathBuf) -> Self {
        Self { files: Some(ProfileFiles { config, credentials }), ..Self::default() }
    }

    /// The session for `access`. Reads nothing yet.
    pub fn open(&self, access: &AwsAccess) -> Arc<Session> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(_, session)| session.strong_count() > 0);
        let known = open.iter().find(|(a, _)| a == access).and_then(|(_, s)| s.upgrade());
        known.unwrap_or_else(|| {
            let session = Arc::new(Session {
                access: access.clone(),
                files: self.files.clone(),
                loaded: tokio::sync::Mutex::new(None),
            });
            open.push((access.clone(), Arc::downgrade(&session)));
            session
        })
    }
}

/// As whom and where: loaded when first used, and anew when credentials were refused or the
/// profile files changed.
#[derive(Debug)]
pub struct Session {
    access: AwsAccess,
    files: Option<ProfileFiles>,
    loaded: tokio::sync::Mutex<Option<Arc<Loaded>>>,
}

/// One loading of a session.
#[derive(Debug)]
pub struct Loaded {
    /// Differs for every loading.
    pub generation: u64,
    /// What clients are made of.
    pub config: SdkConfig,
    /// Whose credentials these are.
    pub caller: Caller,
    sts: SdkConfig,
    stamp: Stamp,
    identity: tokio::sync::Mutex<Option<Identity>>,
}

/// Time and size of the profile files.
type Stamp = Vec<Option<(SystemTime, u64)>>;

#[derive(Clone, Debug)]
enum Identity {
    Known(SafeText),
    Unknown { why: SafeText, asked: Instant },
}

impl Session {
    /// The present loading.
    pub async fn load(&self) -> Result<Arc<Loaded>, Fault> {
        let stamp = self.stamp().await;
        let mut slot = self.loaded.lock().await;
        if let Some(loaded) = slot.as_ref().filter(|loaded| loaded.stamp == stamp) {
            return Ok(Arc::clone(loaded));
        }
        let loaded = Arc::new(self.load_anew(stamp).await?);
        *slot = Some(Arc::clone(&loaded));
        Ok(loaded)
    }

    /// Drops a loading whose credentials were refused, so that the next read starts over with
    /// profile files, SSO cache and roles.
    pub async fn forget(&self, generation: u64) {
        let mut slot = self.loaded.lock().await;
        if slot.as_ref().is_some_and(|loaded| loaded.generation == generation) {
            *slot = None;
        }
    }

    /// Region and profile as far as they are configured, for display before the first read.
    pub fn place(&self) -> SafeText {
        let region = self.access.region.as_deref().unwrap_or("default region");
        let mut place = region.to_owned();
        for more in [&self.access.profile, &self.access.role_arn].into_iter().flatten() {
            place = format!("{place} · {more}");
        }
        if let Some(endpoint) = &self.access.endpoint {
            place = format!("{place} · {endpoint}");
        }
        SafeText::new(&place)
    }

    /// Whether an address other than AWS's own is used.
    pub fn is_elsewhere(&self) -> bool {
        self.access.endpoint.as_ref().is_some_and(|url| !is_amazon(&url.to_string()))
    }

    async fn load_anew(&self, stamp: Stamp) -> Result<Loaded, Fault> {
        static GENERATION: AtomicU64 = AtomicU64::new(1);
        let access = &self.access;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).build());
        if let Some(region) = &access.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(profile) = &access.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(files) = &self.files {
            loader = files.given_to(loader);
        }
        let mut base = loader.load().await;
        let Some(region) = base.region().cloned() else {
            let fault = Fault::new(FaultKind::InvalidRequest, "no AWS region is configured");
            return Err(fault.hint("give the source a `region`, or the profile one"));
        };
        if let Some(profile) = &access.profile {
            // The standard chain asks the environment first; a profile that the configuration
            // names must win, or two accounts side by side would be the same.
            let providers = ProviderConfig::without_region()
                .with_region(Some(region.clone()))
                .with_behavior_version(Some(BehaviorVersion::latest()));
            let mut builder = ProfileFileCredentialsProvider::builder()
                .configure(&providers)
                .profile_name(profile);
            if let Some(files) = &self.files {
                builder = files.also_given_to(builder);
            }
            let provider = SharedCredentialsProvider::new(builder.build());
            base = base.into_builder().credentials_provider(provider).build();
        }
        let endpoint = access.endpoint.as_ref().map(ToString::to_string);
        let sts = match sts_address(access) {
            Some(url) => base.clone().into_builder().endpoint_url(url).build(),
            None => base.clone(),
        };
        let (mut config, mut sts) = (base, sts);
        if let Some(role) = &access.role_arn {
            let mut builder = AssumeRoleProvider::builder(role.as_str())
                .session_name("flightdeck")
                .region(region)
                .configure(&sts);
            if let Some(id) = &access.external_id {
                builder = builder.external_id(id.as_str());
            }
            let provider = SharedCredentialsProvider::new(builder.build().await);
            config = config.into_builder().credentials_provider(provider.clone()).build();
            sts = sts.into_builder().credentials_provider(provider).build();
        }
        if let Some(url) = endpoint {
            config = config.into_builder().endpoint_url(url).build();
        }
        let caller = Caller {
            profile: access.profile.clone(),
            from_environment: access.profile.is_none()
                && std::env::var_os("AWS_ACCESS_KEY_ID").is_some(),
        };
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        let identity = tokio::sync::Mutex::default();
        Ok(Loaded { generation, config, caller, sts, stamp, identity })
    }

    async fn stamp(&self) -> Stamp {
        let mut stamp = Vec::with_capacity(2);
        for path in self.paths() {
            let file = match path {
                Some(path) => tokio::fs::metadata(path).await.ok(),
                None => None,
            };
            stamp.push(file.and_then(|file| Some((file.modified().ok()?, file.len()))));
        }
        stamp
    }

    fn paths(&self) -> [Option<PathBuf>; 2] {
        if let Some(files) = &self.files {
            return [Some(files.config.clone()), Some(files.credentials.clone())];
        }
        [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")].map(
            |(variable, name)| match std::env::var_os(variable) {
                Some(path) => Some(PathBuf::from(path)),
                None => Some(std::env::home_dir()?.join(".aws").join(name)),
            },
        )
    }
}

impl Loaded {
    /// The region.
    pub fn region(&self) -> &str {
        self.config.region().map_or("", AsRef::as_ref)
    }

    /// As whom AWS sees us, `arn · account · region`: asked once for each loading. The error says
    /// why it is not known.
    pub async fn identity(&self, context: &ReadContext) -> Result<SafeText, SafeText> {
        let mut slot = self.identity.lock().await;
        match slot.as_ref() {
            Some(Identity::Known(known)) => return Ok(known.clone()),
            Some(Identity::Unknown { why, asked }) if asked.elapsed() < IDENTITY_PAUSE => {
                return Err(why.clone());
            }
            _ => {}
        }
        let answer = self.ask_identity(context).await;
        *slot = Some(match &answer {
            Ok(known) => Identity::Known(known.clone()),
            Err(why) => Identity::Unknown { why: why.clone(), asked: Instant::now() },
        });
        answer
    }

    async fn ask_identity(&self, context: &ReadContext) -> Result<SafeText, SafeText> {
        const CALL: Call = Call { service: "sts", operation: "GetCallerIdentity" };
        let timeouts = TimeoutConfig::builder().operation_timeout(IDENTITY_TIMEOUT).build();
        let config = aws_sdk_sts::config::Builder::from(&self.sts).timeout_config(timeouts);
        let client = aws_sdk_sts::Client::from_conf(config.build());
        context.spend().await;
        match client.get_caller_identity().send().await {
            Ok(me) => {
                let arn = me.arn().unwrap_or("unknown");
                let account = me.account().unwrap_or("unknown account");
                Ok(SafeText::new(&format!("{arn} · {account} · {}", self.region())))
            }
            Err(error) => {
                let fault = fault::of(&error, CALL, &self.caller, context.now());
                Err(SafeText::new(&format!("identity unknown: {}", fault.message)))
            }
        }
    }
}

impl ProfileFiles {
    #[expect(deprecated, reason = "the type's other path is in a crate that is not ours to name")]
    fn list(&self) -> aws_config::profile::profile_file::ProfileFiles {
        use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
        ProfileFiles::builder()
            .with_file(ProfileFileKind::Config, &self.config)
            .with_file(ProfileFileKind::Credentials, &self.credentials)
            .build()
    }

    fn given_to(&self, loader: aws_config::ConfigLoader) -> aws_config::ConfigLoader {
        loader.profile_files(self.list())
    }

    fn also_given_to(
        &self,
        builder: aws_config::profile::credentials::Builder,
    ) -> aws_config::profile::credentials::Builder {
        builder.profile_files(self.list())
    }
}

/// Whether `url` is an address of AWS's own.
fn is_amazon(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"].iter().any(|end| host.ends_with(end))
}

/// Where STS is asked, if not at AWS. A private address serves one service and not STS; an
/// emulator, which is on this machine, serves everything.
fn sts_address(access: &AwsAccess) -> Option<String> {
    let emulator = access.endpoint.as_ref().filter(|url| is_loopback(url.as_str()));
    access.sts_endpoint.as_ref().or(emulator).map(ToString::to_string)
}

/// Whether `url` is an address of this machine.
fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_address_does_not_get_what_is_for_sts() {
        for (endpoint, sts, expected) in [
            (None, None, None),
            (Some("http://127.0.0.1:4566"), None, Some("http://127.0.0.1:4566")),
            (Some("http://[::1]:4566"), None, Some("http://[::1]:4566")),
            (Some("http://localhost:4566"), None, Some("http://localhost:4566")),
            (Some("https://codepipeline.internal"), None, None),
            (Some("https://127.0.0.1.example.org"), None, None),
            (
                Some("https://codepipeline.internal"),
                Some("https://sts.internal"),
                Some("https://sts.internal"),
            ),
            (Some("http://127.0.0.1:1"), Some("http://127.0.0.1:2"), Some("http://127.0.0.1:2")),
        ] {
            let parse = |url: Option<&str>| url.map(|url| url.parse().unwrap());
            let access = AwsAccess {
                endpoint: parse(endpoint),
                sts_endpoint: parse(sts),
                ..AwsAccess::default()
            };
            assert_eq!(sts_address(&access).as_deref(), expected, "{endpoint:?} {sts:?}");
        }
    }

    #[test]
    fn private_addresses_of_a_service_are_amazons() {
        for (url, expected) in [
            ("https://vpce-1.codepipeline.eu-west-1.vpce.amazonaws.com", true),
            ("https://codepipeline.cn-north-1.amazonaws.com.cn:443/x", true),
            ("http://127.0.0.1:4566", false),
            ("https://amazonaws.com.example.org", false),
        ] {
            assert_eq!(is_amazon(url), expected, "{url}");
        }
    }

    #[test]
    fn the_same_access_is_one_session() {
        let sessions = Sessions::new();
        let access =
            |region: &str| AwsAccess { region: Some(region.to_owned()), ..AwsAccess::default() };
        let (one, same, other) = (
            sessions.open(&access("eu-west-1")),
            sessions.open(&access("eu-west-1")),
            sessions.open(&access("us-east-1")),
        );
        assert!(Arc::ptr_eq(&one, &same));
        assert!(!Arc::ptr_eq(&one, &other));
        assert_eq!(other.place().as_str(), "us-east-1");
    }
}
