//! Who is kept away, why, and until when.
//!
//! Bans for broken rules end by themselves and are short; the owner's are as long as he says. Both outlive a restart,
//! so that nobody is let in by crashing the node.

use std::time::{Duration, Instant};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use super::{Origin, Peer, PeerBook};

/// Longest reason that is kept, characters.
const REASON_CHARS_MAX: usize = 200;
/// Bans by the owner; their peers are never let go to make room.
const OWNER_BANS_MAX: usize = 256;
/// Longest ban.
const BAN_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 3_600);

/// One ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::net) struct Ban {
    /// When it ends.
    pub(in crate::net) until: Instant,
    /// The same, milliseconds since 1970.
    pub(in crate::net) until_ms: u64,
    /// Why, for the owner to read.
    pub(in crate::net) reason: String,
    /// The owner said so; otherwise a rule was broken.
    pub(in crate::net) by_owner: bool,
}

/// A ban as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::net) struct BanRecord {
    until_ms: u64,
    reason: String,
    by_owner: bool,
}

impl Ban {
    /// From now on, for so long.
    pub(in crate::net) fn new(length: Duration, reason: &str, by_owner: bool, now: Instant, now_ms: u64) -> Self {
        let length = length.min(BAN_MAX);
        Self {
            until: now + length,
            until_ms: now_ms.saturating_add(u64::try_from(length.as_millis()).unwrap_or(u64::MAX)),
            reason: reason.chars().take(REASON_CHARS_MAX).collect(),
            by_owner,
        }
    }

    pub(super) fn record(&self) -> BanRecord {
        BanRecord { until_ms: self.until_ms, reason: self.reason.clone(), by_owner: self.by_owner }
    }
}

impl BanRecord {
    pub(super) fn by_owner(&self) -> bool {
        self.by_owner
    }

    /// What is left of it; none where it is over.
    pub(super) fn restore(&self, now: Instant, now_ms: u64) -> Option<Ban> {
        let left = self.until_ms.checked_sub(now_ms).filter(|left| *left > 0)?;
        Some(Ban::new(Duration::from_millis(left), &self.reason, self.by_owner, now, now_ms))
    }
}

impl PeerBook {
    /// Keeps a peer away; false for one that is not in the book, whom nobody would ever pardon. A ban by the owner
    /// stands whatever a shorter one says, and makes room for a peer that is not in the book.
    pub(in crate::net) fn ban(&mut self, peer: &PeerId, ban: Ban, now: Instant) -> bool {
        if ban.by_owner {
            let others = self.peers.iter().filter(|(id, entry)| *id != peer && entry.is_banned_by_owner());
            if others.count() >= OWNER_BANS_MAX || *peer == self.own {
                return false;
            }
            self.make_room(peer);
            self.peers.entry(*peer).or_insert_with(|| Peer::new(Origin::Connected, now));
        }
        let Some(entry) = self.peers.get_mut(peer) else { return false };
        if entry.is_banned_by_owner() && !ban.by_owner {
            return true;
        }
        entry.next_dial = ban.until;
        entry.ban = Some(ban);
        true
    }

    /// Lets a peer in again, as if its ban were over; false where it has none.
    pub(in crate::net) fn unban(&mut self, peer: &PeerId, now: Instant) -> bool {
        let Some(entry) = self.peers.get_mut(peer) else { return false };
        let Some(ban) = &mut entry.ban else { return false };
        ban.until = now;
        entry.next_dial = now;
        true
    }

    /// All bans.
    pub(in crate::net) fn bans(&self) -> impl Iterator<Item = (&PeerId, &Ban)> {
        self.peers.iter().filter_map(|(id, peer)| peer.ban.as_ref().map(|ban| (id, ban)))
    }

    /// Peers whose ban has ended; each is answered once.
    pub(in crate::net) fn pardoned(&mut self, now: Instant) -> Vec<PeerId> {
        let mut pardoned = Vec::new();
        for (id, peer) in &mut self.peers {
            if peer.ban.as_ref().is_some_and(|ban| ban.until <= now) {
                peer.ban = None;
                pardoned.push(*id);
            }
        }
        for peer in &pardoned {
            if self.peers.get(peer).is_some_and(|peer| peer.is_passing() && !peer.is_connected()) {
                self.peers.remove(peer);
            }
        }
        pardoned
    }
}

impl Peer {
    /// The owner keeps it away.
    pub(super) fn is_banned_by_owner(&self) -> bool {
        self.ban.as_ref().is_some_and(|ban| ban.by_owner)
    }
}
