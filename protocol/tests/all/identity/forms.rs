//! What is refused by its form or its signatures alone (ID-1 to ID-4, ID-7, ID-8, ID-10, ID-11, ENC-8 to ENC-12).

use xom_protocol::identity::{
    DeviceEnd, Genesis, Guardians, IdentityRecord, KeyList, NextKeys, Operation, Origin, Payload, SignedObject,
    Statement,
};
use xom_protocol::keys::{Domain, SecretKey, Signature};
use xom_protocol::{DeviceId, Digest, Network};

use super::people::{alice, device, end, head, object, person, sign, sign_for, wire};

/// The small-order point with y = 1.
const WEAK_KEY: DeviceId = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    DeviceId(bytes)
};

fn genesis() -> Genesis {
    let Ok(Payload::Genesis(genesis)) = Payload::decode(alice().genesis.payload()) else { panic!("genesis") };
    genesis
}

/// Changes alice's genesis, signs it with her control key, and expects this rule.
fn check_genesis(change: impl FnOnce(&mut Genesis), rule: &str) {
    let mut genesis = genesis();
    change(&mut genesis);
    let payload = Payload::Genesis(genesis).encode();
    let signed = sign(Domain::Identity, &payload, &[&alice().phrase.control_key(0)]);
    let refused = IdentityRecord::from_genesis(Network::MAIN, signed).expect_err("refused");
    assert_eq!(refused.rule().0, rule, "{refused}");
}

fn keys(names: &[&str]) -> Vec<SecretKey> {
    names.iter().map(|name| device(name)).collect()
}

fn list(keys: &[SecretKey], threshold: u64) -> KeyList {
    KeyList::of(&keys.iter().map(SecretKey::public).collect::<Vec<_>>(), threshold)
}

/// R-SIG-9: lists that are empty, repeat a key or have a threshold that can't be met.
#[test]
fn r_sig_9_a_key_list_has_distinct_keys_and_a_threshold_that_can_be_met() {
    let key = alice().phrase.control_key(0).public();
    check_genesis(|genesis| genesis.control.keys.clear(), "ID-4");
    check_genesis(|genesis| genesis.control.threshold = 0, "ID-4");
    check_genesis(|genesis| genesis.control.threshold = 2, "ID-4");
    check_genesis(|genesis| genesis.control = KeyList::of(&[key, key], 1), "ID-4");
    check_genesis(|genesis| genesis.next.keys.clear(), "ID-4");
    check_genesis(|genesis| genesis.next.threshold = 0, "ID-4");
    check_genesis(|genesis| genesis.next.threshold = u64::MAX, "ID-4");
    check_genesis(|genesis| genesis.next.keys = vec![Digest([1; 32]); 2], "ID-4");
    let many: Vec<_> = (0..17_u8).map(|n| Digest([n; 32])).collect();
    check_genesis(|genesis| genesis.next.keys = many, "ID-4");
}

#[test]
fn guardians_are_ascending_and_can_meet_their_need() {
    let guardians = |members: &[u8], need| {
        let members = members.iter().map(|n| Digest([*n; 32])).collect();
        Some(Guardians { salt: [1; 32], members, need })
    };
    check_genesis(|genesis| genesis.guardians = guardians(&[], 1), "ID-4");
    check_genesis(|genesis| genesis.guardians = guardians(&[2, 1], 1), "ID-4");
    check_genesis(|genesis| genesis.guardians = guardians(&[1, 1], 1), "ID-4");
    check_genesis(|genesis| genesis.guardians = guardians(&[1, 2], 3), "ID-4");
}

