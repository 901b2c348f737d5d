//! Bodies: `decode(encode(x)) == x` for every kind, and every bound (`BODY-0` to `BODY-5`).

use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use xom_protocol::body::{
    Admit, Attachment, Block, Body, Checkpoint, Edit, Erase, Focus, Follow, LogHead, LogOpen, Mention, Poll, PollClose,
    Post, Profile, ProfileField, PurgeOrder, Reaction, Record, Repost, RuleDocument, Unfollow, Visibility, Vote,
};
use xom_protocol::entry::{Header, Kind, Reference};
use xom_protocol::keys::Signature;
use xom_protocol::limits::{SEQ_MAX, TIME_MS_MAX};
use xom_protocol::{BlobId, DeviceId, Did, Digest, EntryId, LogId};

const REV: std::ops::RangeInclusive<u64> = 0..=SEQ_MAX;

fn reference() -> impl Strategy<Value = Reference> {
    (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>(), 0..=SEQ_MAX).prop_map(|(entry, author, log, seq)| {
        Reference { entry: EntryId(entry), author: Did(author), log: LogId(log), seq }
    })
}

fn attachment() -> impl Strategy<Value = Attachment> {
    let numbers = (0..=40_u64 << 20, of(0_u64..=1 << 20), of(0_u64..=1 << 20), of(0..=TIME_MS_MAX));
    let focus = of((-1000_i64..=1000, -1000_i64..=1000).prop_map(|(x, y)| Focus { x, y }));
    (any::<[u8; 32]>(), "[a-z]{1,9}/[a-z0-9.+-]{1,9}", ".{0,40}", numbers, of("[!-~]{1,40}"), focus).prop_map(
        |(blob, media_type, alt, (bytes, width, height, duration_ms), blurhash, focus)| {
            let alt = without_controls(&alt);
            Attachment { blob: BlobId(blob), media_type, bytes, alt, width, height, duration_ms, blurhash, focus }
        },
    )
}

fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_control()).collect()
}

fn text(range: &'static str) -> impl Strategy<Value = String> {
    range.prop_map(|text: String| without_controls(&text))
}

fn poll() -> impl Strategy<Value = Poll> {
    (vec("[^\\x00-\\x1f\\x7f]{1,20}", 2..=20), any::<bool>(), any::<bool>(), 0..=TIME_MS_MAX)
        .prop_map(|(options, multiple, hide_totals, ends)| Poll { options, multiple, hide_totals, ends })
}

fn post() -> impl Strategy<Value = Post> {
    let words = (text(".{0,80}"), vec("[a-z]{2}(-[A-Z]{2})?", 0..4), text(".{0,20}"), any::<bool>());
    let references = (of(reference()), of(reference()), of(reference()));
    let mention = (any::<[u8; 32]>(), text(".{0,20}")).prop_map(|(did, name)| Mention { did: Did(did), name });
    let lists = (vec(mention, 0..3), vec("[a-z0-9ăđ]{1,20}", 0..4), vec("https?://[a-z]{1,20}", 0..3));
    let media = (vec(attachment(), 0..3), of(poll()));
    let rest = (any::<bool>(), of(0..=TIME_MS_MAX), of("https://[a-z]{1,20}/[0-9]{1,9}"));
    (words, references, lists, media, rest).prop_map(|(words, references, lists, media, rest)| {
        let (text, languages, warning, sensitive) = words;
        let (reply, root, quote) = references;
        let (mentions, tags, links) = lists;
        let (attachments, poll) = media;
        let (unlisted, published, imported_from) = rest;
        let visibility = if unlisted { Visibility::Unlisted } else { Visibility::Public };
        Post {
            text,
            languages,
            warning,
            sensitive,
            reply,
            root,
            quote,
            mentions,
            tags,
            links,
            attachments,
            poll,
            visibility,
            published,
            imported_from,
        }
    })
}

