//! Erasure: what was purged is in no file, on either side, while the chain still verifies.

use std::path::Path;

use serde_json::{Value, json};
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::terminal::Terminal;
use xom_tests::{Home, wait_until};

use super::pairing::pair;

/// How many posts are erased.
const POSTS: usize = 100;

/// 32 characters that stand nowhere else, the same in every run.
fn secret(number: usize) -> String {
    let digest = xom_protocol::Digest::of(&[b"a post to be erased", &number.to_be_bytes()]);
    digest.to_string()[..32].to_owned()
}

/// The secrets that stand in some file below `folder`, in the clear.
fn found_in(folder: &Path, secrets: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a data folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file of the data folder");
            // All secrets are hexadecimal: look at runs of such digits only.
            for run in bytes.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= 32) {
                let run = String::from_utf8_lossy(run);
                let here = secrets.iter().filter(|secret| run.contains(secret.as_str()));
                found.extend(here.map(|secret| format!("{secret} in {}", path.display())));
            }
        }
    }
    found
}

/// True once none of the statuses is in a timeline of `home` any more.
fn timeline_is_free_of(home: &Home, secrets: &[String]) -> bool {
    !home.timeline().iter().any(|shown| secrets.contains(shown))
}

fn heights(heads: &[Value]) -> Vec<u64> {
    heads.iter().map(|log| log["height"].as_u64().expect("a height")).collect()
}

#[test]
fn purged_posts_are_in_no_file_of_either_side_and_the_chain_still_verifies() {
    let (mut alice, mut bob) = (Home::started("alice"), Home::started("bob"));
    let did = alice.did();
    bob.follow(&alice.invite());
    let secrets: Vec<String> = (0..POSTS).map(secret).collect();
    let ids: Vec<String> = secrets.iter().map(|secret| alice.publish(secret)).collect();
    let arrived = || bob.timeline().contains(&secrets[POSTS - 1]).then_some(());
    wait_until("the posts at bob", DEADLINE, arrived);
    let before = alice.heads(&did);

    for (index, id) in ids.iter().enumerate() {
        let (code, answer) = alice.post(&format!("/api/xom/v1/statuses/{id}/erase"), &json!({ "now": true }));
        assert_eq!(code, 200, "{answer}");
        // In between, both are killed: what was begun is finished at the next start.
        if index == POSTS / 2 {
            alice.kill();
            bob.kill();
            alice.start();
            bob.start();
        }
    }
    let erased = alice.heads(&did);
    assert!(heights(&erased) > heights(&before), "the log kept its entries and gained the erasures");
    wait_until("the erasures at bob", DEADLINE, || (bob.heads(&did) == erased).then_some(()));
    wait_until("an empty timeline", DEADLINE, || timeline_is_free_of(&bob, &secrets).then_some(()));

    for home in [&mut alice, &mut bob] {
        home.xom(&["compact"]);
        home.kill();
        assert_eq!(found_in(&home.data_dir(), &secrets), Vec::<String>::new());
        home.start();
        assert_eq!(home.heads(&did), erased, "the chain verifies after the purge");
        assert!(timeline_is_free_of(home, &secrets));
    }
    let shown = alice.xom(&["show", &text(&json!(ids[0]))]);
    assert_eq!((&shown["here"], shown.get("status")), (&json!("purged"), None), "{shown}");
    assert_eq!(bob.run(&["show", &text(&shown["entry"])]).status.code(), Some(5), "bob is not told of alice's copies");
}

/// The most that one request erases.
const REQUEST_MAX: usize = 1_024;
/// More than that.
const MANY: usize = 1_200;

/// Imports posts of another life, in several requests.
fn import_many(home: &Home, from: usize) {
    for start in (from..from + MANY).step_by(200) {
        let post = |number: usize| {
            let source = format!("https://old.example/{number}");
            json!({ "source_url": source, "published": "2020-01-02T03:04:05Z", "text": secret(number) })
        };
        let posts: Vec<Value> = (start..start + 200).map(post).collect();
        let (code, answer) = home.post("/api/xom/v1/import/posts", &json!({ "posts": posts }));
        assert_eq!(code, 200, "{answer}");
    }
}

fn statuses(home: &Home) -> usize {
    let me = home.get("/api/v1/accounts/verify_credentials");
    me["statuses_count"].as_u64().and_then(|count| usize::try_from(count).ok()).expect("a count")
}

