//! The vectors of chapter 01: made from fixed words and keys, and run from their JSON.

mod make;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use xom_protocol::body::PurgeOrder;
use xom_protocol::identity::{DeviceStatus, IdentityError, IdentityRecord, Payload, SignedObject, purge};
use xom_protocol::invite::Invite;
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, EntryId, Network, encoding};

use crate::support::{Vector, check_cddl, check_regenerated, hex, read_vectors, unhex};

const FILE: &str = "identity.json";
const ABOUT: &str = "Chapter 01. phrase: words, and what derives from them on network. record: objects, in this order \
    of arrival, on network; an invalid one breaks the rule with its last object, and all before are taken. From a \
    valid one follow did, head, seq, epoch, digest, statements, live devices, ended devices as lists of device, log, \
    height, head (one without log where nothing is accepted), anchors, the place of duplicity or null, the \
    locks in force, the start of a recovery that nothing cancelled or null, the end of the identity or null. \
    admitted: whether the entry at seq with hash in log of device counts after objects. purge: order, the CBOR of a \
    purge order for target after objects. document: the DID document of objects as JSON text. invite: text, read on \
    network.";
/// The chapters whose CDDL the structures of identities need.
const CHAPTERS: &[&str] = &["03-encoding.md", "01-identity.md"];

fn network(vector: &Vector) -> Network {
    vector.text("network").parse().expect("network")
}

/// The objects of a vector; the last may be of a wrong form.
fn objects(vector: &Vector) -> Result<Vec<SignedObject>, IdentityError> {
    let bytes = vector.list("objects").iter().map(|object| unhex(object.as_str().expect("text")));
    bytes.map(|bytes| SignedObject::decode(&bytes)).collect()
}

fn record(vector: &Vector) -> Result<IdentityRecord, IdentityError> {
    let objects = objects(vector)?;
    let last = objects.len() - 1;
    let mut record = None;
    for (place, object) in objects.into_iter().enumerate() {
        let taken = match &mut record {
            None => IdentityRecord::from_genesis(network(vector), object).map(|begun| record = Some(begun)),
            Some(record) => record.insert(object).map(|_| ()),
        };
        if place < last {
            assert_eq!(taken, Ok(()), "{}: object {place}", vector.name);
        } else {
            taken?;
        }
    }
    Ok(record.expect("at least one object"))
}

/// What follows from a record, as the fields of a vector.
fn outcome(record: &IdentityRecord) -> Vec<(&'static str, Value)> {
    let state = record.state();
    let mut ended = Vec::new();
    for (id, device) in &state.devices {
        if let DeviceStatus::Ended { accepted } = &device.status {
            let heads = accepted.values().map(|head| json!([id, head.log, head.height, head.head]));
            let heads: Vec<Value> = heads.collect();
            ended.extend(if heads.is_empty() { vec![json!([id])] } else { heads });
        }
    }
    let live: Vec<_> = state.live_devices().map(|(id, _)| id).collect();
    let anchors: Vec<_> = state.anchors.values().map(|head| json!([head.log, head.height, head.head])).collect();
    vec![
        ("did", json!(state.did)),
        ("head", json!(state.head)),
        ("seq", json!(state.seq)),
        ("epoch", json!(state.epoch)),
        ("digest", json!(record.digest())),
        ("statements", json!(state.statements)),
        ("live", json!(live)),
        ("ended", json!(ended)),
        ("anchors", json!(anchors)),
        ("duplicity", json!(state.duplicity.as_ref().map(|duplicity| duplicity.at))),
        ("locks", json!(state.locks.keys().collect::<Vec<_>>())),
        ("recovery", json!(state.recovery.as_ref().map(|recovery| recovery.start))),
        ("retired", json!(state.retired)),
    ]
}

/// What derives from a phrase, as the fields of a vector.
fn derived(phrase: &Phrase, network: Network) -> Vec<(&'static str, Value)> {
    let genesis = phrase.genesis(network);
    vec![
        ("nonce", json!(hex(phrase.genesis_nonce()))),
        ("control_key_0", json!(hex(phrase.control_key(0).public().to_bytes()))),
        ("control_key_1", json!(hex(phrase.control_key(1).public().to_bytes()))),
        ("next_key_1", json!(hex(phrase.next_key(1).public().to_bytes()))),
        ("device_key", json!(hex(phrase.device_key().public().to_bytes()))),
        ("genesis", json!(hex(genesis.encode()))),
        ("did", json!(Did(genesis.id().0))),
    ]
}

