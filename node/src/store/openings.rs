//! The public logs that a device opens besides its root log (`LOG-1`): which stand does not depend on
//! the order in which the openings came.

use xom_protocol::body::{Body, LogOpen};
use xom_protocol::entry::Header;
use xom_protocol::limits::LOGS_PER_DEVICE_MAX;
use xom_protocol::log::{log_id, root_log_id};
use xom_protocol::{DeviceId, LogId};

use super::Notice;
use super::batch::Batch;
use super::snapshot::Snapshot;
use super::tables::{self, PlaceKey};
use crate::error::StoreError;

impl Batch<'_> {
    /// Takes note of an opening. It has an effect in the device's root log only, and a second one of the
    /// same log has none.
    pub(super) fn open_log(&mut self, place: PlaceKey, header: &Header, opening: &LogOpen) -> Result<(), StoreError> {
        if header.log != root_log_id(self.shared.network, &header.author, &header.device) {
            return Ok(());
        }
        let log = self.opened_by(header, opening);
        let first = self.openings.get(&log.0)?.map(|first| first.value());
        if first.is_some_and(|first| first <= place) {
            return Ok(());
        }
        if let Some(later) = first {
            self.openings_of.remove(later)?;
        }
        self.openings.insert(&log.0, place)?;
        self.openings_of.insert(place, ())?;
        // Whoever follows wants it from now on.
        self.after.notices.push(Notice::LogChanged(header.author));
        Ok(())
    }

    /// Forgets an opening that does not count any more; nor do those after it then.
    pub(super) fn close_log(&mut self, place: PlaceKey, header: &Header, opening: &LogOpen) -> Result<(), StoreError> {
        let log = self.opened_by(header, opening);
        if self.openings.get(&log.0)?.is_some_and(|first| first.value() == place) {
            self.openings.remove(&log.0)?;
            self.openings_of.remove(place)?;
        }
        Ok(())
    }

    /// True where `device` has opened the log, and not above the limit. Its root log is one of those
    /// that it may have.
    pub(super) fn is_opened(&self, log: &LogId, device: &DeviceId) -> Result<bool, StoreError> {
        let Some((root, seq)) = self.openings.get(&log.0)?.map(|place| place.value()) else { return Ok(false) };
        let up_to = self.openings_of.range((root, 0)..=(root, seq))?.take(LOGS_PER_DEVICE_MAX).count();
        Ok(up_to < LOGS_PER_DEVICE_MAX && self.log_row(root)?.device == *device)
    }

    fn opened_by(&self, header: &Header, opening: &LogOpen) -> LogId {
        log_id(self.shared.network, &header.author, &header.device, &opening.purpose, &opening.purpose_id)
    }
}

impl Snapshot {
    /// The logs that a device has opened in its root log, as many as it may have besides it (`LOG-1`).
    pub(crate) fn opened_logs(&self, root: &LogId) -> Result<Vec<LogId>, StoreError> {
        let Some(number) = self.log_number(root)? else { return Ok(Vec::new()) };
        let openings = self.table(tables::OPENINGS_OF)?;
        let mut opened = Vec::new();
        for row in openings.range((number, 0)..=(number, u64::MAX))?.take(LOGS_PER_DEVICE_MAX - 1) {
            if let Some((header, Body::LogOpen(opening))) = self.body(row?.0.value())? {
                let (purpose, id) = (&opening.purpose, &opening.purpose_id);
                opened.push(log_id(self.shared.network, &header.author, &header.device, purpose, id));
            }
        }
        Ok(opened)
    }
}
