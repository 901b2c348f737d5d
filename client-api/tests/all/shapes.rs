//! The members that Mastodon's schema requires of each entity, and those that clients break without.

use serde_json::Value;

const ACCOUNT: &str = "acct avatar avatar_static bot created_at display_name emojis[] fields[] followers_count \
    following_count group header header_static id indexable locked note statuses_count uri username url \
    discoverable last_status_at roles[]";
const STATUS: &str = "account content created_at emojis[] favourites_count id media_attachments[] mentions[] \
    reblogs_count replies_count sensitive spoiler_text tags[] uri visibility url application card edited_at \
    in_reply_to_account_id in_reply_to_id language poll reblog quote quote_approval quotes_count favourited \
    reblogged muted bookmarked pinned filtered[]";
const RELATIONSHIP: &str = "blocked_by blocking domain_blocking endorsed followed_by following id muting \
    muting_notifications note notifying requested requested_by showing_reblogs languages";
const INSTANCE_V2: &str = "api_versions configuration contact description domain icon[] languages[] registrations \
    rules[] source_url thumbnail title usage version";
const INSTANCE_V1: &str = "approval_required configuration description email invites_enabled languages[] \
    registrations rules[] short_description stats title uri urls version contact_account thumbnail";

/// Fails where a member is missing, or where a list is none.
fn check(value: &Value, members: &str) {
    for member in members.split_whitespace() {
        let (name, is_list) = member.strip_suffix("[]").map_or((member, false), |name| (name, true));
        let found = value.get(name).unwrap_or_else(|| panic!("no {name} in {value}"));
        assert!(!is_list || found.is_array(), "{name} is no list in {value}");
    }
}

pub(crate) fn account(value: &Value) {
    check(value, ACCOUNT);
    for name in ["avatar", "avatar_static", "header", "header_static", "url"] {
        assert!(value[name].as_str().unwrap().starts_with("http://localhost:7766/"), "{name}: {}", value[name]);
    }
    assert!(value["id"].is_string());
    assert!(value["uri"].as_str().unwrap().starts_with("did:xom:"));
    value["fields"].as_array().unwrap().iter().for_each(|field| check(field, "name value verified_at"));
}

pub(crate) fn credential_account(value: &Value) {
    account(value);
    check(&value["source"], "fields[] follow_requests_count indexable note privacy sensitive language");
    check(&value["role"], "color highlighted id name permissions");
}

