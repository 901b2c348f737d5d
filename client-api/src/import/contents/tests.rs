//! What is read from an archive, in every form and from both shapes of outbox.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ArchivedMedia, ArchivedMention, ArchivedVisibility, Contents, PrivateAudience};
use crate::import::archive::{Archive, ArchiveError, ArchiveLimits};
use crate::import::sample::{EVERYBODY, FORMS, Form, LAN, Sample, boost, note, with_context};

const PICTURE: &str = "media_attachments/files/111/222/original/abc.png";

/// Reads an archive of these activities and the one picture, and checks that nothing is lost.
fn read_as(form: Form, activities: &[Value]) -> Contents {
    let (place, scratch) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = Sample::new("", activities, &[(PICTURE, b"pixels")]).pack(form, &place);
    let mut archive = Archive::open(&path, scratch.path(), &ArchiveLimits::default()).unwrap();
    let contents = Contents::read(&mut archive).unwrap();
    assert_eq!(contents.items, activities.len() as u64);
    let listed = contents.posts.len() + contents.private.len() + contents.not_taken.len();
    assert_eq!(listed, activities.len(), "every item is in one list: {contents:#?}");
    contents
}

fn read(activities: &[Value]) -> Contents {
    read_as(Form::Zip, activities)
}

/// One activity that can't be taken, and why.
fn check_not_taken(activity: Value, reason: &str) {
    let contents = read(std::slice::from_ref(&activity));
    let said = contents.not_taken.first().unwrap_or_else(|| panic!("{activity} was taken"));
    assert!(said.reason.contains(reason), "{:?} says {reason:?}", said.reason);
}

/// One activity that is taken in part, and what is said of it.
fn check_partial(activity: Value, reason: &str) -> Contents {
    let contents = read(&[activity]);
    assert_eq!(contents.posts.len(), 1, "{contents:#?}");
    assert!(contents.partial[0].reason.contains(reason), "{:?} says {reason:?}", contents.partial);
    contents
}

#[test]
fn both_shapes_of_outbox_say_the_same_in_every_form() {
    let plain = [
        note(3, json!({"content": "<p>three</p>"})),
        boost(2, json!("https://other.example/1")),
        note(1, json!({"attachment": [{"type": "Document", "mediaType": "image/png", "url": format!("/{PICTURE}")}]})),
    ];
    let contexts: Vec<Value> = plain.iter().cloned().map(with_context).collect();
    let expected = read_as(Form::Folder, &plain);
    assert_eq!(expected.posts.len(), 3);
    assert_eq!((expected.actor.username.as_str(), expected.actor.id.as_str()), ("lan", LAN));
    assert_eq!((expected.actor.avatar.as_deref(), expected.actor.header.as_deref()), (Some("avatar.png"), None));
    for form in FORMS {
        assert_eq!(read_as(form, &plain), expected);
        assert_eq!(read_as(form, &contexts), expected);
    }
}

#[test]
fn a_post_is_read_with_everything_in_it() {
    let tags = json!([
        {"type": "Mention", "href": "https://other.example/users/bob", "name": "@bob@other.example"},
        {"type": "Hashtag", "href": "https://m.example/tags/xom", "name": "#xóm"},
        {"type": "Emoji", "name": ":blob:"}]);
    let attachment = json!([{"type": "Document", "mediaType": "image/png", "name": " a house ", "width": 640,
        "height": 480, "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH", "focalPoint": [-0.5, 0.25],
        "url": format!("https://files.m.example/{PICTURE}")}]);
    let html = "<p><a href=\"https://other.example/@bob\" class=\"u-url mention\">@<span>bob</span></a> see<br>\
        <a href=\"https://a.example/x\">this</a></p>";
    let content = json!({"en": "<p>see</p>", "vi": html});
    let contents = read(&[note(
        7,
        json!({"content": html, "contentMap": content, "summary": "houses", "tag": tags,
        "sensitive": true, "attachment": attachment, "inReplyTo": "https://other.example/users/bob/statuses/9"}),
    )]);
    assert!(contents.partial.is_empty());
    let post = &contents.posts[0];
    assert_eq!(post.source_url, "https://m.example/users/lan/statuses/7");
    assert_eq!(post.published_ms, 1_667_902_830_000);
    assert_eq!(post.text, "@bob@other.example see\nthis (https://a.example/x)");
    assert_eq!((post.warning.as_str(), post.sensitive), ("houses", true));
    assert_eq!(post.languages, ["vi", "en"]);
    assert_eq!(post.tags, ["xóm"]);
    let bob = ArchivedMention { name: "bob@other.example".into(), url: "https://other.example/users/bob".into() };
    assert_eq!(post.mentions, [bob]);
    let answered = "https://other.example/users/bob/statuses/9";
    assert_eq!(post.links, ["https://other.example/@bob", "https://a.example/x", answered]);
    assert_eq!(post.reply_to.as_deref(), Some(answered));
    let picture = ArchivedMedia {
        path: PICTURE.into(),
        bytes: 6,
        media_type: "image/png".into(),
        alt: "a house".into(),
        blurhash: Some("UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH".into()),
        width: Some(640),
        height: Some(480),
        focus: Some((-0.5, 0.25)),
    };
    assert_eq!(post.attachments, [picture]);
}

