//! Records of apps in the name of a local identity (`BODY-6`): put in place of what is there, and taken back.

use xom_protocol::body::{Body, Record};
use xom_protocol::log::RegisterKey;
use xom_protocol::{Did, EntryId};

use super::batch::Batch;
use super::compose::{Answer, UNCHANGED, done};
use crate::error::CommandError;

/// Most values of one record that a change takes back: more were written apart than devices write in earnest.
const VALUES_ERASED_MAX: usize = 16;

impl Batch<'_> {
    /// Writes the record and takes the values back that it replaces.
    pub(super) fn put_record(&mut self, did: &Did, kind: String, key: String, value: String) -> Answer {
        let register = RegisterKey::record(&kind, &key);
        let rev = self.next_rev(did, register.kind, register.subject);
        let before = self.record_values(did, &register);
        let said = self.say(did, &Body::Record(Record { kind, key, value, rev }))?;
        for entry in before {
            self.erase_entry(did, &entry)?;
        }
        Ok(done(&said, None))
    }

    /// Takes back what stands, and what would stand then.
    pub(super) fn delete_record(&mut self, did: &Did, kind: &str, key: &str) -> Answer {
        let register = RegisterKey::record(kind, key);
        let mut answer = UNCHANGED;
        for entry in self.record_values(did, &register) {
            answer = self.erase_entry(did, &entry)?;
        }
        match self.standing_value(did, register.kind, register.subject) {
            Some(_) => Err(CommandError::Refused("the record has more values; delete it again")),
            None => Ok(answer),
        }
    }

    /// The live values of a record.
    fn record_values(&self, did: &Did, register: &RegisterKey) -> Vec<EntryId> {
        self.own.get(did).map_or_else(Vec::new, |own| own.live.live_values(register).take(VALUES_ERASED_MAX).collect())
    }
}
