//! Keepers: an author whose only machine dies is read on, and comes back, through the one who kept him.

use serde_json::Value;
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

/// A home that finds others through `hub`.
fn joining(name: &str, hub: &Home) -> Home {
    let mut home = Home::new(name);
    home.bootstrap(&hub.address());
    home.start();
    home
}

/// Waits until `holder` holds all that `want` names of an identity.
fn wait_for_heads(holder: &Home, did: &str, want: &[Value]) {
    wait_until("the same heads", DEADLINE, || (holder.heads(did) == want).then_some(()));
}

fn wait_for_post(reader: &Home, post: &str) {
    wait_until(post, DEADLINE, || reader.timeline().iter().any(|shown| shown == post).then_some(()));
}

#[test]
fn an_author_whose_machine_dies_is_found_and_comes_back_through_the_only_keeper() {
    let hub = Home::started("hub");
    let (mut alice, keeper) = (joining("alice", &hub), joining("keeper", &hub));
    let did = alice.did();
    for number in 0..40 {
        alice.publish(&format!("kept {number}"));
    }
    let kept = keeper.xom(&["keep", &did]);
    assert_eq!((text(&kept["did"]), &kept["quota_bytes"]), (did.clone(), &2_000_000_000_u64.into()), "{kept}");
    let heads = alice.heads(&did);
    wait_for_heads(&keeper, &did, &heads);
    let listed = keeper.xom(&["keep", "list"]);
    let row = &listed[0];
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    assert_eq!((text(&row["did"]), text(&row["log"])), (did.clone(), text(&heads[0]["log"])), "{listed}");
    assert_eq!((&row["height"], &row["quota_bytes"]), (&heads[0]["height"], &2_000_000_000_u64.into()), "{listed}");
    assert!(row["bytes"].as_u64().is_some_and(|bytes| bytes > 40 * 512) && row["until"].is_string(), "{listed}");
    assert!(keeper.timeline().is_empty(), "a keeper does not read along");

    let words = keeper.scratch().join("words.txt");
    alice.save_words(&words);
    alice.lose();
    // Somebody who knows the DID and one address of anybody finds the keeper.
    let dan = joining("dan", &hub);
    dan.follow(&did);
    wait_for_heads(&dan, &did, &heads);
    wait_for_post(&dan, "kept 39");

    // So does alice, who has nothing but her words.
    let mut machine = Home::new("alice");
    machine.bootstrap(&hub.address());
    let (words, from) = (words.display().to_string(), hub.address());
    let recover = ["recover", "--phrase", "--words-file", &words, "--from", &from, "--lost", "all"];
    let back = machine.xom(&[&recover[..], &["--listen", "/ip4/127.0.0.1/tcp/0"]].concat());
    assert_eq!((text(&back["did"]), &back["lost"]), (did.clone(), &Value::Array(Vec::new())), "{back}");
    machine.start();
    machine.publish("back through my keeper");
    wait_for_post(&dan, "back through my keeper");
    let all = machine.heads(&did);
    assert!(heads.iter().all(|head| all.contains(head)), "everything that was kept is back");
    wait_for_heads(&keeper, &did, &all);
}

#[test]
fn what_is_kept_has_terms_and_is_given_back_when_they_end() {
    let (alice, keeper) = (Home::started("alice"), Home::started("keeper"));
    alice.publish("kept for a while");
    let invite = alice.invite();
    keeper.xom(&["keep", &invite, "--quota", "5MB", "--for", "30d", "--quiet"]);
    let did = alice.did();
    wait_for_heads(&keeper, &did, &alice.heads(&did));
    let row = keeper.xom(&["keep", "list"])[0].clone();
    assert_eq!(row["quota_bytes"], 5_000_000, "{row}");
    for (wrong, code) in [
        (["keep", &did, "--quota", "1kB"], 4),
        (["keep", &did, "--for", "never"], 2),
        (["keep", "nobody@nowhere.xom", "--quota", "5MB"], 4),
    ] {
        let refused = keeper.run(&wrong);
        assert_eq!(refused.status.code(), Some(code), "{wrong:?}: {}", String::from_utf8_lossy(&refused.stderr));
    }
    keeper.xom(&["keep", "end", &did]);
    assert_eq!(keeper.xom(&["keep", "list"]), Value::Array(Vec::new()));
    let gone = || keeper.heads(&did).iter().all(|head| head["height"] == 0).then_some(());
    wait_until("the space is given back", DEADLINE, gone);
    assert_eq!(keeper.run(&["keep", "end", &did]).status.code(), Some(5), "it is kept no more");
}

#[test]
fn an_author_asks_to_be_kept_and_sees_which_copies_there_are() {
    let (alice, keeper) = (Home::started("alice"), Home::started("keeper"));
    alice.publish("please keep this");
    assert_eq!(alice.xom(&["status"])["copies"], 0);
    let asked = alice.xom(&["keep", "ask", &keeper.invite(), "--quota", "50MB", "--for", "30d"]);
    assert_eq!(asked["did"], keeper.did(), "{asked}");
    let did = alice.did();
    let request = wait_until("the wish is at the keeper", DEADLINE, || {
        alice.xom(&["copies"]);
        keeper.xom(&["keep", "requests"]).as_array().and_then(|list| list.first().cloned())
    });
    assert_eq!((text(&request["did"]), &request["quota_bytes"]), (did.clone(), &50_000_000.into()), "{request}");
    let allowed = keeper.xom(&["keep", "allow", &did, "--quota", "10MB"]);
    assert_eq!(allowed["kept"], true, "{allowed}");
    let whole = wait_until("a whole copy, and the answer", DEADLINE, || {
        let copies = alice.xom(&["copies"]);
        let is_whole = copies["logs"][0]["copies"] == 1 && copies["logs"][0]["behind"] == 0;
        (is_whole && copies["keepers"][0]["state"] == "kept").then_some(copies)
    });
    let holder = &whole["logs"][0]["holders"][0];
    assert_eq!((text(&holder["did"]), &holder["quota_bytes"]), (keeper.did(), &10_000_000.into()), "{whole}");
    assert!(holder["until"].is_string() && holder["live"] == true, "{whole}");
    assert_eq!(alice.xom(&["status"])["copies"], 1);
    let shown = String::from_utf8_lossy(&alice.run(&["copies"]).stdout).into_owned();
    assert!(shown.contains("1 live, none behind") && shown.contains("up to date"), "{shown}");

    // What the policy file says is what the commands wrote.
    let policy = std::fs::read_to_string(keeper.data_dir().join("keep-policy.json")).expect("a policy");
    assert!(policy.contains(&did) && policy.contains("10000000"), "{policy}");
    keeper.xom(&["keep", "deny", &did]);
    assert_eq!(keeper.xom(&["keep", "list"]), Value::Array(Vec::new()));
    let gone = || keeper.heads(&did).is_empty().then_some(());
    wait_until("the space is given back", DEADLINE, gone);
    wait_until("no live copy is left", DEADLINE, || (alice.xom(&["copies"])["logs"][0]["copies"] == 0).then_some(()));
}
