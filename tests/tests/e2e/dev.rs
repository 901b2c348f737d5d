//! `xom dev`: a node to try apps on.

use std::path::PathBuf;

use xom_tests::run::{Run, free_address};

#[test]
fn a_demo_holds_20_people_and_2_000_posts_prints_a_token_that_works_and_leaves_nothing_behind() {
    let http = free_address().to_string();
    let run = Run::dev(&["--demo", "--http", &http]);
    let greeting = run.greeting().clone();
    let token = greeting["token"].as_str().expect("a token").to_owned();
    let line = greeting["curl"].as_str().expect("a line");
    assert!(line.contains(&token) && line.contains(&format!("http://{http}/api/v1/timelines/home")), "{line}");

    let file = PathBuf::from(greeting["data_dir"].as_str().expect("a folder")).join("token");
    assert_eq!(std::fs::read_to_string(file).expect("a token").trim(), token);
    let me = run.get("/api/v1/accounts/verify_credentials");
    assert_eq!((&me["username"], &me["following_count"]), (&"lan".into(), &19.into()));
    let instance = run.get("/api/v1/instance");
    assert_eq!(instance["stats"]["user_count"], 20, "{instance}");
    let (mut posts, mut answers) = (0, 0);
    let people = run.get(&format!("/api/v1/accounts/{}/following?limit=80", me["id"].as_str().expect("an id")));
    for account in people.as_array().expect("a list").iter().chain([&me]) {
        posts += account["statuses_count"].as_u64().expect("a count");
    }
    assert!(posts >= 2_000, "{posts}");
    let home = run.get("/api/v1/timelines/home?limit=40");
    let home = home.as_array().expect("a list");
    answers += home.iter().filter(|status| !status["in_reply_to_id"].is_null()).count();
    let authors: std::collections::BTreeSet<&str> =
        home.iter().filter_map(|status| status["account"]["id"].as_str()).collect();
    assert_eq!(home.len(), 40);
    assert!(authors.len() > 2 && answers > 0, "people talk with each other: {authors:?}, {answers}");

    let folder = PathBuf::from(greeting["data_dir"].as_str().expect("a folder"));
    assert!(folder.exists());
    run.end();
    assert!(!folder.exists(), "the folder goes with the node");
}
