//! What a stranger can learn, and that no bytes of anybody break a session.

use proptest::prelude::{ProptestConfig, any};
use proptest::{collection, proptest};
use xom_protocol::log::Position;
use xom_protocol::sync::Salter;
use xom_protocol::sync::message::{Message, Push, Range};

use crate::sync_home::{Author, Home};
use crate::sync_victim::{Victim, offer};

fn contains(frame: &[u8], part: &[u8]) -> bool {
    frame.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_stranger_learns_no_follow_list() {
    let mut home = Home::new(5);
    let followed: Vec<Author> = (0..20).map(|n| Author::new(&format!("friend {n}"))).collect();
    for author in &followed {
        home.hold(author, &author.run(Position::EMPTY, 3, 50));
    }
    let guessed = Author::new("friend 7");
    let mut victim = Victim::fresh(home, Vec::new()).greet();
    victim.hear(offer(1, vec![victim.salter.log(&guessed.log()), [9; 16]]));
    victim.hear(Message::Compared { number: 1 });
    let heads = victim.heard.iter().filter_map(|message| match message {
        Message::Heads(heads) => Some(heads.logs.len() + heads.identities.len()),
        _ => None,
    });
    assert_eq!(heads.sum::<usize>(), 1, "SYN-7: only of the log that was guessed");
    for frame in &victim.frames {
        for author in &followed {
            let device = author.key.public().device_id();
            let position = victim.home.logs[&author.log()].position();
            let head = position.head.expect("three entries");
            assert!(!contains(frame, &author.did.0) && !contains(frame, &author.log().0));
            assert!(!contains(frame, &device.0) && !contains(frame, &author.did.0[..16]));
            assert!(author.did == guessed.did || !contains(frame, &head.0));
        }
    }
}

#[test]
fn syn_5_ids_are_others_in_every_session() {
    let salter = |nonce| Salter::new([1; 32], nonce);
    let log = Author::new("alice").log();
    assert_ne!(salter([2; 32]).log(&log), salter([3; 32]).log(&log));
    let swapped = Salter::new([2; 32], [1; 32]);
    assert_eq!(salter([2; 32]).log(&log), swapped.log(&log), "both sides salt alike");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_break_a_session(frames in collection::vec(collection::vec(any::<u8>(), 0..200), 1..8)) {
        let mut victim = Victim::following(&Author::new("alice"), 3).greet();
        for frame in frames {
            if victim.closed.is_none() {
                victim.hear_frame(frame);
            }
        }
    }

    #[test]
    fn no_honest_frame_with_a_changed_byte_breaks_a_session(at in any::<usize>(), to in any::<u8>(), which in 0..5_usize) {
        let alice = Author::new("alice");
        let log = alice.run(Position::EMPTY, 100, 50);
        let mut victim = Victim::following(&alice, 40).greet().claim(&alice, 100);
        let request = victim.asked().0;
        let id = victim.salter.log(&alice.log());
        let messages = [
            Message::Range(Range { request, from: 40, end: true, entries: log[40..].to_vec() }),
            Message::RangeRequest { request: 1, id, from: 0, to: 40 },
            Message::ForkRequest { request: 1, id, at: 39 },
            Message::Push(Push { number: 1, id, from: 40, counter: 1, entries: log[40..60].to_vec() }),
            Message::Compared { number: 1 },
        ];
        let mut frame = messages[which].clone().encode();
        assert_eq!(Message::decode(&frame).as_ref(), Ok(&messages[which]));
        let at = at % frame.len();
        frame[at] = to;
        victim.hear_frame(frame);
        if victim.closed.is_none() {
            victim.wait(100);
        }
    }
}
