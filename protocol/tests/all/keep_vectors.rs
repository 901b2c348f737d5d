//! Questions to holders and their answers (`KEEP-6`, `KEEP-7`, `KEEP-8`): their vectors, and what is neither.

use serde_bytes::ByteBuf;
use xom_protocol::identity::{IdentityRecord, SignedObject, compose};
use xom_protocol::keep::{
    Answer, Decision, HeldLog, Holding, KeepError, Question, SignedHolding, SignedQuestion, Terms,
};
use xom_protocol::keys::{Domain, SecretKey};
use xom_protocol::{Digest, LogId, Network, encoding};

use crate::identity::people::{Person, alice, device, end, person};
use crate::support::{Vector, check_cddl, check_regenerated, hex, matches_cddl, read_vectors};

const FILE: &str = "keep.json";
const ABOUT: &str = "Chapter 10, on network main. keep-ask: cbor is a frame's body, judged on a connection between the \
    peers asker and asked, with the objects in it. keep-answer: cbor is a frame's body, judged as the answer to question, \
    a valid keep-ask, with the objects in it.";
const CHAPTERS: &[&str] = &["03-encoding.md", "02-entries-and-logs.md", "04-sync.md", "10-keeping.md"];
const ASKER: &[u8] = b"peer of alice";
const ASKED: &[u8] = b"peer of bob";

fn question(author: &Person, key: &SecretKey) -> Question {
    Question {
        author: author.did,
        device: key.public().device_id(),
        asker: ASKER.to_vec(),
        asked: ASKED.to_vec(),
        nonce: [7; 32],
        wanted: Some(Terms::default()),
    }
}

fn ask(question: Question, objects: &[Vec<u8>], key: &SecretKey) -> SignedQuestion {
    SignedQuestion::sign(Network::MAIN, question, objects.to_vec(), key)
}

fn alices() -> SignedQuestion {
    let (alice, key) = (alice(), alice().first_device());
    ask(question(&alice, &key), &[alice.genesis.encode()], &key)
}

fn holding(holder: &Person, key: &SecretKey) -> Holding {
    let log =
        |number| HeldLog { log: LogId([number; 32]), height: u64::from(number), head: Digest([number + 100; 32]) };
    Holding {
        holder: holder.did,
        device: key.public().device_id(),
        author: alice().did,
        question: alices().digest(Network::MAIN),
        bytes: 123_456,
        quota_bytes: 2_000_000_000,
        until_ms: 1_800_000_000_000,
        logs: vec![log(1), log(2)],
    }
}

fn answer(stated: Option<SignedHolding>, decision: Decision) -> Vec<u8> {
    Answer { objects: vec![person("bob").genesis.encode()], stated, decision }.encode()
}

fn bobs(change: impl FnOnce(&mut Holding)) -> Vec<u8> {
    let (bob, key) = (person("bob"), person("bob").first_device());
    let mut holding = holding(&bob, &key);
    change(&mut holding);
    answer(Some(SignedHolding::sign(Network::MAIN, holding, &key)), Decision::Kept)
}

/// An ask out of any parts.
fn raw_ask(domain: Domain, network: Network, kind: u64, question: &[u8]) -> Vec<u8> {
    let (alice, key) = (alice(), alice().first_device());
    let objects = vec![ByteBuf::from(alice.genesis.encode())];
    encoding::encode(&(kind, objects, ByteBuf::from(question), key.sign(domain, network, question)))
}

/// The signed part of alice's question, with members of any kind.
fn raw_question(version: u64, asker: &[u8], wanted: &[(u64, u64)]) -> Vec<u8> {
    let (alice, key) = (alice(), alice().first_device());
    let (asker, asked) = (ByteBuf::from(asker), ByteBuf::from(ASKED));
    let device = key.public().device_id();
    encoding::encode(&(version, alice.did, device, asker, asked, Digest([7; 32]), wanted))
}

fn ask_vector(name: &str, rule: Option<&str>, cbor: Vec<u8>) -> Vector {
    Vector::new(name, "keep-ask", rule).with("asker", hex(ASKER)).with("asked", hex(ASKED)).with("cbor", hex(cbor))
}

