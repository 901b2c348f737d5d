//! The devices of a local identity: granting a new one, ending one, listing them.

use xom_protocol::body::LogHead;
use xom_protocol::entry::Header;
use xom_protocol::identity::{DeviceEnd, DeviceStatus, IdentityRecord, Payload, Statement, compose, grants};
use xom_protocol::keys::{SecretKey, Signature};
use xom_protocol::{DeviceId, Did, LogId};

use super::Store;
use super::batch::Batch;
use super::control::not_local;
use super::snapshot::Snapshot;
use super::tables::{EntryRow, flags};
use crate::error::{CommandError, StoreError};
use crate::keys::{AccessError, ControlKey};
use crate::model::{DeviceView, EndedBy, Kept};

impl Store {
    /// Refuses where the device of this node has ended.
    pub(crate) async fn check_device(&self, did: Did) -> Result<(), CommandError> {
        self.write(move |batch| settled(batch.check_device(&did))).await?
    }

    /// Grants a device whose own signature is there. Answers all objects of the identity, durable.
    pub(crate) async fn grant_device(
        &self,
        did: Did,
        device: DeviceId,
        co_signature: Signature,
    ) -> Result<Vec<Vec<u8>>, CommandError> {
        self.write(move |batch| settled(batch.grant_device(&did, device, co_signature))).await?
    }

    /// Ends a device: by a control key if one is given, otherwise by this node's own device, where it is the
    /// granter or the device itself. What the device wrote until now, as far as it is held here and to be kept, goes
    /// on counting; so do its grants, unless they are to go with it.
    pub(crate) async fn end_device(
        &self,
        did: Did,
        device: DeviceId,
        control: Option<ControlKey>,
        with_granted: bool,
        kept: Kept,
    ) -> Result<EndedBy, CommandError> {
        let end = move |batch: &mut Batch<'_>| batch.end_device(&did, device, control.as_ref(), with_granted, kept);
        self.write(move |batch| settled(end(batch))).await?
    }
}

/// Only the store's own failure ends the transaction of a command; any other answer has written nothing.
fn settled<T>(answer: Result<T, CommandError>) -> Result<Result<T, CommandError>, StoreError> {
    match answer {
        Err(CommandError::Store(e)) => Err(e),
        answer => Ok(answer),
    }
}

