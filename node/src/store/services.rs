//! Where the devices of this node can be reached, stated for those who follow (`SYN-20`).

use xom_protocol::Did;
use xom_protocol::identity::compose;

use super::Store;
use super::batch::Batch;
use crate::error::StoreError;

impl Store {
    /// Has the device of a local identity state its addresses, where they are news; true if they stand now.
    /// Nothing is stated while the device key is sealed, the device has ended, or a lock would stop it.
    pub(crate) async fn state_services(&self, did: Did, addresses: Vec<String>) -> Result<bool, StoreError> {
        self.write(move |batch| batch.state_services(did, &addresses)).await
    }
}

impl Batch<'_> {
    fn state_services(&mut self, did: Did, addresses: &[String]) -> Result<bool, StoreError> {
        let (Some(record), Some(key)) = (self.identity(&did)?, self.shared.device_key(&did)) else { return Ok(false) };
        let (state, device) = (record.state(), key.public().device_id());
        let Some(known) = state.live_device(&device).filter(|_| state.locks.is_empty()) else { return Ok(false) };
        if known.services == addresses {
            return Ok(true);
        }
        let rev = record.next_services_rev(&device);
        let refused = |cause: &dyn std::fmt::Display| StoreError::Damaged(format!("own addresses: {cause}"));
        let stated =
            compose::services(self.shared.network, did, &key, rev, addresses.to_vec()).map_err(|e| refused(&e))?;
        let inserted = self.insert_identity(did, &[stated.encode()])?;
        match inserted.refused.first() {
            Some(rule) => Err(refused(&rule)),
            None => Ok(true),
        }
    }
}
