//! The table of who is where: a Kademlia DHT of xom's own, in which a node states that identities live on it,
//! and looks for those whom it wants and reaches nowhere (`FIND-2` to `FIND-5`).

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::kad::{self, Mode, RecordKey};
use libp2p::{Multiaddr, PeerId, StreamProtocol};
use xom_protocol::{Did, Network, find};

use super::address::split;

/// How long a statement holds (`FIND-2`).
const STATEMENT_TTL: Duration = Duration::from_secs(3_600);
/// How often it is made again (`FIND-2`).
const STATE_EVERY: Duration = Duration::from_secs(1_200);
/// The shortest time between two rounds of statements, while the table fills.
const STATE_AGAIN: Duration = Duration::from_secs(15);
/// How long news are gathered before the first round.
const STATE_SOON: Duration = Duration::from_millis(500);
/// Identities that a node says live on it, and keys that it keeps for others (`FIND-3`).
const KEYS_MAX: usize = 16_384;
/// Nodes that are kept for one key (`FIND-3`).
const PROVIDERS_PER_KEY_MAX: usize = 20;
/// How long one search may take.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(30);
/// Searches at the same time.
const SEARCHES_MAX: usize = 4;
/// Nodes that one search may send us to (`FIND-5`).
pub(super) const FOUND_MAX: usize = 8;
/// The wait after the first search that did not help; it doubles (`FIND-5`).
const SEARCH_AGAIN: Duration = Duration::from_secs(5);
/// Searches in vain that may only mean that the table was still empty: they are made again when it grows.
const EARLY_FAILURES: u32 = 3;
/// The longest wait between two searches for one identity (`FIND-5`).
const SEARCH_AGAIN_MAX: Duration = Duration::from_secs(600);
/// Statements of one node that are taken in one [`STATEMENT_TTL`]: a node has few identities (`FIND-3`).
const STATEMENTS_MAX: u32 = 256;
/// Nodes whose statements are counted.
const ALLOWANCES_MAX: usize = 4_096;
/// Addresses of one node in the table: those that it tells at once, and where this node has dialled it.
const ADDRESSES_PER_NODE_MAX: usize = 8;
/// Length of a key, bytes.
pub(super) const KEY_BYTES: usize = 32;
/// The longest message of the table, bytes.
const MESSAGE_BYTES_MAX: usize = 16 * 1_024;

/// The behaviour.
pub(super) type Table = kad::Behaviour<MemoryStore>;

/// An empty table of a network.
pub(super) fn table(own: PeerId, network: Network) -> Table {
    let protocol = StreamProtocol::try_from_owned(format!("/xom/{network}/kad/1")).expect("begins with a slash");
    let mut config = kad::Config::new(protocol);
    config
        .set_kbucket_inserts(kad::BucketInserts::Manual)
        .set_record_filtering(kad::StoreInserts::FilterBoth)
        .set_provider_record_ttl(Some(STATEMENT_TTL))
        // Republished by `Finding`, which knows when there is news.
        .set_provider_publication_interval(None)
        .set_publication_interval(None)
        .set_replication_interval(None)
        .set_query_timeout(SEARCH_TIMEOUT)
        .set_max_packet_size(MESSAGE_BYTES_MAX)
        .set_parallelism(NonZeroUsize::new(3).expect("three is not zero"));
    let limits = MemoryStoreConfig {
        max_records: 0,
        max_value_bytes: 0,
        max_providers_per_key: PROVIDERS_PER_KEY_MAX,
        max_provided_keys: KEYS_MAX,
    };
    let mut table = Table::with_config(own, MemoryStore::with_config(own, limits), config);
    // Everybody serves; who can't be reached is in nobody's table (`FIND-3`).
    table.set_mode(Some(Mode::Server));
    table
}

/// Enters a node with these addresses, or with these besides those that it has: anew where it would have too many, since
/// a node may tell other ones without end (`FIND-3`).
pub(super) fn enter(table: &mut Table, peer: PeerId, addresses: Vec<Multiaddr>) {
    let has = addresses_in(table, &peer);
    let news = addresses.iter().filter(|address| !has.contains(address)).count();
    if has.len() + news > ADDRESSES_PER_NODE_MAX {
        table.remove_peer(&peer);
    }
    for address in addresses {
        table.add_address(&peer, address);
    }
}

/// The addresses of a node in the table, without its id.
fn addresses_in(table: &mut Table, peer: &PeerId) -> BTreeSet<Multiaddr> {
    let bucket = table.kbucket(*peer);
    let entries = bucket.iter().flat_map(|bucket| bucket.iter());
    let own = entries.filter(|entry| entry.node.key.preimage() == peer);
    own.flat_map(|entry| entry.node.value.iter().map(|address| split(address.clone()).0).collect::<Vec<_>>()).collect()
}

