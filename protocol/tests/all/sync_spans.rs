//! Comparison by spans: both sides end equal whatever happens meanwhile, and mallory gains nothing.

use std::collections::BTreeSet;

use xom_protocol::log::Position;
use xom_protocol::sync::message::{Hello, Message, SpanList, SpanPrint, Spans};
use xom_protocol::sync::{CloseReason, Salter, Span};

use crate::sync_home::{Author, Home};
use crate::sync_victim::{BOBS_NONCE, Victim, hello, offer};
use crate::sync_world::{Dice, World};

/// A nonce below that of bob, so that mallory begins.
const LOW_NONCE: [u8; 32] = [0; 32];
const ALL: Span = Span { from: 0, to: 0 };

/// Enough for spans: an identity and a log each.
fn many() -> Vec<Author> {
    (0..520).map(|n| Author::new(&format!("friend {n}"))).collect()
}

fn home(authors: &[Author], heights: impl Fn(usize) -> u64) -> Home {
    let mut home = Home::new(5);
    for (n, author) in authors.iter().enumerate() {
        home.hold(author, &author.run(Position::EMPTY, heights(n), 50));
    }
    home
}

/// Bob, who follows many and has met a mallory of version 2.
fn victim(authors: &[Author], nonce: [u8; 32]) -> Victim {
    let mut victim = Victim::fresh(home(authors, |_| 1), Vec::new());
    victim.salter = Salter::new(BOBS_NONCE, nonce);
    victim.hear(Message::Hello(Hello { version: 2, nonce, ..hello() }));
    victim.hear(Message::Proof(Vec::new()));
    victim
}

fn spans(number: u64, prints: Vec<SpanPrint>, lists: Vec<SpanList>) -> Message {
    Message::Spans(Spans { number, more: false, prints, lists })
}

fn wrong_print(span: Span) -> SpanPrint {
    SpanPrint { span, print: [9; 16] }
}

fn spans_sent(victim: &Victim) -> Vec<&Spans> {
    let sent = victim.heard.iter().filter_map(|message| match message {
        Message::Spans(spans) => Some(spans),
        _ => None,
    });
    sent.collect()
}

fn offered(victim: &Victim) -> Vec<[u8; 16]> {
    let offers = victim.heard.iter().filter_map(|message| match message {
        Message::Offer(offer) => Some(offer.ids.clone()),
        _ => None,
    });
    offers.flatten().collect()
}

#[test]
fn syn_26_both_sides_end_equal_and_offer_only_what_differs() {
    let authors = many();
    let mut world = World::new(7, 2);
    world.homes[0] = home(&authors, |n| 1 + u64::from(n % 50 == 0));
    world.homes[1] = home(&authors, |n| 1 + u64::from(n % 40 == 0) * 2);
    world.connect(0, 1);
    world.run(60_000);
    world.assert_peaceful();
    world.assert_equal(0, 1);
    assert!(world.ends.values().all(|end| end.in_sync));
    let decoded = world.sent.iter().filter_map(|(_, frame)| Message::decode(frame).ok());
    let (mut spans, mut ids) = (0, 0);
    for message in decoded {
        match message {
            Message::Spans(_) => spans += 1,
            Message::Offer(offer) => ids += offer.ids.len(),
            _ => {}
        }
    }
    assert!(spans > 1 && ids > 0 && ids <= 24, "{spans} messages, {ids} ids");
}

