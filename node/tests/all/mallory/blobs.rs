//! Blobs: wrong bytes, too many bytes, and questions that must not be answered.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use futures::{AsyncReadExt, AsyncWriteExt};
use xom_node::command::Command;
use xom_protocol::blob::{Item, Request, TreeBuilder, group_length, items};
use xom_protocol::body::{Attachment, Body, Post};
use xom_protocol::limits::BLOB_GROUP_BYTES;
use xom_protocol::{BlobId, EntryId};

use super::peer::{BLOB, Peer, Served, frame};
use super::persona::Persona;
use super::{Line, Stage, Wares};
use crate::harness::{Over, wait_until};

/// A picture of one pixel.
const PICTURE: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// A post that names a blob.
fn post_with(bytes: &[u8]) -> Body {
    let attachment = Attachment::new(BlobId::of(bytes), "image/png", bytes.len() as u64);
    Body::Post(Post { text: "look".to_owned(), attachments: vec![attachment], ..Post::default() })
}

fn answer(status: u8, slice: &[u8]) -> Vec<u8> {
    [&[status], slice].concat()
}

/// Mallory answers for the blob of a post of his; alice refuses, and takes it from who has it.
async fn check_refused(over: Over, lie: Vec<u8>) {
    let mut stage = Stage::new(over).await;
    let persona = Persona::new("photographer");
    let mut chain = persona.chain();
    chain.write(&post_with(PICTURE));
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    peer.serve_blobs(lie);
    let _line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    stage.refused("BLOB-4", 1).await;
    stage.goes_on().await;
    assert_eq!(stage.alice.node().blob(BlobId::of(PICTURE)).await.expect("reads"), None);
    let mut honest = stage.peer().await;
    honest.serve_blobs(answer(0, PICTURE));
    // Only who talks is asked for anything.
    let _honest_line = Line::open(&mut honest, Wares::default()).await;
    let held = async || stage.alice.node().blob(BlobId::of(PICTURE)).await.expect("reads");
    assert_eq!(wait_until("the blob comes from elsewhere", held).await, PICTURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_1_wrong_bytes_are_refused_and_the_blob_comes_from_elsewhere() {
    for over in [Over::Tcp, Over::Quic] {
        check_refused(over, answer(0, &vec![b'x'; PICTURE.len()])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_2_an_endless_answer_is_read_as_far_as_the_entry_says() {
    let stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("photographer");
    let mut chain = persona.chain();
    chain.write(&post_with(PICTURE));
    let mut peer = stage.peer().await;
    peer.serve_blobs(answer(0, &[PICTURE, &vec![0; 8 << 20]].concat()));
    let _line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    stage.follow(&persona).await;
    holds(&stage, PICTURE).await;
    stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_2_an_entry_that_lies_about_the_length_brings_nothing_and_one_that_does_not_brings_the_blob() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("photographer");
    let mut chain = persona.chain();
    let mut lying = post_with(PICTURE);
    if let Body::Post(post) = &mut lying {
        post.attachments[0].bytes += 1;
    }
    chain.write(&lying);
    let mut peer = stage.peer().await;
    peer.serve_blobs(answer(0, &[PICTURE, b"x"].concat()));
    let mut line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    stage.follow(&persona).await;
    stage.refused("BLOB-4", 1).await;
    let mut honest = stage.peer().await;
    honest.serve_blobs_by(|request| match request.groups {
        Range { start: 0, end: 1 } => Served::Whole(answer(0, PICTURE)),
        _ => Served::Whole(answer(1, &[])),
    });
    let _honest_line = Line::open(&mut honest, Wares::default()).await;
    chain.write(&post_with(PICTURE));
    let last = chain.entries.len() - 1;
    line.push(chain.log(), last as u64, chain.entries[last..].to_vec()).await;
    holds(&stage, PICTURE).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_8_a_blob_is_served_only_for_a_live_entry_that_names_it() {
    let mut stage = Stage::new(Over::Tcp).await;
    let attachment = stage.alice.node().add_blob(PICTURE.to_vec(), None).await.expect("stored");
    let blob = attachment.blob;
    let post = |attachments| {
        let post = Box::new(Post { text: "mine".to_owned(), attachments, ..Post::default() });
        Command::Post { post, reply_to: None, quote_of: None }
    };
    let naming = stage.alice.command(post(vec![attachment])).await;
    let other = stage.alice.command(post(Vec::new())).await.entry.expect("an entry");
    let entry = naming.entry.expect("an entry");
    let not_found = answer(1, &[]);
    let bytes = stage.alice.node().blob(blob).await.expect("reads").expect("held");
    let served = answer(0, &bytes);
    let mut peer = stage.peer().await;
    for (entry, first, wanted) in
        [(EntryId([0; 32]), 0, &not_found), (other, 0, &not_found), (entry, 1, &not_found), (entry, 0, &served)]
    {
        assert_eq!(&ask(&mut peer, blob, entry, first).await, wanted);
    }
    stage.alice.command(Command::Erase { status: naming.status.expect("a status"), now: None }).await;
    assert_eq!(ask(&mut peer, blob, entry, 0).await, not_found, "erased");
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_10_who_guesses_the_bytes_of_an_upload_and_names_them_learns_nothing() {
    let stage = Stage::new(Over::Tcp).await;
    let attachment = stage.alice.node().add_blob(PICTURE.to_vec(), None).await.expect("stored");
    stage.alice.node().add_media(stage.alice.did(), attachment.clone()).await.expect("waits");
    let persona = Persona::new("prober");
    let mut chain = persona.chain();
    let post = Post { text: "guess".to_owned(), attachments: vec![attachment.clone()], ..Post::default() };
    let guess = chain.write(&Body::Post(post)).entry;
    let (mut peer, _line) = stage.served(&persona, &chain, 1).await;
    assert_eq!(ask(&mut peer, attachment.blob, guess, 0).await, answer(1, &[]));
    let post = Box::new(Post { text: "mine".to_owned(), attachments: vec![attachment.clone()], ..Post::default() });
    let posted = stage.alice.command(Command::Post { post, reply_to: None, quote_of: None }).await;
    for entry in [guess, posted.entry.expect("an entry")] {
        let found = ask(&mut peer, attachment.blob, entry, 0).await;
        assert_eq!(found[0], 0, "what is public is no secret");
    }
}

/// Bytes of which each group is another.
fn large(groups: usize) -> Vec<u8> {
    (0..groups * BLOB_GROUP_BYTES - 9).map(|at| u8::try_from(at % 251).expect("small")).collect()
}

/// The answer to a request for groups of these bytes, as far as the group `until`.
fn right(bytes: &[u8], request: &Request, until: u32) -> Vec<u8> {
    let mut builder = TreeBuilder::default();
    builder.update(bytes);
    let mut sent = answer(0, &[]);
    for item in items(&builder.finish(), &request.groups) {
        match item {
            Item::Node(node) => sent.extend(node),
            Item::Group(number) if number >= until => break,
            Item::Group(number) => {
                let begin = number as usize * BLOB_GROUP_BYTES;
                sent.extend(&bytes[begin..begin + group_length(bytes.len() as u64, number)]);
            }
        }
    }
    sent
}

/// Alice holds these bytes, whole.
async fn holds(stage: &Stage, bytes: &[u8]) {
    let held = async || stage.alice.node().blob(BlobId::of(bytes)).await.expect("reads");
    assert!(wait_until("the blob is held", held).await == bytes);
}

/// Alice follows somebody who named these bytes, with two peers connected: the first of them has the log.
async fn two_sources(bytes: &[u8], serve: [Box<dyn Fn(Request) -> Served + Send>; 2]) -> (Stage, [(Peer, Line); 2]) {
    let stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("photographer");
    let mut chain = persona.chain();
    chain.write(&post_with(bytes));
    let (mut first, mut second) = (stage.peer().await, stage.peer().await);
    let [one, two] = serve;
    first.serve_blobs_by(one);
    second.serve_blobs_by(two);
    let other = Line::open(&mut second, Wares::default()).await;
    let line = Line::open(&mut first, Wares::default().identity(&persona).chain(&chain)).await;
    stage.follow(&persona).await;
    (stage, [(first, line), (second, other)])
}

/// BLOB-8.
#[tokio::test(flavor = "multi_thread")]
async fn blob_8_a_large_blob_comes_from_two_sources_and_each_brings_a_share() {
    let bytes = large(300);
    let served = [Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0))];
    let source = |own: usize| -> Box<dyn Fn(Request) -> Served + Send> {
        let (bytes, served) = (bytes.clone(), served.clone());
        Box::new(move |request| {
            let count = request.groups.end - request.groups.start;
            let before = served[own].fetch_add(count, Ordering::SeqCst);
            // Each waits with its second answer until the other was asked too.
            match before > 0 && served[1 - own].load(Ordering::SeqCst) == 0 {
                true => Served::Whole(answer(2, &[])),
                false => Served::Whole(right(&bytes, &request, u32::MAX)),
            }
        })
    };
    let (stage, _peers) = two_sources(&bytes, [source(0), source(1)]).await;
    holds(&stage, &bytes).await;
    assert!(served.iter().all(|served| served.load(Ordering::SeqCst) > 0), "one of them was not asked");
    stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blob_8_a_source_that_falls_silent_loses_the_rest_of_its_share() {
    let bytes = large(200);
    let (all, silent) = (bytes.clone(), bytes.clone());
    let (stage, _peers) = two_sources(
        &bytes,
        [
            Box::new(move |request| Served::Hanging(right(&silent, &request, request.groups.start + 1))),
            Box::new(move |request| Served::Whole(right(&all, &request, u32::MAX))),
        ],
    )
    .await;
    holds(&stage, &bytes).await;
    stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_1_a_lie_in_the_middle_is_found_at_its_group_and_others_bring_what_is_missing() {
    let bytes = large(200);
    let (all, truth, asked) = (bytes.clone(), bytes.clone(), Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&asked);
    let (mut stage, _peers) = two_sources(
        &bytes,
        [
            Box::new(move |request| {
                count.fetch_add(1, Ordering::SeqCst);
                // All is right but for the last bit of what is sent.
                let mut sent = right(&truth, &request, request.groups.end);
                if let Some(last) = sent.last_mut() {
                    *last ^= 1;
                }
                Served::Whole(sent)
            }),
            Box::new(move |request| Served::Whole(right(&all, &request, u32::MAX))),
        ],
    )
    .await;
    holds(&stage, &bytes).await;
    stage.refused("BLOB-4", 1).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the liar was asked again");
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blob_8_three_strangers_that_drip_hold_no_blob_back_from_who_brings_it() {
    // Three ranges of 64 groups at most; each would bring his within ten minutes.
    let bytes = large(150);
    let stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("photographer");
    let mut chain = persona.chain();
    chain.write(&post_with(&bytes));
    let asked = Arc::new(AtomicU32::new(0));
    let mut strangers = Vec::new();
    for wares in [Wares::default().identity(&persona).chain(&chain), Wares::default(), Wares::default()] {
        let (mut peer, bytes, asked) = (stage.peer().await, bytes.clone(), Arc::clone(&asked));
        peer.serve_blobs_by(move |request| {
            asked.fetch_add(1, Ordering::SeqCst);
            let begin = right(&bytes, &request, request.groups.start + 1);
            let rest = right(&bytes, &request, u32::MAX)[begin.len()..].to_vec();
            Served::Dripping(begin, rest)
        });
        let line = Line::open(&mut peer, wares).await;
        strangers.push((peer, line));
    }
    stage.follow(&persona).await;
    wait_until("all three are asked", async || (asked.load(Ordering::SeqCst) >= 3).then_some(())).await;
    let (mut honest, all) = (stage.peer().await, bytes.clone());
    honest.serve_blobs_by(move |request| Served::Whole(right(&all, &request, u32::MAX)));
    let _line = Line::open(&mut honest, Wares::default()).await;
    holds(&stage, &bytes).await;
    stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blob_3_peers_that_ask_for_much_and_read_nothing_keep_nobody_else_from_being_served() {
    let stage = Stage::new(Over::Tcp).await;
    // More than any line takes in advance.
    let bytes = [b"ID3".as_slice(), &vec![7; 36 << 20]].concat();
    let attachment = stage.alice.node().add_blob(bytes, None).await.expect("stored");
    let blob = attachment.blob;
    let post = Box::new(Post { text: "listen".to_owned(), attachments: vec![attachment], ..Post::default() });
    let posted = stage.alice.command(Command::Post { post, reply_to: None, quote_of: None }).await;
    let entry = posted.entry.expect("an entry");
    let slow = Request { blob, entry, groups: 0..256 };
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut peer = stage.peer().await;
        let mut streams = Vec::new();
        for _ in 0..4 {
            let mut stream = peer.open(BLOB).await;
            // Of so many some are turned away at once.
            let _ = stream.write_all(&frame(&slow.encode())).await;
            streams.push(stream);
        }
        held.push((peer, streams));
    }
    let mut honest = stage.peer().await;
    let served = async || {
        let request = Request { blob, entry, groups: 0..1 };
        let mut stream = honest.try_open(BLOB).await?;
        stream.write_all(&frame(&request.encode())).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        (answer.first() == Some(&0)).then_some(())
    };
    wait_until("somebody else is served", served).await;
}

/// BLOB-7.
#[tokio::test(flavor = "multi_thread")]
async fn blob_7_what_came_before_a_cut_and_a_restart_is_not_asked_for_again() {
    let bytes = large(100);
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("photographer");
    let mut chain = persona.chain();
    chain.write(&post_with(&bytes));
    let mut peer = stage.peer().await;
    let (all, brought) = (bytes.clone(), Arc::new(AtomicU32::new(u32::MAX)));
    let first = Arc::clone(&brought);
    peer.serve_blobs_by(move |request| {
        let begin = request.groups.start;
        match first.compare_exchange(u32::MAX, begin, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => Served::Whole(right(&all, &request, begin + 10)),
            Err(_) => Served::Whole(answer(1, &[])),
        }
    });
    let line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    stage.follow(&persona).await;
    let name = data_encoding::HEXLOWER.encode(&BlobId::of(&bytes).0);
    let values = stage.alice.data_dir().join("data/partial").join(name + ".groups");
    let kept = |file: Vec<u8>| file[8..].chunks(32).filter(|value| **value != [0; 32]).count();
    let written =
        async || std::fs::read(&values).ok().filter(|file| file.len() > 8 && kept(file.clone()) == 10).map(drop);
    wait_until("ten groups are kept", written).await;
    drop((line, peer));
    stage.alice.stop().await;
    stage.alice.start().await;
    let mut again = stage.peer().await;
    let (rest, asked) = (bytes.clone(), Arc::new(Mutex::new(Vec::new())));
    let list = Arc::clone(&asked);
    again.serve_blobs_by(move |request| {
        list.lock().expect("one at a time").extend(request.groups.clone());
        Served::Whole(right(&rest, &request, u32::MAX))
    });
    let _line = Line::open(&mut again, Wares::default()).await;
    holds(&stage, &bytes).await;
    let (begin, asked) = (brought.load(Ordering::SeqCst), asked.lock().expect("nobody writes").clone());
    assert!(asked.len() >= 90 && !asked.iter().any(|group| (begin..begin + 10).contains(group)), "{asked:?}");
    assert_eq!(std::fs::read_dir(values.parent().expect("a folder")).expect("there").count(), 0, "nothing is left");
}

async fn ask(peer: &mut Peer, blob: BlobId, entry: EntryId, first: u32) -> Vec<u8> {
    let request = Request { blob, entry, groups: first..first + 1 };
    let mut stream = peer.say(BLOB, &frame(&request.encode())).await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("reads");
    answer
}
