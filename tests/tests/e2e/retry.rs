//! A client that got no answer asks again under the same key: there is one post, whenever the node was killed.

use std::io::Write;
use std::net::TcpStream;

use serde_json::json;
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

/// How often the node is killed.
const KILLS: usize = 12;

/// Sends a post and leaves without reading the answer.
fn send_unanswered(home: &Home, key: &str, post: &str) -> TcpStream {
    let url = home.url("");
    let host = url.trim_start_matches("http://");
    let body = json!({ "status": post }).to_string();
    let request = format!(
        "POST /api/v1/statuses HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nIdempotency-Key: {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        home.token(),
        body.len()
    );
    let mut socket = TcpStream::connect(host).expect("the node takes connections");
    socket.write_all(request.as_bytes()).expect("the request is sent");
    socket
}

#[test]
fn a_post_that_was_stored_but_not_acknowledged_is_not_made_again_by_a_retry() {
    let mut alice = Home::started("alice");
    let mut ids = Vec::new();
    for round in 0..KILLS {
        let (key, post) = (format!("key {round}"), format!("round {round}"));
        let unread = send_unanswered(&alice, &key, &post);
        // In one round the post is stored for sure, in the next the kill comes as early as it can.
        if round % 2 == 0 {
            wait_until("the post is stored", DEADLINE, || alice.timeline().contains(&post).then_some(()));
        }
        alice.kill();
        drop(unread);
        alice.start();
        let before = alice.timeline().contains(&post);
        assert!(before || round % 2 == 1, "what was stored is lost");
        let (code, status) = alice.post_under(&key, "/api/v1/statuses", &json!({ "status": post }));
        assert_eq!(code, 200, "{status}");
        ids.push(text(&status["id"]));
        let again = alice.post_under(&key, "/api/v1/statuses", &json!({ "status": "something else" }));
        assert_eq!((again.0, text(&again.1["id"])), (200, text(&status["id"])));
        assert_eq!(alice.timeline().iter().filter(|known| **known == post).count(), 1, "{post} is there twice");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), KILLS);
    assert_eq!(alice.timeline().len(), KILLS);
}
