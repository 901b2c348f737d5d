//! The house rules: which crate knows what, how long files are, which rules are cited.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Most lines of a source file, and of a file of tests.
const LINES_MAX: usize = 600;
/// Most lines of a file of tests.
const TEST_LINES_MAX: usize = 900;
/// Most lines of README.
const README_LINES_MAX: usize = 150;
/// What the root may hold, besides dotfiles.
const ROOT: [&str; 13] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "protocol",
    "node",
    "client-api",
    "spec",
    "tests",
    "target",
    "rust-toolchain.toml",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are one level below the root").to_owned()
}

/// Every file below `folder` with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository") {
            let path = entry.expect("an entry").path();
            let skipped = path.ends_with("target") || path.ends_with("node_modules") || path.ends_with(".git");
            if path.is_dir() && !skipped {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources() -> Vec<(String, String)> {
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        (name, fs::read_to_string(&path).expect("a source file"))
    };
    files(&root(), "rs").into_iter().map(read).collect()
}

fn is_test(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("tests.rs")
}

#[test]
fn files_are_short_and_open_with_what_they_are_for() {
    for (name, source) in sources() {
        let max = if is_test(&name) { TEST_LINES_MAX } else { LINES_MAX };
        let lines = source.lines().count();
        assert!(lines <= max, "{name} has {lines} lines, at most {max}: which second idea is in it?");
        assert!(source.starts_with("//!"), "{name} does not open with what it is for");
        assert!(!name.ends_with("/mod.rs"), "{name}: name.rs beside name/ instead");
    }
}

#[test]
fn nothing_unfinished_is_in_the_tree() {
    let marks = ["todo", "unimplemented"].map(|mark| format!("{mark}!("));
    let words = ["TO", "FIX"].map(|word| word.to_owned() + if word == "TO" { "DO" } else { "ME" });
    for (name, source) in sources() {
        for mark in &marks {
            assert!(!source.contains(mark.as_str()), "{name} contains {mark}");
        }
        let mut in_source = source.split(|letter: char| !letter.is_alphanumeric());
        assert!(!in_source.any(|word| words.iter().any(|mark| mark == word)), "{name} has a note of what is missing");
        let ignored = format!("#[{}", "ignore");
        assert!(!source.contains(&ignored), "{name} has an ignored test");
        let sleeps = ["thread::", "time::"].map(|module| format!("{module}sleep("));
        let asleep = is_test(&name) && sleeps.iter().any(|sleep| source.contains(sleep.as_str()));
        assert!(!asleep, "{name} sleeps instead of waiting for a condition");
    }
}

#[test]
fn sockets_and_tables_are_named_in_the_node_only_and_http_in_the_client_api_only() {
    for (name, source) in sources() {
        let uses = |module: &str| {
            let paths = [format!("use {module}::"), format!(" {module}::"), format!("({module}::")];
            paths.iter().any(|path| source.contains(path.as_str()))
        };
        if name.starts_with("tests/tests/all/") {
            continue;
        }
        assert!(name.starts_with("node/") || !uses("libp2p"), "{name} names libp2p");
        assert!(name.starts_with("node/") || !uses("redb"), "{name} names redb");
        assert!(name.starts_with("client-api/") || !uses("axum"), "{name} names axum");
        let pure = ["std::fs", "std::net", "std::thread", "std::time::Instant", "SystemTime", "tokio", "HashMap"];
        for word in pure {
            let is_protocol = name.starts_with("protocol/src/");
            assert!(!(is_protocol && source.contains(word)), "{name} names {word}, the protocol is pure");
        }
    }
}

/// The rule ids that a text names, such as `LOG-9`.
fn rule_ids(text: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for family in [
        "ENC-", "ID-", "LOG-", "BODY-", "SYN-", "BLOB-", "PAIR-", "ARC-", "REST-", "REC-", "RCP-", "FIND-", "KEEP-",
        "PNET-", "RCH-", "ADM-", "GSP-", "FEED-", "ALG-",
    ] {
        for (at, _) in text.match_indices(family) {
            let before = text[..at].chars().next_back();
            let number: String = text[at + family.len()..].chars().take_while(char::is_ascii_digit).collect();
            let stands_alone = before.is_none_or(|letter| !letter.is_ascii_alphanumeric() && letter != '-');
            if stands_alone && !number.is_empty() {
                ids.insert(format!("{family}{number}"));
            }
        }
    }
    ids
}

/// The rules that the spec states: paragraphs that open with the id in bold.
fn stated_rules() -> BTreeMap<String, String> {
    let mut stated = BTreeMap::new();
    for path in files(&root().join("spec"), "md") {
        let text = fs::read_to_string(&path).expect("a chapter");
        for line in text.lines() {
            let opening = line.trim_start_matches(['-', ' ']).strip_prefix("**");
            let Some((id, _)) = opening.and_then(|rest| rest.split_once("**")) else { continue };
            if rule_ids(id).len() == 1 && rule_ids(id).contains(id) {
                let twice = stated.insert(id.to_owned(), path.display().to_string());
                assert_eq!(twice, None, "{id} is stated twice");
            }
        }
    }
    assert!(!stated.is_empty(), "the spec states no rule");
    stated
}

#[test]
fn every_rule_of_the_spec_is_cited_by_code_and_by_a_test_and_every_cited_rule_is_stated() {
    let stated: BTreeSet<String> = stated_rules().into_keys().collect();
    let (mut in_code, mut in_tests) = (BTreeSet::new(), BTreeSet::new());
    for (name, source) in sources() {
        let (code, test) = match source.split_once("#[cfg(test)]") {
            _ if is_test(&name) => ("", source.as_str()),
            Some((code, test)) => (code, test),
            None => (source.as_str(), ""),
        };
        in_code.extend(rule_ids(code));
        in_tests.extend(rule_ids(test));
    }
    for path in files(&root().join("spec/vectors"), "json") {
        in_tests.extend(rule_ids(&fs::read_to_string(path).expect("vectors")));
    }
    let missing = |cited: &BTreeSet<String>| stated.difference(cited).cloned().collect::<Vec<_>>();
    assert_eq!(missing(&in_code), Vec::<String>::new(), "rules that no code cites");
    assert_eq!(missing(&in_tests), Vec::<String>::new(), "rules that no test cites");
    let unstated: Vec<_> = in_code.difference(&stated).collect();
    assert_eq!(unstated, Vec::<&String>::new(), "rules that the spec does not state");
}

#[test]
fn the_root_holds_the_agreed_things_and_nothing_else() {
    for entry in fs::read_dir(root()).expect("the root") {
        let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
        assert!(name.starts_with('.') || ROOT.contains(&name.as_str()), "{name} is not part of the layout");
    }
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let lines = readme.lines().count();
    assert!(lines <= README_LINES_MAX, "README has {lines} lines");
}
