//! The vectors of chapter 06: questions to guardians, their answers, and codes.

use serde_bytes::ByteBuf;
use xom_protocol::encoding;
use xom_protocol::recover::{Answer, Ask, code};

use crate::support::{Vector, check_cddl, check_regenerated, hex, matches_cddl, read_vectors};

const FILE: &str = "recover.json";
const ABOUT: &str = "Chapter 06. ask and answer: cbor is a frame's body. code: of the bytes of a request (REC-4).";
const CHAPTERS: &[&str] = &["03-encoding.md", "02-entries-and-logs.md", "04-sync.md", "06-recovery.md"];

fn ask() -> Ask {
    Ask { request: b"a request".to_vec(), objects: vec![vec![0x80], vec![0x81, 0x00]] }
}

fn answer() -> Answer {
    Answer { refused: false, wait_secs: 259_200, start: vec![vec![0xa0]], finish: vec![vec![0xa0], vec![0x80]] }
}

fn vectors() -> Vec<Vector> {
    let valid = |name: &str, is: &str, cbor: Vec<u8>| Vector::new(name, is, None).with("cbor", hex(cbor));
    let bad =
        |rule: &str, name: &str, is: &str, cbor: Vec<u8>| Vector::new(name, is, Some(rule)).with("cbor", hex(cbor));
    let bytes = |count: usize| vec![ByteBuf::from(vec![0x80]); count];
    let (request, none) = (ByteBuf::from(b"a request".to_vec()), Vec::<ByteBuf>::new());
    let of =
        |request: &[u8]| Vector::new("a code", "code", None).with("request", hex(request)).with("code", code(request));
    vec![
        valid("an ask", "ask", ask().encode()),
        valid("an ask without objects", "ask", Ask { objects: Vec::new(), ..ask() }.encode()),
        valid("an answer", "answer", answer().encode()),
        valid("an answer before anybody has acted", "answer", Answer::default().encode()),
        of(b"a request"),
        bad("REC-2", "an ask of another kind", "ask", encoding::encode(&(1, &request, &none))),
        bad("REC-2", "an ask without a request", "ask", encoding::encode(&(0, &none))),
        bad("REC-2", "an ask with a member too many", "ask", encoding::encode(&(0, &request, &none, 1))),
        bad("REC-6", "an answer of another kind", "answer", encoding::encode(&(0, false, 0, &none, &none))),
        bad("REC-6", "seventeen approvals", "answer", encoding::encode(&(1, false, 0, bytes(17), &none))),
        bad("REC-6", "a wait of more than a year", "answer", encoding::encode(&(1, false, 31_622_401, &none, &none))),
        bad("REC-6", "a wait that is a text", "answer", encoding::encode(&(1, false, "soon", &none, &none))),
        bad("ENC-2", "a length that is not minimal", "ask", vec![0x83, 0x18, 0x00, 0x40, 0x80]),
        bad("ENC-1", "bytes after the answer", "answer", [answer().encode(), vec![0]].concat()),
    ]
}

#[test]
fn the_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

#[test]
fn every_vector_gets_the_verdict_that_it_names() {
    for vector in read_vectors("recover.json") {
        let rule = match vector.is.as_str() {
            "ask" => Ask::decode(&vector.bytes("cbor")).err().map(|e| e.rule()),
            "answer" => Answer::decode(&vector.bytes("cbor")).err().map(|e| e.rule()),
            "code" => {
                assert_eq!(code(&vector.bytes("request")), vector.text("code"));
                None
            }
            other => panic!("{other} is not known"),
        };
        assert_eq!(rule.map(|rule| rule.0), vector.rule.as_deref(), "{}", vector.name);
    }
}

#[test]
fn what_is_valid_matches_the_cddl_and_what_has_another_shape_does_not() {
    for vector in read_vectors("recover.json").iter().filter(|vector| vector.fields.contains_key("cbor")) {
        let bytes = vector.bytes("cbor");
        match vector.rule.as_deref() {
            None => check_cddl(&vector.is, CHAPTERS, &bytes, &vector.name),
            Some("REC-2" | "REC-6") => assert!(!matches_cddl(&vector.is, CHAPTERS, &bytes), "{}", vector.name),
            Some(_) => {}
        }
    }
}

#[test]
fn an_ask_whose_objects_do_not_fit_into_a_frame_goes_without_them() {
    let objects = vec![vec![0; 200_000]; 6];
    let asked = Ask::decode(&Ask { objects, ..ask() }.encode()).expect("fits");
    assert_eq!((asked.request, asked.objects), (ask().request, Vec::new()));
}

#[test]
fn a_code_has_four_groups_of_four_letters_and_differs_with_every_request() {
    let (first, second) = (code(b"one"), code(b"two"));
    assert_ne!(first, second);
    let groups: Vec<&str> = first.split('-').collect();
    assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{first}");
}
