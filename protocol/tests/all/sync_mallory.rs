//! Mallory breaks each rule of the conversation; bob refuses, by the rule's number.

use xom_protocol::entry::{Header, SignedEntry};
use xom_protocol::keys::{Domain, Signature};
use xom_protocol::log::Position;
use xom_protocol::sync::message::{AimedPush, Claim, Heads, Hello, IdentityHead, LogHead, Message, Offer, Push, Range};
use xom_protocol::sync::{
    Aimed, CloseReason, Input, LocalDevice, LogSummary, Proof, ProofContext, Salter, Setting, frame_body_len, verify,
};
use xom_protocol::{Digest, EntryId, Network};

use crate::sync_home::{Author, Home};
use crate::sync_victim::{BOBS_NONCE, MALLORYS_NONCE, Victim, hello, offer};

/// What mallory answers, given all of alice's entries.
type Answer<'a> = &'a dyn Fn(&mut Victim, &[SignedEntry]);

fn alice() -> Author {
    Author::new("alice")
}

/// Bob holds 40 entries; mallory claims 100 and is asked for the rest.
fn asked() -> (Victim, Vec<SignedEntry>) {
    let victim = Victim::following(&alice(), 40).greet().claim(&alice(), 100);
    assert_eq!(victim.asked().1..victim.asked().2, 40..100);
    (victim, alice().run(Position::EMPTY, 100, 50))
}

#[test]
fn r_dec_11_a_frame_is_1_byte_to_1_mib_and_comes_in_time() {
    assert_eq!(frame_body_len([0, 0, 0, 1]), Ok(1));
    assert_eq!(frame_body_len([0, 16, 0, 0]), Ok(1 << 20));
    for bad in [[0, 0, 0, 0], [0, 16, 0, 1], [0x80, 0, 0, 0], [0xff; 4]] {
        assert_eq!(frame_body_len(bad).map_err(|e| e.rule().0), Err("SYN-1"), "{bad:?}");
    }
    let mut victim = Victim::following(&alice(), 1).greet().claim(&alice(), 1);
    victim.wait(60);
    assert_eq!(victim.closed, None);
    victim.wait(2);
    assert_eq!(victim.closed, Some(CloseReason::Silent), "SYN-14");
}

#[test]
fn syn_1_what_is_no_message_closes_the_stream() {
    let cases: [(&[u8], &str); 6] = [
        (&[0x82, 0x18, 0x1e, 0x01], "SYN-1"),
        (&[0x82, 0x0d, 0xf6, 0x00], "ENC-1"),
        (&[0x82, 0x04, 0x18, 0x01], "ENC-2"),
        (&[0xa0], "SYN-1"),
        (&[0x81; 40], "ENC-5"),
        (&[0x82, 0x04, 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0], "SYN-1"),
    ];
    for (frame, rule) in cases {
        let mut victim = Victim::following(&alice(), 1).greet();
        victim.hear_frame(frame.to_vec());
        victim.assert_closed_by(rule);
    }
}

#[test]
fn r_syn_10_the_lower_version_is_agreed_on_and_none_below_1() {
    let mut victim = Victim::following(&alice(), 1);
    victim.hear(Message::Hello(Hello { version: 9, ..hello() }));
    victim.hear(Message::Proof(Vec::new()));
    victim.assert_goes_on_after(&[]);
    let mut victim = Victim::following(&alice(), 1);
    victim.hear(Message::Hello(Hello { version: 0, ..hello() }));
    victim.assert_closed_by("SYN-2");
}

#[test]
fn syn_3_the_conversation_begins_with_one_hello_of_this_network_and_a_nonce_of_its_own() {
    let other = Hello { network: "test".into(), ..hello() };
    let mirrored = Hello { nonce: BOBS_NONCE, ..hello() };
    for first in [Message::Hello(other), Message::Hello(mirrored), Message::Ping, offer(1, Vec::new())] {
        let mut victim = Victim::following(&alice(), 1);
        victim.hear(first);
        victim.assert_closed_by("SYN-3");
    }
    for again in [Message::Hello(hello()), Message::Proof(Vec::new())] {
        let mut victim = Victim::following(&alice(), 1).greet();
        victim.hear(again);
        victim.assert_closed_by("SYN-3");
    }
}