#[test]
fn erasing_more_than_one_request_takes_goes_on_after_a_kill_and_asks_for_the_passphrase_once() {
    let mut alice = Home::started("alice");
    let passphrase = alice.scratch().join("passphrase");
    std::fs::write(&passphrase, "correct horse battery").expect("writable");
    let passphrase = passphrase.display().to_string();
    let words = alice.scratch().join("words");
    alice.save_words(&words);
    let words = words.display().to_string();
    alice.xom(&["phrase", "confirm", "--words-file", &words, "--passphrase-file", &passphrase]);
    import_many(&alice, 0);
    assert_eq!(statuses(&alice), MANY);

    let erase = ["erase", "--everything", "--keep-identity", "--yes", "--now", "--passphrase-file", &passphrase];
    let mut erasing = alice.begin(&erase);
    wait_until("some are erased", DEADLINE, || (statuses(&alice) < MANY).then_some(()));
    alice.kill_at_once();
    let ended = wait_until("the command ends", DEADLINE, || erasing.try_wait().expect("a child"));
    assert!(!ended.success(), "the node was killed under it");
    alice.start();
    let left = statuses(&alice);
    assert!(left < MANY, "what was erased stays erased");
    alice.heads(&alice.did());
    let counted = alice.xom(&["erase", "--everything", "--dry-run"]);
    let posts = counted["kinds"]["post"].as_u64().unwrap_or_default();
    assert_eq!(posts, left as u64, "{counted}");

    if left <= REQUEST_MAX {
        import_many(&alice, MANY);
    }
    let mut terminal = Terminal::run(&alice, "erase --everything --keep-identity --yes --now");
    terminal.read_to("Passphrase: ");
    terminal.type_line("correct horse battery");
    let (rest, went_well) = terminal.end_within(DEADLINE * 5);
    assert!(went_well && !rest.contains("Passphrase"), "{rest}");
    assert!(rest.contains("to go") && rest.contains("erased; the bytes are purged"), "{rest}");
    assert_eq!((statuses(&alice), &alice.xom(&["erase", "--everything", "--dry-run"])["found"]), (0, &json!(0)));
    alice.xom(&["compact"]);
    alice.kill();
    let secrets: Vec<String> = (0..2 * MANY).step_by(97).map(secret).collect();
    assert_eq!(found_in(&alice.data_dir(), &secrets), Vec::<String>::new());
}

/// The texts of somebody's profile as a home shows it, in alphabetical order.
fn profile(home: &Home, did: &str) -> Vec<String> {
    let account = text(&home.get(&format!("/api/v1/accounts/lookup?acct={did}"))["id"]);
    let page = home.get(&format!("/api/v1/accounts/{account}/statuses?limit=40"));
    let statuses = page.as_array().expect("a list").iter();
    let mut texts: Vec<String> = statuses.map(|status| plain(&text(&status["content"]))).collect();
    texts.sort();
    texts
}

#[test]
fn xom_erase_before_a_date_and_by_device_takes_that_and_nothing_else_also_at_a_follower() {
    let (alice, bob) = (Home::started("alice"), Home::started("bob"));
    let did = alice.did();
    bob.follow(&alice.invite());
    let old = |number: usize| {
        let source = format!("https://old.example/{number}");
        json!({ "source_url": source, "published": "2020-01-02T03:04:05Z", "text": secret(number) })
    };
    let posts: Vec<Value> = (0..3).map(old).collect();
    assert_eq!(alice.post("/api/xom/v1/import/posts", &json!({ "posts": posts })).0, 200);
    alice.publish("today");
    let mut laptop = Home::new("laptop");
    let (granted, joined) = pair(&alice, &mut laptop, ["yes", "yes"]);
    assert!(granted.success() && joined.is_none());
    laptop.publish("from the laptop");
    let device = text(&laptop.xom(&["id"])["device"]);
    let all = [&alice, &laptop, &bob];
    let old: Vec<String> = (0..3).map(secret).collect();
    let shown_everywhere = |wanted: &[&str]| {
        for home in all {
            let mut wanted: Vec<String> = wanted.iter().map(|text| (*text).to_owned()).collect();
            wanted.sort();
            wait_until(&format!("{wanted:?} alone"), DEADLINE, || (profile(home, &did) == wanted).then_some(()));
        }
    };
    shown_everywhere(&[&old[0], &old[1], &old[2], "today", "from the laptop"]);

    let before = ["erase", "--before", "2021-01-01"];
    let counted = alice.xom(&[&before[..], &["--dry-run"]].concat());
    assert_eq!((&counted["kinds"]["post"], &counted["erased"]), (&json!(3), &json!(0)), "{counted}");
    assert_eq!(alice.xom(&before)["erased"], json!(3));
    shown_everywhere(&["today", "from the laptop"]);
    assert_eq!(alice.xom(&before)["found"], json!(0), "there is nothing left of it");

    // The phone erases what the laptop said.
    assert_eq!(alice.xom(&["erase", "--device", &device])["erased"], json!(1));
    shown_everywhere(&["today"]);
    assert!(!alice.run(&["erase", "--before", "yesterday"]).status.success());
    assert_eq!(profile(&alice, &did), ["today"]);
}

#[test]
fn the_search_for_texts_finds_what_is_there() {
    let home = Home::new("alice");
    let file = home.scratch().join("plain");
    std::fs::write(&file, format!("…{}…", secret(7))).expect("a file");
    assert_eq!(found_in(home.scratch(), &[secret(7)]).len(), 1);
}
