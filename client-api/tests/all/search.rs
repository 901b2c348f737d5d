//! Search over posts, people and tags, as clients ask for it.

use serde_json::{Value, json};

use crate::harness::{Server, ids, text};
use crate::shapes;

async fn found(server: &Server, query: &str) -> Value {
    let found = server.get(&format!("/api/v2/search?{query}")).await.ok();
    shapes::search(&found);
    found
}

#[tokio::test]
async fn posts_are_searched_by_their_words_and_paged_by_offset_and_id() {
    let server = Server::start().await;
    let mut posts = Vec::new();
    for words in ["Chợ hòa bình #chợ", "cho hoa binh", "chợ đêm"] {
        posts.insert(0, text(&server.toot(words).await, "id"));
    }
    let of = |found: &Value| ids(&found["statuses"]);
    assert_eq!(of(&found(&server, "q=cho").await), posts);
    assert_eq!(of(&found(&server, "q=ch%E1%BB%A3").await), [posts[0].clone(), posts[2].clone()]);
    assert_eq!(of(&found(&server, "q=ho%C3%A0").await), posts[2..], "the place of the tone mark does not count");
    assert_eq!(of(&found(&server, "q=cho&type=statuses&limit=1&offset=1").await), posts[1..2]);
    assert_eq!(of(&found(&server, &format!("q=cho&type=statuses&limit=1&max_id={}", posts[0])).await), posts[1..2]);
    assert_eq!(of(&found(&server, &format!("q=cho&min_id={}", posts[2])).await), posts[..2]);
    assert_eq!(of(&found(&server, "q=cho+-dem").await), posts[1..]);
    assert_eq!(of(&found(&server, "q=cho&type=accounts").await), Vec::<String>::new());
    let own = text(&server.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    assert_eq!(of(&found(&server, &format!("q=cho&account_id={own}")).await), posts);
    assert_eq!(of(&found(&server, "q=cho&account_id=17").await), Vec::<String>::new());
    server.call("DELETE", &format!("/api/v1/statuses/{}", posts[0]), json!({})).await.ok();
    assert_eq!(of(&found(&server, "q=cho").await), posts[1..]);
    assert_eq!(of(&server.get("/api/v1/search?q=dem").await.ok()), Vec::<String>::new());
    server.stop().await;
}

#[tokio::test]
async fn tags_are_found_by_their_beginning_and_say_whether_they_are_followed() {
    let server = Server::start().await;
    server.toot("#Xóm #xom").await;
    server.post("/api/v1/tags/xom/follow", json!({})).await.ok();
    let tags = found(&server, "q=%23xo&type=hashtags").await["hashtags"].clone();
    assert_eq!(ids(&tags), ["xom", "xóm"], "two tags");
    assert_eq!((&tags[0]["following"], &tags[1]["following"]), (&json!(true), &json!(false)));
    assert_eq!(ids(&found(&server, "q=x%C3%B3").await["hashtags"]), ["xóm"]);
    assert_eq!(ids(&found(&server, "q=xo&type=hashtags&offset=1").await["hashtags"]), ["xóm"]);
    server.stop().await;
}

#[tokio::test]
async fn somebody_of_whom_nothing_is_known_is_resolved_by_did_or_invite_and_can_be_followed() {
    let (server, other) = (Server::start().await, Server::start().await);
    let did = text(&other.get("/api/v1/accounts/verify_credentials").await.ok(), "uri");
    let invite = text(&other.get("/api/xom/v1/invites").await.ok(), "invite");
    let escaped: String = invite.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(found(&server, &format!("q={did}")).await["accounts"], json!([]), "without resolve");
    for query in [did.clone(), escaped] {
        let found = found(&server, &format!("q={query}&resolve=true&type=accounts")).await;
        assert_eq!(text(&found["accounts"][0], "uri"), did);
        let listed = server.get(&format!("/api/v1/accounts/search?q={query}&resolve=true")).await.ok();
        assert_eq!(ids(&listed), ids(&found["accounts"]));
    }
    let id = ids(&found(&server, &format!("q={did}&resolve=true")).await["accounts"]).remove(0);
    shapes::account(&server.get(&format!("/api/v1/accounts/{id}")).await.ok());
    let relationship = server.get(&format!("/api/v1/accounts/relationships?id[]={id}")).await.ok();
    assert_eq!(relationship[0]["following"], false);
    let followed = server.post(&format!("/api/v1/accounts/{id}/follow"), json!({})).await.ok();
    assert_eq!((text(&followed, "id"), &followed["following"]), (id.clone(), &json!(true)));
    assert_eq!(ids(&found(&server, &format!("q={did}")).await["accounts"]), [id]);
    assert_eq!(found(&server, "q=did:xom:abc&resolve=true").await["accounts"], json!([]));
    server.stop().await;
    other.stop().await;
}