#[test]
fn r_syn_11_half_open_streams_are_closed_soon() {
    let mut victim = Victim::following(&alice(), 1);
    victim.wait(11);
    assert_eq!(victim.closed, Some(CloseReason::HandshakeTimeout));
    let mut victim = Victim::following(&alice(), 1).greet();
    for _ in 0..61 {
        victim.wait(1);
        victim.hear(Message::Ping);
    }
    assert_eq!(victim.closed, Some(CloseReason::HandshakeTimeout), "an offer that never ends, SYN-14");
}

/// Mallory's proof that he holds the key of somebody's device.
fn claim_of(author: &Author) -> Claim {
    let context = ProofContext {
        network: Network::MAIN,
        version: 1,
        prover_nonce: MALLORYS_NONCE,
        checker_nonce: BOBS_NONCE,
        prover_peer_id: b"mallory",
        checker_peer_id: b"bob",
    };
    let device = author.key.public().device_id();
    let signed = context.signed_bytes(&author.did, &device);
    Claim { did: author.did, device, signature: author.key.sign(Domain::Handshake, Network::MAIN, &signed) }
}

#[test]
fn syn_4_a_proof_is_bound_to_the_session_and_the_connection() {
    let alice = alice();
    let device = alice.key.public().device_id();
    let right = ProofContext {
        network: Network::MAIN,
        version: 1,
        prover_nonce: MALLORYS_NONCE,
        checker_nonce: BOBS_NONCE,
        prover_peer_id: b"mallory",
        checker_peer_id: b"bob",
    };
    let claim = |context: &ProofContext<'_>| {
        let signed = context.signed_bytes(&alice.did, &device);
        let signature = alice.key.sign(Domain::Handshake, context.network, &signed);
        Claim { did: alice.did, device, signature }
    };
    assert_eq!(verify(&right, &claim(&right)), Ok(()));
    Victim::following(&alice, 1).greet_as(vec![claim(&right)]).assert_goes_on_after(&[]);
    let wrong = [
        ProofContext { prover_peer_id: b"alice", ..right.clone() },
        ProofContext { checker_peer_id: b"mallory", ..right.clone() },
        ProofContext { prover_nonce: [9; 32], ..right.clone() },
        ProofContext { prover_nonce: BOBS_NONCE, checker_nonce: MALLORYS_NONCE, ..right.clone() },
        ProofContext { version: 2, ..right.clone() },
        ProofContext { network: "test".parse().expect("a name"), ..right.clone() },
    ];
    for context in wrong {
        Victim::following(&alice, 1).greet_as(vec![claim(&context)]).assert_closed_by("SYN-4");
    }
    let other = Claim { did: Author::new("bob").did, ..claim(&right) };
    Victim::following(&alice, 1).greet_as(vec![other]).assert_closed_by("SYN-4");
    Victim::following(&alice, 1).greet_as(vec![claim(&right); 5]).assert_closed_by("SYN-4");
}

#[test]
fn r_syn_1_a_head_that_cannot_be_served_is_a_fault_and_bob_is_never_in_sync() {
    let mut victim = Victim::following(&alice(), 40).greet().claim(&alice(), (1 << 53) - 1);
    victim.answer(40, true, &[]);
    victim.assert_goes_on_after(&["SYN-10"]);
    victim.wait(5);
    assert!(!victim.in_sync);
    let asked = victim.heard.iter().filter(|message| matches!(message, Message::RangeRequest { .. })).count();
    assert_eq!(asked, 1, "it is not asked again");
    let mut victim = Victim::following(&alice(), 40).greet();
    victim.hear(offer(1, vec![victim.salter.log(&alice().log())]));
    victim.claim_head(&alice(), 1 << 63, Digest([3; 32]));
    victim.assert_closed_by("SYN-1");
}

#[test]
fn r_dec_12_heights_that_add_up_beyond_all_numbers_are_only_claims() {
    let mut home = Home::new(77);
    let authors: Vec<Author> = (0..2_050).map(|n| Author::new(&format!("author {n}"))).collect();
    for author in &authors {
        home.hold(author, &author.run(Position::EMPTY, 1, 50));
    }
    let mut victim = Victim::fresh(home, Vec::new()).greet();
    let ids: Vec<_> = authors.iter().map(|author| victim.salter.log(&author.log())).collect();
    victim.hear(offer(1, ids.clone()));
    let position = Position { height: (1 << 53) - 1, head: Some(Digest([3; 32])) };
    for ids in ids.chunks(1_000) {
        let logs = ids.iter().map(|id| LogHead { id: *id, position, wanted: true }).collect();
        victim.hear(Message::Heads(Heads { counter: 0, logs, identities: Vec::new() }));
    }
    victim.assert_goes_on_after(&[]);
}

