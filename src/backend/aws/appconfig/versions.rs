//! The documents that are deployed: each version is read once, for it never changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_appconfig::Client;
use futures::stream::{self, StreamExt as _};

use super::AppConfig;
use super::document::Document;
use super::lock::lock;
use crate::backend::aws::reader::{Connection, ends_read};
use crate::backend::context::ReadContext;
use crate::domain::error::{Fault, FaultKind};

/// Documents read side by side.
const SIDE_BY_SIDE: usize = 4;

/// A profile's id and the number of a version of it.
pub(super) type VersionId = (String, i32);
/// Documents that were read.
pub(super) type Known = BTreeMap<VersionId, Arc<Document>>;
/// Documents, or why they could not be read.
pub(super) type Documents = BTreeMap<VersionId, Result<Arc<Document>, Fault>>;

impl AppConfig {
    /// The documents `wanted` of one application; those known are not read again, and those no
    /// longer wanted are forgotten.
    pub(super) async fn documents(
        &self,
        connection: &Connection<Client>,
        application: &str,
        wanted: BTreeSet<VersionId>,
        context: &ReadContext,
    ) -> Result<Documents, Fault> {
        let known = lock(&self.documents).get(application).cloned().unwrap_or_default();
        let mut documents = Documents::new();
        let mut reads = Vec::new();
        for version in wanted {
            match known.get(&version) {
                Some(document) => {
                    documents.insert(version, Ok(Arc::clone(document)));
                }
                None => reads.push(self.document(connection, application, version, context)),
            }
        }
        let reads: Vec<_> = stream::iter(reads).buffered(SIDE_BY_SIDE).collect().await;
        for (version, document) in reads {
            if let Err(fault) = &document
                && ends_read(fault)
            {
                return Err(fault.clone());
            }
            documents.insert(version, document);
        }
        if let Some(known) = lock(&self.documents).get_mut(application) {
            known.retain(|version, _| documents.contains_key(version));
        }
        Ok(documents)
    }

    async fn document(
        &self,
        connection: &Connection<Client>,
        application: &str,
        version: VersionId,
        context: &ReadContext,
    ) -> (VersionId, Result<Arc<Document>, Fault>) {
        const OPERATION: &str = "GetHostedConfigurationVersion";
        let (profile, number) = &version;
        context.spend().await;
        let request = connection
            .client
            .get_hosted_configuration_version()
            .application_id(application)
            .configuration_profile_id(profile)
            .version_number(*number);
        let document = match request.send().await {
            Ok(answer) => {
                let content = answer.content().map(AsRef::as_ref).unwrap_or_default();
                Document::parse(content).map(Arc::new).map_err(|why| {
                    let message = format!("version {number}: {why}");
                    Fault::new(FaultKind::InvalidReply, message)
                        .hint("look at the version in AppConfig: it is no flag document")
                })
            }
            Err(error) => Err(connection.fault(&error, OPERATION, context.now())),
        };
        if let Ok(document) = &document {
            // At once: if this read is given up, the next one goes on from here.
            let mut known = lock(&self.documents);
            let known = known.entry(application.to_owned()).or_default();
            known.insert(version.clone(), Arc::clone(document));
        }
        (version, document)
    }
}
