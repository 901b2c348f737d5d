//! What the owner of a local identity does with its identity log and its locks. Each act is composed on
//! the newest state, inside the writer, so that no act of this node contradicts another.

use xom_protocol::identity::{Guardians, IdentityError, IdentityRecord, SignedObject, compose};
use xom_protocol::keys::SecretKey;
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, Network};

use super::Store;
use super::batch::Batch;
use super::control::not_local;
use crate::error::{CommandError, StoreError};
use crate::keys::ControlKey;
use crate::recovery::RecoveryError;

/// Something that an owner does.
#[derive(Clone)]
pub(crate) enum OwnerAct {
    /// New control keys by the words, with other guardians if told so.
    Rotate {
        /// The words.
        phrase: Phrase,
        /// The guardians from here on; none to keep them.
        guardians: Option<Option<Guardians>>,
    },
    /// Grants, drops and services stop counting until control keys say otherwise.
    Lock,
    /// All locks are lifted.
    Unlock(ControlKey),
    /// Guardians are asked to wait once more.
    Postpone,
    /// A recovery that goes on is stopped.
    Cancel(ControlKey),
    /// The identity ends.
    Retire(ControlKey),
}

impl Store {
    /// Carries an act of the owner out; durable when it answers.
    pub(crate) async fn own(&self, did: Did, act: OwnerAct) -> Result<(), CommandError> {
        let answer = self.write(move |batch| match batch.own_act(&did, &act) {
            Err(CommandError::Store(e)) => Err(e),
            answer => Ok(answer),
        });
        answer.await?
    }
}

impl Batch<'_> {
    fn own_act(&mut self, did: &Did, act: &OwnerAct) -> Result<(), CommandError> {
        if !self.own.contains_key(did) {
            return Err(not_local(&self.shared.folder, did));
        }
        let record = self.identity(did)?.ok_or(CommandError::NotLocal(*did))?;
        let network = self.shared.network;
        let object = match act {
            OwnerAct::Rotate { phrase, guardians } => {
                let rotated = rotation(&record, phrase, guardians.clone(), &[])?;
                self.check_device_stays(did, &record, &rotated)?;
                rotated
            }
            OwnerAct::Lock => {
                let device = self.signing_key(did)?;
                let (rev, stands) = record.new_lock(&device.public().device_id());
                compose::lock(network, *did, &device, rev, stands).map_err(RecoveryError::Identity)?
            }
            OwnerAct::Unlock(key) => {
                let state = record.state();
                if state.locks.is_empty() {
                    return Err(CommandError::Refused("nothing is locked"));
                }
                let locks = state.locks.keys().copied().collect();
                compose::unlock(&state.place(), locks, &[key.secret()]).map_err(RecoveryError::Identity)?
            }
            OwnerAct::Postpone => postpone(&record, network, &self.signing_key(did)?)?,
            OwnerAct::Cancel(key) => cancel(&record, key)?,
            OwnerAct::Retire(key) => self.retirement(&record, key)?,
        };
        self.take_own_object(*did, &object)
    }

    /// Refuses words that would undo the recovery by which the device of this node came: next keys outrank guardians
    /// however late they sign (`ID-9`).
    fn check_device_stays(
        &self,
        did: &Did,
        record: &IdentityRecord,
        rotated: &SignedObject,
    ) -> Result<(), CommandError> {
        let Some(local) = self.shared.locals().into_iter().find(|local| local.did == *did) else { return Ok(()) };
        let mut after = IdentityRecord::clone(record);
        after.insert(rotated.clone()).map_err(RecoveryError::Identity)?;
        let is_live = |record: &IdentityRecord| record.state().live_device(&local.device).is_some();
        if is_live(record) && !is_live(&after) { Err(RecoveryError::OlderWords.into()) } else { Ok(()) }
    }

    /// Stores an object that this node made of a local identity.
    fn take_own_object(&mut self, did: Did, object: &SignedObject) -> Result<(), CommandError> {
        let inserted = self.insert_identity(did, &[object.encode()])?;
        match inserted.refused.first() {
            None => Ok(()),
            Some(rule) => Err(StoreError::Damaged(format!("an own object breaks {rule}")).into()),
        }
    }

    /// Answers locks that leave out what this node knows to have stood: a thief's lock names what he
    /// likes, and the device here names the rest (`ID-19`). Nothing while the device key is sealed.
    pub(super) fn answer_locks(&self, before: &IdentityRecord, now: &mut IdentityRecord) -> Result<(), StoreError> {
        let did = now.did();
        if now.state().locks == before.state().locks {
            return Ok(());
        }
        let Some(device) = self.shared.device_key(&did) else { return Ok(()) };
        let Some((rev, stands)) = now.counter_lock(before, &device.public().device_id()) else { return Ok(()) };
        let answered = compose::lock(self.shared.network, did, &device, rev, stands);
        let refused = |e: IdentityError| StoreError::Damaged(format!("an own lock: {e}"));
        now.insert(answered.map_err(refused)?).map_err(refused)?;
        tracing::warn!(%did, "a lock left out what stands; this device answered with its own");
        Ok(())
    }
}

/// The rotation that the words sign where they can: at the head, or before what they undo. It brings
/// `devices`. Locks stay: what a stolen device granted must not count again before that device has ended.
pub(crate) fn rotation(
    record: &IdentityRecord,
    phrase: &Phrase,
    guardians: Option<Option<Guardians>>,
    devices: &[&SecretKey],
) -> Result<SignedObject, RecoveryError> {
    let state = record.state();
    let Some(place) = phrase.rotation_place(record) else {
        let first = phrase.genesis(state.network).id();
        let older = first.0 == state.did.0 || state.epoch > 0 && is_of_an_earlier_epoch(record, phrase);
        return Err(if older { RecoveryError::OlderWords } else { RecoveryError::OtherWords });
    };
    let guardians = guardians.unwrap_or_else(|| place.guardians.clone());
    let renewal = phrase.renewal(place.epoch + 1, guardians, devices);
    Ok(phrase.rotate(&place, renewal, devices)?)
}

/// True where the words gave the control key of some place of the log.
fn is_of_an_earlier_epoch(record: &IdentityRecord, phrase: &Phrase) -> bool {
    let log = record.log();
    let mut places = log.iter().filter_map(|id| record.place_after(id));
    places.any(|place| place.control.keys.contains(&phrase.control_key(place.epoch).public().device_id()))
}

fn postpone(record: &IdentityRecord, network: Network, device: &SecretKey) -> Result<SignedObject, CommandError> {
    let running = record.state().recovery.as_ref().filter(|recovery| recovery.finished.is_none());
    let recovery = running.ok_or(RecoveryError::NoRecovery)?;
    if recovery.postponed.contains(&device.public().device_id()) {
        return Err(RecoveryError::Postponed.into());
    }
    let postponed = compose::postpone(network, record.did(), device, recovery.start);
    Ok(postponed.map_err(RecoveryError::Identity)?)
}

fn cancel(record: &IdentityRecord, key: &ControlKey) -> Result<SignedObject, CommandError> {
    let running = record.state().recovery.as_ref().filter(|recovery| recovery.finished.is_none());
    let recovery = running.ok_or(RecoveryError::NoRecovery)?;
    let cancelled = compose::cancel(&recovery.place, vec![recovery.start], &[key.secret()]);
    Ok(cancelled.map_err(RecoveryError::Identity)?)
}