pub(crate) fn status(value: &Value) {
    check(value, STATUS);
    account(&value["account"]);
    let id = value["id"].as_str().unwrap();
    assert!(id.len() >= 15 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    let each = |name: &str, members: &str| {
        value[name].as_array().unwrap().iter().for_each(|item| check(item, members));
    };
    each("mentions", "acct id url username");
    each("tags", "name url");
    value["media_attachments"].as_array().unwrap().iter().for_each(media);
    if !value["poll"].is_null() {
        poll(&value["poll"]);
    }
    if !value["reblog"].is_null() {
        status(&value["reblog"]);
    }
}

pub(crate) fn media(value: &Value) {
    check(value, "id type url preview_url remote_url description blurhash meta");
    assert!(value["meta"]["original"].is_object());
}

pub(crate) fn poll(value: &Value) {
    check(value, "emojis[] expired id multiple options[] votes_count expires_at voters_count voted own_votes[]");
    value["options"].as_array().unwrap().iter().for_each(|option| check(option, "title votes_count"));
}

pub(crate) fn relationship(value: &Value) {
    check(value, RELATIONSHIP);
}

pub(crate) fn context(value: &Value) {
    check(value, "ancestors[] descendants[]");
    value["ancestors"].as_array().unwrap().iter().for_each(status);
    value["descendants"].as_array().unwrap().iter().for_each(status);
}

pub(crate) fn search(value: &Value) {
    check(value, "accounts[] hashtags[] statuses[]");
    value["hashtags"].as_array().unwrap().iter().for_each(|tag| check(tag, "history[] id name url"));
    value["accounts"].as_array().unwrap().iter().for_each(account);
    value["statuses"].as_array().unwrap().iter().for_each(status);
}

pub(crate) fn instance_v2(value: &Value) {
    check(value, INSTANCE_V2);
    check(&value["configuration"], "accounts media_attachments polls statuses translation urls vapid");
    assert_eq!(value["configuration"]["urls"]["streaming"], "ws://localhost:7766");
    check_version(&value["version"]);
}

pub(crate) fn instance_v1(value: &Value) {
    check(value, INSTANCE_V1);
    check(&value["configuration"], "accounts media_attachments polls statuses");
    check(&value["stats"], "domain_count status_count user_count");
    check_version(&value["version"]);
}

/// The first word is X.Y.Z: clients compare it.
fn check_version(version: &Value) {
    let first = version.as_str().unwrap().split(' ').next().unwrap();
    assert_eq!(first.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{first}");
}

pub(crate) fn status_edit(value: &Value) {
    check(value, "account content created_at emojis[] media_attachments[] sensitive spoiler_text");
    account(&value["account"]);
}

pub(crate) fn tag(value: &Value) {
    check(value, "history[] id name url following featuring");
}

pub(crate) fn list(value: &Value) {
    check(value, "exclusive id replies_policy title");
}

pub(crate) fn filter(value: &Value) {
    check(value, "context[] filter_action id title expires_at keywords[] statuses[]");
    value["keywords"].as_array().unwrap().iter().for_each(|keyword| check(keyword, "id keyword whole_word"));
    value["statuses"].as_array().unwrap().iter().for_each(|status| check(status, "id status_id"));
}

pub(crate) fn filter_v1(value: &Value) {
    check(value, "context[] id irreversible phrase whole_word expires_at");
}

pub(crate) fn filter_result(value: &Value) {
    check(value, "filter keyword_matches[] status_matches[]");
    check(&value["filter"], "context[] filter_action id title expires_at");
}

pub(crate) fn preferences(value: &Value) {
    let members = "posting:default:sensitive posting:default:visibility posting:default:language \
        reading:expand:media reading:expand:spoilers";
    check(value, members);
}

pub(crate) fn report(value: &Value) {
    check(value, "action_taken category comment created_at forwarded id target_account action_taken_at status_ids[]");
    account(&value["target_account"]);
}

pub(crate) fn grouped(value: &Value) {
    check(value, "accounts[] notification_groups[] statuses[]");
    value["accounts"].as_array().unwrap().iter().for_each(account);
    value["statuses"].as_array().unwrap().iter().for_each(status);
    let members = "group_key most_recent_notification_id notifications_count sample_account_ids[] type \
        page_max_id page_min_id latest_page_notification_at status_id";
    value["notification_groups"].as_array().unwrap().iter().for_each(|group| check(group, members));
}

pub(crate) fn scheduled_status(value: &Value) {
    check(value, "id scheduled_at params media_attachments[]");
    check(
        &value["params"],
        "text poll media_ids sensitive spoiler_text visibility in_reply_to_id language application_id scheduled_at \
        idempotency with_rate_limit quoted_status_id quote_approval_policy",
    );
    value["media_attachments"].as_array().unwrap().iter().for_each(media);
}

pub(crate) fn featured_tag(value: &Value) {
    check(value, "id name statuses_count url last_status_at");
}

pub(crate) fn profile(value: &Value) {
    check(
        value,
        "attribution_domains[] avatar_description bot display_name fields[] header_description id indexable locked \
        note show_featured show_media show_media_replies avatar avatar_static discoverable header header_static \
        hide_collections",
    );
}

pub(crate) fn oembed(value: &Value) {
    check(value, "type version title author_name author_url provider_name provider_url cache_age html width height");
}

pub(crate) fn terms_of_service(value: &Value) {
    check(value, "content effective effective_date succeeded_by");
}

pub(crate) fn notification_policy(value: &Value) {
    check(
        value,
        "for_limited_accounts for_new_accounts for_not_followers for_not_following for_private_mentions summary",
    );
    check(&value["summary"], "pending_requests_count pending_notifications_count");
}

pub(crate) fn notification_request(value: &Value) {
    check(value, "account created_at id notifications_count updated_at last_status");
    account(&value["account"]);
}

pub(crate) fn trends_link(value: &Value) {
    check(
        value,
        "author_name author_url authors[] description embed_url height history[] html provider_name provider_url \
        title type url width blurhash image published_at",
    );
}
