//! The store: what is durable. One writer thread carries out all writes in group commits; reads run
//! on snapshots. The store takes only verified entries, and answers a write only after its commit.

pub(crate) mod tables;

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::broadcast;
use xom_protocol::body::{Attachment, Body};
use xom_protocol::entry::{Header, SignedEntry, VerifiedEntry};
use xom_protocol::keys::SecretKey;
use xom_protocol::log::Position;
use xom_protocol::{BlobId, DeviceId, Did, Digest, EntryId, LogId, Network, Rule};

use crate::command::{Command, Done};
use crate::error::{CommandError, StartError, StoreError};
use crate::model::{Event, Media, MediaId, VerifyReport};
use tables::{EntryRow, IdentityRow, LocalRow, LogRow};

/// A cheap clone through which the store is read and written.
#[derive(Clone, Debug)]
pub(crate) struct Store {}

/// A run of one log that has been verified on top of a held position, or entries that continue it.
#[derive(Debug, Clone)]
pub(crate) struct NewRun {
    /// The log.
    pub log: LogId,
    /// Its author.
    pub author: Did,
    /// The device that writes it.
    pub device: DeviceId,
    /// Entries of consecutive sequence numbers, each linked to the one before it, the last covered by a
    /// verified signature.
    pub entries: Vec<VerifiedEntry>,
    /// Came by live push, not from a backlog.
    pub live: bool,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Appended {
    /// Stored, or held already.
    Stored {
        /// Where the log stands now.
        position: Position,
        /// How many entries were new.
        new: u64,
    },
    /// Does not begin at or below what is held; nothing was stored.
    Gap {
        /// What is held.
        position: Position,
    },
    /// Another entry is held at `seq`: kept as proof, the log is disputed from there (`LOG-13`).
    Forked {
        /// Where the branches part.
        seq: u64,
    },
    /// The identity does not admit the device, or not the log, or not at this height (`LOG-7`); nothing was
    /// stored.
    Refused {
        /// The rule.
        rule: Rule,
    },
}

/// What became of identity objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct IdentityInserted {
    /// How many were new and are kept.
    pub new: u64,
    /// The rules that refused ones break.
    pub refused: Vec<Rule>,
}

/// Entries of one log became durable; what live push is fed from.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// The log's number.
    pub log_number: u32,
    /// The log.
    pub log: LogId,
    /// The author.
    pub author: Did,
    /// The arrival counter of the last entry.
    pub counter: u64,
    /// What was stored: consecutive entries, or one loose entry.
    pub entries: Vec<Arc<VerifiedEntry>>,
    /// Made here or received by live push.
    pub live: bool,
    /// One entry without those before it.
    pub loose: bool,
}

/// What the store tells others after a commit.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// Entries.
    Entries(Arc<Stored>),
    /// New objects of an identity.
    Identity(Did),
    /// A local identity follows other identities than before.
    Wants,
    /// A blob that a live entry names is not held.
    BlobWanted(BlobId),
}

/// How far one log is held, as the sync conversation compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    /// The log.
    pub log: LogId,
    /// Its author.
    pub author: Did,
    /// The device that writes it.
    pub device: DeviceId,
    /// Height and head.
    pub position: Position,
    /// The arrival counter of its newest entry.
    pub changed: u64,
    /// Forked and not settled.
    pub disputed: bool,
}