#[test]
fn r_syn_2_the_same_range_again_and_again_closes_the_stream() {
    let mut victim = Victim::following(&alice(), 40).greet().agree(&alice());
    let id = victim.salter.log(&alice().log());
    for request in 1..40 {
        if victim.closed.is_none() {
            victim.hear(Message::RangeRequest { request, id, from: 0, to: 40 });
        }
    }
    victim.assert_closed_by("SYN-9");
    let served = victim.heard.iter().filter(|message| matches!(message, Message::Range(_))).count();
    assert_eq!(served, 17);
}

#[test]
fn r_syn_2_requests_are_bounded_in_number_and_range() {
    let request = |request, from, to| {
        let mut victim = Victim::following(&alice(), 40).greet().agree(&alice());
        let id = victim.salter.log(&alice().log());
        victim.hear(Message::RangeRequest { request: 7, id, from: 0, to: 1 });
        victim.assert_goes_on_after(&[]);
        victim.hear(Message::RangeRequest { request, id, from, to });
        victim
    };
    request(8, 0, 40).assert_goes_on_after(&[]);
    for (number, from, to) in [(7, 0, 40), (8, 0, 41), (8, 4, 4), (8, 5, 4), (8, 0, 2_049)] {
        request(number, from, to).assert_closed_by("SYN-9");
    }
}

#[test]
fn r_syn_2_an_identity_asked_for_again_and_again_closes_the_stream() {
    let mut victim = Victim::following(&alice(), 1).greet();
    let id = victim.salter.identity(Network::MAIN, &alice().did);
    victim.hear(offer(1, vec![id]));
    for request in 1..200 {
        if victim.closed.is_none() {
            victim.hear(Message::IdentityRequest { request, id });
        }
    }
    victim.assert_closed_by("SYN-8");
    let served = victim.heard.iter().filter(|message| matches!(message, Message::IdentityObjects { .. })).count();
    assert_eq!(served, 64);
}

#[test]
fn r_syn_2_an_endless_frontier_ends() {
    let mut victim = Victim::following(&alice(), 1).greet();
    let mut number = 0_u64;
    while victim.closed.is_none() {
        let ids = (0..8_192)
            .map(|_| {
                number += 1;
                u128::from(number).to_be_bytes()
            })
            .collect();
        victim.hear(Message::Offer(Offer { number: 1, more: true, counter: 0, ids }));
    }
    victim.assert_closed_by("SYN-5");
    assert!(number <= (1 << 20) + 8_192, "{number}");
    let mut victim = Victim::following(&alice(), 1).greet();
    victim.hear(offer(1, vec![[0; 16]; 8_193]));
    victim.assert_closed_by("SYN-5");
    let mut victim = Victim::following(&alice(), 1).greet();
    victim.hear(offer(2, Vec::new()));
    victim.assert_closed_by("SYN-5");
}

#[test]
fn r_syn_3_an_answer_that_trickles_in_is_too_slow() {
    let (mut victim, log) = asked();
    for (seq, entry) in (40..).zip(&log[40..]) {
        if victim.closed.is_none() {
            victim.answer(seq, false, std::slice::from_ref(entry));
            victim.wait(29);
        }
    }
    assert_eq!((victim.closed, victim.refused), (Some(CloseReason::TooSlow), vec!["SYN-14"]));
}

#[test]
fn r_syn_4_answers_out_of_order_are_refused() {
    let other = Author::new("carol").run(Position::EMPTY, 100, 50);
    let cases: [Answer<'_>; 8] = [
        &|victim, log| victim.answer(41, true, &log[41..100]),
        &|victim, log| victim.answer(40, true, &[&log[41..100], &log[40..41]].concat()),
        &|victim, log| victim.answer(40, true, &[&log[40..60], &log[59..99]].concat()),
        &|victim, _| victim.answer(40, true, &other[40..100]),
        &|victim, log| victim.answer(40, true, &[&log[40..70], &other[70..100]].concat()),
        &|victim, log| {
            victim.answer(40, false, &log[40..60]);
            victim.answer(40, true, &log[40..60]);
        },
        &|victim, log| {
            let request = victim.asked().0;
            victim.answer(40, true, &log[40..100]);
            victim.hear(Message::Range(Range { request, from: 100, end: true, entries: Vec::new() }));
        },
        &|victim, _| victim.answer(40, false, &[]),
    ];
    for (index, case) in cases.iter().enumerate() {
        let (mut victim, log) = asked();
        case(&mut victim, &log);
        assert_eq!(victim.refused, ["SYN-10"], "case {index}");
        victim.assert_closed_by("SYN-10");
    }
}

