//! The address book, with a clock of its own.

use libp2p::multiaddr::Protocol;

use super::*;

fn address(port: u16) -> Multiaddr {
    format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("address")
}

fn named(peer: PeerId, port: u16) -> Multiaddr {
    address(port).with(Protocol::P2p(peer))
}

fn book() -> (PeerBook, PeerId, Instant) {
    (PeerBook::new(PeerId::random(), 1), PeerId::random(), Instant::now())
}

/// A ban that begins at the first millisecond of 1970.
fn ban(secs: u64, by_owner: bool, now: Instant) -> Ban {
    Ban::new(Duration::from_secs(secs), "because", by_owner, now, 0)
}

fn connection(number: usize) -> ConnectionId {
    ConnectionId::new_unchecked(number)
}

#[test]
fn an_invited_peer_is_dialled_at_once_and_only_once_at_a_time() {
    let (mut book, bob, now) = book();
    book.name(named(bob, 1), now);
    assert_eq!(book.due(now), [Dial { peer: Some(bob), addresses: vec![address(1)] }]);
    assert_eq!(book.due(now), []);
}

#[test]
fn find_7_an_address_that_is_not_named_any_more_is_not_dialled() {
    let (mut book, bob, now) = book();
    book.name(named(bob, 1), now);
    book.name(address(2), now);
    book.unname(named(bob, 1));
    book.unname(address(2));
    assert_eq!(book.due(now), []);
    book.name(address(2), now);
    assert_eq!(book.due(now), [Dial { peer: None, addresses: vec![address(2)] }]);
}

#[test]
fn a_peer_that_goes_away_is_dialled_at_least_every_second() {
    let (mut book, bob, now) = book();
    book.name(named(bob, 1), now);
    book.connected(bob, connection(1), None, Some(address(1)), now, 1);
    assert!(book.closed(&bob, connection(1), now, 1));
    let mut last = now;
    for step in 1..600 {
        let at = now + Duration::from_millis(100 * step);
        if !book.due(at).is_empty() {
            assert!(at - last < Duration::from_millis(1_300), "{:?}", at - last);
            last = at;
            book.dial_failed(&bob, None, at);
        }
    }
    assert!(last > now + Duration::from_secs(58));
}

#[test]
fn one_address_is_not_dialled_for_many_peers() {
    let (mut book, _, now) = book();
    for _ in 0..500 {
        book.name(named(PeerId::random(), 1), now);
    }
    let dials = book.due(now).len();
    assert_eq!(u32::try_from(dials), Ok(DIALS_PER_ADDRESS_MAX));
}

#[test]
fn a_stated_address_is_dialled_as_a_strangers_and_pushes_nobody_out() {
    let (mut book, bob, now) = book();
    assert_eq!(book.stated(address(1), now), None, "nobody is named");
    assert_eq!(book.stated(named(bob, 1), now), Some(bob));
    assert_eq!(book.stated(named(bob, 1), now), None, "nothing new");
    assert_eq!(book.due(now), [Dial { peer: Some(bob), addresses: vec![address(1)] }]);
    let mut at = now;
    for _ in 0..FAILURES_OF_STRANGERS_MAX {
        at += Duration::from_secs(3_600);
        book.dial_failed(&bob, None, at);
    }
    assert!(book.get(&bob).is_none());
    while book.peers.len() < PEERS_MAX {
        book.name(named(PeerId::random(), 2), now);
    }
    assert_eq!(book.stated(named(bob, 1), now), None);
    assert_eq!(book.peers.len(), PEERS_MAX);
}

#[test]
fn an_address_told_of_somebody_else_is_not_taken() {
    let (mut book, bob, now) = book();
    assert!(!book.told(&bob, address(1)), "not connected");
    book.connected(bob, connection(1), None, None, now, 1);
    assert!(!book.told(&bob, named(PeerId::random(), 2)));
    assert!(book.told(&bob, named(bob, 3)));
    assert_eq!(book.get(&bob).map(Peer::addresses), Some([address(3)].as_slice()));
}

#[test]
fn an_old_connection_dies_when_its_peer_connects_again() {
    let (mut book, bob, now) = book();
    assert_eq!(book.connected(bob, connection(1), None, None, now, 1), []);
    assert_eq!(book.connected(bob, connection(2), None, None, now, 1), [], "both sides dialled");
    let later = now + Duration::from_secs(10);
    assert_eq!(book.connected(bob, connection(3), None, None, later, 1), [connection(1), connection(2)]);
}

