//! Registers (`LOG-10`).

use serde_json::Value;
use xom_protocol::EntryId;
use xom_protocol::body::{Block, Body, Edit, Follow, Post, Profile, Reaction, Record, Repost, Unfollow, Vote};
use xom_protocol::entry::{Kind, Reference};
use xom_protocol::limits::REV_MAX;
use xom_protocol::log::{Rank, register_keys, rev};

use super::check;
use crate::cast::did;
use crate::support::{Vector, check_regenerated, hex, unhex};

const FILE: &str = "registers.json";
const ABOUT: &str = "Chapter 02, LOG-10. Kinds of bodies: cbor by author has rev and writes registers (kind, subject, \
    digest). winner: of values (rev, entry, live or erased), value is the entry that stands, or null.";

fn target() -> Reference {
    Reference { entry: EntryId([1; 32]), author: did("bob"), log: xom_protocol::LogId([3; 32]), seq: 4 }
}

fn bodies(rev: u64) -> Vec<(&'static str, Body)> {
    let (target, subject) = (target(), did("bob"));
    let profile = Profile { rev, name: Some("Alice".into()), bot: Some(false), ..Profile::default() };
    vec![
        ("two fields of a profile", Body::Profile(profile)),
        ("a vote", Body::Vote(Vote { poll: target, rev, choices: vec![1] })),
        ("a reaction", Body::Reaction(Reaction { target, rev, emoji: "🎉".into() })),
        ("a repost", Body::Repost(Repost { target, rev })),
        ("a follow", Body::Follow(Follow { subject, rev })),
        ("an unfollow", Body::Unfollow(Unfollow { subject, rev })),
        ("a block", Body::Block(Block { subject, rev })),
        ("an edit", Body::Edit(Edit { target, rev, post: Post::default() })),
        ("a record", {
            Body::Record(Record { kind: "board.ask".into(), key: "ladder".into(), value: "{}".into(), rev })
        }),
    ]
}

fn keys(body: &Body) -> Vec<Value> {
    let key = |key: &xom_protocol::log::RegisterKey| -> Value {
        vec![Value::from(key.kind), hex(key.subject.as_bytes()).into(), hex(key.digest(&did("alice")).0).into()].into()
    };
    register_keys(body).iter().map(key).collect()
}

fn vectors() -> Vec<Vector> {
    let vector = |name: &str, rule, body: &Body| {
        let vector = Vector::new(name, body.kind().name(), rule).with("cbor", hex(body.encode()));
        vector.with("author", did("alice").to_string())
    };
    let valid = |(name, body): &(&str, Body)| {
        vector(name, None, body).with("rev", rev(body).expect("register")).with("registers", keys(body))
    };
    let invalid = |(name, body): &(&str, Body)| vector(&format!("{name} of revision 2^53"), Some("LOG-10"), body);
    let far = |(name, body): &(&str, Body)| vector(&format!("{name} of revision 2^64-1"), Some("LOG-10"), body);
    let winner = |name: &str, values: &[(u64, u8, bool)], value: Option<u8>| {
        let entry = |byte: u8| Value::from(hex([byte; 32]));
        let state = |live: bool| Value::from(if live { "live" } else { "erased" });
        let list: Vec<Value> =
            values.iter().map(|(rev, id, live)| vec![(*rev).into(), entry(*id), state(*live)].into()).collect();
        Vector::new(name, "winner", None).with("values", list).with("value", value.map_or(Value::Null, entry))
    };
    let mut all: Vec<Vector> = bodies(7).iter().map(valid).collect();
    all.extend(bodies(REV_MAX + 1).iter().map(invalid));
    all.extend(bodies(u64::MAX).iter().map(far));
    all.extend([
        winner("the greatest revision", &[(1, 9, true), (3, 1, true), (2, 5, true)], Some(1)),
        winner("of equal revisions the greatest id", &[(2, 4, true), (2, 6, true), (2, 5, true)], Some(6)),
        winner("an erased value falls back", &[(1, 9, true), (3, 1, false), (2, 5, true)], Some(5)),
        winner("all erased", &[(1, 9, false), (3, 1, false)], None),
    ]);
    all
}

#[test]
fn the_register_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

#[test]
fn the_register_vectors_hold() {
    check(FILE, run);
}

fn run(vector: &Vector) -> Result<(), String> {
    if vector.is == "winner" {
        let rank = |value: &Value| {
            let entry = unhex(value[1].as_str().expect("text")).try_into().expect("32 bytes");
            (value[2] == "live").then_some(Rank { rev: value[0].as_u64().expect("rev"), entry: EntryId(entry) })
        };
        let greatest = vector.list("values").iter().filter_map(rank).max();
        assert_eq!(greatest.map_or(Value::Null, |rank| hex(rank.entry.0).into()), vector.fields["value"]);
        return Ok(());
    }
    let kind = Kind::from_name(&vector.is).expect("kind");
    let body = Body::decode(&kind, &vector.bytes("cbor")).map_err(|e| e.rule().to_string())?;
    assert_eq!(rev(&body), Some(vector.number("rev")));
    assert_eq!(keys(&body), vector.list("registers"));
    Ok(())
}
