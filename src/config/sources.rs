//! The settings of each kind of source: one struct per kind, which its adapter takes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scalar::{Glob, HttpUrl, HumanDuration, SocketAddress};
use super::secret::{HeaderValue, Secret};

/// The words that can stand after `kind =`.
pub const KINDS: [&str; 9] = [
    "codepipeline",
    "cloudwatch",
    "appconfig",
    "prometheus",
    "unleash",
    "haproxy",
    "http",
    "runs",
    "rehearsal",
];

/// One configured backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SourceConfig {
    /// Pipelines, executions and approvals of AWS CodePipeline in one account and region.
    CodePipeline(CodePipelineSource),
    /// Metrics and alarms of AWS CloudWatch in one account and region.
    CloudWatch(CloudWatchSource),
    /// Feature flags of AWS AppConfig in one account and region.
    AppConfig(AppConfigSource),
    /// Metrics, alerts and targets of one Prometheus.
    Prometheus(PrometheusSource),
    /// Feature flags of one Unleash (Admin API, versions 7 and 8).
    Unleash(UnleashSource),
    /// Traffic weights and server health of one HAProxy (Runtime API).
    HaProxy(HaProxySource),
    /// The health and version of environments, by asking addresses of theirs.
    Http(HttpSource),
    /// What `probe` and `replay` wrote, for canaries to be judged by.
    Runs(RunsSource),
    /// The embedded practice world.
    Rehearsal(RehearsalSource),
}

impl SourceConfig {
    /// How and how often the source is read.
    pub fn reading(&self) -> &Reading {
        match self {
            Self::CodePipeline(s) => &s.reading,
            Self::CloudWatch(s) => &s.reading,
            Self::AppConfig(s) => &s.reading,
            Self::Prometheus(s) => &s.reading,
            Self::Unleash(s) => &s.reading,
            Self::HaProxy(s) => &s.reading,
            Self::Http(s) => &s.reading,
            Self::Runs(s) => &s.reading,
            Self::Rehearsal(s) => &s.reading,
        }
    }

    /// The word that stands after `kind =` in the file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CodePipeline(_) => "codepipeline",
            Self::CloudWatch(_) => "cloudwatch",
            Self::AppConfig(_) => "appconfig",
            Self::Prometheus(_) => "prometheus",
            Self::Unleash(_) => "unleash",
            Self::HaProxy(_) => "haproxy",
            Self::Http(_) => "http",
            Self::Runs(_) => "runs",
            Self::Rehearsal(_) => "rehearsal",
        }
    }
}

/// What every kind of source takes: left out, the general setting counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Reading {
    /// How often it is read while nobody looks and nothing moves; instead of `polling.slow`.
    #[schemars(extend("x-at-least" = "1s"))]
    pub every: Option<HumanDuration>,
    /// Calls a minute at most; instead of `polling.budget_per_minute`.
    #[schemars(range(min = 1))]
    pub budget_per_minute: Option<u32>,
    /// How long one call may take; instead of `polling.deadline`.
    #[schemars(extend("x-at-least" = "1s"))]
    pub deadline: Option<HumanDuration>,
    /// The age at which its facts count as stale; instead of `freshness.stale_after`.
    #[schemars(extend("x-at-least" = "1s"))]
    pub stale_after: Option<HumanDuration>,
    /// The age at which its facts count as lost; instead of `freshness.lost_after`.
    #[schemars(extend("x-at-least" = "1s"))]
    pub lost_after: Option<HumanDuration>,
}

/// As whom and where the AWS kinds connect. Left out, the standard chain decides: environment
/// variables, profile, SSO, web identity, container and instance roles.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AwsAccess {
    /// The region, as in eu-west-1; otherwise that of the profile or environment.
    pub region: Option<String>,
    /// The profile of ~/.aws/config to use.
    pub profile: Option<String>,
    /// Another address of the service, for private endpoints and emulators.
    pub endpoint: Option<HttpUrl>,
    /// Another address of STS, which tells who we are and gives roles. Left out, AWS's own; that
    /// of an emulator on this machine is its `endpoint`.
    pub sts_endpoint: Option<HttpUrl>,
    /// The role to assume with the credentials found.
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
}

