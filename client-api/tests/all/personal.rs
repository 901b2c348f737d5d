//! What an owner sets for himself: bookmarks, pins, tags, lists, filters, markers; and what is empty here.

use serde_json::{Value, json};

use crate::harness::{Server, ids, text};
use crate::shapes;

#[tokio::test]
async fn bookmarks_and_favourites_are_listed_by_when_they_were_made_and_page_to_their_end() {
    let server = Server::start().await;
    let mut posts = Vec::new();
    for n in 0..5 {
        posts.push(text(&server.toot(&format!("post {n}")).await, "id"));
    }
    for (action, list, member) in
        [("bookmark", "/api/v1/bookmarks", "bookmarked"), ("favourite", "/api/v1/favourites", "favourited")]
    {
        // In another order than they were written.
        for at in [2, 0, 4, 1] {
            let done = server.post(&format!("/api/v1/statuses/{}/{action}", posts[at]), json!({})).await.ok();
            shapes::status(&done);
            assert_eq!(done[member], true);
        }
        let mut found = Vec::new();
        let mut path = format!("{list}?limit=3");
        loop {
            let page = server.get(&path).await;
            page.ok().as_array().unwrap().iter().for_each(|status| assert_eq!(status[member], true));
            found.extend(ids(&page.ok()));
            let Some(next) = page.header("link").split(", ").find(|link| link.contains("next")) else { break };
            path = next.split(['<', '>']).nth(1).unwrap().replace(crate::harness::BASE, "");
        }
        assert_eq!(found, [&posts[1], &posts[4], &posts[0], &posts[2]].map(String::as_str), "{list}");
        let undo = server.post(&format!("/api/v1/statuses/{}/un{action}", posts[4]), json!({})).await.ok();
        assert_eq!(undo[member], false);
        assert_eq!(ids(&server.get(list).await.ok()), [&posts[1], &posts[0], &posts[2]].map(String::as_str));
    }
    server.call("DELETE", &format!("/api/v1/statuses/{}", posts[0]), Value::Null).await.ok();
    for list in ["/api/v1/bookmarks", "/api/v1/favourites"] {
        assert_eq!(ids(&server.get(list).await.ok()), [&posts[1], &posts[2]].map(String::as_str), "{list}");
    }
    server.post("/api/v1/statuses/17/bookmark", json!({})).await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn five_own_posts_can_be_pinned_and_the_profile_shows_them_first() {
    let server = Server::start().await;
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    let pinned = format!("/api/v1/accounts/{own}/statuses?pinned=true");
    let mut posts = Vec::new();
    for n in 0..6 {
        posts.push(text(&server.toot(&format!("post {n}")).await, "id"));
    }
    for id in &posts[..5] {
        assert_eq!(server.post(&format!("/api/v1/statuses/{id}/pin"), json!({})).await.ok()["pinned"], true);
    }
    server.post(&format!("/api/v1/statuses/{}/pin", posts[0]), json!({})).await.ok();
    let refused = server.post(&format!("/api/v1/statuses/{}/pin", posts[5]), json!({})).await.refused(422);
    assert!(refused.contains("maximum"), "{refused}");
    assert_eq!(ids(&server.get(&pinned).await.ok()), posts[..5].iter().rev().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(server.post(&format!("/api/v1/statuses/{}/unpin", posts[4]), json!({})).await.ok()["pinned"], false);
    assert_eq!(server.get(&pinned).await.ok().as_array().unwrap().len(), 4);
    server.stop().await;
}

#[tokio::test]
async fn the_history_of_a_post_has_every_version() {
    let server = Server::start().await;
    let id = text(&server.toot("một").await, "id");
    for words in ["hai", "ba"] {
        server.call("PUT", &format!("/api/v1/statuses/{id}"), json!({"status": words})).await.ok();
    }
    let history = server.get(&format!("/api/v1/statuses/{id}/history")).await.ok();
    let contents: Vec<String> = history.as_array().unwrap().iter().map(|edit| text(edit, "content")).collect();
    assert_eq!(contents, ["<p>một</p>", "<p>hai</p>", "<p>ba</p>"]);
    history.as_array().unwrap().iter().for_each(shapes::status_edit);
    server.get("/api/v1/statuses/17/history").await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn tags_are_followed_in_lower_case_and_left() {
    let server = Server::start().await;
    let followed = server.post("/api/v1/tags/X%C3%B3m/follow", json!({})).await.ok();
    shapes::tag(&followed);
    assert_eq!((text(&followed, "name"), &followed["following"]), ("xóm".into(), &json!(true)));
    assert_eq!(server.get("/api/v1/tags/x%C3%B3m").await.ok()["following"], true);
    assert_eq!(server.get("/api/v1/tags/xom").await.ok()["following"], false, "accents count");
    server.post("/api/v1/tags/hai/follow", json!({})).await.ok();
    let names = |list: &Value| list.as_array().unwrap().iter().map(|tag| text(tag, "name")).collect::<Vec<_>>();
    assert_eq!(names(&server.get("/api/v1/followed_tags").await.ok()), ["hai", "xóm"]);
    assert_eq!(server.post("/api/v1/tags/hai/unfollow", json!({})).await.ok()["following"], false);
    assert_eq!(names(&server.get("/api/v1/followed_tags").await.ok()), ["xóm"]);
    server.post("/api/v1/tags/no%20tag/follow", json!({})).await.refused(404);
    server.post(&format!("/api/v1/tags/{}/follow", "%E1%BA%BF".repeat(50)), json!({})).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn lists_are_made_changed_and_taken_away() {
    let server = Server::start().await;
    let made = server.post("/api/v1/lists", json!({"title": "Bạn bè", "replies_policy": "none"})).await.ok();
    shapes::list(&made);
    assert_eq!((text(&made, "title"), text(&made, "replies_policy")), ("Bạn bè".into(), "none".into()));
    let path = format!("/api/v1/lists/{}", text(&made, "id"));
    let changed = server.call("PUT", &path, json!({"title": "Nhà", "exclusive": true})).await.ok();
    assert_eq!((text(&changed, "title"), text(&changed, "replies_policy")), ("Nhà".into(), "none".into()));
    assert_eq!(server.get(&path).await.ok(), changed);
    assert_eq!(server.get("/api/v1/lists").await.ok(), json!([changed]));
    for wrong in [json!({}), json!({"title": " "}), json!({"title": "x", "replies_policy": "some"})] {
        server.post("/api/v1/lists", wrong).await.refused(422);
    }
    // Nobody is followed here, so that nobody but the owner fits.
    server.post(&format!("{path}/accounts"), json!({"account_ids": ["17"]})).await.refused(404);
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    server.post(&format!("{path}/accounts"), json!({"account_ids": [own]})).await.ok();
    server.post(&format!("{path}/accounts"), json!({"account_ids": [own]})).await.refused(422);
    assert_eq!(ids(&server.get(&format!("{path}/accounts?limit=0")).await.ok()), [own.as_str()]);
    assert_eq!(ids(&server.get(&format!("/api/v1/accounts/{own}/lists")).await.ok()), [text(&made, "id")]);
    let posted = server.toot("x").await;
    let timeline = format!("/api/v1/timelines/list/{}", text(&made, "id"));
    assert_eq!(ids(&server.get(&timeline).await.ok()), [text(&posted, "id")]);
    server.call("DELETE", &format!("{path}/accounts"), json!({"account_ids": [own]})).await.ok();
    assert_eq!(server.get(&timeline).await.ok(), json!([]));
    server.call("DELETE", &path, Value::Null).await.ok();
    for gone in [path.as_str(), &timeline, &format!("{path}/accounts")] {
        server.get(gone).await.refused(404);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_filter_is_the_same_in_both_versions() {
    let server = Server::start().await;
    let body = json!({
        "title": "bóng đá", "context": ["home", "public"], "filter_action": "hide", "expires_in": 3600,
        "keywords_attributes": [{"keyword": "world cup", "whole_word": true}, {"keyword": "penalty"}],
    });
    let made = server.post("/api/v2/filters", body).await.ok();
    shapes::filter(&made);
    assert_eq!(made["keywords"].as_array().unwrap().len(), 2);
    let path = format!("/api/v2/filters/{}", text(&made, "id"));
    let old = server.get("/api/v1/filters").await.ok();
    old.as_array().unwrap().iter().for_each(shapes::filter_v1);
    assert_eq!((old.as_array().unwrap().len(), &old[0]["irreversible"]), (2, &json!(true)));
    let phrase = format!("/api/v1/filters/{}", text(&old[0], "id"));
    let changed = server.call("PUT", &phrase, json!({"phrase": "cup", "context": ["home"]})).await.ok();
    assert_eq!((text(&changed, "phrase"), &changed["context"]), ("cup".into(), &json!(["home"])));
    let keyword = format!("/api/v2/filters/keywords/{}", text(&old[0], "id"));
    assert_eq!(text(&server.get(&keyword).await.ok(), "keyword"), "cup");
    server.call("PUT", &keyword, json!({"keyword": "", "whole_word": false})).await.refused(422);
    let whole = server.call("PUT", &keyword, json!({"whole_word": false})).await.ok();
    assert_eq!((text(&whole, "keyword"), &whole["whole_word"]), ("cup".into(), &json!(false)));
    server.post(&format!("{path}/keywords"), json!({"keyword": "goal"})).await.ok();
    assert_eq!(server.get(&format!("{path}/keywords")).await.ok().as_array().unwrap().len(), 3);
    let status = text(&server.toot("x").await, "id");
    let pair = server.post(&format!("{path}/statuses"), json!({"status_id": status})).await.ok();
    assert_eq!(text(&pair, "status_id"), status);
    assert_eq!(server.get(&format!("{path}/statuses")).await.ok(), json!([pair]));
    server.call("DELETE", &format!("/api/v2/filters/statuses/{}", text(&pair, "id")), Value::Null).await.ok();
    assert_eq!(server.get(&format!("{path}/statuses")).await.ok(), json!([]));
    server.call("DELETE", &keyword, Value::Null).await.ok();
    server.get(&keyword).await.refused(404);
    server.call("DELETE", &path, Value::Null).await.ok();
    assert_eq!(server.get("/api/v1/filters").await.ok(), json!([]));
    let old = server.post("/api/v1/filters", json!({"phrase": "x", "context": ["thread"]})).await.ok();
    assert_eq!(server.get("/api/v2/filters").await.ok()[0]["title"], "x");
    server.call("DELETE", &format!("/api/v1/filters/{}", text(&old, "id")), Value::Null).await.ok();
    assert_eq!(server.get("/api/v2/filters").await.ok(), json!([]));
    for wrong in [json!({"title": "x"}), json!({"title": "x", "context": ["attic"]}), json!({"context": ["home"]})] {
        server.post("/api/v2/filters", wrong).await.refused(422);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_marker_counts_how_often_it_was_set() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/v1/markers?timeline[]=home").await.ok(), json!({}));
    for version in 1..=2 {
        let set = server.post("/api/v1/markers", json!({"home": {"last_read_id": "17"}})).await.ok();
        assert_eq!((&set["home"]["last_read_id"], &set["home"]["version"]), (&json!("17"), &json!(version)));
        assert!(set["home"]["updated_at"].is_string());
    }
    let both = server.get("/api/v1/markers?timeline[]=home&timeline[]=notifications").await.ok();
    assert_eq!(both.as_object().unwrap().len(), 1, "{both}");
    server.post("/api/v1/markers", json!({"home": {"last_read_id": "x"}})).await.refused(422);
    server.stop().await;
}

#[tokio::test]
async fn what_an_owner_set_is_there_after_a_restart() {
    let house = crate::house::House::new("lan").await;
    let bearer = format!("Bearer {}", house.token);
    let send = async |house: &crate::house::House, method: &str, path: &str, body: Value| {
        let request = axum::http::Request::builder().method(method).uri(path).header("authorization", &bearer);
        let request = request.header("content-type", "application/json").body(axum::body::Body::from(body.to_string()));
        let answer = house.send(request.unwrap()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()
    };
    let id = text(&send(&house, "POST", "/api/v1/statuses", json!({"status": "x"})).await, "id");
    for action in ["bookmark", "pin", "mute", "favourite"] {
        send(&house, "POST", &format!("/api/v1/statuses/{id}/{action}"), json!({})).await;
    }
    send(&house, "POST", "/api/v1/markers", json!({"home": {"last_read_id": id}})).await;
    let house = house.restart().await;
    let status = send(&house, "GET", &format!("/api/v1/statuses/{id}"), Value::Null).await;
    for member in ["bookmarked", "pinned", "muted", "favourited"] {
        assert_eq!(status[member], true, "{member}");
    }
    assert_eq!(ids(&send(&house, "GET", "/api/v1/favourites", Value::Null).await), [id.as_str()]);
    let markers = send(&house, "GET", "/api/v1/markers?timeline[]=home", Value::Null).await;
    assert_eq!(markers["home"]["last_read_id"], id);
    house.close().await;
}

#[tokio::test]
async fn what_a_node_never_holds_is_an_empty_list_and_no_error() {
    let server = Server::start().await;
    for path in [
        "/api/v1/custom_emojis",
        "/api/v1/announcements",
        "/api/v1/conversations",
        "/api/v1/follow_requests",
        "/api/v1/featured_tags",
        "/api/v1/instance/rules",
        "/api/v1/instance/peers",
        "/api/v1/instance/domain_blocks",
        "/api/v1/mutes",
        "/api/v1/blocks",
        "/api/v1/domain_blocks",
        "/api/v1/notifications",
    ] {
        assert_eq!(server.get(path).await.ok(), json!([]), "{path}");
    }
    for path in ["/api/v1/conversations/1/read", "/api/v1/follow_requests/1/authorize"] {
        server.post(path, json!({})).await.refused(404);
    }
    let preferences = server.get("/api/v1/preferences").await.ok();
    shapes::preferences(&preferences);
    let about = server.get("/api/v1/instance/extended_description").await.ok();
    assert!(text(&about, "content").starts_with("<p>") && about["updated_at"].is_string());
    assert_eq!(server.get("/api/v1/instance/translation_languages").await.ok(), json!({}));
    assert_eq!(server.get("/api/v2/notifications/policy").await.ok()["for_not_following"], "accept");
    server.stop().await;
}
