//! The way from a named head down: who is asked, what an answer may be, how often (`LOG-19`, `SYN-23`).

use xom_protocol::entry::{Header, SignedEntry};
use xom_protocol::log::{AncestryError, Position, verify_ancestry};
use xom_protocol::sync::message::{Message, Range};
use xom_protocol::sync::{Input, Outcome};
use xom_protocol::{Digest, Rule};

use crate::sync_home::Author;
use crate::sync_victim::Victim;
use crate::sync_world::World;

const HEIGHT: u64 = 1_500;

fn alice() -> Author {
    Author::new("alice")
}

fn log() -> Vec<SignedEntry> {
    alice().run(Position::EMPTY, HEIGHT, 8)
}

fn hash(entry: &SignedEntry) -> Digest {
    Header::hash(&entry.header)
}

fn bare(entries: &[SignedEntry]) -> Vec<SignedEntry> {
    entries.iter().map(|entry| SignedEntry { signature: None, body: None, ..entry.clone() }).collect()
}

/// Bob seeks the way from the head of alice's log, and mallory claims to have it.
fn seeking(log: &[SignedEntry]) -> Victim {
    let mut victim = Victim::following(&alice(), 40).greet().claim(&alice(), HEIGHT);
    seek(&mut victim, Some((HEIGHT - 1, hash(&log[1_499]))));
    victim
}

fn seek(victim: &mut Victim, head: Option<(u64, Digest)>) {
    victim.step(Input::Sought { log: alice().log(), head });
}

/// The places that bob asked for ancestors of, with the numbers of his requests.
fn asked(victim: &Victim) -> Vec<(u64, u64)> {
    let request = |message: &Message| match message {
        Message::AncestorsRequest { request, at, .. } => Some((*request, *at)),
        _ => None,
    };
    victim.heard.iter().filter_map(request).collect()
}

fn answer(victim: &mut Victim, from: u64, end: bool, entries: Vec<SignedEntry>) {
    let request = asked(victim).last().expect("bob asked").0;
    victim.hear(Message::Range(Range { request, from, end, entries }));
}

#[test]
fn log_19_headers_are_the_ancestry_of_a_hash_only_where_each_is_proved_by_the_one_above() {
    let (alice, log) = (alice(), log());
    let headers: Vec<Vec<u8>> = log[400..500].iter().map(|entry| entry.header.clone()).collect();
    let check = |at: u64, headers: &[Vec<u8>]| verify_ancestry(alice.did, alice.log(), (at, hash(&log[499])), headers);
    let hashes: Vec<Digest> = log[400..500].iter().map(hash).collect();
    assert_eq!(check(499, &headers), Ok(hashes));
    assert_eq!(check(499, &[]), Err(AncestryError::Size));
    assert_eq!(check(499, &headers[..99]), Err(AncestryError::Hash { seq: 499 }));
    assert_eq!(check(500, &headers), Err(AncestryError::Place { seq: 500 }));
    let mut gap = headers.clone();
    gap.remove(50);
    assert_eq!(check(499, &gap), Err(AncestryError::Hash { seq: 450 }));
    let mut false_one = headers.clone();
    false_one[0] = alice.entry(Position { height: 400, head: Some(Digest([9; 32])) }, 8).header;
    assert_eq!(check(499, &false_one), Err(AncestryError::Hash { seq: 400 }));
    let first: Vec<Vec<u8>> = log[..2].iter().map(|entry| entry.header.clone()).collect();
    let below = [vec![first[0].clone()], first.clone()].concat();
    let top = (1, hash(&log[1]));
    assert_eq!(verify_ancestry(alice.did, alice.log(), top, &first).map(|hashes| hashes.len()), Ok(2));
    let error = verify_ancestry(alice.did, alice.log(), top, &below).map_err(|e| e.rule());
    assert_eq!(error, Err(Rule("LOG-19")), "nothing stands below the first");
    let bob = Author::new("bob");
    let other = verify_ancestry(bob.did, alice.log(), top, &first);
    assert_eq!(other, Err(AncestryError::Place { seq: 1 }));
}

#[test]
fn syn_23_who_claims_to_have_it_is_asked_once_for_the_same_and_for_the_next_part_when_that_is_told() {
    let log = log();
    let mut victim = seeking(&log);
    assert_eq!(asked(&victim).iter().map(|asked| asked.1).collect::<Vec<_>>(), [HEIGHT - 1]);
    answer(&mut victim, 476, true, bare(&log[476..]));
    victim.assert_goes_on_after(&[]);
    let head = (HEIGHT - 1, hash(&log[1_499]));
    assert_eq!(victim.home.ancestors, [(alice().log(), head, Outcome::Applied)]);
    assert_eq!(asked(&victim).len(), 1, "the same is not asked for again");
    seek(&mut victim, Some((476, hash(&log[476]))));
    assert_eq!(asked(&victim).last().map(|asked| asked.1), Some(476));
    answer(&mut victim, 0, true, bare(&log[..477]));
    seek(&mut victim, None);
    victim.assert_goes_on_after(&[]);
    assert_eq!((victim.home.ancestors.len(), asked(&victim).len()), (2, 2));
    seek(&mut victim, Some(head));
    assert_eq!(asked(&victim).len(), 3, "it is sought once more");
}

