//! Records of apps: put, replaced, read by others, and taken back (`BODY-6`).

use xom_protocol::limits::ERASE_DELAY_MS;
use xom_protocol::log::{LogAudit, RegisterKey};

use super::erasure::bodies;
use super::*;
use crate::model::RecordsOf;
use crate::reader::Reader;

const KIND: &str = "board.ask";

impl Person {
    async fn put(&self, key: &str, value: &str) -> Result<Done, CommandError> {
        let (kind, key, value) = (KIND.to_owned(), key.to_owned(), value.to_owned());
        self.say(Command::PutRecord { kind, key, value }).await
    }

    async fn delete(&self, key: &str) -> Done {
        self.say(Command::DeleteRecord { kind: KIND.to_owned(), key: key.to_owned() }).await.unwrap()
    }

    /// Keys and values of records as this person sees them, newest first.
    fn board(&self, of: &RecordsOf) -> Vec<(String, String)> {
        let page = self.reader().app_records(&self.me.did, KIND, of, None, 40).unwrap();
        page.records.into_iter().map(|record| (record.key, record.value)).collect()
    }

    fn reader(&self) -> Reader {
        Reader::new(self.store.snapshot().unwrap()).unwrap()
    }
}

fn row(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[tokio::test]
async fn body_6_a_record_is_replaced_and_what_it_replaces_is_erased_and_purged() {
    let alice = Person::new("alice");
    alice.put("ladder", "1").await.unwrap();
    alice.put("drill", "2").await.unwrap();
    let held = bodies(&alice);
    alice.put("ladder", "3").await.unwrap();
    assert_eq!(alice.board(&RecordsOf::All), [row("ladder", "3"), row("drill", "2")]);
    assert_eq!(bodies(&alice), held + 2, "the new value and the erase");
    alice.wait(ERASE_DELAY_MS + 1_000);
    alice.store.purge_due().await.unwrap();
    assert_eq!(bodies(&alice), held + 1, "the replaced value is gone");
    let one = alice.reader().app_record(&alice.me.did, KIND, "ladder").unwrap().unwrap();
    assert_eq!((one.value.as_str(), one.kind.as_str()), ("3", KIND));
    assert!(alice.reader().app_record(&alice.me.did, "board.other", "ladder").unwrap().is_none());
    assert!(alice.delete("ladder").await.entry.is_some());
    assert_eq!(alice.delete("ladder").await.entry, None, "there is nothing any more");
    assert_eq!(alice.board(&RecordsOf::All), [row("drill", "2")]);
    for (key, value) in [("a/b", "1"), ("a", ""), ("a", "\u{0}"), ("a", &"1".repeat(65_537))] {
        assert!(alice.put(key, value).await.is_err(), "{key}");
    }
    let alice = alice.restart().await;
    assert_eq!(alice.board(&RecordsOf::All), [row("drill", "2")]);
    let shown = alice.board(&RecordsOf::All);
    alice.store.rebuild_views().await.unwrap();
    assert_eq!(alice.board(&RecordsOf::All), shown, "made again from the entries");
}

#[tokio::test]
async fn body_6_others_read_records_as_posts_and_no_longer_once_they_are_gone_or_their_author_is_blocked() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.put("ladder", "1").await.unwrap();
    bob.fetch(&alice).await;
    assert_eq!(bob.board(&RecordsOf::Followed), [], "held, but nobody here follows her");
    assert_eq!(bob.board(&RecordsOf::All), [row("ladder", "1")]);
    bob.say(Command::Follow(alice.me.did)).await.unwrap();
    bob.put("ladder", "of bob").await.unwrap();
    assert_eq!(bob.board(&RecordsOf::Followed), [row("ladder", "of bob"), row("ladder", "1")]);
    assert_eq!(bob.board(&RecordsOf::One(alice.me.did)), [row("ladder", "1")]);
    alice.put("ladder", "2").await.unwrap();
    bob.fetch(&alice).await;
    assert_eq!(bob.board(&RecordsOf::One(alice.me.did)), [row("ladder", "2")]);
    let page = bob.reader().app_records(&bob.me.did, KIND, &RecordsOf::All, None, 1).unwrap();
    assert!(page.has_more && page.records.len() == 1);
    let rest = bob.reader().app_records(&bob.me.did, KIND, &RecordsOf::All, page.next, 1).unwrap();
    assert!(rest.records.len() == 1 && rest.records[0].entry != page.records[0].entry);
    alice.delete("ladder").await;
    bob.fetch(&alice).await;
    assert_eq!(bob.board(&RecordsOf::One(alice.me.did)), []);
    alice.put("drill", "3").await.unwrap();
    bob.fetch(&alice).await;
    bob.say(Command::Block(alice.me.did)).await.unwrap();
    assert_eq!(bob.board(&RecordsOf::All), [row("ladder", "of bob")]);
}

#[tokio::test]
async fn log_8_a_checkpoint_covers_records_under_their_register() {
    let alice = Person::new("alice");
    for number in 0..140_u32 {
        alice.put("counter", &number.to_string()).await.unwrap();
    }
    let checked = alice.store.verify().await.unwrap();
    assert_eq!((checked.faults, checked.void_checkpoints), (Vec::new(), Vec::new()));
    assert!(checked.entries > 256, "a checkpoint stands among them");
    assert!(LogAudit::needs_body(&xom_protocol::entry::Kind::Record));
    assert_ne!(RegisterKey::record("a.b", "c"), RegisterKey::record("a.bc", ""));
}

#[tokio::test]
async fn log_9_an_entry_comes_with_the_chain_and_the_identity_that_prove_it() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    for number in 0..5 {
        alice.put("counter", &number.to_string()).await.unwrap();
    }
    bob.fetch(&alice).await;
    let page = bob.reader().app_records(&bob.me.did, KIND, &RecordsOf::All, None, 1).unwrap();
    for person in [&alice, &bob] {
        let proof = person.reader().entry_proof(&page.records[0].entry).unwrap().unwrap();
        let record = IdentityRecord::from_objects(Network::MAIN, proof.identity.clone()).unwrap();
        let key = record.state().devices[&proof.header.device].key;
        let mut last = None;
        for bytes in &proof.chain {
            let header = xom_protocol::entry::Header::decode(bytes).unwrap();
            if let Some(below) = last {
                assert_eq!(header.prev, Some(below));
            }
            last = Some(xom_protocol::entry::Header::hash(bytes));
        }
        let signed = xom_protocol::entry::SignedEntry {
            header: proof.chain.last().unwrap().clone(),
            signature: proof.signature,
            body: None,
        };
        xom_protocol::entry::verify_signed(Network::MAIN, &key, signed).unwrap();
        xom_protocol::entry::verify_body(Network::MAIN, &proof.header, proof.body.as_ref().unwrap()).unwrap();
    }
    alice.delete("counter").await;
    let hidden = alice.reader().entry_proof(&page.records[0].entry).unwrap().unwrap();
    assert!(hidden.body.is_none() && !hidden.is_live, "what was erased is not told");
}
