//! What an owner does not want to see of others: two nodes, one that reads and one that is read.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Server, ids, text};
use crate::shapes;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Asks until the answer is as wanted.
async fn until(server: &Server, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let asked = async {
        loop {
            ticks.tick().await;
            let answer = server.get(path).await.ok();
            if wanted(&answer) {
                return answer;
            }
        }
    };
    tokio::time::timeout(DEADLINE, asked).await.unwrap_or_else(|_| panic!("{path} never was as wanted"))
}

fn has(id: &str) -> impl Fn(&Value) -> bool + '_ {
    move |list| ids(list).iter().any(|known| known == id)
}

/// A reader and somebody whom it follows, with the latter's account there, and his id.
pub(crate) async fn reader_and_author() -> (Server, Server, Value) {
    let (reader, author) = (Server::listening().await, Server::listening().await);
    let invite = text(&author.get("/api/xom/v1/invites").await.ok(), "invite");
    let followed = reader.post("/api/xom/v1/follow", json!({ "invite": invite })).await.ok();
    let invite = text(&reader.get("/api/xom/v1/invites").await.ok(), "invite");
    author.post("/api/xom/v1/follow", json!({ "invite": invite })).await.ok();
    let did = text(&followed, "did");
    let path = format!("/api/v1/accounts/lookup?acct={did}");
    let account = until(&reader, &path, |account| account["id"].is_string()).await;
    (reader, author, account)
}

pub(crate) async fn posted(reader: &Server, author: &Server, words: &str) -> String {
    let entry = text(&author.toot(words).await["xom"], "entry");
    let fits = |list: &Value| list.as_array().unwrap().iter().any(|status| status["xom"]["entry"] == entry);
    let home = until(reader, "/api/v1/timelines/public?limit=40", fits).await;
    let found = home.as_array().unwrap().iter().find(|status| status["xom"]["entry"] == entry);
    text(found.unwrap(), "id")
}

