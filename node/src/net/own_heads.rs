//! When a node that was just started may sign: once those whom it knows have told how far they hold its own
//! logs, or once nobody is there to ask (`LOG-17`, `SYN-18`).
//!
//! A pure machine. It decides only how long the first command after a start waits: whoever is met later is
//! compared with all the same, and what it shows stops the signer at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// How long peers that don't answer are waited for: a dial to a peer that is there takes far less, and who
/// is alone shall not wait longer to write.
const GRACE: Duration = Duration::from_secs(3);
/// How long a peer is waited for that talks: it may have a lot of the own log to send.
const TALKING: Duration = Duration::from_secs(30);

/// Who is waited for.
#[derive(Debug)]
pub(super) struct OwnHeads {
    began: Instant,
    /// Peers of earlier runs that have not been heard.
    remembered: BTreeSet<PeerId>,
    /// Peers whose conversation, with this number, has begun, and that have not been heard.
    talking: BTreeMap<PeerId, u64>,
    /// Addresses of nobody in particular are being dialled, and nobody has been heard.
    has_seeds: bool,
    is_over: bool,
}

impl OwnHeads {
    /// Begins to wait for the peers of earlier runs, and for whoever is behind the addresses of the settings.
    pub(super) fn new(remembered: BTreeSet<PeerId>, has_seeds: bool, now: Instant) -> Self {
        Self { began: now, remembered, talking: BTreeMap::new(), has_seeds, is_over: false }
    }

    /// A conversation with this peer has begun.
    pub(super) fn begun(&mut self, peer: PeerId, number: u64) {
        self.talking.insert(peer, number);
    }

    /// It is known, and stored, how far this peer holds the own logs.
    pub(super) fn heard(&mut self, peer: &PeerId) {
        self.talking.remove(peer);
        self.remembered.remove(peer);
        self.has_seeds = false;
    }

    /// This conversation with a peer has ended.
    pub(super) fn ended(&mut self, peer: &PeerId, number: u64) {
        if self.talking.get(peer) == Some(&number) {
            self.talking.remove(peer);
        }
    }

    /// True from the moment on at which nobody is waited for.
    pub(super) fn may_sign(&mut self, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.began);
        let all_heard = self.remembered.is_empty() && !self.has_seeds && self.talking.is_empty();
        let nobody_talks = self.talking.is_empty() && waited >= GRACE;
        self.is_over |= all_heard || nobody_talks || waited >= TALKING;
        self.is_over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_knows_nobody_signs_at_once() {
        let now = Instant::now();
        assert!(OwnHeads::new(BTreeSet::new(), false, now).may_sign(now));
    }

    #[test]
    fn everybody_remembered_is_heard_before_something_is_signed() {
        let (now, bob, carol) = (Instant::now(), PeerId::random(), PeerId::random());
        let mut own = OwnHeads::new(BTreeSet::from([bob, carol]), false, now);
        own.begun(bob, 1);
        own.heard(&bob);
        assert!(!own.may_sign(now));
        own.begun(carol, 2);
        own.heard(&carol);
        assert!(own.may_sign(now));
    }

    #[test]
    fn who_is_not_there_is_waited_for_three_seconds_and_who_talks_for_thirty() {
        let (now, bob) = (Instant::now(), PeerId::random());
        let mut alone = OwnHeads::new(BTreeSet::from([bob]), false, now);
        assert!(!alone.may_sign(now + Duration::from_secs(2)));
        assert!(alone.may_sign(now + GRACE));
        let mut talking = OwnHeads::new(BTreeSet::from([bob]), false, now);
        talking.begun(bob, 1);
        assert!(!talking.may_sign(now + Duration::from_secs(29)));
        assert!(talking.may_sign(now + TALKING));
    }

    #[test]
    fn a_conversation_that_breaks_off_counts_as_not_there() {
        let (now, bob) = (Instant::now(), PeerId::random());
        let mut own = OwnHeads::new(BTreeSet::from([bob]), false, now);
        own.begun(bob, 1);
        own.begun(bob, 2);
        own.ended(&bob, 1);
        assert!(!own.may_sign(now + GRACE), "the second one goes on");
        own.ended(&bob, 2);
        assert!(own.may_sign(now + GRACE));
    }

    #[test]
    fn somebody_behind_an_address_of_the_settings_is_heard_first() {
        let (now, bob) = (Instant::now(), PeerId::random());
        let mut own = OwnHeads::new(BTreeSet::new(), true, now);
        assert!(!own.may_sign(now));
        own.begun(bob, 1);
        own.heard(&bob);
        assert!(own.may_sign(now));
    }
}
