//! The door of a thread under a flood, and what readers hold of an author who floods (`ADM-2` to `ADM-5`).

use xom_protocol::Digest;
use xom_protocol::EntryId;
use xom_protocol::body::{Admit, Body, Follow};
use xom_protocol::entry::Reference;
use xom_protocol::log::{Composer, root_log_id};
use xom_protocol::phrase::Phrase;

use super::super::admitted::ADMISSIONS_MAX;
use super::*;

/// Somebody of whom a node knows single entries only.
struct Stranger {
    composer: Composer,
    objects: Vec<Vec<u8>>,
}

impl Stranger {
    fn new(name: &str) -> Self {
        let phrase = Phrase::from_entropy(&Digest::of(&[b"stranger ", name.as_bytes()]).0).unwrap();
        let record = IdentityRecord::from_genesis(Network::MAIN, phrase.genesis(Network::MAIN)).unwrap();
        let key = phrase.device_key();
        let log = root_log_id(Network::MAIN, &record.did(), &key.public().device_id());
        let composer = Composer {
            network: Network::MAIN,
            key,
            author: record.did(),
            log,
            position: Position::EMPTY,
            last_time_ms: NOW_MS,
        };
        Self { composer, objects: record.objects().iter().map(SignedObject::encode).collect() }
    }

    fn did(&self) -> Did {
        self.composer.author
    }

    fn says(&mut self, body: &Body) -> VerifiedEntry {
        let entry = self.composer.compose(body, [7; 32], NOW_MS).unwrap();
        self.composer.position = Position::after(&entry);
        entry
    }

    fn replies(&mut self, to: Reference, text: &str) -> VerifiedEntry {
        let post = Post { text: text.to_owned(), reply: Some(to), root: Some(to), ..Post::default() };
        self.says(&Body::Post(post))
    }

    /// Sends entries to the node of somebody at whom they are aimed.
    async fn aims(&self, at: &Person, entries: Vec<VerifiedEntry>) {
        at.store.insert_aimed(self.did(), self.objects.clone(), entries, false).await.unwrap();
    }
}

async fn admit_all(person: &Person) {
    while person.store.admit_due().await.unwrap() {}
}

/// A post of somebody, to be answered.
async fn thread(person: &Person) -> Reference {
    let status = person.post("a thread").await;
    let reader = crate::reader::Reader::new(person.store.snapshot().unwrap()).unwrap();
    reader.status(None, status).unwrap().expect("a post").reference
}

/// The entries that live admissions of an identity name, as this node holds them.
fn admitted(at: &Person, log: &LogId) -> Vec<EntryId> {
    let snapshot = at.store.snapshot().unwrap();
    let Some(number) = snapshot.log_number(log).unwrap() else { return Vec::new() };
    let height = snapshot.position(log).unwrap().height;
    let bodies = (0..height).filter_map(|seq| snapshot.body((number, seq)).unwrap());
    let named = bodies.filter_map(|(_, body)| match body {
        Body::Admit(admit) => Some(admit.entries[0].entry),
        _ => None,
    });
    named.collect()
}

fn is_held(at: &Person, entry: &EntryId) -> bool {
    at.store.snapshot().unwrap().place_of_entry(entry).unwrap().is_some()
}

