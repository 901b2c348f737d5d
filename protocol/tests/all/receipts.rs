//! Receipts as objects (`RCP-1`): their vectors, and what is no receipt of a holder.

use serde_bytes::ByteBuf;
use xom_protocol::identity::compose;
use xom_protocol::keys::{Domain, SecretKey};
use xom_protocol::receipt::{Answer, Fate, Receipt, ReceiptError};
use xom_protocol::{Did, EntryId, Network, encoding};

use crate::identity::people::{Person, alice, device, end, person};
use crate::support::{Vector, check_cddl, check_regenerated, hex, read_vectors, unhex};

const FILE: &str = "receipts.json";
const ABOUT: &str = "Chapter 02, RCP-1. receipt: cbor, judged on network main with the identity of its holder, given as objects in \
    the order in which they come; holder, device, author, entry, erase and fate as it says. answer: the signed part alone.";
const CHAPTERS: &[&str] = &["03-encoding.md", "02-entries-and-logs.md"];

fn answer(holder: &Person, device: &SecretKey, fate: Fate) -> Answer {
    let device = device.public().device_id();
    let (entry, erase) = (EntryId([4; 32]), EntryId([5; 32]));
    Answer { holder: holder.did, device, author: person("bob").did, entry, erase, fate }
}

/// A receipt out of any parts.
fn wire(domain: Domain, network: Network, key: &SecretKey, answer: &[u8]) -> Vec<u8> {
    encoding::encode(&(ByteBuf::from(answer), key.sign(domain, network, answer)))
}

/// The signed part, with a version and fate of any kind.
fn answer_bytes(version: u64, answer: &Answer, fate: u64) -> Vec<u8> {
    let Answer { holder, device, author, entry, erase, .. } = *answer;
    encoding::encode(&(version, holder, device, author, entry, erase, fate))
}

fn vector(name: &str, rule: Option<&str>, objects: &[Vec<u8>], cbor: &[u8]) -> Vector {
    let objects: Vec<String> = objects.iter().map(hex).collect();
    Vector::new(name, "receipt", rule).with("objects", objects).with("cbor", hex(cbor))
}

fn vectors() -> Vec<Vector> {
    let (alice, key) = (alice(), alice().first_device());
    let own = [alice.genesis.encode()];
    let said = |vector: Vector, answer: &Answer| {
        vector
            .with("holder", answer.holder.to_string())
            .with("device", hex(answer.device.0))
            .with("author", answer.author.to_string())
            .with("entry", answer.entry.to_string())
            .with("erase", answer.erase.to_string())
            .with("fate", if answer.fate == Fate::Purged { 1 } else { 0 })
    };
    let valid = |name: &str, fate| {
        let answer = answer(&alice, &key, fate);
        said(vector(name, None, &own, &Receipt::sign(Network::MAIN, answer, &key).encode()), &answer)
    };
    let hidden = answer(&alice, &key, Fate::Hidden);
    let bytes = answer_bytes(1, &hidden, 0);
    let bad = |name: &str, rule: &str, cbor: Vec<u8>| vector(name, Some(rule), &own, &cbor);
    let main = |answer: &[u8]| wire(Domain::Receipt, Network::MAIN, &key, answer);
    let stranger = device("stranger");
    let foreign = answer(&alice, &stranger, Fate::Purged);
    let tablet = device("tablet");
    let grant = compose::grant(Network::MAIN, alice.did, &key, &tablet).expect("grant").encode();
    let drop = compose::drop(Network::MAIN, alice.did, &key, end(&tablet, &[], &[])).expect("drop").encode();
    let of_tablet = Receipt::sign(Network::MAIN, answer(&alice, &tablet, Fate::Purged), &tablet).encode();
    let granted = [own[0].clone(), grant.clone()];
    let dropped = [own[0].clone(), grant, drop];
    let other: Network = "test".parse().expect("a name");
    let mut flipped = main(&bytes);
    *flipped.last_mut().expect("not empty") ^= 1;
    let of_second_device = vector("a receipt of a granted device", None, &granted, &of_tablet);
    vec![
        valid("a holder has hidden", Fate::Hidden),
        valid("a holder has purged", Fate::Purged),
        said(of_second_device, &answer(&alice, &tablet, Fate::Purged)),
        bad("a receipt for another network", "ENC-12", wire(Domain::Receipt, other, &key, &bytes)),
        bad("an entry's signature under a receipt", "ENC-12", wire(Domain::Entry, Network::MAIN, &key, &bytes)),
        bad("a signature with one bit flipped", "ENC-12", flipped),
        bad("the name of another's device under an own signature", "ENC-12", {
            wire(Domain::Receipt, Network::MAIN, &stranger, &bytes)
        }),
        bad("a device that the holder does not have", "RCP-1", {
            Receipt::sign(Network::MAIN, foreign, &stranger).encode()
        }),
        vector("a device that has ended", Some("RCP-1"), &dropped, &of_tablet),
        bad("another holder's name", "RCP-1", {
            let answer = Answer { holder: person("carol").did, ..hidden };
            Receipt::sign(Network::MAIN, answer, &key).encode()
        }),
        bad("a fate that is not known", "RCP-1", main(&answer_bytes(1, &hidden, 2))),
        bad("a receipt of version 2", "RCP-1", main(&answer_bytes(2, &hidden, 0))),
        bad("a member too many", "RCP-1", main(&encoding::encode(&(1, alice.did, 1, 1, 1, 1, 1, 1)))),
        bad("a receipt above 512 bytes", "RCP-1", main(&[0; 500])),
        bad("bytes after the answer", "ENC-1", main(&[bytes.clone(), vec![0]].concat())),
        bad("an answer cut short", "ENC-1", main(&bytes[..bytes.len() - 1])),
        bad("a fate not in its shortest form", "ENC-2", main(&[&bytes[..bytes.len() - 1], &[0x18, 0x00]].concat())),
    ]
}