#[test]
fn r_sig_17_an_answer_without_the_signatures_that_are_due_is_not_stored() {
    let (mut victim, mut log) = asked();
    log[64].signature = None;
    victim.answer(40, true, &log[40..100]);
    victim.assert_closed_by("SYN-10");
    let (mut victim, mut log) = asked();
    log[99].signature = None;
    log[98].signature = None;
    victim.answer(40, true, &log[40..100]);
    victim.assert_goes_on_after(&["SYN-10"]);
    assert_eq!(victim.home.logs[&alice().log()].entries.len(), 98, "up to the last signature");
    assert!(!victim.in_sync);
}

#[test]
fn r_sig_4_an_entry_of_another_version_is_refused_as_such_and_what_stands_before_it_is_kept() {
    // SYN-10
    let (mut victim, mut log) = asked();
    assert_eq!(log[70].header[1], 1, "the version");
    log[70].header[1] = 2;
    victim.answer(40, true, &log[40..100]);
    victim.assert_goes_on_after(&["LOG-2"]);
    assert_eq!(victim.home.logs[&alice().log()].entries.len(), 70, "what stands before it");
}

/// Mallory falls back to what bob holds before he answers what bob asked for, and has nothing of it.
fn fall_back(victim: &mut Victim, log: &[SignedEntry]) {
    victim.claim_head(&alice(), 40, Header::hash(&log[39].header));
    victim.answer(40, true, &[]);
}

#[test]
fn syn_13_what_was_asked_for_before_a_head_fell_is_no_fault_and_is_asked_for_again_once_it_grows() {
    let (mut victim, log) = asked();
    fall_back(&mut victim, &log);
    victim.assert_goes_on_after(&[]);
    let before = victim.asked().0;
    victim.claim_head(&alice(), 100, Digest([4; 32]));
    assert!(victim.asked().0 > before, "asked for anew");
    victim.answer(40, true, &log[40..100]);
    victim.assert_goes_on_after(&[]);
    assert_eq!(victim.home.logs[&alice().log()].entries.len(), 100);
}

#[test]
fn syn_13_a_head_that_falls_again_and_again_excuses_nothing_for_ever() {
    let (mut victim, log) = asked();
    for _ in 0..100 {
        if victim.closed.is_some() {
            break;
        }
        fall_back(&mut victim, &log);
        if victim.closed.is_none() {
            victim.claim_head(&alice(), 100, Digest([4; 32]));
        }
    }
    victim.assert_closed_by("SYN-10");
}

#[test]
fn syn_13_a_turn_while_entries_of_another_branch_are_on_their_way_hides_no_fork() {
    let (mut victim, _) = asked();
    let position = victim.home.logs[&alice().log()].position();
    let (did, log) = (alice().did, alice().log());
    victim.step(Input::Log(LogSummary { did, log, position, counter: 91, wanted: true }));
    let other = alice().run(Position { height: 40, head: Some(Digest([8; 32])) }, 60, 50);
    let before = victim.asked().0;
    victim.answer(40, true, &other);
    assert!(victim.asked().0 > before, "asked for anew");
    victim.answer(40, true, &other);
    let searches = |message: &Message| matches!(message, Message::ForkRequest { at: 39, .. });
    assert!(victim.heard.iter().any(searches), "the fork is looked for");
    victim.assert_goes_on_after(&[]);
}

#[test]
fn syn_13_who_falls_back_is_told_how_the_other_side_has_grown_meanwhile() {
    let (mut victim, log) = asked();
    let position = Position { height: 60, head: Some(Header::hash(&log[59].header)) };
    let grown = Input::Stored { log: alice().log(), from: 40, entries: log[40..60].to_vec(), position, counter: 90 };
    victim.step(grown);
    let told = |victim: &Victim| {
        let heads = victim.heard.iter().filter_map(|message| match message {
            Message::Heads(heads) => Some(heads.logs.iter().any(|head| head.position == position)),
            _ => None,
        });
        heads.filter(|told| *told).count()
    };
    assert_eq!(told(&victim), 0, "they stand higher and need not be told");
    victim.claim_head(&alice(), 50, Header::hash(&log[49].header));
    assert_eq!(told(&victim), 1);
}

