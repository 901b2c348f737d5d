//! Feeds as clients ask for them: what there is, a page with why, and a file that is not published.

use serde_json::{Value, json};

use crate::harness::{Server, ids, text};
use crate::shapes;

const FILE: &str = r#"
# Long posts first.
licence = "CC0-1.0"
name = { en = "Long first" }
summary = { en = "The longer the higher." }
sources = [{ from = "follows", hours = 24 }]
params = [{ id = "weight", label = { en = "Weight" }, min = 1, max = 9, default = 2 }]
filters = [{ id = "said", label = { en = "Not empty" }, keep = "post.length > 2" }]
terms = [{ id = "length", label = { en = "It is long" }, value = "post.length * param.weight" }]
cases = [{ name = "ten letters", row = { post = { length = 10 } }, terms = { length = 20 }, score = 20 }]
"#;

/// The ids of the statuses of a page.
fn shown(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().expect("a list");
    items.iter().map(|item| text(&item["status"], "id")).collect()
}

#[tokio::test]
async fn what_is_built_in_is_listed_and_shown_by_name_and_by_id() {
    let server = Server::start().await;
    let list = server.get("/api/xom/v1/feeds").await.ok();
    let slugs: Vec<_> = list.as_array().expect("a list").iter().map(|feed| text(feed, "slug")).collect();
    assert_eq!(slugs, ["newest", "close-friends", "quiet", "conversations", "tag-digest"]);
    let quiet = server.get("/api/xom/v1/feeds/quiet?language=vi").await.ok();
    assert_eq!(text(&quiet, "name"), "Những người ít lời");
    assert_eq!(quiet["private"], true);
    let same = server.get(&format!("/api/xom/v1/feeds/{}", ids(&list)[2])).await.ok();
    assert_eq!(text(&same, "source"), text(&quiet, "source"));
    server.get("/api/xom/v1/feeds/loudest").await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_not_published_orders_the_timeline_and_says_why() {
    let server = Server::start().await;
    let mut posts = Vec::new();
    for words in ["bốn chữ ở đây", "dài hơn một chút nữa thôi", "ít", "a b"] {
        posts.push(text(&server.toot(words).await, "id"));
    }
    let page = server
        .post("/api/xom/v1/feeds/try", json!({ "source": FILE, "page": { "params": { "weight": 3 } } }))
        .await
        .ok();
    assert_eq!(shown(&page), [posts[1].clone(), posts[0].clone(), posts[3].clone()]);
    let first = &page["items"][0];
    shapes::status(&first["status"]);
    assert_eq!(first["explanation"]["score"], 75);
    assert_eq!(
        first["explanation"]["terms"],
        json!([{ "id": "length", "label": "It is long", "value": 75, "error": null }])
    );
    assert_eq!(page["withheld"], json!([{ "reason": "filter", "filter": "said", "label": "Not empty", "count": 1 }]));
    assert_eq!(page["total"], 3);
    server.stop().await;
}

#[tokio::test]
async fn a_page_is_asked_for_by_name_with_what_can_be_tuned() {
    let server = Server::start().await;
    let mut posts = Vec::new();
    for words in ["một", "hai", "ba"] {
        posts.insert(0, text(&server.toot(words).await, "id"));
    }
    let page = server.get("/api/xom/v1/feeds/newest/page?limit=2").await.ok();
    assert_eq!(shown(&page).len(), 2);
    let next = server.get("/api/xom/v1/feeds/newest/page?limit=2&offset=2").await.ok();
    let mut both = [shown(&page), shown(&next)].concat();
    both.sort();
    posts.sort();
    assert_eq!(both, posts);
    let tuned = server.post("/api/xom/v1/feeds/close-friends/page", json!({ "params": { "half_life": 6 } })).await.ok();
    assert_eq!(text(&tuned, "name"), "Close friends first");
    let tuned = server.get("/api/xom/v1/feeds/close-friends/page?params[half_life]=6").await.ok();
    assert_eq!(text(&tuned, "name"), "Close friends first");
    for (params, why) in [
        (json!({ "half_life": 0 }), "half_life is from 1 to 72"),
        (json!({ "boost": 1 }), "no parameter boost"),
        (json!({ "half_life": "long" }), "half_life"),
    ] {
        let refused =
            server.post("/api/xom/v1/feeds/close-friends/page", json!({ "params": params })).await.refused(422);
        assert!(refused.contains(why), "{refused}");
    }
    for (count, status) in [(32, 200), (33, 422)] {
        let languages: Vec<String> = (0..count).map(|number| format!("x{number}")).collect();
        let page = server.post("/api/xom/v1/feeds/newest/page", json!({ "languages": languages })).await;
        assert_eq!(page.status.as_u16(), status, "{count} languages");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_file_that_is_wrong_is_refused_with_what_is_wrong() {
    let server = Server::start().await;
    for (change, why) in [
        (("post.length *", "post.lenght *"), "terms: length: post.lenght at byte 0 is not there to be read"),
        (("score = 20", "score = 21"), "the score is 20 and should be 21"),
        (("follows", "community"), "it draws from a community"),
        (("licence =", "license ="), "unknown field"),
    ] {
        let source = FILE.replace(change.0, change.1);
        let refused = server.post("/api/xom/v1/feeds/try", json!({ "source": source })).await.refused(422);
        assert!(refused.contains(why), "{refused}");
    }
    server.stop().await;
}