fn answer_vector(name: &str, rule: Option<&str>, cbor: Vec<u8>) -> Vector {
    Vector::new(name, "keep-answer", rule).with("question", hex(alices().encode())).with("cbor", hex(cbor))
}

fn vectors() -> Vec<Vector> {
    let (alice, key) = (alice(), alice().first_device());
    let own = [alice.genesis.encode()];
    let of = |change: fn(&mut Question), key: &SecretKey, objects: &[Vec<u8>]| {
        let mut question = question(&alice, key);
        change(&mut question);
        ask(question, objects, key).encode()
    };
    let tablet = device("tablet");
    let grant = compose::grant(Network::MAIN, alice.did, &key, &tablet).expect("grant").encode();
    let drop = compose::drop(Network::MAIN, alice.did, &key, end(&tablet, &[], &[])).expect("drop").encode();
    let granted = [own[0].clone(), grant.clone()];
    let dropped = [own[0].clone(), grant, drop];
    let main = |question: &[u8]| raw_ask(Domain::KeepQuestion, Network::MAIN, 0, question);
    let whole = raw_question(1, ASKER, &[]);
    let other: Network = "test".parse().expect("a name");
    let carol = person("carol");
    let (bob, bobs_key) = (person("bob"), person("bob").first_device());
    let stated = SignedHolding::sign(Network::MAIN, holding(&bob, &bobs_key), &bobs_key);
    let strangers = SignedHolding::sign(Network::MAIN, holding(&bob, &device("stranger")), &device("stranger"));
    let ok = |name: &str, cbor| ask_vector(name, None, cbor);
    let bad = |rule: &str, name: &str, cbor| ask_vector(name, Some(rule), cbor);
    let answered = |name: &str, cbor| answer_vector(name, None, cbor);
    let wrong = |rule: &str, name: &str, cbor| answer_vector(name, Some(rule), cbor);
    vec![
        ok("alice asks to be kept", alices().encode()),
        ok("alice asks only what is held", of(|question| question.wanted = None, &key, &own)),
        ok("a device of hers that she has granted", of(|_| {}, &tablet, &granted)),
        bad("KEEP-6", "a device that she has dropped", of(|_| {}, &tablet, &dropped)),
        bad("KEEP-6", "a device that she does not have", of(|_| {}, &device("stranger"), &own)),
        bad("KEEP-6", "a question of another peer", of(|question| question.asker = b"mallory".to_vec(), &key, &own)),
        bad("KEEP-6", "a question to another peer", of(|question| question.asked = b"mallory".to_vec(), &key, &own)),
        bad("KEEP-6", "a quota below a megabyte", main(&raw_question(1, ASKER, &[(999_999, 1)]))),
        bad(
            "KEEP-6",
            "a time of more than a hundred years",
            main(&raw_question(1, ASKER, &[(1_000_000, 3_153_600_000_001)])),
        ),
        bad("KEEP-6", "two wishes", main(&raw_question(1, ASKER, &[(1_000_000, 1), (1_000_000, 1)]))),
        bad("KEEP-6", "version 2", main(&raw_question(2, ASKER, &[]))),
        bad("KEEP-6", "an empty peer id", main(&raw_question(1, b"", &[]))),
        bad("KEEP-6", "an ask of another kind", raw_ask(Domain::KeepQuestion, Network::MAIN, 1, &whole)),
        bad("ENC-12", "a question for another network", raw_ask(Domain::KeepQuestion, other, 0, &whole)),
        bad("ENC-12", "a handshake's signature under a question", raw_ask(Domain::Handshake, Network::MAIN, 0, &whole)),
        bad("ENC-1", "bytes after the question", main(&[whole.clone(), vec![0]].concat())),
        answered("bob keeps and holds two logs", bobs(|_| {})),
        answered(
            "bob holds nothing",
            bobs(|holding| {
                (holding.bytes, holding.quota_bytes, holding.until_ms) = (0, 0, 0);
                holding.logs.clear();
            }),
        ),
        answered("nobody is there to sign", answer(None, Decision::NothingAsked)),
        answered("bob refuses", answer(Some(stated.clone()), Decision::Refused)),
        answered("bob's owner has not decided", answer(Some(stated), Decision::Waits)),
        wrong("KEEP-8", "the answer to another question", bobs(|holding| holding.question = Digest([9; 32]))),
        wrong("KEEP-8", "an answer about somebody else", bobs(|holding| holding.author = carol.did)),
        wrong("KEEP-8", "a device that bob does not have", answer(Some(strangers), Decision::Kept)),
        wrong("KEEP-8", "another holder's name", bobs(|holding| holding.holder = carol.did)),
        wrong("KEEP-8", "logs out of order", bobs(|holding| holding.logs.reverse())),
        wrong("KEEP-8", "one log twice", bobs(|holding| holding.logs = vec![holding.logs[0]; 2])),
        wrong("KEEP-8", "a log of no entries", bobs(|holding| holding.logs[0].height = 0)),
        wrong("KEEP-7", "a decision that is not known", encoding::encode(&(1, [0; 0], [0; 0], 4))),
        wrong("KEEP-7", "an answer of another kind", encoding::encode(&(0, [0; 0], [0; 0], 0))),
        wrong("KEEP-7", "an answer without a decision", encoding::encode(&(1, [0; 0], [0; 0]))),
    ]
}

