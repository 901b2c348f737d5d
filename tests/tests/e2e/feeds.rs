//! `xom feed`, with a real process.

use std::fs;

use serde_json::json;
use xom_tests::Home;

#[test]
fn feeds_are_listed_read_and_tried_from_a_file_that_is_not_published() {
    let home = Home::started("alice");
    for text in ["hai chữ", "bốn chữ ở đây nhé", "một"] {
        home.xom(&["post", text]);
    }
    let feeds = home.xom(&["feed", "list"]);
    assert_eq!(feeds.as_array().map(Vec::len), Some(5));
    assert_eq!(home.xom(&["feed", "show", "quiet"])["slug"], "quiet");
    let newest = home.xom(&["feed", "read", "newest", "--limit", "2"]);
    assert_eq!((newest["items"].as_array().map(Vec::len), &newest["total"]), (Some(2), &json!(3)));
    let file = home.scratch().join("long.toml");
    let rules = r#"
        licence = "CC0-1.0"
        name = { en = "Long first" }
        summary = { en = "The longer the higher." }
        sources = [{ from = "follows", hours = 24 }]
        params = [{ id = "weight", label = { en = "Weight" }, min = 1, max = 9, default = 1 }]
        terms = [{ id = "length", label = { en = "It is long" }, value = "post.length * param.weight" }]
        cases = [{ name = "nothing", score = 0 }]
    "#;
    fs::write(&file, rules).expect("a file");
    let path = file.display().to_string();
    let tried = home.xom(&["feed", "try", &path, "--set", "weight=2"]);
    assert_eq!(tried["items"][0]["explanation"]["score"], 34);
    let said = home.run(&["feed", "try", &path]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("score 17 = length 17"), "{said}");
    fs::write(&file, rules.replace("post.length *", "post.width *")).expect("a file");
    let wrong = home.run(&["feed", "try", &path]);
    let wrong = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.contains("terms: length: post.width at byte 0 is not there to be read"), "{wrong}");
}
