//! What happens at this node while a conversation goes on: new entries, identities, follows, claims.

use std::mem::take;
use std::sync::Arc;

use xom_protocol::limits::{AIMED_ENTRIES_MAX, SETTINGS_MESSAGE_MAX};
use xom_protocol::sync::{Input, Proof, RequestId, Setting};
use xom_protocol::{DeviceId, Did, LogId, Rule};

use super::Talk;
use crate::error::StoreError;
use crate::net::ingest::blocking;
use crate::store::{Notice, Stored};

/// Aimed entries that stay unsent below the peer's limit: one load may bring as many.
const AIMED_MARGIN: u64 = 64;
/// Proofs of false checkpoints of one log that are passed on: one is enough to know the device.
const FAULTS_TOLD_MAX: usize = 4;
/// Most private settings of a conversation that wait for operations of the identity log (`PAIR-9`).
const SETTINGS_EARLY_MAX: usize = 4_096;
/// Bytes of aimed entries that are told at once while a session is live.
const LIVE_AIMED_BYTES_MAX: u64 = 256 << 10;

impl Talk<'_> {
    /// Passes a notice of the store on to the session.
    pub(super) async fn hear(&mut self, notice: Notice) -> Result<(), StoreError> {
        match notice {
            Notice::Entries(stored) if stored.counter > self.since => self.hear_entries(&stored).await,
            Notice::Identity(did) => {
                self.tell_of(did).await?;
                self.judge_claims(did).await?;
                self.take_early_settings(did).await
            }
            Notice::LogChanged(did) => self.tell_of(did).await,
            Notice::Wants => self.hear_wants().await,
            Notice::Aimed(did) => self.tell_aimed(did).await,
            Notice::Proven(log) => self.tell_proofs(vec![log]).await,
            Notice::Sought(log) => self.tell_sought(log).await,
            Notice::Admitted(did) => self.tell_admitted(did).await,
            Notice::Receipts(_) => {
                self.step(Input::ReceiptsDue);
                Ok(())
            }
            Notice::Settings(did, items) => {
                self.tell_settings(did, items.to_vec());
                Ok(())
            }
            Notice::Entries(_)
            | Notice::BlobWanted(_)
            | Notice::BlobHeld(_)
            | Notice::KeeperAsked
            | Notice::AtDoor
            | Notice::Locals => Ok(()),
        }
    }

    async fn hear_entries(&mut self, stored: &Arc<Stored>) -> Result<(), StoreError> {
        let input = Input::Stored {
            log: stored.log,
            from: stored.from,
            entries: stored.entries.iter().map(|entry| entry.to_signed()).collect(),
            position: stored.position,
            counter: stored.counter,
        };
        if self.step(input) {
            self.with.shared.count_sent(&self.with.tally, stored.entries.len());
        }
        let own = self.with.shared.store.locals().iter().any(|local| local.did == stored.author);
        if own {
            self.know_what_was_sent(stored.author, &stored.entries).await?;
        }
        let heard: Vec<Did> = match own {
            true => self.claims.iter().filter(|(_, given)| given.is_some()).map(|((did, _), _)| *did).collect(),
            false => Vec::new(),
        };
        for did in heard {
            self.tell_aimed(did).await?;
        }
        Ok(())
    }

    /// Tells the session how an identity and its logs stand now.
    async fn tell_of(&mut self, did: Did) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        let (identity, logs) = blocking(move || {
            let snapshot = shared.store.snapshot()?;
            shared.reader(&snapshot).of(&did)
        })
        .await?;
        if logs.is_empty() && !self.wants.contains(&did) {
            // Known only for what it aimed at us: no business of this peer.
            return Ok(());
        }
        self.step(Input::Identity(identity));
        for log in logs {
            self.step(Input::Log(log));
        }
        self.tell_lacked(did).await
    }

    /// Tells the session of which entries of an identity bodies are lacked (`SYN-21`).
    async fn tell_lacked(&mut self, did: Did) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        for (log, places) in blocking(move || shared.store.snapshot()?.bodies_lacked(&did)).await? {
            self.step(Input::Lacked { log, places });
        }
        Ok(())
    }

    /// The same of all identities that the peer may hear of.
    pub(super) async fn tell_all_lacked(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        for did in blocking(move || shared.store.snapshot()?.lacking_identities()).await? {
            self.tell_lacked(did).await?;
        }
        Ok(())
    }

    /// Tells the session what an identity has admitted and is not held (`ADM-6`).
    async fn tell_admitted(&mut self, did: Did) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        for (log, entries) in blocking(move || shared.store.snapshot()?.admitted_lacked(&did)).await? {
            self.step(Input::Admitted { log, entries });
        }
        Ok(())
    }

    /// The same of all identities.
    pub(super) async fn tell_all_admitted(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        for did in blocking(move || shared.store.snapshot()?.admitting_identities()).await? {
            self.tell_admitted(did).await?;
        }
        Ok(())
    }

    /// Passes on what is held against the devices of all logs, once the peer has said which it knows.
    pub(super) async fn tell_all_proofs(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        let logs = blocking(move || shared.store.snapshot()?.proven_logs()).await?;
        self.tell_proofs(logs).await
    }

    /// Passes on what is held against the devices of these logs (`SYN-19`).
    async fn tell_proofs(&mut self, logs: Vec<LogId>) -> Result<(), StoreError> {
        for log in logs {
            let shared = Arc::clone(&self.with.shared);
            let proofs = blocking(move || {
                let snapshot = shared.store.snapshot()?;
                let forks = snapshot.fork_proof(&log)?.into_iter().map(Proof::Fork);
                let faults = snapshot.fault_proofs(&log, FAULTS_TOLD_MAX)?.into_iter().map(Proof::Fault);
                Ok(forks.chain(faults).collect::<Vec<_>>())
            })
            .await?;
            for proof in proofs {
                self.step(Input::Proven { log, proof });
            }
        }
        Ok(())
    }

    /// Tells the session from where on the way down from a named head is sought (`LOG-19`).
    async fn tell_sought(&mut self, log: LogId) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        let head = blocking(move || shared.store.snapshot()?.sought(&log)).await?;
        self.step(Input::Sought { log, head });
        Ok(())
    }

    /// The same of all logs of which one is sought.
    pub(super) async fn tell_all_sought(&mut self) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.with.shared);
        for log in blocking(move || shared.store.snapshot()?.sought_logs()).await? {
            self.tell_sought(log).await?;
        }
        Ok(())
    }

    async fn hear_wants(&mut self) -> Result<(), StoreError> {
        let now = self.with.shared.store.wants();
        let changed: Vec<Did> = self.wants.symmetric_difference(&now).copied().collect();
        self.wants = now;
        for did in changed {
            self.tell_of(did).await?;
        }
        Ok(())
    }

    /// The peer holds the key of a device: what that is worth, the identity says, now or once it is known.
    pub(super) async fn peer_is(&mut self, did: Did, device: DeviceId) -> Result<(), StoreError> {
        self.claims.entry((did, device)).or_insert(None);
        self.copies.proven(did, device);
        let shared = Arc::clone(&self.with.shared);
        let judge = move || Ok((shared.admits(&did, &device)?, shared.takes_receipts(&did, &device)?));
        match blocking(judge).await? {
            (Some(true), _) => self.admit(did, device).await?,
            (Some(false), false) => self.refused(Rule("SYN-4"), "the identity does not admit the device"),
            (Some(false), true) | (None, _) => {}
        }
        Ok(())
    }

    /// The peer speaks for an identity by this device; it is a sibling where that lives here too.
    async fn admit(&mut self, did: Did, device: DeviceId) -> Result<(), StoreError> {
        self.with.tally.speaks_for(did, device);
        let is_local = self.with.shared.store.locals().iter().any(|local| local.did == did);
        if is_local && self.siblings.insert(did) {
            let shared = Arc::clone(&self.with.shared);
            let settings = blocking(move || shared.store.snapshot()?.settings(&did)).await?;
            self.tell_settings(did, settings);
        }
        Ok(())
    }

    /// Tells private settings to a sibling, and to nobody else (`PAIR-8`).
    fn tell_settings(&mut self, did: Did, items: Vec<Setting>) {
        if !self.siblings.contains(&did) {
            return;
        }
        for items in items.chunks(SETTINGS_MESSAGE_MAX) {
            self.step(Input::Settings { did, items: items.to_vec() });
        }
    }

    /// Takes private settings from a sibling, and from nobody else.
    pub(super) async fn take_settings(&mut self, did: Did, items: Vec<Setting>) -> Result<(), StoreError> {
        let device = self.claims.keys().find(|(claimed, _)| *claimed == did).map(|(_, device)| *device);
        let Some(device) = device else { return Ok(()) };
        let shared = Arc::clone(&self.with.shared);
        if blocking(move || shared.admits(&did, &device)).await? == Some(true) {
            let early = self.with.shared.store.take_settings(did, items).await?;
            let room = SETTINGS_EARLY_MAX.saturating_sub(self.early.len());
            self.early.extend(early.into_iter().take(room).map(|item| (did, item)));
            return Ok(());
        }
        self.refused(Rule("PAIR-8"), "settings of an identity that does not admit the device");
        Ok(())
    }

    /// Takes the settings that came before the operations of the identity log that they take (`PAIR-9`).
    async fn take_early_settings(&mut self, did: Did) -> Result<(), StoreError> {
        let (of, others): (Vec<_>, Vec<_>) = take(&mut self.early).into_iter().partition(|(of, _)| *of == did);
        self.early = others;
        if of.is_empty() {
            return Ok(());
        }
        self.take_settings(did, of.into_iter().map(|(_, item)| item).collect()).await
    }

    /// Answers what is aimed at the peer; nothing, while its identity is not known to admit its device.
    pub(super) async fn load_aimed(
        &mut self,
        request: RequestId,
        did: Did,
        device: DeviceId,
        since: u64,
        bytes_max: u64,
    ) -> Result<Input, StoreError> {
        let shared = Arc::clone(&self.with.shared);
        let loaded = blocking(move || {
            if shared.admits(&did, &device)? != Some(true) {
                return Ok(None);
            }
            let snapshot = shared.store.snapshot()?;
            Ok(Some((shared.aimed(&snapshot, &did, since, bytes_max)?, snapshot.counter()?)))
        })
        .await?;
        let Some((items, counter)) = loaded else {
            return Ok(Input::LoadedAimed { request, items: Vec::new() });
        };
        self.claims.insert((did, device), Some(counter));
        self.admit(did, device).await?;
        let entries: usize = items.iter().map(|item| item.entries.len()).sum();
        self.aimed_sent += entries as u64;
        self.with.shared.count_sent(&self.with.tally, entries);
        Ok(Input::LoadedAimed { request, items })
    }

    /// An identity has changed: its claims may hold now that did not before, and the other way round.
    async fn judge_claims(&mut self, did: Did) -> Result<(), StoreError> {
        self.dismiss_ended(did).await?;
        let waiting = |((claimed, device), given): (&(Did, DeviceId), &Option<u64>)| {
            (*claimed == did && given.is_none()).then_some(*device)
        };
        let waiting: Vec<DeviceId> = self.claims.iter().filter_map(waiting).collect();
        for device in waiting {
            let shared = Arc::clone(&self.with.shared);
            if blocking(move || shared.admits(&did, &device)).await? == Some(true) {
                self.claims.insert((did, device), Some(0));
                self.admit(did, device).await?;
                self.tell_aimed(did).await?;
            }
        }
        Ok(())
    }

    /// A device that has ended gets nothing more that is for its identity alone (`PAIR-7`).
    async fn dismiss_ended(&mut self, did: Did) -> Result<(), StoreError> {
        let given = |((claimed, device), given): (&(Did, DeviceId), &Option<u64>)| {
            (*claimed == did && given.is_some()).then_some(*device)
        };
        let given: Vec<DeviceId> = self.claims.iter().filter_map(given).collect();
        for device in given {
            let shared = Arc::clone(&self.with.shared);
            if blocking(move || shared.admits(&did, &device)).await? == Some(false) {
                self.claims.insert((did, device), None);
                self.with.tally.ended(did, device);
            }
        }
        if self.claims.iter().all(|((claimed, _), given)| *claimed != did || given.is_none()) {
            self.siblings.remove(&did);
        }
        Ok(())
    }

    /// Tells what is newly aimed at an identity that the peer has proven.
    async fn tell_aimed(&mut self, did: Did) -> Result<(), StoreError> {
        let given = self.claims.iter().filter(|((claimed, _), _)| *claimed == did).filter_map(|(_, given)| *given);
        let Some(since) = given.max() else { return Ok(()) };
        if self.aimed_sent + AIMED_MARGIN >= AIMED_ENTRIES_MAX as u64 + self.began.elapsed().as_secs() {
            // What a sibling passes on may be more than one peer may send: the rest goes later (`SYN-12`).
            return Ok(());
        }
        let shared = Arc::clone(&self.with.shared);
        let (items, counter) = blocking(move || {
            let snapshot = shared.store.snapshot()?;
            Ok((shared.aimed(&snapshot, &did, since, LIVE_AIMED_BYTES_MAX)?, snapshot.counter()?))
        })
        .await?;
        for ((claimed, _), given) in &mut self.claims {
            if *claimed == did && given.is_some() {
                *given = Some(counter);
            }
        }
        let entries = items.iter().map(|item| item.entries.len()).sum();
        self.aimed_sent += entries as u64;
        if entries > 0 && self.step(Input::Aimed { items, counter }) {
            self.with.shared.count_sent(&self.with.tally, entries);
        }
        Ok(())
    }
}