#[test]
fn posts_come_in_the_order_of_their_time_and_answers_know_their_post() {
    let answer = note(5, json!({"inReplyTo": format!("{LAN}/statuses/2")}));
    let contents = read(&[answer, note(2, json!({})), note(9, json!({"published": "2021-01-01T00:00:00+07:00"}))]);
    let order: Vec<&str> = contents.posts.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(order, ["post 9", "post 2", "post 5"]);
    assert_eq!(contents.posts[0].published_ms, 1_609_434_000_000);
    assert_eq!(contents.posts[2].reply_to.as_ref(), Some(&contents.posts[1].source_url));
    assert!(contents.posts[2].links.is_empty());
}

#[test]
fn polls_keep_their_options_and_result() {
    let option = |name: &str, votes: u64| json!({"type": "Note", "name": name, "replies": {"totalItems": votes}});
    let contents = read(&[note(
        1,
        json!({"type": "Question", "endTime": "2022-12-01T00:00:00Z", 
        "anyOf": [option("tea", 3), option("coffee", 2)]}),
    )]);
    let poll = contents.posts[0].poll.as_ref().unwrap();
    assert_eq!((poll.options.join(" "), poll.multiple), ("tea coffee".to_owned(), true));
    assert_eq!((poll.ends_ms, poll.votes.as_slice()), (1_669_852_800_000, [3, 2].as_slice()));
    assert_eq!(contents.partial[0].reason, "the votes in its poll are not taken (tea: 3, coffee: 2)");
    let one = note(2, json!({"type": "Question", "oneOf": [option("tea", 3), option("coffee", 2)]}));
    assert!(!read(&[one]).posts[0].poll.as_ref().unwrap().multiple);
    check_not_taken(note(3, json!({"type": "Question", "oneOf": [option("tea", 3)]})), "its poll has 1 options");
    check_not_taken(note(4, json!({"type": "Question", "oneOf": [option("", 3), option("a", 1)]})), "is empty");
    check_not_taken(note(5, json!({"type": "Question"})), "no options");
}

#[test]
fn boosts_become_links() {
    let embedded = json!({"id": "https://other.example/users/bob/statuses/1", "url": "https://other.example/@bob/1",
        "type": "Note", "to": ["https://other.example/users/bob/followers"], "content": "private"});
    let contents = read(&[boost(1, json!("https://other.example/users/bob/statuses/1")), boost(2, embedded)]);
    let [first, second] = contents.posts.as_slice() else { panic!("two boosts: {contents:#?}") };
    assert_eq!(first.text, "https://other.example/users/bob/statuses/1");
    assert_eq!(second.text, "https://other.example/@bob/1");
    assert_eq!(second.links, ["https://other.example/@bob/1"]);
    check_not_taken(boost(3, json!({"type": "Note"})), "without a web address");
    check_not_taken(boost(4, json!("javascript:alert(1)")), "without a web address");
}

#[test]
fn what_was_not_public_is_kept_apart_in_full() {
    let followers = note(1, json!({"to": [format!("{LAN}/followers")], "cc": []}));
    let direct = note(2, json!({"to": ["https://other.example/users/bob"], "cc": [], "type": "Article"}));
    let mut own_boost = boost(3, json!(format!("{LAN}/statuses/1")));
    own_boost["to"] = json!([format!("{LAN}/followers")]);
    own_boost["cc"] = json!([]);
    let unlisted = note(4, json!({"to": [format!("{LAN}/followers")], "cc": [EVERYBODY]}));
    let contents = read(&[followers.clone(), direct.clone(), own_boost.clone(), unlisted]);
    let audiences: Vec<PrivateAudience> = contents.private.iter().map(|post| post.audience).collect();
    assert_eq!(audiences, [PrivateAudience::Followers, PrivateAudience::Direct, PrivateAudience::Followers]);
    let kept: Vec<&Value> = contents.private.iter().map(|post| &post.activity).collect();
    assert_eq!(kept, [&followers, &direct, &own_boost]);
    assert_eq!(contents.posts[0].visibility, ArchivedVisibility::Unlisted);
}

