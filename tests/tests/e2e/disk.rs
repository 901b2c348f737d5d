//! A disk that is full: what was not stored was not told, and whatever was begun goes on once there is room.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use xom_tests::archive::{Form, GeneratedArchive, Shape};
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::{Home, wait_until};

/// Most posts until a small file is full.
const POSTS_MAX: usize = 4_000;
/// How far a file may grow in the test, bytes.
const ROOM_BYTES: u64 = 32 << 10;

/// The size of the largest file below a folder.
fn largest(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| if path.is_dir() { largest(&path) } else { path.metadata().map_or(0, |it| it.len()) })
        .max()
        .unwrap_or(0)
}

/// Every own post, by paging through the profile, oldest first.
fn own_posts(home: &Home) -> Vec<String> {
    let account = text(&home.get("/api/v1/accounts/verify_credentials")["id"]);
    let (mut posts, mut below) = (Vec::new(), String::new());
    loop {
        let page = home.get(&format!("/api/v1/accounts/{account}/statuses?limit=40{below}"));
        let page = page.as_array().expect("a list").clone();
        let Some(last) = page.last() else { break };
        below = format!("&max_id={}", text(&last["id"]));
        posts.extend(page.iter().map(|status| plain(&text(&status["content"]))));
    }
    posts.reverse();
    posts
}

#[test]
fn r_frk_4_what_a_full_disk_did_not_store_was_told_to_nobody_and_no_place_is_signed_twice_after_a_crash() {
    let (mut alice, bob) = (Home::started("alice"), Home::started("bob"));
    let did = alice.did();
    bob.follow(&alice.invite());
    alice.publish("before");
    wait_until("bob reads", DEADLINE, || bob.timeline().contains(&"before".to_owned()).then_some(()));
    let mut stored = vec!["before".to_owned()];
    for round in 0..3 {
        alice.stop();
        alice.limit_files(Some(largest(&alice.data_dir()) + ROOM_BYTES));
        alice.start();
        let mut failed = 0;
        for number in 0..POSTS_MAX {
            let post = format!("round {round} number {number} {}", "x".repeat(4_000));
            match alice.post("/api/v1/statuses", &json!({ "status": post })) {
                (200, _) => stored.push(post),
                (500.., _) => failed += 1,
                other => panic!("{other:?}"),
            }
            // Signed, and not stored; some more of them, at the same place.
            if failed == 5 {
                break;
            }
        }
        assert_eq!(failed, 5, "the disk was never full");
        alice.kill_at_once();
        // Whatever bob holds by now alice has stored, and she goes on after it.
        let told = bob.heads(&did);
        alice.limit_files(None);
        alice.start();
        let post = format!("there is room, {round}");
        alice.publish(&post);
        stored.push(post);
        let heads = alice.heads(&did);
        assert!(told[0]["height"].as_u64() < heads[0]["height"].as_u64(), "{told:?} and {heads:?}");
        wait_until("the same at bob", DEADLINE, || (bob.heads(&did) == heads).then_some(()));
        let disputed = |log: &Value| log["disputed"] == true;
        assert!(heads.len() == 1 && !heads.iter().any(disputed) && !bob.heads(&did).iter().any(disputed), "{heads:?}");
    }
    assert!(own_posts(&alice) == stored, "exactly what was acknowledged, each once");
}

#[test]
fn r_sto_3_an_import_onto_a_full_disk_ends_and_goes_on_later_with_the_picture_of_every_post() {
    let alice = Home::started("alice");
    let archive = GeneratedArchive::generate(11, 60);
    let bytes = |post: &xom_tests::archive::ExpectedPost| post.media.iter().map(|(_, bytes)| bytes.len() as u64).max();
    let largest = archive.posts.iter().filter_map(bytes).max().expect("some have media");
    let path = archive.write(alice.scratch(), Form::Folder, Shape::OneContext).display().to_string();
    let import = ["import", "mastodon", &path];
    let refused = alice.run_on_a_full_disk(&import, (largest - 1) / 512 * 512);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("no file can be written beside the node's data"), "{said}");
    let before = own_posts(&alice).len();
    assert!(before < archive.posts.len());
    let summary = alice.xom(&import);
    let count = |name: &str| summary[name].as_array().map(Vec::len);
    assert_eq!(summary["known"], json!(before), "{summary}");
    // What the archive itself lacks, and nothing more.
    assert_eq!((count("not_taken"), count("partial")), (Some(archive.not_taken), Some(archive.partial)), "{summary}");
    let account = text(&alice.get("/api/v1/accounts/verify_credentials")["id"]);
    let (mut media, mut below) = (0, String::new());
    loop {
        let page = alice.get(&format!("/api/v1/accounts/{account}/statuses?limit=40{below}"));
        let page = page.as_array().expect("a list").clone();
        let Some(last) = page.last() else { break };
        below = format!("&max_id={}", text(&last["id"]));
        media += page.iter().map(|status| status["media_attachments"].as_array().map_or(0, Vec::len)).sum::<usize>();
    }
    assert_eq!(media, archive.posts.iter().map(|post| post.media.len()).sum::<usize>(), "no picture is lost");
}
