//! Reading one consistent state of the store. Blocking: not for async threads.

use std::sync::Arc;

use redb::{Key, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, Value};
use xom_protocol::body::Body;
use xom_protocol::entry::{Header, Salt};
use xom_protocol::log::Position;
use xom_protocol::{BlobId, Did, Digest, EntryId, LogId};

use super::append::position_of;
use super::batch::{HeldEntry, damaged_body};
use super::erasure::attachments;
use super::tables::{self, BlobState, EntryRow, IdentityRow, LocalRow, LogRow, PlaceKey, flags};
use super::{Held, Shared, identities, salts};
use crate::backup::RestoredIdentity;
use crate::error::StoreError;
use crate::keys::KeyState;
use crate::model::{Media, MediaId};

/// A peer id with what is remembered of the peer, both as bytes.
pub(crate) type PeerRow = (Vec<u8>, Vec<u8>);

/// What is known of the erasure of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Erased {
    /// When it was first seen here.
    pub(crate) seen_ms: u64,
    /// When the body goes at the latest.
    pub(crate) purge_ms: u64,
    /// The erases.
    pub(crate) by: Vec<EntryId>,
}

/// Entries of one log that are told of those which name a blob.
const NAMED_BY_MAX: usize = 8;
/// Entries of one log that are looked at for them: erased ones may be among them.
const NAMED_LOOKED_MAX: usize = 64;

/// One consistent state of the store.
pub(crate) struct Snapshot {
    pub(super) shared: Arc<Shared>,
    pub(super) txn: ReadTransaction,
    pub(super) entries: redb::ReadOnlyTable<PlaceKey, &'static [u8]>,
    pub(super) bodies: redb::ReadOnlyTable<PlaceKey, &'static [u8]>,
    pub(super) entry_ids: redb::ReadOnlyTable<&'static [u8; 32], PlaceKey>,
    pub(super) logs: redb::ReadOnlyTable<u32, LogRow>,
}

impl Snapshot {
    pub(super) fn open(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let txn = shared.database()?.begin_read()?;
        Ok(Self {
            entries: txn.open_table(tables::ENTRIES)?,
            bodies: txn.open_table(tables::BODIES)?,
            entry_ids: txn.open_table(tables::ENTRY_IDS)?,
            logs: txn.open_table(tables::LOGS)?,
            txn,
            shared,
        })
    }

    /// The network.
    pub(crate) fn network(&self) -> xom_protocol::Network {
        self.shared.network
    }

    /// The transaction, for the tables of the views.
    pub(crate) fn txn(&self) -> &ReadTransaction {
        &self.txn
    }

    /// Opens a table that only some reads need.
    pub(super) fn table<K: Key + 'static, V: Value + 'static>(
        &self,
        definition: TableDefinition<'_, K, V>,
    ) -> Result<redb::ReadOnlyTable<K, V>, StoreError> {
        Ok(self.txn.open_table(definition)?)
    }

    /// The identities that live here, oldest first.
    pub(crate) fn locals(&self) -> Result<Vec<LocalRow>, StoreError> {
        read_locals(&self.table(tables::LOCALS)?)
    }

    /// How the keys of a local identity lie in the folder.
    pub(crate) fn key_state(&self, local: &LocalRow) -> KeyState {
        let open = self.shared.device_key(&local.did).is_some();
        identities::keys_of(&self.shared.folder, &local.username).state(open)
    }

    /// The identities that were restored here and have no device key yet (`ARC-17`).
    pub(crate) fn waiting(&self) -> Result<Vec<RestoredIdentity>, StoreError> {
        let locals = self.locals()?;
        let mut waiting = super::restore::restored(&self.shared.folder);
        waiting.retain(|restored| locals.iter().all(|local| local.did != restored.did));
        Ok(waiting)
    }