#[test]
fn the_receipt_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

fn run(vector: &Vector) -> Result<Receipt, ReceiptError> {
    let objects = vector.list("objects").iter().map(|object| unhex(object.as_str().expect("text")));
    let objects = objects.map(|bytes| xom_protocol::identity::SignedObject::decode(&bytes).expect("an object"));
    let record = xom_protocol::identity::IdentityRecord::from_objects(Network::MAIN, objects);
    let receipt = Receipt::decode(&vector.bytes("cbor"))?;
    receipt.verify(Network::MAIN, record.expect("an identity").state())?;
    Ok(receipt)
}

#[test]
fn the_receipt_vectors_hold() {
    for vector in read_vectors(FILE) {
        let found = run(&vector);
        let rule = found.as_ref().err().map(|e| e.rule().0.to_owned());
        assert_eq!(rule, vector.rule, "{}", vector.name);
        let Ok(receipt) = found else { continue };
        let answer = receipt.answer();
        assert_eq!(answer.holder, vector.text("holder").parse::<Did>().expect("a DID"));
        assert_eq!(answer.device.0, vector.array("device"));
        assert_eq!(answer.author, vector.text("author").parse::<Did>().expect("a DID"));
        assert_eq!(answer.entry, vector.text("entry").parse::<EntryId>().expect("an id"));
        assert_eq!(answer.erase, vector.text("erase").parse::<EntryId>().expect("an id"));
        assert_eq!(u64::from(answer.fate == Fate::Purged), vector.number("fate"));
        assert_eq!(receipt.encode(), vector.bytes("cbor"), "{}", vector.name);
        check_cddl("receipt", CHAPTERS, &vector.bytes("cbor"), &vector.name);
        check_cddl("receipt-answer", CHAPTERS, &answer_bytes(1, answer, vector.number("fate")), &vector.name);
    }
}

#[test]
fn r_sig_3_a_receipt_is_no_signature_of_anything_else() {
    let (alice, key) = (alice(), alice().first_device());
    let bytes = answer_bytes(1, &answer(&alice, &key, Fate::Hidden), 0);
    for domain in [Domain::Identity, Domain::Statement, Domain::Entry, Domain::Purge, Domain::Invite, Domain::Handshake]
    {
        let receipt = Receipt::decode(&wire(domain, Network::MAIN, &key, &bytes)).expect("form");
        let refused = receipt.verify(Network::MAIN, alice.record().state()).map_err(|e| e.rule().0);
        assert_eq!(refused, Err("ENC-12"), "{domain:?}");
    }
}
