//! What apps build on: records, entries with their proofs, keys for what is sent twice, and events.

use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use futures::StreamExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::{Answer, Server, text};

const BOARD: &str = "/api/xom/v1/records/board.ask";
/// How long anything is waited for.
const DEADLINE: Duration = Duration::from_secs(60);

async fn with_key(server: &Server, method: &str, path: &str, key: &str, body: &Value) -> Answer {
    let request = server.request(method, path).header(header::CONTENT_TYPE, "application/json");
    let request = request.header("Idempotency-Key", key);
    server.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// Keys of a page, newest first.
fn keys(page: &Value) -> Vec<String> {
    page["records"].as_array().unwrap().iter().map(|record| text(record, "key")).collect()
}

#[tokio::test]
async fn body_6_an_app_puts_reads_lists_and_deletes_its_records() {
    let server = Server::start().await;
    let ladder = format!("{BOARD}/ladder");
    let value = json!({"what": "thang dài", "floor": 2.5, "done": false});
    let put = server.call("PUT", &ladder, value.clone()).await.ok();
    assert_eq!((text(&put, "kind"), text(&put, "key")), ("board.ask".into(), "ladder".into()));
    let read = server.get(&ladder).await.ok();
    assert_eq!((&read["value"], text(&read, "entry")), (&value, text(&put, "entry")));
    assert_eq!(text(&read["account"], "uri"), text(&read, "did"));
    server.call("PUT", &ladder, json!({"done": true})).await.ok();
    assert_eq!(server.get(&ladder).await.ok()["value"], json!({"done": true}));
    let added = server.post(BOARD, json!("any JSON")).await;
    assert_eq!(added.status, 201);
    let own = text(&read, "did");
    for query in ["", "?all=true", &format!("?did={own}")] {
        let page = server.get(&format!("{BOARD}{query}")).await.ok();
        assert_eq!(keys(&page), [text(&added.json(), "key"), "ladder".into()], "{query}");
        assert_eq!(page["next"], Value::Null);
    }
    assert_eq!(keys(&server.get("/api/xom/v1/records/other.kind").await.ok()), Vec::<String>::new());
    server.call("DELETE", &ladder, json!({})).await.ok();
    server.get(&ladder).await.refused(404);
    server.call("DELETE", &ladder, json!({})).await.refused(404);
    for (path, body, status) in [
        ("/api/xom/v1/records/post/a", "1", 422),
        ("/api/xom/v1/records/Board.ask/a", "1", 422),
        ("/api/xom/v1/records/board.ask/a%20b", "1", 422),
        ("/api/xom/v1/records/board.ask/a", "{", 400),
        ("/api/xom/v1/records/board.ask/a", "", 400),
    ] {
        let request = server.request("PUT", path).header(header::CONTENT_TYPE, "application/json");
        server.send(request.body(Body::from(body)).unwrap()).await.refused(status);
    }
    assert_eq!(server.get("/api/v1/timelines/home").await.ok(), json!([]), "records are no posts");
    server.stop().await;
}

#[tokio::test]
async fn r_api_18_pages_of_records_are_whole_and_cursors_are_checked() {
    let server = Server::start().await;
    for number in 0..5 {
        server.call("PUT", &format!("{BOARD}/{number}"), json!(number)).await.ok();
    }
    let (mut all, mut path) = (Vec::new(), format!("{BOARD}?limit=2"));
    loop {
        let answer = server.get(&path).await;
        let page = answer.ok();
        assert!(page["records"].as_array().unwrap().len() <= 2);
        all.extend(keys(&page));
        // What comes while somebody pages moves nothing.
        server.call("PUT", &format!("{BOARD}/new-{}", all.len()), json!(0)).await.ok();
        let Some(next) = page["next"].as_str() else { break };
        let link = answer.header("link");
        assert!(link.contains(&format!("cursor={next}")) && link.contains("limit=2"), "{link}");
        path = format!("{BOARD}?limit=2&cursor={next}");
    }
    assert_eq!(all, ["4", "3", "2", "1", "0"]);
    for wrong in ["x", "AAAA", "-1", "99999999999999999999"] {
        server.get(&format!("{BOARD}?cursor={wrong}")).await.refused(422);
    }
    server.get(&format!("{BOARD}?limit=-1")).await.refused(422);
    assert_eq!(keys(&server.get(&format!("{BOARD}?limit=0")).await.ok()).len(), 1, "at least one");
    server.get(&format!("{BOARD}?did=lan")).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn r_api_19_what_is_sent_again_with_its_key_is_done_once_and_another_request_is_refused() {
    let server = Server::start().await;
    let note = json!({"kind": "example.note", "body": {"a": 1}});
    let first = with_key(&server, "POST", "/api/xom/v1/entries", "k1", &note).await;
    let again = with_key(&server, "POST", "/api/xom/v1/entries", "k1", &note).await;
    assert_eq!(first.ok(), again.ok());
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    let other = with_key(&server, "POST", "/api/xom/v1/entries", "k2", &note).await.ok();
    assert_ne!(text(&other, "entry"), text(&first.json(), "entry"));
    let changed = json!({"kind": "example.note", "body": {"a": 2}});
    with_key(&server, "POST", "/api/xom/v1/entries", "k1", &changed).await.refused(422);
    with_key(&server, "POST", BOARD, "k1", &note).await.refused(422);
    let added = with_key(&server, "POST", BOARD, "k3", &json!(1)).await;
    let again = with_key(&server, "POST", BOARD, "k3", &json!(1)).await;
    assert_eq!((added.status, again.status), (added.status, added.status));
    assert_eq!(added.json(), again.json());
    assert_eq!(server.get(BOARD).await.ok()["records"].as_array().unwrap().len(), 1);
    // What failed is tried again.
    with_key(&server, "POST", "/api/xom/v1/entries", "k4", &json!({})).await.refused(422);
    with_key(&server, "POST", "/api/xom/v1/entries", "k4", &note).await.ok();
    with_key(&server, "POST", "/api/xom/v1/entries", &"k".repeat(256), &note).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn r_api_10_nothing_of_a_call_with_secrets_is_kept_for_its_key() {
    let server = Server::start().await;
    for path in ["/api/xom/v1/passphrase", "/api/xom/v1/unlock", "/api/xom/v1/devices/pair"] {
        let body = json!({"new_passphrase": "vườn sau có cây khế", "passphrase": "x"});
        let answer = with_key(&server, "POST", path, "secret", &body).await;
        assert_eq!(answer.header("idempotency-replayed"), "", "{path}");
        let again = with_key(&server, "POST", path, "secret", &json!({"passphrase": "y"})).await;
        assert!(!String::from_utf8_lossy(&again.bytes).contains("Idempotency-Key"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_entry_comes_with_what_proves_it_and_an_erased_one_without_its_body() {
    let server = Server::start().await;
    let posted = server.toot("xin chào").await;
    let entry = text(&posted["xom"], "entry");
    let path = format!("/api/xom/v1/entries/{entry}");
    let shown = server.get(&path).await.ok();
    assert_eq!((text(&shown, "entry"), text(&shown, "kind"), text(&shown, "status_id")), {
        (entry.clone(), "post".into(), text(&posted, "id"))
    });
    assert_eq!((shown["seq"].as_u64(), &shown["live"]), (posted["xom"]["seq"].as_u64(), &json!(true)));
    let bytes = |text: &Value| data_encoding::BASE64.decode(text.as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(xom_protocol::entry::Header::hash(&bytes(&shown["chain"][0])).0, {
        entry.parse::<xom_protocol::EntryId>().unwrap().0
    });
    assert_eq!(bytes(&shown["signature"]).len(), 64);
    assert!(String::from_utf8_lossy(&bytes(&shown["body"])).contains("xin chào"));
    assert!(!shown["identity"].as_array().unwrap().is_empty());
    server.call("DELETE", &format!("/api/v1/statuses/{}", text(&posted, "id")), json!({})).await.ok();
    let erased = server.get(&path).await.ok();
    assert_eq!((&erased["live"], &erased["body"], &erased["salt"]), (&json!(false), &Value::Null, &Value::Null));
    assert_eq!(erased["chain"][0], shown["chain"][0], "the header stays");
    server.get("/api/xom/v1/entries/nonsense").await.refused(404);
    server.get(&format!("/api/xom/v1/entries/{}", xom_protocol::EntryId([7; 32]))).await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn events_tell_of_the_exchange_and_of_records() {
    let server = Server::start().await;
    let request = server.request("GET", "/api/xom/v1/events?kind=board.ask").body(Body::empty()).unwrap();
    let answer = server.router().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
    let mut body = answer.into_body().into_data_stream();
    let mut seen = String::new();
    let mut wait_for = async |wanted: &str| {
        let waited = tokio::time::timeout(DEADLINE, async {
            while !seen.contains(wanted) {
                let piece = body.next().await.expect("goes on").unwrap();
                seen.push_str(std::str::from_utf8(&piece).unwrap());
            }
        });
        waited.await.unwrap_or_else(|_| panic!("no {wanted}"));
        seen.clone()
    };
    let at_first = wait_for("event: sync\ndata: {\"in_sync\":true,\"peers_connected\":0").await;
    assert!(at_first.starts_with(":)"), "{at_first}");
    wait_for("event: pairing\ndata: {\"state\":\"none\"}").await;
    server.call("PUT", "/api/xom/v1/records/other.kind/x", json!(1)).await.ok();
    server.call("PUT", &format!("{BOARD}/ladder"), json!(1)).await.ok();
    let seen = wait_for("\"key\":\"ladder\"").await;
    assert!(!seen.contains("other.kind"), "{seen}");
    server.stop().await;
}