#[test]
fn syn_26_what_changes_while_spans_are_compared_is_not_lost() {
    let authors = many();
    for seed in 0..2 {
        let mut world = World::new(seed, 2);
        world.homes[0] = home(&authors, |n| 1 + u64::from(n % 90 == 0));
        world.homes[1] = home(&authors, |n| 1 + u64::from(n % 70 == 0));
        world.delay_ms = 300;
        let mut dice = Dice(seed);
        world.connect(0, 1);
        for round in 0..30 {
            // Each author writes at one place only, as a device does.
            let n = dice.roll(40) * 2 + round % 2;
            world.run(dice.roll(120));
            let author = &authors[usize::try_from(n + 5).expect("small")];
            if !(n + 5).is_multiple_of(90) && !(n + 5).is_multiple_of(70) {
                world.publish(usize::try_from(round % 2).expect("0 or 1"), author, 1, 20);
            }
        }
        world.run(60_000);
        world.assert_peaceful();
        world.assert_equal(0, 1);
        assert!(world.ends.values().all(|end| end.in_sync), "seed {seed}");
    }
}

#[test]
fn syn_24_the_own_logs_are_offered_whether_they_differ_or_not() {
    let authors = many();
    let mut world = World::new(3, 2);
    for (node, author) in authors.iter().take(2).enumerate() {
        world.homes[node] = home(&authors, |_| 1);
        world.prove(node, author);
    }
    world.connect(0, 1);
    world.run(30_000);
    world.assert_peaceful();
    // Each author's device hears so how far the other side holds its log, as by a full comparison.
    for (node, author) in authors.iter().take(2).enumerate() {
        assert!(world.homes[node].copies.contains(&(author.log(), 1)), "node {node}");
    }
}

#[test]
fn r_prv_2_a_stranger_learns_no_follow_list_from_spans() {
    let authors = many();
    for nonce in [LOW_NONCE, [2; 32]] {
        let mut victim = victim(&authors, nonce);
        // Mallory asks for everything, level by level, and guesses one log.
        let guessed = victim.salter.log(&authors[7].log());
        let mark = |stand: u64| {
            let id = u64::from_be_bytes(guessed[..8].try_into().expect("8 bytes"));
            (u128::from(id) << 64) | u128::from(stand)
        };
        let mut prints = vec![wrong_print(ALL)];
        let mut listed = 0;
        for number in 1..=8 {
            let lists = if number == 1 { vec![SpanList { span: ALL, marks: vec![mark(1)] }] } else { Vec::new() };
            let before = spans_sent(&victim).len();
            victim.hear(spans(number, std::mem::take(&mut prints), lists));
            let sent = spans_sent(&victim);
            for spans in &sent[before..] {
                listed += spans.lists.iter().map(|list| list.marks.len()).sum::<usize>();
                prints.extend(spans.prints.iter().map(|print| wrong_print(print.span)));
            }
            if prints.is_empty() && (nonce == LOW_NONCE || !offered(&victim).is_empty()) {
                break;
            }
        }
        victim.hear(offer(1, Vec::new()));
        victim.hear(Message::Compared { number: 1 });
        assert!(victim.closed.is_none(), "{:?}", victim.refused);
        assert!(nonce != LOW_NONCE || listed > 900, "{listed} marks, which say nothing to who knows no ids");
        assert_eq!(offered(&victim), vec![guessed], "of what was guessed alone");
        let said: BTreeSet<&[u8]> = victim.frames.iter().flat_map(|frame| frame.windows(8)).collect();
        for author in authors.iter().filter(|author| author.did != authors[7].did) {
            let head = victim.home.logs[&author.log()].position().head.expect("an entry");
            let device = author.key.public().device_id();
            for secret in [&author.did.0[..8], &author.log().0[..8], &device.0[..8], &head.0[..8]] {
                assert!(!said.contains(secret));
            }
        }
    }
}

#[test]
fn syn_27_spans_that_never_end_are_refused() {
    let mut victim = victim(&many(), LOW_NONCE);
    for number in 1..=512 {
        victim.hear(spans(number, vec![wrong_print(Span { from: 1, to: 2 })], Vec::new()));
        assert!(victim.closed.is_none(), "message {number}: {:?}", victim.refused);
    }
    victim.hear(spans(513, Vec::new(), Vec::new()));
    victim.assert_closed_by("SYN-27");
}

