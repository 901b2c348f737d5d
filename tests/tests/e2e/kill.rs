//! SIGKILL in the middle of posting: nothing acknowledged is lost, nothing is there twice, the log
//! goes on, and nobody sees a fork.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::{Home, wait_until};

/// How often the node is killed.
const KILLS: usize = 100;
/// The node is killed after 0 to so many answers, less one.
const ANSWERS_BEFORE_KILL: usize = 12;
/// Writers that post at the same time.
const WRITERS: usize = 4;

/// Posts from several threads until the node is gone; gives what was acknowledged.
fn post_until_killed(home: &mut Home, round: usize) -> Vec<String> {
    let gone = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    let pid = home.pid().to_string();
    let this: &Home = home;
    let acknowledged = std::thread::scope(|threads| {
        let write = |writer: usize| {
            let (gone, answered) = (&gone, &answered);
            move || {
                let mut acknowledged = Vec::new();
                for number in 0.. {
                    let post = format!("round {round} writer {writer} number {number}");
                    match this.try_post("/api/v1/statuses", &json!({ "status": post })) {
                        Ok((200, _)) => {
                            acknowledged.push(post);
                            answered.fetch_add(1, Ordering::SeqCst);
                        }
                        _ if gone.load(Ordering::SeqCst) => break,
                        other => panic!("refused while alive: {other:?}"),
                    }
                }
                acknowledged
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| threads.spawn(write(writer))).collect();
        // A different moment each round: after so many answers, in the middle of what follows.
        let reached = || (answered.load(Ordering::SeqCst) >= round % ANSWERS_BEFORE_KILL).then_some(());
        wait_until("enough answers before the kill", DEADLINE, reached);
        std::thread::park_timeout(Duration::from_millis(round as u64 * 7 % 20));
        gone.store(true, Ordering::SeqCst);
        let sent = std::process::Command::new("kill").args(["-KILL", &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
    });
    home.kill();
    acknowledged
}

/// Every own post, by paging through the profile.
fn all_posts(home: &Home) -> Vec<String> {
    let account = text(&home.get("/api/v1/accounts/verify_credentials")["id"]);
    let mut posts = Vec::new();
    let mut below = String::new();
    loop {
        let page = home.get(&format!("/api/v1/accounts/{account}/statuses?limit=40{below}"));
        let page = page.as_array().expect("a list").clone();
        let Some(last) = page.last() else { return posts };
        below = format!("&max_id={}", text(&last["id"]));
        posts.extend(page.iter().map(|status| plain(&text(&status["content"]))));
    }
}

#[test]
fn a_hundred_kills_lose_nothing_and_fork_nothing() {
    let mut alice = Home::started("alice");
    let bob = Home::started("bob");
    let did = alice.did();
    bob.follow(&alice.invite());
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        acknowledged.extend(post_until_killed(&mut alice, round));
        alice.start();
    }
    assert!(acknowledged.len() > 4 * KILLS, "only {} posts were acknowledged", acknowledged.len());

    let posts = all_posts(&alice);
    let once: BTreeSet<String> = posts.iter().cloned().collect();
    assert_eq!(once.len(), posts.len(), "a post is there twice");
    let lost: Vec<_> = acknowledged.difference(&once).collect();
    assert_eq!(lost, Vec::<&String>::new(), "acknowledged posts are lost");

    let heads = alice.heads(&did);
    wait_until("bob has the same heads", DEADLINE, || (bob.heads(&did) == heads).then_some(()));
    assert_eq!(heads.len(), 1, "the log went on in one piece");
    let disputed = |log: &Value| log["disputed"] == true;
    assert!(!bob.heads(&did).iter().any(disputed), "bob saw a fork");
}
