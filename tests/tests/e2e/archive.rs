//! An archive is more than a copy: the identity in it goes on elsewhere, and what is erased there goes everywhere.

use serde_json::{Value, json};
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::{Home, wait_until};

use super::pairing::wait_for_posts;

/// The own statuses, by their texts.
fn own_id(home: &Home, post: &str) -> String {
    let account = text(&home.get("/api/v1/accounts/verify_credentials")["id"]);
    let page = home.get(&format!("/api/v1/accounts/{account}/statuses?limit=40"));
    let found = page.as_array().expect("a list").iter().find(|status| plain(&text(&status["content"])) == post);
    text(&found.unwrap_or_else(|| panic!("{post} is not in {page}"))["id"])
}

/// Waits until `xom show` says this of the copies of a post.
fn wait_for_summary(home: &Home, id: &str, wanted: &str) -> Value {
    wait_until(wanted, DEADLINE, || {
        let shown = home.xom(&["show", id]);
        let copies = if shown["copies"].is_object() { shown["copies"].clone() } else { shown };
        (copies["summary"] == wanted).then_some(copies)
    })
}

#[test]
fn an_archive_is_imported_on_a_new_node_the_words_continue_the_identity_and_copies_of_what_it_erases_are_purged() {
    let (mut alice, bob, carol) = (Home::started("alice"), Home::started("bob"), Home::started("carol"));
    let did = alice.did();
    let words = bob.scratch().join("words.txt");
    alice.save_words(&words);
    let words = words.display().to_string();
    let invite = alice.invite();
    for follower in [&bob, &carol] {
        follower.follow(&invite);
    }
    for post in ["kept", "regretted later"] {
        alice.publish(post);
    }
    for follower in [&bob, &carol] {
        wait_for_posts(follower, &["kept", "regretted later"]);
    }
    let archive = bob.scratch().join("alice.tar").display().to_string();
    alice.xom(&["export", &archive]);
    alice.publish("after the export");
    wait_for_posts(&bob, &["after the export"]);
    alice.lose();

    let mut new = Home::new("alice");
    let taken = new.xom(&["restore", &archive]);
    assert_eq!(taken["identities"][0]["did"], json!(did));
    let from = bob.invite();
    let recover = ["recover", "--phrase", "--words-file", &words, "--from", &from, "--lost", "all"];
    let back = new.xom(&[&recover[..], &["--listen", "/ip4/127.0.0.1/tcp/0"]].concat());
    assert_eq!((text(&back["did"]), &back["lost"]), (did.clone(), &json!([])), "{back}");
    new.bootstrap(&bob.address());
    new.bootstrap(&carol.address());
    new.start();
    assert_eq!(new.did(), did);
    own_id(&new, "after the export");
    new.publish("from the new node");
    for follower in [&bob, &carol] {
        wait_for_posts(follower, &["kept", "regretted later", "after the export", "from the new node"]);
    }

    // The new node knows of the copies that were made before it was there.
    let id = own_id(&new, "regretted later");
    wait_for_summary(&new, &id, "held on 2 known copies");
    new.xom(&["erase", &id, "--now", "--words-file", &words]);
    let purged = wait_for_summary(&new, &id, "purged on 2 of 2 known copies");
    let holders: Vec<String> =
        purged["copies"].as_array().expect("a list").iter().map(|it| text(&it["holder"])).collect();
    assert!(holders.contains(&bob.did()) && holders.contains(&carol.did()), "{purged}");
    for follower in [&bob, &carol] {
        wait_until("it is gone", DEADLINE, || {
            (!follower.timeline().contains(&"regretted later".to_owned())).then_some(())
        });
        let heads = new.heads(&did);
        wait_until("the same log", DEADLINE, || (follower.heads(&did) == heads).then_some(()));
        assert!(heads.iter().all(|log| log["disputed"] == false));
    }
}