#[test]
fn what_can_not_be_taken_is_listed_with_the_reason() {
    check_not_taken(note(1, json!({"content": format!("<p>{}</p>", "x".repeat(5_001))})), "5001 characters");
    let picture = json!({"type": "Document", "url": format!("/{PICTURE}")});
    check_not_taken(note(1, json!({"attachment": vec![picture; 17]})), "17 attachments");
    check_not_taken(note(1, json!({"published": "yesterday"})), "its date \"yesterday\" is none");
    check_not_taken(note(1, json!({"published": "1912-01-01T00:00:00Z"})), "is none");
    check_not_taken(note(1, json!({"type": "Article"})), "of the type Article");
    check_not_taken(note(1, json!({"content": ""})), "nothing in it");
    check_not_taken(note(1, json!({"attributedTo": "https://m.example/users/mallory"})), "another account");
    check_not_taken(note(1, json!({"id": "urn:uuid:1", "url": null})), "no web address");
    check_not_taken(note(1, json!({"content": "<b>".repeat(7_000)})), "tags");
    check_not_taken(json!({"id": "https://m.example/1", "type": "Like", "object": "https://m.example/2"}), "type Like");
    check_not_taken(json!("https://m.example/1"), "untyped");
    check_not_taken(json!(null), "untyped");
    let bare =
        json!({"id": "https://m.example/1", "type": "Create", "to": [EVERYBODY], "object": "https://m.example/2"});
    check_not_taken(bare, "its address only");
    let twice = read(&[note(1, json!({})), note(1, json!({}))]);
    assert_eq!((twice.posts.len(), twice.not_taken[0].reason.as_str()), (1, "it is in the outbox twice"));
}

#[test]
fn a_post_without_its_media_is_taken_in_part() {
    let absent = json!([{"type": "Document", "url": "/media_attachments/files/9.png"},
        {"type": "Document", "url": format!("/{PICTURE}")}]);
    let contents = check_partial(note(1, json!({"attachment": absent.clone()})), "9.png is not in the archive");
    assert_eq!(contents.posts[0].attachments.len(), 1);
    let only_that = json!([{"type": "Document", "url": "/media_attachments/files/9.png"}]);
    check_not_taken(note(1, json!({"content": "", "attachment": only_that})), "not in the archive");
    check_partial(note(1, json!({"attachment": {"type": "Page"}})), "names no file");
    let long = json!([{"type": "Document", "url": format!("/{PICTURE}"), "name": "y".repeat(1_501)}]);
    let contents = check_partial(note(1, json!({"attachment": long})), "cut to 1500");
    assert_eq!(contents.posts[0].attachments[0].alt.len(), 1_500);
}

#[test]
fn parts_beyond_the_limits_are_left_out_and_named() {
    let contents = check_partial(note(1, json!({"summary": "é".repeat(501)})), "content warning was cut");
    assert_eq!(contents.posts[0].warning.chars().count(), 500);
    let tags: Vec<Value> = (0..130).map(|n| json!({"type": "Hashtag", "name": format!("#t{n}")})).collect();
    let contents = check_partial(note(1, json!({"tag": tags})), "2 of its tags or mentions");
    assert_eq!(contents.posts[0].tags.len(), 128);
    let long = format!("<a href='https://a.example/{}'>x</a>", "y".repeat(2_048));
    check_partial(note(1, json!({"content": long})), "1 of its links");
}

#[test]
fn an_outbox_that_is_none_is_an_error() {
    for outbox in ["[]", "{}", "{\"orderedItems\": 1}", "{\"orderedItems\": [{]}", "", "{\"orderedItems\": []} x"] {
        let (place, scratch) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let path = Sample::new("", &[], &[]).pack(Form::Folder, &place);
        fs::write(path.join("outbox.json"), outbox).unwrap();
        let mut archive = Archive::open(&path, scratch.path(), &ArchiveLimits::default()).unwrap();
        let refused = Contents::read(&mut archive);
        assert!(matches!(refused, Err(ArchiveError::Json { name: "outbox.json", .. })), "{outbox}: {refused:?}");
    }
    let depth_bomb = format!("{{\"orderedItems\": [{}", "[".repeat(100_000));
    let (place, scratch) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = Sample::new("", &[], &[]).pack(Form::Folder, &place);
    fs::write(path.join("outbox.json"), depth_bomb).unwrap();
    let mut archive = Archive::open(&path, scratch.path(), &ArchiveLimits::default()).unwrap();
    assert!(matches!(Contents::read(&mut archive), Err(ArchiveError::Json { .. })));
}
