//! What an archive carries beside the logs: private settings, proofs, receipts (ARC-7, ARC-19, ARC-20), and how it
//! shows what is void (ARC-21).

use xom_protocol::body::{Body, Checkpoint, LogHead};
use xom_protocol::identity::{DeviceEnd, compose};
use xom_protocol::limits::SETTINGS_MAX;
use xom_protocol::log::{Composer, FaultProof, root_log_id};
use xom_protocol::receipt::{Answer, Fate, Receipt};
use xom_protocol::sync::message::KnownCopy;
use xom_protocol::{Digest, EntryId, LogId};

use super::super::{NewReceipt, ProofTaken};
use super::archive::{check, export, header, members, without};
use super::backup::opened;
use super::*;
use crate::Reader;
use crate::archive::take_over;
use crate::verify_archive;

/// Another device of alice's, which signs by hand.
#[derive(Clone)]
struct Tablet {
    composer: Composer,
    entries: Vec<VerifiedEntry>,
}

impl Tablet {
    /// Has it granted by the device of alice's node.
    async fn of(alice: &Person) -> Self {
        let key = SecretKey::from_seed(&[77; 32]).unwrap();
        let grant = compose::grant(Network::MAIN, alice.me.did, &alice.key(), &key).unwrap();
        alice.store.insert_identity(alice.me.did, vec![grant.encode()]).await.unwrap();
        let log = root_log_id(Network::MAIN, &alice.me.did, &key.public().device_id());
        let (network, author, position) = (Network::MAIN, alice.me.did, Position::EMPTY);
        Self { composer: Composer { network, key, author, log, position, last_time_ms: 0 }, entries: Vec::new() }
    }

    fn log(&self) -> LogId {
        self.composer.log
    }

    fn write(&mut self, body: &Body) {
        let entry = self.composer.compose(body, [9; 32], NOW_MS).unwrap();
        self.composer.advance(&entry);
        self.entries.push(entry);
    }

    fn post(&mut self, text: &str) {
        self.write(&Body::Post(Post { text: text.to_owned(), ..Post::default() }));
    }

    fn head(&self) -> LogHead {
        let Position { height, head } = self.composer.position;
        LogHead { log: self.log(), height, head: head.unwrap() }
    }

    async fn give(&self, to: &Person, from: usize) -> Appended {
        let (author, device) = (self.composer.author, self.composer.key.public().device_id());
        let entries = self.entries[from..].to_vec();
        let run = NewRun { log: self.log(), author, device, entries, live: false };
        to.store.append(run).await.unwrap()
    }
}

/// Alice, who has a named device, an erased post with one answer and one copy that is silent, and a tablet that has
/// forked and made a false checkpoint.
async fn alice() -> (Person, EntryId, Tablet) {
    let alice = Person::new("alice");
    alice.store.name_device(alice.me.did, alice.me.device, "kitchen, ground floor").await.unwrap();
    let done = alice.say(post("a secret")).await.unwrap();
    let entry = done.entry.unwrap();
    let (bob, carol) = (SecretKey::from_seed(&[1; 32]).unwrap(), SecretKey::from_seed(&[2; 32]).unwrap());
    let erase = alice.say(Command::Erase { status: done.status.unwrap(), now: None }).await.unwrap().entry.unwrap();
    let silent = KnownCopy { entry, holder: Did([2; 32]), device: carol.public().device_id(), seen_ms: NOW_MS };
    let known = KnownCopy { entry, holder: Did([1; 32]), device: bob.public().device_id(), seen_ms: NOW_MS };
    alice.store.take_copies(alice.me.did, vec![silent, known]).await.unwrap();
    let (holder, device, author) = (Did([1; 32]), bob.public().device_id(), alice.me.did);
    for fate in [Fate::Hidden, Fate::Purged] {
        let receipt = Receipt::sign(Network::MAIN, Answer { holder, device, author, entry, erase, fate }, &bob);
        alice.store.take_receipts(vec![NewReceipt(receipt)]).await.unwrap();
    }
    let mut tablet = Tablet::of(&alice).await;
    (0..3).for_each(|number| tablet.post(&format!("of the tablet {number}")));
    let mut other = tablet.clone();
    (3..256).for_each(|number| tablet.post(&format!("of the tablet {number}")));
    let checkpoint = false_checkpoint(&tablet, &alice);
    tablet.write(&Body::Checkpoint(checkpoint));
    tablet.give(&alice, 0).await;
    let proof = FaultProof::new(tablet.entries.last().unwrap()).unwrap();
    let taken = alice.store.insert_fault(proof).await.unwrap();
    assert!(matches!(taken, ProofTaken::New | ProofTaken::Known), "{taken:?}");
    other.post("another branch");
    assert_eq!(other.give(&alice, 0).await, Appended::Forked { seq: 3 });
    (alice, entry, tablet)
}

