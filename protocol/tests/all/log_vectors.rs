//! The vectors of chapter 02: made from fixed keys and times, and run from their JSON.

mod entries;
mod faults;
mod forks;
mod maps;
mod registers;
mod runs;

use crate::support::{Vector, check_cddl, matches_cddl, read_vectors};

/// The chapters whose CDDL the structures of logs need.
const CHAPTERS: &[&str] = &["03-encoding.md", "02-entries-and-logs.md", "14-admission.md", "17-algorithms.md"];

/// Runs every vector of a file: `run` gives the rule that it breaks. Valid CBOR must match the CDDL of
/// the name in `is`, and CBOR of another shape (`ENC-8`) must not.
fn check(file: &str, run: fn(&Vector) -> Result<(), String>) {
    for vector in read_vectors(file) {
        assert_eq!(run(&vector).err().as_deref(), vector.rule.as_deref(), "{file}: {}", vector.name);
        if vector.rule.is_none() && vector.fields.contains_key("cbor") {
            check_cddl(&vector.is, CHAPTERS, &vector.bytes("cbor"), &vector.name);
        }
        if vector.rule.as_deref() == Some("ENC-8") {
            assert!(!matches_cddl(&vector.is, CHAPTERS, &vector.bytes("cbor")), "{file}: {}", vector.name);
        }
    }
}

#[test]
fn the_cddl_tells_right_from_wrong() {
    let bad = |start: &str, bytes: &[u8]| assert!(!matches_cddl(start, CHAPTERS, bytes), "{start}");
    bad("header", &[0x80]);
    bad("post", &[0xa0]);
    bad("post", b"\xa1\x64text\x01");
    bad("follow", b"\xa2\x63rev\x01\x67subject\x41a");
    bad("entry-id", &[0x41, 0x00]);
    bad("checkpoint", &[0xa0]);
}
