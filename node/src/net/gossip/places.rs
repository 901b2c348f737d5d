//! Who keeps a place in the mesh of a topic (`GSP-9`). A pure count of who has brought what was passed on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use libp2p::PeerId;
use xom_protocol::Digest;
use xom_protocol::gossip::Topic;

use crate::net::crowd::Place;

/// Messages passed on of which a peer in the mesh must have brought one, first or not.
const SILENT_MESSAGES: u64 = 16;
/// Messages of a topic whose bearers are remembered.
const RECENT_MAX: usize = 64;
/// Peers of one network of the world that stay in a mesh.
const NETWORK_PEERS_MAX: usize = 3;
/// Peers that yield at one look: as many as gossipsub grafts when it looks for better ones.
const YIELDING_MAX: usize = 2;

/// A peer in the mesh of a topic.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::net) struct Member {
    /// Who.
    pub(in crate::net) peer: PeerId,
    /// How it stands with gossipsub.
    pub(in crate::net) score: f64,
    /// The network of the world in which it is; none where it is nearer.
    pub(in crate::net) network: Option<Place>,
}

/// A message that came lately.
#[derive(Debug)]
struct Recent {
    id: Digest,
    bearers: BTreeSet<PeerId>,
    passed: bool,
}

/// One topic.
#[derive(Debug, Default)]
struct Course {
    /// Messages that were passed on.
    passed: u64,
    recent: VecDeque<Recent>,
    /// The peers of the mesh: how many messages had been passed on when it was first seen, and whether it brought one
    /// since.
    mesh: BTreeMap<PeerId, (u64, bool)>,
}

/// All topics.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<Topic, Course>);

impl Places {
    /// A peer has brought a message.
    pub(super) fn brought(&mut self, topic: &Topic, id: Digest, peer: PeerId) {
        let course = self.0.entry(*topic).or_default();
        let recent = course.recent(id);
        recent.bearers.insert(peer);
        if recent.passed {
            course.credit(&peer);
        }
    }

    /// A message that has come was passed on, while these were in the mesh.
    pub(super) fn passed(&mut self, topic: &Topic, id: Digest, mesh: &[PeerId]) {
        let course = self.0.entry(*topic).or_default();
        for peer in mesh {
            course.mesh.entry(*peer).or_insert((course.passed, false));
        }
        course.passed += 1;
        course.pass(id);
    }

    /// This node has said a message itself; others may bring it too.
    pub(super) fn said(&mut self, topic: &Topic, id: Digest) {
        self.0.entry(*topic).or_default().pass(id);
    }

    /// A topic was left.
    pub(super) fn left(&mut self, topic: &Topic) {
        self.0.remove(topic);
    }

    /// Looks at the mesh of a topic while so many who could be in it are outside: who yields a place?
    pub(super) fn look(&mut self, topic: &Topic, members: &[Member], outside: usize) -> Vec<PeerId> {
        let course = self.0.entry(*topic).or_default();
        let passed = course.passed;
        course.mesh.retain(|peer, _| members.iter().any(|member| member.peer == *peer));
        for member in members {
            course.mesh.entry(member.peer).or_insert((passed, false));
        }
        let silent = |member: &&Member| {
            let seen = course.mesh.get(&member.peer);
            seen.is_some_and(|(since, brought)| !brought && passed.saturating_sub(*since) >= SILENT_MESSAGES)
        };
        let mut ranked: Vec<&Member> = members.iter().collect();
        ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
        let mut in_network: BTreeMap<Place, usize> = BTreeMap::new();
        let mut yielding: Vec<PeerId> = Vec::new();
        for member in &ranked {
            let crowded = member.network.is_some_and(|network| {
                let count = in_network.entry(network).or_default();
                *count += 1;
                *count > NETWORK_PEERS_MAX
            });
            if crowded {
                yielding.push(member.peer);
            }
        }
        // The least useful first.
        yielding.reverse();
        let silent = ranked.iter().rev().copied().filter(silent).map(|member| member.peer);
        let also: Vec<PeerId> = silent.filter(|peer| !yielding.contains(peer)).collect();
        yielding.extend(also);
        yielding.truncate(outside.min(YIELDING_MAX));
        // Whoever stays, and whoever comes back, is looked at anew.
        for member in members {
            if let Some((since, brought)) = course.mesh.get_mut(&member.peer)
                && *brought
                && passed.saturating_sub(*since) >= SILENT_MESSAGES
            {
                (*since, *brought) = (passed, false);
            }
        }
        yielding
    }
}

impl Course {
    fn recent(&mut self, id: Digest) -> &mut Recent {
        let at = self.recent.iter().position(|recent| recent.id == id).unwrap_or_else(|| {
            if self.recent.len() >= RECENT_MAX {
                self.recent.pop_front();
            }
            self.recent.push_back(Recent { id, bearers: BTreeSet::new(), passed: false });
            self.recent.len() - 1
        });
        &mut self.recent[at]
    }

    fn pass(&mut self, id: Digest) {
        let recent = self.recent(id);
        recent.passed = true;
        for peer in recent.bearers.clone() {
            self.credit(&peer);
        }
    }

    fn credit(&mut self, peer: &PeerId) {
        if let Some((_, brought)) = self.mesh.get_mut(peer) {
            *brought = true;
        }
    }
}

#[cfg(test)]
mod tests;