/// One at place 256 that names another.
fn false_checkpoint(tablet: &Tablet, alice: &Person) -> Checkpoint {
    let record = alice.record(&alice.me.did);
    Checkpoint {
        root: Digest([1; 32]),
        height: 512,
        prev: tablet.composer.position.head.unwrap(),
        identity: record.state().head,
        statements: record.state().statements,
        logs: Vec::new(),
    }
}

/// The content of a member.
fn content(archive: &[u8], name: &str) -> Vec<u8> {
    let (.., content) = members(archive).into_iter().find(|(found, ..)| found == name).unwrap();
    archive[content].to_vec()
}

/// The archive with other content in a member, whose place is kept.
fn with(archive: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let (_, at, _) = members(archive).into_iter().find(|(found, ..)| found == name).unwrap();
    let mut put = [&archive[..at], &header(name, content.len() as u64, b'0'), content].concat();
    put.resize(put.len().next_multiple_of(512), 0);
    let rest = without(&archive[at..], name);
    [put, rest].concat()
}

#[tokio::test]
async fn an_archive_carries_settings_proofs_and_receipts_and_whoever_takes_it_over_has_them() {
    let (alice, entry, tablet) = alice().await;
    let archive = export(&alice).await;
    let names: Vec<_> = members(&archive).into_iter().map(|(name, ..)| name).collect();
    let evidence = ["forks.car", "faults.car", "receipts.car", "settings.json", "index.html", "manifest.json"];
    assert_eq!(names[4..], evidence, "ARC-2");
    let report = verify_archive(archive.as_slice());
    assert_eq!(report, alice.store.verify().await.unwrap());
    let disputed: Vec<LogId> = report.logs.iter().filter(|log| log.disputed).map(|log| log.log).collect();
    assert_eq!(disputed, [tablet.log()]);

    let dir = tempfile::tempdir().unwrap();
    let (file, data) = (dir.path().join("alice.tar"), dir.path().join("data"));
    std::fs::write(&file, &archive).unwrap();
    take_over(file, data.clone(), |_| {}).await.unwrap();
    let store = opened(&data);
    let (ours, theirs) = (store.snapshot().unwrap(), alice.store.snapshot().unwrap());
    assert_eq!(ours.settings(&alice.me.did).unwrap(), theirs.settings(&alice.me.did).unwrap());
    assert_eq!(ours.settings(&alice.me.did).unwrap().len(), 1);
    assert_eq!(ours.fork_proof(&tablet.log()).unwrap(), theirs.fork_proof(&tablet.log()).unwrap());
    assert!(ours.fork_proof(&tablet.log()).unwrap().is_some());
    let faults = ours.fault_proofs(&tablet.log(), 8).unwrap();
    assert_eq!((faults.len(), &faults), (1, &theirs.fault_proofs(&tablet.log(), 8).unwrap()));
    let receipts = ours.receipts_of(&alice.me.did).unwrap();
    let receipt = Receipt::decode(receipts.values().next().unwrap()).unwrap();
    assert_eq!((receipts.len(), receipt.answer().fate), (1, Fate::Purged), "siblings can be given it");
    let copies = |store: &Store| Reader::new(store.snapshot().unwrap()).unwrap().copies(&entry).unwrap().unwrap();
    let (kept, before) = (copies(&store), copies(&alice.store));
    assert_eq!(kept.copies, before.copies);
    assert_eq!((kept.counts().known, kept.counts().purged), (2, 1));
    assert_eq!(store.verify().await.unwrap(), report);
}

#[tokio::test]
async fn arc_19_proofs_of_others_or_none_are_faults() {
    let (alice, ..) = alice().await;
    let (bob, ..) = self::alice().await;
    let (archive, of_bob) = (export(&alice).await, export(&bob).await);
    for name in ["forks.car", "faults.car"] {
        check(&with(&archive, name, &content(&of_bob, name)), "ARC-19");
        let proofs = content(&archive, name);
        let (start, sections) = proofs.split_at(1 + usize::from(proofs[0]));
        check(&with(&archive, name, start), "ARC-19");
        check(&with(&archive, name, &[start, sections, sections].concat()), "ARC-19");
    }
    check(&with(&archive, "forks.car", &content(&archive, "faults.car")), "ENC-8");
    check(&without(&archive, "forks.car"), "ARC-9");
    let swapped = with(&archive, "forks.car", &content(&archive, "receipts.car"));
    assert_ne!(verify_archive(swapped.as_slice()).faults, Vec::<String>::new());
}

