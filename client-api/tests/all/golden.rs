//! Every entity, member by member: the names and types that Mastodon's API describes stand in `members.txt`, one entity
//! a line. `?` marks what may be absent or null, `~` what may be null; a name with a capital letter is an entity.
//! A member that stands neither there nor among ours fails.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::{Server, picture, text};

const MEMBERS: &str = include_str!("members.txt");

/// What we send beyond Mastodon's members, by entity, and why.
const OURS: [(&str, &str, &str); 9] = [
    ("Status", "xom", "entry, log and place of a status"),
    ("Relationship", "muting_expires_at", "when a mute ends, as Mastodon's own web client reads it"),
    ("Preferences", "posting:default:quote_policy", "as Mastodon 4.5 sends it"),
    ("Preferences", "reading:autoplay:gifs", "as Mastodon sends it"),
    ("Instance", "contact", "described inline"),
    ("Report", "rule_ids", "as Mastodon sends it"),
    ("Filter", "keywords", "described in v2"),
    ("Filter", "statuses", "described in v2"),
    ("Profile", "url", "the address of the page"),
];

#[derive(Debug)]
struct Member {
    kind: &'static str,
    absent: bool,
    null: bool,
}

fn members(entity: &str) -> BTreeMap<&'static str, Member> {
    let line = MEMBERS.lines().find_map(|line| line.strip_prefix(entity)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no entity {entity}"));
    let member = |text: &'static str| {
        // Names of preferences hold colons themselves.
        let (name, kind) = text.rsplit_once(':').unwrap();
        let (absent, null) = (kind.ends_with('?'), kind.ends_with(['?', '~']));
        (name, Member { kind: kind.trim_end_matches(['?', '~']), absent, null })
    };
    line.split(' ').map(member).collect()
}

/// Everything that is wrong with a value as an entity.
fn faults(entity: &str, value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let Some(object) = value.as_object() else {
        found.insert(format!("{path} is no object"));
        return;
    };
    let members = members(entity);
    for (name, member) in &members {
        let path = format!("{path}.{name}");
        match object.get(*name) {
            None if member.absent => {}
            None => {
                found.insert(format!("{path} is missing"));
            }
            Some(Value::Null) if member.null => {}
            Some(value) => faults_of_kind(member.kind, value, &path, found),
        }
    }
    for name in object.keys() {
        let is_ours = OURS.iter().any(|(of, ours, _)| *of == entity && ours == name);
        if !members.contains_key(name.as_str()) && !is_ours {
            found.insert(format!("{path}.{name} is not described"));
        }
    }
}

fn faults_of_kind(kind: &str, value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let is_right = match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "list" => value.is_array(),
        "any" => true,
        list if list.starts_with('[') => {
            let of = list.trim_matches(['[', ']']);
            let Some(items) = value.as_array() else {
                found.insert(format!("{path} is no list"));
                return;
            };
            // What is always empty here is of no kind that could be checked.
            items.iter().for_each(|item| faults(of, item, path, found));
            true
        }
        either => {
            faults(either.split('|').next().unwrap(), value, path, found);
            true
        }
    };
    if !is_right {
        found.insert(format!("{path} is no {kind}: {value}"));
    }
}

#[tokio::test]
async fn every_entity_has_the_members_and_types_that_mastodon_describes_and_no_other() {
    let server = Server::start().await;
    let changed = json!({"note": "x", "fields_attributes": {"0": {"name": "site", "value": "https://a.example"}}});
    server.call("PATCH", "/api/v1/accounts/update_credentials", changed).await.ok();
    let own = server.get("/api/v1/accounts/verify_credentials").await.ok();
    let id = text(&own, "id");
    let media = server.upload("POST", "/api/v2/media", "file", &picture()).await.ok();
    let post = json!({"status": "#xóm @lan https://a.example", "media_ids": [text(&media, "id")], "language": "vi"});
    let status = server.post("/api/v1/statuses", post).await.ok();
    let status_id = text(&status, "id");
    let path = format!("/api/v1/statuses/{status_id}");
    let reply = json!({"status": "xem", "in_reply_to_id": status_id, "quoted_status_id": status_id});
    let reply = server.post("/api/v1/statuses", reply).await.ok();
    let poll = json!({"status": "?", "poll": {"options": ["a", "b"], "expires_in": 600}});
    let poll = server.post("/api/v1/statuses", poll).await.ok();
    let repost = server.post(&format!("{path}/reblog"), json!({})).await.ok();
    let scheduled = json!({"status": "mai", "scheduled_at": "2100-01-01T00:00:00Z"});
    let scheduled = server.post("/api/v1/statuses", scheduled).await.ok();
    let filter = json!({"title": "x", "context": ["home"], "keywords_attributes": [{"keyword": "y"}]});
    let filter = server.post("/api/v2/filters", filter).await.ok();
    let markers = server.post("/api/v1/markers", json!({"home": {"last_read_id": status_id}})).await.ok();
    let featured = server.post("/api/v1/featured_tags", json!({"name": "xóm"})).await.ok();
    let report = server.post("/api/v1/reports", json!({"account_id": id})).await.ok();
    let list = server.post("/api/v1/lists", json!({"title": "x"})).await.ok();
    let app = json!({"client_name": "x", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"});
    let app = server.post("/api/v1/apps", app).await.ok();
    let get = async |path: &str| server.get(path).await.ok();
    let each = [
        ("CredentialAccount", own.clone()),
        ("Account", get(&format!("/api/v1/accounts/{id}")).await),
        ("Profile", get("/api/v1/profile").await),
        ("Relationship", get(&format!("/api/v1/accounts/relationships?id[]={id}")).await[0].clone()),
        ("MediaAttachment", media),
        ("Status", status),
        ("Status", reply),
        ("Status", poll.clone()),
        ("Status", repost),
        ("Poll", poll["poll"].clone()),
        ("Context", get(&format!("{path}/context")).await),
        ("StatusEdit", get(&format!("{path}/history")).await[0].clone()),
        ("StatusSource", get(&format!("{path}/source")).await),
        ("ScheduledStatus", scheduled),
        ("Search", get("/api/v2/search?q=xom").await),
        ("Tag", get("/api/v1/tags/xom").await),
        ("FeaturedTag", featured),
        ("Filter", filter),
        ("V1Filter", get("/api/v1/filters").await[0].clone()),
        ("List", list),
        ("Marker", markers["home"].clone()),
        ("Report", report),
        ("Preferences", get("/api/v1/preferences").await),
        ("NotificationPolicy", get("/api/v2/notifications/policy").await),
        ("Instance", get("/api/v2/instance").await),
        ("V1Instance", get("/api/v1/instance").await),
        ("ExtendedDescription", get("/api/v1/instance/extended_description").await),
        ("PrivacyPolicy", get("/api/v1/instance/privacy_policy").await),
        ("TermsOfService", get("/api/v1/instance/terms_of_service").await),
        ("OEmbedResponse", get(&format!("/api/oembed?url={}", text(&get(&path).await, "url"))).await),
        ("CredentialApplication", app),
    ];
    let mut found = BTreeSet::new();
    for (entity, value) in &each {
        faults(entity, value, entity, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
    server.stop().await;
}

#[test]
fn a_member_of_another_type_a_missing_one_and_one_that_nobody_described_are_found() {
    let mut found = BTreeSet::new();
    let list = json!({"id": 7, "title": "x", "exclusive": false, "colour": "red"});
    faults("List", &list, "List", &mut found);
    let expected = ["List.colour is not described", "List.id is no string: 7", "List.replies_policy is missing"];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}