#[tokio::test]
async fn adm_3_ten_thousand_replies_of_strangers_cost_the_author_and_her_readers_a_bounded_amount() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let root = thread(&alice).await;
    let before = alice.position(&alice.me.log).height;
    for number in 0..100 {
        let mut stranger = Stranger::new(&number.to_string());
        let replies = (0..100).map(|reply| stranger.replies(root, &format!("buy {number} {reply}"))).collect();
        stranger.aims(&alice, replies).await;
    }
    admit_all(&alice).await;
    let entries = admitted(&alice, &alice.me.log);
    assert_eq!(entries.len(), 128, "of all strangers in a day");
    let grown = alice.position(&alice.me.log).height - before;
    assert!((128..=129).contains(&grown), "{grown} entries, one of them a checkpoint perhaps");
    bob.fetch(&alice).await;
    let bytes = bob.store.snapshot().unwrap().author_bytes(&alice.me.did).unwrap();
    assert!(bytes < 256 << 10, "{bytes} bytes at a reader");
    // The same stranger again, on the same day and on the next.
    let mut stranger = Stranger::new("0");
    for _ in 0..100 {
        stranger.says(&Body::Follow(Follow { subject: alice.me.did, rev: 1 }));
    }
    let today = stranger.replies(root, "today");
    stranger.aims(&alice, vec![today.clone()]).await;
    admit_all(&alice).await;
    assert!(!admitted(&alice, &alice.me.log).contains(&today.id()));
    alice.wait(24 * 3_600_000);
    let tomorrow: Vec<_> = (0..20).map(|reply| stranger.replies(root, &format!("tomorrow {reply}"))).collect();
    stranger.aims(&alice, tomorrow).await;
    admit_all(&alice).await;
    assert_eq!(admitted(&alice, &alice.me.log).len(), 128 + 8, "of one stranger in a day");
}

#[tokio::test]
async fn adm_2_who_is_introduced_by_somebody_who_is_followed_has_a_larger_share() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let root = thread(&alice).await;
    let mut dave = Stranger::new("dave");
    alice.say(Command::Follow(bob.me.did)).await.unwrap();
    bob.say(Command::Follow(dave.did())).await.unwrap();
    alice.fetch(&bob).await;
    let replies = (0..40).map(|reply| dave.replies(root, &reply.to_string())).collect();
    dave.aims(&alice, replies).await;
    admit_all(&alice).await;
    assert_eq!(admitted(&alice, &alice.me.log).len(), 32);
}

#[tokio::test]
async fn adm_2_only_what_answers_a_live_post_of_the_thread_is_admitted() {
    let alice = Person::new("alice");
    let root = thread(&alice).await;
    let mut dave = Stranger::new("dave");
    let elsewhere = Reference { entry: EntryId([9; 32]), author: dave.did(), ..root };
    let to_nothing = Post { text: "to nothing".into(), reply: Some(elsewhere), root: Some(root), ..Post::default() };
    let mention = xom_protocol::body::Mention { did: alice.me.did, name: "alice".into() };
    let no_reply = Post { text: "no reply".into(), mentions: vec![mention], root: Some(root), ..Post::default() };
    let long = Post { text: "\u{10ffff}".repeat(4_500), reply: Some(root), ..Post::default() };
    let entries = [to_nothing, no_reply, long].map(|post| dave.says(&Body::Post(post)));
    dave.aims(&alice, entries.to_vec()).await;
    admit_all(&alice).await;
    assert_eq!(admitted(&alice, &alice.me.log), []);
    let right = dave.replies(root, "to the thread");
    dave.aims(&alice, vec![right.clone()]).await;
    admit_all(&alice).await;
    assert_eq!(admitted(&alice, &alice.me.log), [right.id()]);
}

#[tokio::test]
async fn adm_2_what_a_peer_brings_beyond_its_share_stays_outside() {
    let alice = Person::new("alice");
    let root = thread(&alice).await;
    let mut dave = Stranger::new("dave");
    let reply = dave.replies(root, "one too many");
    alice.store.insert_aimed(dave.did(), dave.objects.clone(), vec![reply.clone()], true).await.unwrap();
    admit_all(&alice).await;
    assert!(is_held(&alice, &reply.id()), "it is hers");
    assert_eq!(admitted(&alice, &alice.me.log), []);
}

