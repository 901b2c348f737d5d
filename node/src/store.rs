//! The store: what is durable. One writer thread carries out all writes in group commits; reads run
//! on snapshots. The store takes only verified entries, and answers a write only after its commit.

mod admission;
mod admitted;
mod adopt;
mod ahead;
mod app_records;
mod append;
mod audits;
mod backup;
mod batch;
mod blobs;
mod compose;
mod control;
mod devices;
mod erase_many;
mod erasure;
mod evict;
mod export;
pub(crate) mod folder;
mod forks;
mod guarding;
mod idempotency;
mod identities;
mod indexing;
mod keep;
mod keepers;
mod keyring;
mod lacking;
mod ladder;
mod lazy;
mod load;
pub(crate) mod lost;
mod media;
mod open;
mod opened;
mod openings;
mod own;
pub(crate) mod ownership;
mod previews;
mod proof;
mod receipts;
pub(crate) mod records;
mod recoveries;
mod rekey;
pub(crate) mod restore;
mod salts;
mod served;
mod services;
pub(crate) mod settings;
pub(crate) mod settle;
mod shared;
mod shares;
mod snapshot;
mod standing;
pub(crate) mod tables;
#[cfg(test)]
mod tests;
mod trees;
mod unnamed;
mod verdict;
mod verify;
mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{broadcast, mpsc, oneshot};
use xom_protocol::entry::VerifiedEntry;
use xom_protocol::keys::SecretKey;
use xom_protocol::log::{FaultProof, ForkProof, Position};
use xom_protocol::sync::Setting;
use xom_protocol::sync::message::KnownCopy;
use xom_protocol::{BlobId, DeviceId, Did, EntryId, LogId, Network, Rule};

use crate::command::{Command, Done};
use crate::error::{CommandError, StoreError};
use crate::model::Event;
use batch::Batch;
use shared::Shared;
use tables::LocalRow;
use writer::{Job, Task};

pub(crate) use append::IDS_A_MS;
pub(crate) use audits::ProofTaken;
pub(crate) use erasure::attachments;
pub(crate) use keep::told;
pub(crate) use keepers::HeldOf;
pub(crate) use lazy::{Lazy, Tables};
pub(crate) use open::{open, open_existing, open_without_identity};
pub(crate) use receipts::{Holding, NewReceipt, Parcel, Receipted, Recipient, Role};
pub(crate) use snapshot::Snapshot;