impl Store {
    /// The network.
    pub(crate) fn network(&self) -> Network {
        unimplemented!()
    }
    /// Begins a read of the newest commit. Blocking, but for microseconds.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        unimplemented!()
    }
    /// Notices after each commit. A receiver that lags must compare anew.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        unimplemented!()
    }
    /// Events of the views after each commit.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        unimplemented!()
    }
    /// Appends a verified run. What is held already is skipped.
    pub(crate) async fn append(&self, run: NewRun) -> Result<Appended, StoreError> {
        let _ = run;
        unimplemented!()
    }
    /// Keeps an entry without those before it: its own signature was verified, its device is admitted.
    /// True if it is new.
    pub(crate) async fn insert_loose(&self, entry: VerifiedEntry, live: bool) -> Result<bool, StoreError> {
        let _ = (entry, live);
        unimplemented!()
    }
    /// Adds signed identity objects, as they came, to what is known of `did`.
    pub(crate) async fn insert_identity(
        &self,
        did: Did,
        objects: Vec<Vec<u8>>,
    ) -> Result<IdentityInserted, StoreError> {
        let _ = (did, objects);
        unimplemented!()
    }
    /// Carries a command of a local identity out.
    pub(crate) async fn commands(&self, identity: Did, commands: Vec<Command>) -> Vec<Result<Done, CommandError>> {
        let _ = (identity, commands);
        unimplemented!()
    }
    /// Remembers a peer; `record` is the network half's own encoding.
    pub(crate) async fn put_peer(&self, peer: Vec<u8>, record: Option<Vec<u8>>) -> Result<(), StoreError> {
        let _ = (peer, record);
        unimplemented!()
    }
    /// Remembers how far a peer's changes are durable here.
    pub(crate) async fn put_resume(&self, peer: Vec<u8>, epoch: [u8; 16], counter: u64) -> Result<(), StoreError> {
        let _ = (peer, epoch, counter);
        unimplemented!()
    }
    /// Stores a blob whose bytes have been checked against its id, if a live entry names it.
    pub(crate) async fn put_blob(&self, blob: BlobId, bytes: Vec<u8>) -> Result<(), StoreError> {
        let _ = (blob, bytes);
        unimplemented!()
    }
    /// Stores an own upload after looking at its bytes.
    pub(crate) async fn add_blob(&self, bytes: Vec<u8>) -> Result<Attachment, CommandError> {
        let _ = bytes;
        unimplemented!()
    }
    /// A blob's bytes. Blocking.
    pub(crate) fn blob(&self, blob: &BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = blob;
        unimplemented!()
    }
    /// Remembers an upload.
    pub(crate) async fn add_media(&self, owner: Did, attachment: Attachment) -> Result<MediaId, CommandError> {
        let _ = (owner, attachment);
        unimplemented!()
    }
    /// Changes the description or focus of an upload.
    pub(crate) async fn update_media(&self, media: Media) -> Result<(), CommandError> {
        let _ = media;
        unimplemented!()
    }
    /// By how much peers' clocks are ahead of the own one, milliseconds: the median, where enough are
    /// known. The signer refuses at ten minutes.
    pub(crate) fn set_clock_offset(&self, median_ms: Option<i64>) {
        let _ = median_ms;
        unimplemented!()
    }
    /// Purges what is due by now; called by a timer.
    pub(crate) async fn purge_due(&self) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Gives the space of purged and replaced data back.
    pub(crate) async fn compact(&self) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Drops all views and makes them again. Answers how many entries were applied.
    pub(crate) async fn rebuild_views(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }
    /// Checks everything stored.
    pub(crate) async fn verify(&self) -> Result<VerifyReport, StoreError> {
        unimplemented!()
    }
    /// The DIDs that local identities follow, and the local ones.
    pub(crate) fn wants(&self) -> Arc<BTreeSet<Did>> {
        unimplemented!()
    }
    /// The identities that live here, oldest first.
    pub(crate) fn locals(&self) -> Vec<LocalRow> {
        unimplemented!()
    }
    /// The device key of a local identity, for handshakes and invites.
    pub(crate) fn device_key(&self, did: &Did) -> Option<SecretKey> {
        let _ = did;
        unimplemented!()
    }
    /// Stops the writer after what is queued.
    pub(crate) async fn stop(&self) {
        unimplemented!()
    }
}

/// One consistent state of the store. Blocking: not for async threads.
pub(crate) struct Snapshot {}