/// R-SIG-9: the member is left out, not empty.
#[test]
fn r_sig_9_a_member_that_is_missing_or_not_known_is_refused() {
    let alice = alice();
    let control = alice.phrase.control_key(0);
    let mut map: std::collections::BTreeMap<String, ipld_core::ipld::Ipld> =
        xom_protocol::encoding::decode(alice.genesis.payload(), 4_096).expect("map");
    let check = |map: &std::collections::BTreeMap<String, ipld_core::ipld::Ipld>, rule: &str| {
        let payload = xom_protocol::encoding::encode(map);
        let signed = sign(Domain::Identity, &payload, &[&control]);
        let refused = IdentityRecord::from_genesis(Network::MAIN, signed).expect_err("refused");
        assert_eq!(refused.rule().0, rule, "{refused}");
    };
    for name in ["control", "next", "device", "guardians", "nonce", "network", "type", "v"] {
        let mut without = map.clone();
        without.remove(name);
        check(&without, "ENC-8");
    }
    map.insert("time".to_owned(), 1.into());
    check(&map, "ENC-8");
    map.remove("time");
    map.insert("v".to_owned(), 2.into());
    check(&map, "ID-2");
    map.insert("v".to_owned(), 1.into());
    map.insert("type".to_owned(), "recover".into());
    check(&map, "ID-2");
}

/// R-SIG-2: a weak key is refused wherever a key is registered.
#[test]
fn r_sig_2_a_weak_key_is_never_registered() {
    check_genesis(|genesis| genesis.device = WEAK_KEY, "ENC-11");
    check_genesis(|genesis| genesis.control.keys = vec![WEAK_KEY], "ENC-11");
    let alice = alice();
    let (phone, did) = (alice.first_device(), alice.did);
    let origin = Origin { did, by: phone.public().device_id() };
    let payload = Payload::Statement(origin, Statement::Grant { device: WEAK_KEY });
    let signed = sign(Domain::Statement, &payload.encode(), &[&phone, &phone]);
    alice.refuses(&[], &signed, "ENC-11");
}

#[test]
fn a_genesis_is_of_one_network_and_begins_the_record() {
    check_genesis(|genesis| genesis.network = "test".parse().expect("name"), "ID-3");
    let alice = alice();
    let services = alice.services(&alice.first_device(), 1);
    let refused = IdentityRecord::from_genesis(Network::MAIN, services).expect_err("refused");
    assert_eq!(refused.rule().0, "ID-3");
    let refused = IdentityRecord::from_objects(Network::MAIN, []).expect_err("refused");
    assert_eq!(refused.rule().0, "ID-3");
}

/// R-SIG-13: another genesis is another identity.
#[test]
fn r_sig_13_a_second_genesis_is_of_another_identity() {
    let (alice, mallory) = (alice(), person("mallory"));
    alice.refuses(&[], &mallory.genesis, "ID-1");
    let mut changed = genesis();
    changed.nonce = [9; 16];
    let changed = sign(Domain::Identity, &Payload::Genesis(changed).encode(), &[&alice.phrase.control_key(0)]);
    alice.refuses(&[], &changed, "ID-1");
    alice.refuses(&[], &mallory.services(&mallory.first_device(), 1), "ID-1");
    alice.refuses(&[], &mallory.settle(mallory.start(), &[head("a", 1)]).0, "ID-1");
}

/// R-SIG-9: two of three must sign, and one key can't sign twice.
#[test]
fn r_sig_9_a_threshold_is_met_by_distinct_keys_only() {
    let control = keys(&["c0", "c1", "c2"]);
    let mut genesis = genesis();
    genesis.control = list(&control, 2);
    let payload = Payload::Genesis(genesis).encode();
    let signature = |at: usize| control[at].sign(Domain::Identity, Network::MAIN, &payload);
    let check = |signatures: &[(u64, Signature)], want: Result<(), &str>| {
        let signed = object(&payload, signatures);
        let taken = signed.and_then(|signed| IdentityRecord::from_genesis(Network::MAIN, signed));
        assert_eq!(taken.map(|_| ()).map_err(|e| e.rule().0), want, "{signatures:?}");
    };
    check(&[(0, signature(0)), (2, signature(2))], Ok(()));
    check(&[(0, signature(0)), (1, signature(1)), (2, signature(2))], Ok(()));
    check(&[(0, signature(0))], Err("ID-4"));
    check(&[(0, signature(0)), (0, signature(0))], Err("ID-2"));
    check(&[(2, signature(2)), (0, signature(0))], Err("ID-2"));
    check(&[(0, signature(0)), (1, signature(0))], Err("ENC-12"));
    check(&[(0, signature(0)), (3, signature(2))], Err("ID-2"));
    check(&[(0, signature(0)), (u64::MAX, signature(2))], Err("ID-2"));
    check(&[], Err("ID-2"));
    check(&[(0, signature(0)), (1, signature(1)), (2, Signature([0; 64]))], Err("ENC-12"));
}

