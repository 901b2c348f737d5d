//! Replies of strangers in the threads of an author (ADM-1, ADM-2): who sees them, and what brings them away again (ADM-4,
//! ADM-5, ADM-6).

use xom_node::admission::{DOOR_KEY, Door};
use xom_node::command::Command;
use xom_node::model::{Page, Status, StatusId};
use xom_protocol::body::Post;
use xom_protocol::{Did, EntryId};

use crate::harness::{Over, Person, text, wait_until};

/// The status that shows an entry at somebody's node.
async fn status_of(at: &Person, entry: EntryId) -> Option<StatusId> {
    at.node().read(move |reader| reader.status_of_entry(&entry)).await.expect("reads")
}

/// Waits until somebody holds a post, and answers it.
async fn reply(by: &Person, to: EntryId, said: &str) -> EntryId {
    let parent = wait_until("there is what is answered", async || status_of(by, to).await).await;
    let post = Box::new(Post { text: said.to_owned(), ..Post::default() });
    let done = by.command(Command::Post { post, reply_to: Some(parent), quote_of: None }).await;
    done.entry.expect("written")
}

/// What stands below a post at somebody's node.
async fn below(at: &Person, entry: EntryId) -> Vec<Status> {
    let Some(status) = status_of(at, entry).await else { return Vec::new() };
    let viewer = at.did();
    let context = at.node().read(move |reader| reader.context(Some(&viewer), status)).await.expect("reads");
    context.map(|context| context.descendants).unwrap_or_default()
}

/// Waits until just these texts stand below a post at somebody's node.
async fn sees_below(at: &Person, entry: EntryId, texts: &[&str]) {
    let what = format!("{} sees {texts:?}", at.name());
    wait_until(&what, async || {
        let mut seen: Vec<String> = below(at, entry).await.iter().filter_map(text).collect();
        seen.sort();
        (seen == texts).then_some(())
    })
    .await;
}

async fn follow(who: &Person, whom: &Person) {
    who.follow(whom.invite().await).await;
}

async fn notified(at: &Person) -> usize {
    let (viewer, page) = (at.did(), Page { limit: 100, ..Page::default() });
    let read = at.node().read(move |reader| reader.notifications(&viewer, None, &[], None, &page)).await;
    read.expect("reads").len()
}

async fn set_door(at: &Person, door: Door) {
    let setting = [(DOOR_KEY.to_owned(), door.name().as_bytes().to_vec())].into();
    at.node().put_settings(at.did(), setting).await.expect("set");
}

