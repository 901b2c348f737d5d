//! How the network stands, for `xom doctor` and for those who measure.

use super::Driver;
use crate::model::Health;
use crate::net::clocks;

impl Driver {
    /// What the driver knows of it; the rest is for the handle to add.
    pub(super) fn health(&mut self) -> Health {
        let buckets = self.swarm.behaviour_mut().dht.inner().kbuckets();
        let table_nodes = buckets.map(|bucket| bucket.num_entries()).sum::<usize>();
        let clocks = self.standings.values().filter_map(|standing| standing.tally.clock.ahead_ms());
        let known = self.book.iter().filter(|(_, peer)| !peer.is_passing());
        let in_sync = self
            .book
            .connected_peers()
            .filter(|peer| self.standings.get(peer).is_some_and(|standing| standing.tally.in_sync()));
        Health {
            clock_ahead_ms: clocks::median(clocks.collect()),
            table_nodes: count(table_nodes),
            searches: count(self.searches.len()),
            peers_known: count(known.count()),
            peers_banned: count(self.book.bans().count()),
            peers_in_sync: count(in_sync.count()),
            entries_received: self.shared.totals.entries_received(),
            entries_sent: self.shared.totals.entries_sent(),
            disk_free_bytes: None,
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