#[test]
fn signatures_are_no_part_of_the_set() {
    let control = keys(&["c0", "c1", "c2"]);
    let mut genesis = genesis();
    genesis.control = list(&control, 2);
    let payload = Payload::Genesis(genesis).encode();
    let record = |at: [usize; 2]| {
        let signature = |at: usize| (at as u64, control[at].sign(Domain::Identity, Network::MAIN, &payload));
        let signed = object(&payload, &at.map(signature)).expect("form");
        IdentityRecord::from_genesis(Network::MAIN, signed).expect("genesis")
    };
    super::people::assert_same(&record([0, 1]), &record([1, 2]));
}

/// R-SIG-3, R-SIG-4: what was signed as another kind of object or for another network.
#[test]
fn r_sig_3_a_signature_for_another_domain_or_network_is_refused() {
    let alice = alice();
    let (control, phone) = (alice.phrase.control_key(0), alice.first_device());
    let settle = alice.operation(alice.start(), Operation::Settle { anchors: vec![head("a", 1)] }).encode();
    let test = "test".parse().expect("name");
    for domain in [Domain::Statement, Domain::Entry, Domain::Purge, Domain::Invite, Domain::Handshake] {
        alice.refuses(&[], &sign(domain, &settle, &[&control]), "ENC-12");
    }
    alice.refuses(&[], &sign_for(test, Domain::Identity, &settle, &[&control]), "ENC-12");
    let services = alice.services(&phone, 1);
    for domain in [Domain::Identity, Domain::Entry, Domain::Handshake] {
        alice.refuses(&[], &sign(domain, services.payload(), &[&phone]), "ENC-12");
    }
    alice.refuses(&[], &sign_for(test, Domain::Statement, services.payload(), &[&phone]), "ENC-12");
}

#[test]
fn a_device_has_no_say_in_the_log_and_a_control_key_none_among_statements() {
    let alice = alice();
    let (control, phone) = (alice.phrase.control_key(0), alice.first_device());
    let settle = alice.operation(alice.start(), Operation::Settle { anchors: vec![head("a", 1)] }).encode();
    alice.refuses(&[], &sign(Domain::Identity, &settle, &[&phone]), "ENC-12");
    let services = alice.services(&phone, 1);
    alice.refuses(&[], &sign(Domain::Statement, services.payload(), &[&control]), "ENC-12");
}

/// R-SIG-6: a device that adds itself, or is added without its own signature.
#[test]
fn r_sig_6_a_grant_is_signed_by_two_different_devices() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let origin = Origin { did: alice.did, by: phone.public().device_id() };
    let to =
        |key: &SecretKey| Payload::Statement(origin, Statement::Grant { device: key.public().device_id() }).encode();
    alice.refuses(&[], &sign(Domain::Statement, &to(&phone), &[&phone, &phone]), "ID-10");
    alice.refuses(&[], &sign(Domain::Statement, &to(&laptop), &[&phone]), "ID-4");
    alice.refuses(&[], &sign(Domain::Statement, &to(&laptop), &[&phone, &phone]), "ENC-12");
    alice.refuses(&[], &sign(Domain::Statement, &to(&laptop), &[&laptop, &laptop]), "ENC-12");
}

