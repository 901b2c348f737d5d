//! Records of apps by their kind, newest first: of each the value that stands (`BODY-6`, `LOG-10`).

use xom_protocol::body::Record;
use xom_protocol::log::RegisterKey;

use super::{NewEntry, Views, hash16, row};
use crate::error::StoreError;
use crate::model::Event;

/// The hash of an app's kind.
pub(crate) fn kind_hash(kind: &str) -> row::Hash16 {
    hash16("xom record kind v1", kind)
}

impl Views<'_> {
    /// Does `write`, which changes the values of the record, and lists the one that stands then.
    pub(super) fn record_changes(
        &mut self,
        record: &Record,
        entry: &NewEntry<'_>,
        write: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let author = self.account_of(&entry.header.author)?;
        let register = RegisterKey::record(&record.kind, &record.key).digest(&entry.header.author);
        let old = self.standing(&register)?;
        write(self)?;
        let new = self.standing(&register)?;
        if old == new {
            return Ok(());
        }
        if entry.arrival.live {
            let (kind, key) = (record.kind.clone(), record.key.clone());
            self.events.push(Event::RecordChanged { author: entry.header.author, kind, key });
        }
        let kind = kind_hash(&record.kind);
        if let Some(old) = old {
            self.records.remove((&kind, old.row.counter)).map(|_| ())?;
        }
        if let Some(new) = new {
            let place = new.row.place;
            self.records.insert((&kind, new.row.counter), (author, place.log, place.seq)).map(|_| ())?;
        }
        Ok(())
    }
}