    /// The identities whose owner's node this is, with a key to sign or without, and their user names.
    pub(crate) fn owned(&self) -> Result<Vec<(Did, String)>, StoreError> {
        let locals = self.locals()?.into_iter().map(|local| (local.did, local.username));
        let waiting = self.waiting()?.into_iter().map(|waiting| (waiting.did, waiting.username));
        Ok(locals.chain(waiting).collect())
    }

    /// True for one of them.
    pub(crate) fn is_owned(&self, did: &Did) -> Result<bool, StoreError> {
        Ok(self.owned()?.iter().any(|(owned, _)| owned == did))
    }

    /// The number of an identity.
    pub(crate) fn identity_number(&self, did: &Did) -> Result<Option<u32>, StoreError> {
        Ok(self.table(tables::IDENTITY_NUMBERS)?.get(&did.0)?.map(|number| number.value()))
    }

    /// What is known of an identity.
    pub(crate) fn identity(&self, number: u32) -> Result<Option<IdentityRow>, StoreError> {
        Ok(self.table(tables::IDENTITIES)?.get(number)?.map(|row| row.value()))
    }

    /// All signed objects of an identity, in an order that goes into an empty record.
    pub(crate) fn identity_objects(&self, did: &Did) -> Result<Vec<Vec<u8>>, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(Vec::new()) };
        let objects = self.table(tables::IDENTITY_OBJECTS)?;
        let range = objects.range((number, 0)..=(number, u32::MAX))?;
        range.map(|row| Ok(row?.1.value().to_vec())).collect()
    }

    /// The number of a log.
    pub(crate) fn log_number(&self, log: &LogId) -> Result<Option<u32>, StoreError> {
        Ok(self.table(tables::LOG_NUMBERS)?.get(&log.0)?.map(|number| number.value()))
    }

    /// A log by its number.
    pub(crate) fn log(&self, number: u32) -> Result<Option<LogRow>, StoreError> {
        Ok(self.logs.get(number)?.map(|row| row.value()))
    }

    /// Every log.
    pub(crate) fn logs(&self) -> Result<Vec<(u32, LogRow)>, StoreError> {
        self.logs
            .iter()?
            .map(|row| row.map(|(number, row)| (number.value(), row.value())).map_err(Into::into))
            .collect()
    }

    /// The place of an entry.
    pub(crate) fn place_of_entry(&self, id: &EntryId) -> Result<Option<PlaceKey>, StoreError> {
        Ok(self.entry_ids.get(&id.0)?.map(|place| place.value()))
    }

    /// Entries by the digest of their id, from one to another, at most so many.
    pub(crate) fn entries_between(
        &self,
        low: &[u8; 32],
        high: &[u8; 32],
        max: usize,
    ) -> Result<Vec<(EntryId, PlaceKey)>, StoreError> {
        let range = self.entry_ids.range::<&[u8; 32]>(low..=high)?.take(max);
        range.map(|row| row.map(|(id, place)| (EntryId(*id.value()), place.value())).map_err(Into::into)).collect()
    }

    /// When an entry was first erased by its author, and when its body is dropped at the latest, milliseconds
    /// since 1970, with every such erase; none where it stands.
    pub(crate) fn erased(&self, entry: &EntryId, author: u32) -> Result<Option<Erased>, StoreError> {
        let erasures = self.table(tables::ERASURES)?;
        let mut erased: Option<Erased> = None;
        for row in erasures.range((&entry.0, 0, 0)..=(&entry.0, u32::MAX, u64::MAX))? {
            let (key, row) = row?;
            let ((_, log, seq), row) = (key.value(), row.value());
            if row.author != author {
                continue;
            }
            let purge_ms = xom_protocol::log::purge_at_ms(row.seen_ms, row.ordered);
            let erased = erased.get_or_insert(Erased { seen_ms: row.seen_ms, purge_ms, by: Vec::new() });
            erased.seen_ms = erased.seen_ms.min(row.seen_ms);
            erased.purge_ms = erased.purge_ms.min(purge_ms);
            erased.by.extend(self.with_entry((log, seq), |row| EntryId(Header::hash(row.header).0))?);
        }
        Ok(erased)
    }

    /// The place of a status.
    pub(crate) fn place_of_status(&self, local_id: u64) -> Result<Option<PlaceKey>, StoreError> {
        Ok(self.table(tables::LOCAL_IDS)?.get(local_id)?.map(|place| place.value()))
    }

    /// Looks at the row of an entry.
    pub(crate) fn with_entry<T>(
        &self,
        place: PlaceKey,
        read: impl FnOnce(&EntryRow<'_>) -> T,
    ) -> Result<Option<T>, StoreError> {
        let Some(bytes) = self.entries.get(place)? else { return Ok(None) };
        let row = EntryRow::read(bytes.value()).ok_or_else(|| StoreError::Damaged("entry is too short".into()))?;
        Ok(Some(read(&row)))
    }

    /// A live entry's header and body; none if it is not held, not live, opaque or damaged.
    pub(crate) fn body(&self, place: PlaceKey) -> Result<Option<(Header, Body)>, StoreError> {
        self.body_of(place, |row| row.is_live())
    }

    /// The same, also of what an identity that lives here has hidden, and whether it is live: the blobs of what is
    /// hidden are of use to its devices until they are purged (`PAIR-7`).
    fn naming_body(&self, place: PlaceKey) -> Result<Option<(Header, Body, bool)>, StoreError> {
        let Some(is_live) = self.with_entry(place, |row| row.is_live())? else { return Ok(None) };
        let named = self.body_of(place, |row| row.is_live() || row.is_hidden_body())?;
        let named = named.filter(|(header, _)| is_live || self.is_own(&header.author));
        Ok(named.map(|(header, body)| (header, body, is_live)))
    }

    fn body_of(
        &self,
        place: PlaceKey,
        counts: impl FnOnce(&EntryRow<'_>) -> bool,
    ) -> Result<Option<(Header, Body)>, StoreError> {
        let Some(held) = self.held(place)?.filter(|held| counts(&held.row())) else { return Ok(None) };
        let Some((_, bytes)) = self.whole_body(place, &held.row())? else { return Ok(None) };
        Ok(Body::decode(&held.header.kind, &bytes).ok().map(|body| (held.header, body)))
    }

    /// The body of a live entry, out of memory where it was opened lately; none where [`Snapshot::body`] has none.
    pub(crate) fn opened(&self, place: PlaceKey) -> Result<Option<Arc<Body>>, StoreError> {
        let id =
            |row: &EntryRow<'_>| (row.is_live() && row.is(flags::BODY)).then(|| EntryId(Header::hash(row.header).0));
        let Some(id) = self.with_entry(place, id)?.flatten() else { return Ok(None) };
        let since = match self.shared.opened.get(&id) {
            Ok(body) => return Ok(Some(body)),
            Err(since) => since,
        };
        let Some(held) = self.held(place)? else { return Ok(None) };
        let Some((_, bytes)) = self.whole_body(place, &held.row())? else { return Ok(None) };
        let Ok(body) = Body::decode(&held.header.kind, &bytes) else { return Ok(None) };
        let body = Arc::new(body);
        self.shared.opened.keep(since, id, &body, bytes.len());
        Ok(Some(body))
    }

    /// An entry's row and header.
    pub(super) fn held(&self, place: PlaceKey) -> Result<Option<HeldEntry>, StoreError> {
        let Some(bytes) = self.entries.get(place)? else { return Ok(None) };
        HeldEntry::read(bytes.value().to_vec()).map(Some)
    }

    /// A body as it was signed, with its salt; none where it is not held, or was purged since this
    /// snapshot was taken.
    pub(super) fn body_bytes(
        &self,
        place: PlaceKey,
        row: &EntryRow<'_>,
    ) -> Result<Option<(Salt, Vec<u8>)>, StoreError> {
        if !row.is(flags::BODY) {
            return Ok(None);
        }
        let sealed = self.bodies.get(place)?.ok_or_else(|| damaged_body(place))?;
        match salts::open_body(self.shared.salts.read(row.slot)?, row.slot, sealed.value()) {
            Some(opened) => Ok(Some(opened)),
            None if self.is_gone_now(place, row.slot)? => Ok(None),
            None => Err(damaged_body(place)),
        }
    }

    /// The same for those whom a damaged body is no body, and no reason to go without the rest (R-STO-5).
    pub(super) fn whole_body(
        &self,
        place: PlaceKey,
        row: &EntryRow<'_>,
    ) -> Result<Option<(Salt, Vec<u8>)>, StoreError> {
        match self.body_bytes(place, row) {
            Err(StoreError::Damaged(cause)) => {
                tracing::error!(cause, "a body is damaged and left out");
                Ok(None)
            }
            read => read,
        }
    }

    /// True if the newest commit no longer holds this body.
    fn is_gone_now(&self, place: PlaceKey, slot: u64) -> Result<bool, StoreError> {
        let txn = self.shared.database()?.begin_read()?;
        let entries = txn.open_table(tables::ENTRIES)?;
        let bytes = entries.get(place)?;
        let row = bytes.as_ref().and_then(|bytes| EntryRow::read(bytes.value()));
        Ok(row.is_none_or(|row| !row.is(flags::BODY) || row.slot != slot))
    }

    /// How far a log is held.
    pub(crate) fn position(&self, log: &LogId) -> Result<Position, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(Position::EMPTY) };
        Ok(self.log(number)?.map_or(Position::EMPTY, |row| position_of(&row)))
    }

    /// How far a log can be served: up to its last entry whose signature is held (`LOG-9`). Of a run that was cut
    /// at an accepted head the signature that covered it was not kept.
    pub(crate) fn signed_position(&self, log: &LogId) -> Result<Position, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(Position::EMPTY) };
        let Some(row) = self.log(number)? else { return Ok(Position::EMPTY) };
        for seq in (0..row.height).rev() {
            let Some(held) = self.held((number, seq))? else { break };
            if held.row().is(flags::SIGNED) {
                return Ok(Position { height: seq + 1, head: Some(held.hash()) });
            }
        }
        Ok(Position::EMPTY)
    }

    /// Every log of an identity.
    pub(crate) fn heads_of(&self, did: &Did) -> Result<Vec<Held>, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(Vec::new()) };
        let logs = self.table(tables::LOGS_OF)?;
        let mut heads = Vec::new();
        for row in logs.range((number, 0)..=(number, u32::MAX))? {
            let log = row?.0.value().1;
            heads.extend(self.log(log)?.map(|row| held(&row, *did)));
        }
        Ok(heads)
    }

    /// How far a log with this number is held.
    pub(super) fn held_log(&self, number: u32) -> Result<Option<Held>, StoreError> {
        let Some(row) = self.log(number)? else { return Ok(None) };
        Ok(self.identity(row.author)?.map(|identity| held(&row, identity.did)))
    }

    /// The hash of a header.
    pub(crate) fn hash_at(&self, log: &LogId, seq: u64) -> Result<Option<Digest>, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(None) };
        let hash = self.with_entry((number, seq), |row| (!row.is(flags::LOOSE)).then(|| Header::hash(row.header)))?;
        Ok(hash.flatten())
    }

    /// The last arrival counter given.
    pub(crate) fn counter(&self) -> Result<u64, StoreError> {
        let next = self.table(tables::COUNTERS)?.get("arrival")?.map_or(1, |value| value.value());
        Ok(next - 1)
    }

    /// How many entries are stored.
    pub(crate) fn entry_count(&self) -> Result<u64, StoreError> {
        Ok(self.table(tables::COUNTERS)?.get("entries")?.map_or(0, |value| value.value()))
    }

    /// How many identities are known.
    pub(crate) fn identity_count(&self) -> Result<u64, StoreError> {
        Ok(self.table(tables::COUNTERS)?.get("identity")?.map_or(0, |value| value.value()))
    }

    /// What was made at the creation of this database.
    pub(crate) fn epoch(&self) -> Result<[u8; 16], StoreError> {
        let epoch = self.table(tables::FACTS)?.get("epoch")?.and_then(|epoch| epoch.value().try_into().ok());
        epoch.ok_or_else(|| StoreError::Damaged("the database has no epoch".into()))
    }

    /// How far a peer's changes are durable here.
    pub(crate) fn resume(&self, peer: &[u8]) -> Result<Option<([u8; 16], u64)>, StoreError> {
        Ok(self.table(tables::RESUMES)?.get(peer)?.map(|resume| resume.value()))
    }

    /// All remembered peers.
    pub(crate) fn peers(&self) -> Result<Vec<PeerRow>, StoreError> {
        let peers = self.table(tables::PEERS)?;
        let rows = peers.iter()?;
        rows.map(|row| row.map(|(peer, record)| (peer.value().to_vec(), record.value().to_vec())).map_err(Into::into))
            .collect()
    }

    /// Blobs that live entries name and that are not held.
    pub(crate) fn blobs_wanted(&self) -> Result<Vec<BlobId>, StoreError> {
        Ok(self.blobs_wanted_from(None, usize::MAX, usize::MAX)?.0)
    }

    /// The same from `first` on, in order: at most so many, of so many rows. Answers where to go on, if not all was
    /// read.
    pub(crate) fn blobs_wanted_from(
        &self,
        first: Option<BlobId>,
        blobs_max: usize,
        rows_max: usize,
    ) -> Result<(Vec<BlobId>, Option<BlobId>), StoreError> {
        let (mut wanted, first) = (Vec::new(), first.map_or([0; 32], |first| first.0));
        for (number, row) in self.table(tables::BLOBS)?.range::<&[u8; 32]>(&first..)?.enumerate() {
            let (blob, row) = row?;
            let blob = BlobId(*blob.value());
            if number == rows_max || wanted.len() == blobs_max {
                return Ok((wanted, Some(blob)));
            }
            if row.value().state == BlobState::Wanted {
                wanted.push(blob);
            }
        }
        Ok((wanted, None))
    }

    /// The live entries, and what identities of this node have hidden, that name a blob, with their authors and the size that they claim; of each log at most a few, so
    /// that nobody who names it often keeps others out.
    pub(crate) fn blob_named_by(&self, blob: &BlobId) -> Result<Vec<(EntryId, Did, u64)>, StoreError> {
        let references = self.table(tables::BLOB_REFERENCES)?;
        let (mut named, mut next) = (Vec::new(), Some(0));
        while let Some(first) = next.take() {
            let (mut found, mut of) = (0, None);
            for (looked, row) in references.range((&blob.0, first, 0)..=(&blob.0, u32::MAX, u64::MAX))?.enumerate() {
                let (_, log, seq) = row?.0.value();
                if *of.get_or_insert(log) != log || found == NAMED_BY_MAX || looked == NAMED_LOOKED_MAX {
                    break;
                }
                next = log.checked_add(1);
                let Some((header, body, _)) = self.naming_body((log, seq))? else { continue };
                let attachment = attachments(&body).into_iter().find(|attachment| attachment.blob == *blob);
                let id = self.with_entry((log, seq), |row| EntryId(Header::hash(row.header).0))?;
                if let (Some(attachment), Some(id)) = (attachment, id) {
                    named.push((id, header.author, attachment.bytes));
                    found += 1;
                }
            }
        }
        Ok(named)
    }

    /// The size of a blob, if it is held and may be served under this entry: it names the blob with that size, and is
    /// live, or hidden and of an identity of this node that `is_sibling` says the peer speaks for (`BLOB-3`).
    pub(crate) fn blob_served_as(
        &self,
        blob: &BlobId,
        entry: &EntryId,
        is_sibling: impl FnOnce(&Did) -> Result<bool, StoreError>,
    ) -> Result<Option<u64>, StoreError> {
        let Some(bytes) = self.held_bytes(blob)? else { return Ok(None) };
        let Some(place) = self.place_of_entry(entry)? else { return Ok(None) };
        if self.table(tables::BLOB_REFERENCES)?.get((&blob.0, place.0, place.1))?.is_none() {
            return Ok(None);
        }
        let Some((header, body, is_live)) = self.naming_body(place)? else { return Ok(None) };
        if !is_live && !is_sibling(&header.author)? {
            return Ok(None);
        }
        let is_named = attachments(&body).into_iter().any(|named| named.blob == *blob && named.bytes == bytes);
        // Else whoever guesses a hash and names it in an entry of his own would learn what is uploaded here (R-BLB-10).
        Ok((is_named && (self.is_own(&header.author) || !self.is_uploaded(blob)?)).then_some(bytes))
    }

    fn is_own(&self, did: &Did) -> bool {
        self.shared.locals().iter().any(|local| local.did == *did)
    }

    /// True if a blob may be shown to whoever has its address: a live entry names it, or an upload that waits. What only
    /// hidden entries name is gone for the eye, though its bytes are still here.
    pub(crate) fn is_blob_shown(&self, blob: &BlobId) -> Result<bool, StoreError> {
        let references = self.table(tables::BLOB_REFERENCES)?;
        let mut next = Some(u32::MAX);
        while let Some(upto) = next.take() {
            let newest = references.range((&blob.0, 0, 0)..=(&blob.0, upto, u64::MAX))?.rev();
            let mut of = None;
            for (looked, row) in newest.enumerate() {
                let (_, log, seq) = row?.0.value();
                let of = *of.get_or_insert(log);
                if of != log || looked == NAMED_LOOKED_MAX {
                    next = of.checked_sub(1);
                    break;
                }
                if self.with_entry((log, seq), |row| row.is_live())? == Some(true) {
                    return Ok(true);
                }
            }
        }
        self.is_uploaded(blob)
    }

    /// True while an upload of these bytes waits to be used in a post.
    fn is_uploaded(&self, blob: &BlobId) -> Result<bool, StoreError> {
        for row in self.table(tables::MEDIA)?.iter()? {
            let (id, sealed) = row?;
            let media = super::media::read(&self.shared.salts, MediaId(id.value()), sealed.value())?;
            if media.is_some_and(|media| media.attachment.blob == *blob) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn held_bytes(&self, blob: &BlobId) -> Result<Option<u64>, StoreError> {
        let row = self.table(tables::BLOBS)?.get(&blob.0)?.map(|row| row.value());
        Ok(row.filter(|row| row.state == BlobState::Held).map(|row| row.bytes))
    }

    /// An upload.
    pub(crate) fn media(&self, id: MediaId) -> Result<Option<Media>, StoreError> {
        let media = self.table(tables::MEDIA)?;
        let Some(sealed) = media.get(id.0)? else { return Ok(None) };
        super::media::read(&self.shared.salts, id, sealed.value())
    }
}

/// The local identities, oldest first.
pub(super) fn read_locals(table: &impl ReadableTable<u32, &'static [u8]>) -> Result<Vec<LocalRow>, StoreError> {
    let damaged = |e| StoreError::Damaged(format!("local identity: {e}"));
    table.iter()?.map(|row| xom_protocol::encoding::decode(row?.1.value(), 1_024).map_err(damaged)).collect()
}

fn held(row: &LogRow, author: Did) -> Held {
    Held {
        log: row.log,
        author,
        device: row.device,
        position: position_of(row),
        changed: row.changed,
        disputed: row.disputed_from != LogRow::NONE,
        ends: row.void_from != LogRow::NONE,
    }
}