/// A cheap clone through which the store is read and written.
#[derive(Clone)]
pub(crate) struct Store {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    /// The writing thread, until somebody has waited for its end.
    writer: Arc<std::sync::Mutex<Option<JoinHandle<()>>>>,
}

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
    /// The author's share of the disk is used up (`KEEP-2`); nothing was stored.
    Full {
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

/// A log has grown, durably; what live push is fed from.
#[derive(Debug)]
pub(crate) struct Stored {
    /// The log.
    pub log: LogId,
    /// The author.
    pub author: Did,
    /// The place of the first entry: where the log stood before.
    pub from: u64,
    /// Where the log stands now.
    pub position: Position,
    /// The arrival counter of the last entry.
    pub counter: u64,
    /// The entries, to be pushed on; empty where they are too many for that.
    pub entries: Vec<Arc<VerifiedEntry>>,
}

/// What the store tells others after a commit.
#[derive(Debug, Clone)]
pub(crate) enum Notice {
    /// Entries.
    Entries(Arc<Stored>),
    /// New objects of an identity.
    Identity(Did),
    /// A log of this identity changed otherwise than by growing: it is disputed, settled or cut.
    LogChanged(Did),
    /// A proof against the device of this log has become known: of a fork, or of a false checkpoint.
    Proven(LogId),
    /// The way down from a named head of this log is sought elsewhere than before, or not any more (`LOG-19`).
    Sought(LogId),
    /// A local identity follows other identities than before.
    Wants,
    /// Another identity lives here now, or one under another device key.
    Locals,
    /// Private settings of a local identity have changed (`PAIR-8`).
    Settings(Did, Arc<[Setting]>),
    /// Somebody else's entry is aimed at this local identity, and came without its log.
    Aimed(Did),
    /// Something that this identity has admitted to a thread is not held.
    Admitted(Did),
    /// Something waits to be admitted by somebody who lives here, or to be taken back.
    AtDoor,
    /// There is something new to be given to the devices of this author: receipts, or known copies.
    Receipts(Did),
    /// A local identity wishes to be kept by somebody.
    KeeperAsked,
    /// A blob that a live entry names is not held.
    BlobWanted(BlobId),
    /// A blob has come.
    BlobHeld(BlobId),
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
    /// Ends at a head that was named: the signature there may not be held.
    pub ends: bool,
}

impl Store {
    /// The network.
    pub(crate) fn network(&self) -> Network {
        self.shared.network
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &folder::Folder {
        &self.shared.folder
    }

    /// Begins a read of the newest commit. Blocking, but for microseconds.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Snapshot::open(Arc::clone(&self.shared))
    }

    /// Notices after each commit. A receiver that lags must compare anew.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.shared.notices()
    }

    /// Events of the views after each commit.
    pub(crate) fn events(&self) -> broadcast::Receiver<Event> {
        self.shared.events()
    }

    /// Appends a verified run. What is held already is skipped.
    pub(crate) async fn append(&self, run: NewRun) -> Result<Appended, StoreError> {
        let stretch = append::Stretch::from(run);
        self.write(move |batch| batch.append(&stretch)).await
    }

    /// Compares verified headers of a branch with what is held, and keeps the proof where they part (`SYN-13`).
    pub(crate) async fn compare_branch(&self, run: NewRun) -> Result<Appended, StoreError> {
        let stretch = append::Stretch { is_shown: true, ..append::Stretch::from(run) };
        self.write(move |batch| batch.append(&stretch)).await
    }

    /// Keeps entries of one author without those before them, with the objects that came with them, in one commit: their
    /// own signatures were verified, their devices are admitted. What is turned away waits at no door (`ADM-3`). Answers
    /// how many were new.
    pub(crate) async fn insert_aimed(
        &self,
        author: Did,
        objects: Vec<Vec<u8>>,
        entries: Vec<VerifiedEntry>,
        is_turned_away: bool,
    ) -> Result<u64, StoreError> {
        let entries: Vec<_> = entries.into_iter().map(Arc::new).collect();
        self.write(move |batch| {
            batch.insert_identity(author, &objects)?;
            let mut new = 0;
            batch.is_turned_away = is_turned_away;
            for entry in &entries {
                new += u64::from(batch.insert_loose(entry, true)?);
            }
            batch.is_turned_away = false;
            Ok(new)
        })
        .await
    }

    /// Takes the proof of a fork that was passed on.
    pub(crate) async fn insert_fork(&self, proof: ForkProof) -> Result<ProofTaken, StoreError> {
        self.write(move |batch| batch.insert_fork(&proof)).await
    }

    /// Takes the proof of a void checkpoint that was passed on.
    pub(crate) async fn insert_fault(&self, proof: FaultProof) -> Result<ProofTaken, StoreError> {
        self.write(move |batch| batch.insert_fault(&proof)).await
    }

    /// Adds signed identity objects, as they came, to what is known of `did`.
    pub(crate) async fn insert_identity(
        &self,
        did: Did,
        objects: Vec<Vec<u8>>,
    ) -> Result<IdentityInserted, StoreError> {
        self.write(move |batch| batch.insert_identity(did, &objects)).await
    }

    /// Carries commands of a local identity out, in order, in one commit; one answer each.
    /// Waits while peers are still asked for the own heads (`LOG-17`).
    pub(crate) async fn commands(&self, identity: Did, commands: Vec<Command>) -> Vec<Result<Done, CommandError>> {
        let count = commands.len();
        if self.signing_allowed().await.is_err() {
            return (0..count).map(|_| Err(CommandError::Store(StoreError::Stopping))).collect();
        }
        let answers = self.write(move |batch| {
            let mut answers = Vec::with_capacity(commands.len());
            for command in &commands {
                match batch.command(&identity, command.clone()) {
                    // The store's own failure ends the transaction, and with it all answers so far.
                    Err(CommandError::Store(e)) => return Err(e),
                    answer => answers.push(answer),
                }
            }
            Ok(answers)
        });
        match answers.await {
            Ok(answers) => answers,
            Err(e) => {
                let cause = e.to_string();
                (0..count).map(|_| Err(CommandError::Store(StoreError::Storage(cause.clone())))).collect()
            }
        }
    }

    /// Remembers a peer, or forgets it; `record` is the network half's own encoding.
    pub(crate) async fn put_peer(&self, peer: Vec<u8>, record: Option<Vec<u8>>) -> Result<(), StoreError> {
        self.write(move |batch| {
            match &record {
                Some(record) => batch.peers.insert(peer.as_slice(), record.as_slice())?,
                None => batch.peers.remove(peer.as_slice())?,
            };
            Ok(())
        })
        .await
    }

    /// Remembers how far a peer's changes are durable here.
    pub(crate) async fn put_resume(&self, peer: Vec<u8>, epoch: [u8; 16], counter: u64) -> Result<(), StoreError> {
        self.write(move |batch| {
            batch.resumes.insert(peer.as_slice(), (epoch, counter))?;
            Ok(())
        })
        .await
    }

    /// Keeps receipts, each checked by itself; one answer each, after all are durable (`RCP-3`).
    pub(crate) async fn take_receipts(&self, receipts: Vec<NewReceipt>) -> Result<Vec<Receipted>, StoreError> {
        self.write(move |batch| receipts.iter().map(|receipt| batch.take_receipt(&receipt.0)).collect()).await
    }

    /// Learns of copies of a local identity's entries from a sibling of it (`RCP-6`).
    pub(crate) async fn take_copies(&self, author: Did, copies: Vec<KnownCopy>) -> Result<(), StoreError> {
        self.write(move |batch| batch.take_copies(&author, &copies)).await
    }

    /// Notes that a peer has durably what it was given.
    pub(crate) async fn note_given(&self, to: Recipient, counter: u64) -> Result<(), StoreError> {
        self.write(move |batch| batch.note_given(&to, counter)).await
    }

    /// Notes that these devices have sent bodies of these entries. Answers how many promises that breaks.
    pub(crate) async fn note_resent(&self, devices: Vec<DeviceId>, entries: Vec<EntryId>) -> Result<u64, StoreError> {
        self.write(move |batch| batch.note_resent(&devices, &entries)).await
    }

    /// A device was just found to hold logs of local identities so far; known at once, durable with the next
    /// [`Store::put_holdings`].
    pub(crate) fn note_holdings(&self, device: DeviceId, holdings: &[(LogId, Holding)]) {
        self.shared.note_holdings(device, holdings);
    }

    /// Remembers how far a device holds logs of local identities, and when it was heard of (`RCP-6`).
    pub(crate) async fn put_holdings(
        &self,
        device: DeviceId,
        holdings: Vec<(LogId, Holding)>,
    ) -> Result<(), StoreError> {
        self.write(move |batch| batch.put_holdings(&device, &holdings)).await?;
        Ok(())
    }

    /// By how much peers' clocks are ahead of the own one, milliseconds: the median, where enough are
    /// known. The signer refuses at ten minutes (`LOG-15`).
    pub(crate) fn set_clock_offset(&self, median_ms: Option<i64>) {
        self.shared.set_clock_offset(median_ms);
    }

    /// Purges and forgets what is due by now; called by a timer.
    pub(crate) async fn purge_due(&self) -> Result<(), StoreError> {
        while self.write(|batch| batch.purge_due()).await? {}
        self.write(|batch| batch.expire_media()).await?;
        self.expire_keeps().await?;
        self.look_for_room().await?;
        self.make_room().await?;
        self.forget_idempotency_keys().await?;
        // Another commit notes that the salts are zeroed.
        self.write(|_| Ok(())).await
    }

    /// Gives the space of purged and replaced data back.
    pub(crate) async fn compact(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Compact(reply)).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.shared.now_ms()
    }

    /// Drops all views and makes them again. Answers how many entries were applied.
    pub(crate) async fn rebuild_views(&self) -> Result<u64, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Rebuild(reply)).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }

    /// The DIDs that local identities follow, and the local ones.
    pub(crate) fn wants(&self) -> Arc<BTreeSet<Did>> {
        self.shared.wants()
    }

    /// Fetches an identity from peers as if it were followed, until the end of this run: it is to live here.
    pub(crate) fn seek(&self, did: Did) {
        self.shared.seek(did);
        self.shared.tell(Notice::Wants);
    }

    /// The identities that live here, oldest first.
    pub(crate) fn locals(&self) -> Vec<LocalRow> {
        self.shared.locals()
    }

    /// The device key of a local identity, for handshakes; none while it lies sealed.
    pub(crate) fn device_key(&self, did: &Did) -> Option<SecretKey> {
        self.shared.device_key(did)
    }

    /// Stops the writer after what is queued, waits for its end, and closes database and folder. Nothing is read
    /// or written afterwards, whoever still holds the store.
    pub(crate) async fn stop(&self) {
        self.end_signing();
        let (reply, answer) = oneshot::channel();
        if self.send(Job::Stop(reply)).await.is_ok() {
            drop(answer.await);
        }
        let writer = self.writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let Some(writer) = writer else { return };
        let shared = Arc::clone(&self.shared);
        let closed = tokio::task::spawn_blocking(move || {
            drop(writer.join());
            shared.close()
        });
        match closed.await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => tracing::warn!(%cause, "the database did not close; the next start repairs it"),
            Err(cause) => tracing::error!(%cause, "closing the database ended early"),
        }
    }

    /// Has `work` done in the next group commit.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (job, answer) = Task::job(work);
        self.send(job).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send(job).await.map_err(|_| StoreError::Stopping)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.shared.folder.path()).finish_non_exhaustive()
    }
}
