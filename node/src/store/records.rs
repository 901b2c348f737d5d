//! Records that the client API keeps on this node alone: apps, digests of tokens, uploads that wait.

use redb::ReadableTable;

use super::batch::Batch;
use super::snapshot::Snapshot;
use super::{Store, tables};
use crate::error::StoreError;

/// A key of a record and its value.
pub type Record = (Vec<u8>, Vec<u8>);

/// The records of one write transaction; what is read is what was put before.
pub struct Records<'b, 't> {
    batch: &'b mut Batch<'t>,
}

impl Records<'_, '_> {
    /// The value of a record.
    pub fn get(&self, family: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.batch.client_records.get((family, key))?.map(|value| value.value().to_vec()))
    }

    /// Puts a record in place of what is there.
    pub fn put(&mut self, family: &str, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        self.batch.client_records.insert((family, key), value)?;
        Ok(())
    }

    /// Takes a record out; answers its value.
    pub fn remove(&mut self, family: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.batch.client_records.remove((family, key))?.map(|value| value.value().to_vec()))
    }

    /// The first records of a family whose keys begin with `prefix`, by their keys.
    pub fn range(&self, family: &str, prefix: &[u8], limit: usize) -> Result<Vec<Record>, StoreError> {
        range(self.batch.client_records.open()?, family, prefix, limit)
    }
}

impl Store {
    /// Runs a change of records in one write transaction. It can be run again where others of the same group commit
    /// failed, so that it must do nothing but read and write them.
    pub(crate) async fn records<T, F>(&self, mut change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Records<'_, '_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.write(move |batch| change(&mut Records { batch })).await
    }
}

impl Snapshot {
    /// The value of a record of the client API.
    pub(crate) fn record_of_client(&self, family: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.table(tables::CLIENT_RECORDS)?.get((family, key))?.map(|value| value.value().to_vec()))
    }

    /// The first records of a family whose keys begin with `prefix`, by their keys.
    pub(crate) fn records_of_client(
        &self,
        family: &str,
        prefix: &[u8],
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        range(&self.table(tables::CLIENT_RECORDS)?, family, prefix, limit)
    }
}

fn range(
    table: &impl ReadableTable<(&'static str, &'static [u8]), &'static [u8]>,
    family: &str,
    prefix: &[u8],
    limit: usize,
) -> Result<Vec<Record>, StoreError> {
    let mut found = Vec::new();
    for row in table.range((family, prefix)..)?.take(limit) {
        let (key, value) = row?;
        let (of, key) = key.value();
        if of != family || !key.starts_with(prefix) {
            break;
        }
        found.push((key.to_vec(), value.value().to_vec()));
    }
    Ok(found)
}
