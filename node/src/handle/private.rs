//! What clients keep in the node: private settings of its owners, and records of this node alone.

use std::collections::BTreeMap;

use xom_protocol::Did;

use super::Handle;
use crate::error::{CommandError, StoreError};
use crate::store::records::Records;

impl Handle {
    /// Puts private settings of a local identity, all or none; an empty value deletes. They are told to the other
    /// devices of the identity and to nobody else (`PAIR-8`). Durable when it answers.
    ///
    /// Refused are keys of more than 128 bytes, values of more than 1,024, and more than 16,384 keys.
    pub async fn put_settings(&self, identity: Did, changes: BTreeMap<String, Vec<u8>>) -> Result<(), CommandError> {
        self.store.put_settings(identity, changes).await
    }

    /// Runs a change of records, which belong to this node alone and are in no backup, in one transaction. Durable
    /// when it answers. The change can be run more than once and must do nothing but read and write records.
    pub async fn records<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Records<'_, '_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.store.records(change).await
    }
}
