//! How much of what a peer says in gossip is looked at (`GSP-6`). Time comes in.

use std::collections::BTreeMap;

use libp2p::PeerId;
use xom_protocol::Rule;
use xom_protocol::gossip::Share;
use xom_protocol::limits::{GOSSIP_FRAME_EACH_MS, GOSSIP_FRAMES_MAX, GOSSIP_MESSAGE_EACH_MS, GOSSIP_MESSAGES_MAX};

/// What of one peer may be dropped before it is let go.
const DROPPED_MAX: u64 = 2_048;
/// After this time one more may be, milliseconds: all of it in a minute.
const DROPPED_EACH_MS: u64 = 60_000 / DROPPED_MAX;
/// Peers whose shares are remembered, those that are gone too: all that can be connected, many times over.
const PEERS_MAX: usize = 4_096;

/// The shares of one peer.
#[derive(Debug)]
struct Shares {
    frames: Share,
    messages: Share,
    dropped: Share,
}

/// What was not looked at, or was wrong, of one peer, since it was last asked for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::net) struct Refused {
    /// How often each rule was broken.
    pub(in crate::net) rules: BTreeMap<Rule, u64>,
    /// It has had its share of this too: it is let go.
    pub(in crate::net) let_go: bool,
}

/// The shares of all peers.
#[derive(Debug, Default)]
pub(super) struct Meter {
    peers: BTreeMap<PeerId, Shares>,
    refused: BTreeMap<PeerId, Refused>,
}

impl Meter {
    /// Counts a frame; false where it is not to be looked at.
    pub(super) fn frame(&mut self, peer: PeerId, now_ms: u64) -> bool {
        let looked_at = self.shares(peer, now_ms).frames.take(now_ms);
        if !looked_at {
            self.dropped(peer, now_ms);
        }
        looked_at
    }

    /// Counts a message; false where it is not to be looked at.
    pub(super) fn message(&mut self, peer: PeerId, now_ms: u64) -> bool {
        let looked_at = self.shares(peer, now_ms).messages.take(now_ms);
        if !looked_at {
            self.dropped(peer, now_ms);
        }
        looked_at
    }

    /// A peer has broken a rule.
    pub(super) fn refuse(&mut self, peer: PeerId, rule: Rule) {
        *self.refused.entry(peer).or_default().rules.entry(rule).or_default() += 1;
    }

    /// What was refused since this was last asked.
    pub(super) fn take_refused(&mut self) -> BTreeMap<PeerId, Refused> {
        std::mem::take(&mut self.refused)
    }

    fn dropped(&mut self, peer: PeerId, now_ms: u64) {
        let within = self.shares(peer, now_ms).dropped.take(now_ms);
        self.refuse(peer, Rule("GSP-6"));
        self.refused.entry(peer).or_default().let_go |= !within;
    }

    fn shares(&mut self, peer: PeerId, now_ms: u64) -> &mut Shares {
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&peer) {
            self.peers.retain(|_, shares| !(shares.frames.is_full(now_ms) && shares.messages.is_full(now_ms)));
            if self.peers.len() >= PEERS_MAX {
                self.peers.clear();
            }
        }
        self.peers.entry(peer).or_insert(Shares {
            frames: Share::new(GOSSIP_FRAMES_MAX, GOSSIP_FRAME_EACH_MS, now_ms),
            messages: Share::new(GOSSIP_MESSAGES_MAX, GOSSIP_MESSAGE_EACH_MS, now_ms),
            dropped: Share::new(DROPPED_MAX, DROPPED_EACH_MS, now_ms),
        })
    }
}

#[cfg(test)]
mod tests;