#[test]
fn heads_and_statement_ids_are_ascending_and_possible() {
    let alice = alice();
    let phone = alice.first_device();
    let good = end(&phone, &[head("a", 1), head("b", 2)], &[]);
    let check = |change: &dyn Fn(&mut DeviceEnd)| {
        let mut end = good.clone();
        change(&mut end);
        alice.refuses(&[], &alice.remove(alice.start(), end.clone()).0, "ID-7");
        let origin = Origin { did: alice.did, by: phone.public().device_id() };
        let drop = Payload::Statement(origin, Statement::Drop(end)).encode();
        alice.refuses(&[], &sign(Domain::Statement, &drop, &[&phone]), "ID-7");
    };
    check(&|end| end.heads.reverse());
    check(&|end| end.heads[1] = end.heads[0]);
    check(&|end| end.heads[0].height = 0);
    check(&|end| end.heads[0].height = 1 << 54);
    check(&|end| end.stands = vec![Digest([2; 32]), Digest([1; 32])]);
    check(&|end| end.stands = vec![Digest([1; 32]); 2]);
    check(&|end| {
        end.heads = (0..65).map(|n| head(&format!("log {n}"), 1)).collect();
        end.heads.sort_unstable();
    });
    alice.refuses(&[], &alice.settle(alice.start(), &[]).0, "ID-8");
    alice.refuses(&[], &alice.settle(alice.start(), &[head("a", 0)]).0, "ID-8");
}

#[test]
fn services_are_few_and_printable() {
    let alice = alice();
    let phone = alice.first_device();
    let check = |rev: u64, addresses: Vec<String>| {
        let origin = Origin { did: alice.did, by: phone.public().device_id() };
        let payload = Payload::Statement(origin, Statement::Services { rev, addresses }).encode();
        alice.refuses(&[], &sign(Domain::Statement, &payload, &[&phone]), "ID-11");
    };
    check(1, vec!["/a".to_owned(); 17]);
    check(1, vec![String::new()]);
    check(1, vec!["/a b".to_owned()]);
    check(1, vec!["/é".to_owned()]);
    check(1, vec!["a".repeat(257)]);
    check(u64::MAX, vec![]);
}

#[test]
fn an_object_reads_back_and_has_one_form() {
    let alice = alice();
    let bytes = alice.genesis.encode();
    assert_eq!(SignedObject::decode(&bytes), Ok(alice.genesis.clone()));
    let check = |bytes: &[u8], rule: &str| {
        let refused = SignedObject::decode(bytes).expect_err("refused");
        assert_eq!(refused.rule().0, rule, "{refused}");
    };
    check(&[bytes.as_slice(), &[0]].concat(), "ENC-1");
    check(&bytes[..bytes.len() - 1], "ENC-1");
    check(&vec![0x81; 1_000], "ENC-5");
    check(&wire(&[0; 1 << 18], alice.genesis.signatures()), "ENC-1");
    check(&xom_protocol::encoding::encode("text"), "ENC-8");
}

#[test]
fn every_payload_reads_back() {
    let alice = alice();
    let phone = alice.first_device();
    let end = end(&phone, &[head("a", 1)], &[&alice.genesis]);
    let objects = [
        alice.rotate_with(alice.start(), Some(alice.some_guardians(1))).0,
        alice.remove(alice.start(), end.clone()).0,
        alice.settle(alice.start(), &[head("a", 1)]).0,
        alice.unlock(alice.start(), &[&alice.genesis]).0,
        alice.cancel(alice.start(), &[&alice.genesis]).0,
        alice.retire(alice.start(), vec![end.clone()]).0,
        alice.retire_for_good(alice.start(), vec![]).0,
        alice.lock(&phone, 1, &[&alice.genesis]),
        alice.postpone(&phone, &alice.genesis),
        alice.grant(&phone, &device("laptop")),
        alice.drop(&phone, end),
        alice.services(&phone, 1),
        alice.genesis.clone(),
    ];
    for object in objects {
        let payload = Payload::decode(object.payload()).expect("good");
        assert_eq!(payload.encode(), object.payload(), "{}", payload.type_name());
    }
    assert_eq!(NextKeys::commit_to(&KeyList::single(&phone.public())).threshold, 1);
}
