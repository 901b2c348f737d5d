//! A life from elsewhere: an archive is imported on one node and followed from another.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use xom_tests::archive::{ExpectedPost, Form, GeneratedArchive, Shape};
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::{Home, wait_until};

/// How many posts the archive has.
const POSTS: usize = 1_500;
/// How long a follower may take to have them all, with their media.
const SYNC_DEADLINE: Duration = Duration::from_secs(300);

/// All statuses in the profile of `did` as `home` shows it, page by page, the newest first.
fn profile(home: &Home, did: &str) -> Vec<Value> {
    let account = text(&home.get(&format!("/api/v1/accounts/lookup?acct={did}"))["id"]);
    let mut statuses: Vec<Value> = Vec::new();
    loop {
        let after = statuses.last().map(|last| format!("&max_id={}", text(&last["id"])));
        let path = format!("/api/v1/accounts/{account}/statuses?limit=40{}", after.unwrap_or_default());
        let page = home.get(&path);
        let page = page.as_array().expect("a page is a list");
        if page.is_empty() {
            return statuses;
        }
        statuses.extend(page.iter().cloned());
    }
}

/// What of a status must be the same wherever it is read: all but local ids and addresses.
fn essence(status: &Value, by_id: &BTreeMap<String, usize>) -> Value {
    let mut essence = serde_json::Map::new();
    for key in ["content", "created_at", "spoiler_text", "sensitive", "visibility", "language"] {
        essence.insert(key.to_owned(), status[key].clone());
    }
    let list = |key: &str| status[key].as_array().cloned().unwrap_or_default();
    let tags = list("tags").iter().map(|tag| tag["name"].clone()).collect();
    let media = list("media_attachments");
    let media = media.iter().map(|media| serde_json::json!([media["type"], media["description"], media["meta"]]));
    let answered = status["in_reply_to_id"].as_str().map(|id| by_id.get(id).copied());
    essence.insert("tags".to_owned(), tags);
    essence.insert("media".to_owned(), media.collect());
    essence.insert("poll".to_owned(), status["poll"]["options"].clone());
    essence.insert("in_reply_to".to_owned(), serde_json::json!(answered));
    Value::Object(essence)
}

fn essences(statuses: &[Value]) -> Vec<Value> {
    let by_id = places(statuses);
    statuses.iter().map(|status| essence(status, &by_id)).collect()
}

/// The place of each status in its profile.
fn places(statuses: &[Value]) -> BTreeMap<String, usize> {
    statuses.iter().enumerate().map(|(place, status)| (text(&status["id"]), place)).collect()
}

/// The bytes of a medium; none while they are on their way.
fn medium(home: &Home, url: &str) -> Option<Vec<u8>> {
    let mut answer = ureq::get(url).call().ok()?;
    let bytes = answer.body_mut().with_config().limit(64 << 20).read_to_vec();
    Some(bytes.unwrap_or_else(|error| panic!("GET {url} at {}: {error}", home.url("/"))))
}