fn document(record: &IdentityRecord) -> String {
    serde_json::to_string(&record.state().document()).expect("serializable")
}

/// Runs one vector; gives the rule that it breaks.
fn run(vector: &Vector) -> Result<(), String> {
    let check_fields = |fields: Vec<(&str, Value)>| {
        for (field, want) in fields {
            assert_eq!(vector.fields[field], want, "{}: {field}", vector.name);
        }
    };
    let rule = |e: IdentityError| e.rule().to_string();
    match vector.is.as_str() {
        "phrase" => {
            let phrase = Phrase::parse(vector.text("words")).map_err(|e| e.rule().to_string())?;
            check_fields(derived(&phrase, network(vector)));
        }
        "record" => check_fields(outcome(&record(vector).map_err(rule)?)),
        "admitted" => {
            let record = record(vector).map_err(rule)?;
            let read = |field| vector.text(field);
            let (device, log) = (read("device").parse().expect("device"), read("log").parse().expect("log"));
            let hash = read("hash").parse().expect("hash");
            let admitted = record.state().admits(&device, &log, vector.number("seq"), &hash);
            admitted.map_err(|e| e.rule().to_string())?;
        }
        "purge" => {
            let record = record(vector).map_err(rule)?;
            let target: EntryId = vector.text("target").parse().expect("entry id");
            let order: PurgeOrder = encoding::decode(&vector.bytes("order"), 4_096).expect("order");
            purge::check(record.state(), &target, &order).map_err(rule)?;
        }
        "document" => check_fields(vec![("document", json!(document(&record(vector).map_err(rule)?)))]),
        "invite" => {
            let invite = Invite::parse(network(vector), vector.text("text")).map_err(|e| e.rule().to_string())?;
            check_fields(vec![
                ("did", json!(invite.did())),
                ("addresses", json!(invite.addresses())),
                ("device", json!(invite.device())),
            ]);
        }
        other => panic!("{}: {other} is not known", vector.name),
    }
    Ok(())
}

#[test]
fn the_identity_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, make::all());
}

#[test]
fn every_identity_vector_holds_or_breaks_its_rule() {
    for vector in read_vectors(FILE) {
        assert_eq!(run(&vector).err().as_deref(), vector.rule.as_deref(), "{}", vector.name);
    }
}

#[test]
fn every_object_of_a_valid_vector_matches_the_cddl() {
    let (mut types, mut checked) = (BTreeMap::<&str, usize>::new(), BTreeSet::new());
    for vector in read_vectors(FILE).iter().filter(|vector| vector.is == "record" && vector.rule.is_none()) {
        for object in vector.list("objects") {
            let bytes = unhex(object.as_str().expect("text"));
            let object = SignedObject::decode(&bytes).expect("good");
            let payload = Payload::decode(object.payload()).expect("good");
            if !checked.insert(object.id()) {
                continue;
            }
            let seen = types.entry(payload.type_name()).or_default();
            *seen += 1;
            // The library reads the chapters anew each time, which takes a while.
            if *seen > 3 {
                continue;
            }
            check_cddl(payload.type_name(), CHAPTERS, object.payload(), &vector.name);
            if *seen == 1 {
                check_cddl("signed-object", CHAPTERS, &bytes, &vector.name);
                check_cddl("payload", CHAPTERS, object.payload(), &vector.name);
            }
        }
    }
    assert_eq!(types.len(), 14, "every type is among the vectors: {types:?}");
}

#[test]
fn the_cddl_of_identities_tells_right_from_wrong() {
    let refuses = |start: &str, bytes: &[u8]| {
        let text = crate::support::cddl(start, CHAPTERS);
        assert!(cddl::validate_cbor_from_slice(&text, bytes, None).is_err(), "{start}");
    };
    let genesis = super::people::alice().genesis;
    let mut map: BTreeMap<String, ipld_core::ipld::Ipld> = encoding::decode(genesis.payload(), 4_096).expect("map");
    map.insert("extra".to_owned(), 1.into());
    refuses("genesis", &encoding::encode(&map));
    map.remove("extra");
    map.remove("control");
    refuses("genesis", &encoding::encode(&map));
    refuses("rotate", genesis.payload());
    refuses("signed-object", genesis.payload());
    refuses("key-list", b"\xa2\x64keys\x80\x69threshold\x01");
}
