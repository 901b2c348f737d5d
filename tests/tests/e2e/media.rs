//! Media move through files: little memory whatever their size, and a disk that takes no more is told.

use std::fs;

use serde_json::Value;
use xom_tests::home::{DEADLINE, text};
use xom_tests::process::{forget_peak, peak_bytes};
use xom_tests::{Home, wait_until};

/// A medium near the largest that is taken, bytes.
const LARGE_BYTES: usize = 38 << 20;
/// How much more memory a node may take while it moves one, bytes.
const MEMORY_BYTES_MAX: u64 = 16 << 20;

/// An Ogg file as far as anybody looks, of so many bytes.
fn sound(bytes: usize) -> Vec<u8> {
    let mut sound = b"OggS".to_vec();
    let mut state = 1_u64;
    while sound.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        sound.extend_from_slice(&state.to_le_bytes());
    }
    sound.truncate(bytes);
    sound
}

fn attach(home: &Home, name: &str, bytes: &[u8]) -> std::process::Output {
    let file = home.scratch().join(name);
    fs::write(&file, bytes).expect("the scratch folder takes files");
    home.run(&["post", "listen", "--media", file.to_str().expect("a plain path"), "--json"])
}

fn grew(home: &Home, before: Option<u64>) -> u64 {
    match (before, peak_bytes(home.pid())) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => 0,
    }
}

#[test]
fn a_large_medium_moves_from_app_to_node_to_node_to_browser_in_little_memory() {
    let (alice, bob) = (Home::started("alice"), Home::started("bob"));
    bob.follow(&alice.invite());
    let bytes = sound(LARGE_BYTES);
    for home in [&alice, &bob] {
        forget_peak(home.pid());
    }
    let before = [&alice, &bob].map(|home| peak_bytes(home.pid()));
    let posted = attach(&alice, "large.ogg", &bytes);
    assert!(posted.status.success(), "{}", String::from_utf8_lossy(&posted.stderr));
    let held = || {
        let home = bob.get("/api/v1/timelines/home");
        let url = home[0]["media_attachments"][0]["url"].as_str()?.to_owned();
        ureq::get(&url).call().is_ok().then_some(url)
    };
    let url = wait_until("bob holds the medium", DEADLINE, held);
    assert_eq!(bob.get_bytes(&url).len(), bytes.len());
    assert!(bob.get_bytes(&url) == bytes, "other bytes came");
    let part = ureq::get(&url).header("Range", "bytes=20000000-20000003").call().expect("a part");
    assert_eq!(part.status(), 206);
    for (home, before) in [&alice, &bob].into_iter().zip(before) {
        let grew = grew(home, before);
        assert!(grew < MEMORY_BYTES_MAX, "{} MiB more memory for {} MiB", grew >> 20, LARGE_BYTES >> 20);
    }
}

#[test]
fn r_sto_3_a_medium_that_the_disk_does_not_take_leaves_nothing_and_the_node_goes_on() {
    let mut alice = Home::new("alice");
    alice.limit_files(Some(16 << 20));
    alice.start();
    let refused = attach(&alice, "large.ogg", &sound(LARGE_BYTES));
    assert!(!refused.status.success());
    assert!(!refused.stderr.is_empty());
    let incoming = || fs::read_dir(alice.data_dir().join("incoming")).expect("the folder is there").count();
    wait_until("nothing is left of it", DEADLINE, || (incoming() == 0).then_some(()));
    let posted = attach(&alice, "small.ogg", &sound(1_000));
    assert!(posted.status.success(), "{}", String::from_utf8_lossy(&posted.stderr));
    let status: Value = serde_json::from_slice(&posted.stdout).expect("JSON");
    assert_eq!(alice.get_bytes(&text(&status["media_attachments"][0]["url"])), sound(1_000));
    alice.stop();
    alice.limit_files(None);
    alice.start();
    assert!(attach(&alice, "large.ogg", &sound(LARGE_BYTES)).status.success(), "there is room again");
}
