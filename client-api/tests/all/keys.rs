//! What a request brings to open a key, and what it is answered where that is not enough.

use serde_json::json;

use crate::harness::{Server, text};

/// Words that are a phrase, of nobody here.
fn foreign_words() -> String {
    format!("{} vote", ["zoo"; 23].join(" "))
}

#[tokio::test]
async fn an_order_of_the_control_key_takes_the_kept_key_or_the_words() {
    let server = Server::start().await;
    let words = server.words();
    for brought in [json!({"now": true}), json!({"now": true, "words": words.to_uppercase()})] {
        let id = text(&server.toot("x").await, "id");
        let erased = server.post(&format!("/api/xom/v1/statuses/{id}/erase"), brought).await.ok();
        assert_eq!(erased["purged"], true);
    }
    server.stop().await;
}

#[tokio::test]
async fn what_does_not_open_the_control_key_is_refused_with_a_code_and_what_to_do() {
    let server = Server::start().await;
    let id = text(&server.toot("x").await, "id");
    let path = format!("/api/xom/v1/statuses/{id}/erase");
    let check = async |body: serde_json::Value, code: &str, says: &str| {
        let answer = server.post(&path, body).await;
        let error = answer.refused(403);
        assert!(error.contains(says), "{error}");
        assert_eq!(answer.json()["code"], code, "{error}");
    };
    check(json!({"now": true, "words": foreign_words()}), "other-words", "of another identity").await;
    check(json!({"now": true, "words": "xom"}), "not-a-phrase", "a phrase has 24 words").await;
    check(json!({"now": true, "passphrase": "correct horse"}), "not-sealed", "leave the passphrase out").await;
    for file in ["control.key", "phrase"] {
        std::fs::remove_file(server.key_file(file)).unwrap();
    }
    check(json!({"now": true}), "words-needed", "give the 24 words").await;
    assert_eq!(server.get(&format!("/api/v1/statuses/{id}")).await.status, 200, "nothing was erased");
    server.stop().await;
}

#[tokio::test]
async fn r_api_10_a_secret_in_an_address_is_refused() {
    let server = Server::start().await;
    let id = text(&server.toot("x").await, "id");
    for name in ["passphrase", "words"] {
        let path = format!("/api/xom/v1/statuses/{id}/erase?now=true&{name}=x");
        server.post(&path, json!({})).await.refused(422);
    }
    server.stop().await;
}
