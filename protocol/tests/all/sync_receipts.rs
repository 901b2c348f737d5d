//! Receipts and known copies on a stream: delivered once, in order, after what they are about.

use xom_protocol::entry::Header;
use xom_protocol::log::Position;
use xom_protocol::sync::message::{Claim, HolderReceipts, KnownCopy, Message, Push, ReceiptNews};
use xom_protocol::sync::{LocalDevice, Outcome};
use xom_protocol::{DeviceId, Did, EntryId, Rule};

use crate::sync_home::{Author, Home};
use crate::sync_victim::{Victim, offer};
use crate::sync_world::World;

const ALICE: usize = 0;
const BOB: usize = 1;

fn news(mark: u8) -> ReceiptNews {
    ReceiptNews::Receipts(vec![HolderReceipts { objects: vec![vec![0x80]], receipts: vec![vec![mark; 40]] }])
}

fn copies(mark: u8) -> ReceiptNews {
    let copy = KnownCopy { entry: EntryId([mark; 32]), holder: Did([1; 32]), device: DeviceId([2; 32]), seen_ms: 9 };
    ReceiptNews::Copies(vec![copy])
}

/// Alice, who proves herself, and bob, who follows her.
fn world(seed: u64, entries: u64) -> (World, Author) {
    let mut world = World::new(seed, 2);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, entries, 100);
    world.follow(BOB, alice.did);
    world.prove(ALICE, &alice);
    (world, alice)
}

#[test]
fn rcp_5_receipts_arrive_in_order_and_once_however_often_the_stream_breaks() {
    let (mut world, _) = world(41, 200);
    let all: Vec<ReceiptNews> = (0..20).flat_map(|mark| [news(mark), copies(mark)]).collect();
    world.homes[BOB].receipts_due.extend(all.clone());
    while !world.homes[BOB].receipts_due.is_empty() {
        assert!(world.now_ms < 600_000, "receipts are stuck");
        world.disconnect(ALICE, BOB);
        world.connect(ALICE, BOB);
        let for_ms = 300 + world.dice.roll(900);
        world.run(for_ms);
    }
    world.assert_peaceful();
    let mut received = world.homes[ALICE].receipts_received.clone();
    received.dedup();
    assert_eq!(received, all, "what was durable before its acknowledgement was lost may come twice, in its place");
    let before = world.homes[ALICE].receipts_received.len();
    world.disconnect(ALICE, BOB);
    world.connect(ALICE, BOB);
    world.run(5_000);
    assert_eq!(world.homes[ALICE].receipts_received.len(), before);
    assert!(world.ends.values().all(|end| end.in_sync));
}

#[test]
fn what_is_owed_later_is_sent_in_the_same_session() {
    let (mut world, _) = world(42, 3);
    world.connect(ALICE, BOB);
    world.run(2_000);
    world.homes[BOB].receipts_due.push_back(news(1));
    world.tell(BOB, &[xom_protocol::sync::Input::ReceiptsDue]);
    world.run(1_000);
    world.assert_peaceful();
    assert_eq!(world.homes[ALICE].receipts_received, [news(1)]);
    assert!(world.homes[BOB].receipts_due.is_empty());
}

#[test]
fn rcp_6_alice_learns_how_far_bob_holds_her_log_and_nobody_elses() {
    let (mut world, alice) = world(43, 40);
    let carol = Author::new("carol");
    world.publish(ALICE, &carol, 5, 100);
    world.follow(BOB, carol.did);
    world.connect(ALICE, BOB);
    world.run(3_000);
    assert_eq!(world.homes[ALICE].copies.last(), Some(&(alice.log(), 40)), "by the acknowledged counter");
    world.publish(ALICE, &alice, 1, 100);
    world.run(1_000);
    assert_eq!(world.homes[ALICE].copies.last(), Some(&(alice.log(), 41)), "by the acknowledged push");
    world.disconnect(ALICE, BOB);
    world.homes[ALICE].copies.clear();
    world.connect(ALICE, BOB);
    world.run(2_000);
    assert!(world.homes[ALICE].copies.iter().all(|(log, _)| *log == alice.log()));
    assert_eq!(world.homes[BOB].copies, [], "bob proves nothing");
    world.assert_peaceful();
}

#[test]
fn rcp_6_alice_knows_to_whom_bodies_went_before_they_are_acknowledged_by_range_and_by_push() {
    let (mut world, alice) = world(46, 40);
    let carol = Author::new("carol");
    world.publish(ALICE, &carol, 5, 100);
    world.follow(BOB, carol.did);
    world.connect(ALICE, BOB);
    world.run(3_000);
    let places = |from: u64, to: u64| (from..to).map(|place| (alice.log(), place)).collect::<Vec<_>>();
    assert_eq!(world.homes[ALICE].sent, places(0, 40), "of her own log alone");
    world.publish(ALICE, &alice, 1, 100);
    assert_eq!(world.homes[ALICE].sent, places(0, 41), "as soon as it is pushed");
    assert_eq!(world.homes[ALICE].copies.last(), Some(&(alice.log(), 40)), "it is not acknowledged yet");
    world.run(1_000);
    assert_eq!(world.homes[BOB].sent, []);
    world.assert_peaceful();
}

