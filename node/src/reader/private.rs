//! Private settings of local identities, and the records of the client API.

use redb::ReadOnlyTable;
use xom_protocol::Did;

use super::{Read, Reader};
use crate::store::records::Record;
use crate::store::settings::{live_setting, live_settings};
use crate::store::tables::{self, SettingKey};

/// Private settings, open to be read.
pub(super) type PrivateTable = ReadOnlyTable<SettingKey<'static>, &'static [u8]>;

impl Reader {
    /// The value of a private setting; none where it was never put, or deleted.
    pub fn setting(&self, identity: &Did, key: &str) -> Read<Option<Vec<u8>>> {
        let Some((table, number)) = self.private_table(identity)? else { return Ok(None) };
        live_setting(table, number, key)
    }

    /// The private settings whose keys begin with `prefix`, by their keys, without those that were deleted.
    pub fn settings(&self, identity: &Did, prefix: &str) -> Read<Vec<(String, Vec<u8>)>> {
        let Some((table, number)) = self.private_table(identity)? else { return Ok(Vec::new()) };
        live_settings(table, number, prefix)
    }

    /// The table of private settings, opened once, and the number of an identity, looked up once: a page asks for some
    /// of each status.
    fn private_table(&self, identity: &Did) -> Read<Option<(&PrivateTable, u32)>> {
        let known = self.private_of.get().filter(|(did, _)| did == identity).map(|(_, number)| number);
        let number = match known {
            Some(number) => number,
            None => {
                let number = self.snapshot.identity_number(identity)?;
                self.private_of.set(Some((*identity, number)));
                number
            }
        };
        let Some(number) = number else { return Ok(None) };
        if let Some(table) = self.private.get() {
            return Ok(Some((table, number)));
        }
        let table = self.table(tables::SETTINGS)?;
        Ok(Some((self.private.get_or_init(|| table), number)))
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
