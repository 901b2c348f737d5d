//! Entries that break the rules of logs: refused, with what stands before them kept.

use xom_protocol::entry::{Header, Kind};
use xom_protocol::keys::Domain;
use xom_protocol::{Digest, Network};

use super::persona::{Chain, Persona, now_ms, post};
use super::{Line, Stage, Wares, holds};
use crate::harness::{Over, Person, network, wait_until};

/// Where in a header of version 1 the sequence number begins.
const SEQ_AT: usize = 2 + 34 + 34 + 34;

/// Mallory writes two posts, then what `forge` makes, then a last one: of this the first two are kept.
async fn check_refused(stage: &mut Stage, rule: &str, forge: impl FnOnce(&mut Chain)) {
    let before = stage.alice.refusals(rule).await;
    let persona = Persona::new(&format!("{rule} {before}"));
    let mut chain = persona.chain();
    chain.post("one");
    chain.post("two");
    forge(&mut chain);
    chain.forge("last", |_| {});
    let (_peer, _line) = stage.served(&persona, &chain, 2).await;
    stage.refused(rule, before + 1).await;
    stage.goes_on().await;
    stage.holds(chain.log(), 2).await;
    assert_eq!(stage.shown(persona.did()).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_8_a_bad_signature_is_refused_and_what_stands_before_it_is_kept() {
    let mut stage = Stage::new(Over::Tcp).await;
    let flip = |chain: &mut Chain| {
        chain.post("three");
        chain.last().signature.as_mut().expect("signed").0[40] ^= 1;
    };
    check_refused(&mut stage, "ENC-12", flip).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_3_a_signature_over_another_kind_of_object_is_refused() {
    let mut stage = Stage::new(Over::Quic).await;
    let statement = |chain: &mut Chain| {
        chain.post("three");
        chain.sign_again(Domain::Statement, network());
    };
    check_refused(&mut stage, "ENC-12", statement).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_4_an_entry_of_another_network_is_refused() {
    let mut stage = Stage::new(Over::Tcp).await;
    let foreign = |chain: &mut Chain| {
        chain.post("three");
        chain.sign_again(Domain::Entry, Network::MAIN);
    };
    check_refused(&mut stage, "ENC-12", foreign).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_4_an_entry_of_another_version_is_refused() {
    let mut stage = Stage::new(Over::Quic).await;
    let newer = |header: &mut Header| {
        let mut bytes = header.encode();
        assert_eq!(bytes[1], 1, "the version");
        bytes[1] = 2;
        bytes
    };
    check_refused(&mut stage, "LOG-2", |chain| chain.forge_bytes("three", newer)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_chain_is_refused_and_what_stands_before_it_is_kept() {
    let mut stage = Stage::new(Over::Quic).await;
    check_refused(&mut stage, "LOG-4", |chain| {
        chain.forge("three", |header| header.prev = Some(Digest([9; 32])));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_dec_4_a_header_that_is_not_canonical_is_refused() {
    let mut stage = Stage::new(Over::Tcp).await;
    let wide_seq = |header: &mut Header| {
        let mut bytes = header.encode();
        assert_eq!(bytes[SEQ_AT], 2);
        bytes.splice(SEQ_AT..=SEQ_AT, [0x18, 2]);
        bytes
    };
    check_refused(&mut stage, "ENC-2", |chain| chain.forge_bytes("three", wide_seq)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_dec_7_r_dec_9_r_dec_12_headers_with_floats_trailing_bytes_or_wild_numbers_are_refused() {
    let mut stage = Stage::new(Over::Quic).await;
    let float_time = |header: &mut Header| {
        header.time_ms = 1 << 40;
        let mut bytes = header.encode();
        let at = bytes.iter().rposition(|byte| *byte == 0x1b).expect("the time");
        bytes[at] = 0xfb;
        bytes
    };
    check_refused(&mut stage, "ENC-4", |chain| chain.forge_bytes("three", float_time)).await;
    let trailing = |header: &mut Header| [header.encode(), vec![0]].concat();
    check_refused(&mut stage, "ENC-1", |chain| chain.forge_bytes("three", trailing)).await;
    check_refused(&mut stage, "LOG-4", |chain| chain.forge("three", |header| header.time_ms = u64::MAX)).await;
    check_refused(&mut stage, "LOG-8", |chain| chain.forge("three", |header| header.kind = Kind::Checkpoint)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_in_mid_log_is_opaque_and_the_rest_goes_on() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("malformed");
    let mut chain = persona.chain();
    chain.post("one");
    chain.write_raw(Kind::Post, &[0xff], now_ms());
    chain.write_raw(Kind::Post, b"", now_ms());
    chain.write_raw(Kind::Post, &post(&"x".repeat(5_001)).encode(), now_ms());
    chain.write_raw(Kind::Profile, &post("a post is no profile").encode(), now_ms());
    chain.write_raw(Kind::Follow, &[0xa0], now_ms());
    // R-DEC-1: a bomb in a body costs nobody anything.
    chain.write_raw(Kind::Post, &vec![0x81; 200_000], now_ms());
    chain.post("last");
    let (_peer, _line) = stage.served(&persona, &chain, 8).await;
    stage.goes_on().await;
    assert_eq!(stage.shown(persona.did()).await, ["one", "last"]);
    stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_dec_13_a_body_of_an_unknown_kind_is_stored_and_synced_on_like_any_other() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("chess");
    let mut chain = persona.chain();
    chain.post("one");
    chain.app("example.chess-move", b"e2e4, not even CBOR");
    chain.post("two");
    let (peer, line) = stage.served(&persona, &chain, 3).await;
    drop((line, peer));
    let carol = Person::with_bootstrap("carol", Over::Quic, vec![stage.alice.listen()]).await;
    carol.follow(persona.did().to_string()).await;
    holds(&carol, chain.log(), 3).await;
    let mut reader = super::Peer::dial(&carol).await;
    let mut line = Line::open(&mut reader, Wares::default().wish(chain.log())).await;
    let entries = line.fetch(chain.log(), 3).await;
    assert_eq!(entries[1].header, chain.entries[1].header);
    assert_eq!(entries[1].body, chain.entries[1].body);
    stage.goes_on().await;
    stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_9_a_body_that_is_not_the_one_committed_to_is_dropped_and_the_header_stands() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("swapped");
    let mut chain = persona.chain();
    chain.post("one");
    chain.post("two");
    chain.last().body.as_mut().expect("has one").bytes = post("not what was signed").encode();
    chain.post("three");
    let (_peer, _line) = stage.served(&persona, &chain, 3).await;
    stage.refused("LOG-6", 1).await;
    stage.goes_on().await;
    assert_eq!(stage.shown(persona.did()).await, ["one", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_every_size_class_and_a_header_above_its_limit_are_refused() {
    let mut stage = Stage::new(Over::Quic).await;
    let too_long = |chain: &mut Chain| {
        chain.post("two");
        chain.last().body.as_mut().expect("has one").bytes = vec![0; (1 << 18) + 1];
    };
    let too_long_header = |chain: &mut Chain| {
        chain.forge_bytes("two", |header| [header.encode(), vec![0; 512]].concat());
    };
    let forgeries: [&dyn Fn(&mut Chain); 2] = [&too_long, &too_long_header];
    for (count, forge) in (1..).zip(forgeries) {
        let persona = Persona::new(&format!("oversized {count}"));
        let mut chain = persona.chain();
        chain.post("one");
        forge(&mut chain);
        stage.follow(&persona).await;
        let mut peer = stage.peer().await;
        let line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
        stage.refused("SYN-10", count).await;
        line.closed_by("SYN-10").await;
        stage.goes_on().await;
        assert_eq!(stage.shown(persona.did()).await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_1_r_syn_4_a_head_without_entries_and_entries_out_of_order_are_refused() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("boaster");
    let mut chain = persona.chain();
    chain.post("one");
    chain.post("two");
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let boast = xom_protocol::log::Position { height: 1 << 40, head: Some(Digest([1; 32])) };
    let wares = Wares::default().identity(&persona).log(chain.log(), boast, Vec::new());
    let _line = Line::open(&mut peer, wares).await;
    stage.refused("SYN-10", 1).await;
    let mut peer = stage.peer().await;
    let swapped = chain.entries.iter().rev().cloned().collect();
    let wares = Wares::default().identity(&persona).log(chain.log(), chain.position(), swapped);
    let line = Line::open(&mut peer, wares).await;
    line.closed_by("SYN-10").await;
    stage.refused("SYN-10", 2).await;
    // An honest peer that has the log is believed all the same.
    let mut peer = stage.peer().await;
    let _line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    wait_until("the log comes", async || (stage.shown(persona.did()).await == ["one", "two"]).then_some(())).await;
    stage.goes_on().await;
}
