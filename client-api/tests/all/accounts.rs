//! The profile, and how accounts stand to each other.

use axum::body::Body;
use axum::http::header;
use serde_json::json;

use crate::harness::{BASE, Server, picture, text};
use crate::shapes;

#[tokio::test]
async fn a_profile_is_changed_field_by_field() {
    let server = Server::start().await;
    let path = "/api/v1/accounts/update_credentials";
    let form = "display_name=Lan+Nguy%E1%BB%85n&note=Ch%C3%A0o&bot=true\
        &fields_attributes[0][name]=nh%C3%A0&fields_attributes[0][value]=https://a.example";
    let request = server.request("PATCH", path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let account = server.send(request.body(Body::from(form)).unwrap()).await.ok();
    shapes::credential_account(&account);
    assert_eq!(text(&account, "display_name"), "Lan Nguyễn");
    assert_eq!(text(&account, "note"), "<p>Chào</p>");
    assert_eq!(text(&account["source"], "note"), "Chào");
    assert!(text(&account["fields"][0], "value").starts_with("<a href=\"https://a.example\""));
    assert_eq!(account["bot"], true);
    let account = server.call("PATCH", path, json!({"locked": true})).await.ok();
    assert_eq!((text(&account, "display_name"), &account["locked"]), ("Lan Nguyễn".into(), &json!(true)));
    server.call("PATCH", path, json!({"display_name": "x".repeat(101)})).await.refused(422);
    server.call("PATCH", path, json!({"avatar": "http://evil.example/x.png"})).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn an_avatar_is_served_as_what_its_bytes_are() {
    let server = Server::start().await;
    let path = "/api/v1/accounts/update_credentials";
    let bytes = picture();
    let account = server.upload("PATCH", path, "avatar", &bytes).await.ok();
    let avatar = text(&account, "avatar").replace(BASE, "");
    assert!(avatar.starts_with("/media/"), "{avatar}");
    let answer = server.get(&avatar).await;
    assert_eq!((answer.header("content-type"), &answer.bytes), ("image/png", &bytes));
    server.upload("PATCH", path, "avatar", b"<html><script>").await.refused(422);
    let account = server.call("PATCH", path, json!({"avatar": ""})).await.ok();
    let placeholder = text(&account, "avatar").replace(BASE, "");
    assert!(placeholder.starts_with("/avatars/did:xom:"), "{placeholder}");
    assert_eq!(server.get(&placeholder).await.header("content-type"), "image/svg+xml");
    let wide = text(&account, "header").replace(BASE, "");
    assert_eq!(server.get(&wide).await.header("content-type"), "image/svg+xml");
    server.stop().await;
}

#[tokio::test]
async fn nobody_follows_or_blocks_himself_and_unknown_accounts_are_not_found() {
    let server = Server::start().await;
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    for action in ["follow", "block"] {
        server.post(&format!("/api/v1/accounts/{own}/{action}"), json!({})).await.refused(422);
        server.post(&format!("/api/v1/accounts/17/{action}"), json!({})).await.refused(404);
    }
    server.get("/api/v1/accounts/lookup?acct=nobody@nowhere.xom").await.refused(404);
    server.get("/api/v1/accounts/lookup").await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn a_did_that_nobody_here_knows_can_be_followed_and_left() {
    let server = Server::start().await;
    let did = xom_protocol::Did([7; 32]).to_string();
    let followed = server.post("/api/xom/v1/follow", json!({"did": did})).await.ok();
    assert_eq!(text(&followed, "did"), did);
    let account = server.get(&format!("/api/v1/accounts/lookup?acct={did}")).await.ok();
    shapes::account(&account);
    let id = text(&account, "id");
    let relationship = server.get(&format!("/api/v1/accounts/relationships?id={id}")).await.ok();
    assert_eq!(relationship[0]["following"], true);
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    let following = server.get(&format!("/api/v1/accounts/{own}/following")).await.ok();
    assert_eq!(crate::harness::ids(&following), [id.as_str()]);
    let left = server.post(&format!("/api/v1/accounts/{id}/unfollow"), json!({})).await.ok();
    shapes::relationship(&left);
    assert_eq!(left["following"], false);
    let blocked = server.post(&format!("/api/v1/accounts/{id}/block"), json!({})).await.ok();
    assert_eq!(blocked["blocking"], true);
    let unblocked = server.post(&format!("/api/v1/accounts/{id}/unblock"), json!({})).await.ok();
    assert_eq!(unblocked["blocking"], false);
    server.post("/api/xom/v1/follow", json!({"invite": "xom:nonsense"})).await.refused(422);
    server.post("/api/xom/v1/follow", json!({})).await.refused(422);
    server.stop().await;
}
