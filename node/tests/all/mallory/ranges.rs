//! R-SIG-17: ranges of which only the last entry is signed. The chain has to prove what lies between, and nothing
//! is stored that no verified signature covers (`LOG-9`).

use super::persona::{Chain, Persona};
use super::{Line, Stage, Wares};
use crate::harness::{Over, texts};

/// Entries of each range.
const LENGTH: u64 = 10;

/// Mallory owns the key and signs the head of a log whose middle `forge` makes. What it lets alice keep is
/// signed by itself; afterwards she takes the log as it should be.
async fn check_middle(stage: &mut Stage, name: &str, rule: &str, kept: u64, forge: impl FnOnce(&mut Chain, &Persona)) {
    let before = stage.alice.refusals(rule).await;
    let mut persona = Persona::new(name);
    // Another device, for whoever wants to name it.
    persona.second_device();
    let mut chain = persona.chain();
    let texts = texts(name, usize::try_from(LENGTH).expect("short"));
    for text in &texts[..5] {
        chain.post(text);
    }
    let mut honest = chain.clone();
    forge(&mut chain, &persona);
    while chain.position().height < LENGTH {
        chain.forge("above", |_| {});
    }
    let last = chain.entries.len() - 1;
    for entry in &mut chain.entries[1..last] {
        entry.signature = None;
    }
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    let line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    stage.refused(rule, before + 1).await;
    stage.goes_on().await;
    let held = super::log_view(&stage.alice, chain.log()).await.map_or(0, |view| view.height);
    assert_eq!(held, kept, "{name}");
    drop((line, peer));
    for text in &texts[5..] {
        honest.post(text);
    }
    let mut peer = stage.peer().await;
    let _line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&honest)).await;
    stage.holds(honest.log(), LENGTH).await;
    assert_eq!(stage.shown(persona.did()).await, texts);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_17_a_range_whose_middle_changes_the_device_key_is_not_stored_under_its_signed_head() {
    let mut stage = Stage::new(Over::Tcp).await;
    check_middle(&mut stage, "another device", "LOG-7", 1, |chain, persona| {
        let device = persona.second().key().public().device_id();
        chain.forge("by the other device", |header| header.device = device);
    })
    .await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_17_a_range_whose_middle_skips_a_place_or_switches_the_log_is_refused_whole() {
    let mut stage = Stage::new(Over::Quic).await;
    check_middle(&mut stage, "skipped place", "SYN-10", 0, |chain, _| {
        chain.forge("two places further", |header| header.seq += 1);
    })
    .await;
    check_middle(&mut stage, "switched log", "SYN-10", 0, |chain, persona| {
        let log = persona.second().log();
        chain.forge("of the other log", |header| header.log = log);
    })
    .await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_17_a_range_whose_middle_was_swapped_after_its_head_was_signed_is_not_stored() {
    let mut stage = Stage::new(Over::Tcp).await;
    check_middle(&mut stage, "swapped middle", "LOG-4", 1, |chain, _| {
        let mut twin = chain.clone();
        chain.post("signed over");
        chain.post("above it");
        twin.post("put in its place");
        chain.entries[5] = twin.entries[5].clone();
    })
    .await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_17_a_range_without_its_head_is_kept_up_to_its_last_signature() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("headless");
    let mut chain = persona.chain();
    let texts = texts("headless", 6);
    for text in &texts {
        chain.post(text);
    }
    let mut cut = chain.clone();
    for entry in &mut cut.entries[1..] {
        entry.signature = None;
    }
    let (peer, line) = stage.served(&persona, &cut, 1).await;
    stage.refused("SYN-10", 1).await;
    stage.goes_on().await;
    stage.holds(chain.log(), 1).await;
    drop((line, peer));
    let mut peer = stage.peer().await;
    let _line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    stage.holds(chain.log(), 6).await;
    assert_eq!(stage.shown(persona.did()).await, texts);
}
