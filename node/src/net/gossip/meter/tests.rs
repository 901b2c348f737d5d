//! How much of what a peer says is looked at.

use super::*;

#[test]
fn gsp_6_of_a_peer_that_says_too_much_most_is_dropped_and_then_it_is_let_go() {
    // GSP-6
    let (mut meter, mallory, honest) = (Meter::default(), PeerId::random(), PeerId::random());
    let looked_at = (0..2_000).filter(|_| meter.message(mallory, 0)).count();
    assert_eq!(looked_at as u64, GOSSIP_MESSAGES_MAX);
    let refused = meter.take_refused().remove(&mallory).expect("counted");
    assert_eq!(refused.rules[&Rule("GSP-6")], 2_000 - GOSSIP_MESSAGES_MAX);
    assert!(!refused.let_go, "that may be a mistake");
    (0..1_000).for_each(|_| assert!(!meter.message(mallory, 0)));
    assert!(meter.take_refused().remove(&mallory).expect("counted").let_go);
    assert!(meter.message(honest, 0), "others are not concerned");
}

#[test]
fn r_gos_3_a_storm_of_frames_is_looked_at_in_part() {
    // R-GOS-3
    let (mut meter, mallory) = (Meter::default(), PeerId::random());
    let looked_at = (0..100_000).filter(|number| meter.frame(mallory, number / 100)).count() as u64;
    assert_eq!(looked_at, GOSSIP_FRAMES_MAX + 999 / GOSSIP_FRAME_EACH_MS);
    assert!(meter.take_refused().remove(&mallory).expect("counted").let_go);
}

#[test]
fn r_gos_2_ten_thousand_fresh_peers_are_remembered_in_part() {
    // R-GOS-2
    let mut meter = Meter::default();
    for _ in 0..10_000 {
        meter.message(PeerId::random(), 0);
    }
    assert!(meter.peers.len() <= PEERS_MAX);
}

#[test]
fn gsp_6_who_comes_back_has_no_new_share() {
    let (mut meter, mallory) = (Meter::default(), PeerId::random());
    (0..300).for_each(|_| {
        meter.message(mallory, 0);
    });
    while meter.peers.len() < PEERS_MAX {
        meter.message(PeerId::random(), 1_000);
    }
    // All others have their whole share again; of the first one too much is still missing.
    meter.message(PeerId::random(), 2_000);
    assert!((0..20).filter(|_| meter.message(mallory, 2_000)).count() <= 16);
}