fn settings() -> Message {
    let item = Setting { key: "key".to_owned(), rev: 1, value: b"value".to_vec() };
    Message::Settings { did: alice().did, items: vec![item] }
}

/// The claim of alice's device, proven to bob on mallory's connection.
fn proven_claim() -> Claim {
    let context = ProofContext {
        network: Network::MAIN,
        version: 1,
        prover_nonce: MALLORYS_NONCE,
        checker_nonce: BOBS_NONCE,
        prover_peer_id: b"mallory",
        checker_peer_id: b"bob",
    };
    let id = alice().key.public().device_id();
    let signature = alice().key.sign(Domain::Handshake, Network::MAIN, &context.signed_bytes(&alice().did, &id));
    Claim { did: alice().did, device: id, signature }
}

#[test]
fn pair_8_settings_are_taken_only_of_an_identity_that_both_sides_have_proven() {
    let device = || LocalDevice { did: alice().did, key: alice().key };
    let mut victim = Victim::fresh(Home::new(5), vec![device()]).greet();
    victim.hear(settings());
    victim.assert_closed_by("PAIR-8");
    let mut victim = Victim::fresh(Home::new(5), vec![device()]).greet_as(vec![proven_claim()]);
    victim.hear(settings());
    victim.assert_goes_on_after(&[]);
    assert_eq!(victim.settings.len(), 1);
}

#[test]
fn pair_8_a_device_that_was_granted_in_the_middle_of_a_session_sends_no_settings_in_it() {
    // Whoever has proven nothing is refused by PAIR-8 and kept away for a while: of all moments just after pairing.
    let item = Setting { key: "key".to_owned(), rev: 1, value: b"value".to_vec() };
    let due = || Input::Settings { did: alice().did, items: vec![item.clone()] };
    let sent = |victim: &Victim| victim.heard.iter().filter(|it| matches!(it, Message::Settings { .. })).count();
    let mut victim = Victim::fresh(Home::new(5), Vec::new()).greet_as(vec![proven_claim()]);
    victim.step(due());
    assert_eq!(sent(&victim), 0, "this side has proven nothing");
    let device = LocalDevice { did: alice().did, key: alice().key };
    let mut victim = Victim::fresh(Home::new(5), vec![device]).greet_as(vec![proven_claim()]);
    victim.step(due());
    assert_eq!(sent(&victim), 1);
}

#[test]
fn r_syn_6_what_was_not_asked_for_is_refused() {
    let log = alice().run(Position::EMPTY, 3, 50);
    let head = |id| LogHead { id, position: Position { height: 1, head: Some(Digest([1; 32])) }, wanted: true };
    let heads = |id| Message::Heads(Heads { counter: 0, logs: vec![head(id)], identities: Vec::new() });
    let identity = |id| {
        Message::Heads(Heads { counter: 0, logs: Vec::new(), identities: vec![IdentityHead { id, digest: None }] })
    };
    let push = |id| Message::Push(Push { number: 1, id, from: 0, counter: 0, entries: log.clone() });
    let aimed = Aimed { objects: Vec::new(), entries: log.clone() };
    let cases = [
        (Message::Range(Range { request: 1, from: 0, end: true, entries: log.clone() }), "SYN-10"),
        (Message::IdentityObjects { request: 1, end: true, objects: vec![vec![1]] }, "SYN-8"),
        (heads([8; 16]), "SYN-7"),
        (identity([8; 16]), "SYN-7"),
        (push([8; 16]), "SYN-11"),
        (Message::Aimed(AimedPush { number: 1, more: false, counter: 0, items: vec![aimed] }), "SYN-12"),
        (Message::Compared { number: 2 }, "SYN-7"),
        (Message::Ack { pushes: 1, counter: 0 }, "SYN-11"),
        (Message::Ack { pushes: 0, counter: 99 }, "SYN-11"),
        (Message::IdentityRequest { request: 1, id: [8; 16] }, "SYN-8"),
        (Message::ForkRequest { request: 1, id: [8; 16], at: 0 }, "SYN-9"),
        (settings(), "PAIR-8"),
        (Message::Singles { request: 1, items: Vec::new() }, "ADM-6"),
        (Message::SinglesRequest { request: 1, id: [8; 16], entries: vec![EntryId([1; 32])] }, "SYN-9"),
    ];
    for (message, rule) in cases {
        let mut victim = Victim::following(&Author::new("carol"), 3).greet();
        victim.hear(message);
        victim.assert_closed_by(rule);
    }
}

