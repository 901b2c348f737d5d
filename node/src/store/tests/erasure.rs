//! Erasing, purging, compacting (`LOG-12`; R-STO-11).

use std::collections::BTreeMap;

use xom_protocol::body::Post;
use xom_protocol::limits::ERASE_DELAY_MS;

use super::super::append::Stretch;
use super::super::batch::Batch;
use super::super::salts::Salts;
use super::super::shared::Shared;
use super::*;

const SECRET: &str = "kJ8sQ2mXv7LpR4tZ9wBn1cYd5fGh6aEu";

#[tokio::test]
async fn an_erased_post_is_hidden_at_once_and_purged_when_it_is_due() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post(SECRET).await;
    bob.fetch(&alice).await;
    assert_eq!(bob.texts(&alice.me.log), [SECRET]);
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    for person in [&alice, &bob] {
        assert!(person.texts(&alice.me.log).is_empty());
        let served = person.store.snapshot().unwrap().range(&alice.me.log, 1, 1, 1 << 20, &Default::default()).unwrap();
        assert_eq!(served[0].body, None, "a hidden body is not served");
        assert_eq!(bodies(person), 3, "profile, post and erase");
        person.wait(ERASE_DELAY_MS - 1_000);
        person.store.purge_due().await.unwrap();
        assert_eq!(bodies(person), 3, "not yet due");
        person.wait(2_000);
        person.store.purge_due().await.unwrap();
        assert_eq!(bodies(person), 2);
    }
}

#[tokio::test]
async fn a_post_that_was_read_is_not_opened_once_it_is_erased_and_not_in_memory_once_it_is_purged() {
    let alice = Person::new("alice");
    let status = alice.post(SECRET).await;
    let reader = crate::reader::Reader::new(alice.store.snapshot().unwrap()).unwrap();
    let entry = reader.status(None, status).unwrap().expect("a post").reference.entry;
    let place = reader.snapshot().place_of_entry(&entry).unwrap().unwrap();
    drop(reader);
    let opened = || alice.store.snapshot().unwrap().opened(place).unwrap();
    let is_kept = || alice.store.shared.opened.get(&entry).is_ok();
    assert!(opened().is_some() && is_kept());
    alice.erase(status, false).await;
    assert!(opened().is_none() && is_kept(), "hidden, and may be shown again");
    alice.wait(ERASE_DELAY_MS + 1_000);
    alice.store.purge_due().await.unwrap();
    assert!(!is_kept());
}

#[tokio::test]
async fn a_purge_by_order_leaves_no_trace_after_compaction_and_the_chain_stays_whole() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post(SECRET).await;
    let edited = Box::new(Post { text: format!("edited {SECRET}"), ..Post::default() });
    alice.say(Command::Edit { status, post: edited }).await.unwrap();
    alice.post("stays").await;
    bob.fetch(&alice).await;
    let salts = |person: &Person| std::fs::read(person.path().join("salts")).unwrap();
    let before = salts(&alice);
    alice.erase(status, true).await;
    bob.fetch(&alice).await;
    assert_ne!(salts(&alice)[32..64], before[32..64]);
    // Bob holds two profiles before the post.
    for (person, slot) in [(&alice, 1), (&bob, 2)] {
        person.store.compact().await.unwrap();
        assert_eq!(files_with(&person.path(), SECRET), Vec::<PathBuf>::new());
        assert_eq!(salts(person)[32 * slot..32 * (slot + 2)], [0; 64], "post and edit");
        assert_eq!(person.texts(&alice.me.log), ["stays"]);
    }
    let carol = Person::new("carol");
    carol.fetch(&bob_serves(&bob, &alice)).await;
}

/// Bob as a source of alice's log: what is served must verify.
fn bob_serves(bob: &Person, alice: &Person) -> Person {
    Person { store: bob.store.clone(), me: alice.me.clone(), clock: Arc::clone(&bob.clock), dir: None }
}

#[tokio::test]
async fn a_purged_body_is_not_taken_again_from_a_mallory_who_kept_it() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post(SECRET).await;
    bob.fetch(&alice).await;
    let kept = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    alice.erase(status, true).await;
    bob.fetch(&alice).await;
    bob.store.append(kept.clone()).await.unwrap();
    assert!(bob.texts(&alice.me.log).is_empty());
    assert_eq!(bodies(&bob), 2);
    // One who hears of the erase first refuses it too.
    let carol = Person::new("carol");
    let objects = alice.store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap();
    carol.store.insert_identity(alice.me.did, objects).await.unwrap();
    let all = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    carol.store.insert_loose(all.entries[2].clone(), true).await.unwrap();
    let mut entries = kept.entries;
    entries.push(all.entries[2].clone());
    carol.store.append(alice.new_run(entries)).await.unwrap();
    assert!(carol.texts(&alice.me.log).is_empty());
    assert_eq!(bodies(&carol), 2);
}

