//! The views hold the same whatever the order in which entries came, and whatever came and went.

use redb::backends::InMemoryBackend;
use redb::{Database, Key, ReadableDatabase, ReadableTable, TableDefinition, TableHandle, Value};
use xom_protocol::body::{Attachment, Body, Edit, Follow, Poll, Post, Profile, Reaction, Repost, Unfollow, Vote};
use xom_protocol::entry::{Reference, VerifiedEntry};
use xom_protocol::keys::SecretKey;
use xom_protocol::log::{Composer, Position, root_log_id};
use xom_protocol::{BlobId, Did, Network};

use super::{Arrival, NewEntry, Place, Views, tables};
use crate::store::Tables;

/// Somebody who writes entries.
struct Person {
    number: u32,
    composer: Composer,
}

/// An entry with all that the views are told of it.
struct Told {
    place: Place,
    entry: VerifiedEntry,
    body: Body,
    arrival: Arrival,
}

impl Person {
    fn new(number: u32) -> Self {
        let seed = [u8::try_from(number).expect("a small number"); 32];
        let key = SecretKey::from_seed(&seed).expect("a seed");
        let author = Did(seed);
        let log = root_log_id(Network::MAIN, &author, &key.public().device_id());
        let composer =
            Composer { network: Network::MAIN, key, author, log, position: Position::default(), last_time_ms: 0 };
        Self { number, composer }
    }

    fn did(&self) -> Did {
        self.composer.author
    }

    fn write(&mut self, told: &mut Vec<Told>, body: Body) -> Reference {
        let counter = told.len() as u64 + 1;
        let ms = 1_000_000 + counter;
        let entry = self.composer.compose(&body, [1; 32], ms).expect("a good body");
        self.composer.advance(&entry);
        let place = Place { log: self.number, seq: entry.header().seq };
        let makes_status = matches!(body, Body::Post(_) | Body::Repost(_));
        let local_id = if makes_status { ms << 16 } else { 0 };
        let reference = entry.header().reference(entry.id());
        told.push(Told { place, entry, body, arrival: Arrival { ms, counter, local_id, live: true } });
        reference
    }

    fn post(&mut self, told: &mut Vec<Told>, post: Post) -> Reference {
        self.write(told, Body::Post(post))
    }
}

fn text(text: &str) -> Post {
    Post { text: text.to_owned(), ..Post::default() }
}

fn media() -> Attachment {
    Attachment::new(BlobId::of(b"x"), "image/png", 1)
}

/// What three people wrote; alice lives here, and what she wrote on another device may come after the answers.
fn story() -> (Did, Vec<Told>) {
    let (mut alice, mut bob, mut carol) = (Person::new(1), Person::new(2), Person::new(3));
    let mut told = Vec::new();
    let first = alice.post(&mut told, text("first"));
    let poll = Poll { options: vec!["a".into(), "b".into()], multiple: false, hide_totals: false, ends: 9_000_000 };
    let asked = alice.post(&mut told, Post { poll: Some(poll), ..text("which?") });
    alice.write(&mut told, Body::Follow(Follow { subject: bob.did(), rev: 1 }));
    alice.write(&mut told, Body::Unfollow(Unfollow { subject: bob.did(), rev: 2 }));
    alice.write(&mut told, Body::Follow(Follow { subject: bob.did(), rev: 3 }));
    bob.write(&mut told, Body::Follow(Follow { subject: alice.did(), rev: 1 }));
    bob.write(&mut told, Body::Profile(Profile { rev: 1, name: Some("Bob".into()), ..Profile::default() }));
    bob.write(&mut told, Body::Profile(Profile { rev: 2, name: Some("Bo".into()), ..Profile::default() }));
    let tagged = Post { tags: vec!["Xóm".into()], attachments: vec![media()], ..text("#Xóm") };
    let post = bob.post(&mut told, tagged);
    let newer = Post { tags: vec!["chợ".into()], ..text("#chợ") };
    bob.write(&mut told, Body::Edit(Edit { target: post, rev: 1, post: newer }));
    carol.post(&mut told, Post { reply: Some(post), root: Some(post), ..text("to bob") });
    carol.post(&mut told, Post { quote: Some(first), ..text("look") });
    bob.post(&mut told, Post { reply: Some(first), root: Some(first), ..text("to alice") });
    bob.write(&mut told, Body::Reaction(Reaction { target: first, rev: 1, emoji: "❤".into() }));
    carol.write(&mut told, Body::Reaction(Reaction { target: first, rev: 1, emoji: "🎉".into() }));
    carol.write(&mut told, Body::Repost(Repost { target: post, rev: 1 }));
    bob.write(&mut told, Body::Repost(Repost { target: first, rev: 1 }));
    bob.write(&mut told, Body::Vote(Vote { poll: asked, rev: 1, choices: vec![0] }));
    bob.write(&mut told, Body::Vote(Vote { poll: asked, rev: 2, choices: vec![1] }));
    carol.write(&mut told, Body::Vote(Vote { poll: asked, rev: 1, choices: vec![1] }));
    (alice.did(), told)
}