/// Alice's own node, in the middle of a conversation.
fn victim() -> Victim {
    let alice = Author::new("alice");
    let mut home = Home::new(77);
    home.hold(&alice, &alice.run(Position::EMPTY, 10, 50));
    let device = LocalDevice { did: alice.did, key: alice.key.clone() };
    Victim::fresh(home, vec![device]).greet().agree(&alice)
}

#[test]
fn rcp_5_receipts_that_do_not_wait_for_the_last_close_the_stream() {
    for numbers in [&[2][..], &[0], &[1, 1], &[1, 3]] {
        let mut victim = victim();
        for number in numbers {
            victim.hear(Message::Receipts { number: *number, news: news(1) });
        }
        victim.assert_closed_by("RCP-5");
    }
    let mut victim = victim();
    victim.home.receipts_outcome = Some(Outcome::Dropped);
    victim.hear(Message::Receipts { number: 1, news: news(1) });
    victim.assert_goes_on_after(&[]);
    victim.hear(Message::Receipts { number: 2, news: news(2) });
    victim.assert_closed_by("RCP-5");
}

#[test]
fn rcp_5_an_acknowledgement_of_what_was_not_sent_closes_the_stream() {
    for number in [0, 1, 7] {
        let mut victim = victim();
        victim.hear(Message::ReceiptsAck { number });
        victim.assert_closed_by("RCP-5");
    }
}

#[test]
fn r_syn_4_receipts_wait_until_what_they_are_about_is_durable() {
    let alice = Author::new("alice");
    let mut home = Home::new(77);
    home.hold(&alice, &alice.run(Position::EMPTY, 10, 50));
    let log = alice.run(Position::EMPTY, 20, 50);
    let mut victim = Victim::fresh(home, Vec::new()).greet();
    victim.hear(offer(1, vec![victim.salter.log(&alice.log())]));
    victim.claim_head(&alice, 20, Header::hash(&log[19].header));
    victim.hear(Message::Compared { number: 1 });
    victim.hear(Message::Receipts { number: 1, news: news(1) });
    assert_eq!(victim.home.receipts_received, [], "ten entries are still to come");
    victim.answer(10, true, &log[10..]);
    assert_eq!(victim.home.receipts_received, [news(1)]);
    assert!(victim.heard.contains(&Message::ReceiptsAck { number: 1 }));
}

#[test]
fn rcp_3_refused_receipts_are_faults_and_are_not_asked_for_again() {
    let mut victim = victim();
    victim.home.receipts_outcome = Some(Outcome::Refused(Rule("RCP-3")));
    for number in 1..8 {
        victim.hear(Message::Receipts { number, news: news(1) });
        assert!(victim.heard.contains(&Message::ReceiptsAck { number }));
    }
    victim.assert_goes_on_after(&["RCP-3"; 7]);
    victim.hear(Message::Receipts { number: 8, news: news(1) });
    victim.assert_closed_by("RCP-3");
}

#[test]
fn rcp_3_a_body_of_an_own_log_that_comes_again_is_noticed() {
    let alice = Author::new("alice");
    let mut victim = victim();
    let entries = alice.run(Position::EMPTY, 10, 50)[3..5].to_vec();
    let headers: Vec<Vec<u8>> = entries.iter().map(|entry| entry.header.clone()).collect();
    let id = victim.salter.log(&alice.log());
    let push = |number, entries| Message::Push(Push { number, id, from: 3, counter: 1, entries });
    let bare: Vec<_> =
        entries.iter().cloned().map(|entry| xom_protocol::entry::SignedEntry { body: None, ..entry }).collect();
    victim.hear(push(1, bare));
    assert_eq!(victim.home.resent, Vec::<Vec<u8>>::new());
    victim.hear(push(2, entries));
    assert_eq!(victim.home.resent, headers);
    assert!(headers.iter().all(|header| Header::decode(header).is_ok()));
    victim.assert_goes_on_after(&[]);
    let claims: Vec<Claim> = Vec::new();
    let mut stranger = Victim::following(&alice, 10).greet_as(claims).agree(&alice);
    stranger.hear(push(1, alice.run(Position::EMPTY, 10, 50)[3..5].to_vec()));
    assert_eq!(stranger.home.resent, Vec::<Vec<u8>>::new(), "not an own log");
}
