//! Private settings, which siblings share and nobody else hears of (`PAIR-8`).

use super::input::SessionConfig;
use super::message::Claim;
use super::output::Output;
use super::refusal::Refusal;
use crate::ids::Did;
use crate::limits::{SETTING_KEY_BYTES_MAX, SETTING_VALUE_BYTES_MAX};

/// A private setting of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub key: String,
    /// From 1 on; of two values of one key the greater (`rev`, value) stands.
    pub rev: u64,
    /// What; empty is deleted.
    pub value: Vec<u8>,
}

impl Setting {
    /// True if key, revision and value are within their bounds (`PAIR-8`).
    pub fn fits(&self) -> bool {
        (1..=SETTING_KEY_BYTES_MAX).contains(&self.key.len())
            && (1..=crate::limits::MESSAGE_NUMBER_MAX).contains(&self.rev)
            && self.value.len() <= SETTING_VALUE_BYTES_MAX
    }

    /// True if this value stands before the other one of the same key.
    pub fn outranks(&self, other: &Self) -> bool {
        (self.rev, &self.value) > (other.rev, &other.value)
    }
}

/// Takes settings of a peer: only of an identity that both sides have proven.
pub(super) fn take(
    config: &SessionConfig,
    their_claims: &[Claim],
    did: Did,
    items: Vec<Setting>,
    out: &mut Vec<Output>,
) -> Result<(), Refusal> {
    let is_shared = are_siblings(config, their_claims, &did);
    Refusal::unless(is_shared, "PAIR-8", "settings of an identity that is not both sides'")?;
    out.push(Output::Settings { did, items });
    Ok(())
}

/// True if both sides have proven the identity in this session (`PAIR-7`): only then are settings sent and taken. A
/// device that was granted while the session ran has proven nothing in it.
pub(super) fn are_siblings(config: &SessionConfig, their_claims: &[Claim], did: &Did) -> bool {
    let ours = config.devices.iter().any(|device| device.did == *did);
    ours && their_claims.iter().any(|claim| claim.did == *did)
}