impl Batch<'_> {
    /// Refuses where the device of this node has ended (`ID-7`, `ID-10`).
    pub(super) fn check_device(&mut self, did: &Did) -> Result<(), CommandError> {
        let record = self.identity(did)?.ok_or(CommandError::NotLocal(*did))?;
        let own = self.shared.locals().into_iter().find(|local| local.did == *did);
        let own = own.ok_or_else(|| not_local(&self.shared.folder, did))?;
        match record.state().live_device(&own.device) {
            Some(_) => Ok(()),
            None if record.state().retired.is_some() => Err(CommandError::Retired),
            None => Err(CommandError::DeviceEnded),
        }
    }

    fn grant_device(
        &mut self,
        did: &Did,
        device: DeviceId,
        co_signature: Signature,
    ) -> Result<Vec<Vec<u8>>, CommandError> {
        self.check_device(did)?;
        let record = self.identity(did)?.ok_or(CommandError::NotLocal(*did))?;
        if record.state().devices.contains_key(&device) {
            return Err(CommandError::Refused("the key is a device of this identity already, or was one"));
        }
        let key = self.signing_key(did)?;
        let grant = grants::grant(self.shared.network, *did, &key, device, co_signature);
        let grant = grant.map_err(|_| CommandError::Refused("the new device did not sign its grant"))?;
        let mut admitted = IdentityRecord::clone(&record);
        let inserted = admitted.insert(grant.clone());
        if inserted.is_err() || admitted.state().live_device(&device).is_none() {
            return Err(CommandError::Refused(
                "the identity takes no new device now: it is locked, or has as many as it may have",
            ));
        }
        self.insert_identity(*did, &[grant.encode()])?;
        Ok(admitted.objects().iter().map(|object| object.encode()).collect())
    }

    fn end_device(
        &mut self,
        did: &Did,
        device: DeviceId,
        control: Option<&ControlKey>,
        with_granted: bool,
        kept: Kept,
    ) -> Result<EndedBy, CommandError> {
        let record = self.identity(did)?.ok_or(CommandError::NotLocal(*did))?;
        let state = record.state();
        let known = state.devices.get(&device).ok_or(CommandError::Refused("no such device"))?;
        let end = self.device_end(&record, device, with_granted, kept)?;
        let counted = end.heads.clone();
        let (object, by) = match control {
            Some(control) => (compose::device_remove(&state.place(), end, &[control.secret()]), EndedBy::ControlKey),
            None => {
                self.check_device(did)?;
                let key = self.signing_key(did)?;
                let own = key.public().device_id();
                if device != own && known.granted_by != Some(own) {
                    return Err(CommandError::Refused(
                        "only the control key, the device itself or the device that admitted it can end it",
                    ));
                }
                (compose::drop(self.shared.network, *did, &key, end), EndedBy::Device)
            }
        };
        let object = object.map_err(|_| CommandError::Refused("the key that signs is not the current control key"))?;
        let mut after = IdentityRecord::clone(&record);
        if after.insert(object.clone()).is_err() || after.state().live_device(&device).is_some() {
            return Err(CommandError::Refused("the identity takes no such change now"));
        }
        if let Some(DeviceStatus::Ended { accepted }) = after.state().devices.get(&device).map(|known| &known.status)
            && kept != Kept::All
            && accepted.values().any(|head| !counted.contains(head))
        {
            return Err(CommandError::Refused("more of it was accepted when it ended, and that can't be taken back"));
        }
        self.insert_identity(*did, &[object.encode()])?;
        Ok(by)
    }

    /// What of a device goes on counting: its logs as far as they are held and kept, and its statements that stand.
    fn device_end(
        &mut self,
        record: &IdentityRecord,
        device: DeviceId,
        with_granted: bool,
        kept: Kept,
    ) -> Result<DeviceEnd, CommandError> {
        let mut heads = self.log_heads_of(&record.did(), &device)?;
        if kept != Kept::All {
            heads = self.kept_heads(heads, record.state().root_log(&device), kept)?;
        }
        heads.sort_unstable_by_key(|head: &LogHead| head.log);
        let mut stands = Vec::new();
        for object in record.objects() {
            let Ok(Payload::Statement(origin, statement)) = Payload::decode(object.payload()) else { continue };
            let stays = match statement {
                Statement::Grant { device: granted } => {
                    !with_granted
                        && record
                            .state()
                            .devices
                            .get(&granted)
                            .is_some_and(|granted| granted.granted_by == Some(device))
                }
                Statement::Drop(end) => end.device != device,
                _ => false,
            };
            if origin.by == device && stays {
                stands.push(object.id());
            }
        }
        stands.sort_unstable();
        stands.dedup();
        Ok(DeviceEnd { device, heads, stands })
    }

    /// The heads of the logs of a device, lowered to what is kept of them.
    fn kept_heads(&self, heads: Vec<LogHead>, root: LogId, kept: Kept) -> Result<Vec<LogHead>, StoreError> {
        let from_ms = match kept {
            Kept::All => None,
            Kept::Before(ms) => Some(ms),
            Kept::Entries(count) => self.first_left_out(&heads, root, count)?,
        };
        let mut lowered = Vec::new();
        for head in heads {
            let number = self.log_number(&head.log)?;
            let height = match (kept, from_ms) {
                (Kept::Entries(count), _) if head.log == root => count.min(head.height),
                (_, Some(ms)) => self.height_before(number, head.height, ms)?,
                (_, None) => head.height,
            };
            let Some(last) = height.checked_sub(1) else { continue };
            let hash = self.hash_at((number, last))?;
            let hash = hash.ok_or_else(|| StoreError::Damaged(format!("entry {last} of log {number} is missing")))?;
            lowered.push(LogHead { log: head.log, height, head: hash });
        }
        Ok(lowered)
    }

    /// The time that the first entry of a root log claims that is not kept.
    fn first_left_out(&self, heads: &[LogHead], root: LogId, count: u64) -> Result<Option<u64>, StoreError> {
        if heads.iter().all(|head| head.log != root || head.height <= count) {
            return Ok(None);
        }
        let held = self.held((self.log_number(&root)?, count))?;
        Ok(held.map(|held| held.header.time_ms))
    }

    /// How many entries of a log come before the first that claims this time or a later one, or came then as
    /// it was made.
    fn height_before(&self, log: u32, height: u64, ms: u64) -> Result<u64, StoreError> {
        for row in self.entries.range((log, 0)..(log, height))? {
            let (place, row) = row?;
            let row = EntryRow::read(row.value());
            let row = row.ok_or_else(|| StoreError::Damaged("entry is too short".into()))?;
            let claimed_ms = Header::decode(row.header).map(|header| header.time_ms);
            if claimed_ms.is_ok_and(|claimed_ms| claimed_ms >= ms) || row.is(flags::LIVE) && row.ms >= ms {
                return Ok(place.value().1);
            }
        }
        Ok(height)
    }

    fn log_number(&self, log: &LogId) -> Result<u32, StoreError> {
        let number = self.log_numbers.get(&log.0)?.map(|number| number.value());
        number.ok_or_else(|| StoreError::Damaged(format!("log {log} has no number")))
    }

    /// The device key that signs here.
    pub(super) fn signing_key(&self, did: &Did) -> Result<SecretKey, CommandError> {
        Ok(self.shared.device_key(did).ok_or(AccessError::DeviceSealed)?)
    }
}

impl Snapshot {
    /// The user names of local identities whose device of this node has ended, and whether the whole identity has.
    pub(crate) fn ended_here(&self) -> Result<Vec<(String, bool)>, StoreError> {
        let mut ended = Vec::new();
        for local in self.locals()? {
            let record = self.record(&local.did)?;
            if let Some(record) = record.filter(|record| record.state().live_device(&local.device).is_none()) {
                ended.push((local.username, record.state().retired.is_some()));
            }
        }
        Ok(ended)
    }

    /// All devices that an identity ever had, the live ones first.
    pub(crate) fn devices(&self, did: &Did) -> Result<Vec<DeviceView>, StoreError> {
        let Some(record) = self.record(did)? else { return Ok(Vec::new()) };
        let here: Vec<DeviceId> = self.locals()?.into_iter().map(|local| local.device).collect();
        let heads = self.heads_of(did)?;
        let mut views = Vec::new();
        for (id, device) in &record.state().devices {
            let root = record.state().root_log(id);
            let position = heads.iter().find(|held| held.log == root).map(|held| held.position);
            views.push(DeviceView {
                device: *id,
                name: self.device_name(did, id)?,
                granted_by: device.granted_by,
                is_live: device.is_live(),
                is_here: here.contains(id),
                log: root,
                height: position.map_or(0, |position| position.height),
                last_ms: self.last_time_ms(&root)?,
            });
        }
        views.sort_by_key(|view| (!view.is_live, !view.is_here, view.device));
        Ok(views)
    }

    /// The claimed time of the newest entry of a log.
    fn last_time_ms(&self, log: &xom_protocol::LogId) -> Result<Option<u64>, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(None) };
        Ok(self.log(number)?.filter(|row| row.height > 0).map(|row| row.time_ms))
    }
}
