//! Bodies that are hidden and not purged yet reach the devices of their author, and nobody else (`PAIR-7`).

use xom_node::ControlAccess;
use xom_node::command::Command;
use xom_node::model::{HereBody, Kept, StatusId};
use xom_protocol::body::Post;
use xom_protocol::{BlobId, EntryId};

use super::{device_of, has_all};
use crate::harness::{Over, Person, wait_until};
use crate::network::blobs::PNG;

/// Waits until the bytes of a blob are held.
async fn has_bytes_of(person: &Person, blob: BlobId) {
    let held = async || person.node().blob(blob).await.expect("reads").map(|_| ());
    wait_until(&format!("the picture is at {}", person.name()), held).await;
}

/// Posts with a picture.
async fn post_with_picture(person: &Person, text: &str) -> (EntryId, BlobId) {
    let attachment = person.node().add_blob([&PNG[..], text.as_bytes()].concat(), None).await.expect("stored");
    let blob = attachment.blob;
    let post = Box::new(Post { text: text.to_owned(), attachments: vec![attachment], ..Post::default() });
    let done = person.command(Command::Post { post, reply_to: None, quote_of: None }).await;
    (done.entry.expect("an entry"), blob)
}

/// What a node holds of an entry; none while it does not know it.
async fn here(person: &Person, entry: EntryId) -> Option<HereBody> {
    let report = person.node().read(move |reader| reader.copies(&entry)).await.expect("reads");
    report.map(|report| report.here)
}

async fn waits_for(person: &Person, entry: EntryId, what: &str, wanted: impl Fn(HereBody) -> bool) {
    let what = format!("{what} at {}", person.name());
    wait_until(&what, async || here(person, entry).await.filter(|here| wanted(*here)).map(|_| ())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_bodies_reach_a_device_that_was_paired_after_the_erase_and_it_alone_can_bring_them_back() {
    let mut phone = Person::new("alice", Over::Tcp).await;
    let mut thief = Person::paired("laptop", Over::Tcp, &phone).await;
    let posts = ["one", "two", "three"];
    let mut held = Vec::new();
    for post in posts {
        held.push(post_with_picture(&phone, post).await);
    }
    has_all(&thief, phone.did(), &posts).await;
    let devices = thief.node().devices(thief.did()).await.expect("devices");
    let kept = Kept::Entries(devices.iter().find(|device| device.is_here).expect("its own").height);
    let statuses: Vec<StatusId> = thief.statuses_of(phone.did()).await.iter().map(|status| status.id).collect();
    for status in statuses {
        thief.command(Command::Erase { status, now: None }).await;
    }
    has_all(&phone, phone.did(), &[]).await;
    // The tablet and bob come now. The tablet gets what is hidden; bob gets the headers.
    let (tablet, bob) = (Person::paired("tablet", Over::Tcp, &phone).await, Person::new("bob", Over::Tcp).await);
    bob.follow(phone.invite().await).await;
    for (entry, blob) in &held {
        waits_for(&tablet, *entry, "it is hidden", |here| matches!(here, HereBody::Hidden { .. })).await;
        has_bytes_of(&tablet, *blob).await;
        waits_for(&bob, *entry, "there is no body", |here| here == HereBody::Gone).await;
        assert_eq!(bob.node().blob(*blob).await.expect("reads"), None);
    }
    // The phone falls into a river, and the thief is gone with his laptop: only the tablet and the words are left.
    let words = phone.words();
    let device = device_of(&thief).await;
    phone.stop().await;
    thief.stop().await;
    let words = ControlAccess::Words(words);
    tablet.node().end_device_keeping(tablet.did(), device, &words, false, kept).await.expect("removed");
    has_all(&tablet, tablet.did(), &posts).await;
    bob.follow(tablet.invite().await).await;
    has_all(&bob, tablet.did(), &posts).await;
    for (_, blob) in &held {
        has_bytes_of(&bob, *blob).await;
    }
}
