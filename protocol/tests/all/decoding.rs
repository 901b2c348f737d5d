//! Decoders against any bytes (group R-DEC): refused in one pass, with a rule, without a panic.

use proptest::prelude::*;
use xom_protocol::body::{Body, Post};
use xom_protocol::encoding;
use xom_protocol::entry::{Header, Kind, verify_signed};
use xom_protocol::log::{ForkProof, Position};
use xom_protocol::sync::frame_body_len;
use xom_protocol::{BlobId, EntryId, Network};

use crate::cast::{post, writer};

/// Every kind whose body we decode.
const KINDS: [&str; 13] = [
    "profile",
    "post",
    "vote",
    "poll-close",
    "reaction",
    "repost",
    "follow",
    "unfollow",
    "block",
    "edit",
    "erase",
    "checkpoint",
    "log-open",
];

/// Checks that the bytes are refused as an object, and that every decoder of ours refuses them too.
fn check(bytes: &[u8], rule: &str) {
    let found = encoding::check(bytes, bytes.len().max(1)).map_err(|e| e.rule().0);
    assert_eq!(found, Err(rule), "{:02x?}", &bytes[..bytes.len().min(40)]);
    refused_by_all(bytes);
}

fn refused_by_all(bytes: &[u8]) {
    assert!(Header::decode(bytes).is_err());
    assert!(ForkProof::decode(bytes).is_err());
    for kind in KINDS {
        assert!(Body::decode(&Kind::from_name(kind).expect("kind"), bytes).is_err(), "{kind}");
    }
}

fn post_kind() -> Kind {
    Kind::Post
}

/// A map of one post with further bytes as its members, by hand.
fn map(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0xa0 | u8::try_from(members.len()).expect("few")];
    for (key, value) in members {
        bytes.push(0x60 | u8::try_from(key.len()).expect("short"));
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(value);
    }
    bytes
}

#[test]
fn r_dec_1_any_depth_of_nesting_is_refused_in_one_pass() {
    for depth in [18, 100, 256, 100_000, 2_000_000] {
        check(&vec![0x81; depth], "ENC-5");
        check(&[0xa1, 0x61, b'a'].repeat(depth), "ENC-5");
        let mut closed = vec![0x81; depth];
        closed.push(0x00);
        check(&closed, "ENC-5");
    }
}

#[test]
fn r_dec_2_declared_lengths_beyond_the_bytes_allocate_nothing() {
    for length in [1_u64 << 32, 1 << 40, 1 << 62, 1 << 63, u64::MAX] {
        for (major, rule) in [(0x5b, "ENC-1"), (0x7b, "ENC-1"), (0x9b, "ENC-5"), (0xbb, "ENC-5")] {
            let mut bytes = vec![major];
            bytes.extend(length.to_be_bytes());
            check(&bytes, rule);
        }
    }
    check(&[0x99, 0x10, 0x00, 0x00], "ENC-1");
}

#[test]
fn r_dec_3_a_million_empty_arrays_are_refused() {
    let mut bytes = vec![0x9a, 0x00, 0x0f, 0x42, 0x40];
    bytes.extend(std::iter::repeat_n(0x80, 1_000_000));
    check(&bytes, "ENC-5");
}

