//! The main job: post on one node, follow and read on another.

use std::time::Duration;

use serde_json::json;
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::{Home, wait_until};

/// Waits until `reader` holds what `writer` holds of its own logs.
fn wait_for_same_heads(reader: &Home, writer: &Home, did: &str) {
    let want = writer.heads(did);
    wait_until("the same heads", DEADLINE, || (reader.heads(did) == want).then_some(()));
}

/// Waits until a post stands in a home.
fn wait_for_post(reader: &Home, post: &str, deadline: Duration) {
    wait_until(post, deadline, || reader.timeline().iter().any(|shown| shown == post).then_some(()));
}

#[test]
fn lan_posts_and_minh_follows_reads_answers_and_likes() {
    let (lan, minh) = (Home::started("lan"), Home::started("minh"));
    let id = lan.publish("Xin chào xóm!");
    minh.follow(&lan.invite());
    wait_for_post(&minh, "Xin chào xóm!", DEADLINE);

    // Live: what Lan posts now arrives by itself.
    lan.publish("Hôm nay trời đẹp.");
    wait_for_post(&minh, "Hôm nay trời đẹp.", DEADLINE);

    // What Minh aims at Lan reaches her, though she does not follow him.
    let entry = text(&lan.get(&format!("/api/xom/v1/statuses/find?q={id}"))["entry"]);
    minh.xom(&["like", &entry]);
    minh.xom(&["reply", &entry, "Chào Lan!"]);
    minh.xom(&["boost", &entry]);
    let arrived = || {
        let status = lan.get(&format!("/api/v1/statuses/{id}"));
        let counts = ["favourites_count", "replies_count", "reblogs_count"].map(|count| status[count] == 1);
        counts.iter().all(|one| *one).then_some(())
    };
    wait_until("the like, the reply and the boost", DEADLINE, arrived);
    let notifications = lan.get("/api/v1/notifications");
    let mut kinds: Vec<_> = notifications.as_array().expect("a list").iter().map(|item| text(&item["type"])).collect();
    kinds.sort();
    assert_eq!(kinds, ["favourite", "follow", "mention", "reblog"]);
    let context = lan.get(&format!("/api/v1/statuses/{id}/context"));
    assert_eq!(plain(&text(&context["descendants"][0]["content"])), "Chào Lan!");
}

#[test]
fn what_was_posted_while_a_follower_was_away_is_there_two_seconds_after_he_is_back() {
    let (alice, mut bob) = (Home::started("alice"), Home::started("bob"));
    bob.follow(&alice.invite());
    alice.publish("before");
    wait_for_post(&bob, "before", DEADLINE);
    bob.stop();
    for number in 0..50 {
        alice.publish(&format!("while bob was away {number}"));
    }
    bob.start();
    let complete = || {
        let shown = bob.timeline();
        (0..40).all(|number| shown[..].contains(&format!("while bob was away {}", 49 - number))).then_some(())
    };
    wait_until("the newest forty of fifty posts", Duration::from_secs(2), complete);
    wait_for_same_heads(&bob, &alice, &alice.did());
}

#[test]
fn a_follower_serves_what_its_author_no_longer_can() {
    let (mut alice, carol) = (Home::started("alice"), Home::started("carol"));
    let did = alice.did();
    for number in 0..40 {
        alice.publish(&format!("kept by carol {number}"));
    }
    carol.follow(&alice.invite());
    wait_for_same_heads(&carol, &alice, &did);
    let heads = alice.heads(&did);
    alice.stop();

    let mut dan = Home::new("dan");
    dan.bootstrap(&carol.address());
    dan.start();
    dan.follow(&did);
    wait_until("everything of alice through carol", DEADLINE, || (dan.heads(&did) == heads).then_some(()));
    wait_for_post(&dan, "kept by carol 39", DEADLINE);
}

#[test]
fn a_node_that_is_not_running_is_named_and_the_exit_code_tells() {
    let mut alice = Home::new("alice");
    let output = alice.run(&["timeline"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("xom run"));
    alice.start();
    let second = alice.run(&["run", "--http", "127.0.0.1:0"]);
    assert_eq!(second.status.code(), Some(6), "{}", String::from_utf8_lossy(&second.stderr));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use"));
    let (code, refused) = alice.post("/api/v1/statuses", &json!({ "status": "" }));
    assert_eq!(code, 422, "{refused}");
}