#[test]
fn the_keep_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

fn record(objects: &[Vec<u8>]) -> IdentityRecord {
    let objects = objects.iter().map(|bytes| SignedObject::decode(bytes).expect("an object"));
    IdentityRecord::from_objects(Network::MAIN, objects).expect("an identity")
}

fn run(vector: &Vector) -> Result<(), KeepError> {
    let cbor = vector.bytes("cbor");
    match vector.is.as_str() {
        "keep-ask" => {
            let asked = SignedQuestion::decode(&cbor)?;
            let (asker, to) = (vector.bytes("asker"), vector.bytes("asked"));
            asked.verify(Network::MAIN, record(&asked.objects).state(), &asker, &to)?;
            assert_eq!(asked.encode(), cbor, "{}", vector.name);
        }
        "keep-answer" => {
            let question = SignedQuestion::decode(&vector.bytes("question")).expect("a question");
            let answer = Answer::decode(&cbor)?;
            if let Some(stated) = &answer.stated {
                stated.verify(Network::MAIN, record(&answer.objects).state(), &question)?;
                assert_eq!(SignedHolding::decode(&stated.encode()).as_ref(), Ok(stated), "{}", vector.name);
            }
            assert_eq!(answer.encode(), cbor, "{}", vector.name);
        }
        other => panic!("{other} is not known"),
    }
    Ok(())
}

#[test]
fn every_keep_vector_gets_the_verdict_that_it_names() {
    for vector in read_vectors("keep.json") {
        let rule = run(&vector).err().map(|e| e.rule().0.to_owned());
        assert_eq!(rule, vector.rule, "{}", vector.name);
        let bytes = vector.bytes("cbor");
        match vector.rule.as_deref() {
            None => check_cddl(&vector.is, CHAPTERS, &bytes, &vector.name),
            Some("KEEP-7") => assert!(!matches_cddl(&vector.is, CHAPTERS, &bytes), "{}", vector.name),
            Some(_) => {}
        }
    }
}

#[test]
fn the_signed_parts_match_the_cddl() {
    check_cddl("keep-question", CHAPTERS, &raw_question(1, ASKER, &[(1_000_000, 1)]), "a question");
    let stated = encoding::encode(&(
        1,
        alice().did,
        alice().first_device().public().device_id(),
        person("bob").did,
        Digest([1; 32]),
        5,
        6,
        7,
        [(LogId([1; 32]), 1, Digest([2; 32]))],
    ));
    check_cddl("holding", CHAPTERS, &stated, "a holding");
    assert!(!matches_cddl("keep-question", CHAPTERS, &raw_question(1, ASKER, &[(999_999, 1)])));
}

#[test]
fn identity_objects_that_are_too_many_for_a_frame_stay_away() {
    let (alice, key) = (alice(), alice().first_device());
    let objects = vec![vec![0; 100_000]; 3];
    let asked = ask(question(&alice, &key), &objects, &key);
    assert_eq!(SignedQuestion::decode(&asked.encode()).expect("fits").objects, Vec::<Vec<u8>>::new());
}