#[test]
fn r_syn_7_ids_that_collide_bring_in_nothing_of_another_log() {
    let (mut victim, _) = asked();
    let other = Author::new("carol").run(Position::EMPTY, 100, 50);
    victim.answer(40, true, &other[40..]);
    victim.assert_closed_by("SYN-10");
    assert_eq!(victim.home.logs[&alice().log()].entries.len(), 40);
}

#[test]
fn r_syn_8_the_valid_part_before_a_bad_entry_is_kept_and_the_rest_is_not_asked_again() {
    let (mut victim, mut log) = asked();
    log[64].signature = Some(Signature([5; 64]));
    victim.answer(40, true, &log[40..100]);
    victim.assert_goes_on_after(&["ENC-12"]);
    assert_eq!(victim.home.logs[&alice().log()].entries.len(), 64);
    victim.wait(5);
    assert_eq!(victim.asked().1, 40, "the rest comes from elsewhere");
    assert!(!victim.in_sync);
}

#[test]
fn r_syn_9_a_wrong_or_missing_body_is_a_transport_error_and_the_header_stands() {
    let (mut victim, mut log) = asked();
    log[50].body.as_mut().expect("a body").bytes = b"something else".to_vec();
    log[51].body = None;
    victim.answer(40, true, &log[40..100]);
    victim.assert_goes_on_after(&[]);
    let stored = &victim.home.logs[&alice().log()].entries;
    assert_eq!(stored.len(), 100);
    assert!(stored[50].body.is_none() && stored[51].body.is_none() && stored[52].body.is_some());
}

#[test]
fn r_syn_13_a_log_that_is_not_in_common_is_as_unknown_as_one_that_is_not_there() {
    let carol = Author::new("carol");
    let ask = |id: [u8; 16]| {
        let mut victim = Victim::following(&carol, 30).greet();
        victim.hear(offer(1, Vec::new()));
        victim.heard.clear();
        victim.hear(Message::RangeRequest { request: 1, id, from: 0, to: 1 });
        victim.assert_closed_by("SYN-9");
        victim.frames
    };
    let salter = Salter::new(BOBS_NONCE, MALLORYS_NONCE);
    let (held, unknown) = (ask(salter.log(&carol.log())), ask([8; 16]));
    assert_eq!(held, unknown);
}

#[test]
fn syn_6_counters_never_fall() {
    let mut victim = Victim::following(&alice(), 1).greet();
    victim.hear(Message::Offer(Offer { number: 1, more: true, counter: 9, ids: Vec::new() }));
    victim.hear(Message::Offer(Offer { number: 1, more: false, counter: 8, ids: Vec::new() }));
    victim.assert_closed_by("SYN-6");
}

#[test]
fn syn_11_pushes_come_in_turn_in_order_and_signed() {
    let log = alice().run(Position::EMPTY, 60, 50);
    let push = |number, from: usize, to: usize, change: &dyn Fn(&mut Push)| {
        let mut victim = Victim::following(&alice(), 40).greet().agree(&alice());
        let id = victim.salter.log(&alice().log());
        let mut push = Push { number, id, from: from as u64, counter: 2, entries: log[from..to].to_vec() };
        change(&mut push);
        victim.hear(Message::Push(push));
        victim
    };
    let right = push(1, 40, 60, &|_| {});
    right.assert_goes_on_after(&[]);
    assert_eq!(right.home.logs[&alice().log()].entries.len(), 60);
    assert!(right.heard.contains(&Message::Ack { pushes: 1, counter: 2 }));
    let stale = push(1, 10, 20, &|_| {});
    stale.assert_goes_on_after(&[]);
    push(2, 40, 60, &|_| {}).assert_closed_by("SYN-11");
    push(1, 40, 60, &|push| push.entries[19].signature = None).assert_closed_by("SYN-11");
    push(1, 40, 60, &|push| push.entries.swap(1, 2)).assert_closed_by("SYN-11");
    push(1, 40, 60, &|push| push.from = 41).assert_closed_by("SYN-11");
    push(1, 40, 60, &|push| push.entries.clear()).assert_closed_by("SYN-11");
}