fn profile() -> impl Strategy<Value = Profile> {
    let field = (text(".{0,20}"), text(".{0,20}")).prop_map(|(name, value)| ProfileField { name, value });
    let words = (of("[a-z0-9_]{1,30}"), of(text(".{0,50}")), of(text(".{0,200}")));
    let pictures = (of(vec(attachment(), 0..2)), of(vec(attachment(), 0..2)));
    (REV, words, pictures, of(vec(field, 0..5)), of(any::<bool>()), of(any::<bool>())).prop_map(
        |(rev, (username, name, bio), (avatar, header), fields, locked, bot)| Profile {
            rev,
            username,
            name,
            bio,
            avatar,
            header,
            fields,
            locked,
            bot,
        },
    )
}

fn checkpoint() -> impl Strategy<Value = Checkpoint> {
    let logs = btree_set(any::<[u8; 32]>(), 0..6).prop_map(|logs| {
        let head = |log: [u8; 32]| LogHead { log: LogId(log), height: 1 + u64::from(log[0]), head: Digest(log) };
        logs.into_iter().map(head).collect()
    });
    (any::<[[u8; 32]; 4]>(), 0..=SEQ_MAX, logs).prop_map(|([root, prev, identity, statements], height, logs)| {
        let (root, prev, identity, statements) = (Digest(root), Digest(prev), Digest(identity), Digest(statements));
        Checkpoint { root, height, prev, identity, statements, logs }
    })
}

fn erase() -> impl Strategy<Value = Erase> {
    let order = btree_set(0_u64..20, 0..4).prop_map(|indexes| PurgeOrder {
        signatures: indexes.into_iter().map(|index| (index, Signature([7; 64]))).collect(),
    });
    (reference(), of(order)).prop_map(|(target, purge)| Erase { target, purge })
}

fn body() -> impl Strategy<Value = Body> {
    let did = || any::<[u8; 32]>().prop_map(Did);
    let vote = (reference(), REV, btree_set(0_u64..20, 1..20)).prop_map(|(poll, rev, choices)| Vote {
        poll,
        rev,
        choices: choices.into_iter().collect(),
    });
    let close = (reference(), REV, vec(0..=SEQ_MAX, 2..=20), 0..=SEQ_MAX)
        .prop_map(|(poll, rev, votes, voters)| PollClose { poll, rev, votes, voters });
    let reaction = (reference(), REV, "[^\\x00-\\x1f\\x7f]{1,16}").prop_map(|(target, rev, emoji)| Reaction {
        target,
        rev,
        emoji,
    });
    let admit = vec(reference(), 1..=4)
        .prop_filter("each once", |entries| {
            entries.iter().map(|named| named.entry).collect::<std::collections::BTreeSet<_>>().len() == entries.len()
        })
        .prop_map(|entries| Admit { entries });
    let open = ("[a-z0-9-]{1,32}", vec(any::<u8>(), 0..=64))
        .prop_filter("root is never opened", |(purpose, _)| purpose != "root")
        .prop_map(|(purpose, purpose_id)| LogOpen { purpose, purpose_id });
    let record = ("[a-z0-9-]{1,30}\\.[a-z0-9-]{1,30}", "[A-Za-z0-9_~:-]{1,128}", "[^\\x00-\\x1f\\x7f]{1,200}", REV)
        .prop_map(|(kind, key, value, rev)| Record { kind, key, value, rev });
    prop_oneof![
        record.prop_map(Body::Record),
        profile().prop_map(Body::Profile),
        post().prop_map(Body::Post),
        vote.prop_map(Body::Vote),
        close.prop_map(Body::PollClose),
        reaction.prop_map(Body::Reaction),
        (reference(), REV).prop_map(|(target, rev)| Body::Repost(Repost { target, rev })),
        (did(), REV).prop_map(|(subject, rev)| Body::Follow(Follow { subject, rev })),
        (did(), REV).prop_map(|(subject, rev)| Body::Unfollow(Unfollow { subject, rev })),
        (did(), REV).prop_map(|(subject, rev)| Body::Block(Block { subject, rev })),
        (reference(), REV, post()).prop_map(|(target, rev, post)| Body::Edit(Edit { target, rev, post })),
        erase().prop_map(Body::Erase),
        checkpoint().prop_map(Body::Checkpoint),
        open.prop_map(Body::LogOpen),
        admit.prop_map(Body::Admit),
        vec(any::<u8>(), 1..200).prop_map(|bytes| Body::Algorithm(RuleDocument { document: bytes.into() })),
    ]
}

