//! Mallory breaks the conversation: refused, counted, hung up on.

use xom_protocol::limits::{FRAME_BYTES_MAX, OFFER_IDS_MAX};
use xom_protocol::log::Position;
use xom_protocol::sync::message::{Heads, Hello, LogHead, Message, Offer, Push, Range};
use xom_protocol::{Digest, LogId};

use super::line::Line;
use super::peer::{SYNC, frame};
use super::persona::Persona;
use super::{Stage, Wares, log_view};
use crate::harness::{Over, network};

fn hello() -> Hello {
    Hello { version: 1, network: network().to_string(), nonce: [9; 32], epoch: 7, resume: None }
}

/// Mallory greets and says one thing.
async fn check_message(stage: &mut Stage, message: Message, rule: &str) {
    let before = stage.alice.refusals(rule).await;
    let mut peer = stage.peer().await;
    let line = Line::open(&mut peer, Wares::default()).await;
    line.say(message).await;
    line.closed_by(rule).await;
    stage.refused(rule, before + 1).await;
    stage.goes_on().await;
}

/// Mallory says these bytes and nothing else.
async fn check_bytes(stage: &mut Stage, bytes: &[u8], rule: &str) {
    let before = stage.alice.refusals(rule).await;
    let mut peer = stage.peer().await;
    let _stream = peer.say(SYNC, bytes).await;
    stage.refused(rule, before + 1).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_6_a_log_that_was_not_asked_for_is_refused() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("unasked");
    let mut chain = persona.chain();
    chain.post("advertisement");
    let (entries, id) = (chain.entries.clone(), [5; 16]);
    let push = Push { number: 1, id, from: 0, counter: 1, entries: entries.clone() };
    check_message(&mut stage, Message::Push(push), "SYN-11").await;
    let range = Range { request: 1, from: 0, end: true, entries };
    check_message(&mut stage, Message::Range(range), "SYN-10").await;
    let objects = Message::IdentityObjects { request: 1, end: true, objects: persona.objects() };
    check_message(&mut stage, objects, "SYN-8").await;
    let head = LogHead { id, position: Position { height: 1, head: Some(Digest([1; 32])) }, wanted: true };
    let heads = Heads { counter: 1, logs: vec![head], identities: Vec::new() };
    check_message(&mut stage, Message::Heads(heads), "SYN-7").await;
    assert_eq!(log_view(&stage.alice, chain.log()).await, None);
    assert_eq!(stage.shown(persona.did()).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_6_a_log_that_is_offered_unasked_is_not_even_spoken_of() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("unasked");
    let mut chain = persona.chain();
    chain.post("advertisement");
    let mut peer = stage.peer().await;
    let line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    let compared = |message: &Message| matches!(message, Message::Compared { number: 1 }).then_some(());
    line.heard("alice has compared", compared).await;
    stage.goes_on().await;
    assert_eq!(log_view(&stage.alice, chain.log()).await, None);
    stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_2_a_log_that_is_not_in_common_is_not_served() {
    let mut stage = Stage::new(Over::Tcp).await;
    for id in [LogId([3; 32]), stage.alice.node().read(|reader| reader.logs()).await.expect("reads")[0].log] {
        // The second one alice has, but mallory has not offered it.
        let mut peer = stage.peer().await;
        let line = Line::open(&mut peer, Wares::default()).await;
        let before = stage.alice.refusals("SYN-9").await;
        line.say(Message::RangeRequest { request: 1, id: line.salter.log(&id), from: 0, to: 1 }).await;
        line.closed_by("SYN-9").await;
        stage.refused("SYN-9", before + 1).await;
    }
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_frontier_ends() {
    let mut stage = Stage::new(Over::Tcp).await;
    let mut peer = stage.peer().await;
    let line = Line::greet(&mut peer, Wares::default()).await;
    let offer = |part: u64| {
        let ids = (0..OFFER_IDS_MAX as u64).map(|id| u128::from(part * OFFER_IDS_MAX as u64 + id).to_be_bytes());
        Message::Offer(Offer { number: 1, more: true, counter: 1, ids: ids.collect() })
    };
    for part in 0..=128 {
        line.say(offer(part)).await;
    }
    line.closed_by("SYN-5").await;
    stage.refused("SYN-5", 1).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_network_and_a_version_below_one_are_refused() {
    let mut stage = Stage::new(Over::Quic).await;
    let foreign = Message::Hello(Hello { network: "other".to_owned(), ..hello() });
    check_bytes(&mut stage, &frame(&foreign.encode()), "SYN-3").await;
    // R-SYN-10
    let downgraded = Message::Hello(Hello { version: 0, ..hello() });
    check_bytes(&mut stage, &frame(&downgraded.encode()), "SYN-2").await;
    let mut peer = stage.peer().await;
    let older = libp2p::StreamProtocol::new("/xom/sync/0");
    assert!(peer.try_open(older).await.is_none(), "an older protocol is spoken");
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_dec_11_frames_of_no_bytes_or_too_many_are_refused() {
    let mut stage = Stage::new(Over::Tcp).await;
    let above = u32::try_from(FRAME_BYTES_MAX + 1).expect("small");
    for length in [0, above, 1 << 31, u32::MAX] {
        check_bytes(&mut stage, &length.to_be_bytes(), "SYN-1").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_dec_1_to_r_dec_5_bombs_and_garbage_are_refused_by_their_rules() {
    let mut stage = Stage::new(Over::Quic).await;
    let mut many = vec![0x9a, 0, 0x0f, 0x42, 0x3f];
    many.resize(1_000_000, 0x80);
    let cases: [(&[u8], &str); 9] = [
        // A depth bomb.
        (&[0x81; 1_000_000], "ENC-5"),
        // R-DEC-3
        (&many, "ENC-5"),
        // R-DEC-2: 2^63 bytes announced.
        (&[0x5b, 0x80, 0, 0, 0, 0, 0, 0, 0], "ENC-1"),
        (&[0x9f, 0x00, 0xff], "ENC-2"),
        (&[0xa2, 0x61, b'b', 0, 0x61, b'a', 0], "ENC-3"),
        // A hello with something after it.
        (&[0x80, 0x00], "ENC-1"),
        (&[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], "ENC-4"),
        (b"GET / HTTP/1.1\r\n\r\n", "ENC-1"),
        (&[0x82, 0x18, 0x63, 0xf6], "SYN-1"),
    ];
    for (body, rule) in cases {
        check_bytes(&mut stage, &frame(body), rule).await;
    }
}
