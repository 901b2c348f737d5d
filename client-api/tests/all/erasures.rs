//! `/api/xom/v1`: copies, erasing many at once, the history of an identity.

use serde_json::{Value, json};

use crate::harness::{Server, text};

async fn erase(server: &Server, body: Value) -> Value {
    server.post("/api/xom/v1/erasures", body).await.ok()
}

#[tokio::test]
async fn the_copies_of_a_status_can_be_asked_for_before_and_after_it_is_erased() {
    let server = Server::start().await;
    let posted = server.toot("x").await;
    let (id, entry) = (text(&posted, "id"), text(&posted["xom"], "entry"));
    let before = server.get(&format!("/api/xom/v1/statuses/{id}/copies")).await.ok();
    assert_eq!(before["here"], "held");
    assert_eq!(before["summary"], "held on 0 known copies");
    server.post(&format!("/api/xom/v1/statuses/{id}/erase"), json!({"now": true})).await.ok();
    for name in [id.as_str(), entry.as_str(), &entry[..40]] {
        let after = server.get(&format!("/api/xom/v1/statuses/{name}/copies")).await.ok();
        assert_eq!((&after["here"], &after["known"]), (&json!("purged"), &json!(0)), "{name}");
        assert_eq!(after["summary"], "no copy was known when it was erased");
        assert!(after["erased_at"].is_string() && after["copies"] == json!([]), "{after}");
    }
    assert_eq!(server.get("/api/xom/v1/statuses/1/copies").await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn erasing_before_a_date_takes_what_was_said_before_it_and_nothing_else() {
    let server = Server::start().await;
    let ids = [text(&server.toot("one").await, "id"), text(&server.toot("two").await, "id")];
    server.post(&format!("/api/v1/statuses/{}/favourite", ids[0]), json!({})).await.ok();
    let early = erase(&server, json!({"before": "2001-01-01"})).await;
    assert_eq!((&early["found"], &early["erased"]), (&json!(0), &json!(0)));
    let counted = erase(&server, json!({"before": "2100-01-01", "dry_run": true})).await;
    assert_eq!(counted["kinds"], json!({"post": 2, "reaction": 1}));
    assert_eq!(counted["erased"], 0);
    assert_eq!(server.get(&format!("/api/v1/statuses/{}", ids[0])).await.status, 200);
    let done = erase(&server, json!({"before": "2100-01-01", "now": true})).await;
    assert_eq!((&done["erased"], &done["left"]), (&json!(3), &json!(0)));
    for id in &ids {
        assert_eq!(server.get(&format!("/api/v1/statuses/{id}")).await.status, 404);
    }
    assert_eq!(erase(&server, json!({"before": "2100-01-01"})).await["found"], 0, "again there is nothing");
    let me = server.get("/api/v1/accounts/verify_credentials").await.ok();
    assert_eq!(me["username"], "lan", "the profile is not something said");
    for wrong in [json!({}), json!({"before": "soon"}), json!({"before": "2001-01-01", "everything": true})] {
        server.post("/api/xom/v1/erasures", wrong).await.refused(422);
    }
    server.stop().await;
}

#[tokio::test]
async fn erasing_by_device_takes_what_that_device_said() {
    let server = Server::start().await;
    server.toot("one").await;
    let identity = server.get("/api/xom/v1/identity").await.ok();
    server.post("/api/xom/v1/erasures", json!({"device": "x"})).await.refused(422);
    let other = xom_protocol::DeviceId([7; 32]).to_string();
    assert_eq!(erase(&server, json!({"device": other})).await["erased"], 0);
    assert_eq!(server.get("/api/v1/timelines/home").await.ok().as_array().unwrap().len(), 1);
    assert_eq!(erase(&server, json!({"device": identity["device"]})).await["erased"], 1);
    assert_eq!(server.get("/api/v1/timelines/home").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn erasing_everything_and_retiring_leaves_nothing_that_can_be_erased_and_nobody_who_can_sign() {
    let server = Server::start().await;
    let did = text(&server.get("/api/xom/v1/identity").await.ok(), "did");
    let posted = server.toot("one").await;
    let device = xom_protocol::DeviceId([7; 32]).to_string();
    server.post("/api/xom/v1/erasures", json!({"device": device, "retire": true})).await.refused(422);
    let done = erase(&server, json!({"everything": true, "now": true, "retire": true})).await;
    assert_eq!((&done["kinds"], &done["retired"]), (&json!({"post": 1, "profile": 1}), &json!(true)));
    assert_eq!(server.get(&format!("/api/v1/statuses/{}", text(&posted, "id"))).await.status, 404);
    let again = server.post("/api/v1/statuses", json!({"status": "still here?"})).await;
    assert_eq!((again.status.as_u16(), text(&again.json(), "code")), (403, "retired".to_owned()));
    assert!(!again.json().to_string().contains("pair"), "{}", again.json());
    let warnings = server.get("/api/xom/v1/status").await.ok()["warnings"].to_string();
    assert!(warnings.contains("was retired") && !warnings.contains("pair"), "{warnings}");
    let known = server.get(&format!("/api/xom/v1/identities/{did}")).await.ok();
    let lines: Vec<&str> =
        known["history"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert!(lines.iter().any(|line| line.contains("retired")), "{lines:?}");
    server.stop().await;
}

#[tokio::test]
async fn an_identity_resolves_to_its_document_and_tells_its_history_in_words() {
    let server = Server::start().await;
    let did = text(&server.get("/api/xom/v1/identity").await.ok(), "did");
    let document = server.get(&format!("/api/xom/v1/identities/{did}/document")).await;
    assert_eq!(document.header("content-type"), "application/did+ld+json");
    assert_eq!(text(&document.ok(), "id"), did);
    let known = server.get(&format!("/api/xom/v1/identities/{did}")).await.ok();
    let first = known["history"][0]["text"].as_str().unwrap();
    assert!(first.contains(": made, with device "), "{first}");
    assert!(known["history"][0]["seen_at"].is_string());
    assert_eq!((&known["locked"], &known["duplicity"]), (&json!(false), &json!(false)));
    let last = known["history"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["text"], &last["seen_at"]), (&json!("now: 1 device may speak for it"), &json!(null)));
    let unknown = xom_protocol::Did([7; 32]).to_string();
    for wrong in ["did:xom:x", "1", &unknown] {
        assert_eq!(server.get(&format!("/api/xom/v1/identities/{wrong}")).await.status, 404, "{wrong}");
    }
    server.stop().await;
}
