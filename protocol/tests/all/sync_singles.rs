//! What an author admits to his threads is asked for by its id, and nothing else comes (`ADM-6`).

use xom_protocol::EntryId;
use xom_protocol::entry::{Header, SignedEntry};
use xom_protocol::limits::{ADMITTED_BODY_BYTES, SINGLES_A_SESSION_MAX};
use xom_protocol::log::Position;
use xom_protocol::sync::message::Message;
use xom_protocol::sync::{Aimed, Input};

use crate::sync_home::Author;
use crate::sync_victim::Victim;
use crate::sync_world::World;

const ALICE: usize = 0;
const BOB: usize = 1;

/// What bob lacks, and the objects and entries that mallory answers with.
type Case<'a> = (&'a [SignedEntry], Vec<Vec<u8>>, Vec<SignedEntry>);

fn alice() -> Author {
    Author::new("alice")
}

fn strangers(count: u64) -> Vec<SignedEntry> {
    Author::new("stranger").run(Position::EMPTY, count, 50)
}

fn id(entry: &SignedEntry) -> EntryId {
    EntryId(Header::hash(&entry.header).0)
}

/// Bob lacks these, which an admission at `seq` of alice's log names.
fn lacks(seq: u64, entries: &[SignedEntry]) -> Input {
    Input::Admitted { log: alice().log(), entries: entries.iter().map(|entry| (seq, id(entry))).collect() }
}

/// The ids that bob asked for, request by request.
fn asked(victim: &Victim) -> Vec<(u64, Vec<EntryId>)> {
    let request = |message: &Message| match message {
        Message::SinglesRequest { request, entries, .. } => Some((*request, entries.clone())),
        _ => None,
    };
    victim.heard.iter().filter_map(request).collect()
}

/// Bob and mallory hold alice's log, and bob lacks what it admits.
fn lacking(entries: &[SignedEntry]) -> Victim {
    let mut victim = Victim::following(&alice(), 40).greet().agree(&alice());
    victim.step(lacks(39, entries));
    victim
}

fn answer(victim: &mut Victim, objects: Vec<Vec<u8>>, entries: Vec<SignedEntry>) {
    let request = asked(victim).last().expect("asked").0;
    victim.hear(Message::Singles { request, items: vec![Aimed { objects, entries }] });
}

#[test]
fn adm_6_what_is_admitted_comes_from_whoever_holds_it_together_with_the_log() {
    let mut world = World::new(1, 2);
    world.publish(ALICE, &alice(), 100, 50);
    world.follow(BOB, alice().did);
    world.homes[ALICE].admitted = strangers(40);
    world.connect(ALICE, BOB);
    world.run(20_000);
    world.tell(BOB, &[lacks(99, &strangers(40))]);
    world.run(20_000);
    world.assert_peaceful();
    let mut came = world.homes[BOB].admitted.clone();
    came.sort_by_key(|entry| Header::decode(&entry.header).expect("header").seq);
    assert_eq!(came, strangers(40));
}

#[test]
fn adm_6_nobody_is_asked_who_does_not_hold_the_admission() {
    let mut victim = Victim::following(&alice(), 40).greet().agree(&alice());
    victim.step(lacks(40, &strangers(1)));
    assert_eq!(asked(&victim), []);
    victim.step(lacks(39, &strangers(1)));
    assert_eq!(asked(&victim).len(), 1);
}

#[test]
fn adm_6_what_was_lacking_is_asked_for_again_after_ever_longer_pauses_and_what_came_is_not() {
    let all = strangers(2);
    let mut victim = lacking(&all);
    answer(&mut victim, vec![vec![1]], vec![all[0].clone()]);
    assert_eq!(victim.home.admitted, [all[0].clone()]);
    assert_eq!(asked(&victim).len(), 1, "not at once");
    victim.wait(2);
    assert_eq!(asked(&victim).last().expect("asked").1, [id(&all[1])]);
    let request = asked(&victim)[1].0;
    victim.hear(Message::Singles { request, items: Vec::new() });
    victim.wait(3);
    assert_eq!(asked(&victim).len(), 2, "after twice as long");
    victim.wait(1);
    assert_eq!(asked(&victim).len(), 3);
    victim.step(lacks(39, &all));
    assert_eq!(asked(&victim).len(), 3, "what is on its way, or came, is not asked for anew");
    victim.assert_goes_on_after(&[]);
}

#[test]
fn adm_6_an_answer_brings_only_what_was_asked_for_once_signed_and_small() {
    let all = strangers(2);
    let unsigned = SignedEntry { signature: None, ..all[0].clone() };
    let large = Author::new("stranger").run(Position::EMPTY, 1, ADMITTED_BODY_BYTES + 1);
    let cases: [Case<'_>; 6] = [
        (&all[..1], vec![vec![1]], vec![all[1].clone()]),
        (&all[..1], vec![vec![1]], vec![all[0].clone(), all[0].clone()]),
        (&all[..1], vec![vec![1]], vec![unsigned]),
        (&all[..1], vec![vec![1]], Vec::new()),
        (&all[..1], vec![vec![1; 3_000]; 6], vec![all[0].clone()]),
        (&large, vec![vec![1]], large.clone()),
    ];
    for (lacked, objects, entries) in cases {
        let mut victim = lacking(lacked);
        answer(&mut victim, objects, entries);
        victim.assert_closed_by("ADM-6");
        assert_eq!(victim.home.admitted, []);
    }
}

#[test]
fn adm_6_who_asks_without_end_is_refused() {
    let mut victim = Victim::following(&alice(), 40).greet().agree(&alice());
    victim.home.admitted = strangers(1);
    let log = victim.salter.log(&alice().log());
    let entries = vec![id(&strangers(1)[0]); 16];
    for request in 1..=SINGLES_A_SESSION_MAX / 16 {
        victim.hear(Message::SinglesRequest { request, id: log, entries: entries.clone() });
    }
    victim.assert_goes_on_after(&[]);
    let served = victim.heard.iter().filter(|message| matches!(message, Message::Singles { .. })).count() as u64;
    assert_eq!(served, SINGLES_A_SESSION_MAX / 16);
    victim.hear(Message::SinglesRequest { request: 1_000_000, id: log, entries });
    victim.assert_closed_by("ADM-6");
}