#[test]
fn syn_27_r_syn_2_spans_that_are_split_without_end_fill_no_memory() {
    let mut victim = victim(&many(), LOW_NONCE);
    // Every message has the whole set split anew; what waits is more each time.
    for number in 1..=512 {
        victim.hear(spans(number, vec![wrong_print(ALL)], Vec::new()));
        let last = spans_sent(&victim).last().map_or(0, |spans| spans.prints.len() + spans.lists.len());
        assert!(last <= 2 * 2_048);
        if victim.closed.is_some() {
            break;
        }
    }
    let bytes: usize = victim.frames.iter().map(Vec::len).sum();
    assert!(bytes < 1 << 20, "{bytes} bytes for what cost 512 messages");
}

#[test]
fn syn_27_more_marks_than_a_set_has_are_refused() {
    let mut victim = victim(&many(), LOW_NONCE);
    let list = |n: u64| {
        let (from, to) = (n << 40, (n + 1) << 40);
        let marks = (0..32).map(|mark| (u128::from(from) << 64) | mark).collect();
        SpanList { span: Span { from, to }, marks }
    };
    let lists: Vec<SpanList> = (0..512).map(list).collect();
    for number in 1..=64 {
        victim.hear(spans(number, Vec::new(), lists.clone()));
    }
    assert!(victim.closed.is_none(), "2^20 marks are taken: {:?}", victim.refused);
    victim.hear(spans(65, Vec::new(), lists[..1].to_vec()));
    victim.assert_closed_by("SYN-27");
}

#[test]
fn syn_26_spans_out_of_turn_are_refused() {
    let authors = many();
    let mut twice = victim(&authors, LOW_NONCE);
    twice.hear(spans(1, Vec::new(), Vec::new()));
    twice.hear(spans(1, Vec::new(), Vec::new()));
    twice.assert_closed_by("SYN-26");
    // Bob began, and mallory answers: then bob is done, and a second answer comes unasked.
    let mut answered = victim(&authors, [2; 32]);
    assert_eq!(spans_sent(&answered).len(), 1);
    answered.hear(spans(1, Vec::new(), Vec::new()));
    answered.hear(spans(2, Vec::new(), Vec::new()));
    answered.assert_closed_by("SYN-24");
}

#[test]
fn syn_24_spans_after_an_offer_or_of_version_1_are_refused() {
    let authors = many();
    let mut late = victim(&authors, LOW_NONCE);
    late.hear(offer(1, Vec::new()));
    late.hear(spans(1, Vec::new(), Vec::new()));
    late.assert_closed_by("SYN-24");
    let mut old = Victim::fresh(home(&authors, |_| 1), Vec::new()).greet();
    assert!(spans_sent(&old).is_empty() && offered(&old).len() == 2 * authors.len(), "version 1 is told everything");
    old.hear(spans(1, Vec::new(), Vec::new()));
    old.assert_closed_by("SYN-1");
}

#[test]
fn syn_24_who_waits_for_spans_offers_nothing_again_that_was_offered_in_full() {
    let authors = many();
    let mut victim = victim(&authors, LOW_NONCE);
    assert!(offered(&victim).is_empty() && spans_sent(&victim).is_empty(), "bob waits for the first offer");
    let common = victim.salter.log(&authors[3].log());
    victim.hear(offer(1, vec![common, [9; 16]]));
    assert!(offered(&victim).is_empty());
    let heads = victim.heard.iter().filter(|message| matches!(message, Message::Heads(_))).count();
    let offers = victim.heard.iter().filter(|message| matches!(message, Message::Offer(_))).count();
    assert_eq!((heads, offers), (1, 1));
}

#[test]
fn syn_14_who_waits_for_spans_waits_a_minute() {
    let mut victim = victim(&many(), LOW_NONCE);
    victim.hear(spans(1, Vec::new(), Vec::new()));
    for _ in 0..61 {
        victim.hear(Message::Ping);
        victim.wait(1);
    }
    assert_eq!(victim.closed, Some(CloseReason::HandshakeTimeout));
}
