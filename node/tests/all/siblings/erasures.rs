//! A thief with a stolen device key erases what is not his; the removal undoes it, everywhere.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use xom_node::command::Command;
use xom_node::model::{Kept, StatusId};
use xom_node::{CommandError, ControlAccess};
use xom_protocol::body::Post;
use xom_protocol::{BlobId, Did};

use super::removal::knows_its_end;
use super::{device_of, has_all};
use crate::harness::{Over, Person, text, texts, wait_until, wait_until_within};
use crate::network::blobs::PNG;

/// What many pictures on five nodes may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Posts with a picture of its own each.
async fn post_with_pictures(person: &Person, texts: &[String]) -> Vec<BlobId> {
    let mut blobs = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let bytes = [&PNG[..], &[u8::try_from(number).expect("few")]].concat();
        let attachment = person.node().add_blob(bytes, None).await.expect("stored");
        blobs.push(attachment.blob);
        let post = Box::new(Post { text: text.clone(), attachments: vec![attachment], ..Post::default() });
        person.command(Command::Post { post, reply_to: None, quote_of: None }).await;
    }
    blobs
}

async fn has_blobs(person: &Person, blobs: &[BlobId], when: &str) {
    let what = format!("all pictures are at {} {when}", person.name());
    wait_until_within(&what, PATIENCE, async || {
        for blob in blobs {
            person.node().blob(*blob).await.expect("reads")?;
        }
        Some(())
    })
    .await;
}

/// Waits until a node holds exactly these posts of alice.
async fn has_posts(person: &Person, author: Did, texts: &[String], when: &str) {
    let what = format!("{} posts are at {} {when}", texts.len(), person.name());
    let want: BTreeSet<&String> = texts.iter().collect();
    wait_until_within(&what, PATIENCE, async || {
        let posts = person.posts_of(author).await;
        (posts.len() == want.len() && posts.iter().collect::<BTreeSet<_>>() == want).then_some(())
    })
    .await;
}

/// Erases all of these that the node has.
async fn erase(thief: &Person, texts: &[String]) {
    let statuses = thief.statuses_of(thief.did()).await;
    let theirs = statuses.iter().filter(|status| text(status).is_some_and(|text| texts.contains(&text)));
    let ids: Vec<StatusId> = theirs.map(|status| status.id).collect();
    assert_eq!(ids.len(), texts.len());
    for status in ids {
        thief.command(Command::Erase { status, now: None }).await;
    }
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("fits")
}

async fn check_undone(over: Over, count: usize, kept: impl AsyncFn(&Person) -> Kept) {
    let (phone, bob) = (Person::new("alice", over).await, Person::new("bob", over).await);
    let thief = Person::paired("laptop", over, &phone).await;
    let tablet = Person::paired("tablet", over, &phone).await;
    bob.follow(phone.invite().await).await;
    let mut all = texts("with a picture", count);
    let blobs = post_with_pictures(&phone, &all).await;
    thief.post("hers, from the laptop").await;
    all.push("hers, from the laptop".to_owned());
    for person in [&phone, &thief, &tablet, &bob] {
        has_posts(person, phone.did(), &all, "at first").await;
        has_blobs(person, &blobs, "at first").await;
    }
    let kept = kept(&thief).await;
    erase(&thief, &all).await;
    let left = ["the thief's".to_owned()];
    thief.post(&left[0]).await;
    for person in [&phone, &tablet, &bob] {
        has_posts(person, phone.did(), &left, "after the erasures").await;
    }
    // Carol comes while everything is hidden: she gets the headers and nothing of what they held.
    let carol = Person::new("carol", over).await;
    carol.follow(phone.invite().await).await;
    has_posts(&carol, phone.did(), &left, "after the erasures").await;
    for blob in &blobs {
        assert!(carol.node().blob(*blob).await.expect("reads").is_none(), "she does not have it yet");
    }

    let device = device_of(&thief).await;
    let removed = phone.node().end_device_keeping(phone.did(), device, &ControlAccess::Kept, false, kept).await;
    removed.expect("removed");
    for person in [&phone, &tablet, &bob, &carol] {
        has_posts(person, phone.did(), &all, "after the removal").await;
        has_blobs(person, &blobs, "after the removal").await;
    }
    knows_its_end(&thief).await;
    phone.post("after").await;
    all.push("after".to_owned());
    for person in [&tablet, &bob, &carol] {
        has_posts(person, phone.did(), &all, "at last").await;
        assert_eq!(person.refusals("SYN-9").await + person.refusals("SYN-10").await, 0);
    }
    let verified = carol.node().verify().await.expect("verifies");
    assert_eq!(verified.faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thiefs_erasures_are_undone_everywhere_by_a_removal_that_keeps_what_was_before_a_time() {
    check_undone(Over::Tcp, 20, async |_| {
        // Later than what the laptop said last, and not later than what comes next.
        let last = now_ms();
        wait_until("the clock goes on", async || (now_ms() > last).then(now_ms)).await;
        Kept::Before(now_ms())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syn_21_a_node_that_never_had_an_erased_body_fetches_it_with_its_blobs_when_the_erase_is_undone() {
    check_undone(Over::Quic, 4, async |thief| {
        let devices = thief.node().devices(thief.did()).await.expect("devices");
        Kept::Entries(devices.iter().find(|device| device.is_here).expect("its own").height)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_kept_everything_can_not_keep_less_later_and_one_that_kept_little_can_keep_more() {
    let phone = Person::new("alice", Over::Tcp).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let posts = texts("from the laptop", 3);
    for post in &posts {
        laptop.post(post).await;
    }
    has_all(&phone, phone.did(), &strs(&posts)).await;
    let device = device_of(&laptop).await;
    let height = async || {
        let devices = phone.node().devices(phone.did()).await.expect("devices");
        devices.iter().find(|known| known.device == device).expect("known").height
    };
    let entries = height().await;
    let remove =
        async |kept| phone.node().end_device_keeping(phone.did(), device, &ControlAccess::Kept, false, kept).await;
    remove(Kept::Entries(entries - 2)).await.expect("removed");
    has_all(&phone, phone.did(), &strs(&posts[..1])).await;
    remove(Kept::Entries(entries - 1)).await.expect("one more");
    has_all(&phone, phone.did(), &strs(&posts[..2])).await;
    let less = remove(Kept::Entries(1)).await;
    assert!(matches!(less, Err(CommandError::Refused(reason)) if reason.contains("taken back")), "{less:?}");
    remove(Kept::All).await.expect("all of it");
    has_all(&phone, phone.did(), &strs(&posts)).await;
}
