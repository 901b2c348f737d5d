//! Signatures at the edges of ed25519 (R-SIG-1): one frozen answer, the same on every path by which a signature
//! reaches a node.

mod forge;

use std::path::{Path, PathBuf};

use data_encoding::BASE64URL_NOPAD;
use forge::{Case, Forged, forge, lax};
use xom_protocol::entry::{Header, Kind, SignedEntry, verify_signed};
use xom_protocol::identity::{Genesis, IdentityRecord, Inserted, Origin, Payload, SignedObject, Statement};
use xom_protocol::invite::Invite;
use xom_protocol::keys::{Domain, PublicKey, Signature};
use xom_protocol::log::{Position, verify_run};
use xom_protocol::phrase::Phrase;
use xom_protocol::sync::message::Claim;
use xom_protocol::sync::{self, ProofContext};
use xom_protocol::{DeviceId, Did, Digest, LogId, Network, encoding};

const NETWORK: Network = Network::MAIN;
const DID: Did = Did([9; 32]);

/// A path: what is signed there, and what the node says of a signature over it.
trait Signed {
    const DOMAIN: Domain;
    fn bytes(key: &[u8; 32], number: u64) -> Vec<u8>;
    fn accepts(forged: &Forged) -> bool;
}

fn check<P: Signed>() {
    for case in Case::ALL {
        let message = |key: &[u8; 32], number| [P::DOMAIN.prefix(NETWORK), P::bytes(key, number)].concat();
        let forged = forge(case, &message);
        assert!(lax(case, &forged, &message(&forged.key, forged.number)), "{case:?} is not what it says");
        assert_eq!(P::accepts(&forged), case.is_accepted(), "{case:?}");
    }
}

/// A key and a signature by themselves.
struct Bare;

impl Signed for Bare {
    const DOMAIN: Domain = Domain::Purge;

    fn bytes(_: &[u8; 32], number: u64) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    fn accepts(forged: &Forged) -> bool {
        let Ok(key) = PublicKey::from_bytes(&forged.key) else { return false };
        let bytes = Self::bytes(&forged.key, forged.number);
        key.verify(Self::DOMAIN, NETWORK, &bytes, &Signature(forged.signature)).is_ok()
    }
}

/// An entry that stands alone, as live push and single entries do.
struct Entry;

impl Entry {
    fn signed(forged: &Forged) -> SignedEntry {
        let header = Self::bytes(&forged.key, forged.number);
        SignedEntry { header, signature: Some(Signature(forged.signature)), body: None }
    }
}

impl Signed for Entry {
    const DOMAIN: Domain = Domain::Entry;

    fn bytes(key: &[u8; 32], number: u64) -> Vec<u8> {
        let header = Header {
            author: DID,
            device: DeviceId(*key),
            log: LogId([8; 32]),
            seq: 0,
            prev: None,
            commitment: Digest([7; 32]),
            size_class: 8,
            time_ms: number,
            kind: Kind::Post,
        };
        header.encode()
    }

    fn accepts(forged: &Forged) -> bool {
        let Ok(key) = PublicKey::from_bytes(&forged.key) else { return false };
        verify_signed(NETWORK, &key, Self::signed(forged)).is_ok()
    }
}

/// A run of a log: catch-up, replay from the disk, the check of an archive.
struct Run;

impl Signed for Run {
    const DOMAIN: Domain = Domain::Entry;

    fn bytes(key: &[u8; 32], number: u64) -> Vec<u8> {
        Entry::bytes(key, number)
    }

    fn accepts(forged: &Forged) -> bool {
        let Ok(key) = PublicKey::from_bytes(&forged.key) else { return false };
        let run = verify_run(NETWORK, &key, DID, LogId([8; 32]), Position::EMPTY, vec![Entry::signed(forged)]);
        run.refused.is_none() && run.accepted.len() == 1
    }
}

/// An invite.
struct Invitation;

impl Signed for Invitation {
    const DOMAIN: Domain = Domain::Invite;

    fn bytes(key: &[u8; 32], number: u64) -> Vec<u8> {
        format!("xom:{DID}?a=address{number}&d={}", BASE64URL_NOPAD.encode(key)).into_bytes()
    }

