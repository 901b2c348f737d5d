//! Lists of keys with a threshold, the commitment to the next list, and guardians.

use serde::{Deserialize, Serialize};

use super::IdentityError;
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::PublicKey;
use crate::limits::{CONTROL_KEYS_MAX, GUARDIANS_MAX};

/// Control keys, and how many of them must sign (`ID-4`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyList {
    /// The 32 bytes of each public key; the position is the index that a signature names.
    pub keys: Vec<DeviceId>,
    /// How many must sign.
    pub threshold: u64,
}

/// The commitment to the keys that sign the next rotation: the SHA-256 of each, in order (`ID-6`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextKeys {
    /// The SHA-256 of each key's 32 bytes.
    pub keys: Vec<Digest>,
    /// How many of the keys must sign the rotation that reveals them.
    pub threshold: u64,
}

/// Guardians, salted and hashed: who can recover the identity together (`ID-4`, `ID-16`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardians {
    /// Keeps the members from being guessed.
    #[serde(with = "serde_bytes")]
    pub salt: [u8; 32],
    /// The SHA-256 of salt and DID of each guardian, ascending.
    pub members: Vec<Digest>,
    /// How many must sign.
    pub need: u64,
}

impl KeyList {
    /// One key that signs alone.
    pub fn single(key: &PublicKey) -> Self {
        Self { keys: vec![key.device_id()], threshold: 1 }
    }

    /// Several keys of which `threshold` must sign.
    pub fn of(keys: &[PublicKey], threshold: u64) -> Self {
        Self { keys: keys.iter().map(PublicKey::device_id).collect(), threshold }
    }

    /// The keys, once the list has been checked (`ID-4`, `ENC-11`).
    pub fn public_keys(&self) -> Result<Vec<PublicKey>, IdentityError> {
        check_list("control keys are none, too many or repeated", &self.keys, CONTROL_KEYS_MAX)?;
        check_threshold(self.threshold, self.keys.len())?;
        self.keys.iter().map(|key| PublicKey::from_bytes(&key.0).map_err(IdentityError::Key)).collect()
    }
}

impl NextKeys {
    /// The commitment to a list of keys.
    pub fn commit_to(list: &KeyList) -> Self {
        let keys = list.keys.iter().map(|key| Digest::of(&[&key.0])).collect();
        Self { keys, threshold: list.threshold }
    }

    pub(super) fn check(&self) -> Result<(), IdentityError> {
        check_list("next keys are none, too many or repeated", &self.keys, CONTROL_KEYS_MAX)?;
        check_threshold(self.threshold, self.keys.len())
    }
}

impl Guardians {
    /// Guardians out of their DIDs, `need` of whom recover together; `salt` is random.
    pub fn of(salt: [u8; 32], guardians: &[Did], need: u64) -> Result<Self, IdentityError> {
        let mut members: Vec<Digest> = guardians.iter().map(|did| Digest::of(&[&salt, &did.0])).collect();
        members.sort_unstable();
        let guardians = Self { salt, members, need };
        guardians.check()?;
        Ok(guardians)
    }

    /// True for a guardian.
    pub fn contains(&self, did: &Did) -> bool {
        self.members.contains(&Digest::of(&[&self.salt, &did.0]))
    }

    pub(super) fn check(&self) -> Result<(), IdentityError> {
        check_list("guardians are none, too many or repeated", &self.members, GUARDIANS_MAX)?;
        let ascending = self.members.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending {
            return Err(IdentityError::KeyList("guardians are not in ascending order"));
        }
        check_threshold(self.need, self.members.len())
    }
}

fn check_list<T: Ord>(what: &'static str, list: &[T], max: usize) -> Result<(), IdentityError> {
    let distinct = list.iter().collect::<std::collections::BTreeSet<_>>().len() == list.len();
    if distinct && (1..=max).contains(&list.len()) { Ok(()) } else { Err(IdentityError::KeyList(what)) }
}

fn check_threshold(threshold: u64, keys: usize) -> Result<(), IdentityError> {
    let can_be_met = (1..=keys as u64).contains(&threshold);
    if can_be_met { Ok(()) } else { Err(IdentityError::KeyList("threshold is zero or above the number of keys")) }
}
