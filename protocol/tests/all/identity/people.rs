//! An identity whose objects can be made at any place of its log, valid or not.

use xom_protocol::body::LogHead;
use xom_protocol::identity::{
    DeviceEnd, Guardians, IdentityError, IdentityRecord, IdentityState, KeyList, Link, Operation, Payload, Renewal,
    SignedObject, compose,
};
use xom_protocol::keys::{Domain, SecretKey, Signature};
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, Digest, LogId, Network, encoding};

/// A person with a phrase.
pub(crate) struct Person {
    pub(crate) phrase: Phrase,
    pub(crate) did: Did,
    pub(crate) genesis: SignedObject,
}

/// A place in an identity log after which an operation can stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) id: Digest,
    pub(crate) seq: u64,
    pub(crate) epoch: u32,
}

pub(crate) fn alice() -> Person {
    person("alice")
}

pub(crate) fn person(name: &str) -> Person {
    let phrase = Phrase::from_entropy(&Digest::of(&[b"test phrase ", name.as_bytes()]).0).expect("entropy");
    let genesis = phrase.genesis(Network::MAIN);
    Person { phrase, did: Did(genesis.id().0), genesis }
}

pub(crate) fn device(name: &str) -> SecretKey {
    SecretKey::from_seed(&Digest::of(&[b"test device ", name.as_bytes()]).0).expect("not zero")
}

/// The head of a log of this name at some height.
pub(crate) fn head(log: &str, height: u64) -> LogHead {
    let head = Digest::of(&[log.as_bytes(), &height.to_be_bytes()]);
    LogHead { log: LogId(Digest::of(&[log.as_bytes()]).0), height, head }
}

/// The end of a device, with everything in the order that the rules want.
pub(crate) fn end(device: &SecretKey, heads: &[LogHead], stands: &[&SignedObject]) -> DeviceEnd {
    let mut heads = heads.to_vec();
    heads.sort_unstable();
    let mut stands: Vec<Digest> = stands.iter().map(|object| object.id()).collect();
    stands.sort_unstable();
    stands.dedup();
    DeviceEnd { device: device.public().device_id(), heads, stands }
}

/// A signed object out of any bytes and signatures.
pub(crate) fn object(payload: &[u8], signatures: &[(u64, Signature)]) -> Result<SignedObject, IdentityError> {
    SignedObject::decode(&wire(payload, signatures))
}

/// The wire form out of any bytes and signatures.
pub(crate) fn wire(payload: &[u8], signatures: &[(u64, Signature)]) -> Vec<u8> {
    encoding::encode(&(serde_bytes::Bytes::new(payload), signatures))
}

/// Signs any bytes with keys at the indexes from 0.
pub(crate) fn sign(domain: Domain, payload: &[u8], keys: &[&SecretKey]) -> SignedObject {
    sign_for(Network::MAIN, domain, payload, keys)
}

/// Signs any bytes for any network.
pub(crate) fn sign_for(network: Network, domain: Domain, payload: &[u8], keys: &[&SecretKey]) -> SignedObject {
    let signatures: Vec<_> = (0..).zip(keys).map(|(index, key)| (index, key.sign(domain, network, payload))).collect();
    object(payload, &signatures).expect("form")
}

impl Person {
    /// The device of the genesis.
    pub(crate) fn first_device(&self) -> SecretKey {
        self.phrase.device_key()
    }

    pub(crate) fn start(&self) -> At {
        At { id: self.genesis.id(), seq: 0, epoch: 0 }
    }

    pub(crate) fn record(&self) -> IdentityRecord {
        IdentityRecord::from_genesis(Network::MAIN, self.genesis.clone()).expect("genesis")
    }

    /// The payload of an operation after `at`.
    pub(crate) fn operation(&self, at: At, operation: Operation) -> Payload {
        Payload::Operation(Link { did: self.did, seq: at.seq + 1, prev: at.id }, operation)
    }

    pub(crate) fn rotate(&self, at: At) -> (SignedObject, At) {
        self.rotate_with(at, None)
    }

    pub(crate) fn rotate_with(&self, at: At, guardians: Option<Guardians>) -> (SignedObject, At) {
        self.rotate_to(at, self.phrase.renewal(at.epoch + 1, guardians, &[]), &[])
    }

    /// A rotation by the next key after `at`, with any new keys and devices.
    pub(crate) fn rotate_to(&self, at: At, renewal: Renewal, devices: &[&SecretKey]) -> (SignedObject, At) {
        let next = self.phrase.next_key(at.epoch + 1);
        let reveal = KeyList::single(&next.public());
        let payload = self.operation(at, Operation::Rotate { reveal, renewal });
        let mut signers = devices.to_vec();
        signers.sort_by_key(|device| device.public());
        signers.insert(0, &next);
        let rotation = sign(Domain::Identity, &payload.encode(), &signers);
        let after = At { id: rotation.id(), seq: at.seq + 1, epoch: at.epoch + 1 };
        (rotation, after)
    }

    /// A rotation that brings devices.
    pub(crate) fn rotate_with_devices(&self, at: At, devices: &[&SecretKey]) -> (SignedObject, At) {
        self.rotate_to(at, self.phrase.renewal(at.epoch + 1, None, devices), devices)
    }

    pub(crate) fn remove(&self, at: At, end: DeviceEnd) -> (SignedObject, At) {
        self.by_control_key(at, Operation::DeviceRemove(end))
    }

