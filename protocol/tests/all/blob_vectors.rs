//! The vectors of chapter 12: ids, requests and slices of blobs.

use serde_json::Value;
use xom_protocol::blob::{Group, Groups, Item, Lie, Request, SliceReader, Tree, TreeBuilder, group_length, items};
use xom_protocol::body::{Attachment, Body, Post};
use xom_protocol::limits::{BLOB_BYTES_MAX, BLOB_GROUP_BYTES, BLOB_GROUPS_MAX};
use xom_protocol::{BlobId, EntryId, encoding};

use crate::support::{Vector, check_cddl, check_regenerated, hex, matches_cddl, read_vectors};

const FILE: &str = "blobs.json";
const CHAPTERS: &[&str] = &["03-encoding.md", "12-blobs.md"];
const ABOUT: &str = "Chapter 12. blob: bytes and id (BLOB-1). blob-request: cbor (BLOB-3). slice: of a blob of so many \
    bytes, of which byte i is i mod 251, the groups from first on, count of them (BLOB-6); nodes are the 64 bytes of each \
    node of it in order, length is that of the slice. With change, the lowest bit of the byte at that place of the slice \
    is the other one; of a blob that claims other bytes than it has, claimed is what the reader is told (BLOB-4).";

/// Bytes of a blob that need no file.
fn pattern(bytes: u64) -> Vec<u8> {
    (0..bytes).map(|at| u8::try_from(at % 251).expect("small")).collect()
}

fn tree(bytes: &[u8]) -> Tree {
    let mut builder = TreeBuilder::default();
    builder.update(bytes);
    builder.finish()
}

/// A slice as its writer sends it.
fn slice(bytes: &[u8], groups: &Groups) -> Vec<u8> {
    let parts = items(&tree(bytes), groups).into_iter().map(|item| match item {
        Item::Node(node) => node.to_vec(),
        Item::Group(number) => {
            let begin = number as usize * BLOB_GROUP_BYTES;
            bytes[begin..begin + group_length(bytes.len() as u64, number)].to_vec()
        }
    });
    parts.collect::<Vec<_>>().concat()
}

/// Reads a slice; what is left over does not count.
fn read(blob: &BlobId, bytes: u64, groups: Groups, mut from: &[u8]) -> Result<Vec<Group>, Lie> {
    let (mut reader, mut read) = (SliceReader::new(blob, bytes, groups), Vec::new());
    while let Some(length) = reader.next_length() {
        let (now, later) = from.split_at(length.min(from.len()));
        read.extend(reader.take(now.to_vec())?);
        from = later;
    }
    Ok(read)
}

fn vectors() -> Vec<Vector> {
    let (blob, entry) = (BlobId::of(b"a picture"), EntryId([4; 32]));
    let named = |name: &str, rule, bytes: &[u8]| {
        Vector::new(name, "blob", rule).with("bytes", hex(bytes)).with("id", blob.to_string())
    };
    let request = |name: &str, first: i64, count: i64| {
        let right = (0..2_560).contains(&first) && (1..=256).contains(&count) && first + count <= 2_560;
        let cbor = encoding::encode(&(blob, entry, first, count));
        Vector::new(name, "blob-request", (!right).then_some("BLOB-3")).with("cbor", hex(cbor))
    };
    let alone = Vector::new("a request by hash alone", "blob-request", Some("BLOB-3"));
    let cut = |name: &str, bytes: u64, groups: Groups, rule: Option<&str>| {
        let all = pattern(bytes);
        let nodes = items(&tree(&all), &groups).into_iter().filter_map(|item| match item {
            Item::Node(node) => Some(Value::from(hex(node))),
            Item::Group(_) => None,
        });
        Vector::new(name, "slice", rule)
            .with("bytes", bytes)
            .with("id", BlobId::of(&all).to_string())
            .with("first", groups.start)
            .with("count", groups.end - groups.start)
            .with("nodes", nodes.collect::<Vec<_>>())
            .with("length", slice(&all, &groups).len())
    };
    let wrong = Some("BLOB-4");
    vec![
        named("a blob", None, b"a picture"),
        named("a blob with a byte changed", Some("BLOB-1"), b"a Picture"),
        request("a request of the first group", 0, 1),
        request("a request of the last groups", 2_304, 256),
        request("a request of no groups", 0, 0),
        request("a request of too many groups", 0, 257),
        request("a request from before the beginning", -1, 1),
        request("a request of groups beyond the largest blob", 2_305, 256),
        alone.with("cbor", hex(encoding::encode(&(blob, 0, 1)))),
        cut("a blob of one group", 1_000, 0..1, None),
        cut("all of two groups", 16_385, 0..2, None),
        cut("the middle of five groups", 80_000, 1..3, None),
        cut("the end of nine groups", 9 * 16_384, 8..9, None),
        cut("a changed group", 80_000, 1..3, wrong).with("change", 64 * 4 + 5),
        cut("a changed node", 80_000, 1..3, wrong).with("change", 64 + 1),
        cut("a changed byte in a blob of one group", 1_000, 0..1, wrong).with("change", 999),
        cut("a size that needs a deeper tree", 80_000, 0..1, wrong).with("claimed", 40 << 20),
        cut("a size that is one byte too small, at its last group", 80_000, 4..5, wrong).with("claimed", 79_999),
    ]
}

