//! Headers, entries, bodies and log ids (`LOG-1` to `LOG-8`, `LOG-11`, `LOG-12`, `BODY-0` to `BODY-5`).

use xom_protocol::body::{
    Admit, Attachment, Block, Body, Checkpoint, Edit, Erase, Focus, LogHead, LogOpen, Mention, Poll, PollClose, Post,
    Profile, ProfileField, PurgeOrder, Reaction, Record, Repost, RuleDocument, Unfollow, Visibility, Vote,
};
use xom_protocol::entry::{
    Header, Kind, Reference, SaltedBody, SignedEntry, commitment, size_class, verify_body, verify_signed,
};
use xom_protocol::feed::BUILTINS;
use xom_protocol::keys::{Domain, PublicKey, Signature};
use xom_protocol::log::log_id;
use xom_protocol::{BlobId, DeviceId, Did, Digest, EntryId, LogId, Network};

use super::check;
use crate::cast::{START_MS, did, key, post, writer};
use crate::support::{Vector, check_regenerated, hex};

const FILE: &str = "entries.json";
const ABOUT: &str = "Chapter 02. header: cbor. entry: header, signature, and salt and body where they travel, under \
    key on network. log-id: log of did, device, purpose, purpose_id on network. Kinds of bodies: cbor, under salt on \
    network main with its commitment and size_class; an invalid one is opaque, not refused.";

fn header(change: &dyn Fn(&mut Header)) -> Vec<u8> {
    let mut alice = writer("alice", "phone");
    alice.fill_to(2);
    let mut header = alice.header(Kind::Post, &post("xin chào").encode());
    change(&mut header);
    header.encode()
}

fn headers() -> Vec<Vector> {
    let prev = Some(Digest([9; 32]));
    let vector = |name: &str, rule, bytes: &[u8]| Vector::new(name, "header", rule).with("cbor", hex(bytes));
    let valid = |name: &str, change: &dyn Fn(&mut Header)| {
        let bytes = header(change);
        let decoded = Header::decode(&bytes).expect("valid");
        let id = EntryId(Header::hash(&bytes).0).to_string();
        vector(name, None, &bytes).with("id", id).with("seq", decoded.seq).with("kind", decoded.kind.name())
    };
    let invalid = |rule, name: &str, change: &dyn Fn(&mut Header)| vector(name, Some(rule), &header(change));
    let plain = header(&|_| {});
    let with = |at: usize, byte: u8| {
        let mut bytes = plain.clone();
        bytes[at] = byte;
        bytes
    };
    let mut eleven = with(0, 0x8b);
    eleven.push(0xf6);
    vec![
        valid("a header", &|_| {}),
        valid("the first header of a log", &|h| (h.seq, h.prev) = (0, None)),
        valid("a checkpoint at 256", &|h| (h.seq, h.kind) = (256, Kind::Checkpoint)),
        valid("the last place of a log", &|h| h.seq = (1 << 53) - 1),
        valid("a header of another app's kind", &|h| h.kind = Kind::Other("chess.move".into())),
        valid("a header from the end of year 9999", &|h| h.time_ms = 253_402_300_799_999),
        invalid("LOG-8", "a post at 256", &|h| h.seq = 256),
        invalid("LOG-8", "a checkpoint at 2", &|h| h.kind = Kind::Checkpoint),
        invalid("LOG-8", "a checkpoint at 0", &|h| (h.seq, h.prev, h.kind) = (0, None, Kind::Checkpoint)),
        invalid("LOG-4", "no link to the header before", &|h| h.prev = None),
        invalid("LOG-4", "a link at 0", &|h| (h.seq, h.prev) = (0, prev)),
        invalid("LOG-4", "a place of 2^53", &|h| h.seq = 1 << 53),
        invalid("LOG-4", "a time in year 10000", &|h| h.time_ms = 253_402_300_800_000),
        invalid("LOG-4", "a size class of 7", &|h| h.size_class = 7),
        invalid("LOG-4", "a size class of 19", &|h| h.size_class = 19),
        invalid("LOG-3", "a kind in upper case", &|h| h.kind = Kind::Other("Post".into())),
        invalid("LOG-3", "no kind", &|h| h.kind = Kind::Other("".into())),
        invalid("LOG-3", "a kind of 65 characters", &|h| h.kind = Kind::Other("x".repeat(65).into())),
        vector("version 2", Some("LOG-2"), &with(1, 2)),
        vector("an array of eleven", Some("ENC-8"), &eleven),
        vector("a device of 31 bytes", Some("ENC-8"), &[&plain[..37], &[0x1f], &plain[38..68], &plain[69..]].concat()),
        vector("a header cut short", Some("ENC-1"), &plain[..plain.len() - 1]),
        vector("a header of 513 bytes", Some("ENC-1"), &[&[0x59, 0x01, 0xfe][..], &[0; 510]].concat()),
    ]
}