#[test]
fn rch_10_connections_through_relays_end_neither_those_without_nor_outlast_them() {
    let (mut book, bob, now) = book();
    let relay = PeerId::random();
    book.connected(bob, connection(1), Some(relay), None, now, 1);
    assert_eq!(book.get(&bob).and_then(Peer::way), Some(Way::Relayed(relay)));
    assert_eq!(book.superfluous(now + STANDS), []);
    let later = now + Duration::from_secs(10);
    assert_eq!(book.connected(bob, connection(2), Some(relay), None, later, 1), [connection(1)], "it came back");
    book.closed(&bob, connection(1), later, 1);
    assert_eq!(book.connected(bob, connection(3), None, None, later, 1), []);
    assert_eq!(book.get(&bob).and_then(Peer::way), Some(Way::Punched), "RCH-11");
    assert_eq!(book.superfluous(later), [], "RCH-10: it may not stand");
    assert_eq!(book.superfluous(later + STANDS), [connection(2)]);
    let again = later + Duration::from_secs(10);
    assert_eq!(book.connected(bob, connection(4), Some(relay), None, again, 1), [connection(2)]);
    book.closed(&bob, connection(2), again, 1);
    book.closed(&bob, connection(4), again, 1);
    assert!(!book.closed(&bob, connection(9), again, 1), "the one without a relay stands");
    let dialled = book.connected(bob, connection(5), None, Some(address(1)), again + STANDS, 1);
    assert_eq!((dialled, book.get(&bob).and_then(Peer::way)), (vec![connection(3)], Some(Way::Direct)));
}

#[test]
fn r_gos_10_dials_through_relays_count_as_dials_to_the_relay() {
    let (mut book, _, now) = book();
    let victim = |relay: PeerId| address(1).with(Protocol::P2p(relay)).with(Protocol::P2pCircuit);
    let mut dials = 0;
    for _ in 0..500 {
        book.stated(victim(PeerId::random()).with(Protocol::P2p(PeerId::random())), now);
        dials += book.due(now).len();
    }
    assert_eq!(u32::try_from(dials), Ok(DIALS_PER_ADDRESS_MAX), "RCH-8");
}

#[test]
fn a_banned_peer_is_left_alone_until_it_is_pardoned() {
    let (mut book, mallory, now) = book();
    book.name(named(mallory, 1), now);
    let until = now + Duration::from_secs(60);
    book.ban(&mallory, ban(60, false, now), now);
    assert_eq!(book.due(now), []);
    assert!(book.pardoned(now).is_empty());
    assert_eq!(book.pardoned(until), [mallory]);
    assert_eq!(book.due(until).len(), 1);
}

#[test]
fn a_full_book_forgets_the_stranger_seen_longest_ago() {
    let (mut book, bob, now) = book();
    book.name(named(bob, 1), now);
    for number in 0..PEERS_MAX * 2 {
        let stranger = PeerId::random();
        book.connected(stranger, connection(number), None, None, now, u64::try_from(number).expect("small"));
        assert!(book.talks(&stranger));
        book.closed(&stranger, connection(number), now, 1);
    }
    assert_eq!(book.iter().count(), PEERS_MAX);
    assert!(book.get(&bob).is_some());
}

#[test]
fn whoever_is_pushed_out_of_a_full_book_is_told_once_so_that_nothing_of_it_stays() {
    let (mut book, _, now) = book();
    for number in 0..PEERS_MAX + 3 {
        let stranger = PeerId::random();
        book.connected(stranger, connection(number), None, None, now, u64::try_from(number).expect("small"));
        assert!(book.talks(&stranger));
        book.closed(&stranger, connection(number), now, u64::try_from(number).expect("small"));
    }
    let told: Vec<PeerId> = std::iter::from_fn(|| book.pop_forgotten()).collect();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|peer| book.get(peer).is_none()));
    assert!(!book.ban(&told[0], ban(60, false, now), now), "nobody would pardon it");
}

#[test]
fn r_gos_8_a_crowd_of_strangers_keeps_nobody_out_at_a_restart_and_no_stated_address_afterwards() {
    let (mut book, bob, now) = book();
    let record = |named, ports: &[u16], last_seen_ms| PeerRecord {
        addresses: ports.iter().map(|port| address(*port).to_string()).collect(),
        last_seen_ms,
        named,
        ban: None,
    };
    let (carol, dave) = (PeerId::random(), PeerId::random());
    let crowd = (0..2 * PEERS_MAX).map(|_| (PeerId::random(), record(false, &[], Some(9))));
    let friends = [(bob, record(true, &[1], None)), (carol, record(false, &[2], Some(5)))];
    book.restore_all(crowd.chain(friends).collect(), now, 0);
    assert!(book.get(&bob).is_some() && book.get(&carol).is_some());
    let told: Vec<PeerId> = std::iter::from_fn(|| book.pop_forgotten()).collect();
    assert_eq!((book.iter().count(), told.len()), (PEERS_MAX, PEERS_MAX + 2));
    assert_eq!(book.stated(named(dave, 3), now), Some(dave), "strangers who can't be dialled make room");
    assert_eq!(book.iter().count(), PEERS_MAX);
    assert!(book.get(&bob).is_some() && book.get(&carol).is_some());
}