/// The rule that a vector breaks.
fn run(vector: &Vector) -> Option<&'static str> {
    match vector.is.as_str() {
        "blob" => (BlobId::of(&vector.bytes("bytes")).to_string() != vector.text("id")).then_some("BLOB-1"),
        "blob-request" => match Request::decode(&vector.bytes("cbor")) {
            Ok(request) => {
                assert_eq!(request.encode(), vector.bytes("cbor"), "{}", vector.name);
                None
            }
            Err(_) => Some("BLOB-3"),
        },
        _ => {
            let number = |field: &str| u32::try_from(vector.number(field)).expect("small");
            let (all, groups) = (pattern(vector.number("bytes")), number("first")..number("first") + number("count"));
            let id: BlobId = vector.text("id").parse().expect("an id");
            let mut sent = slice(&all, &groups);
            if vector.fields.contains_key("change") {
                sent[number("change") as usize] ^= 1;
            }
            let claimed = if vector.fields.contains_key("claimed") { "claimed" } else { "bytes" };
            let read = read(&id, vector.number(claimed), groups.clone(), &sent);
            let got =
                read.as_ref().map(|read| read.iter().flat_map(|group| group.bytes()).copied().collect::<Vec<_>>());
            let begin = groups.start as usize * BLOB_GROUP_BYTES;
            let end = all.len().min(groups.end as usize * BLOB_GROUP_BYTES);
            match got {
                Ok(got) => {
                    assert_eq!(got, all[begin..end], "{}", vector.name);
                    None
                }
                Err(_) => Some("BLOB-4"),
            }
        }
    }
}

#[test]
fn the_blob_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

#[test]
fn the_blob_vectors_hold() {
    for vector in read_vectors("blobs.json") {
        assert_eq!(run(&vector), vector.rule.as_deref(), "{}", vector.name);
        if vector.is == "blob-request" {
            // That the groups end within the largest blob is said by the prose alone.
            let by_prose = vector.name.contains("beyond the largest blob");
            let matches = matches_cddl("blob-request", CHAPTERS, &vector.bytes("cbor"));
            assert_eq!(matches, vector.rule.is_none() || by_prose, "{}", vector.name);
        }
    }
    let request = Request { blob: BlobId::of(b"x"), entry: EntryId([1; 32]), groups: 7..9 };
    check_cddl("blob-request", CHAPTERS, &request.encode(), "a request");
}

/// BLOB-5, BLOB-6.
#[test]
fn blob_6_every_range_of_every_size_reads_back_and_nothing_else_does() {
    for count in 1..=9_u32 {
        let all = pattern(u64::from(count) * BLOB_GROUP_BYTES as u64 - 7);
        let id = BlobId::of(&all);
        for (first, end) in (0..count).flat_map(|first| (first + 1..=count).map(move |end| (first, end))) {
            let sent = slice(&all, &(first..end));
            let got = read(&id, all.len() as u64, first..end, &sent).expect("right");
            assert_eq!(got.iter().map(Group::number).collect::<Vec<_>>(), (first..end).collect::<Vec<_>>());
            let last = all.len().min(end as usize * BLOB_GROUP_BYTES);
            let bytes: Vec<u8> = got.iter().flat_map(|group| group.bytes()).copied().collect();
            assert_eq!(bytes, all[first as usize * BLOB_GROUP_BYTES..last]);
            for at in [0, sent.len() / 2, sent.len() - 1] {
                let mut harmed = sent.clone();
                harmed[at] ^= 1;
                assert!(read(&id, all.len() as u64, first..end, &harmed).is_err(), "{count} {first} {end} {at}");
            }
            assert!(read(&id, all.len() as u64, first..end, &sent[..sent.len() - 1]).is_err());
        }
    }
}

#[test]
fn r_blb_2_a_blob_that_lies_about_its_length_is_found_out_and_what_came_before_is_right() {
    let all = pattern(5 * BLOB_GROUP_BYTES as u64 - 100);
    let id = BlobId::of(&all);
    for claimed in [1, all.len() as u64 - 1, all.len() as u64 + 1, all.len() as u64 + 100, 6 << 14, BLOB_BYTES_MAX] {
        let mut reader = SliceReader::new(&id, claimed, 0..BLOB_GROUPS_MAX);
        let mut sent = slice(&all, &(0..5));
        sent.resize(sent.len() + (1 << 20), 0);
        let mut from = sent.as_slice();
        let lied = loop {
            let Some(length) = reader.next_length() else { break false };
            let (now, later) = from.split_at(length);
            match reader.take(now.to_vec()) {
                Ok(Some(group)) => {
                    let begin = group.number() as usize * BLOB_GROUP_BYTES;
                    assert_eq!(group.bytes(), &all[begin..begin + group.bytes().len()]);
                }
                Ok(None) => {}
                Err(Lie(_)) => break true,
            }
            from = later;
        };
        assert!(lied, "{claimed} bytes are claimed");
        assert_eq!((reader.next_length(), reader.take(Vec::new())), (None, Ok(None)), "nothing comes after a lie");
    }
}

#[test]
fn blob_2_an_entry_that_names_a_larger_blob_is_opaque() {
    let attachment = |bytes| Attachment {
        blob: BlobId::of(b"a picture"),
        media_type: "image/jpeg".into(),
        bytes,
        alt: String::new(),
        width: None,
        height: None,
        duration_ms: None,
        blurhash: None,
        focus: None,
    };
    let post = |bytes| Body::Post(Post { attachments: vec![attachment(bytes)], ..Post::default() }).check();
    assert!(post(40 << 20).is_ok());
    assert!(post((40 << 20) + 1).is_err());
}
