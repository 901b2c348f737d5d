//! The writer: the one thread that writes. All jobs that wait are carried out in one transaction, and
//! each is answered only after the commit.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use redb::{CompactionError, WriteTransaction};
use tokio::sync::{mpsc, oneshot};
use xom_protocol::{BlobId, Did};

use super::Shared;
use super::adopt::Adoption;
use super::batch::{After, Batch};
use super::own::Own;
use super::standing::is_shown_disputed;
use super::tables::{self, ArrivalRow, BlobState, LocalRow, flags};
use crate::error::{AdoptError, StoreError};
use crate::views::{NewEntry, Views};

/// Jobs that may wait; a full queue makes callers wait, and they are bounded themselves.
pub(super) const QUEUE_MAX: usize = 1_024;
/// Jobs carried out in one transaction.
const GROUP_MAX: usize = 512;
/// How long a compaction waits for reads to end, in tries.
const COMPACT_TRIES: u32 = 300;
/// Between two tries.
const COMPACT_WAIT: Duration = Duration::from_millis(20);

/// Why a group is not stored.
enum Failed {
    /// A job of it could not be carried out; nothing was written.
    Job(StoreError),
    /// The commit failed.
    Commit(StoreError),
}

/// What the writer is asked to do.
pub(super) enum Job {
    /// Something that is done together with what else waits.
    Write(Box<dyn Write>),
    /// Give space back.
    Compact(oneshot::Sender<Result<(), StoreError>>),
    /// Give an identity that exists elsewhere a place here.
    Adopt(Box<Adoption>, oneshot::Sender<Result<LocalRow, AdoptError>>),
    /// Make an identity with this user name.
    Settle(String, oneshot::Sender<Result<LocalRow, AdoptError>>),
    /// Make all views anew.
    Rebuild(oneshot::Sender<Result<u64, StoreError>>),
    /// End, after what came before.
    Stop(oneshot::Sender<()>),
}

/// A piece of work for one transaction. It may be run again in another one if its group failed.
pub(super) trait Write: Send {
    /// Does it; nothing is answered yet.
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError>;
    /// Answers, after the commit or its failure.
    fn answer(self: Box<Self>, failed: Option<String>);
}

/// A closure with the channel for its answer.
pub(super) struct Task<T, F> {
    work: F,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Task<T, F>
where
    T: Send + 'static,
    F: FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
{
    /// A job and where its answer comes.
    pub(super) fn job(work: F) -> (Job, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Job::Write(Box::new(Self { work, value: None, reply })), answer)
    }
}

impl<T, F> Write for Task<T, F>
where
    T: Send,
    F: FnMut(&mut Batch<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        self.value = Some((self.work)(batch)?);
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<String>) {
        let answer = match (failed, self.value) {
            (None, Some(value)) => Ok(value),
            (Some(cause), _) => Err(StoreError::Storage(cause)),
            (None, None) => Err(StoreError::Stopping),
        };
        // Whoever asked may have gone; what was done stays done.
        drop(self.reply.send(answer));
    }
}

/// The state of the writing thread.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) own: BTreeMap<Did, Own>,
    /// Slots whose zeros are durable, to be noted as free in the next transaction.
    zeroed: Vec<u64>,
    /// Blobs whose files are deleted, to be noted in the next transaction.
    dropped: Vec<BlobId>,
    /// What was just purged is to be answered in the next transaction.
    owes_purged: bool,
    /// The last transaction failed: the next one begins with what is on the disk.
    is_broken: bool,
}

