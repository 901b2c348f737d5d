//! Identities as DID documents.

use xom_protocol::Did;
use xom_protocol::identity::{DidDocument, IdentityRecord, Payload, SignedObject};

use super::{Read, Reader};
use crate::error::StoreError;

impl Reader {
    /// The DID document of an identity (`ID-13`); none if its identity log is not held.
    pub fn did_document(&self, did: &Did) -> Read<Option<DidDocument>> {
        let objects = self.snapshot.identity_objects(did)?;
        let decoded: Result<Vec<SignedObject>, _> = objects.iter().map(|bytes| SignedObject::decode(bytes)).collect();
        let decoded = decoded.map_err(|error| StoreError::Damaged(error.to_string()))?;
        let Some(first) = decoded.first() else { return Ok(None) };
        let Ok(Payload::Genesis(genesis)) = Payload::decode(first.payload()) else {
            return Err(StoreError::Damaged(format!("{did} does not begin with its genesis")));
        };
        let record = IdentityRecord::from_objects(genesis.network, decoded);
        let record = record.map_err(|error| StoreError::Damaged(error.to_string()))?;
        Ok(Some(record.state().document()))
    }
}
