//! Letting peers go that broke a rule or whom the owner does not want, and letting them in again.

use std::time::{Duration, Instant};

use libp2p::PeerId;
use xom_protocol::Rule;

use super::Driver;
use crate::model::BanInfo;
use crate::net::clocks::now_ms;
use crate::net::peers::Ban;

/// How long a peer of another network is left alone (`SYN-22`).
const FOREIGN: Duration = Duration::from_secs(3_600);
/// First ban of a peer that broke a rule gravely; each further one is twice as long.
const BAN: Duration = Duration::from_secs(30);
/// Longest ban for a broken rule.
const BAN_MAX: Duration = Duration::from_secs(3_600);

impl Driver {
    /// Lets a peer go that broke a rule gravely, for longer each time.
    pub(super) fn punish(&mut self, peer: PeerId, rule: Rule) {
        let standing = self.standing(peer);
        let length = BAN * (1 << standing.bans.min(10));
        standing.bans = standing.bans.saturating_add(1);
        self.ban(peer, length.min(BAN_MAX), &format!("broke {rule}"), false);
    }

    /// Leaves a peer of another network alone.
    pub(super) fn leave_alone(&mut self, peer: PeerId) {
        self.ban(peer, FOREIGN, "is of another network (SYN-22)", false);
    }

    /// Keeps a peer away; false where there is no room for one more that the owner bans.
    pub(super) fn ban(&mut self, peer: PeerId, length: Duration, reason: &str, by_owner: bool) -> bool {
        let now = Instant::now();
        tracing::info!(%peer, secs = length.as_secs(), reason, "let go for a while");
        let banned = self.book.ban(&peer, Ban::new(length, reason, by_owner, now, now_ms()), now);
        if banned {
            self.swarm.behaviour_mut().banned.block_peer(peer);
            self.remember(&peer);
        }
        let _ = self.swarm.disconnect_peer_id(peer);
        banned
    }

    /// Lets a peer in again whose ban is not over; false where it has none.
    pub(super) fn unban(&mut self, peer: &PeerId) -> bool {
        if !self.book.unban(peer, Instant::now()) {
            return false;
        }
        if let Some(standing) = self.standings.get_mut(peer) {
            standing.bans = 0;
        }
        self.pardon(Instant::now());
        true
    }

    /// Lets those in again whose ban is over.
    pub(super) fn pardon(&mut self, now: Instant) {
        for peer in self.book.pardoned(now) {
            self.swarm.behaviour_mut().banned.unblock_peer(peer);
            self.remember(&peer);
        }
    }

    /// Bans that an earlier run has left.
    pub(super) fn keep_bans(&mut self) {
        let banned: Vec<PeerId> = self.book.bans().map(|(peer, _)| *peer).collect();
        for peer in banned {
            self.swarm.behaviour_mut().banned.block_peer(peer);
        }
    }

    /// All bans.
    pub(super) fn ban_infos(&self) -> Vec<BanInfo> {
        let info = |(peer, ban): (&PeerId, &Ban)| BanInfo {
            peer: peer.to_string(),
            reason: ban.reason.clone(),
            until_ms: ban.until_ms,
            by_owner: ban.by_owner,
        };
        self.book.bans().map(info).collect()
    }
}
