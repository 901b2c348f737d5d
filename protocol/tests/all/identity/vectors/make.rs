//! Making the vectors of chapter 01.

use serde_json::{Value, json};
use xom_protocol::body::PurgeOrder;
use xom_protocol::encoding;
use xom_protocol::identity::{
    Genesis, IdentityRecord, KeyList, Operation, Origin, Payload, SignedObject, Statement, purge,
};
use xom_protocol::invite::Invite;
use xom_protocol::keys::{Domain, SecretKey, Signature};
use xom_protocol::phrase::Phrase;
use xom_protocol::{DeviceId, Digest, EntryId, Network};

mod survival;

use crate::identity::people::{At, Person, alice, device, end, head, person, sign, sign_for, wire};
use crate::support::{Vector, hex};

/// Every vector, in the order of the file.
pub(super) fn all() -> Vec<Vector> {
    let parts = [phrases(), genesis(), log(), duplicity(), devices(), statements(), admission(), purges()];
    [parts.concat(), documents(), invites(), survival::all()].concat()
}

fn with_fields(vector: Vector, fields: Vec<(&'static str, Value)>) -> Vector {
    fields.into_iter().fold(vector, |vector, (field, value)| vector.with(field, value))
}

fn encoded(alice: &Person, objects: &[&SignedObject]) -> Vec<Vec<u8>> {
    [&alice.genesis].into_iter().chain(objects.iter().copied()).map(SignedObject::encode).collect()
}

fn with_objects(vector: Vector, objects: &[Vec<u8>]) -> Vector {
    let objects: Vec<String> = objects.iter().map(hex).collect();
    vector.with("network", "main").with("objects", objects)
}

/// Objects after the genesis that are all taken.
fn good(name: &str, objects: &[&SignedObject]) -> Vector {
    let alice = alice();
    let vector = with_objects(Vector::new(name, "record", None), &encoded(&alice, objects));
    with_fields(vector, super::outcome(&alice.insert_all(objects.iter().copied())))
}

/// Objects after the genesis, the last of which breaks a rule.
fn bad(name: &str, rule: &str, before: &[&SignedObject], object: &SignedObject) -> Vector {
    bad_bytes(name, rule, before, object.encode())
}

fn bad_bytes(name: &str, rule: &str, before: &[&SignedObject], object: Vec<u8>) -> Vector {
    let mut objects = encoded(&alice(), before);
    objects.push(object);
    with_objects(Vector::new(name, "record", Some(rule)), &objects)
}

fn phrases() -> Vec<Vector> {
    let words = |entropy: u8| Phrase::from_entropy(&[entropy; 32]).expect("entropy").words().to_string();
    let valid = |name: &str, words: &str, network: &str| {
        let phrase = Phrase::parse(words).expect("words");
        let vector = Vector::new(name, "phrase", None).with("words", words).with("network", network);
        with_fields(vector, super::derived(&phrase, network.parse().expect("name")))
    };
    let invalid = |name: &str, rule: &str, words: &str| {
        Vector::new(name, "phrase", Some(rule)).with("words", words).with("network", "main")
    };
    vec![
        valid("words to DID", &words(1), "main"),
        valid("other words to DID", &words(0xfe), "main"),
        valid("the same words on another network", &words(1), "test"),
        valid("words in upper case with two spaces", &words(1).to_uppercase().replace(' ', "  "), "main"),
        invalid("23 words", "ID-15", words(1).rsplit_once(' ').expect("words").0),
        invalid("12 words of a shorter phrase", "ID-15", &format!("{}about", "abandon ".repeat(11))),
        invalid("a word that is in no list", "ID-15", &format!("xom {}", words(1).split_once(' ').expect("words").1)),
        invalid("two words swapped", "ID-15", &swapped(&words(1))),
        invalid("words of zeros", "ENC-13", &format!("{}art", "abandon ".repeat(23))),
    ]
}

/// The words with the first two that differ exchanged.
fn swapped(words: &str) -> String {
    let mut words: Vec<&str> = words.split(' ').collect();
    let other = words.iter().position(|word| *word != words[0]).expect("two words");
    words.swap(0, other);
    words.join(" ")
}

fn alice_genesis() -> Genesis {
    let Ok(Payload::Genesis(genesis)) = Payload::decode(alice().genesis.payload()) else { panic!("genesis") };
    genesis
}

fn genesis() -> Vec<Vector> {
    let control = alice().phrase.control_key(0);
    let changed = |name: &str, rule: &str, change: &dyn Fn(&mut Genesis)| {
        let mut genesis = alice_genesis();
        change(&mut genesis);
        let payload = Payload::Genesis(genesis).encode();
        let object = sign(Domain::Identity, &payload, &[&control]).encode();
        with_objects(Vector::new(name, "record", Some(rule)), &[object])
    };
    let mut weak = [0; 32];
    weak[0] = 1;
    let key = control.public();
    let mut vectors = vec![
        good("a genesis", &[]),
        changed("a genesis without control keys", "ID-4", &|genesis| genesis.control.keys.clear()),
        changed("a control key twice", "ID-4", &|genesis| genesis.control = KeyList::of(&[key, key], 1)),
        changed("a threshold of zero", "ID-4", &|genesis| genesis.control.threshold = 0),
        changed("a threshold above the number of keys", "ID-4", &|genesis| genesis.control.threshold = 2),
        changed("no next keys", "ID-4", &|genesis| genesis.next.keys.clear()),
        changed("a next threshold that can not be met", "ID-4", &|genesis| genesis.next.threshold = 2),
        changed("a control key of small order", "ENC-11", &|genesis| genesis.control.keys = vec![DeviceId(weak)]),
        changed("a first device of small order", "ENC-11", &|genesis| genesis.device = DeviceId(weak)),
        changed("a genesis of another network", "ID-3", &|genesis| {
            genesis.network = "test".parse().expect("name");
        }),
    ];
    vectors.extend(genesis_members());
    vectors.extend(thresholds());
    let one = |name: &str, rule: &str, bytes: Vec<u8>| with_objects(Vector::new(name, "record", Some(rule)), &[bytes]);
    let (alice, services) = (alice(), alice().services(&alice().first_device(), 1));
    let payload = alice.genesis.payload();
    let signed_as = |domain, network| sign_for(network, domain, payload, &[&control]).encode();
    let test: Network = "test".parse().expect("name");
    vectors.extend([
        one("a statement where the genesis should be", "ID-3", services.encode()),
        one("a genesis signed as a statement", "ENC-12", signed_as(Domain::Statement, Network::MAIN)),
        one("a genesis signed for another network", "ENC-12", signed_as(Domain::Identity, test)),
        one("a genesis signed by its device", "ENC-12", {
            sign(Domain::Identity, payload, &[&alice.first_device()]).encode()
        }),
        one("an object with a byte after it", "ENC-1", [alice.genesis.encode(), vec![0]].concat()),
        one("an object without signatures", "ID-2", wire(payload, &[])),
    ]);
    vectors
}

/// Members that are missing, too many or not known.
fn genesis_members() -> Vec<Vector> {
    let control = alice().phrase.control_key(0);
    let map: std::collections::BTreeMap<String, ipld_core::ipld::Ipld> =
        encoding::decode(alice().genesis.payload(), 4_096).expect("map");
    let changed = |name: &str, rule: &str, member: &str, value: Option<ipld_core::ipld::Ipld>| {
        let mut map = map.clone();
        map.remove(member);
        map.extend(value.map(|value| (member.to_owned(), value)));
        let object = sign(Domain::Identity, &encoding::encode(&map), &[&control]).encode();
        with_objects(Vector::new(name, "record", Some(rule)), &[object])
    };
    vec![
        changed("a genesis that omits its control keys", "ENC-8", "control", None),
        changed("a genesis that omits guardians instead of null", "ENC-8", "guardians", None),
        changed("a genesis with a time", "ENC-8", "time", Some(1.into())),
        changed("a payload of version 2", "ID-2", "v", Some(2.into())),
        changed("a payload of an unknown type", "ID-2", "type", Some("recover".into())),
        changed("a network name in upper case", "ID-3", "network", Some("Main".into())),
    ]
}

/// Two of three keys must sign.
fn thresholds() -> Vec<Vector> {
    let keys: Vec<SecretKey> = ["c0", "c1", "c2"].map(device).into();
    let mut genesis = alice_genesis();
    genesis.control = KeyList::of(&keys.iter().map(SecretKey::public).collect::<Vec<_>>(), 2);
    let payload = Payload::Genesis(genesis).encode();
    let signature = |at: usize| keys[at].sign(Domain::Identity, Network::MAIN, &payload);
    let vector = |name: &str, rule: Option<&str>, signatures: &[(u64, Signature)]| {
        with_objects(Vector::new(name, "record", rule), &[wire(&payload, signatures)])
    };
    let enough = [(0, signature(0)), (2, signature(2))];
    let object = SignedObject::decode(&wire(&payload, &enough)).expect("form");
    let record = IdentityRecord::from_genesis(Network::MAIN, object).expect("genesis");
    vec![
        with_fields(vector("two of three keys", None, &enough), super::outcome(&record)),
        vector("one of the two keys needed", Some("ID-4"), &[(1, signature(1))]),
        vector("one key twice", Some("ID-2"), &[(0, signature(0)), (0, signature(0))]),
        vector("one key under two indexes", Some("ENC-12"), &[(0, signature(0)), (1, signature(0))]),
        vector("indexes out of order", Some("ID-2"), &[(2, signature(2)), (0, signature(0))]),
        vector("an index of no key", Some("ID-2"), &[(0, signature(0)), (3, signature(2))]),
        vector(
            "a third signature that is wrong",
            Some("ENC-12"),
            &[(0, signature(0)), (1, signature(1)), (2, signature(1))],
        ),
    ]
}

fn log() -> Vec<Vector> {
    let alice = alice();
    let phone = alice.first_device();
    let (rotation, rotated) = alice.rotate(alice.start());
    let (guarded, _) = alice.rotate_with(alice.start(), Some(alice.some_guardians(1)));
    let (second, _) = alice.rotate(rotated);
    let (settled, at) = alice.settle(alice.start(), &[head("a", 5)]);
    let (raised, _) = alice.settle(at, &[head("a", 8)]);
    let (removal, removed) = alice.remove(alice.start(), end(&phone, &[head("a", 5)], &[]));
    let (more, _) = alice.remove(removed, end(&phone, &[head("a", 9)], &[]));
    let (less, _) = alice.remove(removed, end(&phone, &[head("a", 2)], &[]));
    let dead = At { epoch: 0, ..rotated };
    let skipped = At { seq: 4, ..alice.start() };
    let mut stranger = person("mallory");
    stranger.did = alice.did;
    let payload = |operation| alice.operation(alice.start(), operation).encode();
    let anchors = vec![head("a", 1)];
    let by_device = sign(Domain::Identity, &payload(Operation::Settle { anchors }), &[&phone]);
    let mut unordered = vec![head("a", 1), head("b", 1)];
    unordered.sort_unstable();
    unordered.reverse();
    vec![
        good("a rotation", &[&rotation]),
        good("a rotation that names guardians", &[&guarded]),
        good("two rotations, the second first", &[&second, &rotation]),
        good("a settle, raised later", &[&settled, &raised]),
        good("the first device removed", &[&removal]),
        good("a removal that is raised", &[&removal, &more]),
        good("a removal that would be lowered", &[&removal, &less]),
        bad("a rotation to keys that were not committed", "ID-6", &[], &stranger.rotate(alice.start()).0),
        bad("a settle by a key that was rotated away", "ENC-12", &[&rotation], &alice.settle(dead, &[head("a", 1)]).0),
        bad("a settle by a device", "ENC-12", &[], &by_device),
        bad("an operation that skips numbers", "ID-5", &[], &alice.settle(skipped, &[head("a", 1)]).0),
        bad("a settle of nothing", "ID-8", &[], &alice.settle(alice.start(), &[]).0),
        bad("anchors out of order", "ID-8", &[], &alice.settle(alice.start(), &unordered).0),
        bad("a head of height 0", "ID-7", &[], &alice.remove(alice.start(), end(&phone, &[head("a", 0)], &[])).0),
        bad("a second genesis", "ID-1", &[], &person("mallory").genesis),
        bad(
            "an operation of another identity",
            "ID-1",
            &[],
            &person("mallory").settle(person("mallory").start(), &[head("a", 1)]).0,
        ),
    ]
}

fn duplicity() -> Vec<Vector> {
    let alice = alice();
    let phone = alice.first_device();
    let (theft, after_theft) = alice.remove(alice.start(), end(&phone, &[], &[]));
    let (deeper, _) = alice.settle(after_theft, &[head("a", 9)]);
    let (settled, at) = alice.settle(alice.start(), &[head("a", 5)]);
    let (rotation, _) = alice.rotate(alice.start());
    let (higher, _) = alice.rotate(at);
    let (other, _) = alice.rotate_with(at, Some(alice.some_guardians(1)));
    vec![
        good("a stolen control key, then the owner's rotation", &[&theft, &deeper, &rotation]),
        good("the owner's rotation, then a stolen control key", &[&rotation, &theft, &deeper]),
        good("two operations of control keys at one place", &[&settled, &theft]),
        good("a rotation on one of two branches", &[&settled, &theft, &higher]),
        good("two rotations on one operation", &[&settled, &higher, &other]),
        good("two rotations that part at the genesis", &[&settled, &higher, &rotation]),
    ]
}

fn devices() -> Vec<Vector> {
    let alice = alice();
    let (phone, laptop, tablet) = (alice.first_device(), device("laptop"), device("tablet"));
    let (to_laptop, to_tablet) = (alice.grant(&phone, &laptop), alice.grant(&laptop, &tablet));
    let near = alice.grant(&phone, &tablet);
    let drop_all = alice.drop(&phone, end(&laptop, &[head("l", 2)], &[]));
    let drop_but_one = alice.drop(&phone, end(&laptop, &[head("l", 2)], &[&to_tablet]));
    let own = alice.drop(&laptop, end(&laptop, &[], &[]));
    let up = alice.drop(&laptop, end(&phone, &[], &[]));
    let across = alice.drop(&laptop, end(&tablet, &[], &[]));
    let back = alice.drop(&tablet, end(&laptop, &[], &[]));
    let flight = alice.drop(&phone, end(&phone, &[], &[]));
    let (removal, at) = alice.remove(alice.start(), end(&phone, &[head("p", 4)], &[&to_laptop]));
    let (second, _) = alice.remove(at, end(&laptop, &[head("l", 6)], &[]));
    let (void, void_at) = alice.remove(alice.start(), end(&phone, &[], &[]));
    let (rescue, _) = alice.remove(void_at, end(&laptop, &[head("l", 6)], &[]));
    let stranger = alice.grant(&device("mallory"), &device("eve"));
    vec![
        good("two grants, the second first", &[&to_tablet, &to_laptop]),
        good("a grant by a stranger", &[&stranger]),
        good("a dropped device and its grant", &[&to_laptop, &to_tablet, &drop_all]),
        good("a dropped device whose grant stands", &[&to_laptop, &to_tablet, &drop_but_one]),
        good("the granter's drop outranks the device's own", &[&to_laptop, &own, &drop_all]),
        good("a device drops its granter, without effect", &[&to_laptop, &up]),
        good("two devices that drop each other at once", &[&to_laptop, &near, &across, &back]),
        good("a device that hangs from a nearer grant", &[&to_laptop, &to_tablet, &across, &near]),
        good("a removal undoes the drops of the removed", &[&to_laptop, &to_tablet, &drop_all, &flight, &removal]),
        good("two removals", &[&to_laptop, &to_tablet, &removal, &second]),
        good("a removal of a device whose grant fell away", &[&to_laptop, &void, &rescue]),
    ]
}

fn statements() -> Vec<Vector> {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let origin = Origin { did: alice.did, by: phone.public().device_id() };
    let signed = |statement: Statement, keys: &[&SecretKey]| {
        sign(Domain::Statement, &Payload::Statement(origin, statement).encode(), keys)
    };
    let grant = |to: DeviceId| Statement::Grant { device: to };
    let addresses = |addresses: Vec<String>| Statement::Services { rev: 1, addresses };
    let to_laptop = laptop.public().device_id();
    let mut weak = [0; 32];
    weak[0] = 1;
    let mut twice = end(&laptop, &[], &[]);
    twice.stands = vec![Digest([1; 32]); 2];
    let services = alice.services(&phone, 1);
    let control = alice.phrase.control_key(0);
    vec![
        good("services", &[&services]),
        good("newer services before older ones", &[&alice.services(&phone, 2), &services]),
        bad("a device that grants itself", "ID-10", &[], &signed(grant(origin.by), &[&phone, &phone])),
        bad("a grant that the new device did not sign", "ID-4", &[], &signed(grant(to_laptop), &[&phone])),
        bad("a grant signed twice by the granter", "ENC-12", &[], &signed(grant(to_laptop), &[&phone, &phone])),
        bad("a grant of a key of small order", "ENC-11", &[], &signed(grant(DeviceId(weak)), &[&phone, &phone])),
        bad("a drop with one statement twice", "ID-7", &[], &signed(Statement::Drop(twice), &[&phone])),
        bad("seventeen addresses", "ID-11", &[], &signed(addresses(vec!["/a".into(); 17]), &[&phone])),
        bad("an address with a space", "ID-11", &[], &signed(addresses(vec!["/a b".into()]), &[&phone])),
        bad("an empty address", "ID-11", &[], &signed(addresses(vec![String::new()]), &[&phone])),
        bad(
            "services signed by a control key",
            "ENC-12",
            &[],
            &sign(Domain::Statement, services.payload(), &[&control]),
        ),
        bad("services signed as an operation", "ENC-12", &[], &sign(Domain::Identity, services.payload(), &[&phone])),
        bad(
            "services of another identity",
            "ID-1",
            &[],
            &person("mallory").services(&person("mallory").first_device(), 1),
        ),
    ]
}

fn admission() -> Vec<Vector> {
    let alice = alice();
    let phone = alice.first_device();
    let (removal, _) = alice.remove(alice.start(), end(&phone, &[head("p", 5)], &[]));
    let other = Digest([9; 32]);
    let vector = |name: &str, rule: Option<&str>, by: &SecretKey, log: &str, seq: u64, hash: Digest| {
        let vector = with_objects(Vector::new(name, "admitted", rule), &encoded(&alice, &[&removal]));
        let log = head(log, 1).log.to_string();
        let device = by.public().device_id().to_string();
        vector.with("device", device).with("log", log).with("seq", seq).with("hash", hash.to_string())
    };
    vec![
        vector("an entry below the accepted head", None, &phone, "p", 3, other),
        vector("the accepted head", None, &phone, "p", 4, head("p", 5).head),
        vector("another entry at the accepted height", Some("ID-7"), &phone, "p", 4, other),
        vector("an entry above the accepted head", Some("ID-7"), &phone, "p", 5, other),
        vector("an entry of a log that was not accepted", Some("ID-7"), &phone, "q", 0, other),
        vector("an entry of no device", Some("LOG-7"), &device("mallory"), "p", 0, other),
    ]
}

fn purges() -> Vec<Vector> {
    let alice = alice();
    let (rotation, _) = alice.rotate(alice.start());
    let target = EntryId([1; 32]);
    let order = purge::order(alice.record().state(), &target, &[&alice.phrase.control_key(0)]).expect("order");
    let vector = |name: &str, rule: Option<&str>, objects: &[&SignedObject], target: EntryId, order: &PurgeOrder| {
        let vector = with_objects(Vector::new(name, "purge", rule), &encoded(&alice, objects));
        vector.with("target", target.to_string()).with("order", hex(encoding::encode(order)))
    };
    let unsigned = PurgeOrder { signatures: Vec::new() };
    let message = PurgeOrder::message(&alice.did, &target);
    let by_device = alice.first_device().sign(Domain::Purge, Network::MAIN, &message);
    let by_device = PurgeOrder { signatures: vec![(0, by_device)] };
    vec![
        vector("a purge order by the control key", None, &[], target, &order),
        vector("a purge order for another entry", Some("ENC-12"), &[], EntryId([2; 32]), &order),
        vector("a purge order by a key that was rotated away", Some("ENC-12"), &[&rotation], target, &order),
        vector("a purge order that nobody signed", Some("ID-2"), &[], target, &unsigned),
        vector("a purge order by a device", Some("ENC-12"), &[], target, &by_device),
    ]
}

fn documents() -> Vec<Vector> {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let (grant, services) = (alice.grant(&phone, &laptop), alice.services(&laptop, 1));
    let objects = [&grant, &services];
    let vector = Vector::new("two devices, one with an address", "document", None);
    let vector = with_objects(vector, &encoded(&alice, &objects));
    vec![vector.with("document", super::document(&alice.insert_all(objects)))]
}

fn invites() -> Vec<Vector> {
    let alice = alice();
    let phone = alice.first_device();
    let lan = "/ip4/192.168.1.7/udp/7767/quic-v1".to_owned();
    let strange = "/dns/xom.example/tcp/443/x-path/a%2Fb?c&d=e".to_owned();
    let valid = |name: &str, addresses: Vec<String>| {
        let invite = Invite::sign(Network::MAIN, alice.did, addresses, &phone).expect("invite");
        Vector::new(name, "invite", None)
            .with("network", "main")
            .with("text", invite.to_string())
            .with("did", json!(invite.did()))
            .with("addresses", json!(invite.addresses()))
            .with("device", json!(invite.device()))
    };
    let invite = Invite::sign(Network::MAIN, alice.did, vec![lan.clone()], &phone).expect("invite");
    let text = invite.to_string();
    let invalid = |name: &str, rule: &str, network: &str, text: String| {
        Vector::new(name, "invite", Some(rule)).with("network", network).with("text", text)
    };
    let nine = format!("{}?{}", text.split('?').next().expect("text"), format!("a={lan}&").repeat(9));
    let tail = text.split_once("&d=").expect("text").1;
    vec![
        valid("an invite with one address", vec![lan]),
        valid("an invite without address", vec![]),
        valid("an invite with an address to encode", vec![strange]),
        invalid("an invite with another address", "ENC-12", "main", text.replace("192.168.1.7", "192.168.1.8")),
        invalid("an invite of another network", "ENC-12", "test", text.clone()),
        invalid("an invite with a letter encoded", "ID-14", "main", text.replace("quic", "%71uic")),
        invalid("an invite with an unknown member", "ID-14", "main", text.replace("&d=", "&x=1&d=")),
        invalid("an invite that is cut off", "ID-14", "main", text[..text.len() - 1].to_owned()),
        invalid("an invite with nine addresses", "ID-14", "main", format!("{nine}d={tail}")),
        invalid("an invite with the DID in upper case", "ID-14", "main", {
            text.replace(&alice.did.to_string(), &alice.did.to_string().to_uppercase())
        }),
        invalid("an invite above 1,024 bytes", "ID-14", "main", "x".repeat(1_025)),
    ]
}