impl Writer {
    /// A writer that has not read anything yet.
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            own: BTreeMap::new(),
            zeroed: Vec::new(),
            dropped: Vec::new(),
            owes_purged: false,
            is_broken: false,
        }
    }

    /// Works until it is told to stop, or until nobody is left to ask.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut next = None;
        while let Some(job) = next.take().or_else(|| jobs.blocking_recv()) {
            match job {
                Job::Write(first) => {
                    let mut group = vec![first];
                    while group.len() < GROUP_MAX && next.is_none() {
                        match jobs.try_recv() {
                            Ok(Job::Write(more)) => group.push(more),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    self.carry_out(group);
                    if self.owes_purged && next.is_none() {
                        next = jobs.try_recv().ok().or_else(|| self.answer_purged());
                    }
                }
                Job::Adopt(adoption, reply) => drop(reply.send(self.adopt(*adoption))),
                Job::Settle(username, reply) => drop(reply.send(self.settle(&username))),
                Job::Compact(reply) => drop(reply.send(self.compact())),
                Job::Rebuild(reply) => drop(reply.send(self.rebuild_views())),
                Job::Stop(reply) => {
                    // Whoever asked waits for the end of this thread anyway.
                    let _ = reply.send(());
                    break;
                }
            }
        }
    }

    /// Answers for what was just purged, as nobody else has work; the next transaction does where this fails.
    fn answer_purged(&mut self) -> Option<Job> {
        if let Err(Failed::Job(e) | Failed::Commit(e)) = self.commit(&mut []) {
            tracing::error!(error = %e, "could not note what was purged");
        }
        None
    }

    /// Commits a group; where a job of it fails, each alone, so that none fails for another.
    pub(super) fn carry_out(&mut self, mut group: Vec<Box<dyn Write>>) {
        match self.commit(&mut group) {
            Ok(()) => group.into_iter().for_each(|job| job.answer(None)),
            Err(Failed::Job(_)) if group.len() > 1 => {
                for job in group {
                    self.carry_out(vec![job]);
                }
            }
            // After a failed commit nobody knows what is on the disk: nothing is tried again (R-STO-4).
            Err(Failed::Job(e) | Failed::Commit(e)) => {
                tracing::error!(error = %e, "could not store");
                group.into_iter().for_each(|job| job.answer(Some(e.to_string())));
            }
        }
    }

    fn commit(&mut self, group: &mut [Box<dyn Write>]) -> Result<(), Failed> {
        if self.is_broken {
            self.mend().map_err(Failed::Commit)?;
        }
        match self.try_commit(group) {
            Ok(after) => {
                self.finish(after);
                Ok(())
            }
            Err(e) => {
                // What was signed in the failed transaction is forgotten; nobody has seen it.
                self.own.clear();
                self.shared.audits().clear();
                self.is_broken = true;
                Err(e)
            }
        }
    }

    /// Takes up writing again after a failure: from what is on the disk, and from nothing else.
    fn mend(&mut self) -> Result<(), StoreError> {
        self.shared.reopen()?;
        self.load_own()?;
        self.is_broken = false;
        Ok(())
    }

    fn try_commit(&mut self, group: &mut [Box<dyn Write>]) -> Result<After, Failed> {
        let shared = Arc::clone(&self.shared);
        let database = shared.database().map_err(Failed::Commit)?;
        let txn = database.begin_write().map_err(|e| Failed::Commit(e.into()))?;
        let after = self.run_jobs(&shared, &txn, group).map_err(Failed::Job)?;
        let durable = || {
            if !after.salts.is_empty() {
                // Before the commit: a body whose salt is not durable would be lost.
                shared.salts.write(&after.salts)?;
                shared.salts.sync()?;
            }
            Ok(txn.commit()?)
        };
        durable().map_err(Failed::Commit)?;
        self.zeroed.clear();
        self.dropped.clear();
        Ok(after)
    }

    fn run_jobs(
        &mut self,
        shared: &Shared,
        txn: &WriteTransaction,
        group: &mut [Box<dyn Write>],
    ) -> Result<After, StoreError> {
        let mut batch = Batch::open(txn, shared, &mut self.own, shared.now_ms())?;
        batch.note_zeroed(&self.zeroed)?;
        batch.note_dropped(&self.dropped)?;
        if !self.zeroed.is_empty() || !self.dropped.is_empty() {
            batch.answer_purged()?;
        }
        for job in group {
            job.run(&mut batch)?;
        }
        batch.finish()
    }

    /// What follows a commit, before anybody is answered. Failing here is no failure of the jobs: what
    /// is left undone is done at the next start.
    fn finish(&mut self, after: After) {
        self.owes_purged = after.owes_purged;
        if !after.zero.is_empty() {
            match self.shared.salts.zero(&after.zero) {
                Ok(()) => self.zeroed.extend(after.zero),
                Err(e) => tracing::error!(error = %e, "could not zero salts of purged bodies"),
            }
            self.shared.opened.purge();
        }
        for blob in after.drop_blobs {
            match self.shared.delete_blob_file(&blob) {
                Ok(()) => self.dropped.push(blob),
                Err(e) => tracing::error!(error = %e, "could not delete a purged blob"),
            }
        }
        for blob in after.drop_partials {
            let forgotten = self.shared.forget_partial(&blob).and_then(|()| self.shared.delete_preview(&blob));
            if let Err(e) = forgotten {
                tracing::warn!(error = %e, "a part of a purged blob stays until the next start");
            }
        }
        for blob in after.placed {
            if let Err(e) = self.shared.forget_placing(&blob) {
                tracing::warn!(error = %e, "the note of a stored blob stays until the next start");
            }
        }
        for (_, record) in after.identities {
            self.shared.cache_identity(record);
        }
        if after.reload_own {
            self.reload_own();
        }
        if after.wants_changed || after.reload_own {
            self.set_wants();
            self.look_for_shares();
            self.shared.tell(super::Notice::Wants);
        }
        after.notices.into_iter().for_each(|notice| self.shared.tell(notice));
        after.events.into_iter().for_each(|event| self.shared.tell_event(event));
    }

    /// Reads the own logs again. Where that fails nothing is signed any more: who does not know where a
    /// log stands could sign a place twice.
    fn reload_own(&mut self) {
        if let Err(e) = self.load_own() {
            tracing::error!(error = %e, "could not read the own logs; nothing is signed until the next start");
            self.own.clear();
        }
    }

    /// Gives the space of purged and replaced data back.
    fn compact(&mut self) -> Result<(), StoreError> {
        self.commit(&mut []).map_err(|(Failed::Job(e) | Failed::Commit(e))| e)?;
        for _ in 0..COMPACT_TRIES {
            match self.shared.compact() {
                Ok(()) => return Ok(()),
                Err(CompactionError::TransactionInProgress) => std::thread::sleep(COMPACT_WAIT),
                Err(e) => return Err(e.into()),
            }
        }
        Err(StoreError::Storage("reads are going on that do not end; try again".into()))
    }

    /// Drops all views and applies every live entry again, in the order of arrival.
    pub(super) fn rebuild_views(&mut self) -> Result<u64, StoreError> {
        let shared = Arc::clone(&self.shared);
        let database = shared.database()?;
        let txn = database.begin_write()?;
        Views::clear(&txn)?;
        let mut batch = Batch::open_all(&txn, &shared, &mut self.own, shared.now_ms())?;
        let applied = batch.apply_all()?;
        batch.finish()?;
        txn.commit()?;
        Ok(applied)
    }
}