#[tokio::test]
async fn adm_5_a_reader_of_an_author_who_admits_without_end_holds_the_newest_and_drops_the_rest() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let root = thread(&alice).await;
    bob.say(Command::Follow(alice.me.did)).await.unwrap();
    let mut replies = Vec::new();
    let reference = |entry: &VerifiedEntry| entry.header().reference(entry.id());
    for number in 0..ADMISSIONS_MAX / 100 + 2 {
        let mut puppet = Stranger::new(&number.to_string());
        let part: Vec<_> = (0..100).map(|reply| puppet.replies(root, &reply.to_string())).collect();
        let admissions: Vec<_> =
            part.iter().map(|entry| Body::Admit(Admit { entries: vec![reference(entry)] })).collect();
        let did = alice.me.did;
        let said = alice.store.write(move |batch| {
            admissions.iter().for_each(|body| drop(batch.say(&did, body)));
            Ok(())
        });
        said.await.unwrap();
        bob.fetch(&alice).await;
        let (root, author, objects) = (alice.me.did, puppet.did(), puppet.objects.clone());
        bob.store.insert_admitted(root, author, objects, part.clone()).await.unwrap();
        replies.extend(part);
    }
    let held = replies.iter().filter(|entry| is_held(&bob, &entry.id())).count();
    assert!((ADMISSIONS_MAX..=ADMISSIONS_MAX + 32).contains(&held), "{held}");
    assert!(is_held(&bob, &replies.last().unwrap().id()) && !is_held(&bob, &replies[0].id()));
    assert_eq!(bob.store.snapshot().unwrap().admitted_lacked(&alice.me.did).unwrap(), []);
}

#[tokio::test]
async fn adm_6_a_reader_keeps_only_what_a_live_admission_names_and_what_belongs_to_the_thread() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let root = thread(&alice).await;
    bob.say(Command::Follow(alice.me.did)).await.unwrap();
    let mut dave = Stranger::new("dave");
    let (reply, other) = (dave.replies(root, "to the thread"), dave.replies(root, "not admitted"));
    let apart = dave.says(&Body::Post(Post { text: "of something else".into(), ..Post::default() }));
    let named = [&reply, &apart].map(|entry| entry.header().reference(entry.id())).to_vec();
    let did = alice.me.did;
    let said = alice.store.write(move |batch| {
        Ok(batch.say(&did, &Body::Admit(Admit { entries: named.clone() })).ok().map(|said| said.entry))
    });
    let admission = said.await.unwrap().expect("said");
    bob.fetch(&alice).await;
    let lacked = bob.store.snapshot().unwrap().admitted_lacked(&did).unwrap();
    assert_eq!(lacked.iter().map(|(_, entries)| entries.len()).sum::<usize>(), 2);
    let entries = vec![reply.clone(), other.clone(), apart.clone()];
    bob.store.insert_admitted(did, dave.did(), dave.objects.clone(), entries).await.unwrap();
    assert!(is_held(&bob, &reply.id()) && !is_held(&bob, &other.id()) && !is_held(&bob, &apart.id()));
    // What is served is what the log that was asked about admits.
    let snapshot = bob.store.snapshot().unwrap();
    let served = snapshot.singles(&alice.me.log, &[reply.id(), other.id()]).unwrap();
    assert_eq!(served.iter().map(|item| item.entries.len()).sum::<usize>(), 1);
    assert_eq!(snapshot.singles(&bob.me.log, &[reply.id()]).unwrap(), []);
    drop(snapshot);
    alice.say(Command::EraseEntry { entry: admission, now: None }).await.unwrap();
    bob.fetch(&alice).await;
    assert!(!is_held(&bob, &reply.id()), "the admission is gone, and with it what it named");
    assert!(bob.store.snapshot().unwrap().singles(&alice.me.log, &[reply.id()]).unwrap().is_empty());
}

#[tokio::test]
async fn adm_2_what_waits_at_the_door_is_admitted_after_a_restart() {
    let alice = Person::new("alice");
    let root = thread(&alice).await;
    let mut dave = Stranger::new("dave");
    let reply = dave.replies(root, "patient");
    dave.aims(&alice, vec![reply.clone()]).await;
    let alice = alice.restart().await;
    admit_all(&alice).await;
    assert_eq!(admitted(&alice, &alice.me.log), [reply.id()]);
}