/// AWS CodePipeline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(inline)]
pub struct CodePipelineSource {
    /// As whom and where it connects.
    #[serde(flatten)]
    pub aws: AwsAccess,
    /// Which pipelines are read, by name; all of them when empty.
    pub pipelines: Vec<Glob>,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// AWS CloudWatch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(inline)]
pub struct CloudWatchSource {
    /// As whom and where it connects.
    #[serde(flatten)]
    pub aws: AwsAccess,
    /// Which alarms are read, by name; all of them when empty.
    pub alarms: Vec<Glob>,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// AWS AppConfig.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(inline)]
pub struct AppConfigSource {
    /// As whom and where it connects.
    #[serde(flatten)]
    pub aws: AwsAccess,
    /// Which applications are read, by name; all of them when empty.
    pub applications: Vec<Glob>,
    /// The deployment strategies that our changes may take, by name or id, the usual one first;
    /// `AppConfig.AllAtOnce` when left out.
    pub strategies: Vec<String>,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// Prometheus, or what speaks its HTTP API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PrometheusSource {
    /// Its address, with the path it is served under.
    pub url: HttpUrl,
    /// How requests are authenticated.
    #[serde(default)]
    pub auth: Option<HttpAuth>,
    /// A file with further certificate authorities to trust (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Headers sent with every request, for example a tenant id.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// How an HTTP request proves who sends it: exactly one of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
#[serde(rename_all = "lowercase")]
pub struct HttpAuth {
    /// A bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer: Option<Secret>,
    /// A user name and a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<BasicAuth>,
}

/// A user name and a password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BasicAuth {
    /// The user name.
    pub user: String,
    /// Where the password is kept.
    pub password: Secret,
}

/// Unleash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct UnleashSource {
    /// Its address, without /api.
    pub url: HttpUrl,
    /// A personal or service-account token for the Admin API.
    pub token: Secret,
    /// Which projects are read, by id; all of them when empty.
    #[serde(default)]
    pub projects: Vec<Glob>,
    /// Which environments are read, by name; all of them when empty.
    #[serde(default)]
    pub environments: Vec<Glob>,
    /// A file with further certificate authorities to trust (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// HAProxy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct HaProxySource {
    /// Where its Runtime API listens (`stats socket` in its configuration).
    pub address: SocketAddress,
    /// Which backends are read, by name; all of them when empty.
    #[serde(default)]
    pub backends: Vec<Glob>,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// Addresses whose answers tell the health of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct HttpSource {
    /// The addresses to ask.
    #[schemars(length(min = 1))]
    pub targets: Vec<HttpTarget>,
    /// A file with further certificate authorities to trust (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Headers sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, HeaderValue>,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// One address that tells the health of one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HttpTarget {
    /// Its name; services refer to it as SOURCE/NAME.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The address to ask.
    pub url: HttpUrl,
    /// The environment it belongs to, as it is shown; otherwise the name.
    #[serde(default)]
    pub environment: Option<String>,
    /// Whether that environment is production; otherwise its name decides (`safety.production`).
    #[serde(default)]
    pub production: Option<bool>,
    /// The JSON pointer (RFC 6901) to the running version in the answer, as in /build/version.
    #[serde(default)]
    #[schemars(extend("format" = "json-pointer"))]
    pub version_pointer: Option<String>,
    /// The header of the answer that holds the running version.
    #[serde(default)]
    pub version_header: Option<String>,
    /// Tags of that environment, for services that claim by tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The status codes that mean healthy.
    #[serde(default = "ok_status")]
    #[schemars(length(min = 1), inner(range(min = 100, max = 599)))]
    pub expect_status: Vec<u16>,
}

fn ok_status() -> Vec<u16> {
    vec![200]
}

/// A folder of runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct RunsSource {
    /// Where the runs are: NAME.ndjson, as `flightdeck probe … -o ndjson` writes it.
    pub folder: PathBuf,
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// The embedded practice world as one source among others.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(inline)]
pub struct RehearsalSource {
    /// How and how often it is read.
    #[serde(flatten)]
    pub reading: Reading,
}
