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
    for name in ["passphrase", "words", "%70assphrase", "words[]", "passphrase%5B%5D"] {
        let path = format!("/api/xom/v1/statuses/{id}/erase?now=true&{name}=x");
        server.post(&path, json!({})).await.refused(422);
    }
    server.stop().await;
}

/// The answers to what is asked now.
async fn answers(server: &Server) -> String {
    let phrase = server.get("/api/xom/v1/phrase").await.ok();
    let word = |place: &serde_json::Value| {
        let place = usize::try_from(place.as_u64().unwrap()).unwrap();
        phrase["words"][place - 1].as_str().unwrap().to_owned()
    };
    phrase["asked"].as_array().unwrap().iter().map(word).collect::<Vec<_>>().join(" ")
}

async fn confirm(server: &Server, choice: serde_json::Value) -> crate::harness::Answer {
    let mut body = choice;
    body["answers"] = json!(answers(server).await);
    server.post("/api/xom/v1/phrase/confirm", body).await
}

#[tokio::test]
async fn the_words_are_shown_over_the_api_until_three_of_them_are_given_back() {
    let server = Server::start().await;
    assert_eq!(
        server.get("/api/xom/v1/keys").await.ok(),
        json!({"control_key": "unsealed", "device_key": "unsealed", "device_key_open": true, "phrase": "unconfirmed"}),
    );
    let shown = server.get("/api/xom/v1/phrase").await;
    assert_eq!(shown.header("cache-control"), "private, no-store");
    let words: Vec<String> = serde_json::from_value(shown.ok()["words"].clone()).unwrap();
    assert_eq!(words.join(" "), server.words());
    assert!(server.get("/api/xom/v1/phrase/asked").await.ok().get("words").is_none());
    let wrong = server.post("/api/xom/v1/phrase/confirm", json!({"answers": "zoo zoo zoo"})).await;
    wrong.refused(403);
    assert_eq!(wrong.json()["code"], "wrong-words");
    let state = confirm(&server, json!({})).await.ok();
    assert_eq!((&state["phrase"], &state["control_key"]), (&json!("absent"), &json!("absent")));
    assert!(!server.key_file("phrase").exists() && !server.key_file("control.key").exists());
    server.get("/api/xom/v1/phrase").await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn a_reminder_stays_in_the_status_until_the_words_are_confirmed() {
    let server = Server::start().await;
    let warnings = async || server.get("/api/xom/v1/status").await.ok()["warnings"].to_string();
    assert!(warnings().await.contains("the 24 words of lan are not confirmed"));
    assert_eq!(server.post("/api/xom/v1/phrase/postpone", json!({})).await.ok()["phrase"], "postponed");
    assert!(warnings().await.contains("the 24 words of lan are not confirmed"));
    confirm(&server, json!({})).await.ok();
    assert_eq!(warnings().await, "[]");
    server.stop().await;
}

#[tokio::test]
async fn where_chosen_keys_are_unsealed_with_mode_0600_and_a_warning() {
    let server = Server::start().await;
    let state = confirm(&server, json!({"unsealed": true})).await.ok();
    assert_eq!(state["control_key"], "unsealed");
    let warnings = server.get("/api/xom/v1/status").await.ok()["warnings"].to_string();
    assert!(warnings.contains("the control key of lan lies unsealed"), "{warnings}");
    server.stop().await;
}

#[tokio::test]
async fn a_sealed_control_key_orders_a_purge_with_its_passphrase_and_a_wrong_one_is_clear_and_loses_nothing() {
    let server = Server::start().await;
    confirm(&server, json!({"new_passphrase": "short"})).await.refused(422);
    confirm(&server, json!({"new_passphrase": "correct horse battery"})).await.ok();
    let id = text(&server.toot("x").await, "id");
    let path = format!("/api/xom/v1/statuses/{id}/erase");
    for (brought, code) in [
        (json!({"now": true}), "control-key-sealed"),
        (json!({"now": true, "passphrase": "battery horse correct"}), "wrong-passphrase"),
    ] {
        let refused = server.post(&path, brought).await;
        refused.refused(403);
        assert_eq!(refused.json()["code"], code);
    }
    assert_eq!(server.get(&format!("/api/v1/statuses/{id}")).await.status, 200);
    let brought = json!({"now": true, "passphrase": "correct horse battery"});
    assert_eq!(server.post(&path, brought).await.ok()["purged"], true);
    server.stop().await;
}

#[tokio::test]
async fn the_passphrase_is_changed_over_the_api_by_whoever_knows_the_old_one() {
    let server = Server::start().await;
    confirm(&server, json!({"new_passphrase": "correct horse battery"})).await.ok();
    let change = async |old: &str| {
        let body = json!({"passphrase": old, "new_passphrase": "a new passphrase", "device": true});
        server.post("/api/xom/v1/passphrase", body).await
    };
    assert_eq!(change("battery horse correct").await.refused(403), "wrong passphrase; nothing was changed, try again");
    for odd in [json!(""), json!("  "), json!(12_345_678), json!(["a new passphrase"])] {
        let body = json!({"passphrase": "correct horse battery", "new_passphrase": odd});
        assert!(server.post("/api/xom/v1/passphrase", body).await.refused(422).contains("new_passphrase"), "{odd}");
        assert_eq!(server.get("/api/xom/v1/keys").await.ok()["control_key"], "sealed", "{odd}");
    }
    assert_eq!(change("correct horse battery").await.ok()["device_key"], "sealed");
    change("correct horse battery").await.refused(403);
    server.stop().await;
}
