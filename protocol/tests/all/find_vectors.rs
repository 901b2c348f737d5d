//! The vectors of chapter 09: under which keys identities are looked for.

use xom_protocol::{Did, Digest, Network, find};

use crate::support::{Vector, check_regenerated, hex, read_vectors};

const FILE: &str = "find.json";
const ABOUT: &str = "Chapter 09. key: of the 32 bytes of a DID in a network (FIND-2).";

fn vectors() -> Vec<Vector> {
    let key = |network: &str, did: u8| find::key(network.parse().expect("a network"), &Did([did; 32])).0;
    let told = |name: &str, rule: Option<&str>, network: &str, did: u8, key: &[u8]| {
        let vector = Vector::new(name, "key", rule).with("network", network);
        vector.with("did", hex([did; 32])).with("key", hex(key))
    };
    let wrong = Some("FIND-2");
    vec![
        told("an identity", None, "main", 1, &key("main", 1)),
        told("another identity", None, "main", 2, &key("main", 2)),
        told("the same in another network", None, "test", 1, &key("test", 1)),
        told("the key of another network", wrong, "test", 1, &key("main", 1)),
        told("a hash without prefix", wrong, "main", 1, &Digest::of(&[&[1; 32]]).0),
        told("the DID itself", wrong, "main", 1, &[1; 32]),
    ]
}

#[test]
fn the_find_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

#[test]
fn find_2_every_vector_gets_the_verdict_that_it_names() {
    for vector in read_vectors("find.json") {
        let network: Network = vector.text("network").parse().expect("a network");
        let did = Did(vector.bytes("did").try_into().expect("32 bytes"));
        let right = find::key(network, &did).0.to_vec() == vector.bytes("key");
        assert_eq!(right, vector.rule.is_none(), "{}", vector.name);
    }
}

#[test]
fn find_2_every_identity_has_a_key_of_its_own_in_each_network() {
    let test: Network = "test".parse().expect("a network");
    let one = Did([1; 32]);
    let keys = [find::key(Network::MAIN, &one), find::key(Network::MAIN, &Did([2; 32])), find::key(test, &one)];
    assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
}