#[tokio::test]
async fn arc_20_receipts_that_say_something_else_or_that_nobody_signed_are_faults() {
    let (alice, ..) = alice().await;
    let (bob, ..) = self::alice().await;
    let (archive, of_bob) = (export(&alice).await, export(&bob).await);
    check(&with(&archive, "receipts.car", &content(&of_bob, "receipts.car")), "ARC-20");
    check(&with(&archive, "receipts.car", &content(&archive, "identity.car")), "ARC-20");
    let notes = content(&archive, "receipts.car");
    let (start, sections) = notes.split_at(1 + usize::from(notes[0]));
    check(&with(&archive, "receipts.car", &[start, sections, sections].concat()), "ARC-20");
    check(&without(&archive, "receipts.car"), "ARC-9");
}

#[tokio::test]
async fn arc_7_private_settings_out_of_their_bounds_are_faults() {
    let alice = Person::new("alice");
    let archive = export(&alice).await;
    let line = |rev: &str, value: &str| format!("{{\"key\":\"k\",\"rev\":{rev},\"value\":\"{value}\"}}");
    let many = vec![line("1", "00"); SETTINGS_MAX + 1].join(",");
    for lines in [line("0", "00"), line("1", "0"), line("1", "0G"), line("1", &"00".repeat(1_025)), many] {
        let settings = format!("{{\"settings\":[{lines}],\"username\":\"alice\"}}");
        check(&with(&archive, "settings.json", settings.as_bytes()), "ARC-7");
    }
    // What a reader does not know is no fault; only the manifest tells that it was put there.
    let more = with(&archive, "settings.json", b"{\"theme\":\"dark\",\"username\":\"alice\"}");
    let faults = verify_archive(more.as_slice()).faults;
    assert!(faults.iter().all(|fault| fault.contains("(ARC-9)")), "{faults:?}");
}

#[tokio::test]
async fn arc_21_entries_of_a_removed_device_are_marked_as_void() {
    let alice = Person::new("alice");
    alice.post("of the node").await;
    let mut tablet = Tablet::of(&alice).await;
    (0..3).for_each(|number| tablet.post(&format!("accepted {number}")));
    let accepted = tablet.head();
    (0..2).for_each(|number| tablet.post(&format!("by a thief {number}")));
    tablet.give(&alice, 0).await;
    let end = DeviceEnd { device: tablet.composer.key.public().device_id(), heads: vec![accepted], stands: vec![] };
    let control = alice.control_key().await;
    let place = alice.record(&alice.me.did).state().place();
    let removal = compose::device_remove(&place, end, &[control.secret()]).unwrap();
    alice.store.insert_identity(alice.me.did, vec![removal.encode()]).await.unwrap();
    let report = verify_archive(export(&alice).await.as_slice());
    assert_eq!(report, alice.store.verify().await.unwrap());
    let void: Vec<_> = report.logs.iter().map(|log| (log.log, log.height, log.void_from)).collect();
    assert!(void.contains(&(tablet.log(), 5, Some(3))), "{void:?}");
    assert!(void.contains(&(alice.me.log, 2, None)), "{void:?}");
}

#[tokio::test]
async fn arc_21_what_a_control_key_settled_on_stands_and_what_is_above_is_void() {
    let (alice, _, tablet) = alice().await;
    let named = tablet.entries[9].header();
    let anchor = LogHead { log: tablet.log(), height: 9, head: named.prev.unwrap() };
    let place = alice.record(&alice.me.did).state().place();
    let settle = compose::settle(&place, vec![anchor], &[alice.control_key().await.secret()]).unwrap();
    alice.store.insert_identity(alice.me.did, vec![settle.encode()]).await.unwrap();
    let report = verify_archive(export(&alice).await.as_slice());
    assert_eq!(report, alice.store.verify().await.unwrap());
    let log = report.logs.iter().find(|log| log.log == tablet.log()).unwrap();
    assert_eq!((log.disputed, log.height, log.void_from), (false, 257, Some(9)));
}
