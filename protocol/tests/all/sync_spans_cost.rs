//! What comparing costs: bytes, messages and time of a full comparison, of one by spans, and of a delta.
//!
//! `XOM_LONG=1 cargo test -p xom-protocol --test all spans_cost -- --nocapture` prints the whole table.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use xom_protocol::limits::SPAN_PRINTS_MAX;
use xom_protocol::log::Position;
use xom_protocol::sync::message::Message;
use xom_protocol::sync::{Frontier, IdentitySummary, Input, LogSummary, Output, Resume, Session, SessionConfig};
use xom_protocol::{Did, Digest, LogId, Network};

/// What one comparison took.
struct Cost {
    bytes: usize,
    /// How often the line was crossed until both sides were done.
    turns: usize,
    took: Duration,
    /// Salted ids that were offered.
    offered: usize,
}

/// Identities with a log each; every `every`th log is longer here than elsewhere.
fn frontier(logs: u64, every: Option<u64>) -> Frontier {
    let hash = |name: &[u8], n: u64| Digest::of(&[name, &n.to_be_bytes()]).0;
    let identities = (0..logs).map(|n| IdentitySummary {
        did: Did(hash(b"did", n)),
        digest: Some(Digest(hash(b"objects", n))),
        counter: n,
    });
    let log = |n: u64| {
        let height = 10 + u64::from(every.is_some_and(|every| n.is_multiple_of(every)));
        let position = Position { height, head: Some(Digest(hash(b"head", n * 100 + height))) };
        // Served and not wanted: so nothing but the comparison is said.
        LogSummary { did: Did(hash(b"did", n)), log: LogId(hash(b"log", n)), position, counter: n, wanted: false }
    };
    Frontier { identities: identities.collect(), logs: (0..logs).map(log).collect(), counter: logs, resume: None }
}

/// The same of somebody who has met the other before, and heard of nothing since but of what is longer here.
fn met_before(mut frontier: Frontier, other: u64) -> Frontier {
    let their_counter = frontier.counter;
    for log in frontier.logs.iter_mut().filter(|log| log.position.height > 10) {
        log.counter += their_counter + 1;
    }
    frontier.counter = 2 * their_counter + 1;
    frontier.resume = Some(Resume { their_epoch: other, their_counter });
    frontier
}

fn session(nonce: u8, version: u64) -> (Session, u64) {
    let config = SessionConfig {
        network: Network::MAIN,
        nonce: [nonce; 32],
        epoch: nonce.into(),
        our_peer_id: vec![nonce],
        their_peer_id: vec![3 - nonce],
        devices: Vec::new(),
    };
    (Session::new(config), version)
}

/// Lets two sides compare, and says what it cost. Version 1 knows no spans.
fn compare(ours: Frontier, theirs: Frontier, version: u64) -> Cost {
    let began = Instant::now();
    let mut sides = [session(1, version), session(2, version)];
    let mut lines: [VecDeque<Vec<u8>>; 2] = [VecDeque::new(), VecDeque::new()];
    let mut cost = Cost { bytes: 0, turns: 0, took: Duration::ZERO, offered: 0 };
    let mut in_sync = [false; 2];
    let mut inputs = [vec![Input::Opened(ours)], vec![Input::Opened(theirs)]];
    while inputs.iter().any(|inputs| !inputs.is_empty()) {
        for side in 0..2 {
            for input in std::mem::take(&mut inputs[side]) {
                for output in sides[side].0.step(input, 0) {
                    match output {
                        Output::Send(frame) => lines[1 - side].push_back(frame),
                        Output::InSync => in_sync[side] = true,
                        Output::Refused { rule, detail } => panic!("{rule}: {detail}"),
                        Output::Close(reason) => panic!("{reason}"),
                        Output::LoadReceipts | Output::Progress { .. } | Output::SaveResume(_) => {}
                        Output::OwnHeadsKnown | Output::PeerHolds { .. } => {}
                        other => panic!("not asked for: {other:?}"),
                    }
                }
            }
        }
        cost.turns += 1;
        for side in 0..2 {
            for frame in lines[side].drain(..) {
                cost.bytes += frame.len() + 4;
                inputs[side].push(Input::Received(meddle(frame, version, &mut cost.offered)));
            }
        }
    }
    assert_eq!(in_sync, [true, true]);
    cost.took = began.elapsed();
    cost
}

/// Says hello by another version; counts offered ids.
fn meddle(frame: Vec<u8>, version: u64, offered: &mut usize) -> Vec<u8> {
    match Message::decode(&frame) {
        Ok(Message::Hello(mut hello)) => {
            hello.version = version;
            Message::Hello(hello).encode()
        }
        Ok(Message::Offer(offer)) => {
            *offered += offer.ids.len();
            frame
        }
        _ => frame,
    }
}

#[test]
fn syn_24_spans_cost_less_than_a_full_comparison_from_the_size_on_at_which_they_are_used() {
    let is_long = std::env::var_os("XOM_LONG").is_some();
    let sizes: &[u64] = if is_long { &[100, 500, 1_000, 10_000, 100_000] } else { &[100, 500, 1_000] };
    eprintln!("logs, differing: bytes, crossings, time in full; by spans; as a delta");
    for &logs in sizes {
        for (percent, every) in [(0, None), (1, Some(100)), (10, Some(10))] {
            let full = compare(frontier(logs, None), frontier(logs, every), 1);
            let spans = compare(frontier(logs, None), frontier(logs, every), 2);
            let delta = compare(met_before(frontier(logs, None), 2), met_before(frontier(logs, every), 1), 2);
            let line = |cost: &Cost| format!("{} B, {}, {:?}", cost.bytes, cost.turns, cost.took);
            eprintln!("{logs}, {percent} %: {}; {}; {}", line(&full), line(&spans), line(&delta));
            assert!(delta.bytes < full.bytes && delta.turns <= full.turns + 3, "{} B, {}", delta.bytes, delta.turns);
            // Logs and identities: from 500 logs on there are 1,000 items.
            let differing = every.map_or(0, |every| usize::try_from(logs.div_ceil(every)).expect("fits"));
            if logs >= 500 {
                assert!(spans.offered >= differing && spans.offered <= 2 * differing, "{} offered", spans.offered);
                assert!(spans.bytes * 2 < full.bytes, "{logs} logs, {percent} %: {} B", spans.bytes);
                assert!(delta.offered <= 2 * differing, "{} offered as a delta", delta.offered);
                // Of very many more is said than one message takes, by both sides in turn.
                let more = usize::try_from(2 * logs / SPAN_PRINTS_MAX as u64).expect("fits");
                assert!(spans.turns <= full.turns + 14 + more, "{} crossings", spans.turns);
            } else {
                assert_eq!((spans.bytes, spans.turns), (full.bytes, full.turns), "few are compared in full");
            }
        }
    }
}

#[test]
fn syn_24_one_side_with_many_tells_one_with_few_hardly_anything() {
    let few = || frontier(5, None);
    for (ours, theirs) in [(few(), frontier(1_500, None)), (frontier(1_500, None), few())] {
        let cost = compare(ours, theirs, 2);
        assert!(cost.bytes < 4_000, "{} bytes", cost.bytes);
    }
}
