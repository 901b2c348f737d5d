//! The owner's acts on the identity log, and what guardians are asked, over the API.

use serde_json::json;

use crate::harness::{Server, text};

#[tokio::test]
async fn a_rotation_takes_the_words_only_and_the_kept_control_key_follows() {
    let server = Server::start().await;
    let words = server.words();
    let path = "/api/xom/v1/identity/rotate";
    let without = server.post(path, json!({})).await;
    without.refused(403);
    assert_eq!(without.json()["code"], "words-needed");
    server.post(&format!("{path}?words=x"), json!({})).await.refused(422);
    let foreign = json!({ "words": format!("{} vote", ["zoo"; 23].join(" ")) });
    let refused = server.post(path, foreign).await;
    assert!(refused.refused(403).contains("another identity"));
    assert_eq!(refused.json()["reason"], "other-words");
    let control =
        || async { server.get("/api/xom/v1/identity").await.ok()["document"]["capabilityInvocation"].clone() };
    let before = control().await;
    let rotated = server.post(path, json!({ "words": words })).await.ok();
    assert_eq!(rotated["control_key"], "unsealed");
    assert_ne!(control().await, before);
    // The key that is kept is the new one: it signs at once.
    let id = text(&server.toot("x").await, "id");
    server.post(&format!("/api/xom/v1/statuses/{id}/erase"), json!({ "now": true })).await.ok();
    server.stop().await;
}

#[tokio::test]
async fn guardians_are_named_by_the_words_and_shown_as_far_as_they_are_known() {
    let server = Server::start().await;
    let path = "/api/xom/v1/guardians";
    assert!(server.get(path).await.ok().is_null());
    let did = text(&server.get("/api/xom/v1/identity").await.ok(), "did");
    let others: Vec<String> = (1..=3).map(|byte| xom_protocol::Did([byte; 32]).to_string()).collect();
    let words = server.words();
    let set = |accounts: &[String], need: u64| json!({ "accounts": accounts, "need": need, "words": words });
    server.post(path, set(&others, 4)).await.refused(422);
    let oneself = server.post(path, set(&[did], 1)).await;
    assert!(oneself.refused(422).contains("nobody guards himself"));
    server.post(path, set(&["nobody@nowhere.xom".to_owned()], 1)).await.refused(422);
    let named = server.post(path, set(&others, 2)).await.ok();
    assert_eq!((&named["need"], named["guardians"].as_array().map(Vec::len)), (&json!(2), Some(3)));
    let shown = server.get(path).await.ok();
    assert_eq!((&shown["count"], &shown["need"], &shown["known"]), (&json!(3), &json!(2), &json!([])));
    server.post(path, json!({ "accounts": [], "words": server.words() })).await.ok();
    assert!(server.get(path).await.ok().is_null());
    server.stop().await;
}

#[tokio::test]
async fn nothing_is_approved_that_was_not_asked_and_nothing_stopped_that_does_not_go_on() {
    let server = Server::start().await;
    let none = server.get("/api/xom/v1/recoveries").await.ok();
    assert_eq!(none, json!({ "own": null, "requests": [] }));
    for (path, reason) in [
        ("/api/xom/v1/recoveries/aaaa-bbbb-cccc-dddd/approve", "no-request"),
        ("/api/xom/v1/recoveries/aaaa-bbbb-cccc-dddd/refuse", "no-request"),
        ("/api/xom/v1/identity/cancel-recovery", "no-recovery"),
        ("/api/xom/v1/identity/postpone-recovery", "no-recovery"),
    ] {
        let refused = server.post(path, json!({})).await;
        refused.refused(403);
        assert_eq!(refused.json()["reason"], reason, "{path}");
    }
    server.post("/api/xom/v1/identity/unlock", json!({})).await.refused(422);
    assert_eq!(server.post("/api/xom/v1/identity/lock", json!({})).await.ok()["locked"], true);
    assert_eq!(server.post("/api/xom/v1/identity/unlock", json!({})).await.ok()["locked"], false);
    server.stop().await;
}