/// The key of an identity, as the table takes it (`FIND-2`).
pub(super) fn key(network: Network, did: &Did) -> RecordKey {
    RecordKey::new(&find::key(network, did).0)
}

/// How many statements each node may still make, so that none claims everybody (`FIND-3`).
#[derive(Debug, Default)]
pub(super) struct Allowances(BTreeMap<PeerId, (Instant, u32)>);

impl Allowances {
    /// Counts a statement; false where there were too many.
    pub(super) fn spend(&mut self, peer: PeerId, now: Instant) -> bool {
        let is_old = |since: Instant| now.saturating_duration_since(since) >= STATEMENT_TTL;
        if self.0.len() >= ALLOWANCES_MAX && !self.0.contains_key(&peer) {
            self.0.retain(|_, (since, _)| !is_old(*since));
            if self.0.len() >= ALLOWANCES_MAX {
                return false;
            }
        }
        let (since, count) = self.0.entry(peer).or_insert((now, 0));
        if is_old(*since) {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= STATEMENTS_MAX
    }
}

/// When to state and when to search. A pure machine.
#[derive(Debug, Default)]
pub(super) struct Finding {
    searches: BTreeMap<Did, Search>,
    state_at: Option<Instant>,
    stated_at: Option<Instant>,
}

#[derive(Debug)]
struct Search {
    runs: bool,
    failures: u32,
    ended: Instant,
    next: Instant,
}

impl Finding {
    /// The table has grown, or who lives here or where this node is has changed.
    pub(super) fn news(&mut self, now: Instant) {
        let soon = now + STATE_SOON;
        let earliest = self.stated_at.map_or(soon, |at| soon.max(at + STATE_AGAIN));
        self.state_at = Some(self.state_at.map_or(earliest, |at| at.min(earliest)));
        for search in self.searches.values_mut().filter(|search| !search.runs && search.failures <= EARLY_FAILURES) {
            search.next = search.next.min(soon.max(search.ended + SEARCH_AGAIN / 5));
        }
    }

    /// True once where statements are due now.
    pub(super) fn must_state(&mut self, now: Instant) -> bool {
        let due = self.state_at.is_some_and(|at| at <= now);
        if due {
            (self.stated_at, self.state_at) = (Some(now), Some(now + STATE_EVERY));
        }
        due
    }

    /// Sets who is looked for: all that are wanted.
    pub(super) fn want(&mut self, wanted: BTreeSet<Did>, now: Instant) {
        self.searches.retain(|did, search| search.runs || wanted.contains(did));
        for did in wanted {
            self.searches.entry(did).or_insert(Search { runs: false, failures: 0, ended: now, next: now });
        }
    }

    /// There is news of somebody: where he is looked for, he is now (`GSP-7`).
    pub(super) fn hasten(&mut self, did: &Did, now: Instant) {
        if let Some(search) = self.searches.get_mut(did).filter(|search| !search.runs) {
            search.next = search.next.min(now);
        }
    }

    /// True if a search may be due: then it pays to look who is reached.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let running = self.searches.values().filter(|search| search.runs).count();
        running < SEARCHES_MAX && self.searches.values().any(|search| !search.runs && search.next <= now)
    }

    /// The searches that are due, marked as running; those of `reached` wait.
    pub(super) fn due(&mut self, reached: &BTreeSet<Did>, now: Instant) -> Vec<Did> {
        let running = self.searches.values().filter(|search| search.runs).count();
        let mut due = Vec::new();
        for (did, search) in self.searches.iter_mut().filter(|(_, search)| !search.runs && search.next <= now) {
            if reached.contains(did) {
                search.failures = 0;
                search.next = now + SEARCH_AGAIN;
            } else if running + due.len() < SEARCHES_MAX {
                search.runs = true;
                due.push(*did);
            }
        }
        due
    }

