//! Keeping over the API and on the page.

use serde_json::{Value, json};

use crate::harness::{Server, text};
use crate::house::House;

/// A DID that nobody has.
const NOBODY: &str = "did:xom:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[tokio::test]
async fn a_bare_keep_is_two_gigabytes_for_a_year_and_the_list_has_the_agreed_members() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/xom/v1/keeps").await.ok(), json!([]));
    let kept = server.post("/api/xom/v1/keeps", json!({ "who": NOBODY })).await.ok();
    assert_eq!((&kept["did"], &kept["quota_bytes"]), (&NOBODY.into(), &2_000_000_000_u64.into()), "{kept}");
    let list = server.get("/api/xom/v1/keeps").await.ok();
    let row = list[0].as_object().expect("a row");
    let members: Vec<&str> = row.keys().map(String::as_str).collect();
    assert_eq!(members, ["bytes", "did", "height", "log", "quota_bytes", "until"]);
    assert_eq!((&row["log"], &row["height"], &row["bytes"]), (&Value::Null, &0.into(), &0.into()));
    let (since, until) = (text(&kept, "since"), text(&kept, "until"));
    let year = |time: &str| time[..4].parse::<u32>().expect("a year");
    assert_eq!(year(&until), year(&since) + 1, "{since} to {until}");
    server.call("DELETE", &format!("/api/xom/v1/keeps/{NOBODY}"), Value::Null).await.ok();
    server.call("DELETE", &format!("/api/xom/v1/keeps/{NOBODY}"), Value::Null).await.refused(404);
    server.stop().await;
}

#[tokio::test]
async fn terms_that_nobody_can_keep_are_refused() {
    let server = Server::start().await;
    for wrong in [
        json!({}),
        json!({ "who": "xom:nonsense" }),
        json!({ "who": "nobody@here.xom" }),
        json!({ "who": NOBODY, "quota_bytes": 999_999 }),
        json!({ "who": NOBODY, "quota_bytes": "much" }),
        json!({ "who": NOBODY, "for_ms": 0 }),
    ] {
        server.post("/api/xom/v1/keeps", wrong).await.refused(422);
    }
    let own = text(&server.get("/api/xom/v1/identity").await.ok(), "did");
    server.post("/api/xom/v1/keeps", json!({ "who": own })).await.refused(422);
    server.post("/api/xom/v1/keepers", json!({ "who": own })).await.refused(422);
    assert_eq!(server.get("/api/xom/v1/keeps").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn the_policy_is_what_was_allowed_and_denied_last() {
    let server = Server::start().await;
    let empty = server.get("/api/xom/v1/keeps/policy").await.ok();
    assert_eq!((&empty["allow"], &empty["deny"], &empty["others"]), (&json!([]), &json!([]), &"ask".into()));
    let allowed = server.post(&format!("/api/xom/v1/keeps/{NOBODY}/allow"), json!({ "quota_bytes": 5_000_000 })).await;
    assert_eq!(allowed.ok()["kept"], false, "nobody has asked");
    let policy = server.get("/api/xom/v1/keeps/policy").await.ok();
    assert_eq!((&policy["allow"][0]["did"], &policy["allow"][0]["quota_bytes"]), (&NOBODY.into(), &5_000_000.into()));
    server.post(&format!("/api/xom/v1/keeps/{NOBODY}/deny"), json!({})).await.ok();
    let policy = server.get("/api/xom/v1/keeps/policy").await.ok();
    assert_eq!((&policy["allow"], &policy["deny"]), (&json!([]), &json!([NOBODY])));
    assert_eq!(server.get("/api/xom/v1/keeps/requests").await.ok(), json!([]));
    server.stop().await;
}

#[tokio::test]
async fn who_was_asked_is_listed_until_the_wish_is_taken_back() {
    let server = Server::start().await;
    server.toot("please keep this").await;
    let asked = server.post("/api/xom/v1/keepers", json!({ "who": NOBODY, "quota_bytes": 5_000_000 })).await.ok();
    assert_eq!((&asked["did"], &asked["state"]), (&NOBODY.into(), &"not reached".into()), "{asked}");
    let copies = server.get("/api/xom/v1/keepers").await.ok();
    assert_eq!((&copies["logs"][0]["copies"], &copies["logs"][0]["holders"]), (&0.into(), &json!([])), "{copies}");
    assert_eq!(copies["keepers"][0], asked);
    assert_eq!(server.get("/api/xom/v1/status").await.ok()["copies"], 0);
    server.call("DELETE", &format!("/api/xom/v1/keepers/{NOBODY}"), Value::Null).await.ok();
    server.call("DELETE", &format!("/api/xom/v1/keepers/{NOBODY}"), Value::Null).await.refused(404);
    assert_eq!(server.get("/api/xom/v1/keepers?ask=false").await.ok()["keepers"], json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_how_many_copies_there_are() {
    let house = House::new("lan").await;
    let cookie = house.log_in().await;
    let page = house.get("/copies", &cookie).await;
    assert_eq!(page.status, axum::http::StatusCode::OK);
    assert!(page.body.contains("no live copy on a machine of somebody else"), "{}", page.body);
    assert!(house.get("/", &cookie).await.body.contains("href=\"/copies\""));
    assert_eq!(house.get("/copies", "").await.status, axum::http::StatusCode::UNAUTHORIZED);
    house.close().await;
}
