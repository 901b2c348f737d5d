//! Notifications that wait, recommendations, suggestions and trends: what takes two nodes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Server, ids, text};
use crate::shapes;

const DEADLINE: Duration = Duration::from_secs(60);

/// Asks until the answer is as wanted.
async fn until(server: &Server, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let asked = async {
        loop {
            ticks.tick().await;
            let answer = server.get(path).await;
            if answer.status == 200 && wanted(&answer.json()) {
                return answer.json();
            }
        }
    };
    tokio::time::timeout(DEADLINE, asked).await.unwrap_or_else(|_| panic!("{path} never was as wanted"))
}

/// Two nodes that follow each other, with the second's account at the first, and the first's DID.
async fn two() -> (Server, Server, String, String) {
    let (lan, minh) = (Server::listening().await, Server::listening().await);
    let invite = text(&minh.get("/api/xom/v1/invites").await.ok(), "invite");
    let followed = lan.post("/api/xom/v1/follow", json!({ "invite": invite })).await.ok();
    let invite = text(&lan.get("/api/xom/v1/invites").await.ok(), "invite");
    let back = minh.post("/api/xom/v1/follow", json!({ "invite": invite })).await.ok();
    let path = format!("/api/v1/accounts/lookup?acct={}", text(&followed, "did"));
    let account = until(&lan, &path, |account| account["id"].is_string()).await;
    until(&lan, "/api/v1/notifications", |list| !list.as_array().unwrap().is_empty()).await;
    (lan, minh, text(&account, "id"), text(&back, "did"))
}

#[tokio::test]
async fn notifications_of_whom_the_policy_filters_wait_until_they_are_accepted_or_dismissed() {
    let (lan, minh, other, did) = two().await;
    // The other side lets who is new wait, and puts what waits away.
    minh.call("PATCH", "/api/v2/notifications/policy", json!({"for_new_accounts": "filter"})).await.ok();
    let waiting = until(&minh, "/api/v1/notifications/requests", |list| !list.as_array().unwrap().is_empty()).await;
    assert_eq!(text(&waiting[0]["account"], "uri"), did);
    let id = text(&waiting[0], "id");
    minh.post("/api/v1/notifications/requests/dismiss", json!({"id": [id]})).await.ok();
    assert_eq!(minh.get("/api/v1/notifications/requests").await.ok(), json!([]));
    let policy = json!({"for_not_following": "filter", "for_not_followers": "drop"});
    let shown = lan.call("PATCH", "/api/v2/notifications/policy", policy).await.ok();
    shapes::notification_policy(&shown);
    assert_eq!((&shown["for_not_following"], &shown["for_not_followers"]), (&json!("filter"), &json!("drop")));
    assert_eq!(lan.get("/api/v1/notifications/requests").await.ok(), json!([]), "he is followed");
    lan.post(&format!("/api/v1/accounts/{other}/unfollow"), json!({})).await.ok();
    assert_eq!(lan.get("/api/v1/notifications").await.ok(), json!([]));
    let requests = lan.get("/api/v1/notifications/requests").await.ok();
    shapes::notification_request(&requests[0]);
    assert_eq!(ids(&requests), std::slice::from_ref(&other));
    let summary = lan.get("/api/v2/notifications/policy").await.ok()["summary"].clone();
    assert_eq!(summary["pending_requests_count"], 1);
    let path = format!("/api/v1/notifications/requests/{other}");
    assert_eq!(lan.get(&path).await.ok()["account"]["id"], other.as_str());
    let both = lan.get("/api/v1/notifications?include_filtered=true").await.ok();
    assert!(!both.as_array().unwrap().is_empty());
    lan.post(&format!("{path}/accept"), json!({})).await.ok();
    assert_eq!(lan.get("/api/v1/notifications/requests").await.ok(), json!([]));
    assert!(!lan.get("/api/v1/notifications").await.ok().as_array().unwrap().is_empty());
    assert_eq!(lan.get("/api/v1/notifications/requests/merged").await.ok(), json!({"merged": true}));
    lan.get(&path).await.refused(404);
    let wrong = json!({"for_not_following": "shout"});
    lan.call("PATCH", "/api/v2/notifications/policy", wrong).await.refused(422);
    lan.stop().await;
    minh.stop().await;
}

#[tokio::test]
async fn people_are_recommended_suggested_and_make_trends_together() {
    let (lan, minh, other, _) = two().await;
    let endorsed = lan.post(&format!("/api/v1/accounts/{other}/endorse"), json!({})).await.ok();
    shapes::relationship(&endorsed);
    assert_eq!(endorsed["endorsed"], true);
    assert_eq!(ids(&lan.get("/api/v1/endorsements").await.ok()), std::slice::from_ref(&other));
    let own = text(&lan.get("/api/v1/accounts/verify_credentials").await.ok(), "id");
    assert_eq!(ids(&lan.get(&format!("/api/v1/accounts/{own}/endorsements")).await.ok()), std::slice::from_ref(&other));
    assert_eq!(lan.get(&format!("/api/v1/accounts/{other}/endorsements")).await.ok(), json!([]));
    let back = lan.post(&format!("/api/v1/accounts/{other}/unpin"), json!({})).await.ok();
    assert_eq!(back["endorsed"], false);
    // Nobody but the two is known, so that nobody is suggested.
    assert_eq!(lan.get("/api/v2/suggestions").await.ok(), json!([]));

    lan.toot("#xóm https://a.example/").await;
    minh.toot("#Xóm https://a.example/").await;
    let tags = until(&lan, "/api/v1/trends/tags", |tags| !tags.as_array().unwrap().is_empty()).await;
    shapes::tag(&tags[0]);
    assert_eq!(text(&tags[0], "name"), "xóm");
    let history = tags[0]["history"].as_array().unwrap();
    assert_eq!(history.len(), 7);
    let uses: u64 = history.iter().map(|day| text(day, "uses").parse::<u64>().unwrap()).sum();
    assert_eq!(uses, 2);
    let links = lan.get("/api/v1/trends/links").await.ok();
    shapes::trends_link(&links[0]);
    assert_eq!(text(&links[0], "url"), "https://a.example/");
    lan.stop().await;
    minh.stop().await;
}