#[tokio::test]
async fn somebody_muted_is_in_no_list_until_the_mute_is_over_and_his_profile_stays() {
    let (reader, author, account) = reader_and_author().await;
    let id = text(&account, "id");
    let post = posted(&reader, &author, "một").await;
    assert!(has(&post)(&reader.get("/api/v1/timelines/home").await.ok()));
    let muted = reader.post(&format!("/api/v1/accounts/{id}/mute"), json!({"duration": 3600})).await.ok();
    shapes::relationship(&muted);
    assert_eq!((&muted["muting"], &muted["muting_notifications"]), (&json!(true), &json!(true)));
    assert!(muted["muting_expires_at"].is_string());
    for path in ["/api/v1/timelines/home", "/api/v1/timelines/public"] {
        assert!(!has(&post)(&reader.get(path).await.ok()), "{path}");
    }
    assert!(has(&post)(&reader.get(&format!("/api/v1/accounts/{id}/statuses")).await.ok()));
    let mutes = reader.get("/api/v1/mutes").await.ok();
    shapes::account(&mutes[0]);
    assert_eq!((text(&mutes[0], "id"), mutes[0]["mute_expires_at"].is_string()), (id.clone(), true));
    // One that is over.
    reader.post(&format!("/api/v1/accounts/{id}/mute"), json!({"duration": 1})).await.ok();
    until(&reader, "/api/v1/timelines/home", has(&post)).await;
    assert_eq!(reader.get("/api/v1/mutes").await.ok(), json!([]));
    reader.post(&format!("/api/v1/accounts/{id}/mute"), json!({"notifications": false})).await.ok();
    let unmuted = reader.post(&format!("/api/v1/accounts/{id}/unmute"), json!({})).await.ok();
    assert_eq!(unmuted["muting"], false);
    let note = reader.post(&format!("/api/v1/accounts/{id}/note"), json!({"comment": "hàng xóm"})).await.ok();
    assert_eq!(text(&note, "note"), "hàng xóm");
    reader.post(&format!("/api/v1/accounts/{id}/note"), json!({"comment": "x".repeat(1_025)})).await.refused(422);
    let host = text(&account, "acct").split_once('@').unwrap().1.to_owned();
    reader.post("/api/v1/domain_blocks", json!({ "domain": host })).await.ok();
    assert!(!has(&post)(&reader.get("/api/v1/timelines/home").await.ok()));
    assert_eq!(reader.get("/api/v1/domain_blocks").await.ok(), json!([host]));
    let stands = reader.get(&format!("/api/v1/accounts/relationships?id={id}")).await.ok();
    assert_eq!((&stands[0]["domain_blocking"], text(&stands[0], "note")), (&json!(true), "hàng xóm".into()));
    reader.call("DELETE", "/api/v1/domain_blocks", json!({ "domain": host })).await.ok();
    assert!(has(&post)(&reader.get("/api/v1/timelines/home").await.ok()));
    reader.post(&format!("/api/v1/accounts/{id}/block"), json!({})).await.ok();
    assert_eq!(ids(&reader.get("/api/v1/blocks").await.ok()), [id.as_str()]);
    for server in [reader, author] {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_filter_hides_what_fits_without_making_pages_short_and_marks_what_it_only_warns_of() {
    let (reader, author, account) = reader_and_author().await;
    let mut kept = Vec::new();
    for n in 0..4 {
        kept.push(posted(&reader, &author, &format!("quiet {n}")).await);
        posted(&reader, &author, &format!("Spoiler {n}")).await;
    }
    let body = json!({
        "title": "t", "context": ["home"], "filter_action": "hide", "keywords_attributes": [{"keyword": "spoiler"}],
    });
    let filter = reader.post("/api/v2/filters", body).await.ok();
    let newest: Vec<&str> = kept.iter().rev().map(String::as_str).collect();
    let first = reader.get("/api/v1/timelines/home?limit=3").await;
    assert_eq!(ids(&first.ok()), newest[..3], "a page is full");
    let rest = reader.get(&format!("/api/v1/timelines/home?limit=3&max_id={}", newest[2])).await.ok();
    assert_eq!(ids(&rest), newest[3..]);
    // Elsewhere it is there, with the filter that it fits.
    let public = reader.get("/api/v1/timelines/public").await.ok();
    let hit = public.as_array().unwrap().iter().find(|status| text(status, "content").contains("Spoiler")).unwrap();
    shapes::filter_result(&hit["filtered"][0]);
    assert_eq!(
        (&hit["filtered"][0]["filter"]["id"], &hit["filtered"][0]["keyword_matches"]),
        (&filter["id"], &json!(["spoiler"]))
    );
    let plain = public.as_array().unwrap().iter().find(|status| text(status, "content").contains("quiet")).unwrap();
    assert_eq!(plain["filtered"], json!([]));
    let path = format!("/api/v2/filters/{}", text(&filter, "id"));
    reader.call("PUT", &path, json!({"filter_action": "warn"})).await.ok();
    assert_eq!(reader.get("/api/v1/timelines/home").await.ok().as_array().unwrap().len(), 8);
    // A list of him alone, which home leaves out.
    let list = text(&reader.post("/api/v1/lists", json!({"title": "l", "exclusive": true})).await.ok(), "id");
    let member = json!({"account_ids": [text(&account, "id")]});
    reader.post(&format!("/api/v1/lists/{list}/accounts"), member).await.ok();
    assert_eq!(reader.get("/api/v1/timelines/home").await.ok(), json!([]));
    assert_eq!(reader.get(&format!("/api/v1/timelines/list/{list}")).await.ok().as_array().unwrap().len(), 8);
    for server in [reader, author] {
        server.stop().await;
    }
}

#[tokio::test]
async fn public_posts_with_a_followed_tag_stand_at_home() {
    let (reader, author, account) = reader_and_author().await;
    let tagged = posted(&reader, &author, "một #Chợ").await;
    let plain = posted(&reader, &author, "hai").await;
    reader.post(&format!("/api/v1/accounts/{}/unfollow", text(&account, "id")), json!({})).await.ok();
    let own = text(&reader.toot("ba").await, "id");
    assert_eq!(ids(&reader.get("/api/v1/timelines/home").await.ok()), [own.as_str()]);
    reader.post("/api/v1/tags/ch%E1%BB%A3/follow", json!({})).await.ok();
    let home = ids(&reader.get("/api/v1/timelines/home").await.ok());
    assert_eq!(home, [own.as_str(), tagged.as_str()], "without {plain}");
    assert_eq!(ids(&reader.get("/api/v1/timelines/home?limit=1").await.ok()), [own.as_str()]);
    let older = reader.get(&format!("/api/v1/timelines/home?limit=1&max_id={own}")).await.ok();
    assert_eq!(ids(&older), [tagged.as_str()]);
    let newer = reader.get(&format!("/api/v1/timelines/home?limit=1&min_id={plain}")).await.ok();
    assert_eq!(ids(&newer), [own.as_str()]);
    for server in [reader, author] {
        server.stop().await;
    }
}

#[tokio::test]
async fn notifications_are_grouped_counted_and_put_away() {
    let (reader, author, account) = reader_and_author().await;
    let post = posted(&reader, &author, "thích tôi đi").await;
    reader.post(&format!("/api/v1/statuses/{post}/favourite"), json!({})).await.ok();
    reader.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok();
    let reply = json!({"status": "một câu trả lời", "in_reply_to_id": post});
    reader.post("/api/v1/statuses", reply).await.ok();
    let kinds = |list: &Value| list.as_array().unwrap().iter().map(|one| text(one, "type")).collect::<Vec<_>>();
    let four = |list: &Value| {
        ["follow", "favourite", "reblog", "mention"].iter().all(|kind| kinds(list).iter().any(|known| known == kind))
    };
    let all = until(&author, "/api/v1/notifications", four).await;
    let total = all.as_array().unwrap().len();
    assert_eq!(author.get("/api/v1/notifications/unread_count").await.ok()["count"], total);
    let grouped = author.get("/api/v2/notifications").await.ok();
    shapes::grouped(&grouped);
    let groups = grouped["notification_groups"].as_array().unwrap();
    let favourite = groups.iter().find(|group| group["type"] == "favourite").unwrap();
    assert_eq!(
        (&favourite["notifications_count"], &favourite["sample_account_ids"]),
        (&json!(1), &json!([text(&grouped["accounts"][0], "id")]))
    );
    assert!(has(&text(favourite, "status_id"))(&grouped["statuses"]));
    let key = text(favourite, "group_key");
    assert_eq!(author.get(&format!("/api/v2/notifications/{key}/accounts")).await.ok().as_array().unwrap().len(), 1);
    author.post(&format!("/api/v2/notifications/{key}/dismiss"), json!({})).await.ok();
    author.get(&format!("/api/v2/notifications/{key}")).await.refused(404);
    assert!(!kinds(&author.get("/api/v1/notifications").await.ok()).contains(&"favourite".to_owned()));
    let one = author.get("/api/v2/notifications?limit=1").await;
    assert_eq!(one.ok()["notification_groups"].as_array().unwrap().len(), 1);
    assert!(one.header("link").contains("rel=\"next\""), "{}", one.header("link"));
    // A policy that drops who is not followed, and a thread of which nothing more is wanted.
    let reader_did = text(&reader.get("/api/xom/v1/identity").await.ok(), "did");
    let other = text(&author.get(&format!("/api/v1/accounts/lookup?acct={reader_did}")).await.ok(), "id");
    author.post(&format!("/api/v1/accounts/{other}/unfollow"), json!({})).await.ok();
    author.call("PATCH", "/api/v2/notifications/policy", json!({"for_not_following": "drop"})).await.ok();
    assert_eq!(author.get("/api/v1/notifications").await.ok(), json!([]));
    author.call("PATCH", "/api/v2/notifications/policy", json!({"for_not_following": "accept"})).await.ok();
    author.call("PATCH", "/api/v2/notifications/policy", json!({"for_not_following": "shout"})).await.refused(422);
    let own = text(&author.get("/api/v1/timelines/home").await.ok()[0], "id");
    author.post(&format!("/api/v1/statuses/{own}/mute"), json!({})).await.ok();
    assert_eq!(kinds(&author.get("/api/v1/notifications").await.ok()), ["follow"]);
    author.post(&format!("/api/v1/statuses/{own}/unmute"), json!({})).await.ok();
    let newest = text(&author.get("/api/v1/notifications").await.ok()[0], "id");
    author.post("/api/v1/markers", json!({"notifications": {"last_read_id": newest}})).await.ok();
    assert_eq!(author.get("/api/v2/notifications/unread_count").await.ok()["count"], 0);
    author.post(&format!("/api/v1/notifications/{newest}/dismiss"), json!({})).await.ok();
    author.get(&format!("/api/v1/notifications/{newest}")).await.refused(404);
    author.post("/api/v1/notifications/clear", json!({})).await.ok();
    assert_eq!(author.get("/api/v1/notifications").await.ok(), json!([]));
    let familiar = reader.get(&format!("/api/v1/accounts/familiar_followers?id[]={}", text(&account, "id"))).await.ok();
    assert_eq!((text(&familiar[0], "id"), &familiar[0]["accounts"]), (text(&account, "id"), &json!([])));
    for server in [reader, author] {
        server.stop().await;
    }
}

#[tokio::test]
async fn a_report_is_kept_for_the_owner_of_the_node() {
    let (reader, author, account) = reader_and_author().await;
    let post = posted(&reader, &author, "spam").await;
    let id = text(&account, "id");
    let body = json!({"account_id": id, "status_ids": [post], "comment": "thư rác", "category": "spam"});
    let report = reader.post("/api/v1/reports", body).await.ok();
    shapes::report(&report);
    let kept = reader.get("/api/xom/v1/reports").await.ok();
    assert_eq!((&kept[0]["report"], text(&kept[0], "target")), (&report, text(&account, "uri")));
    for wrong in [
        json!({}),
        json!({"account_id": id, "category": "dull"}),
        json!({"account_id": id, "comment": "x".repeat(1_001)}),
    ] {
        reader.post("/api/v1/reports", wrong).await.refused(422);
    }
    for server in [reader, author] {
        server.stop().await;
    }
}