fn header() -> impl Strategy<Value = Header> {
    let ids = (any::<[[u8; 32]; 5]>(), 8_u8..=18, 0..=TIME_MS_MAX, "[a-z0-9.-]{1,64}");
    (ids, 0..=SEQ_MAX).prop_map(|(([author, device, log, prev, commitment], size_class, time_ms, kind), seq)| {
        let kind = Kind::from_name(&kind).expect("allowed");
        Header {
            author: Did(author),
            device: DeviceId(device),
            log: LogId(log),
            seq,
            prev: (seq > 0).then_some(Digest(prev)),
            commitment: Digest(commitment),
            size_class,
            time_ms,
            kind: if Header::is_checkpoint_place(seq) { Kind::Checkpoint } else { kind },
        }
    })
}

proptest! {
    #[test]
    fn every_body_reads_back_as_it_was_written(body in body()) {
        prop_assert_eq!(body.check(), Ok(()));
        let bytes = body.encode();
        prop_assert_eq!(xom_protocol::encoding::check(&bytes, bytes.len()), Ok(()));
        prop_assert_eq!(Body::decode(&body.kind(), &bytes), Ok(body));
    }

    #[test]
    fn every_header_reads_back_as_it_was_written(header in header()) {
        let bytes = header.encode();
        prop_assert!(bytes.len() <= 512);
        prop_assert_eq!(Header::decode(&bytes), Ok(header));
    }
}

/// Checks that a body is opaque by `rule`, both when it is read and before it is signed.
fn check(body: &Body, rule: &str) {
    assert_eq!(body.check().map_err(|e| e.rule().0), Err(rule), "{body:?}");
    let read = Body::decode(&body.kind(), &body.encode());
    assert_eq!(read.map_err(|e| e.rule().0), Err(rule), "{body:?}");
}

fn target() -> Reference {
    Reference { entry: EntryId([1; 32]), author: Did([2; 32]), log: LogId([3; 32]), seq: 4 }
}

#[test]
fn a_profile_out_of_bounds_is_opaque() {
    let with = |change: &dyn Fn(&mut Profile)| {
        let mut profile = Profile::default();
        change(&mut profile);
        check(&Body::Profile(profile), "BODY-1");
    };
    for name in ["", "Alice", "a b", "ali-ce", &"a".repeat(31)] {
        with(&|profile| profile.username = Some(name.into()));
    }
    with(&|profile| profile.name = Some("a".repeat(101)));
    with(&|profile| profile.name = Some("two\nlines".into()));
    with(&|profile| profile.bio = Some("a".repeat(2_001)));
    with(&|profile| profile.avatar = Some(vec![picture(), picture()]));
    let field = |size| ProfileField { name: "a".repeat(size), value: String::new() };
    with(&|profile| profile.fields = Some(vec![field(1); 17]));
    with(&|profile| profile.fields = Some(vec![field(256)]));
    check(&Body::Profile(Profile { rev: SEQ_MAX + 1, ..Profile::default() }), "LOG-10");
}

fn picture() -> Attachment {
    Attachment::new(BlobId([1; 32]), "image/png", 5)
}

