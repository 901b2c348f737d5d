//! The vectors of chapter 03: made here from fixed input, and run from their JSON.

use xom_protocol::keys::{Domain, PublicKey, SecretKey, Signature};
use xom_protocol::{BlobId, Did, Digest, EntryId, Network, encoding};

use crate::support::{Vector, check_cddl, check_regenerated, hex, read_vectors};

const FILE: &str = "encoding.json";
const ABOUT: &str = "Chapter 03. object: cbor is one object of at most cbor_bytes_max bytes. did, entry-id, \
    blob-id: text, and bytes where it is valid. network: text. public-key: key. signature: message signed under \
    domain and network by key.";
/// Bytes allowed of an object in these vectors.
const OBJECT_BYTES_MAX: u64 = 4_096;

fn objects() -> Vec<Vector> {
    let deep = |levels: usize| {
        let mut bytes = vec![0x81; levels - 1];
        bytes.push(0x80);
        bytes
    };
    let link = |cid: &[u8]| [&[0xd8, 0x2a, 0x58, u8::try_from(cid.len()).expect("short")][..], cid].concat();
    let entry = EntryId([7; 32]).cid().to_bytes();
    let whole = [&[0], &entry[..]].concat();
    let valid: [(&str, Vec<u8>); 12] = [
        ("the integer 0", vec![0x00]),
        ("the greatest integer", vec![0x1b, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("the least integer", vec![0x3b, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("an empty map", vec![0xa0]),
        ("null", vec![0xf6]),
        ("text of three bytes", vec![0x63, 0xe1, 0xbb, 0x91]),
        ("text with a NUL", vec![0x61, 0x00]),
        ("a shorter key first", b"\xa2\x61b\x01\x62aa\x02".to_vec()),
        ("sixteen levels", deep(16)),
        ("16,383 items in one array", [&[0x99, 0x3f, 0xff][..], &vec![0x00; 16_383]].concat()[..].to_vec()),
        ("a link to an entry", link(&whole)),
        ("an array of everything", b"\x88\x00\x20\x41a\x61b\x80\xa0\xf5\xf6".to_vec()),
    ];
    let invalid: [(&str, &str, Vec<u8>); 32] = [
        ("ENC-1", "no byte", vec![]),
        ("ENC-1", "a head cut short", vec![0x19, 0x01]),
        ("ENC-1", "text cut short", vec![0x63, b'a']),
        ("ENC-1", "an array cut short", vec![0x82, 0x00]),
        ("ENC-1", "bytes of 2^63-1", vec![0x5b, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
        ("ENC-1", "two items", vec![0x00, 0x00]),
        ("ENC-1", "longer than allowed", [&[0x59, 0x10, 0x00][..], &vec![0; 4_096]].concat()),
        ("ENC-2", "23 in two bytes", vec![0x18, 0x17]),
        ("ENC-2", "255 in three bytes", vec![0x19, 0x00, 0xff]),
        ("ENC-2", "-1 in two bytes", vec![0x38, 0x00]),
        ("ENC-2", "a length in two bytes", vec![0x78, 0x01, b'a']),
        ("ENC-2", "an indefinite array", vec![0x9f, 0xff]),
        ("ENC-2", "an indefinite map", vec![0xbf, 0xff]),
        ("ENC-2", "indefinite text", vec![0x7f, 0x61, b'a', 0xff]),
        ("ENC-3", "keys out of order", b"\xa2\x61b\x01\x61a\x02".to_vec()),
        ("ENC-3", "a longer key first", b"\xa2\x62aa\x01\x61b\x02".to_vec()),
        ("ENC-3", "a repeated key", b"\xa2\x61a\x01\x61a\x02".to_vec()),
        ("ENC-3", "an integer as key", vec![0xa1, 0x01, 0x01]),
        ("ENC-3", "text that is not UTF-8", vec![0x61, 0xff]),
        ("ENC-3", "a surrogate", vec![0x63, 0xed, 0xa0, 0x80]),
        ("ENC-4", "a double", vec![0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        ("ENC-4", "a half-width NaN", vec![0xf9, 0x7e, 0x00]),
        ("ENC-4", "undefined", vec![0xf7]),
        ("ENC-4", "a simple value", vec![0xf8, 0x20]),
        ("ENC-5", "seventeen levels", deep(17)),
        ("ENC-5", "a declared array of 2^63-1", vec![0x9b, 0x7f, 255, 255, 255, 255, 255, 255, 255]),
        ("ENC-5", "a declared map of 2^64-1 pairs", vec![0xbb, 255, 255, 255, 255, 255, 255, 255, 255]),
        ("ENC-6", "a bignum", vec![0xc2, 0x41, 0x01]),
        ("ENC-6", "a link without its zero byte", link(&entry)),
        ("ENC-6", "a link with a digest cut short", link(&whole[..whole.len() - 1])),
        ("ENC-6", "a link with a byte too many", link(&[&whole[..], &[0]].concat())),
        ("ENC-6", "a link of text", vec![0xd8, 0x2a, 0x61, b'a']),
    ];
    let max_of = |name: &str| if name.starts_with("16,383") { 20_000 } else { OBJECT_BYTES_MAX };
    let vector = |name: &str, rule, bytes: &[u8]| {
        Vector::new(name, "object", rule).with("cbor", hex(bytes)).with("cbor_bytes_max", max_of(name))
    };
    let valid = valid.iter().map(|(name, bytes)| vector(name, None, bytes));
    valid.chain(invalid.iter().map(|(rule, name, bytes)| vector(name, Some(rule), bytes))).collect()
}

fn ids() -> Vec<Vector> {
    let (did, entry, blob) = (Did([7; 32]), EntryId([7; 32]), BlobId::of(b"hello"));
    let valid = |is: &str, name: &str, text: String, bytes: [u8; 32]| {
        Vector::new(name, is, None).with("text", text).with("bytes", hex(bytes))
    };
    let invalid = |is: &str, name: &str, text: String| Vector::new(name, is, Some("ENC-7")).with("text", text);
    vec![
        valid("did", "a DID", did.to_string(), did.0),
        valid("entry-id", "an entry id", entry.to_string(), entry.0),
        valid("blob-id", "the id of the blob hello", blob.to_string(), blob.0),
        invalid("did", "a DID in upper case", format!("did:xom:{}", did.method_specific().to_uppercase())),
        invalid("did", "a DID with a path", format!("{did}/posts")),
        invalid("did", "a DID with a query", format!("{did}?service=x")),
        invalid("did", "a DID with a fragment", format!("{did}#key")),
        invalid("did", "a DID with percent-encoding", did.to_string().replace('a', "%61")),
        invalid("did", "a DID cut short", did.to_string()[..59].to_owned()),
        invalid("did", "a DID with stray bits at its end", format!("{}b", &did.to_string()[..59])),
        invalid("entry-id", "a blob id for an entry", blob.to_string()),
        invalid(
            "entry-id",
            "an entry id in base58",
            entry.cid().to_string_of_base(cid::multibase::Base::Base58Btc).expect("text"),
        ),
        invalid("blob-id", "an entry id for a blob", entry.to_string()),
    ]
}

fn networks_and_keys() -> Vec<Vector> {
    let network = |name: &str, rule, text: &str| Vector::new(name, "network", rule).with("text", text);
    let public_key = |name: &str, rule, key: [u8; 32]| Vector::new(name, "public-key", rule).with("key", hex(key));
    let mut small_order = [0; 32];
    small_order[0] = 1;
    let mut not_canonical = [0xff; 32];
    (not_canonical[0], not_canonical[31]) = (0xee, 0x7f);
    let mut not_a_point = [0; 32];
    not_a_point[0] = 2;
    let alice = SecretKey::from_seed(&[1; 32]).expect("seed");
    let bob = SecretKey::from_seed(&[2; 32]).expect("seed");
    let signature = alice.sign(Domain::Entry, Network::MAIN, b"xom");
    let signed =
        |name: &str, rule, domain: &str, network: &str, message: &[u8], key: &SecretKey, signature: [u8; 64]| {
            let (key, signature) = (hex(key.public().to_bytes()), hex(signature));
            let vector = Vector::new(name, "signature", rule).with("domain", domain).with("network", network);
            vector.with("message", hex(message)).with("key", key).with("signature", signature)
        };
    let bad = Some("ENC-12");
    vec![
        network("the public network", None, "main"),
        network("a long network name", None, &"x".repeat(32)),
        network("no network name", Some("ENC-9"), ""),
        network("a network name in upper case", Some("ENC-9"), "Main"),
        network("a network name that is too long", Some("ENC-9"), &"x".repeat(33)),
        public_key("a public key", None, alice.public().to_bytes()),
        public_key("a key of small order", Some("ENC-11"), small_order),
        public_key("a key of zeros", Some("ENC-11"), [0; 32]),
        public_key("a key that is not canonical", Some("ENC-11"), not_canonical),
        public_key("a key that is no point", Some("ENC-11"), not_a_point),
        signed("a signature", None, "entry", "main", b"xom", &alice, signature.0),
        signed("a signature of another domain", bad, "statement", "main", b"xom", &alice, signature.0),
        signed("a signature of another network", bad, "entry", "test", b"xom", &alice, signature.0),
        signed("a signature over another message", bad, "entry", "main", b"mox", &alice, signature.0),
        signed("a signature by another key", bad, "entry", "main", b"xom", &bob, signature.0),
        signed("a signature with S not reduced", bad, "entry", "main", b"xom", &alice, not_reduced(signature)),
    ]
}

/// The signature with the group's order added to its S.
fn not_reduced(signature: Signature) -> [u8; 64] {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut bytes = signature.0;
    let mut carry = 0;
    for (byte, order) in bytes[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    bytes
}

#[test]
fn the_encoding_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, [objects(), ids(), networks_and_keys()].concat());
}

#[test]
fn the_encoding_vectors_hold() {
    for vector in read_vectors(FILE) {
        assert_eq!(run(&vector).err().as_deref(), vector.rule.as_deref(), "{}", vector.name);
    }
}

fn run(vector: &Vector) -> Result<(), String> {
    let text = || vector.text("text");
    match vector.is.as_str() {
        "object" => {
            let bytes_max = usize::try_from(vector.number("cbor_bytes_max")).expect("small");
            let bytes = vector.bytes("cbor");
            encoding::check(&bytes, bytes_max).map_err(|e| e.rule().to_string())?;
            check_cddl("object", &["03-encoding.md"], &bytes, &vector.name);
        }
        "did" => read(vector, text().parse::<Did>().map(|id| id.0).ok(), text().parse::<Did>().ok())?,
        "entry-id" => read(vector, text().parse::<EntryId>().map(|id| id.0).ok(), text().parse::<EntryId>().ok())?,
        "blob-id" => read(vector, text().parse::<BlobId>().map(|id| id.0).ok(), text().parse::<BlobId>().ok())?,
        "network" => text().parse::<Network>().map(|_| ()).map_err(|_| "ENC-9")?,
        "public-key" => {
            PublicKey::from_bytes(&vector.array("key")).map(|_| ()).map_err(|e| e.rule().to_string())?;
        }
        "signature" => {
            let key = PublicKey::from_bytes(&vector.array("key")).expect("usable");
            let domains = [Domain::Entry, Domain::Statement, Domain::Identity];
            let network = vector.text("network").parse().expect("name");
            let prefix = format!("xom/1/{}/{network}\0", vector.text("domain"));
            let domain = domains.into_iter().find(|d| d.prefix(network) == prefix.as_bytes()).expect("domain");
            let signature = Signature(vector.array("signature"));
            key.verify(domain, network, &vector.bytes("message"), &signature).map_err(|e| e.rule().to_string())?;
        }
        other => panic!("{other} is unknown"),
    }
    Ok(())
}

/// `ENC-10`: no two domains or networks share a prefix, and none is the beginning of another.
#[test]
fn every_domain_has_a_prefix_of_its_own() {
    let domains = [
        Domain::Identity,
        Domain::Statement,
        Domain::Entry,
        Domain::Purge,
        Domain::Invite,
        Domain::LogId,
        Domain::Body,
        Domain::Handshake,
    ];
    let networks = [Network::MAIN, "main2".parse().expect("name"), "test".parse().expect("name")];
    let prefixes: Vec<Vec<u8>> =
        domains.iter().flat_map(|domain| networks.map(|network| domain.prefix(network))).collect();
    for (index, prefix) in prefixes.iter().enumerate() {
        let others = prefixes.iter().enumerate().filter(|(other, _)| *other != index);
        assert!(others.into_iter().all(|(_, other)| !other.starts_with(prefix)));
    }
    assert_eq!(Domain::Entry.prefix(Network::MAIN), b"xom/1/entry/main\0");
}

fn read<T: ToString>(vector: &Vector, bytes: Option<[u8; 32]>, id: Option<T>) -> Result<(), String> {
    let (bytes, id) = bytes.zip(id).ok_or("ENC-7")?;
    assert_eq!((hex(Digest(bytes).0), id.to_string()), (vector.text("bytes").into(), vector.text("text").into()));
    Ok(())
}
