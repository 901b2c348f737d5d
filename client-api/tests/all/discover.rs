//! What may interest somebody, and what a profile shows of others.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};

use crate::harness::{BASE, HOST, Server, ids, text};
use crate::shapes;

#[tokio::test]
async fn tags_are_featured_with_their_use_and_left() {
    let server = Server::start().await;
    server.toot("#Xóm một").await;
    server.toot("#xóm hai #chợ").await;
    let names = |list: &Value| list.as_array().unwrap().iter().map(|tag| text(tag, "name")).collect::<Vec<_>>();
    assert_eq!(names(&server.get("/api/v1/featured_tags/suggestions").await.ok()), ["xóm", "chợ"]);
    let featured = server.post("/api/v1/featured_tags", json!({"name": "#Xóm"})).await.ok();
    shapes::featured_tag(&featured);
    assert_eq!((text(&featured, "name"), text(&featured, "statuses_count")), ("xóm".into(), "2".into()));
    server.post("/api/v1/tags/ch%E1%BB%A3/feature", json!({})).await.ok();
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    let shown = server.get(&format!("/api/v1/accounts/{own}/featured_tags")).await.ok();
    assert_eq!(names(&shown), ["chợ", "xóm"]);
    server.post("/api/v1/tags/ch%E1%BB%A3/unfeature", json!({})).await.ok();
    server.call("DELETE", &format!("/api/v1/featured_tags/{}", text(&featured, "id")), json!({})).await.ok();
    assert_eq!(server.get("/api/v1/featured_tags").await.ok(), json!([]));
    server.call("DELETE", "/api/v1/featured_tags/17", json!({})).await.refused(404);
    for name in ["", "two words", "#"] {
        server.post("/api/v1/featured_tags", json!({ "name": name })).await.refused(422);
    }
    for number in 0..10 {
        server.post("/api/v1/featured_tags", json!({ "name": format!("tag{number}") })).await.ok();
    }
    server.post("/api/v1/featured_tags", json!({"name": "more"})).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn posts_are_quoted_and_quotes_are_counted_and_listed() {
    let server = Server::start().await;
    let quoted = server.toot("câu gốc").await;
    let id = text(&quoted, "id");
    assert_eq!(quoted["quote_approval"]["current_user"], "automatic");
    let quote = server.post("/api/v1/statuses", json!({"status": "xem này", "quoted_status_id": id})).await.ok();
    shapes::status(&quote);
    assert_eq!(quote["quote"]["state"], "accepted");
    assert_eq!(quote["quote"]["quoted_status"]["id"], id.as_str());
    let path = format!("/api/v1/statuses/{id}");
    assert_eq!(server.get(&path).await.ok()["quotes_count"], 1);
    assert_eq!(ids(&server.get(&format!("{path}/quotes")).await.ok()), [text(&quote, "id")]);
    server.post(&format!("{path}/quotes/{}/revoke", text(&quote, "id")), json!({})).await.refused(422);
    server.call("PUT", &format!("{path}/interaction_policy"), json!({"quote_approval_policy": "public"})).await.ok();
    let nobody = json!({"quote_approval_policy": "nobody"});
    server.call("PUT", &format!("{path}/interaction_policy"), nobody).await.refused(422);
    server.call("DELETE", &format!("/api/v1/statuses/{}", text(&quote, "id")), json!({})).await.ok();
    assert_eq!(server.get(&path).await.ok()["quotes_count"], 0);
    assert_eq!(server.get(&format!("{path}/quotes")).await.ok(), json!([]));
    server.post("/api/v1/statuses", json!({"status": "x", "quoted_status_id": "17"})).await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn the_profile_is_edited_as_plain_text_and_new_posts_follow_its_defaults() {
    let server = Server::start().await;
    let changed = json!({
        "display_name": "Lan", "note": "a & b",
        "fields_attributes": {"0": {"name": "site", "value": "x"}},
        "source": {"privacy": "unlisted", "sensitive": true, "language": "vi"},
    });
    let credentials = server.call("PATCH", "/api/v1/accounts/update_credentials", changed).await.ok();
    shapes::credential_account(&credentials);
    let source = &credentials["source"];
    assert_eq!((&source["privacy"], &source["sensitive"]), (&json!("unlisted"), &json!(true)));
    assert_eq!((&source["language"], &source["fields"][0]["name"]), (&json!("vi"), &json!("site")));
    let preferences = server.get("/api/v1/preferences").await.ok();
    assert_eq!(preferences["posting:default:visibility"], "unlisted");
    let posted = server.toot("mặc định").await;
    assert_eq!((&posted["visibility"], &posted["sensitive"]), (&json!("unlisted"), &json!(true)));
    assert_eq!(posted["language"], "vi");
    let said = json!({"status": "nói rõ", "visibility": "public", "sensitive": false, "language": "en"});
    let posted = server.post("/api/v1/statuses", said).await.ok();
    assert_eq!((&posted["visibility"], &posted["sensitive"]), (&json!("public"), &json!(false)));
    let refused = json!({"source": {"privacy": "private"}});
    server.call("PATCH", "/api/v1/accounts/update_credentials", refused).await.refused(422);
    let back = json!({"source": {"privacy": "public", "language": ""}});
    let credentials = server.call("PATCH", "/api/v1/accounts/update_credentials", back).await.ok();
    assert_eq!(
        (&credentials["source"]["privacy"], &credentials["source"]["language"]),
        (&json!("public"), &Value::Null)
    );
    let profile = server.get("/api/v1/profile").await.ok();
    shapes::profile(&profile);
    assert_eq!((text(&profile, "note"), text(&profile, "display_name")), ("a & b".into(), "Lan".into()));
    server.upload("PATCH", "/api/v1/profile", "avatar", &crate::harness::picture()).await.ok();
    assert!(server.get("/api/v1/profile").await.ok()["avatar"].is_string());
    shapes::credential_account(&server.call("DELETE", "/api/v1/profile/avatar", json!({})).await.ok());
    assert_eq!(server.get("/api/v1/profile").await.ok()["avatar"], Value::Null);
    server.stop().await;
}

#[tokio::test]
async fn a_post_of_this_node_is_embedded_without_a_token_and_nothing_of_it_runs() {
    let server = Server::start().await;
    let post = server.toot("<script>alert(1)</script> & \"chào\"").await;
    let open = async |query: &str| {
        let request = Request::builder().uri(format!("/api/oembed?{query}")).header(header::HOST, HOST);
        server.send(request.body(Body::empty()).unwrap()).await
    };
    let card = open(&format!("url={}&maxwidth=300", text(&post, "url"))).await.ok();
    shapes::oembed(&card);
    assert_eq!((text(&card, "type"), &card["width"]), ("rich".into(), &json!(300)));
    let html = text(&card, "html");
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script"), "{html}");
    open("url=").await.refused(422);
    for url in ["https://elsewhere.example/@lan/1", &format!("{BASE}/@lan"), &format!("{BASE}/@lan/17")] {
        open(&format!("url={url}")).await.refused(404);
    }
    server.call("DELETE", &format!("/api/v1/statuses/{}", text(&post, "id")), json!({})).await.ok();
    open(&format!("url={}", text(&post, "url"))).await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn posts_that_name_a_link_have_a_timeline_and_one_person_makes_no_trend() {
    let server = Server::start().await;
    let first = server.toot("đọc https://a.example/b?c=1 nhé #xóm").await;
    server.toot("https://a.example/b?c=2").await;
    let found = server.get("/api/v1/timelines/link?url=https%3A%2F%2Fa.example%2Fb%3Fc%3D1").await.ok();
    assert_eq!(ids(&found), [text(&first, "id")]);
    server.get("/api/v1/timelines/link").await.refused(422);
    for kind in ["tags", "links", "statuses"] {
        assert_eq!(server.get(&format!("/api/v1/trends/{kind}")).await.ok(), json!([]), "{kind}");
    }
    server.post(&format!("/api/v1/statuses/{}/favourite", text(&first, "id")), json!({})).await.ok();
    assert_eq!(ids(&server.get("/api/v1/trends/statuses").await.ok()), [text(&first, "id")]);
    server.stop().await;
}

#[tokio::test]
async fn the_directory_and_the_node_say_what_is_there() {
    let server = Server::start().await;
    server.toot("x").await;
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    for query in ["", "?order=new", "?local=true&limit=1"] {
        assert_eq!(
            ids(&server.get(&format!("/api/v1/directory{query}")).await.ok()),
            std::slice::from_ref(&own),
            "{query}"
        );
    }
    assert_eq!(server.get("/api/v1/directory?offset=1").await.ok(), json!([]));
    server.get("/api/v1/directory?order=loud").await.refused(422);
    assert_eq!(server.get("/api/v2/suggestions").await.ok(), json!([]));
    assert_eq!(server.get("/api/v1/suggestions").await.ok(), json!([]));
    let activity = server.get("/api/v1/instance/activity").await.ok();
    assert_eq!(activity.as_array().unwrap().len(), 12);
    assert_eq!(text(&activity[0], "statuses"), "1");
    let terms = server.get("/api/v1/instance/terms_of_service").await.ok();
    shapes::terms_of_service(&terms);
    let day = text(&terms, "effective_date");
    assert_eq!(server.get(&format!("/api/v1/instance/terms_of_service/{day}")).await.ok(), terms);
    server.get("/api/v1/instance/terms_of_service/2001-01-01").await.refused(404);
    server.get("/api/v1/instance/terms_of_service/today").await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn an_upload_that_nobody_used_is_taken_back() {
    let server = Server::start().await;
    let media = server.upload("POST", "/api/v2/media", "file", &crate::harness::picture()).await.ok();
    let path = format!("/api/v1/media/{}", text(&media, "id"));
    server.call("DELETE", &path, json!({})).await.ok();
    server.call("DELETE", &path, json!({})).await.refused(404);
    server.get(&path).await.refused(404);
    server.stop().await;
}