#[test]
fn what_is_remembered_reads_back() {
    let (mut book, bob, now) = book();
    book.name(named(bob, 1), now);
    book.connected(bob, connection(1), None, Some(address(2)), now, 77);
    let record = book.record(&bob).expect("known");
    let read = PeerRecord::decode(&record.encode()).expect("reads");
    assert_eq!(read, record);
    let mut next = PeerBook::new(PeerId::random(), 2);
    next.restore_all(vec![(bob, read)], now, 0);
    assert_eq!(next.due(now), [Dial { peer: Some(bob), addresses: vec![address(2), address(1)] }]);
}

#[test]
fn find_4_a_peer_that_only_passes_is_neither_dialled_nor_remembered_until_it_talks() {
    let (mut book, bob, now) = book();
    book.connected(bob, connection(1), None, None, now, 1);
    assert!(book.told(&bob, address(1)));
    assert_eq!((book.record(&bob), book.connected_peers().count()), (None, 0));
    assert!(book.closed(&bob, connection(1), now, 1));
    assert!(book.get(&bob).is_none());
    book.connected(bob, connection(2), None, None, now, 1);
    assert!(book.told(&bob, address(1)) && book.talks(&bob) && !book.talks(&bob));
    assert_eq!(book.connected_peers().collect::<Vec<_>>(), [bob]);
    book.closed(&bob, connection(2), now, 1);
    assert!(book.record(&bob).is_some());
    assert_eq!(book.due(now + Duration::from_secs(60)), [Dial { peer: Some(bob), addresses: vec![address(1)] }]);
}

#[test]
fn a_passing_peer_that_is_banned_is_kept_away_until_its_pardon_and_then_forgotten() {
    let (mut book, mallory, now) = book();
    book.connected(mallory, connection(1), None, None, now, 1);
    let until = now + Duration::from_secs(60);
    assert!(book.ban(&mallory, ban(60, false, now), now));
    book.closed(&mallory, connection(1), now, 1);
    assert_eq!(book.pardoned(until), [mallory]);
    assert!(book.get(&mallory).is_none());
}

#[test]
fn a_passing_peer_that_is_wanted_stays() {
    let (mut book, bob, now) = book();
    book.connected(bob, connection(1), None, None, now, 1);
    assert_eq!(book.stated(named(bob, 1), now), Some(bob));
    assert_eq!(book.connected_peers().collect::<Vec<_>>(), [bob]);
}

#[test]
fn a_ban_outlives_a_restart_with_its_reason_and_ends_when_it_would_have() {
    let (mut book, mallory, now) = book();
    book.name(named(mallory, 1), now);
    assert!(book.ban(&mallory, ban(60, false, now), now));
    let record = PeerRecord::decode(&book.record(&mallory).expect("known").encode()).expect("reads");
    let restored = |now_ms| {
        let mut next = PeerBook::new(PeerId::random(), 2);
        next.restore_all(vec![(mallory, record.clone())], now, now_ms);
        next
    };
    let mut next = restored(20_000);
    let (_, kept) = next.bans().next().expect("banned");
    assert_eq!((kept.until, kept.reason.as_str()), (now + Duration::from_secs(40), "because"));
    assert_eq!(next.due(now), []);
    assert_eq!(next.pardoned(now + Duration::from_secs(40)), [mallory]);
    assert_eq!(restored(60_000).bans().count(), 0, "it is over");
}

#[test]
fn a_record_of_an_older_version_has_no_ban() {
    let (mut book, bob, now) = book();
    book.name(named(bob, 1), now);
    let record = book.record(&bob).expect("known");
    let old = xom_protocol::encoding::encode(&std::collections::BTreeMap::from([
        ("addresses", ipld(&record.addresses)),
        ("last_seen_ms", ipld(&record.last_seen_ms)),
        ("named", ipld(&record.named)),
    ]));
    assert_eq!(PeerRecord::decode(&old).expect("reads"), record);
    assert_eq!(record.encode(), old, "without a ban the bytes are the same");
}

/// Any value, to be encoded beside others.
fn ipld(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("plain")
}

#[test]
fn a_ban_by_the_owner_stands_whatever_rules_say_and_whoever_crowds_the_book() {
    let (mut book, mallory, now) = book();
    assert!(book.ban(&mallory, ban(600, true, now), now), "one that was never met, too");
    assert!(book.ban(&mallory, ban(60, false, now), now));
    assert!(book.pardoned(now + Duration::from_secs(60)).is_empty());
    for number in 0..PEERS_MAX * 2 {
        let stranger = PeerId::random();
        book.connected(stranger, connection(number), None, None, now, u64::try_from(number).expect("small"));
        assert!(book.talks(&stranger));
        book.closed(&stranger, connection(number), now, 1);
    }
    assert!(book.bans().any(|(peer, ban)| *peer == mallory && ban.by_owner));
    assert!(book.unban(&mallory, now) && !book.unban(&PeerId::random(), now));
    assert_eq!(book.pardoned(now), [mallory]);
    assert!(!book.unban(&mallory, now));
    let banned = (0..1_000).filter(|_| book.ban(&PeerId::random(), ban(1, true, now), now)).count();
    assert_eq!(banned, 256, "room for others stays");
}
