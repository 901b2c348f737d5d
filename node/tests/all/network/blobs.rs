//! Blobs that entries name come by themselves, and only to who may have them.

use xom_node::command::Command;
use xom_protocol::BlobId;
use xom_protocol::body::Post;

use crate::harness::{Over, Person, wait_until};

/// The smallest picture: one pixel.
pub(crate) const PNG: [u8; 67] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x00, 0x01, 0x00, 0x00, 0x05, 0x00, 0x01, 0x0d, 0x0a, 0x2d, 0xb4, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

async fn post_with(person: &Person, bytes: Vec<u8>) -> BlobId {
    let attachment = person.node().add_blob(bytes, None).await.expect("stored");
    let blob = attachment.blob;
    let post = Box::new(Post { text: "look".to_owned(), attachments: vec![attachment], ..Post::default() });
    person.command(Command::Post { post, reply_to: None, quote_of: None }).await;
    blob
}

async fn has_blob(person: &Person, blob: BlobId, bytes: &[u8]) {
    let held = async || person.node().blob(blob).await.expect("reads");
    assert_eq!(wait_until("the blob is held", held).await, bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_comes_with_its_post() {
    for over in [Over::Tcp, Over::Quic] {
        let (alice, bob) = (Person::new("alice", over).await, Person::new("bob", over).await);
        let blob = post_with(&alice, PNG.to_vec()).await;
        bob.follow(alice.invite().await).await;
        has_blob(&bob, blob, &PNG).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_comes_from_another_follower_when_its_author_is_gone() {
    let (mut alice, carol) = (Person::new("alice", Over::Tcp).await, Person::new("carol", Over::Tcp).await);
    let mut large = b"OggS".to_vec();
    large.extend((0..3_000_000_u32).map(|number| u8::try_from(number % 251).expect("small")));
    let blob = post_with(&alice, large.clone()).await;
    carol.follow(alice.invite().await).await;
    has_blob(&carol, blob, &large).await;
    alice.stop().await;
    let dave = Person::with_bootstrap("dave", Over::Tcp, vec![carol.listen()]).await;
    dave.follow(alice.did().to_string()).await;
    has_blob(&dave, blob, &large).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_of_one_device_is_on_the_other_and_the_other_way_round() {
    let phone = Person::new("alice", Over::Tcp).await;
    let before = post_with(&phone, PNG.to_vec()).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    has_blob(&laptop, before, &PNG).await;
    let other = b"OggS and more".to_vec();
    let after = post_with(&laptop, other.clone()).await;
    has_blob(&phone, after, &other).await;
}

/// BLOB-11.
#[tokio::test(flavor = "multi_thread")]
async fn a_sound_that_made_room_for_others_comes_again_when_somebody_listens() {
    let alice = Person::new("alice", Over::Tcp).await;
    let bob = Person::with_media_room("bob", Over::Tcp, 1_500).await;
    let sound = |number: u8| [b"OggS".to_vec(), vec![number; 1_000]].concat();
    let first = post_with(&alice, sound(1)).await;
    bob.follow(alice.invite().await).await;
    has_blob(&bob, first, &sound(1)).await;
    let second = post_with(&alice, sound(2)).await;
    has_blob(&bob, second, &sound(2)).await;
    // To ask for the first would be to look at it.
    let name = data_encoding::HEXLOWER.encode(&first.0);
    let file = bob.data_dir().join("data/blobs").join(&name[..2]).join(&name);
    wait_until("the first makes room for the second", async || (!file.exists()).then_some(())).await;
    let again = async || bob.node().bring_blob(first).await.expect("reads");
    assert_eq!(wait_until("the first comes again", again).await.bytes(), 1_004);
}