    pub(crate) fn settle(&self, at: At, anchors: &[LogHead]) -> (SignedObject, At) {
        self.by_control_key(at, Operation::Settle { anchors: anchors.to_vec() })
    }

    pub(crate) fn unlock(&self, at: At, locks: &[&SignedObject]) -> (SignedObject, At) {
        let mut locks: Vec<Digest> = locks.iter().map(|lock| lock.id()).collect();
        locks.sort_unstable();
        self.by_control_key(at, Operation::Unlock { locks })
    }

    pub(crate) fn cancel(&self, at: At, starts: &[&SignedObject]) -> (SignedObject, At) {
        let mut starts: Vec<Digest> = starts.iter().map(|start| start.id()).collect();
        starts.sort_unstable();
        self.by_control_key(at, Operation::Cancel { starts })
    }

    pub(crate) fn retire(&self, at: At, ends: Vec<DeviceEnd>) -> (SignedObject, At) {
        self.by_control_key(at, Operation::Retire { reveal: None, ends })
    }

    /// Retires with the next key.
    pub(crate) fn retire_for_good(&self, at: At, ends: Vec<DeviceEnd>) -> (SignedObject, At) {
        let next = self.phrase.next_key(at.epoch + 1);
        let reveal = Some(KeyList::single(&next.public()));
        let payload = self.operation(at, Operation::Retire { reveal, ends });
        let signed = sign(Domain::Identity, &payload.encode(), &[&next]);
        let after = At { id: signed.id(), seq: at.seq + 1, epoch: at.epoch };
        (signed, after)
    }

    /// Guardians of this identity out of other people.
    pub(crate) fn guarded_by(&self, guardians: &[&Person], need: u64) -> Guardians {
        let dids: Vec<Did> = guardians.iter().map(|guardian| guardian.did).collect();
        Guardians::of([5; 32], &dids, need).expect("guardians")
    }

    pub(crate) fn lock(&self, by: &SecretKey, rev: u64, stands: &[&SignedObject]) -> SignedObject {
        let mut stands: Vec<Digest> = stands.iter().map(|object| object.id()).collect();
        stands.sort_unstable();
        stands.dedup();
        compose::lock(Network::MAIN, self.did, by, rev, stands).expect("lock")
    }

    pub(crate) fn postpone(&self, by: &SecretKey, start: &SignedObject) -> SignedObject {
        compose::postpone(Network::MAIN, self.did, by, start.id()).expect("postpone")
    }

    fn by_control_key(&self, at: At, operation: Operation) -> (SignedObject, At) {
        let payload = self.operation(at, operation);
        let signed = sign(Domain::Identity, &payload.encode(), &[&self.phrase.control_key(at.epoch)]);
        let after = At { id: signed.id(), seq: at.seq + 1, epoch: at.epoch };
        (signed, after)
    }

    pub(crate) fn grant(&self, by: &SecretKey, device: &SecretKey) -> SignedObject {
        compose::grant(Network::MAIN, self.did, by, device).expect("grant")
    }

    pub(crate) fn drop(&self, by: &SecretKey, end: DeviceEnd) -> SignedObject {
        compose::drop(Network::MAIN, self.did, by, end).expect("drop")
    }

    pub(crate) fn services(&self, by: &SecretKey, rev: u64) -> SignedObject {
        let address = format!("/ip4/127.0.0.1/tcp/{}", 7000 + rev);
        compose::services(Network::MAIN, self.did, by, rev, vec![address]).expect("services")
    }

    /// Guardians that nobody is: makes two rotations differ.
    pub(crate) fn some_guardians(&self, salt: u8) -> Guardians {
        Guardians { salt: [salt; 32], members: vec![Digest::of(&[&[salt]])], need: 1 }
    }

    /// Inserts the objects in several orders; all must be taken and give one state, which comes back.
    pub(crate) fn state_of(&self, objects: &[&SignedObject]) -> IdentityState {
        let reference = self.insert_all(objects.iter().copied());
        let reversed = self.insert_all(objects.iter().rev().copied());
        assert_same(&reference, &reversed);
        for turn in 1..objects.len() {
            let turned = self.insert_all(objects.iter().cycle().skip(turn).take(objects.len()).copied());
            assert_same(&reference, &turned);
        }
        let again = IdentityRecord::from_objects(Network::MAIN, reference.objects()).expect("in order");
        assert_same(&reference, &again);
        reference.state().clone()
    }

    pub(crate) fn insert_all<'a>(&self, objects: impl IntoIterator<Item = &'a SignedObject>) -> IdentityRecord {
        let mut record = self.record();
        for object in objects {
            record.insert(object.clone()).expect("taken");
        }
        record
    }

    /// Inserts an object after others, and expects it to be refused by this rule.
    pub(crate) fn refuses(&self, before: &[&SignedObject], object: &SignedObject, rule: &str) {
        let mut record = self.insert_all(before.iter().copied());
        let digest = record.digest();
        let refused = record.insert(object.clone()).expect_err("refused");
        assert_eq!(refused.rule().0, rule, "{refused}");
        assert_eq!(record.digest(), digest, "a refused object leaves no trace");
    }
}

pub(crate) fn assert_same(a: &IdentityRecord, b: &IdentityRecord) {
    assert_eq!(a.state(), b.state());
    assert_eq!(a.digest(), b.digest());
}