/// Without what markup adds or takes in white space.
fn letters(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

/// Checks a profile against what was in the archive.
fn check_profile(home: &Home, statuses: &[Value], expected: &[ExpectedPost]) {
    assert_eq!(statuses.len(), expected.len());
    let places = places(statuses);
    for (index, (status, post)) in statuses.iter().rev().zip(expected).enumerate() {
        let name = &post.source_url;
        assert_eq!(text(&status["created_at"]), post.created_at, "time of {name}");
        assert_eq!(letters(&plain(&text(&status["content"]))), letters(&post.text), "text of {name}");
        assert_eq!(text(&status["spoiler_text"]), post.warning, "warning of {name}");
        assert_eq!(status["visibility"], if post.unlisted { "unlisted" } else { "public" }, "visibility of {name}");
        let answered = status["in_reply_to_id"].as_str().map(|id| expected.len() - 1 - places[id]);
        assert_eq!(answered, post.reply_to, "what {name}, number {index}, answers");
        let options = status["poll"]["options"].as_array().cloned().unwrap_or_default();
        let options: Vec<String> = options.iter().map(|option| text(&option["title"])).collect();
        assert_eq!(options, post.poll, "poll of {name}");
        let media = status["media_attachments"].as_array().expect("a list of media");
        assert_eq!(media.len(), post.media.len(), "media of {name}");
        for (shown, (alt, bytes)) in media.iter().zip(&post.media) {
            assert_eq!(shown["description"].as_str().unwrap_or_default(), alt, "description in {name}");
            let url = text(&shown["url"]);
            let found = wait_until("the bytes of a medium", SYNC_DEADLINE, || medium(home, &url));
            assert!(found == *bytes, "bytes of {url} in {name}");
        }
    }
}

#[test]
fn an_imported_life_is_the_same_for_a_follower_and_floods_nobody() {
    let (alice, bob) = (Home::started("alice"), Home::started("bob"));
    let did = alice.did();
    let archive = GeneratedArchive::generate(20_221_122, POSTS);
    let path = archive.write(alice.scratch(), Form::TarGz, Shape::InlineContexts);
    let media: usize = archive.posts.iter().map(|post| post.media.len()).sum();

    let summary = alice.xom(&["import", "mastodon", &path.display().to_string()]);
    let count = |key: &str| summary[key].as_u64().map(|count| count as usize);
    let listed = |key: &str| summary[key].as_array().map(Vec::len);
    assert_eq!((count("imported"), count("known"), count("media")), (Some(POSTS), Some(0), Some(media)), "{summary}");
    assert_eq!((count("private"), listed("not_taken")), (Some(archive.private), Some(archive.not_taken)), "{summary}");
    assert_eq!(listed("partial"), Some(archive.partial), "{summary}");
    let private = std::fs::read_to_string(text(&summary["private_file"])).expect("the private file");
    assert_eq!(private.matches("\"audience\"").count(), archive.private);

    let shown = profile(&alice, &did);
    check_profile(&alice, &shown, &archive.posts);

    bob.follow(&alice.invite());
    let heads = alice.heads(&did);
    wait_until("the same heads", SYNC_DEADLINE, || (bob.heads(&did) == heads).then_some(()));
    let at_bob = profile(&bob, &did);
    assert!(essences(&at_bob) == essences(&shown), "the profile is the same on both nodes");
    check_profile(&bob, &at_bob, &archive.posts);

    // What is new comes home, the import does not: neither hers nor his.
    alice.publish("And now from the xóm.");
    let arrived = || bob.timeline().contains(&"And now from the xóm.".to_owned()).then_some(());
    wait_until("the live post", DEADLINE, arrived);
    assert_eq!(bob.timeline(), ["And now from the xóm."]);
    assert_eq!(alice.timeline(), ["And now from the xóm."]);

    // Again, packed and written in the other way: nothing is added.
    let heads = alice.heads(&did);
    for (form, shape) in [(Form::Zip, Shape::OneContext), (Form::Folder, Shape::OneContext)] {
        let path = archive.write(alice.scratch(), form, shape);
        let again = alice.xom(&["import", "mastodon", &path.display().to_string()]);
        assert_eq!((again["imported"].as_u64(), again["known"].as_u64()), (Some(0), Some(POSTS as u64)), "{again}");
        assert_eq!(again["media"].as_u64(), Some(0));
    }
    assert_eq!(alice.heads(&did), heads);
    assert_eq!(profile(&alice, &did).len(), POSTS + 1);
}

#[test]
fn an_import_that_was_cut_by_a_crash_goes_on_and_takes_nothing_twice() {
    let mut alice = Home::started("alice");
    let did = alice.did();
    let archive = GeneratedArchive::generate(7, 400);
    let path = archive.write(alice.scratch(), Form::Zip, Shape::OneContext).display().to_string();
    let (first, pid) = (["import", "mastodon", path.as_str()], alice.pid().to_string());
    std::thread::scope(|scope| {
        let import = scope.spawn(|| alice.run(&first));
        let begun = || (alice.get("/api/v1/accounts/verify_credentials")["statuses_count"] != 0).then_some(());
        wait_until("the first posts", DEADLINE, begun);
        let killed = std::process::Command::new("kill").args(["-KILL", &pid]).status();
        assert!(killed.is_ok_and(|status| status.success()), "kill failed");
        let output = import.join().expect("the import ends");
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    });
    alice.kill();
    alice.start();
    let begun = profile(&alice, &did).len();
    assert!(begun > 0, "what was acknowledged is there");
    let summary = alice.xom(&first);
    let count = |key: &str| summary[key].as_u64().map(|count| count as usize);
    assert_eq!((count("known"), count("imported")), (Some(begun), Some(400 - begun)), "{summary}");
    check_profile(&alice, &profile(&alice, &did), &archive.posts);
    alice.heads(&did);
}

#[test]
fn an_import_names_what_is_wrong_with_an_archive_and_adds_nothing() {
    let mut alice = Home::new("alice");
    let path = alice.scratch().join("not-an-archive.zip");
    std::fs::write(&path, "a text").expect("a file of the test");
    let path = path.display().to_string();
    assert_eq!(alice.run(&["import", "mastodon", &path]).status.code(), Some(3), "the node does not run");
    alice.start();
    let heads = alice.heads(&alice.did());
    let output = alice.run(&["import", "mastodon", &path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("neither a folder, a .zip nor a .tar.gz"));
    assert_eq!(alice.heads(&alice.did()), heads);
}
