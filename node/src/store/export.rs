//! Reading everything of one identity for an export.

use std::collections::BTreeSet;

use xom_protocol::body::Body;
use xom_protocol::entry::{SaltedBody, SignedEntry};
use xom_protocol::keys::Signature;
use xom_protocol::{BlobId, Did};

use super::erasure::attachments;
use super::snapshot::Snapshot;
use super::tables;
use super::{Store, batch::HeldEntry};
use crate::error::{CommandError, StoreError};
use crate::export::ExportWriter;

impl Store {
    /// Everything of a local identity; see [`crate::export`] for the form.
    pub(crate) async fn export(&self, identity: Did) -> Result<Vec<u8>, CommandError> {
        if !self.locals().iter().any(|local| local.did == identity) {
            return Err(CommandError::NotLocal(identity));
        }
        let store = self.clone();
        let exported = tokio::task::spawn_blocking(move || store.snapshot()?.export(identity)).await;
        Ok(exported.unwrap_or(Err(StoreError::Stopping))?)
    }
}

impl Snapshot {
    fn export(&self, did: Did) -> Result<Vec<u8>, StoreError> {
        let mut export = ExportWriter::new(self.shared.network, did);
        for object in self.identity_objects(&did)? {
            export.object(&object);
        }
        let mut blobs = BTreeSet::new();
        for held in self.heads_of(&did)? {
            let Some(log) = self.log_number(&held.log)? else { continue };
            for item in self.entries.range((log, 0)..(log, held.position.height))? {
                let held = HeldEntry::read(item?.1.value().to_vec())?;
                export.entry(&self.exported(log, &held, &mut blobs)?);
            }
        }
        for blob in blobs {
            if let Some(bytes) = self.shared.read_blob_file(&blob)? {
                export.blob(&blob, &bytes);
            }
        }
        Ok(export.finish())
    }

    fn exported(&self, log: u32, held: &HeldEntry, blobs: &mut BTreeSet<BlobId>) -> Result<SignedEntry, StoreError> {
        let row = held.row();
        let body = if row.is_live() { self.body_bytes((log, held.header.seq), &row)? } else { None };
        if let Some(body) = body.as_ref().and_then(|(_, bytes)| Body::decode(&held.header.kind, bytes).ok()) {
            let table = self.table(tables::BLOBS)?;
            for attachment in attachments(&body) {
                if table.get(&attachment.blob.0)?.is_some_and(|row| row.value().state == tables::BlobState::Held) {
                    blobs.insert(attachment.blob);
                }
            }
        }
        Ok(SignedEntry {
            header: row.header.to_vec(),
            signature: row.signature.copied().map(Signature),
            body: body.map(|(salt, bytes)| SaltedBody { salt, bytes }),
        })
    }
}
