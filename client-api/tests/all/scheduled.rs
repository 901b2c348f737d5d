//! Posts that wait for their time.

use serde_json::{Value, json};
use xom_client_api::api::private::SCHEDULED;
use xom_client_api::api::scheduled::publish_due;

use crate::harness::{Server, ids, picture, text};
use crate::shapes;

/// 2100-01-01T00:00:00Z, milliseconds since 1970.
const LATER_MS: u64 = 4_102_444_800_000;
const LATER: &str = "2100-01-01T00:00:00.000Z";
const PATH: &str = "/api/v1/scheduled_statuses";

async fn schedule(server: &Server, body: Value) -> Value {
    let mut body = body;
    body["scheduled_at"] = json!(LATER);
    let scheduled = server.post("/api/v1/statuses", body).await.ok();
    shapes::scheduled_status(&scheduled);
    assert_eq!(text(&scheduled, "scheduled_at"), LATER);
    scheduled
}

async fn posts(server: &Server) -> Value {
    server.get("/api/v1/timelines/home").await.ok()
}

#[tokio::test]
async fn a_scheduled_post_waits_over_a_restart_and_is_published_once_at_its_time() {
    let server = Server::start().await;
    let media = server.upload("POST", "/api/v2/media", "file", &picture()).await.ok();
    let scheduled = schedule(&server, json!({"status": "mai gặp #xóm", "media_ids": [text(&media, "id")]})).await;
    assert_eq!(ids(&scheduled["media_attachments"]), [text(&media, "id")]);
    assert_eq!(text(&scheduled["params"], "text"), "mai gặp #xóm");
    assert_eq!(ids(&server.get(PATH).await.ok()), [text(&scheduled, "id")]);
    publish_due(&server.handle(), LATER_MS - 1).await.unwrap();
    assert_eq!(posts(&server).await, json!([]), "not before its time");
    let server = server.restart().await;
    assert_eq!(server.get(PATH).await.ok()[0]["id"], scheduled["id"]);
    publish_due(&server.handle(), LATER_MS).await.unwrap();
    publish_due(&server.handle(), LATER_MS).await.unwrap();
    let published = posts(&server).await;
    assert_eq!(published.as_array().unwrap().len(), 1, "{published}");
    assert_eq!(text(&published[0]["tags"][0], "name"), "xóm");
    assert_eq!(published[0]["media_attachments"].as_array().unwrap().len(), 1);
    assert_eq!(server.get(PATH).await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_node_that_was_killed_after_publishing_does_not_publish_again() {
    let server = Server::start().await;
    schedule(&server, json!({"status": "một lần"})).await;
    let handle = server.handle();
    let kept = handle.read(|reader| reader.records(SCHEDULED, &[], 10)).await.unwrap();
    publish_due(&handle, LATER_MS).await.unwrap();
    assert_eq!(posts(&server).await.as_array().unwrap().len(), 1);
    // As it lies there when the node dies between publishing and taking the record out.
    let (key, value) = kept.into_iter().next().unwrap();
    let mut record: Value = serde_json::from_slice(&value).unwrap();
    for (begun_ms, now_ms) in [(LATER_MS, LATER_MS + 1), (1, LATER_MS + 2 * 3_600_000)] {
        record["begun_ms"] = json!(begun_ms);
        let (key, value) = (key.clone(), record.to_string().into_bytes());
        handle.records(move |records| records.put(SCHEDULED, &key, &value)).await.unwrap();
        publish_due(&handle, now_ms).await.unwrap();
        assert_eq!(posts(&server).await.as_array().unwrap().len(), 1, "begun at {begun_ms}");
        assert_eq!(server.get(PATH).await.ok(), json!([]));
    }
    server.stop().await;
}

#[tokio::test]
async fn scheduled_posts_are_listed_changed_and_taken_away() {
    let server = Server::start().await;
    let first = schedule(&server, json!({"status": "một", "visibility": "unlisted", "sensitive": true})).await;
    let poll = json!({"status": "hai?", "poll": {"options": ["có", "không"], "expires_in": 600}});
    let second = schedule(&server, poll).await;
    assert_eq!(second["params"]["poll"]["options"], json!(["có", "không"]));
    assert_eq!(ids(&server.get(PATH).await.ok()), [text(&second, "id"), text(&first, "id")]);
    let page = server.get(&format!("{PATH}?limit=1")).await;
    assert_eq!(ids(&page.ok()), [text(&second, "id")]);
    assert!(page.header("link").contains("rel=\"next\""));
    let path = format!("{PATH}/{}", text(&first, "id"));
    let moved = server.call("PUT", &path, json!({"scheduled_at": "2101-01-01T07:00:00+07:00"})).await.ok();
    assert_eq!(text(&moved, "scheduled_at"), "2101-01-01T00:00:00.000Z");
    assert_eq!(server.get(&path).await.ok(), moved);
    publish_due(&server.handle(), LATER_MS).await.unwrap();
    let published = posts(&server).await;
    assert_eq!(text(&published[0], "content"), "<p>hai?</p>");
    assert_eq!(ids(&server.get(PATH).await.ok()), [text(&first, "id")], "the other waits for its new time");
    server.call("DELETE", &path, json!({})).await.ok();
    server.call("DELETE", &path, json!({})).await.refused(404);
    server.get(&path).await.refused(404);
    server.call("PUT", &path, json!({"scheduled_at": LATER})).await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn what_could_not_be_published_is_not_kept_and_a_past_time_publishes_now() {
    let server = Server::start().await;
    for (body, words) in [
        (json!({"status": "", "scheduled_at": LATER}), "blank"),
        (json!({"status": "x", "media_ids": ["17"], "scheduled_at": LATER}), "does not exist"),
        (json!({"status": "x", "scheduled_at": "2100"}), "RFC 3339"),
    ] {
        let refused = server.post("/api/v1/statuses", body).await.refused(422);
        assert!(refused.contains(words), "{refused}");
    }
    server
        .post("/api/v1/statuses", json!({"status": "x", "in_reply_to_id": "17", "scheduled_at": LATER}))
        .await
        .refused(404);
    assert_eq!(server.get(PATH).await.ok(), json!([]));
    let now =
        server.post("/api/v1/statuses", json!({"status": "x", "scheduled_at": "2020-01-01T00:00:00Z"})).await.ok();
    shapes::status(&now);
    server.stop().await;
}
