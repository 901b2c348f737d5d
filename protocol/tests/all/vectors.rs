//! Every file under `spec/vectors` is read by a test.

use std::collections::BTreeSet;

use crate::support::spec;

/// The files that tests of this crate read.
const READ: &[&str] = &[
    "algorithms.json",
    "blobs.json",
    "encoding.json",
    "entries.json",
    "faults.json",
    "feed-language.json",
    "find.json",
    "forks.json",
    "gossip.json",
    "identity.json",
    "keep.json",
    "merkle.json",
    "pairing.json",
    "recover.json",
    "receipts.json",
    "registers.json",
    "runs.json",
    "sync.json",
];

/// The files that tests of the node read.
const READ_BY_THE_NODE: &[&str] = &["sealed.json"];

#[test]
fn every_vector_file_is_read_and_every_file_that_is_read_exists() {
    let found = std::fs::read_dir(spec().join("vectors")).expect("vectors");
    let found: BTreeSet<String> =
        found.map(|entry| entry.expect("entry").file_name().into_string().expect("plain name")).collect();
    let read: BTreeSet<String> = READ.iter().chain(READ_BY_THE_NODE).map(|file| (*file).to_owned()).collect();
    assert_eq!(found, read);
}

/// Every text that these tests are made of.
fn sources(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).expect("folder").map(|entry| entry.expect("entry").path());
    let texts = entries.map(|path| match path.is_dir() {
        true => sources(&path),
        false if path.ends_with("vectors.rs") && folder.ends_with("all") => String::new(),
        false => std::fs::read_to_string(&path).expect("source"),
    });
    texts.collect()
}

#[test]
fn every_file_of_the_list_is_named_by_a_test_that_runs_it() {
    let tests = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/all");
    let sources = sources(&tests);
    for file in READ {
        assert!(sources.contains(&format!("\"{file}\"")), "no test names {file}");
    }
    let node = self::sources(&tests.join("../../../node/src"));
    for file in READ_BY_THE_NODE {
        assert!(node.contains(&format!("spec/vectors/{file}\"")), "no test of the node names {file}");
    }
}
