//! `/api/xom/v1`.

use serde_json::{Value, json};

use crate::harness::{Server, ids, text};

#[tokio::test]
async fn the_identity_shows_its_did_document_and_that_its_phrase_is_unconfirmed() {
    let server = Server::start().await;
    let identity = server.get("/api/xom/v1/identity").await.ok();
    let did = text(&identity, "did");
    assert_eq!(text(&identity["document"], "id"), did);
    assert_eq!(text(&identity["account"], "uri"), did);
    assert_eq!(text(&identity, "phrase"), "unconfirmed");
    assert_eq!(text(&identity, "username"), "lan");
    let all = server.get("/api/xom/v1/identities").await.ok();
    assert_eq!(text(&all[0], "did"), did);
    let invite = server.post("/api/xom/v1/invites", json!({})).await.ok();
    assert_eq!(text(&invite, "did"), did);
    assert!(text(&invite, "invite").starts_with(&format!("xom:{did}?")), "{invite}");
    server.stop().await;
}

#[tokio::test]
async fn the_state_of_the_node_can_be_read_and_checked() {
    let server = Server::start().await;
    server.toot("x").await;
    let status = server.get("/api/xom/v1/status").await.ok();
    assert!(status["entries"].as_u64().unwrap() >= 1, "{status}");
    assert!(status["refusals"].is_object() && status["warnings"].is_array());
    assert!(server.get("/api/xom/v1/peers").await.ok().is_array());
    let logs = server.get("/api/xom/v1/logs").await.ok();
    let report = server.post("/api/xom/v1/verify", json!({})).await.ok();
    assert_eq!(report["faults"], json!([]));
    assert_eq!(report["logs"], logs);
    assert!(server.get("/api/xom/v1/sync").await.ok()["in_sync"].is_boolean());
    let rebuilt = server.post("/api/xom/v1/views/rebuild", json!({})).await.ok();
    assert!(rebuilt["entries"].as_u64().unwrap() >= 1);
    server.post("/api/xom/v1/compact", json!({})).await.ok();
    let export = server.get("/api/xom/v1/export").await;
    assert_eq!(export.status, 200);
    assert_eq!(export.header("content-type"), "application/x-tar");
    assert_eq!(xom_node::verify_archive(export.bytes.as_slice()).faults, Vec::<String>::new());
    let page = String::from_utf8_lossy(&export.bytes);
    assert!(page.contains("<p>x</p>") && !page.contains("<script"));
    assert_eq!(server.get("/api/v1/timelines/home").await.ok().as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_status_is_found_by_id_entry_or_prefix_and_erased_at_once() {
    let server = Server::start().await;
    let posted = server.toot("x").await;
    let (id, entry) = (text(&posted, "id"), text(&posted["xom"], "entry"));
    for query in [id.clone(), entry.clone(), entry[..30].to_owned()] {
        let found = server.get(&format!("/api/xom/v1/statuses/find?q={query}")).await.ok();
        assert_eq!((text(&found, "id"), text(&found, "entry")), (id.clone(), entry.clone()), "{query}");
    }
    server.toot("y").await;
    let several = server.get("/api/xom/v1/statuses/find?q=bafyrei").await;
    several.refused(409);
    assert_eq!(several.json()["candidates"].as_array().unwrap().len(), 2);
    let erased = server.post(&format!("/api/xom/v1/statuses/{id}/erase"), json!({"now": true})).await.ok();
    assert_eq!(erased["purged"], true);
    server.get(&format!("/api/v1/statuses/{id}")).await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn an_app_stores_entries_of_its_own_kind_only() {
    let server = Server::start().await;
    let post = |body: Value| server.post("/api/xom/v1/entries", body);
    let stored = post(json!({"kind": "example.app.note", "body": {"a": [1, "x"]}})).await.ok();
    assert!(text(&stored, "entry").starts_with("bafyrei"));
    post(json!({"kind": "example.app.note", "body_base64": "gA=="})).await.ok();
    for bad in [
        json!({"kind": "post", "body": {}}),
        json!({"kind": "UPPER", "body": {}}),
        json!({"kind": "a", "body": {"x": 1.5}}),
        json!({"kind": "a"}),
        json!({"body": {}}),
    ] {
        post(bad).await.refused(422);
    }
    assert_eq!(server.get("/api/v1/timelines/home").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn an_import_keeps_order_threads_and_old_places_and_adds_nothing_twice() {
    let server = Server::start().await;
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    let newest = text(&server.toot("hôm nay").await, "id");
    let old = |number: u64, reply_to: Value| {
        json!({
            "source_url": format!("https://a.example/{number}"), "published": format!("2020-01-0{number}T00:00:00Z"),
            "text": format!("số {number}"), "warning": "", "sensitive": false, "languages": ["vi"], "tags": [],
            "links": [], "mentions": [], "reply_to": reply_to, "media_ids": [], "poll": null, "visibility": "public",
        })
    };
    let posts = json!({"posts": [
        old(1, Value::Null), old(2, json!("https://a.example/1")), old(3, json!("https://elsewhere.example/x")),
        {"source_url": "https://a.example/bad", "published": "never", "text": "x"},
    ]});
    let answer = server.post("/api/xom/v1/import/posts", posts.clone()).await.ok();
    let results = answer["results"].as_array().unwrap();
    let outcomes: Vec<String> = results.iter().map(|result| text(result, "outcome")).collect();
    assert_eq!(outcomes, ["imported", "imported", "imported", "refused"]);
    let again = server.post("/api/xom/v1/import/posts", posts).await.ok();
    assert_eq!(text(&again["results"][0], "outcome"), "known");
    assert_eq!(again["results"][0]["id"], results[0]["id"]);
    let asked = json!({"source_urls": ["https://a.example/1", "https://a.example/9"]});
    let known = server.post("/api/xom/v1/import/known", asked).await.ok();
    assert_eq!(known["known"], json!(["https://a.example/1"]));
    let profile = server.get(&format!("/api/v1/accounts/{own}/statuses")).await.ok();
    let old_ids: Vec<String> = results[..3].iter().rev().map(|result| text(result, "id")).collect();
    assert_eq!(ids(&profile)[0], newest);
    assert_eq!(ids(&profile)[1..], old_ids);
    assert_eq!(text(&profile[1], "created_at"), "2020-01-03T00:00:00.000Z");
    assert_eq!(profile[2]["in_reply_to_id"], results[0]["id"]);
    assert_eq!(text(&profile[3]["xom"], "imported_from"), "https://a.example/1");
    assert_eq!(ids(&server.get("/api/v1/timelines/home").await.ok()), [newest]);
    server.stop().await;
}
