//! Threats to signatures and identities, by number, over every type of object (ENC-10 to ENC-13, ID-1, ID-2, ID-17).

use std::collections::BTreeMap;

use ipld_core::ipld::Ipld;
use xom_protocol::identity::{
    Draft, IdentityRecord, KeyList, Operation, Payload, RecoveryRequest, Renewal, SignedObject,
};
use xom_protocol::keys::{Domain, SecretKey};
use xom_protocol::phrase::Phrase;
use xom_protocol::{DeviceId, Did, Network, encoding};

use super::case::{Case, approvals, wire_approved};
use super::people::{At, device, end, head, person, sign_for};
use crate::cast;

const DOMAINS: [Domain; 9] = [
    Domain::Identity,
    Domain::Statement,
    Domain::Entry,
    Domain::Purge,
    Domain::Invite,
    Domain::Handshake,
    Domain::Recovery,
    Domain::LogId,
    Domain::Body,
];

/// One object of every type but the genesis, with what must be held before it and the keys that signed it.
fn every_type(case: &Case) -> Vec<(Vec<SignedObject>, SignedObject, Vec<SecretKey>)> {
    let (alice, phone, laptop) = (&case.alice, case.alice.first_device(), device("laptop"));
    let start = case.start(&case.two());
    let finish = case.finish(&start, &case.two());
    let control = || vec![alice.phrase.control_key(1)];
    let new = case.new.phrase.control_key(2);
    let named = || vec![case.named.clone()];
    vec![
        (named(), alice.rotate(case.at).0, vec![alice.phrase.next_key(2)]),
        (named(), start.clone(), vec![new.clone(), laptop.clone()]),
        (vec![case.named.clone(), start.clone()], finish, vec![new]),
        (named(), alice.cancel(case.at, &[&start]).0, control()),
        (named(), alice.remove(case.at, end(&phone, &[head("p", 1)], &[])).0, control()),
        (named(), alice.settle(case.at, &[head("p", 1)]).0, control()),
        (named(), alice.unlock(case.at, &[&start]).0, control()),
        (named(), alice.retire(case.at, vec![]).0, control()),
        (named(), alice.retire_for_good(case.at, vec![]).0, vec![alice.phrase.next_key(2)]),
        (named(), alice.grant(&phone, &laptop), vec![phone.clone(), laptop]),
        (named(), alice.drop(&phone, end(&phone, &[], &[])), vec![phone.clone()]),
        (named(), alice.services(&phone, 1), vec![phone.clone()]),
        (named(), alice.lock(&phone, 1, &[]), vec![phone.clone()]),
        (named(), alice.postpone(&phone, &start), vec![phone]),
    ]
}

/// Signs the payload of an object anew, with its own approvals.
fn signed_again(object: &SignedObject, network: Network, domain: Domain, keys: &[SecretKey]) -> SignedObject {
    let keys: Vec<&SecretKey> = keys.iter().collect();
    let signed = sign_for(network, domain, object.payload(), &keys);
    match object.approvals() {
        [] => signed,
        approvals => {
            let parts = (serde_bytes::Bytes::new(object.payload()), signed.signatures(), approvals);
            SignedObject::decode(&encoding::encode(&parts)).expect("form")
        }
    }
}

#[test]
fn r_sig_2_a_weak_key_is_refused_in_every_list_that_a_payload_has() {
    let mut weak = [0; 32];
    weak[0] = 1;
    let (case, weak) = (Case::new(), DeviceId(weak));
    let (place, good) = (case.place(), case.alice.phrase.renewal(2, None, &[]));
    let weak_list = KeyList { keys: vec![weak], threshold: 1 };
    let refuses = |operation: Operation| {
        let refused = Draft::new(Network::MAIN, &place.control, &place.operation(operation.clone()));
        assert_eq!(refused.expect_err("refused").rule().0, "ENC-11", "{operation:?}");
        let decoded = Payload::decode(&place.operation(operation).encode());
        assert_eq!(decoded.expect_err("refused").rule().0, "ENC-11");
    };
    let reveal = KeyList::single(&case.alice.phrase.next_key(2).public());
    let with_control = Renewal { control: weak_list.clone(), ..good.clone() };
    let with_device = Renewal { devices: vec![weak], ..good.clone() };
    refuses(Operation::Rotate { reveal: weak_list.clone(), renewal: good });
    for renewal in [with_control, with_device] {
        refuses(Operation::Rotate { reveal: reveal.clone(), renewal: renewal.clone() });
        refuses(Operation::RecoverStart { renewal });
    }
    refuses(Operation::Retire { reveal: Some(weak_list), ends: vec![] });
}

#[test]
fn r_sig_3_no_object_holds_with_signatures_of_another_domain() {
    let case = Case::new();
    for (before, object, keys) in every_type(&case) {
        let payload = Payload::decode(object.payload()).expect("good");
        let own = if matches!(payload, Payload::Statement(..)) { Domain::Statement } else { Domain::Identity };
        let before: Vec<&SignedObject> = before.iter().collect();
        for domain in DOMAINS.into_iter().filter(|domain| *domain != own) {
            case.alice.refuses(&before, &signed_again(&object, Network::MAIN, domain, &keys), "ENC-12");
        }
        let right = signed_again(&object, Network::MAIN, own, &keys);
        case.alice.insert_all(before.iter().copied().chain([&right]));
    }
}

#[test]
fn r_sig_4_no_object_holds_on_another_network_or_in_another_identity() {
    let case = Case::new();
    let test: Network = "test".parse().expect("name");
    for (before, object, keys) in every_type(&case) {
        let payload = Payload::decode(object.payload()).expect("good");
        let own = if matches!(payload, Payload::Statement(..)) { Domain::Statement } else { Domain::Identity };
        let before: Vec<&SignedObject> = before.iter().collect();
        case.alice.refuses(&before, &signed_again(&object, test, own, &keys), "ENC-12");
        let mallory = person("mallory");
        mallory.refuses(&[], &object, "ID-1");
    }
}

