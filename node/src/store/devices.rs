//! The devices of a local identity: granting a new one, ending one, listing them.

use xom_protocol::body::LogHead;
use xom_protocol::identity::{DeviceEnd, IdentityRecord, Payload, Statement, compose, grants};
use xom_protocol::keys::{SecretKey, Signature};
use xom_protocol::{DeviceId, Did};

use super::Store;
use super::batch::Batch;
use super::snapshot::Snapshot;
use crate::error::{CommandError, StoreError};
use crate::keys::{AccessError, ControlKey};
use crate::model::{DeviceView, EndedBy};

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
    /// granter or the device itself. What the device wrote until now, as far as it is held here, goes on
    /// counting; so do its grants, unless they are to go with it.
    pub(crate) async fn end_device(
        &self,
        did: Did,
        device: DeviceId,
        control: Option<ControlKey>,
        with_granted: bool,
    ) -> Result<EndedBy, CommandError> {
        self.write(move |batch| settled(batch.end_device(&did, device, control.as_ref(), with_granted))).await?
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
        let own = own.ok_or(CommandError::NotLocal(*did))?;
        match record.state().live_device(&own.device) {
            Some(_) => Ok(()),
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
    ) -> Result<EndedBy, CommandError> {
        let record = self.identity(did)?.ok_or(CommandError::NotLocal(*did))?;
        let state = record.state();
        let known = state.devices.get(&device).ok_or(CommandError::Refused("no such device"))?;
        let end = self.device_end(&record, device, with_granted)?;
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
        self.insert_identity(*did, &[object.encode()])?;
        Ok(by)
    }

    /// What of a device goes on counting: its logs as far as they are held, and its statements that stand.
    fn device_end(
        &mut self,
        record: &IdentityRecord,
        device: DeviceId,
        with_granted: bool,
    ) -> Result<DeviceEnd, CommandError> {
        let mut heads = self.log_heads_of(&record.did(), &device)?;
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

    /// The device key that signs here.
    pub(super) fn signing_key(&self, did: &Did) -> Result<SecretKey, CommandError> {
        Ok(self.shared.device_key(did).ok_or(AccessError::DeviceSealed)?)
    }
}

impl Snapshot {
    /// The user names of local identities whose device of this node has ended.
    pub(crate) fn ended_here(&self) -> Result<Vec<String>, StoreError> {
        let mut ended = Vec::new();
        for local in self.locals()? {
            let record = self.record(&local.did)?;
            if record.is_some_and(|record| record.state().live_device(&local.device).is_none()) {
                ended.push(local.username);
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