#[test]
fn a_post_out_of_bounds_is_opaque() {
    let with = |change: &dyn Fn(&mut Post)| {
        let mut post = Post::default();
        change(&mut post);
        check(&Body::Post(post), "BODY-2");
    };
    with(&|post| post.text = "ỗ".repeat(5_001));
    with(&|post| post.warning = "a".repeat(501));
    with(&|post| post.languages = vec!["vi".into(); 9]);
    with(&|post| post.languages = vec!["v i".into()]);
    with(&|post| post.mentions = vec![Mention { did: Did([1; 32]), name: String::new() }; 129]);
    with(&|post| post.mentions = vec![Mention { did: Did([1; 32]), name: "a".repeat(101) }]);
    for tag in ["", "two words", &"a".repeat(101)] {
        with(&|post| post.tags = vec![tag.into()]);
    }
    for link in ["javascript:alert(1)", "ftp://host", "https://a b", &format!("https://{}", "a".repeat(2_048))] {
        with(&|post| post.links = vec![link.into()]);
        with(&|post| post.imported_from = Some(link.into()));
    }
    with(&|post| post.published = Some(TIME_MS_MAX + 1));
    with(&|post| post.attachments = vec![picture(); 17]);
    let wrong = [
        Attachment { media_type: String::new(), ..picture() },
        Attachment { bytes: (40 << 20) + 1, ..picture() },
        Attachment { alt: "a".repeat(1_501), ..picture() },
        Attachment { width: Some((1 << 20) + 1), ..picture() },
        Attachment { duration_ms: Some(u64::MAX), ..picture() },
        Attachment { focus: Some(Focus { x: 0, y: i64::MIN }), ..picture() },
    ];
    wrong.iter().for_each(|attachment| with(&|post| post.attachments = vec![attachment.clone()]));
    let edit = |rev, post| Body::Edit(Edit { target: target(), rev, post });
    check(&edit(1, Post { text: "a".repeat(5_001), ..Post::default() }), "BODY-2");
    check(&edit(SEQ_MAX + 1, Post::default()), "LOG-10");
    check(&Body::Post(Post { reply: Some(Reference { seq: SEQ_MAX + 1, ..target() }), ..Post::default() }), "LOG-11");
}

#[test]
fn polls_votes_and_results_out_of_bounds_are_opaque() {
    let poll = |options: Vec<String>, ends| {
        let poll = Some(Poll { options, multiple: false, hide_totals: false, ends });
        check(&Body::Post(Post { poll, ..Post::default() }), "BODY-3");
    };
    poll(vec!["one".into()], 5);
    poll(vec!["x".into(); 21], 5);
    poll(vec!["one".into(), String::new()], 5);
    poll(vec!["one".into(), "a".repeat(201)], 5);
    poll(vec!["one".into(), "two".into()], u64::MAX);
    for choices in [vec![], vec![20], vec![1, 1], vec![2, 1]] {
        check(&Body::Vote(Vote { poll: target(), rev: 1, choices }), "BODY-3");
    }
    for votes in [vec![], vec![1; 21], vec![u64::MAX, 1]] {
        check(&Body::PollClose(PollClose { poll: target(), rev: 1, votes, voters: 1 }), "BODY-3");
    }
}

#[test]
fn relations_and_structure_out_of_bounds_are_opaque() {
    for emoji in [String::new(), "❤".repeat(22), "a\0".into()] {
        check(&Body::Reaction(Reaction { target: target(), rev: 1, emoji }), "BODY-5");
    }
    check(&Body::Repost(Repost { target: target(), rev: SEQ_MAX + 1 }), "LOG-10");
    check(&Body::Block(Block { subject: Did([1; 32]), rev: u64::MAX }), "LOG-10");
    for purpose in ["", "root", "Labels", &"a".repeat(33)] {
        check(&Body::LogOpen(LogOpen { purpose: purpose.into(), purpose_id: Vec::new() }), "LOG-1");
    }
    check(&Body::LogOpen(LogOpen { purpose: "labels".into(), purpose_id: vec![0; 65] }), "LOG-1");
    let order = |indexes: Vec<u64>| {
        let signatures = indexes.into_iter().map(|index| (index, Signature([7; 64]))).collect();
        check(&Body::Erase(Erase { target: target(), purge: Some(PurgeOrder { signatures }) }), "LOG-12");
    };
    order(vec![1, 1]);
    order(vec![2, 1]);
    order((0..17).collect());
    let head = |log, height| LogHead { log: LogId([log; 32]), height, head: Digest([1; 32]) };
    for logs in [vec![head(2, 1), head(1, 1)], vec![head(1, 1), head(1, 2)], vec![head(1, 0)], vec![head(1, u64::MAX)]]
    {
        let zero = Digest([0; 32]);
        check(
            &Body::Checkpoint(Checkpoint { root: zero, height: 1, prev: zero, identity: zero, statements: zero, logs }),
            "LOG-8",
        );
    }
}