#[test]
fn syn_11_who_never_acknowledges_is_closed_and_what_was_pushed_stays_bounded() {
    let alice = alice();
    let mut victim = Victim::following(&alice, 40).greet().agree(&alice);
    for _ in 0..500 {
        for input in victim.home.publish(&alice, 1, 50) {
            victim.step(input);
        }
    }
    let pushes = victim.heard.iter().filter(|message| matches!(message, Message::Push(_))).count();
    assert_eq!(pushes, 64);
    for _ in 0..61 {
        victim.wait(1);
        if victim.closed.is_none() {
            victim.hear(Message::Ping);
        }
    }
    assert_eq!(victim.closed, Some(CloseReason::PushWindowFull));
}

#[test]
fn syn_12_what_many_have_aimed_at_a_peer_keeps_to_the_window_and_comes_whole() {
    for (authors, body_bytes) in [(1_000, 50), (100, 100_000)] {
        let (mallory, mut home) = (Author::new("mallory"), Home::new(77));
        for author in (0..authors).map(|n| Author::new(&format!("author {n}"))) {
            home.aimed_at.push((mallory.did, 1, author.entry(Position::EMPTY, body_bytes)));
        }
        let mut victim = Victim::fresh(home, Vec::new()).greet_as(vec![claim_of(&mallory)]);
        victim.hear(offer(1, Vec::new()));
        victim.hear(Message::Compared { number: 1 });
        let mut done = 0;
        loop {
            let is_aimed = |message: &Message| matches!(message, Message::Aimed(_));
            let sent: Vec<Message> = victim.heard.iter().filter(|message| is_aimed(message)).cloned().collect();
            let open = sent.len() as u64 - done;
            assert!((1..=64).contains(&open), "{open} of {} are not acknowledged", sent.len());
            let bytes: usize =
                sent[sent.len() - open as usize..].iter().map(|message| message.clone().encode().len()).sum();
            assert!(bytes <= 5 << 20, "{bytes} bytes are not acknowledged");
            if open == 1 {
                let last = |message: &Message| matches!(message, Message::Aimed(aimed) if !aimed.more);
                assert_eq!(sent.iter().position(last), Some(sent.len() - 1));
                let entries = sent.iter().map(|message| match message {
                    Message::Aimed(aimed) => aimed.items.iter().map(|item| item.entries.len()).sum(),
                    _ => 0,
                });
                assert_eq!(entries.sum::<usize>(), authors);
                break;
            }
            done += 1;
            victim.hear(Message::Ack { pushes: done, counter: 0 });
        }
        victim.assert_goes_on_after(&[]);
    }
}

#[test]
fn syn_12_aimed_entries_are_signed_and_few() {
    let bob = Author::new("bob");
    let log = alice().run(Position::EMPTY, 3, 50);
    let aim = |number, entries: Vec<_>| {
        let items = vec![Aimed { objects: Vec::new(), entries }];
        Message::Aimed(AimedPush { number, more: true, counter: 0, items })
    };
    let proven = || {
        let device = LocalDevice { did: bob.did, key: bob.key.clone() };
        Victim::fresh(Home::new(5), vec![device]).greet()
    };
    let mut victim = proven();
    victim.hear(aim(1, log.clone()));
    victim.assert_goes_on_after(&[]);
    assert_eq!(victim.home.aimed_received, log);
    let mut unsigned = log.clone();
    unsigned[1].signature = None;
    let mut victim = proven();
    victim.hear(aim(1, unsigned));
    victim.assert_closed_by("SYN-12");
    let mut victim = proven();
    for number in 1..400 {
        if victim.closed.is_none() {
            victim.hear(aim(number, log.clone()));
        }
    }
    victim.assert_closed_by("SYN-12");
    assert!(victim.home.aimed_received.len() <= 1_024);
}