fn entries() -> Vec<Vector> {
    let mut alice = writer("alice", "phone");
    alice.fill_to(1);
    let entry = alice.entries[0].to_signed();
    let body = entry.body.clone().expect("body");
    let vector = |name: &str, rule, key: &PublicKey, network: &str, signature: Option<Signature>, body: &SaltedBody| {
        let signature = signature.map_or(serde_json::Value::Null, |s| hex(s.0).into());
        let vector = Vector::new(name, "entry", rule).with("key", hex(key.to_bytes())).with("network", network);
        let vector = vector.with("header", hex(&entry.header)).with("signature", signature);
        vector.with("salt", hex(body.salt)).with("body", hex(&body.bytes))
    };
    let own = alice.key();
    let mallory = key("mallory");
    let by_mallory = mallory.sign(Domain::Entry, Network::MAIN, &entry.header);
    let as_purge = alice.composer.key.sign(Domain::Purge, Network::MAIN, &entry.header);
    let other_salt = SaltedBody { salt: [8; 32], ..body.clone() };
    let other_body = SaltedBody { bytes: post("other").encode(), ..body.clone() };
    let (enc_12, log_6) = (Some("ENC-12"), Some("LOG-6"));
    vec![
        vector("an entry", None, &own, "main", entry.signature, &body),
        vector("an entry by another key", enc_12, &own, "main", Some(by_mallory), &body),
        vector("an entry under another key", enc_12, &mallory.public(), "main", Some(by_mallory), &body),
        vector("an entry signed in another domain", enc_12, &own, "main", Some(as_purge), &body),
        vector("an entry of another network", enc_12, &own, "test", entry.signature, &body),
        vector("an entry alone without a signature", Some("LOG-9"), &own, "main", None, &body),
        vector("a body under another salt", log_6, &own, "main", entry.signature, &other_salt),
        vector("another body", log_6, &own, "main", entry.signature, &other_body),
    ]
}

fn log_ids() -> Vec<Vector> {
    let (alice, phone) = (did("alice"), key("phone").public().device_id());
    let vector = |name: &str, network: &str, purpose: &str, purpose_id: &[u8]| {
        let log = log_id(network.parse().expect("name"), &alice, &phone, purpose, purpose_id);
        let vector = Vector::new(name, "log-id", None).with("network", network).with("did", alice.to_string());
        let vector = vector.with("device", phone.to_string()).with("purpose", purpose);
        vector.with("purpose_id", hex(purpose_id)).with("log", log.to_string())
    };
    vec![
        vector("a root log", "main", "root", b""),
        vector("a root log of another network", "test", "root", b""),
        vector("a log of labels", "main", "labels", b"1"),
    ]
}

fn target() -> Reference {
    Reference { entry: EntryId([1; 32]), author: did("bob"), log: LogId([3; 32]), seq: 4 }
}

fn picture() -> Attachment {
    Attachment {
        blob: BlobId::of(b"a picture"),
        media_type: "image/jpeg".into(),
        bytes: 9,
        alt: "a cat".into(),
        width: Some(640),
        height: Some(480),
        duration_ms: None,
        blurhash: Some("LEHV6nWB2yk8".into()),
        focus: Some(Focus { x: -500, y: 250 }),
    }
}

