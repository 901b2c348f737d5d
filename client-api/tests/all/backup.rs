//! Sealed backups over the API.

use axum::body::Body;
use serde_json::json;
use xom_node::backup::known_names;

use crate::harness::Server;

#[tokio::test]
async fn a_backup_comes_as_a_sealed_stream_and_names_that_are_known_are_not_sent_again() {
    let server = Server::start().await;
    server.toot("a text to look for").await;
    server.post("/api/xom/v1/backup/key", json!({})).await.ok();
    let request = || server.request("POST", "/api/xom/v1/backup").header("content-type", "application/octet-stream");
    let first = server.send(request().body(Body::empty()).unwrap()).await;
    assert_eq!(first.status, 200);
    assert!(first.bytes.starts_with(b"xom backup 1\n"));
    assert!(!first.bytes.windows(18).any(|window| window == b"a text to look for"));
    let name = first.bytes[14..30].to_vec();
    assert_eq!(known_names(&name).unwrap().len(), 1);
    let second = server.send(request().body(Body::from(name)).unwrap()).await;
    assert!(second.bytes.len() < first.bytes.len());
    server.send(request().body(Body::from("not names")).unwrap()).await.refused(422);
    let stranger = axum::http::Request::post("/api/xom/v1/backup").header("host", crate::harness::HOST);
    let refused = server.send(stranger.body(Body::empty()).unwrap()).await;
    refused.refused(401);
    server.stop().await;
}

#[tokio::test]
async fn words_of_somebody_else_prepare_no_backup_and_a_phrase_in_the_address_is_refused() {
    let server = Server::start().await;
    let others = format!("{}art", "abandon ".repeat(23));
    let refused = server.post("/api/xom/v1/backup/key", json!({ "words": others })).await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["code"].is_string());
    assert_ne!(server.post("/api/xom/v1/backup/key?words=x", json!({})).await.status, 200);
    server.stop().await;
}