#[test]
fn syn_23_who_has_nothing_is_not_to_blame_and_not_asked_again_until_a_side_turns_and_at_most_32_times() {
    let log = log();
    let mut victim = seeking(&log);
    answer(&mut victim, 476, true, Vec::new());
    victim.assert_goes_on_after(&[]);
    seek(&mut victim, Some((HEIGHT - 1, hash(&log[1_499]))));
    assert_eq!(asked(&victim).len(), 1);
    for turn in 0_u8..100 {
        let before = asked(&victim).len();
        victim.claim_head(&alice(), HEIGHT, Digest([turn + 100; 32]));
        if asked(&victim).len() > before {
            answer(&mut victim, 476, true, Vec::new());
        }
    }
    assert_eq!(asked(&victim).len(), 32);
}

#[test]
fn syn_23_who_stands_too_low_is_not_asked() {
    let log = log();
    let mut victim = Victim::following(&alice(), 40).greet().claim(&alice(), HEIGHT - 33);
    seek(&mut victim, Some((HEIGHT - 1, hash(&log[1_499]))));
    assert_eq!(asked(&victim), []);
    victim.claim_head(&alice(), HEIGHT - 32, Digest([3; 32]));
    assert_eq!(asked(&victim).len(), 1, "the signature there may be of a header above");
}

#[test]
fn syn_23_an_answer_is_headers_at_the_places_that_were_asked_for_and_of_the_hash_that_was_named() {
    let log = log();
    let hear = |from: u64, end: bool, entries: Vec<SignedEntry>| {
        let mut victim = seeking(&log);
        answer(&mut victim, from, end, entries);
        victim
    };
    hear(476, true, log[476..].to_vec()).assert_closed_by("SYN-23");
    hear(476, false, bare(&log[476..])).assert_closed_by("SYN-23");
    hear(475, true, bare(&log[475..])).assert_closed_by("SYN-23");
    hear(477, true, bare(&log[476..])).assert_closed_by("SYN-23");
    hear(476, true, bare(&log[476..1_499])).assert_closed_by("SYN-23");
    let signed = [bare(&log[476..1_499]), vec![SignedEntry { body: None, ..log[1_499].clone() }]].concat();
    hear(476, true, signed).assert_closed_by("SYN-23");
    let mut other = bare(&log[1_400..]);
    other[99] = bare(&[alice().entry(Position { height: 1_499, head: Some(Digest([9; 32])) }, 8)]).remove(0);
    hear(1_400, true, other).assert_goes_on_after(&["LOG-19"]);
}

#[test]
fn syn_23_ancestors_are_served_by_hash_within_what_was_told_and_not_again_and_again() {
    let ask = |victim: &mut Victim, request: u64, at: u64, hash: Digest| {
        let id = victim.salter.log(&alice().log());
        victim.hear(Message::AncestorsRequest { request, id, at, hash });
    };
    let (alice, log) = (alice(), log());
    let hear = || Victim::following(&alice, HEIGHT).greet().claim(&alice, 1);
    let answers = |victim: &Victim| {
        let range = |message: &Message| match message {
            Message::Range(range) => Some((range.from, range.entries.clone())),
            _ => None,
        };
        victim.heard.iter().filter_map(range).collect::<Vec<_>>()
    };
    let mine = alice.run(Position::EMPTY, HEIGHT, 50);
    let mut victim = hear();
    ask(&mut victim, 1, HEIGHT - 1, hash(&mine[1_499]));
    ask(&mut victim, 2, 10, hash(&mine[10]));
    ask(&mut victim, 3, 10, hash(&log[10]));
    assert_eq!(answers(&victim), [(476, bare(&mine[476..])), (0, bare(&mine[..11])), (0, Vec::new())]);
    ask(&mut victim, 4, HEIGHT + 32, hash(&mine[1_499]));
    victim.assert_closed_by("SYN-23");
    let mut victim = hear();
    for request in 1..=34 {
        ask(&mut victim, request, HEIGHT - 1, hash(&mine[1_499]));
    }
    victim.assert_goes_on_after(&[]);
    ask(&mut victim, 35, HEIGHT - 1, hash(&mine[1_499]));
    victim.assert_closed_by("SYN-23");
    let mut victim = Victim::following(&alice, HEIGHT).greet();
    victim.hear(Message::AncestorsRequest { request: 1, id: [9; 16], at: 0, hash: Digest([1; 32]) });
    victim.assert_closed_by("SYN-9");
}

#[test]
fn syn_23_a_session_finds_the_way_down_at_a_peer_that_it_compared_only_changes_with() {
    let alice = alice();
    let mut world = World::new(7, 2);
    world.homes[0].hold(&alice, &alice.run(Position::EMPTY, HEIGHT, 8));
    world.homes[1].hold(&alice, &alice.run(Position::EMPTY, HEIGHT, 8));
    world.connect(0, 1);
    world.run(5_000);
    world.disconnect(0, 1);
    assert!(!world.homes[1].resumes.is_empty(), "the next comparison is of changes");
    world.connect(0, 1);
    world.run(5_000);
    let head = Some((HEIGHT - 1, hash(&log()[1_499])));
    world.tell(1, &[Input::Sought { log: alice.log(), head }]);
    world.run(5_000);
    world.assert_peaceful();
    assert_eq!(world.homes[1].ancestors.len(), 1);
    assert_eq!(world.homes[1].ancestors[0].2, Outcome::Applied);
}
