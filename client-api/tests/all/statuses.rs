//! Writing: posts, replies, edits, likes, reposts, polls, erasure.

use axum::body::Body;
use axum::http::header;
use serde_json::{Value, json};

use crate::harness::{Answer, Server, ids, text};
use crate::shapes;

#[tokio::test]
async fn a_post_can_be_sent_as_json_form_or_multipart() {
    let server = Server::start().await;
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nba\r\n--x--\r\n";
    for (content_type, body) in [
        (Some("application/json"), r#"{"status":"một"}"#),
        (Some("application/x-www-form-urlencoded"), "status=hai"),
        (Some("multipart/form-data; boundary=x"), multipart),
        (None, "status=kh%C3%B4ng"),
    ] {
        let mut request = server.request("POST", "/api/v1/statuses");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        shapes::status(&server.send(request.body(Body::from(body)).unwrap()).await.ok());
    }
    assert_eq!(server.get("/api/v1/timelines/home").await.ok().as_array().unwrap().len(), 4);
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_posted_is_refused_in_clear_words() {
    let server = Server::start().await;
    for (body, words) in [
        (json!({}), "blank"),
        (json!({"status": " \n "}), "blank"),
        (json!({"status": "x".repeat(5_001)}), "5000"),
        (json!({"status": "x", "visibility": "private"}), "not supported"),
        (json!({"status": "x", "visibility": "direct"}), "not supported"),
        (json!({"status": "x", "scheduled_at": "tomorrow"}), "RFC 3339"),
        (json!({"status": "x", "media_ids": ["17"]}), "medium"),
        (json!({"status": "x", "poll": {"options": ["a"], "expires_in": 600}}), "Options"),
    ] {
        let said = server.post("/api/v1/statuses", body.clone()).await.refused(422);
        assert!(said.contains(words), "{body}: {said}");
    }
    server.post("/api/v1/statuses", json!({"status": "x", "in_reply_to_id": "17"})).await.refused(404);
    assert_eq!(server.get("/api/v1/timelines/home").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn r_api_19_the_same_idempotency_key_posts_once() {
    let server = Server::start().await;
    let send = |body: Value| {
        let request = server.request("POST", "/api/v1/statuses").header("Idempotency-Key", "k");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        server.send(request.body(Body::from(body.to_string())).unwrap())
    };
    let (first, second) = tokio::join!(send(json!({"status": "x"})), send(json!({"status": "x"})));
    assert_eq!(text(&first.ok(), "id"), text(&second.ok(), "id"));
    // As from Mastodon: the key decides, not what is sent with it.
    let other = send(json!({"status": "y"})).await.ok();
    assert_eq!(text(&other, "id"), text(&first.ok(), "id"));
    assert_eq!(server.get("/api/v1/timelines/home").await.ok().as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn replies_make_a_thread() {
    let server = Server::start().await;
    let first = text(&server.toot("một").await, "id");
    let reply =
        |parent: &str, words: &str| server.post("/api/v1/statuses", json!({"status": words, "in_reply_to_id": parent}));
    let second = reply(&first, "hai").await.ok();
    assert_eq!(text(&second, "in_reply_to_id"), first);
    let second = text(&second, "id");
    let third = text(&reply(&second, "ba").await.ok(), "id");
    let context = server.get(&format!("/api/v1/statuses/{second}/context")).await.ok();
    shapes::context(&context);
    assert_eq!(ids(&context["ancestors"]), [first.as_str()]);
    assert_eq!(ids(&context["descendants"]), [third]);
    assert_eq!(server.get(&format!("/api/v1/statuses/{first}")).await.ok()["replies_count"], 1);
    server.stop().await;
}

#[tokio::test]
async fn likes_and_reposts_are_counted_and_taken_back() {
    let server = Server::start().await;
    let id = text(&server.toot("x").await, "id");
    let act = async |action: &str| server.post(&format!("/api/v1/statuses/{id}/{action}"), json!({})).await.ok();
    let liked = act("favourite").await;
    assert_eq!((&liked["favourited"], &liked["favourites_count"]), (&json!(true), &json!(1)));
    assert_eq!(act("favourite").await["favourites_count"], 1);
    let who = server.get(&format!("/api/v1/statuses/{id}/favourited_by")).await.ok();
    shapes::account(&who[0]);
    assert_eq!(act("unfavourite").await["favourites_count"], 0);
    let repost = act("reblog").await;
    shapes::status(&repost);
    assert_eq!(text(&repost["reblog"], "id"), id);
    assert_eq!(repost["reblog"]["reblogged"], true);
    // What is done to a repost is done to the post.
    let through = server.post(&format!("/api/v1/statuses/{}/favourite", text(&repost, "id")), json!({})).await.ok();
    assert_eq!((text(&through, "id"), &through["favourites_count"]), (id.clone(), &json!(1)));
    let back = act("unreblog").await;
    assert_eq!((&back["reblogged"], &back["reblogs_count"]), (&json!(false), &json!(0)));
    server.stop().await;
}

#[tokio::test]
async fn an_edit_changes_the_text_and_keeps_the_rest() {
    let server = Server::start().await;
    let body = json!({"status": "một #a", "language": "vi", "visibility": "unlisted", "spoiler_text": "cw"});
    let id = text(&server.post("/api/v1/statuses", body).await.ok(), "id");
    let edited = server.call("PUT", &format!("/api/v1/statuses/{id}"), json!({"status": "hai #b"})).await.ok();
    shapes::status(&edited);
    assert_eq!(text(&edited, "language"), "vi");
    assert_eq!(text(&edited, "visibility"), "unlisted");
    assert_eq!(text(&edited, "spoiler_text"), "");
    assert_eq!(text(&edited["tags"][0], "name"), "b");
    assert!(edited["edited_at"].is_string());
    let source = server.get(&format!("/api/v1/statuses/{id}/source")).await.ok();
    assert_eq!(text(&source, "text"), "hai #b");
    server.stop().await;
}

#[tokio::test]
async fn an_edit_of_an_answer_keeps_whom_it_mentions_by_a_bare_name() {
    let server = Server::start().await;
    let did = xom_protocol::Did([7; 32]);
    server.post("/api/xom/v1/follow", json!({"did": did.to_string()})).await.ok();
    let parent = server.toot(&format!("xin chào @user@{}.xom", did.short())).await;
    assert_eq!(text(&parent["mentions"][0], "username"), "user", "{parent}");
    let answer = json!({"status": "@user một", "in_reply_to_id": text(&parent, "id")});
    let answer = server.post("/api/v1/statuses", answer).await.ok();
    assert_eq!(answer["mentions"], parent["mentions"]);
    let path = format!("/api/v1/statuses/{}", text(&answer, "id"));
    let edited = server.call("PUT", &path, json!({"status": "@user hai"})).await.ok();
    assert_eq!(edited["mentions"], parent["mentions"]);
    let other = server.call("PUT", &path, json!({"status": "ba"})).await.ok();
    assert_eq!(other["mentions"], json!([]), "a name that is gone from the text is mentioned no more");
    server.stop().await;
}

#[tokio::test]
async fn a_deleted_status_is_gone_and_gives_its_text_back() {
    let server = Server::start().await;
    let id = text(&server.toot("một").await, "id");
    let path = format!("/api/v1/statuses/{id}");
    let deleted = server.send(server.request("DELETE", &path).body(Body::empty()).unwrap()).await.ok();
    assert_eq!(text(&deleted, "text"), "một");
    server.get(&path).await.refused(404);
    server.send(server.request("DELETE", &path).body(Body::empty()).unwrap()).await.refused(404);
    assert_eq!(server.get("/api/v1/timelines/home").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_poll_shows_in_its_post_and_takes_no_vote_of_its_author() {
    let server = Server::start().await;
    let form = "status=x&poll[options][]=a&poll[options][]=b&poll[expires_in]=600&poll[multiple]=false";
    let request = server.request("POST", "/api/v1/statuses");
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let posted = server.send(request.body(Body::from(form)).unwrap()).await.ok();
    shapes::poll(&posted["poll"]);
    let id = text(&posted["poll"], "id");
    let poll = server.get(&format!("/api/v1/polls/{id}")).await.ok();
    assert_eq!(poll["options"], json!([{"title": "a", "votes_count": 0}, {"title": "b", "votes_count": 0}]));
    server.post(&format!("/api/v1/polls/{id}/votes"), json!({"choices": ["0"]})).await.refused(422);
    server.get("/api/v1/polls/17").await.refused(404);
    // Votes name options by their place: an edit keeps them.
    let path = format!("/api/v1/statuses/{}", text(&posted, "id"));
    let asked = |options: [&str; 2], multiple: bool| json!({"status": "y", "poll": {"options": options, "expires_in": 600, "multiple": multiple}});
    for changed in [asked(["b", "a"], false), asked(["a", "c"], false), asked(["a", "b"], true)] {
        server.call("PUT", &path, changed).await.refused(422);
    }
    for kept in [asked(["a", "b"], false), json!({"status": "z"})] {
        let edited = server.call("PUT", &path, kept).await.ok();
        assert_eq!(
            (&edited["poll"]["options"], &edited["poll"]["expires_at"]),
            (&poll["options"], &poll["expires_at"])
        );
    }
    let plain = server.post("/api/v1/statuses", json!({"status": "no poll"})).await.ok();
    let path = format!("/api/v1/statuses/{}", text(&plain, "id"));
    server.call("PUT", &path, asked(["a", "b"], false)).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn r_api_15_markup_that_somebody_writes_never_leaves_as_markup() {
    let server = Server::start().await;
    let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    let body = json!({"status": evil, "spoiler_text": evil, "poll": {"options": [evil, "b"], "expires_in": 600}});
    let posted = server.post("/api/v1/statuses", body).await.ok();
    let profile = json!({
        "display_name": evil, "note": evil, "fields_attributes": [{"name": evil, "value": evil}],
    });
    let account = server.call("PATCH", "/api/v1/accounts/update_credentials", profile).await.ok();
    let html = [text(&posted, "content"), text(&account, "note"), text(&account["fields"][0], "value")];
    for html in html {
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    }
    // What is plain text in Mastodon's API stays plain text, in JSON that no browser takes for a page.
    let answer: Answer = server.get("/api/v1/timelines/home").await;
    assert!(answer.header("content-type").starts_with("application/json"));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let echoed = server.get("/api/v1/%3Cscript%3Ealert(1)%3C%2Fscript%3E?x=%3Cscript%3E").await;
    assert!(!String::from_utf8_lossy(&echoed.bytes).contains("<script"));
    server.stop().await;
}
