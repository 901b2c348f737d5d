//! Private settings, which siblings share and nobody else hears of (`PAIR-8`).

use super::input::SessionConfig;
use super::message::Claim;
use super::output::Output;
use super::refusal::Refusal;
use crate::ids::Did;
use crate::limits::{SETTING_CHANGES_MAX, SETTING_KEY_BYTES_MAX, SETTING_VALUE_BYTES_MAX};

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

    /// The revision of a change made by who knows operations of the identity log up to number `operation`, of a
    /// setting whose value here has the revision `before`, or 0 (`PAIR-9`). None where the changes are used up.
    pub fn next_rev(before: u64, operation: u64) -> Option<u64> {
        let rev = before.max(operation * SETTING_CHANGES_MAX) + 1;
        (rev < first_rev_after(operation)).then_some(rev)
    }

    /// True if its revision can be had by who knows operations of the identity log up to number `operation`
    /// (`PAIR-9`).
    pub fn is_of(&self, operation: u64) -> bool {
        self.rev < first_rev_after(operation)
    }

    /// True if this value stands before the other one of the same key.
    pub fn outranks(&self, other: &Self) -> bool {
        (self.rev, &self.value) > (other.rev, &other.value)
    }
}

/// The least revision that takes an operation of the identity log above number `operation`.
fn first_rev_after(operation: u64) -> u64 {
    (operation + 1) * SETTING_CHANGES_MAX
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{IDENTITY_OPERATIONS_MAX, MESSAGE_NUMBER_MAX};

    #[test]
    fn pair_9_what_is_set_after_a_removal_outranks_whatever_a_thief_set_before() {
        let setting = |rev| Setting { key: "mute/x".to_owned(), rev, value: vec![1] };
        let greatest = SETTING_CHANGES_MAX * 4 - 1;
        assert!(setting(greatest).is_of(3) && !setting(greatest + 1).is_of(3));
        assert_eq!(Setting::next_rev(greatest, 3), None, "the thief has used up the changes");
        let after = Setting::next_rev(greatest, 4).expect("in bounds");
        assert!(setting(after).outranks(&setting(greatest)) && setting(after).is_of(4) && !setting(after).is_of(3));
        assert_eq!((Setting::next_rev(0, 0), Setting::next_rev(7, 0)), (Some(1), Some(8)));
        assert_eq!(Setting::next_rev(after, 4), Some(after + 1));
    }

    #[test]
    fn pair_9_revisions_of_the_longest_identity_log_fit_into_a_message() {
        let last = u64::try_from(IDENTITY_OPERATIONS_MAX).expect("in bounds");
        let rev = Setting::next_rev(0, last).expect("in bounds");
        assert!(rev + SETTING_CHANGES_MAX <= MESSAGE_NUMBER_MAX);
    }
}
