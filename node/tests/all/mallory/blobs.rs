//! Blobs: wrong bytes, too many bytes, and questions that must not be answered.

use futures::AsyncReadExt;
use xom_node::command::Command;
use xom_protocol::body::{Attachment, Body, Post};
use xom_protocol::{BlobId, EntryId, encoding};

use super::peer::{BLOB, frame};
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

fn answer(status: u8, length: u64, bytes: &[u8]) -> Vec<u8> {
    [&[status], &length.to_be_bytes()[..], bytes].concat()
}

/// Mallory answers for the blob of a post of his; alice refuses, and takes it from who has it.
async fn check_refused(over: Over, lie: Vec<u8>, rule: &str) {
    let mut stage = Stage::new(over).await;
    let persona = Persona::new("photographer");
    let mut chain = persona.chain();
    chain.write(&post_with(PICTURE));
    stage.follow(&persona).await;
    let mut peer = stage.peer().await;
    peer.serve_blobs(lie);
    let _line = Line::open(&mut peer, Wares::default().identity(&persona).chain(&chain)).await;
    stage.refused(rule, 1).await;
    stage.goes_on().await;
    assert_eq!(stage.alice.node().blob(BlobId::of(PICTURE)).await.expect("reads"), None);
    let mut honest = stage.peer().await;
    honest.serve_blobs(answer(0, PICTURE.len() as u64, PICTURE));
    // Only who talks is asked for anything.
    let _honest_line = Line::open(&mut honest, Wares::default()).await;
    let held = async || stage.alice.node().blob(BlobId::of(PICTURE)).await.expect("reads");
    assert_eq!(wait_until("the blob comes from elsewhere", held).await, PICTURE);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_1_wrong_bytes_are_refused_and_the_blob_comes_from_elsewhere() {
    let wrong = vec![b'x'; PICTURE.len()];
    check_refused(Over::Tcp, answer(0, PICTURE.len() as u64, &wrong), "BLOB-4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_blb_2_more_bytes_than_the_entry_says_are_refused_before_they_are_read() {
    check_refused(Over::Quic, answer(0, u64::MAX, &[0; 4_096]), "BLOB-2").await;
    check_refused(Over::Tcp, answer(0, PICTURE.len() as u64 + 1, &[0; 4_096]), "BLOB-2").await;
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
    let not_found = answer(1, 0, &[]);
    let bytes = stage.alice.node().blob(blob).await.expect("reads").expect("held");
    let served = answer(0, bytes.len() as u64, &bytes);
    let mut peer = stage.peer().await;
    for (entry, offset, wanted) in
        [(EntryId([0; 32]), 0, &not_found), (other, 0, &not_found), (entry, 1 << 40, &not_found), (entry, 0, &served)]
    {
        assert_eq!(&ask(&mut peer, blob, entry, offset).await, wanted);
    }
    stage.alice.command(Command::Erase { status: naming.status.expect("a status"), now: None }).await;
    assert_eq!(ask(&mut peer, blob, entry, 0).await, not_found, "erased");
    stage.goes_on().await;
}

async fn ask(peer: &mut super::Peer, blob: BlobId, entry: EntryId, offset: u64) -> Vec<u8> {
    let mut stream = peer.say(BLOB, &frame(&encoding::encode(&(blob, entry, offset)))).await;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("reads");
    answer
}
