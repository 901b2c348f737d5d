//! What a rotation or a recovery brings: new keys, guardians, devices, and the locks that it lifts.

use std::collections::BTreeSet;

use super::IdentityError;
use super::keys::{Guardians, KeyList, NextKeys};
use crate::ids::{DeviceId, Digest};
use crate::keys::PublicKey;
use crate::limits::{LOCKS_LIFTED_MAX, RENEWAL_DEVICES_MAX};

/// New keys and devices in the place of what was before (`ID-6`, `ID-16`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// The control keys from here on.
    pub control: KeyList,
    /// The commitment to the keys that sign the next rotation; none of them is among those above.
    pub next: NextKeys,
    /// Guardians from here on.
    pub guardians: Option<Guardians>,
    /// Devices that hang from no granter, ascending; each signs too.
    pub devices: Vec<DeviceId>,
    /// The ids of locks that are lifted, ascending.
    pub unlocks: Vec<Digest>,
}

impl Renewal {
    /// Checks every bound, and that `revealed` keys and the new ones are used for one thing only (`ID-6`).
    pub(super) fn check(&self, revealed: Option<&KeyList>) -> Result<(), IdentityError> {
        self.control.public_keys()?;
        self.next.check()?;
        if let Some(guardians) = &self.guardians {
            guardians.check()?;
        }
        check_single_use(revealed, &self.control, &self.next)?;
        self.device_keys()?;
        check_ids("lifted locks", &self.unlocks, LOCKS_LIFTED_MAX)
    }

    /// The keys of the devices, once their list has been checked.
    pub(super) fn device_keys(&self) -> Result<Vec<PublicKey>, IdentityError> {
        let ascending = self.devices.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || self.devices.len() > RENEWAL_DEVICES_MAX {
            return Err(IdentityError::KeyList("devices are out of order, repeated or too many"));
        }
        self.devices.iter().map(|device| PublicKey::from_bytes(&device.0).map_err(IdentityError::Key)).collect()
    }
}

/// A key signs as next key once, and is never a control key (`ID-6`).
pub(super) fn check_single_use(
    revealed: Option<&KeyList>,
    control: &KeyList,
    next: &NextKeys,
) -> Result<(), IdentityError> {
    let revealed = revealed.map(|list| list.keys.as_slice()).unwrap_or_default();
    let twice = control.keys.iter().any(|key| revealed.contains(key));
    let hashes: BTreeSet<Digest> = revealed.iter().chain(&control.keys).map(|key| Digest::of(&[&key.0])).collect();
    let again = next.keys.iter().any(|hash| hashes.contains(hash));
    if twice || again { Err(IdentityError::KeyReuse) } else { Ok(()) }
}

/// Checks a list of ids: ascending, none twice, at most `max`.
pub(super) fn check_ids(what: &'static str, ids: &[Digest], max: usize) -> Result<(), IdentityError> {
    let ascending = ids.windows(2).all(|pair| pair[0] < pair[1]);
    if ascending && ids.len() <= max { Ok(()) } else { Err(IdentityError::Ids(what)) }
}
