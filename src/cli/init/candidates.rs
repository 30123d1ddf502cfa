//! Which sources to ask, from the arguments. Pure.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use super::InitArgs;
use super::find::Candidate;
use crate::config::Secret;
use crate::config::scalar::HttpUrl;
use crate::config::sources::{
    AppConfigSource, AwsAccess, CloudWatchSource, CodePipelineSource, HaProxySource, HttpAuth,
    HttpSource, HttpTarget, PrometheusSource, Reading, SourceConfig, UnleashSource,
};

/// The sources to ask; otherwise what is wrong with an argument.
pub fn candidates(args: &InitArgs) -> Result<Vec<Candidate>, String> {
    let mut found = aws(args);
    let mut add = |name: &str, config| {
        found.push(Candidate { name: name.to_owned(), config });
    };
    if let Some(text) = &args.prometheus {
        let bearer = args.prometheus_token_env.clone().map(Secret::Env);
        add(
            "prometheus",
            SourceConfig::Prometheus(PrometheusSource {
                url: parse("--prometheus", text)?,
                auth: bearer.map(|token| HttpAuth { bearer: Some(token), basic: None }),
                ca_file: None,
                headers: BTreeMap::new(),
                reading: Reading::default(),
            }),
        );
    }
    if let Some(text) = &args.unleash {
        add(
            "unleash",
            SourceConfig::Unleash(UnleashSource {
                url: parse("--unleash", text)?,
                token: Secret::Env(args.unleash_token_env.clone()),
                projects: Vec::new(),
                environments: Vec::new(),
                ca_file: None,
                reading: Reading::default(),
            }),
        );
    }
    if let Some(text) = &args.haproxy {
        add(
            "haproxy",
            SourceConfig::HaProxy(HaProxySource {
                address: parse("--haproxy", text)?,
                backends: Vec::new(),
                reading: Reading::default(),
            }),
        );
    }
    if !args.http.is_empty() {
        add("web", SourceConfig::Http(http(&args.http)?));
    }
    Ok(found)
}

/// Each of the three services in each region; named by the region only when there are several.
fn aws(args: &InitArgs) -> Vec<Candidate> {
    if args.no_aws || !cfg!(feature = "aws") {
        return Vec::new();
    }
    let regions: Vec<Option<&String>> = match args.regions.as_slice() {
        [] => vec![None],
        regions => regions.iter().map(Some).collect(),
    };
    let several = regions.len() > 1;
    let mut found = Vec::new();
    for region in regions {
        let access = AwsAccess {
            region: region.cloned(),
            profile: args.profile.clone(),
            ..AwsAccess::default()
        };
        let suffix = region.filter(|_| several).map(|r| format!("-{r}")).unwrap_or_default();
        let mut add = |name: &str, config| {
            found.push(Candidate { name: format!("{name}{suffix}"), config });
        };
        add(
            "pipelines",
            SourceConfig::CodePipeline(CodePipelineSource {
                aws: access.clone(),
                ..CodePipelineSource::default()
            }),
        );
        add(
            "flags",
            SourceConfig::AppConfig(AppConfigSource {
                aws: access.clone(),
                ..AppConfigSource::default()
            }),
        );
        add(
            "alarms",
            SourceConfig::CloudWatch(CloudWatchSource {
                aws: access,
                ..CloudWatchSource::default()
            }),
        );
    }
    found
}

/// One target per address, named by its host; a second one of a host by its path too.
fn http(addresses: &[String]) -> Result<HttpSource, String> {
    let mut targets: Vec<HttpTarget> = Vec::new();
    for text in addresses {
        let url: HttpUrl = parse("--http", text)?;
        let plain = url.as_str();
        let rest = plain.split_once("://").map_or(plain, |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let taken = |name: &str| targets.iter().any(|target| target.name == name);
        let name = if taken(host) { rest } else { host };
        if taken(name) {
            return Err(format!("--http {text}: given twice"));
        }
        targets.push(HttpTarget {
            name: name.to_owned(),
            url,
            environment: None,
            production: None,
            version_pointer: None,
            version_header: None,
            tags: BTreeMap::new(),
            expect_status: vec![200],
        });
    }
    Ok(HttpSource { targets, ca_file: None, headers: BTreeMap::new(), reading: Reading::default() })
}

fn parse<T: FromStr<Err: Display>>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|why| format!("{flag} {text}: {why}"))
}
