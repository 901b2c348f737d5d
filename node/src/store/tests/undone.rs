//! Erases that count no more: what they hid is live again, and nothing else has changed (`LOG-12`, `ID-7`).

use xom_protocol::body::{Body, Erase, LogHead};
use xom_protocol::entry::Reference;
use xom_protocol::identity::{DeviceEnd, compose};
use xom_protocol::limits::ERASE_DELAY_MS;
use xom_protocol::log::{Composer, root_log_id};

use super::*;

/// A device of alice's that signs by hand.
struct Device(Composer, Vec<VerifiedEntry>);

impl Device {
    fn new(did: Did, key: SecretKey) -> Self {
        let log = root_log_id(Network::MAIN, &did, &key.public().device_id());
        let (network, position) = (Network::MAIN, Position::EMPTY);
        Self(Composer { network, key, author: did, log, position, last_time_ms: 0 }, Vec::new())
    }

    fn write(&mut self, body: &Body) -> Reference {
        let salt = [u8::try_from(self.1.len() + 1).unwrap(); 32];
        let entry = self.0.compose(body, salt, NOW_MS).unwrap();
        self.0.advance(&entry);
        self.1.push(entry.clone());
        entry.header().reference(entry.id())
    }

    fn erase(&mut self, target: Reference) {
        self.write(&Body::Erase(Erase { target, purge: None }));
    }

    async fn give(&self, to: &Person) {
        let (log, author, device) = (self.0.log, self.0.author, self.0.key.public().device_id());
        let run = NewRun { log, author, device, entries: self.1.clone(), live: false };
        let stored = to.store.append(run).await.unwrap();
        assert!(matches!(stored, Appended::Stored { .. }), "{stored:?}");
    }

    fn end(&self, heads: Vec<LogHead>) -> DeviceEnd {
        DeviceEnd { device: self.0.key.public().device_id(), heads, stands: Vec::new() }
    }
}

fn a_post(text: &str) -> Body {
    Body::Post(Post { text: text.to_owned(), ..Post::default() })
}

#[tokio::test]
async fn a_post_whose_first_erase_was_undone_stays_until_the_second_one_is_due() {
    let phrase = xom_protocol::phrase::Phrase::from_entropy(&[8; 32]).unwrap();
    let mut record = IdentityRecord::from_genesis(Network::MAIN, phrase.genesis(Network::MAIN)).unwrap();
    let (did, thief) = (record.did(), SecretKey::from_seed(&[3; 32]).unwrap());
    record.insert(compose::grant(Network::MAIN, did, &phrase.device_key(), &thief).unwrap()).unwrap();
    let (mut phone, mut thief) = (Device::new(did, phrase.device_key()), Device::new(did, thief));
    let bob = Person::new("bob");
    let objects = record.objects().iter().map(SignedObject::encode).collect();
    bob.store.insert_identity(did, objects).await.unwrap();
    let kept = phone.write(&a_post("kept"));
    phone.give(&bob).await;
    thief.erase(kept);
    thief.give(&bob).await;
    assert_eq!(bob.texts(&kept.log), [""; 0]);
    bob.wait(ERASE_DELAY_MS - 60_000);
    let removal = compose::device_remove(&record.state().place(), thief.end(Vec::new()), &[&phrase.control_key(0)]);
    bob.store.insert_identity(did, vec![removal.unwrap().encode()]).await.unwrap();
    assert_eq!(bob.texts(&kept.log), ["kept"]);
    phone.erase(kept);
    phone.give(&bob).await;
    let is_held = || {
        let snapshot = bob.store.snapshot().unwrap();
        let place = snapshot.place_of_entry(&kept.entry).unwrap().unwrap();
        snapshot.with_entry(place, |row| row.is(super::super::tables::flags::BODY)).unwrap().unwrap()
    };
    bob.wait(120_000);
    bob.store.purge_due().await.unwrap();
    assert!(is_held(), "the thief's date counts no more");
    bob.wait(ERASE_DELAY_MS);
    bob.store.purge_due().await.unwrap();
    assert!(!is_held());
}

#[tokio::test]
async fn an_erase_of_somebody_elses_post_changes_nothing_neither_when_it_comes_nor_when_it_becomes_void() {
    let (alice, bob, mallory) = (Person::new("alice"), Person::new("bob"), Person::new("mallory"));
    alice.post("hers").await;
    bob.fetch(&alice).await;
    bob.fetch(&mallory).await;
    let hers = alice.run(Position::EMPTY, &alice.record(&alice.me.did)).entries[1].clone();
    let mut device = Device::new(mallory.me.did, mallory.key());
    device.0.position = mallory.position(&mallory.me.log);
    let before = device.0.position;
    // He says that it is his own.
    device.erase(Reference { author: mallory.me.did, ..hers.header().reference(hers.id()) });
    device.give(&bob).await;
    assert_eq!(bob.texts(&alice.me.log), ["hers"]);
    let head = LogHead { log: mallory.me.log, height: before.height, head: before.head.unwrap() };
    let place = mallory.record(&mallory.me.did).state().place();
    let control = mallory.control_key().await;
    let removal = compose::device_remove(&place, device.end(vec![head]), &[control.secret()]).unwrap();
    bob.store.insert_identity(mallory.me.did, vec![removal.encode()]).await.unwrap();
    assert_eq!(bob.texts(&alice.me.log), ["hers"]);
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}