#[test]
fn r_dec_4_longer_forms_and_indefinite_items_are_refused() {
    let cases: [&[u8]; 14] = [
        &[0x18, 0x17],
        &[0x19, 0x00, 0xff],
        &[0x1a, 0, 0, 0xff, 0xff],
        &[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        &[0x38, 0x00],
        &[0x58, 0x01, 0x00],
        &[0x78, 0x01, b'a'],
        &[0x98, 0x00],
        &[0xb8, 0x00],
        &[0x5f, 0xff],
        &[0x7f, 0xff],
        &[0x9f, 0xff],
        &[0xbf, 0xff],
        &[0x1c],
    ];
    cases.iter().for_each(|bytes| check(bytes, "ENC-2"));
}

#[test]
fn r_dec_5_keys_that_repeat_are_out_of_order_or_not_text_are_refused() {
    let two = |a: &[u8], b: &[u8]| [&[0xa2], a, &[1], b, &[2]].concat();
    check(&two(b"\x61a", b"\x61a"), "ENC-3");
    check(&two(b"\x61b", b"\x61a"), "ENC-3");
    check(&two(b"\x62aa", b"\x61b"), "ENC-3");
    check(&two(&[0x01], &[0x02]), "ENC-3");
    check(&two(b"\x41a", b"\x41b"), "ENC-3");
    check(&[0xa1, 0x80, 0x01], "ENC-3");
}

#[test]
fn r_dec_6_unknown_keys_are_kept_in_the_bytes_and_passed_on() {
    let bytes = map(&[("text", b"\x62hi"), ("future", b"\x83\x01\x02\x03")]);
    let expected = Post { text: "hi".into(), ..Post::default() };
    assert_eq!(Body::decode(&post_kind(), &bytes), Ok(Body::Post(expected)));
    let mut alice = writer("alice", "phone");
    alice.write_bytes("post", &bytes);
    let entry = &alice.entries[0];
    let again = verify_signed(Network::MAIN, &alice.key(), entry.to_signed()).expect("valid");
    assert_eq!(again.body().expect("body").bytes, bytes);
}

#[test]
fn r_dec_7_floats_and_other_simple_values_are_refused() {
    let cases: [&[u8]; 8] = [
        &[0xf9, 0x3c, 0x00],
        &[0xf9, 0x7e, 0x00],
        &[0xfa, 0x7f, 0xc0, 0, 0],
        &[0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
        &[0xfb, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        &[0xf7],
        &[0xf8, 0xff],
    ];
    cases.iter().for_each(|bytes| check(bytes, "ENC-4"));
    let mut header = writer("alice", "phone").header(Kind::Post, b"").encode();
    let last = header.len() - 6;
    assert_eq!(header[last], 0, "the time's last byte");
    header.truncate(last - 8);
    header.extend(b"\xfb\x42\x79\xb0\x00\x00\x00\x00\x00\x64post");
    assert_eq!(Header::decode(&header).map_err(|e| e.rule().0), Err("ENC-4"));
}

#[test]
fn r_dec_8_links_must_be_whole_and_of_the_right_kind() {
    let link = |cid: &[u8]| {
        let mut bytes = vec![0xd8, 0x2a, 0x58, u8::try_from(cid.len()).expect("short")];
        bytes.extend_from_slice(cid);
        bytes
    };
    let entry = EntryId([7; 32]).cid().to_bytes();
    let right = link(&[&[0], &entry[..]].concat());
    assert_eq!(encoding::decode::<EntryId>(&right, 100), Ok(EntryId([7; 32])));
    check(&link(&entry), "ENC-6");
    check(&link(&[&[1], &entry[..]].concat()), "ENC-6");
    check(&link(&[&[0], &entry[..entry.len() - 1]].concat()), "ENC-6");
    check(&link(&[&[0], &entry[..], &[0]].concat()), "ENC-6");
    let mut identity = vec![0, 1, 0x55, 0, 59];
    identity.resize(5 + 59, 7);
    assert_eq!(encoding::check(&link(&identity), 100), Ok(()), "64 bytes are allowed");
    identity[4] = 60;
    identity.push(7);
    check(&link(&identity), "ENC-6");
    let mut huge = vec![0xd8, 0x2a, 0x59, 0x10, 0x04, 0, 1, 0x55, 0, 0x80, 0x20];
    huge.resize(5 + 0x1004, 0);
    check(&huge, "ENC-6");
    check(&[0xc2, 0x41, 0x01], "ENC-6");
    check(&[0xd8, 0x2a, 0x60], "ENC-6");
    check(&[0xd8, 0x2a, 0x41, 0x00], "ENC-6");
    let blob = link(&[&[0], &BlobId([7; 32]).cid().to_bytes()[..]].concat());
    let wrong = |bytes: &[u8]| encoding::decode::<EntryId>(bytes, 100).map_err(|e| e.rule().0);
    assert_eq!(wrong(&blob), Err("ENC-8"), "a blob is no entry");
    let sha1 = [&[0, 1, 0x71, 0x11, 20][..], &[7; 20]].concat();
    assert_eq!(wrong(&link(&sha1)), Err("ENC-8"), "another hash");
    let cut = [&[0, 1, 0x71, 0x12, 20][..], &[7; 20]].concat();
    assert_eq!(wrong(&link(&cut)), Err("ENC-8"), "a digest cut short");
}

#[test]
fn r_dec_9_one_frame_is_one_item() {
    check(&[0x00, 0x00], "ENC-1");
    check(&[0xa0, 0xa0], "ENC-1");
    check(&[], "ENC-1");
    let header = writer("alice", "phone").header(Kind::Post, b"").encode();
    let twice = [&header[..], &header].concat();
    assert_eq!(Header::decode(&twice).map_err(|e| e.rule().0), Err("ENC-1"));
    let trailing = [&header[..], &[0xf6]].concat();
    assert_eq!(Header::decode(&trailing).map_err(|e| e.rule().0), Err("ENC-1"));
}

#[test]
fn r_dec_10_text_is_utf_8_and_of_bounded_length_without_controls() {
    check(&[0x61, 0xff], "ENC-3");
    check(&[0x63, 0xed, 0xa0, 0x80], "ENC-3");
    check(&[0x62, 0xc0, 0x80], "ENC-3");
    check(&[0x64, 0xf4, 0x90, 0x80, 0x80], "ENC-3");
    let rule = |text: &str| {
        let bytes = post(text).encode();
        Body::decode(&post_kind(), &bytes).map(|_| ()).map_err(|e| e.rule().0)
    };
    assert_eq!(rule("two\nlines\tand a tab"), Ok(()));
    assert_eq!(rule("zero\0byte"), Err("BODY-2"));
    assert_eq!(rule("bell\u{7}"), Err("BODY-2"));
    assert_eq!(rule("carriage\rreturn"), Err("BODY-2"));
    assert_eq!(rule(&"e\u{301}".repeat(2_500)), Ok(()));
    assert_eq!(rule(&"\u{301}".repeat(5_001)), Err("BODY-2"));
    assert_eq!(rule(&"\u{301}".repeat(500_000)), Err("ENC-1"));
    assert_eq!(rule("right \u{202e}to left"), Ok(()), "kept; whoever shows it isolates it");
}

#[test]
fn r_dec_11_a_frame_announces_1_byte_to_1_mebibyte() {
    let announced = |prefix: u32| frame_body_len(prefix.to_be_bytes()).map_err(|e| e.rule().0);
    assert_eq!(announced(1), Ok(1));
    assert_eq!(announced(1 << 20), Ok(1 << 20));
    for prefix in [0, (1 << 20) + 1, 1 << 31, u32::MAX] {
        assert_eq!(announced(prefix), Err("SYN-1"), "{prefix}");
    }
}

#[test]
fn r_dec_12_numbers_at_their_edges_are_checked_not_wrapped() {
    let alice = writer("alice", "phone");
    let header = |change: &dyn Fn(&mut Header)| {
        let mut header = alice.header(Kind::Post, b"");
        change(&mut header);
        Header::decode(&header.encode()).map(|_| ()).map_err(|e| e.rule().0)
    };
    let prev = Some(xom_protocol::Digest([1; 32]));
    let at = |seq| move |header: &mut Header| (header.seq, header.prev) = (seq, prev);
    assert_eq!(header(&at((1 << 53) - 1)), Ok(()));
    for seq in [1 << 53, (1 << 63) - 1, 1 << 63, u64::MAX] {
        assert_eq!(header(&at(seq)), Err("LOG-4"), "{seq}");
    }
    for time_ms in [253_402_300_800_000, 1 << 63, u64::MAX] {
        assert_eq!(header(&|header| header.time_ms = time_ms), Err("LOG-4"), "{time_ms}");
    }
    for size_class in [0, 7, 19, 255] {
        assert_eq!(header(&|header| header.size_class = size_class), Err("LOG-4"), "{size_class}");
    }
    let top = Position { height: u64::MAX, head: prev };
    let run = alice.verify(top, vec![alice.twin().composer.compose(&post("x"), [1; 32], 1).expect("ok").to_signed()]);
    assert_eq!(run.refused.map(|refusal| refusal.rule().0), Some("LOG-4"));
    let follow = |rev: &[u8]| {
        let bytes = map(&[("rev", rev), ("subject", &[&[0x58, 0x20][..], &[7; 32]].concat())]);
        Body::decode(&Kind::Follow, &bytes).map(|_| ()).map_err(|e| e.rule().0)
    };
    assert_eq!(follow(b"\x1b\x00\x1f\xff\xff\xff\xff\xff\xff"), Ok(()));
    assert_eq!(follow(b"\x1b\x00\x20\x00\x00\x00\x00\x00\x00"), Err("LOG-10"));
    assert_eq!(follow(b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), Err("LOG-10"));
    assert_eq!(follow(b"\x20"), Err("ENC-8"), "a negative number");
}

#[test]
fn r_dec_13_an_unknown_kind_is_stored_and_another_version_refused() {
    let mut alice = writer("alice", "phone");
    alice.write_bytes("chess.move", b"\xff\xfe any bytes");
    let entry = &alice.entries[0];
    assert_eq!(entry.header().kind, Kind::Other("chess.move".into()));
    let body = Body::decode(&entry.header().kind, &entry.body().expect("body").bytes);
    assert_eq!(body.map_err(|e| e.rule().0), Err("BODY-0"));
    let mut header = entry.header_bytes().to_vec();
    assert_eq!(header[1], 1);
    header[1] = 2;
    assert_eq!(Header::decode(&header).map_err(|e| e.rule().0), Err("LOG-2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if encoding::check(&bytes, 200).is_err() {
            refused_by_all(&bytes);
        }
    }

    #[test]
    fn no_mutation_makes_a_decoder_panic_or_change_its_mind(
        which in 0_usize..8,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut alice = writer("alice", "phone");
        let first = alice.post("a post with some text");
        alice.like(first, 1);
        alice.name("Alice", 1);
        alice.erase(first);
        let entry = &alice.entries[which / 2];
        let kind = entry.header().kind.clone();
        let original = if which % 2 == 0 { entry.header_bytes().to_vec() } else { entry.body().expect("body").bytes.clone() };
        let mut bytes = original.clone();
        for (index, value) in changes {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(header) = Header::decode(&bytes) {
            prop_assert_eq!(header.encode(), bytes.clone(), "a header has one encoding");
        }
        if let Ok(body) = Body::decode(&kind, &bytes) {
            let again = Body::decode(&kind, &body.encode());
            prop_assert_eq!(again, Ok(body));
        }
        let mut run = vec![entry.to_signed()];
        run[0].header = bytes;
        let from = entry.header().prev.map(|head| Position { height: entry.header().seq, head: Some(head) });
        let accepted = alice.verify(from.unwrap_or(Position::EMPTY), run.clone()).accepted;
        prop_assert_eq!(accepted.is_empty(), run[0].header != entry.header_bytes());
    }
}
