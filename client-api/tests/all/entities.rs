//! Every implemented GET answers with the members that the schema requires.

use serde_json::json;

use crate::harness::{Server, ids, text};
use crate::shapes;

#[tokio::test]
async fn accounts_have_every_member_that_clients_need() {
    let server = Server::start().await;
    let own = server.get("/api/v1/accounts/verify_credentials").await.ok();
    shapes::credential_account(&own);
    assert_eq!((text(&own, "username"), text(&own, "acct")), ("lan".into(), "lan".into()));
    let id = text(&own, "id");
    shapes::account(&server.get(&format!("/api/v1/accounts/{id}")).await.ok());
    let did = text(&own, "uri");
    for acct in ["lan".to_owned(), "@lan".into(), did.clone()] {
        let found = server.get(&format!("/api/v1/accounts/lookup?acct={acct}")).await.ok();
        assert_eq!(text(&found, "id"), id, "{acct}");
    }
    let relationships = server.get(&format!("/api/v1/accounts/relationships?id[]={id}&id[]=17")).await.ok();
    assert_eq!(ids(&relationships), [id.as_str()]);
    shapes::relationship(&relationships[0]);
    for list in ["followers", "following", "statuses"] {
        assert_eq!(server.get(&format!("/api/v1/accounts/{id}/{list}")).await.ok(), json!([]), "{list}");
    }
    let found = server.get(&format!("/api/v2/search?q={did}&resolve=true&type=accounts")).await.ok();
    shapes::search(&found);
    assert_eq!(ids(&found["accounts"]), [id.as_str()]);
    assert_eq!(ids(&server.get("/api/v1/accounts/search?q=lan").await.ok()), [id]);
    server.stop().await;
}

#[tokio::test]
async fn statuses_have_every_member_that_clients_need() {
    let server = Server::start().await;
    let own = server.get("/api/v1/accounts/verify_credentials").await.ok();
    let posted = server.toot("Xin chào #Xóm! @lan https://www.example.com/x").await;
    shapes::status(&posted);
    let id = text(&posted, "id");
    assert_eq!(text(&posted["tags"][0], "name"), "xóm");
    assert_eq!(text(&posted["mentions"][0], "acct"), "lan");
    assert!(text(&posted, "content").contains("<span class=\"invisible\">https://www.</span>"));
    let account = text(&own, "id");
    for list in [
        "/api/v1/timelines/home".to_owned(),
        "/api/v1/timelines/public".into(),
        "/api/v1/timelines/public?local=true".into(),
        "/api/v1/timelines/tag/x%C3%B3m".into(),
        format!("/api/v1/accounts/{account}/statuses"),
        format!("/api/v1/statuses?id[]={id}"),
    ] {
        let found = server.get(&list).await.ok();
        assert_eq!(ids(&found), [id.as_str()], "{list}");
        shapes::status(&found[0]);
    }
    assert_eq!(server.get("/api/v1/timelines/public?remote=true").await.ok(), json!([]));
    shapes::status(&server.get(&format!("/api/v1/statuses/{id}")).await.ok());
    shapes::context(&server.get(&format!("/api/v1/statuses/{id}/context")).await.ok());
    let source = server.get(&format!("/api/v1/statuses/{id}/source")).await.ok();
    assert_eq!(text(&source, "text"), "Xin chào #Xóm! @lan https://www.example.com/x");
    for list in ["favourited_by", "reblogged_by"] {
        assert_eq!(server.get(&format!("/api/v1/statuses/{id}/{list}")).await.ok(), json!([]));
    }
    for query in [id.clone(), text(&posted, "uri"), text(&posted, "url"), text(&posted["xom"], "entry")] {
        let found = server.get(&format!("/api/v2/search?type=statuses&q={query}")).await.ok();
        assert_eq!(ids(&found["statuses"]), [id.as_str()], "{query}");
    }
    let found = server.get("/api/v2/search?type=hashtags&q=%23x%C3%B3m").await.ok();
    shapes::search(&found);
    assert_eq!(ids(&found["hashtags"]), ["xóm"]);
    assert_eq!(server.get("/api/v1/notifications").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn the_instance_needs_no_token() {
    let server = Server::start().await;
    let open = |path: &str| {
        let request = axum::http::Request::builder().uri(path).header("host", crate::harness::HOST);
        server.send(request.body(axum::body::Body::empty()).unwrap())
    };
    shapes::instance_v2(&open("/api/v2/instance/").await.ok());
    shapes::instance_v1(&open("/api/v1/instance").await.ok());
    let link = open("/.well-known/nodeinfo").await.ok();
    assert_eq!(text(&link["links"][0], "href"), "http://localhost:7766/nodeinfo/2.0");
    let info = open("/nodeinfo/2.0").await.ok();
    assert_eq!(text(&info["software"], "name"), "xom");
    assert_eq!(text(&info["metadata"]["upstream"], "name"), "mastodon");
    assert_eq!(open("/health").await.status, 200);
    server.stop().await;
}