/// The keys are alice's in both identities; what is signed in one is of no use in the other.
#[test]
fn r_sig_4_an_identity_of_the_same_keys_does_not_take_its_twins_objects() {
    let case = Case::new();
    let Ok(Payload::Genesis(mut genesis)) = Payload::decode(case.alice.genesis.payload()) else { panic!("genesis") };
    genesis.nonce = [3; 16];
    let control = case.alice.phrase.control_key(0);
    let twin = xom_protocol::identity::compose::genesis_of(genesis, &[&control]).expect("genesis");
    let mut record = IdentityRecord::from_genesis(Network::MAIN, twin).expect("genesis");
    for (before, object, _) in every_type(&case) {
        for object in before.into_iter().chain([object]) {
            assert_eq!(record.insert(object).expect_err("refused").rule().0, "ID-1");
        }
    }
}

#[test]
fn r_sig_10_no_object_carries_a_time_and_a_recovery_may_finish_at_any() {
    let case = Case::new();
    for (before, object, keys) in every_type(&case) {
        let mut map: BTreeMap<String, Ipld> = encoding::decode(object.payload(), 1 << 18).expect("map");
        map.insert("time".to_owned(), 1.into());
        let keys: Vec<&SecretKey> = keys.iter().collect();
        let timed = sign_for(Network::MAIN, Domain::Identity, &encoding::encode(&map), &keys);
        case.alice.refuses(&before.iter().collect::<Vec<_>>(), &timed, "ENC-8");
    }
    let start = case.start(&case.two());
    let finish = case.finish(&start, &case.two());
    assert_eq!(case.alice.state_of(&[&case.named, &start, &finish]).epoch, 2, "no window has an edge");
}

#[test]
fn r_sig_12_the_dead_keys_of_an_epoch_before_a_recovery_do_not_sign_after_it() {
    let case = Case::new();
    let start = case.start(&case.two());
    let finish = case.finish(&start, &case.two());
    let after = At { id: finish.id(), seq: 3, epoch: 1 };
    let before = [&case.named, &start, &finish];
    case.alice.refuses(&before, &case.alice.settle(after, &[head("a", 1)]).0, "ENC-12");
    case.alice.refuses(&before, &case.alice.rotate(after).0, "ID-6");
}

#[test]
fn r_sig_13_a_did_has_one_spelling() {
    let did = person("alice").did;
    let text = did.to_string();
    assert_eq!(text.parse::<Did>(), Ok(did));
    let method = did.method_specific();
    for other in [
        text.to_uppercase(),
        format!("did:xom:{}", method.to_uppercase()),
        format!("DID:xom:{method}"),
        format!("{text}/path"),
        format!("{text}?query"),
        format!("{text}#fragment"),
        format!("did:xom:%{:x}{}", method.as_bytes()[0], &method[1..]),
        format!(" {text}"),
        format!("{text}="),
        text[..text.len() - 1].to_owned(),
    ] {
        assert!(other.parse::<Did>().is_err(), "{other}");
    }
}

#[test]
fn r_sig_15_an_entropy_source_that_gives_zeros_makes_no_key() {
    assert_eq!(Phrase::from_entropy(&[0; 32]).expect_err("refused").rule().0, "ENC-13");
    assert_eq!(SecretKey::from_seed(&[0; 32]).expect_err("refused").rule().0, "ENC-13");
    let zeros = format!("{}art", "abandon ".repeat(23));
    assert_eq!(Phrase::parse(&zeros).expect_err("refused").rule().0, "ENC-13");
}

/// Whoever is asked to sign on his machine signs a payload that was read and checked, and only as one of
/// its signers.
#[test]
fn r_sig_16_a_draft_signs_no_bytes_that_somebody_chose() {
    let phone = person("alice").first_device();
    let mut log = cast::writer("alice", "phone");
    log.post("hello");
    let entry = log.entries[0].header_bytes().to_vec();
    for chosen in [entry, b"xom/1/handshake/main\0".to_vec(), vec![0xa0], vec![0; 64]] {
        assert!(Draft::read(Network::MAIN, &chosen).is_err());
    }
    let case = Case::new();
    for (_, object, _) in every_type(&case) {
        let Ok((draft, payload)) = Draft::read(Network::MAIN, object.payload()) else { continue };
        assert!(["grant", "rotate", "recover-start"].contains(&payload.type_name()), "{}", payload.type_name());
        assert!(draft.sign(&[&device("bystander")]).is_empty(), "whoever is no signer signs nothing");
        assert_eq!(draft.sign(&[&phone]).is_empty(), payload.type_name() != "grant");
    }
}

/// A guardian's approval names the guardian and is over the whole step: it is nothing elsewhere.
#[test]
fn r_sig_3_an_approval_is_no_signature_of_anything_else() {
    let case = Case::new();
    let request = RecoveryRequest::start(&case.place(), case.new.phrase.renewal(2, None, &[]));
    let [first, second] = approvals(&request, &case.two()).try_into().expect("two");
    assert!(request.check_approval(Network::MAIN, &first).is_ok());
    let keys = [case.new.phrase.control_key(2)];
    let object = wire_approved(&request.encode(), &[first.clone(), first.clone()], &[&keys[0]]);
    assert_eq!(SignedObject::decode(&object).expect_err("twice").rule().0, "ID-17");
    let as_other = xom_protocol::identity::Approval { guardian: second.guardian, ..first };
    assert_eq!(request.check_approval(Network::MAIN, &as_other).expect_err("refused").rule().0, "ID-17");
}