    fn accepts(forged: &Forged) -> bool {
        let unsigned = String::from_utf8(Self::bytes(&forged.key, forged.number)).expect("text");
        Invite::parse(NETWORK, &format!("{unsigned}&s={}", BASE64URL_NOPAD.encode(&forged.signature))).is_ok()
    }
}

/// A peer's proof that it holds a device key.
struct Handshake;

impl Handshake {
    fn context(number: u64) -> ProofContext<'static> {
        let mut prover_nonce = [1; 32];
        prover_nonce[..8].copy_from_slice(&number.to_be_bytes());
        ProofContext {
            network: NETWORK,
            version: 1,
            prover_nonce,
            checker_nonce: [2; 32],
            prover_peer_id: b"mallory",
            checker_peer_id: b"alice",
        }
    }
}

impl Signed for Handshake {
    const DOMAIN: Domain = Domain::Handshake;

    fn bytes(key: &[u8; 32], number: u64) -> Vec<u8> {
        Self::context(number).signed_bytes(&DID, &DeviceId(*key))
    }

    fn accepts(forged: &Forged) -> bool {
        let claim = Claim { did: DID, device: DeviceId(forged.key), signature: Signature(forged.signature) };
        sync::verify(&Self::context(forged.number), &claim).is_ok()
    }
}

/// A statement of the first device of an identity.
struct Identity;

impl Identity {
    /// Alice's genesis with another first device, signed by her control key.
    fn genesis(device: &[u8; 32]) -> SignedObject {
        let phrase = Phrase::from_entropy(&[5; 32]).expect("entropy");
        let payload = Payload::decode(phrase.genesis(NETWORK).payload()).expect("a genesis");
        let Payload::Genesis(genesis) = payload else { panic!("not a genesis") };
        let payload = Payload::Genesis(Genesis { device: DeviceId(*device), ..genesis }).encode();
        let signature = phrase.control_key(0).sign(Domain::Identity, NETWORK, &payload);
        object(&payload, signature)
    }
}

fn object(payload: &[u8], signature: Signature) -> SignedObject {
    let wire = encoding::encode(&(serde_bytes::Bytes::new(payload), [(0_u64, signature)]));
    SignedObject::decode(&wire).expect("the form is right")
}

impl Signed for Identity {
    const DOMAIN: Domain = Domain::Statement;

    fn bytes(key: &[u8; 32], number: u64) -> Vec<u8> {
        let origin = Origin { did: Did(Self::genesis(key).id().0), by: DeviceId(*key) };
        Payload::Statement(origin, Statement::Services { rev: number + 1, addresses: Vec::new() }).encode()
    }

    fn accepts(forged: &Forged) -> bool {
        let Ok(mut record) = IdentityRecord::from_genesis(NETWORK, Self::genesis(&forged.key)) else { return false };
        let statement = object(&Self::bytes(&forged.key, forged.number), Signature(forged.signature));
        matches!(record.insert(statement), Ok(Inserted::New))
    }
}

#[test]
fn r_sig_1_a_signature_by_itself_has_the_frozen_answer() {
    check::<Bare>();
}

#[test]
fn r_sig_1_an_entry_alone_has_the_frozen_answer() {
    check::<Entry>();
}

#[test]
fn r_sig_1_a_run_of_a_log_has_the_frozen_answer() {
    check::<Run>();
}

#[test]
fn r_sig_1_an_invite_has_the_frozen_answer() {
    check::<Invitation>();
}

#[test]
fn r_sig_1_a_proof_in_the_handshake_has_the_frozen_answer() {
    check::<Handshake>();
}

#[test]
fn r_sig_1_an_identity_object_has_the_frozen_answer() {
    check::<Identity>();
}

#[test]
fn r_sig_1_signatures_are_judged_in_one_place_and_never_in_batches() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut judges = Vec::new();
    for folder in ["protocol/src", "node/src", "client-api/src"] {
        for (path, text) in sources(&root.join(folder)) {
            assert!(!text.contains("verify_batch"), "{} verifies in batches", path.display());
            let names = text.contains("ed25519_dalek");
            assert!(!names || path.ends_with("protocol/src/keys.rs"), "{} names the curve itself", path.display());
            judges.extend(text.matches(".verify_strict(").map(|_| path.clone()));
        }
    }
    assert_eq!(judges.len(), 1, "{judges:?}");
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            found.push((path, text));
        }
    }
    found
}
