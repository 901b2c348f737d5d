//! Reading everything of one identity into an archive (chapter 07), from one consistent state.
//!
//! Sizes stand before contents, so logs and the page are gone through twice. A body that is purged between the
//! two leaves filler behind, and nothing of what it said.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use xom_protocol::body::Body;
use xom_protocol::entry::SaltedBody;
use xom_protocol::keys::Signature;
use xom_protocol::log::root_log_id;
use xom_protocol::{BlobId, Did, LogId};

use super::snapshot::Snapshot;
use super::tables::{self, BlobState, flags};
use super::{Held, Store, batch::HeldEntry};
use crate::archive::{ArchiveWriter, BodyPart, Evidence, LogBytes, Page, PageError, Settings};
use crate::error::{CommandError, StoreError};
use crate::reader::Reader;

/// Bytes that the tag of a sealed body takes.
const TAG_BYTES: usize = 16;

impl Store {
    /// Writes the archive of a local identity to `to`. Answers its length, bytes.
    pub(crate) async fn export(
        &self,
        identity: Did,
        page: Arc<dyn Page>,
        to: impl Write + Send + 'static,
    ) -> Result<u64, CommandError> {
        let store = self.clone();
        let written = tokio::task::spawn_blocking(move || {
            let reader = Reader::new(store.snapshot()?)?;
            let mut owned = reader.snapshot().owned()?.into_iter();
            let found = owned.find(|(did, _)| *did == identity);
            let (_, username) = found.ok_or(CommandError::NotLocal(identity))?;
            let settings = Settings::new(username, reader.snapshot().settings(&identity)?);
            let bytes = write(&reader, identity, settings, &*page, to).map_err(StoreError::from)?;
            Ok(bytes)
        });
        written.await.unwrap_or(Err(StoreError::Stopping.into()))
    }
}

fn write(reader: &Reader, did: Did, settings: Settings, page: &dyn Page, to: impl Write) -> Result<u64, PageError> {
    let snapshot = reader.snapshot();
    let mut archive = ArchiveWriter::new(to, snapshot.shared.network, did)?;
    archive.identity(&snapshot.identity_objects(&did)?)?;
    for held in snapshot.logs_in_order(&did)? {
        snapshot.write_log(&held, &mut archive)?;
    }
    let mut logs: Vec<LogId> = snapshot.heads_of(&did)?.into_iter().map(|held| held.log).collect();
    logs.sort_unstable();
    archive.evidence(Evidence::Forks, |to| snapshot.forks_of(&logs, to))?;
    archive.evidence(Evidence::Faults, |to| snapshot.faults_of(&logs, to))?;
    let receipts = snapshot.receipts_of(&did)?;
    archive.evidence(Evidence::Receipts, |to| snapshot.copy_notes(&did, &receipts, &mut |note| to(&note.encode())))?;
    let mut named = archive.named()?;
    while let Some(blob) = named.next()? {
        archive.blob(&blob, snapshot.open_blob(&blob)?)?;
    }
    archive.settings(&settings)?;
    let mut counting = Counting(0);
    page.write(reader, did, &mut counting)?;
    page.write(reader, did, archive.begin_page(counting.0)?)?;
    archive.end_page()?;
    Ok(archive.finish()?)
}

impl Snapshot {
    /// The logs of an identity of which something is held, root logs first, each by its id (`ARC-2`).
    fn logs_in_order(&self, did: &Did) -> Result<Vec<Held>, StoreError> {
        let mut logs = self.heads_of(did)?;
        logs.retain(|held| held.position.height > 0);
        let is_opened = |held: &Held| held.log != root_log_id(self.shared.network, did, &held.device);
        logs.sort_unstable_by_key(|held| (is_opened(held), held.log));
        Ok(logs)
    }

    fn write_log(&self, held: &Held, archive: &mut ArchiveWriter<impl Write>) -> Result<(), PageError> {
        let Some(head) = held.position.head else { return Ok(()) };
        let Some(log) = self.log_number(&held.log)? else { return Ok(()) };
        let places = || self.entries.range((log, 0)..(log, held.position.height)).map_err(StoreError::from);
        let mut bytes = LogBytes::new(head);
        for item in places()? {
            let entry = HeldEntry::read(item.map_err(StoreError::from)?.1.value().to_vec())?;
            let row = entry.row();
            bytes.add(row.header.len(), row.signature.is_some(), self.body_length((log, entry.header.seq), &row)?);
        }
        archive.begin_log(held.log, held.device, held.position.height, head, bytes)?;
        for item in places()? {
            let entry = HeldEntry::read(item.map_err(StoreError::from)?.1.value().to_vec())?;
            let (row, place) = (entry.row(), (log, entry.header.seq));
            let body = match self.whole_body(place, &row)? {
                Some((salt, bytes)) => BodyPart::Held(SaltedBody { salt, bytes }),
                None => self.body_length(place, &row)?.map_or(BodyPart::None, BodyPart::Gone),
            };
            let decoded = match &body {
                BodyPart::Held(body) => Body::decode(&entry.header.kind, &body.bytes).ok(),
                BodyPart::None | BodyPart::Gone(_) => None,
            };
            archive.entry(row.header, row.signature.copied().map(Signature), body, decoded.as_ref())?;
        }
        Ok(archive.end_log()?)
    }

    fn forks_of(&self, logs: &[LogId], to: &mut dyn FnMut(&[u8]) -> Result<(), PageError>) -> Result<(), PageError> {
        for log in logs {
            self.fork_proof(log)?.map_or(Ok(()), |proof| to(&proof))?;
        }
        Ok(())
    }

    fn faults_of(&self, logs: &[LogId], to: &mut dyn FnMut(&[u8]) -> Result<(), PageError>) -> Result<(), PageError> {
        for log in logs {
            self.fault_proofs(log, usize::MAX)?.iter().try_for_each(|proof| to(proof))?;
        }
        Ok(())
    }

    /// The length of a body that this state holds.
    fn body_length(&self, place: tables::PlaceKey, row: &tables::EntryRow<'_>) -> Result<Option<usize>, StoreError> {
        if !row.is(flags::BODY) {
            return Ok(None);
        }
        let sealed = self.bodies.get(place)?.ok_or_else(|| super::batch::damaged_body(place))?;
        Ok(Some(sealed.value().len().saturating_sub(TAG_BYTES)))
    }

    /// Opens the file of a blob that is held and hashes to its name; an open file stays whole whatever
    /// becomes of its name.
    pub(super) fn open_blob(&self, blob: &BlobId) -> Result<Option<(u64, File)>, StoreError> {
        let row = self.table(tables::BLOBS)?.get(&blob.0)?.map(|row| row.value());
        if row.is_none_or(|row| row.state != BlobState::Held) {
            return Ok(None);
        }
        match self.shared.open_blob_file(blob) {
            Ok(Some(reader)) => Ok(Some((reader.bytes(), reader.into_file()?))),
            Ok(None) | Err(StoreError::Damaged(_)) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Counts what is written.
struct Counting(u64);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<PageError> for StoreError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Store(error) => error,
            PageError::Output(error) => error.into(),
        }
    }
}