#[test]
fn syn_13_a_branch_is_unbroken_bare_signed_and_at_the_place() {
    let alice = alice();
    let bare = |entries: &[SignedEntry]| {
        let strip = |entry: &SignedEntry| SignedEntry { body: None, ..entry.clone() };
        entries.iter().map(strip).collect::<Vec<_>>()
    };
    let common = alice.run(Position::EMPTY, 35, 50);
    let head = common.last().map(|entry| xom_protocol::entry::Header::hash(&entry.header));
    let branch = [common, alice.run(Position { height: 35, head }, 5, 51)].concat();
    let answer = |from: u64, end: bool, entries: Vec<_>| {
        let mut victim = Victim::following(&alice, 40).greet().claim(&alice, 40);
        let asked = |message: &Message| match message {
            Message::ForkRequest { request, at: 39, .. } => Some(*request),
            _ => None,
        };
        let request = victim.heard.iter().find_map(asked).expect("another head at the same height");
        victim.hear(Message::Range(Range { request, from, end, entries }));
        victim
    };
    let right = answer(30, true, bare(&branch[30..]));
    right.assert_goes_on_after(&[]);
    assert_eq!(right.home.forks.len(), 1);
    answer(30, true, Vec::new()).assert_goes_on_after(&["SYN-13"]);
    answer(30, true, branch[30..].to_vec()).assert_closed_by("SYN-13");
    answer(30, false, bare(&branch[30..])).assert_closed_by("SYN-13");
    answer(31, true, bare(&branch[30..])).assert_closed_by("SYN-13");
    let mut unsigned = bare(&branch[30..]);
    unsigned[9].signature = None;
    answer(30, true, unsigned).assert_closed_by("SYN-13");
}

#[test]
fn syn_13_another_head_is_noticed_also_where_it_was_told_before_our_log_came_to_its_height() {
    let alice = alice();
    let log = alice.run(Position::EMPTY, 40, 50);
    let mut victim = Victim::following(&alice, 30).greet().claim(&alice, 40);
    let asked = |victim: &Victim| {
        let fork = |message: &&Message| matches!(message, Message::ForkRequest { at: 39, .. });
        victim.heard.iter().filter(fork).count()
    };
    assert_eq!(asked(&victim), 0, "nothing is held at that height yet");
    let grown = victim.home.append(alice.log(), log[30..].to_vec());
    victim.step(grown);
    assert_eq!(asked(&victim), 1);
}

#[test]
fn syn_19_proofs_come_for_wanted_logs_only_and_few_of_each() {
    let proof = |number: u8| Proof::Fork(vec![number]);
    let id = Salter::new(BOBS_NONCE, MALLORYS_NONCE).log(&alice().log());
    let mut victim = Victim::following(&alice(), 40).greet().claim(&alice(), 40);
    for number in [1, 2, 3, 4, 5, 6, 7, 7] {
        victim.hear(Message::Proven { id, proof: proof(number) });
    }
    victim.assert_goes_on_after(&[]);
    assert_eq!(victim.home.proofs.len(), 7, "what came before is not looked at again");
    victim.hear(Message::Proven { id, proof: proof(9) });
    victim.assert_closed_by("SYN-19");
    let mut victim = Victim::following(&alice(), 40).greet().claim(&alice(), 40);
    victim.hear(Message::Proven { id: [9; 16], proof: proof(1) });
    victim.assert_closed_by("SYN-19");
}

#[test]
fn syn_15_messages_that_bring_nothing_are_counted() {
    let mut victim = Victim::following(&alice(), 1).greet().claim(&alice(), 1);
    for _ in 0..300 {
        if victim.closed.is_none() {
            victim.hear(Message::Ping);
        }
    }
    victim.assert_closed_by("SYN-15");
}

#[test]
fn syn_15_faults_are_counted_and_the_eighth_closes() {
    let authors: Vec<Author> = (0..9).map(|n| Author::new(&format!("author {n}"))).collect();
    let mut home = Home::new(5);
    for author in &authors {
        home.hold(author, &author.run(Position::EMPTY, 1, 50));
    }
    let mut victim = Victim::fresh(home, Vec::new()).greet();
    let ids = authors.iter().map(|author| victim.salter.log(&author.log())).collect();
    victim.hear(offer(1, ids));
    for author in &authors {
        if victim.closed.is_none() {
            victim.claim_head(author, 9, Digest([3; 32]));
            victim.answer(1, true, &[]);
        }
    }
    assert_eq!(victim.refused, ["SYN-10"; 8]);
    victim.assert_closed_by("SYN-10");
}

#[test]
fn a_peer_that_says_bye_is_let_go() {
    let mut victim = Victim::following(&alice(), 1).greet();
    victim.hear(Message::Bye { reason: "tired".into() });
    assert_eq!((victim.closed, victim.refused), (Some(CloseReason::ByPeer("tired".into())), Vec::new()));
}
