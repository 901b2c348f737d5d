//! What is known of identities, kept ready between reads: verified records, made from stored objects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use xom_protocol::identity::{IdentityRecord, SignedObject};
use xom_protocol::{Did, Network};

use crate::error::StoreError;
use crate::store::Snapshot;

/// Records that are kept ready; above it all are dropped and made again as needed.
const RECORDS_MAX: usize = 4_096;

/// An identity as of its newest object.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// The arrival counter of its newest object.
    pub(super) changed: u64,
    /// All that is known of it; none where no genesis is held yet.
    pub(super) record: Option<Arc<IdentityRecord>>,
}

/// The records, by identity.
#[derive(Debug)]
pub(super) struct Identities {
    network: Network,
    known: Mutex<BTreeMap<Did, Known>>,
}

impl Identities {
    /// None yet.
    pub(super) fn new(network: Network) -> Self {
        Self { network, known: Mutex::default() }
    }

    /// What is known of `did`; none if nothing ever was. Blocking.
    pub(super) fn get(&self, snapshot: &Snapshot, did: &Did) -> Result<Option<Known>, StoreError> {
        let number = snapshot.identity_number(did)?;
        let Some(row) = number.map(|number| snapshot.identity(number)).transpose()?.flatten() else { return Ok(None) };
        let have = self.lock().get(did).filter(|known| known.changed >= row.changed).cloned();
        if have.is_some() {
            return Ok(have);
        }
        let objects = snapshot.identity_objects(did)?;
        let known = Known { changed: row.changed, record: record_of(self.network, &objects)?.map(Arc::new) };
        let mut all = self.lock();
        if all.len() >= RECORDS_MAX {
            all.clear();
        }
        all.insert(*did, known.clone());
        Ok(Some(known))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Did, Known>> {
        self.known.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

/// The record that stored objects make; they were verified before they were stored.
fn record_of(network: Network, objects: &[Vec<u8>]) -> Result<Option<IdentityRecord>, StoreError> {
    let damaged = |cause: &dyn std::fmt::Display| StoreError::Damaged(format!("identity object: {cause}"));
    let objects: Result<Vec<_>, _> = objects.iter().map(|bytes| SignedObject::decode(bytes)).collect();
    let objects = objects.map_err(|e| damaged(&e))?;
    if objects.is_empty() {
        return Ok(None);
    }
    IdentityRecord::from_objects(network, objects).map(Some).map_err(|e| damaged(&e))
}