impl Person {
    /// Takes a run in up to the commit and not further, as if killed before the salts are zeroed; then starts
    /// again.
    pub(super) async fn die_before_zeroing(mut self, run: NewRun) -> Self {
        let (path, dir) = (self.path(), self.dir.take().unwrap());
        let (clock, name) = (Arc::clone(&self.clock), self.me.username.clone());
        self.store.stop().await;
        drop(self);
        let salts = std::fs::read(path.join("salts")).unwrap();
        write_and_die(&path, run);
        assert_eq!(std::fs::read(path.join("salts")).unwrap(), salts);
        Self::open(dir, &name, clock)
    }
}

fn write_and_die(path: &Path, run: NewRun) {
    let folder = Folder::open(path).unwrap();
    let salts = Salts::open(&folder.salts()).unwrap();
    let machine = Machine {
        cost: Cost::for_tests(),
        clock: Box::new(|| NOW_MS),
        probe: Box::new(probe),
        open_database: Box::new(open_database),
    };
    let shared = Shared::open(folder, Network::MAIN, salts, machine).unwrap();
    let database = shared.database().unwrap();
    let txn = database.begin_write().unwrap();
    let mut none = BTreeMap::new();
    let mut batch = Batch::open(&txn, &shared, &mut none, NOW_MS).unwrap();
    batch.append(&Stretch::from(run)).unwrap();
    assert_eq!(batch.receipts.iter().unwrap().count(), 0, "nothing is answered before the bytes are gone");
    let after = batch.finish().unwrap();
    assert!(!after.zero.is_empty());
    txn.commit().unwrap();
}

#[tokio::test]
async fn a_purge_that_was_cut_short_is_carried_out_at_the_next_start() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post(SECRET).await;
    bob.fetch(&alice).await;
    alice.erase(status, true).await;
    let run = alice.run(bob.position(&alice.me.log), &bob.record(&alice.me.did));
    let salts = bob.path().join("salts");
    // Bob holds two profiles before the post.
    assert_ne!(std::fs::read(&salts).unwrap()[64..96], [0; 32]);
    let bob = bob.die_before_zeroing(run).await;
    assert_eq!(std::fs::read(&salts).unwrap()[64..96], [0; 32]);
    bob.post("reuses the slot").await;
    assert_ne!(std::fs::read(&salts).unwrap()[64..96], [0; 32]);
    assert_eq!(bob.texts(&bob.me.log), ["reuses the slot"]);
}

#[tokio::test]
async fn only_ones_own_statuses_can_be_erased() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("hers").await;
    bob.fetch(&alice).await;
    let place = bob.store.snapshot().unwrap();
    let number = place.log_number(&alice.me.log).unwrap().unwrap();
    let status = StatusId(place.with_entry((number, 1), |row| row.local_id).unwrap().unwrap());
    let answer = bob.say(Command::Erase { status, now: None }).await;
    assert!(matches!(answer, Err(CommandError::NotYours)));
}

/// Bodies held of alice's log, which is log 0 or 1 of everybody.
pub(super) fn bodies(person: &Person) -> usize {
    let snapshot = person.store.snapshot().unwrap();
    let logs = snapshot.logs().unwrap();
    let (number, row) = logs.last().unwrap();
    let has_body = |seq| snapshot.with_entry((*number, seq), |row| row.is(super::super::tables::flags::BODY)).unwrap();
    (0..row.height).filter(|seq| has_body(*seq) == Some(true)).count()
}

#[tokio::test]
async fn the_body_of_a_hidden_entry_is_served_to_a_device_of_its_author_and_to_nobody_else() {
    let alice = Person::new("alice");
    let status = alice.post("to be hidden").await;
    alice.erase(status, false).await;
    let snapshot = alice.store.snapshot().unwrap();
    let served = |proven: &[Did]| {
        let proven = proven.iter().copied().collect();
        snapshot.range(&alice.me.log, 1, 1, 1 << 20, &proven).unwrap().remove(0).body.is_some()
    };
    assert!(!served(&[]));
    assert!(!served(&[Did([9; 32])]));
    assert!(served(&[alice.me.did]));
}
