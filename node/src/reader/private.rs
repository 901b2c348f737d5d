//! Private settings of local identities, and the records of the client API.

use xom_protocol::Did;

use super::{Read, Reader};
use crate::store::records::Record;

impl Reader {
    /// The value of a private setting; none where it was never put, or deleted.
    pub fn setting(&self, identity: &Did, key: &str) -> Read<Option<Vec<u8>>> {
        self.snapshot.private_setting(identity, key)
    }

    /// The private settings whose keys begin with `prefix`, by their keys, without those that were deleted.
    pub fn settings(&self, identity: &Did, prefix: &str) -> Read<Vec<(String, Vec<u8>)>> {
        self.snapshot.private_settings(identity, prefix)
    }

    /// The value of a record of the client API.
    pub fn record(&self, family: &str, key: &[u8]) -> Read<Option<Vec<u8>>> {
        self.snapshot.record_of_client(family, key)
    }

    /// The first records of a family whose keys begin with `prefix`, by their keys.
    pub fn records(&self, family: &str, prefix: &[u8], limit: usize) -> Read<Vec<Record>> {
        self.snapshot.records_of_client(family, prefix, limit)
    }
}