impl Snapshot {
    /// The transaction, for the tables of the views.
    pub(crate) fn txn(&self) -> &redb::ReadTransaction {
        unimplemented!()
    }
    /// True if the recovery phrase of a local identity lies in the folder in the clear.
    pub(crate) fn phrase_is_unsealed(&self, username: &str) -> bool {
        let _ = username;
        unimplemented!()
    }
    /// The identities that live here, oldest first.
    pub(crate) fn locals(&self) -> Result<Vec<LocalRow>, StoreError> {
        unimplemented!()
    }
    /// The number of an identity.
    pub(crate) fn identity_number(&self, did: &Did) -> Result<Option<u32>, StoreError> {
        let _ = did;
        unimplemented!()
    }
    /// What is known of an identity.
    pub(crate) fn identity(&self, number: u32) -> Result<Option<IdentityRow>, StoreError> {
        let _ = number;
        unimplemented!()
    }
    /// All signed objects of an identity, in order of arrival.
    pub(crate) fn identity_objects(&self, did: &Did) -> Result<Vec<Vec<u8>>, StoreError> {
        let _ = did;
        unimplemented!()
    }
    /// A log by its number.
    pub(crate) fn log(&self, number: u32) -> Result<Option<LogRow>, StoreError> {
        let _ = number;
        unimplemented!()
    }
    /// Every log.
    pub(crate) fn logs(&self) -> Result<Vec<(u32, LogRow)>, StoreError> {
        unimplemented!()
    }
    /// The place of an entry.
    pub(crate) fn place_of_entry(&self, id: &EntryId) -> Result<Option<(u32, u64)>, StoreError> {
        let _ = id;
        unimplemented!()
    }
    /// The place of a status.
    pub(crate) fn place_of_status(&self, local_id: u64) -> Result<Option<(u32, u64)>, StoreError> {
        let _ = local_id;
        unimplemented!()
    }
    /// Looks at the row of an entry.
    pub(crate) fn with_entry<T>(
        &self,
        place: (u32, u64),
        read: impl FnOnce(&EntryRow<'_>) -> T,
    ) -> Result<Option<T>, StoreError> {
        let _ = (place, read);
        unimplemented!()
    }
    /// An entry's header.
    pub(crate) fn header(&self, place: (u32, u64)) -> Result<Option<Header>, StoreError> {
        let _ = place;
        unimplemented!()
    }
    /// A live entry's header and body; none if it is not held, not live or opaque.
    pub(crate) fn body(&self, place: (u32, u64)) -> Result<Option<(Header, Body)>, StoreError> {
        let _ = place;
        unimplemented!()
    }
    /// How far a log is held.
    pub(crate) fn position(&self, log: &LogId) -> Result<Position, StoreError> {
        let _ = log;
        unimplemented!()
    }
    /// Every log of an identity.
    pub(crate) fn heads_of(&self, did: &Did) -> Result<Vec<Held>, StoreError> {
        let _ = did;
        unimplemented!()
    }
    /// Entries of a log from `from` on, as they are served: signatures as `LOG-9` wants them, bodies of live
    /// entries only, at most so many entries and about so many bytes; ends at a signature.
    pub(crate) fn range(
        &self,
        log: &LogId,
        from: u64,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<SignedEntry>, StoreError> {
        let _ = (log, from, entries_max, bytes_max);
        unimplemented!()
    }
    /// The logs and identities that changed after an arrival counter.
    pub(crate) fn changed_since(&self, counter: u64) -> Result<(Vec<Held>, Vec<Did>), StoreError> {
        let _ = counter;
        unimplemented!()
    }
    /// Entries of local identities that are aimed at `did` and arrived after a counter, newest first,
    /// each signed.
    pub(crate) fn aimed_at(&self, did: &Did, since: u64, entries_max: usize) -> Result<Vec<SignedEntry>, StoreError> {
        let _ = (did, since, entries_max);
        unimplemented!()
    }
    /// The last arrival counter given.
    pub(crate) fn counter(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }
    /// What was made at the creation of this database.
    pub(crate) fn epoch(&self) -> Result<[u8; 16], StoreError> {
        unimplemented!()
    }
    /// How far a peer's changes are durable here.
    pub(crate) fn resume(&self, peer: &[u8]) -> Result<Option<([u8; 16], u64)>, StoreError> {
        let _ = peer;
        unimplemented!()
    }
    /// All remembered peers.
    pub(crate) fn peers(&self) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        unimplemented!()
    }
    /// Blobs that live entries name and that are not held.
    pub(crate) fn blobs_wanted(&self) -> Result<Vec<BlobId>, StoreError> {
        unimplemented!()
    }
    /// The live entries that name a blob, with their authors and the size that they claim; at most a few.
    pub(crate) fn blob_named_by(&self, blob: &BlobId) -> Result<Vec<(EntryId, Did, u64)>, StoreError> {
        let _ = blob;
        unimplemented!()
    }
    /// True if a live entry, this one if it is named, names the blob: it may be served.
    pub(crate) fn blob_is_live(&self, blob: &BlobId, named_by: Option<&EntryId>) -> Result<bool, StoreError> {
        let _ = (blob, named_by);
        unimplemented!()
    }
    /// An upload.
    pub(crate) fn media(&self, id: MediaId) -> Result<Option<Media>, StoreError> {
        let _ = id;
        unimplemented!()
    }
    /// The digest of the newest header of a log at a height, for the comparison of forks.
    pub(crate) fn hash_at(&self, log: &LogId, seq: u64) -> Result<Option<Digest>, StoreError> {
        let _ = (log, seq);
        unimplemented!()
    }
}

/// The entry point of the store, without a network: opens the folder, takes its lock, recovers.
pub(crate) fn open(config: &crate::NodeConfig) -> Result<Store, StartError> {
    let _ = config;
    unimplemented!()
}