    /// A search has ended, whatever it found: whether that helped shows when it is due again.
    pub(super) fn ended(&mut self, did: &Did, now: Instant) {
        let Some(search) = self.searches.get_mut(did) else { return };
        let wait = SEARCH_AGAIN * (1 << search.failures.min(7));
        (search.runs, search.ended) = (false, now);
        search.failures += 1;
        search.next = now + wait.min(SEARCH_AGAIN_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn did(number: u8) -> Did {
        Did([number; 32])
    }

    #[test]
    fn find_3_a_node_that_tells_ever_other_addresses_has_few_in_the_table() {
        // FIND-3
        let (mut table, mallory) = (table(PeerId::random(), Network::MAIN), PeerId::random());
        for port in 1..1_000 {
            let address: Multiaddr = format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address");
            enter(&mut table, mallory, vec![address.clone()]);
            let has = addresses_in(&mut table, &mallory);
            assert!(has.contains(&address) && has.len() <= ADDRESSES_PER_NODE_MAX, "{has:?}");
        }
    }

    #[test]
    fn find_3_a_node_that_claims_everybody_is_kept_for_few() {
        let (mut allowances, now, mallory) = (Allowances::default(), Instant::now(), PeerId::random());
        let kept = (0..10_000).filter(|_| allowances.spend(mallory, now)).count();
        assert_eq!(u32::try_from(kept), Ok(STATEMENTS_MAX));
        assert!(allowances.spend(PeerId::random(), now + STATEMENT_TTL));
        assert!(allowances.spend(mallory, now + STATEMENT_TTL));
        while allowances.0.len() < ALLOWANCES_MAX {
            allowances.spend(PeerId::random(), now + STATEMENT_TTL);
        }
        assert!(!allowances.spend(PeerId::random(), now + STATEMENT_TTL), "full of fresh ones");
        assert!(allowances.spend(PeerId::random(), now + STATEMENT_TTL * 2));
    }

    #[test]
    fn find_5_whoever_is_not_reached_is_looked_for_ever_more_slowly() {
        let (mut finding, mut now) = (Finding::default(), Instant::now());
        finding.want(BTreeSet::from([did(1)]), now);
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert_eq!(finding.due(&BTreeSet::new(), now), [did(1)]);
            assert!(!finding.is_due(now + SEARCH_AGAIN_MAX), "it runs");
            finding.ended(&did(1), now);
            let before = now;
            while !finding.is_due(now) {
                now += Duration::from_secs(1);
            }
            waits.push(now - before);
        }
        assert!(waits.is_sorted() && waits[0] == SEARCH_AGAIN && waits[11] == SEARCH_AGAIN_MAX, "{waits:?}");
        assert_eq!(finding.due(&BTreeSet::from([did(1)]), now), [], "reached");
        finding.want(BTreeSet::new(), now);
        assert!(!finding.is_due(now + SEARCH_AGAIN_MAX), "not wanted any more");
    }

    #[test]
    fn find_5_a_search_in_an_empty_table_is_made_again_when_it_fills() {
        let (mut finding, now) = (Finding::default(), Instant::now());
        finding.want(BTreeSet::from([did(1)]), now);
        finding.due(&BTreeSet::new(), now);
        finding.ended(&did(1), now);
        finding.news(now);
        assert!(!finding.is_due(now) && finding.is_due(now + SEARCH_AGAIN / 5));
        for _ in 0..EARLY_FAILURES {
            let later = now + SEARCH_AGAIN_MAX;
            finding.due(&BTreeSet::new(), later);
            finding.ended(&did(1), later);
            finding.news(later);
        }
        assert!(!finding.is_due(now + SEARCH_AGAIN_MAX + SEARCH_AGAIN), "a peer that comes and goes hastens nothing");
    }

    #[test]
    fn find_5_only_so_many_are_looked_for_at_the_same_time() {
        let (mut finding, now) = (Finding::default(), Instant::now());
        finding.want((0..100).map(did).collect(), now);
        assert_eq!(finding.due(&BTreeSet::new(), now).len(), SEARCHES_MAX);
        assert_eq!(finding.due(&BTreeSet::new(), now), []);
        finding.ended(&did(0), now);
        assert_eq!(finding.due(&BTreeSet::new(), now), [did(4)]);
    }

    #[test]
    fn find_2_statements_are_made_soon_after_news_but_not_at_each_and_again_in_time() {
        let (mut finding, now) = (Finding::default(), Instant::now());
        assert!(!finding.must_state(now + STATE_EVERY), "nothing to say yet");
        finding.news(now);
        assert!(!finding.must_state(now));
        assert!(finding.must_state(now + STATE_SOON) && !finding.must_state(now + STATE_SOON));
        finding.news(now + STATE_SOON * 2);
        assert!(!finding.must_state(now + STATE_SOON * 3));
        assert!(finding.must_state(now + STATE_SOON + STATE_AGAIN));
        assert!(!finding.must_state(now + STATE_EVERY));
        assert!(finding.must_state(now + STATE_SOON + STATE_AGAIN + STATE_EVERY));
        assert!(STATE_EVERY * 2 < STATEMENT_TTL, "one round may fail");
    }
}