fn new_entry(told: &Told) -> NewEntry<'_> {
    NewEntry {
        place: told.place,
        id: told.entry.id(),
        header: told.entry.header(),
        body: Some(&told.body),
        arrival: told.arrival,
        disputed: false,
    }
}

fn dump<K: Key + 'static, V: Value + 'static>(database: &Database, table: TableDefinition<'_, K, V>) -> Vec<String> {
    let txn = database.begin_read().expect("a read");
    let open = txn.open_table(table).expect("a table");
    let row = |row: Result<(redb::AccessGuard<'_, K>, redb::AccessGuard<'_, V>), redb::StorageError>| {
        let (key, value) = row.expect("a row");
        format!("{}: {:?} = {:?}", table.name(), key.value(), value.value())
    };
    open.iter().expect("rows").map(row).collect()
}

/// Everything in every view.
pub(crate) fn dump_all(database: &Database) -> Vec<String> {
    [
        dump(database, tables::ACCOUNTS),
        dump(database, tables::REGISTERS),
        dump(database, tables::STATUSES),
        dump(database, tables::STATUS_OF_ENTRY),
        dump(database, tables::AUTHOR_STATUSES),
        dump(database, tables::HOME),
        dump(database, tables::PUBLIC),
        dump(database, tables::TAGS),
        dump(database, tables::CHILDREN),
        dump(database, tables::QUOTES),
        dump(database, tables::COUNTS),
        dump(database, tables::REACTIONS),
        dump(database, tables::FAVOURITES),
        dump(database, tables::RECORDS),
        dump(database, tables::REPOSTS),
        dump(database, tables::POLLS),
        dump(database, tables::FOLLOWS),
        dump(database, tables::FOLLOWING),
        dump(database, tables::FOLLOWERS),
        dump(database, tables::BLOCKS),
        dump(database, tables::NOTIFICATIONS),
        dump(database, tables::IMPORTS),
        dump(database, tables::WAITING),
    ]
    .concat()
}

/// Applies what `steps` name, by index, or takes it back where the flag is false; one transaction a step.
fn run(local: Did, told: &[Told], steps: &[(usize, bool)]) -> Database {
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).expect("memory");
    for (index, applied) in steps {
        let txn = database.begin_write().expect("a write");
        let mut views = Views::open(Tables::at_once(&txn), &[local]).expect("views");
        let entry = new_entry(&told[*index]);
        let done = if *applied { views.apply(&entry) } else { views.retract(&entry) };
        done.expect("no storage error");
        views.finish().expect("no storage error");
        txn.commit().expect("a commit");
    }
    database
}

/// A shuffle that is the same for a seed.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for at in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, usize::try_from(state >> 33).expect("fits") % (at + 1));
    }
    order
}

#[test]
fn log_10_any_order_of_arrival_gives_the_same_views() {
    let (alice, told) = story();
    let in_order: Vec<_> = (0..told.len()).map(|index| (index, true)).collect();
    let want = dump_all(&run(alice, &told, &in_order));
    assert!(want.len() > 40, "the story fills the views: {}", want.len());
    for seed in 0..200 {
        let steps: Vec<_> = shuffled(told.len(), seed).into_iter().map(|index| (index, true)).collect();
        assert_eq!(dump_all(&run(alice, &told, &steps)), want, "seed {seed}");
    }
}

#[test]
fn log_12_what_is_taken_back_leaves_nothing_behind() {
    let (alice, told) = story();
    for gone in 0..told.len() {
        let kept = |index: &usize| *index != gone;
        let without: Vec<_> = (0..told.len()).filter(kept).map(|index| (index, true)).collect();
        let mut with: Vec<_> = (0..told.len()).map(|index| (index, true)).collect();
        with.push((gone, false));
        let (want, got) = (dump_all(&run(alice, &told, &without)), dump_all(&run(alice, &told, &with)));
        // An account stays known, with the time at which it was first seen; a poll keeps its zeros.
        let lasting = |row: &String| !row.starts_with("view_accounts") && !row.starts_with("view_polls");
        let rows = |rows: Vec<String>| rows.into_iter().filter(lasting).collect::<Vec<_>>();
        assert_eq!(rows(got), rows(want), "entry {gone}");
    }
}

#[test]
fn cleared_views_are_made_again_the_same() {
    let (alice, told) = story();
    let steps: Vec<_> = (0..told.len()).map(|index| (index, true)).collect();
    let database = run(alice, &told, &steps);
    let want = dump_all(&database);
    let txn = database.begin_write().expect("a write");
    Views::clear(&txn).expect("no storage error");
    let mut views = Views::open(Tables::at_once(&txn), &[alice]).expect("views");
    for told in &told {
        views.apply(&new_entry(told)).expect("no storage error");
    }
    views.finish().expect("no storage error");
    txn.commit().expect("a commit");
    assert_eq!(dump_all(&database), want);
}