/// Alice, with a post; carol follows her and nobody else; these follow alice too.
async fn house(others: &[&'static str]) -> (Person, Person, Vec<Person>, EntryId) {
    let (alice, carol) = (Person::new("alice", Over::Tcp).await, Person::new("carol", Over::Tcp).await);
    follow(&carol, &alice).await;
    let mut people = Vec::new();
    for name in others {
        let person = Person::new(name, Over::Tcp).await;
        follow(&person, &alice).await;
        people.push(person);
    }
    let root = alice.post("a thread").await.entry.expect("written");
    (alice, carol, people, root)
}

fn name_of(status: &Status) -> (Did, String) {
    (status.account.did, status.account.username.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn adm_1_replies_of_three_strangers_reach_a_reader_who_follows_the_author_alone() {
    let (_alice, carol, people, root) = house(&["bob", "dave", "erin"]).await;
    let [bob, dave, erin] = people.as_slice() else { panic!("three") };
    for (by, said) in [(bob, "from bob"), (dave, "from dave")] {
        reply(by, root, said).await;
    }
    sees_below(&carol, root, &["from bob", "from dave"]).await;
    let to_bob = below(&carol, root).await.iter().find(|status| text(status).as_deref() == Some("from bob")).cloned();
    let to_bob = to_bob.expect("seen").reference.entry;
    // Erin follows alice alone, and has bob's reply from her.
    reply(erin, to_bob, "to bob").await;
    sees_below(&carol, root, &["from bob", "from dave", "to bob"]).await;
    sees_below(&carol, to_bob, &["to bob"]).await;
    let mut names: Vec<_> = below(&carol, root).await.iter().map(name_of).collect();
    let mut expected = [bob, dave, erin].map(|person| (person.did(), person.name().to_owned())).to_vec();
    names.sort();
    expected.sort();
    assert_eq!(names, expected, "each with a name");
    let status = status_of(&carol, root).await.expect("held");
    let counted = carol.node().read(move |reader| reader.status(None, status)).await.expect("reads").expect("held");
    let xom_node::model::StatusContent::Post(post) = counted.content else { panic!("a post") };
    assert_eq!(post.replies, 2, "two answer the post itself");
    assert_eq!(carol.home().await, ["a thread"], "nobody else's posts stand in her home");
    assert_eq!(notified(&carol).await, 0, "and she is told of nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn adm_4_a_reply_that_is_erased_or_whose_author_is_blocked_is_gone_with_readers() {
    let (alice, carol, people, root) = house(&["bob", "dave", "erin"]).await;
    let [bob, dave, erin] = people.as_slice() else { panic!("three") };
    let from_bob = reply(bob, root, "from bob").await;
    let from_dave = reply(dave, root, "from dave").await;
    reply(erin, root, "from erin").await;
    sees_below(&carol, root, &["from bob", "from dave", "from erin"]).await;
    bob.command(Command::EraseEntry { entry: from_bob, now: None }).await;
    sees_below(&carol, root, &["from dave", "from erin"]).await;
    alice.command(Command::Block(dave.did())).await;
    sees_below(&carol, root, &["from erin"]).await;
    for gone in [from_bob, from_dave] {
        assert_eq!(status_of(&carol, gone).await, None);
    }
    // Who is blocked comes in no more.
    let again = reply(dave, root, "again from dave").await;
    wait_until("alice has it", async || status_of(&alice, again).await).await;
    reply(erin, root, "more from erin").await;
    sees_below(&carol, root, &["from erin", "more from erin"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adm_2_a_door_keeps_out_whom_the_author_does_not_know_and_is_not_opened_afterwards() {
    let (alice, carol, people, root) = house(&["bob", "dave"]).await;
    let [bob, dave] = people.as_slice() else { panic!("two") };
    set_door(&alice, Door::Closed).await;
    let while_closed = reply(bob, root, "while it was closed").await;
    wait_until("alice has it", async || status_of(&alice, while_closed).await).await;
    set_door(&alice, Door::Followed).await;
    follow(&alice, dave).await;
    dave.has_posts(alice.did(), &["a thread".to_owned()]).await;
    wait_until("alice follows dave", async || {
        let (alice, did) = (alice.node(), dave.did());
        alice.read(move |reader| reader.account(&did)).await.expect("reads")
    })
    .await;
    let stranger = reply(bob, root, "from a stranger").await;
    wait_until("alice has it", async || status_of(&alice, stranger).await).await;
    reply(dave, root, "from dave").await;
    sees_below(&carol, root, &["from dave"]).await;
    set_door(&alice, Door::Open).await;
    reply(bob, root, "through an open door").await;
    sees_below(&carol, root, &["from dave", "through an open door"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adm_6_who_follows_the_author_passes_replies_on_while_she_is_away() {
    let (mut alice, carol, people, root) = house(&["bob"]).await;
    reply(&people[0], root, "from bob").await;
    sees_below(&carol, root, &["from bob"]).await;
    alice.stop().await;
    let frank = Person::with_bootstrap("frank", Over::Tcp, vec![carol.listen()]).await;
    frank.follow(alice.did().to_string()).await;
    sees_below(&frank, root, &["from bob"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adm_4_an_edit_of_a_reply_reaches_readers_too() {
    let (_alice, carol, people, root) = house(&["bob"]).await;
    let entry = reply(&people[0], root, "from bob").await;
    sees_below(&carol, root, &["from bob"]).await;
    let status = status_of(&people[0], entry).await.expect("held");
    let post = Box::new(Post { text: "better said".to_owned(), ..Post::default() });
    people[0].command(Command::Edit { status, post }).await;
    sees_below(&carol, root, &["better said"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adm_5_what_was_admitted_is_there_after_a_restart_and_a_rebuild_of_the_views() {
    let (mut alice, mut carol, people, root) = house(&["bob"]).await;
    reply(&people[0], root, "from bob").await;
    sees_below(&carol, root, &["from bob"]).await;
    carol.stop().await;
    carol.start().await;
    carol.node().rebuild_views().await.expect("rebuilt");
    sees_below(&carol, root, &["from bob"]).await;
    let report = carol.node().verify().await.expect("verified");
    assert_eq!(report.faults, Vec::<String>::new());
    alice.stop().await;
    alice.start().await;
    reply(&people[0], root, "more from bob").await;
    sees_below(&carol, root, &["from bob", "more from bob"]).await;
}