impl Batch<'_> {
    /// Notes slots as free whose zeros are durable.
    pub(super) fn note_zeroed(&mut self, slots: &[u64]) -> Result<(), StoreError> {
        for slot in slots {
            self.purge_intents.remove(slot)?;
            self.free_slots.insert(slot, ())?;
        }
        Ok(())
    }

    /// Notes blobs whose files are gone.
    pub(super) fn note_dropped(&mut self, blobs: &[BlobId]) -> Result<(), StoreError> {
        for blob in blobs {
            self.blob_uses.remove(&blob.0)?;
            let state = self.blobs.get(&blob.0)?.map(|row| row.value());
            match state.map(|row| row.state) {
                Some(BlobState::Dropping) => {
                    self.blobs.remove(&blob.0)?;
                }
                Some(BlobState::DroppingForGood) => {
                    let refused = tables::BlobRow { bytes: 0, state: BlobState::Refused };
                    self.blobs.insert(&blob.0, refused)?;
                }
                Some(BlobState::Wanted | BlobState::Held | BlobState::Refused | BlobState::Evicted) | None => {}
            }
        }
        Ok(())
    }

    /// Applies every live entry to the views.
    fn apply_all(&mut self) -> Result<u64, StoreError> {
        let arrivals = self.arrivals.iter()?;
        let arrivals = arrivals.map(|row| row.map(|(first, what)| (first.value(), what.value())));
        let arrivals: Vec<(u64, ArrivalRow)> = arrivals.collect::<Result<_, _>>()?;
        let mut applied = 0;
        for (first, what) in arrivals {
            let ArrivalRow::Entries { log, seq, count } = what else { continue };
            for offset in 0..u64::from(count) {
                let place = (log, seq + offset);
                let held = self.held(place)?;
                // An entry that came loose is met again where the chain reached it: only its own counter counts.
                let Some(held) = held.filter(|held| held.row().counter == first + offset) else { continue };
                if held.row().flags & (flags::HIDDEN | flags::VOID) == 0 {
                    let (body, _) = self.read_body(place, &held)?;
                    let disputed = self.is_disputed(place)?;
                    if disputed && !body.as_ref().is_some_and(is_shown_disputed) {
                        continue;
                    }
                    self.views.apply(&NewEntry { disputed, ..held.for_views(place, body.as_ref()) })?;
                    applied += 1;
                }
            }
        }
        Ok(applied)
    }
}
