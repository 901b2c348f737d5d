//! The whole story of an identity, from the command line alone: made, paired, lost, ended, recovered; its
//! follower reads on and does nothing.

use serde_json::json;
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

use super::pairing::{live, pair, wait_for_posts};

#[test]
fn an_identity_outlives_all_its_machines_and_its_follower_reads_on_without_doing_anything() {
    // Made on the first machine; the words go onto paper, and are confirmed and gone from the folder.
    let (mut phone, bob) = (Home::started("alice"), Home::started("bob"));
    let did = phone.did();
    let paper = bob.scratch().join("words.txt");
    phone.save_words(&paper);
    let words = paper.display().to_string();
    phone.xom(&["phrase", "confirm", "--words-file", &words]);
    phone.publish("from the phone");
    bob.follow(&phone.invite());
    wait_for_posts(&bob, &["from the phone"]);

    // A second machine is paired and posts under the same DID.
    let mut laptop = Home::new("laptop");
    let (granted, joined) = pair(&phone, &mut laptop, ["yes", "yes"]);
    assert!(granted.success() && joined.is_none());
    wait_for_posts(&laptop, &["from the phone"]);
    laptop.publish("from the laptop");
    for home in [&phone, &bob] {
        wait_for_posts(home, &["from the laptop"]);
    }

    // The first falls into a river. The second, which has neither words nor control key, ends it with the paper.
    let phone_id = text(&phone.xom(&["id"])["device"]);
    phone.lose();
    assert_ne!(laptop.run(&["device", "remove", &phone_id]).status.code(), Some(0), "without the words");
    laptop.xom(&["device", "remove", &phone_id, "--words-file", &words]);
    laptop.publish("the phone is gone");
    wait_for_posts(&bob, &["the phone is gone"]);
    assert_eq!(live(&laptop).len(), 1);
    let heads = laptop.heads(&did);
    wait_until("bob holds both logs", DEADLINE, || (bob.heads(&did) == heads).then_some(()));

    // The second is lost too. On a third, the paper and a follower bring everything back.
    laptop.stop();
    let mut third = Home::new("alice");
    let from = bob.invite();
    let back = third.xom(&[
        "recover",
        "--phrase",
        "--words-file",
        &words,
        "--from",
        &from,
        "--lost",
        "all",
        "--listen",
        "/ip4/127.0.0.1/tcp/0",
    ]);
    assert_eq!((text(&back["did"]), &back["lost"]), (did.clone(), &json!([])), "{back}");
    third.start();
    assert_eq!(third.did(), did);
    let kept: Vec<_> = third.heads(&did).into_iter().filter(|log| heads.contains(log)).collect();
    assert_eq!(kept, heads, "the logs of both machines are back");
    third.publish("from the third machine");

    // Bob has only ever read.
    let everything = ["from the phone", "from the laptop", "the phone is gone", "from the third machine"];
    wait_for_posts(&bob, &everything);
    wait_until("bob holds the same", DEADLINE, || (bob.heads(&did) == third.heads(&did)).then_some(()));
    let disputed = bob.heads(&did).into_iter().filter(|log| log["disputed"] == true).count();
    assert_eq!(disputed, 0);

    // Whoever finds the second machine can't speak for her any more.
    laptop.start();
    wait_until("the laptop knows that it has ended", DEADLINE, || {
        laptop.xom(&["status"])["warnings"].to_string().contains("was removed").then_some(())
    });
    assert_ne!(laptop.run(&["post", "too late"]).status.code(), Some(0));
    third.publish("the end");
    wait_for_posts(&bob, &["the end"]);
    assert!(!bob.timeline().contains(&"too late".to_owned()));
}