fn whole_post() -> Post {
    let options = vec!["có".into(), "không".into()];
    Post {
        text: "Xin chào xóm! @bob #chào".into(),
        languages: vec!["vi".into()],
        warning: "greeting".into(),
        sensitive: true,
        reply: Some(target()),
        root: Some(target()),
        quote: Some(target()),
        mentions: vec![Mention { did: did("bob"), name: "bob".into() }],
        tags: vec!["chào".into()],
        links: vec!["https://example.org/".into()],
        attachments: vec![picture()],
        poll: Some(Poll { options, multiple: true, hide_totals: true, ends: START_MS }),
        visibility: Visibility::Unlisted,
        published: Some(1_500_000_000_000),
        imported_from: Some("https://example.org/@lan/1".into()),
    }
}

fn valid_bodies() -> Vec<(&'static str, Body)> {
    let profile = Profile {
        rev: 1,
        username: Some("lan".into()),
        name: Some("Lan".into()),
        bio: Some("from the hamlet\nof all hamlets".into()),
        avatar: Some(vec![picture()]),
        header: Some(Vec::new()),
        fields: Some(vec![ProfileField { name: "site".into(), value: "https://example.org".into() }]),
        locked: Some(false),
        bot: Some(false),
    };
    let purge = Some(PurgeOrder { signatures: vec![(0, Signature([7; 64]))] });
    let head = LogHead { log: LogId([3; 32]), height: 5, head: Digest([4; 32]) };
    let digest = |byte| Digest([byte; 32]);
    let (root, prev, identity, statements) = (digest(5), digest(6), digest(7), digest(8));
    let subject = did("bob");
    vec![
        ("a profile with everything", Body::Profile(profile)),
        ("a profile with one field", Body::Profile(Profile { rev: 2, name: Some("L".into()), ..Profile::default() })),
        ("a post", post("Xin chào xóm!")),
        ("a post with everything", Body::Post(whole_post())),
        ("a vote", Body::Vote(Vote { poll: target(), rev: 1, choices: vec![0, 19] })),
        ("a result", Body::PollClose(PollClose { poll: target(), rev: 1, votes: vec![3, 4], voters: 5 })),
        ("a favourite", Body::Reaction(Reaction { target: target(), rev: 1, emoji: Reaction::FAVOURITE.into() })),
        ("a repost", Body::Repost(Repost { target: target(), rev: 1 })),
        ("a follow", Body::Follow(xom_protocol::body::Follow { subject, rev: 1 })),
        ("an unfollow", Body::Unfollow(Unfollow { subject, rev: 2 })),
        ("a block", Body::Block(Block { subject, rev: 1 })),
        ("an edit", Body::Edit(Edit { target: target(), rev: 1, post: whole_post() })),
        ("an erase", Body::Erase(Erase { target: target(), purge: None })),
        ("an erase with a purge order", Body::Erase(Erase { target: target(), purge })),
        ("a checkpoint body", {
            Body::Checkpoint(Checkpoint { root, height: 256, prev, identity, statements, logs: vec![head] })
        }),
        ("an opening of a log", Body::LogOpen(LogOpen { purpose: "labels".into(), purpose_id: b"1".to_vec() })),
        ("an admission", Body::Admit(Admit { entries: vec![target()] })),
        ("an announcement of an algorithm", {
            Body::Algorithm(RuleDocument { document: BUILTINS[0].algorithm().document().encode().into() })
        }),
        ("a record", Body::Record(record("board.ask", "2026-11-29:ladder", r#"{"what":"thang dài","floor":2.5}"#))),
    ]
}

fn invalid_bodies() -> Vec<(&'static str, &'static str, Body)> {
    let profile = |change: &dyn Fn(&mut Profile)| {
        let mut profile = Profile::default();
        change(&mut profile);
        Body::Profile(profile)
    };
    let with = |change: &dyn Fn(&mut Post)| {
        let mut post = Post::default();
        change(&mut post);
        Body::Post(post)
    };
    let poll =
        |options: usize| Poll { options: vec!["x".into(); options], multiple: false, hide_totals: false, ends: 1 };
    let zero = Digest([0; 32]);
    let logs = vec![LogHead { log: LogId([3; 32]), height: 5, head: zero }; 2];
    let twice = Some(PurgeOrder { signatures: vec![(0, Signature([7; 64])); 2] });
    let far = Reference { seq: 1 << 53, ..target() };
    let five = (1..6).map(|byte| Reference { entry: EntryId([byte; 32]), ..target() }).collect();
    vec![
        ("BODY-1", "a user name with a hyphen", profile(&|p| p.username = Some("l-n".into()))),
        ("BODY-1", "a name of two lines", profile(&|p| p.name = Some("a\nb".into()))),
        ("BODY-1", "two avatars", profile(&|p| p.avatar = Some(vec![picture(), picture()]))),
        ("BODY-2", "a post of 5,001 characters", with(&|p| p.text = "x".repeat(5_001))),
        ("BODY-2", "a post with a NUL", with(&|p| p.text = "a\0b".into())),
        ("BODY-2", "a link that is a script", with(&|p| p.links = vec!["javascript:alert(1)".into()])),
        ("BODY-2", "a tag of two words", with(&|p| p.tags = vec!["two words".into()])),
        ("BODY-2", "seventeen attachments", with(&|p| p.attachments = vec![picture(); 17])),
        ("BODY-2", "an original time in year 10000", with(&|p| p.published = Some(253_402_300_800_000))),
        ("BODY-3", "a poll of one option", with(&|p| p.poll = Some(poll(1)))),
        ("BODY-3", "a poll of 21 options", with(&|p| p.poll = Some(poll(21)))),
        ("BODY-3", "a vote for nothing", Body::Vote(Vote { poll: target(), rev: 1, choices: vec![] })),
        ("BODY-3", "a vote out of order", Body::Vote(Vote { poll: target(), rev: 1, choices: vec![1, 0] })),
        ("BODY-5", "an empty reaction", Body::Reaction(Reaction { target: target(), rev: 1, emoji: String::new() })),
        ("BODY-2", "an edit of 5,001 characters", Body::Edit(Edit { target: target(), rev: 1, post: long_post() })),
        ("LOG-11", "a reply to place 2^53", with(&|p| p.reply = Some(far))),
        ("LOG-12", "a purge order signed twice by one key", Body::Erase(Erase { target: target(), purge: twice })),
        ("LOG-8", "a checkpoint that names a log twice", {
            Body::Checkpoint(Checkpoint { root: zero, height: 256, prev: zero, identity: zero, statements: zero, logs })
        }),
        ("ADM-1", "an admission of nothing", Body::Admit(Admit { entries: Vec::new() })),
        ("ADM-1", "an admission of one entry twice", Body::Admit(Admit { entries: vec![target(); 2] })),
        ("ADM-1", "an admission of five entries", Body::Admit(Admit { entries: five })),
        ("ALG-10", "an announcement of nothing", Body::Algorithm(RuleDocument { document: Vec::new().into() })),
        ("BODY-6", "a record of a kind without a dot", Body::Record(record("board", "a", "1"))),
        ("BODY-6", "a record whose key has a slash", Body::Record(record("board.ask", "a/b", "1"))),
        ("BODY-6", "a record whose key leads upwards", Body::Record(record("board.ask", "..", "1"))),
        ("BODY-6", "a record without a value", Body::Record(record("board.ask", "a", ""))),
        ("BODY-6", "a record of 65,537 bytes", Body::Record(record("board.ask", "a", &"1".repeat(65_537)))),
        ("LOG-1", "an opening of a root log", {
            Body::LogOpen(LogOpen { purpose: "root".into(), purpose_id: Vec::new() })
        }),
    ]
}

fn record(kind: &str, key: &str, value: &str) -> Record {
    Record { kind: kind.into(), key: key.into(), value: value.into(), rev: 1 }
}

/// One character too long, for a post and for its edit alike (`BODY-4`).
fn long_post() -> Post {
    Post { text: "x".repeat(5_001), ..Post::default() }
}

fn bodies() -> Vec<Vector> {
    let salt = [5; 32];
    let vector = |name: &str, rule, kind: &str, bytes: &[u8]| {
        let committed = commitment(Network::MAIN, &salt, bytes);
        let vector = Vector::new(name, kind, rule).with("cbor", hex(bytes)).with("salt", hex(salt));
        vector.with("commitment", hex(committed.0)).with("size_class", size_class(bytes.len()).expect("fits"))
    };
    let valid = valid_bodies();
    let invalid = invalid_bodies();
    let valid = valid.iter().map(|(name, body)| vector(name, None, body.kind().name(), &body.encode()));
    let invalid = invalid.iter().map(|(rule, name, body)| vector(name, Some(rule), body.kind().name(), &body.encode()));
    let by_hand = [
        vector("a post with a key from the future", None, "post", b"\xa2\x64text\x62hi\x66future\x83\x01\x02\x03"),
        vector("a post without text", Some("ENC-8"), "post", &[0xa0]),
        vector("a post whose text is a number", Some("ENC-8"), "post", b"\xa1\x64text\x01"),
        vector("a post with null for its poll", Some("ENC-8"), "post", b"\xa2\x64poll\xf6\x64text\x62hi"),
        vector("a profile with null for its bio", Some("ENC-8"), "profile", b"\xa2\x63bio\xf6\x63rev\x01"),
        vector("a post that is not CBOR", Some("ENC-1"), "post", b"not CBOR"),
        vector(
            "a follow of 31 bytes",
            Some("ENC-8"),
            "follow",
            &[b"\xa2\x63rev\x01\x67subject\x58\x1f", &[7; 31][..]].concat(),
        ),
        vector("a kind of another app", Some("BODY-0"), "chess.move", b"e2e4"),
    ];
    valid.chain(invalid).chain(by_hand).collect()
}

#[test]
fn the_entry_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, [headers(), entries(), log_ids(), bodies()].concat());
}

#[test]
fn the_entry_vectors_hold() {
    check(FILE, run);
}

fn run(vector: &Vector) -> Result<(), String> {
    match vector.is.as_str() {
        "header" => {
            let bytes = vector.bytes("cbor");
            let header = Header::decode(&bytes).map_err(|e| e.rule().to_string())?;
            assert_eq!(EntryId(Header::hash(&bytes).0).to_string(), vector.text("id"));
            assert_eq!((header.seq, header.kind.name()), (vector.number("seq"), vector.text("kind")));
            assert_eq!(header.encode(), bytes);
        }
        "entry" => {
            let key = PublicKey::from_bytes(&vector.array("key")).expect("usable");
            let signature = vector.fields["signature"].is_string().then(|| Signature(vector.array("signature")));
            let body = Some(SaltedBody { salt: vector.array("salt"), bytes: vector.bytes("body") });
            let entry = SignedEntry { header: vector.bytes("header"), signature, body };
            let network = vector.text("network").parse().expect("name");
            verify_signed(network, &key, entry).map_err(|e| e.rule().to_string())?;
        }
        "log-id" => {
            let did: Did = vector.text("did").parse().expect("did");
            let device: DeviceId = vector.text("device").parse().expect("device");
            let network = vector.text("network").parse().expect("name");
            let log = log_id(network, &did, &device, vector.text("purpose"), &vector.bytes("purpose_id"));
            assert_eq!(log.to_string(), vector.text("log"));
        }
        kind => {
            let body = SaltedBody { salt: vector.array("salt"), bytes: vector.bytes("cbor") };
            let header = Header {
                commitment: Digest(vector.array("commitment")),
                size_class: u8::try_from(vector.number("size_class")).expect("small"),
                ..writer("alice", "phone").header(Kind::Post, b"")
            };
            assert_eq!(verify_body(Network::MAIN, &header, &body), Ok(()));
            let kind = Kind::from_name(kind).expect("kind");
            let read = Body::decode(&kind, &body.bytes).map_err(|e| e.rule().to_string())?;
            assert_eq!(Body::decode(&kind, &read.encode()), Ok(read));
        }
    }
    Ok(())
}
