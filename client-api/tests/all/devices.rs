//! Devices: the API and the page. That two nodes pair is shown in `node` and end to end.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Server, text};
use crate::house::House;

const DEVICES: &str = "/api/xom/v1/devices";
const PAIR: &str = "/api/xom/v1/devices/pair";

async fn own_device(server: &Server) -> String {
    text(&server.get("/api/xom/v1/identity").await.ok(), "device")
}

#[tokio::test]
async fn the_list_shows_this_node_and_a_device_can_be_named() {
    let server = Server::start().await;
    let devices = server.get(DEVICES).await.ok();
    let own = own_device(&server).await;
    assert_eq!(devices.as_array().unwrap().len(), 1);
    let first = &devices[0];
    assert_eq!((text(first, "device"), &first["live"], &first["here"]), (own.clone(), &json!(true), &json!(true)));
    assert_eq!((&first["name"], &first["granted_by"]), (&Value::Null, &Value::Null));
    let path = format!("{DEVICES}/{}/rename", &own[..8]);
    let named = server.post(&path, json!({"name": "kitchen"})).await.ok();
    assert_eq!(named[0]["name"], "kitchen");
    let again = server.post(&format!("{DEVICES}/kitchen/rename"), json!({"name": "attic"})).await.ok();
    assert_eq!(again[0]["name"], "attic");
    assert_eq!(server.post(&path, json!({})).await.status, 422);
    assert_eq!(server.post(&path, json!({"name": "two\nlines"})).await.status, 422);
    assert_eq!(server.post(&format!("{DEVICES}/nobody/rename"), json!({"name": "x"})).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn an_offer_is_told_once_and_can_be_stopped_and_digits_that_are_not_shown_confirm_nothing() {
    let server = Server::listening().await;
    assert_eq!(server.get(PAIR).await.ok(), json!({"state": "none"}));
    let made = server.post(PAIR, json!({})).await.ok();
    assert!(text(&made, "offer").starts_with("xom-pair:did:xom:"), "{made}");
    let state = server.get(PAIR).await.ok();
    assert_eq!((text(&state, "state"), &state["offer"]), ("waiting".to_owned(), &Value::Null));
    let confirm = format!("{PAIR}/confirm");
    assert_eq!(server.post(&confirm, json!({})).await.status, 422);
    assert_eq!(server.post(&confirm, json!({"digits": "123456"})).await.status, 422);
    let stopped = server.post(&format!("{PAIR}/stop"), json!({})).await.ok();
    assert_eq!(stopped, json!({"state": "stopped"}));
    assert_eq!(server.get(DEVICES).await.ok().as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_node_that_ended_its_own_device_posts_nothing_more_and_says_why() {
    let server = Server::start().await;
    server.toot("before").await;
    let path = format!("{DEVICES}/{}/remove", own_device(&server).await);
    let query = format!("{path}?passphrase=secret");
    assert_eq!(server.post(&query, json!({})).await.status, 422, "secrets belong into the body");
    let ended = server.post(&path, json!({})).await.ok();
    assert_eq!(text(&ended, "ended_by"), "control-key");
    let refused = server.post("/api/v1/statuses", json!({"status": "after"})).await;
    assert_eq!((refused.status, text(&refused.json(), "code")), (StatusCode::FORBIDDEN, "device-ended".to_owned()));
    let old = json!({"source_url": "https://a.example/1", "published": "2020-01-01T00:00:00Z", "text": "old"});
    let refused = server.post("/api/xom/v1/import/posts", json!({"posts": [old]})).await;
    refused.refused(403);
    assert_eq!(text(&refused.json(), "code"), "device-ended", "an import that can't sign fails as a whole");
    assert_eq!(server.post(PAIR, json!({})).await.status, 403);
    let status = server.get("/api/xom/v1/status").await.ok();
    assert!(status["warnings"].to_string().contains("was removed"), "{status}");
    assert_eq!(server.get("/api/v1/timelines/home").await.ok().as_array().unwrap().len(), 1, "what was before stays");
    server.stop().await;
}

#[tokio::test]
async fn a_removal_keeps_only_what_came_before_a_time_or_the_first_entries_where_it_says_so() {
    let server = Server::start().await;
    server.toot("kept").await;
    let device = own_device(&server).await;
    let path = format!("{DEVICES}/{device}/remove");
    for wrong in
        [json!({"before": "yesterday"}), json!({"entries": "few"}), json!({"before": "2026-01-01", "entries": 1})]
    {
        assert_eq!(server.post(&path, wrong).await.status, 422);
    }
    let devices = server.get(DEVICES).await.ok();
    let entries = devices[0]["height"].as_u64().unwrap();
    server.toot("the thief's").await;
    server.post(&path, json!({"entries": entries})).await.ok();
    let home = server.get("/api/v1/timelines/home").await.ok();
    let shown: Vec<String> = home.as_array().unwrap().iter().map(|status| text(status, "content")).collect();
    assert_eq!(shown, ["<p>kept</p>"]);
    let less = server.post(&path, json!({"before": "2020-01-01T00:00"})).await;
    assert_eq!(
        (less.status, less.json()["error"].to_string().contains("taken back")),
        (StatusCode::UNPROCESSABLE_ENTITY, true)
    );
    server.post(&path, json!({})).await.ok();
    assert_eq!(server.get("/api/v1/timelines/home").await.ok().as_array().unwrap().len(), 2);
    server.stop().await;
}

/// The value of the hidden field that forms carry.
fn csrf(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    rest.split_once('"').expect("a value").0
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_offer_as_code_and_text_until_it_is_stopped() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let page = house.get("/devices", &cookie).await;
    assert_eq!((page.status, page.header("refresh")), (StatusCode::OK, ""));
    assert!(page.body.contains("this node") && !page.body.contains("xom-pair:"));
    assert_eq!(house.post("/devices/pair", &cookie, &[]).await.status, StatusCode::FORBIDDEN);
    assert!(!house.get("/devices", &cookie).await.body.contains("xom-pair:"));

    let token = csrf(&page.body).to_owned();
    let made = house.post("/devices/pair", &cookie, &[("csrf", &token)]).await;
    assert_eq!((made.status, made.header("location")), (StatusCode::SEE_OTHER, "/devices"));
    let page = house.get("/devices", &cookie).await;
    assert!(page.body.contains("xom join &#39;xom-pair:") || page.body.contains("xom join 'xom-pair:"));
    assert!(page.body.contains("QR code of the offer"));
    assert_eq!(page.header("refresh"), "2", "it looks again by itself while it waits");
    house.post("/devices/pair/stop", &cookie, &[("csrf", &token)]).await;
    let page = house.get("/devices", &cookie).await;
    assert!(page.body.contains("Nothing was admitted") && !page.body.contains("xom-pair:"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_page_a_device_is_named_and_removed_and_a_wrong_key_is_told_there() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let page = house.get("/devices", &cookie).await.body;
    let token = csrf(&page).to_owned();
    let (_, rest) = page.split_once("action=\"/devices/").filter(|_| page.contains("/rename\"")).expect("a form");
    let device = page.split("action=\"/devices/").find_map(|part| part.split_once("/rename\"")).expect("a device").0;
    assert!(!rest.is_empty());
    let rename = format!("/devices/{device}/rename");
    let named = house.post(&rename, &cookie, &[("csrf", &token), ("name", "<b>attic</b>")]).await;
    assert_eq!(named.status, StatusCode::SEE_OTHER);
    let page = house.get("/devices", &cookie).await.body;
    assert!(page.contains("&lt;b&gt;attic&lt;/b&gt;") && !page.contains("<b>attic"));
    let remove = format!("/devices/{device}/remove");
    let wrong = house.post(&remove, &cookie, &[("csrf", &token), ("passphrase", "a guess")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.body.contains("role=\"alert\"") && !wrong.body.contains("a guess"));
    let no_phrase = house.post(&remove, &cookie, &[("csrf", &token), ("words", "xom")]).await;
    assert_eq!(no_phrase.status, StatusCode::FORBIDDEN);
    assert!(no_phrase.body.contains("a phrase has 24 words"), "{}", no_phrase.body);
    let removed = house.post(&remove, &cookie, &[("csrf", &token)]).await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    assert!(house.get("/devices", &cookie).await.body.contains("removed"));
    let post = house.post("/statuses", &cookie, &[("csrf", &token), ("status", "after")]).await;
    assert_eq!(post.status, StatusCode::FORBIDDEN);
    assert!(post.body.contains("this device was removed from its identity"), "{}", post.body);
    house.close().await;
}
