//! The vectors of algorithms: documents, and orders that come of them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use xom_protocol::encoding;
use xom_protocol::feed::{
    Algorithm, AlgorithmError, BUILTINS, Bucket, Candidate, Cap, CapBy, Case, Document, Expected, From, KeptOut, Mix,
    Param, Ranking, Reason, Source, Value,
};
use xom_protocol::{Did, EntryId};

use super::algorithms::whole;
use super::ranking::NOW;
use crate::support::{Vector, check_cddl, check_regenerated, hex, matches_cddl, read_vectors};

const FILE: &str = "algorithms.json";
const ABOUT: &str = "Chapter 17. algorithm: cbor is a rule document and id its id; where rule is null it is an algorithm. ranking: cbor is an algorithm, bucket its second, and candidates are lists of entry id, author (hexadecimal), first entry of the thread, time in milliseconds, sources (bit n for the source at place n), what the reader keeps it out by or null, and features as pairs of path and value; features that are not there are 0, false or empty. items are what is shown, in order: place among the candidates, score, terms (a number, or the name of an error), place by score, the cap that held it back or null, the mix that lifted it or null, and whether it stands against a cap. withheld are place and reason, by entry id. Parameters have their defaults.";
const CHAPTERS: &[&str] = &["03-encoding.md", "17-algorithms.md"];

fn algorithm(name: &str, rule: Option<&str>, cbor: &[u8]) -> Vector {
    let id = xom_protocol::AlgorithmId::of(cbor).to_string();
    Vector::new(name, "algorithm", rule).with("cbor", hex(cbor)).with("id", id)
}

fn changed(change: impl FnOnce(&mut Document)) -> Vec<u8> {
    let mut document = whole();
    change(&mut document);
    document.encode()
}

/// The whole document as a map, with a change.
fn raw(change: impl FnOnce(&mut BTreeMap<String, ipld_core::ipld::Ipld>)) -> Vec<u8> {
    let mut map = encoding::decode(&whole().encode(), 1 << 16).expect("a map");
    change(&mut map);
    encoding::encode(&map)
}

fn invalid() -> Vec<Vector> {
    let bad = |rule: &str, name: &str, change: fn(&mut Document)| algorithm(name, Some(rule), &changed(change));
    let texts = |text: &str| BTreeMap::from([("en".to_owned(), text.to_owned())]);
    let long = texts(&"x".repeat(101));
    vec![
        bad("ALG-1", "another version", |document| document.version = 2),
        bad("ALG-1", "another table of features", |document| document.features = 2),
        algorithm("a member that is not known", Some("ALG-1"), &raw(|map| drop(map.insert("boost".into(), 1.into())))),
        algorithm(
            "an empty list",
            Some("ALG-1"),
            &raw(|map| drop(map.insert("mixes".into(), ipld_core::ipld::Ipld::List(Vec::new())))),
        ),
        algorithm("no licence", Some("ALG-1"), &raw(|map| drop(map.remove("licence")))),
        bad("ALG-2", "no name", |document| document.name.clear()),
        algorithm("a name of 101 characters", Some("ALG-2"), &changed(|document| document.name = long)),
        algorithm("an empty summary", Some("ALG-2"), &changed(|document| document.summary = texts(""))),
        bad("ALG-2", "a language tag with a blank", |document| {
            document.name.insert("e n".into(), "Whole".into());
        }),
        bad("ALG-2", "a term's name that is no name", |document| document.terms[0].id = "Replies".into()),
        bad("ALG-2", "two terms of one name", |document| document.terms[1].id = "replies".into()),
        bad("ALG-2", "a licence with a line feed", |document| document.licence = "MIT\n".into()),
        bad("ALG-2", "a default out of bounds", |document| document.params[0].default = 11),
        bad("ALG-2", "seventeen parameters", |document| {
            let param = document.params[0].clone();
            document.params.extend((0..16).map(|place| Param { id: format!("p{place}"), ..param.clone() }));
        }),
        bad("ALG-3", "no sources", |document| document.sources.clear()),
        bad("ALG-3", "one source twice", |document| document.sources.push(document.sources[0].clone())),
        bad("ALG-3", "a tag in upper case", |document| document.sources[1].tag = Some("Xóm".into())),
        bad("ALG-3", "a tag of follows", |document| document.sources[0].tag = Some("xóm".into())),
        bad("ALG-3", "a source of no hours", |document| document.sources[0].hours = 0),
        bad("ALG-3", "nine sources", |document| {
            let tag = |place| Source { from: From::Tag, tag: Some(format!("t{place}")), hours: 1 };
            document.sources.extend((0..7).map(tag));
        }),
        bad("ALG-4", "a feature that is not declared", |document| drop(document.reads.remove(1))),
        bad("ALG-4", "a feature that is not read", |document| document.reads.insert(0, "post.age".into())),
        bad("ALG-4", "features out of order", |document| document.reads.swap(0, 1)),
        bad("ALG-4", "a feature that is not in the table", |document| document.reads.push("viewer.password".into())),
        bad("ALG-5", "a term that is a truth value", |document| document.terms[0].value = "true".into()),
        bad("ALG-5", "a filter that is a number", |document| document.filters[0].keep = "1".into()),
        bad("ALG-5", "a term that is no expression", |document| document.terms[0].value = "post.replies +".into()),
        bad("ALG-5", "terms that cost too much", |document| {
            let sum = ["decay(post.replies, 1, 2)"; 12].join(" + ");
            let term = document.terms[0].clone();
            document.terms.extend((0..20).map(|place| xom_protocol::feed::Term {
                id: format!("t{place}"),
                value: sum.clone(),
                ..term.clone()
            }));
        }),
        bad("ALG-6", "a score that comes out otherwise", |document| document.cases[0].score = 7),
        bad("ALG-6", "an error that comes out otherwise", |document| {
            document.cases[0].terms.insert("share".into(), Expected::Error("overflow".into()));
        }),
        bad("ALG-6", "a term that is withheld", |document| {
            document.cases[2].terms.insert("replies".into(), Expected::Number(0));
        }),
        bad("ALG-6", "no test case", |document| document.cases.clear()),
        bad("ALG-6", "two test cases of one name", |document| {
            let again: Case = document.cases[0].clone();
            document.cases.push(again);
        }),
        bad("ALG-6", "a feature that says nothing", |document| {
            document.cases[0].row.entry("post".into()).or_default().insert("reactions".into(), Value::Int(0));
        }),
        bad("ALG-9", "two caps by author", |document| document.caps[1].by = CapBy::Author),
        bad("ALG-9", "a cap as wide as its window", |document| document.caps[0].max = 10),
        bad("ALG-9", "a mix of a source that is not there", |document| document.mixes[0].source = 2),
        bad("ALG-9", "two mixes of one source", |document| {
            document.mixes.push(Mix { source: 1, min: 1, of: 5 });
        }),
    ]
}

/// Entry, author, thread, age in seconds, sources, what the reader keeps it out by, and features.
type Row = (u8, u8, u8, u64, u8, Option<KeptOut>, &'static [(&'static str, i64)]);

/// A post of each kind for the ranking vectors.
fn candidates() -> Vec<(Candidate, Vec<(&'static str, Value)>)> {
    let rows: [Row; 10] = [
        (1, 1, 1, 60, 1, None, &[("post.replies", 5)]),
        (2, 1, 2, 61, 1, None, &[("post.replies", 5), ("viewer.closeness", 100)]),
        (3, 1, 3, 59, 1, None, &[("post.replies", 4)]),
        (4, 2, 1, 59, 2, None, &[("post.replies", 4)]),
        (5, 2, 1, 59, 3, None, &[]),
        (6, 3, 6, 500, 1, None, &[("post.reactions", 100)]),
        (7, 3, 7, 500, 1, Some(KeptOut::Mute), &[("post.replies", 99)]),
        (8, 4, 8, 90_000, 2, None, &[("viewer.closeness", 1_000)]),
        (9, 4, 9, 0, 2, None, &[("post.replies", 1)]),
        (10, 5, 5, 7, 1, None, &[("post.replies", -4)]),
    ];
    let made = |(n, author, thread, age, sources, kept_out, features): Row| {
        let time_ms = if age == 0 { (NOW + 300) * 1_000 } else { (NOW - age) * 1_000 };
        let (entry, thread) = (EntryId([n; 32]), EntryId([thread; 32]));
        let candidate = Candidate { entry, author: Did([author; 32]), thread, time_ms, sources, kept_out, row: vec![] };
        (candidate, features.iter().map(|(path, value)| (*path, Value::Int(*value))).collect())
    };
    rows.into_iter().map(made).collect()
}

fn kept_out(name: &str) -> KeptOut {
    match name {
        "block" => KeptOut::Block,
        "mute" => KeptOut::Mute,
        "word" => KeptOut::Word,
        _ => KeptOut::Label,
    }
}

fn reason(algorithm: &Algorithm, reason: Reason) -> String {
    match reason {
        Reason::Later => "later".to_owned(),
        Reason::Reader(kept_out) => kept_out.name().to_owned(),
        Reason::Clause(place) => format!("filter {}", algorithm.document().filters[place].id),
    }
}

/// Items and withheld of a ranking, as the vectors say them.
fn told(algorithm: &Algorithm, ranking: &Ranking) -> (Vec<Json>, Vec<Json>) {
    let items = ranking.items.iter().map(|item| {
        let judgement = &item.judgement;
        let term = |term: &Result<i64, _>| {
            term.map_or_else(|e: xom_protocol::feed::RunError| json!(e.to_string()), |n| json!(n))
        };
        let terms: Vec<_> = judgement.terms.iter().map(term).collect();
        let moved = item.moved;
        json!([
            item.candidate,
            judgement.score,
            terms,
            item.by_score,
            moved.held_by,
            moved.lifted_by,
            moved.against_cap
        ])
    });
    let withheld = ranking.withheld.iter().map(|(at, why)| json!([at, reason(algorithm, *why)]));
    (items.collect(), withheld.collect())
}

fn json(value: &Value) -> Json {
    serde_json::to_value(value).expect("plain")
}

fn ranking(name: &str, document: &Document) -> Vector {
    let algorithm = Algorithm::check(document.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let parameters = algorithm.parameters(&BTreeMap::new()).expect("defaults");
    let (mut posts, mut listed) = (Vec::new(), Vec::new());
    for (mut post, features) in candidates() {
        let find = |path: &str| features.iter().find(|(name, _)| *name == path).map(|(_, value)| value.clone());
        post.row = algorithm.row(|feature| find(&feature.path()), &parameters);
        let pairs: Vec<_> = features.iter().map(|(path, value)| json!([path, json(value)])).collect();
        let (entry, author, thread) = (post.entry.to_string(), hex(post.author.0), post.thread.to_string());
        let out = post.kept_out.map(KeptOut::name);
        listed.push(json!([entry, author, thread, post.time_ms, post.sources, out, pairs]));
        posts.push(post);
    }
    let (items, withheld) = told(&algorithm, &algorithm.rank(&posts, Bucket::of_ms(NOW * 1_000)));
    Vector::new(name, "ranking", None)
        .with("cbor", hex(document.encode()))
        .with("bucket", NOW)
        .with("candidates", listed)
        .with("items", items)
        .with("withheld", withheld)
}

fn vectors() -> Vec<Vector> {
    let mut plain = whole();
    (plain.caps, plain.mixes) = (Vec::new(), Vec::new());
    let mut capped = whole();
    capped.caps = vec![Cap { by: CapBy::Author, max: 1, of: 3 }, Cap { by: CapBy::Thread, max: 1, of: 4 }];
    capped.mixes = vec![Mix { source: 1, min: 2, of: 3 }];
    let builtins = BUILTINS.map(|builtin| {
        algorithm(&format!("built in: {}", builtin.slug), None, &builtin.algorithm().document().encode())
    });
    let mut vectors = vec![algorithm("one of everything", None, &whole().encode())];
    vectors.extend(builtins);
    vectors.push(ranking("by score alone", &plain));
    vectors.push(ranking("with one cap of each kind and a mix", &whole()));
    vectors.push(ranking("with caps that can't hold", &capped));
    vectors.extend(invalid());
    vectors
}

#[test]
fn the_vectors_of_algorithms_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

/// The ranking that a vector's candidates have.
fn run(vector: &Vector, algorithm: &Algorithm) -> (Vec<Json>, Vec<Json>) {
    let parameters = algorithm.parameters(&BTreeMap::new()).expect("defaults");
    let candidate = |json: &Json| {
        let text = |place: usize| json[place].as_str().expect("a text");
        let number = |place: usize| json[place].as_u64().expect("a number");
        let features: BTreeMap<String, Value> =
            serde_json::from_value::<Vec<(String, Value)>>(json[6].clone()).expect("pairs").into_iter().collect();
        Candidate {
            entry: text(0).parse().expect("an id"),
            author: Did(crate::support::unhex(text(1)).try_into().expect("32 bytes")),
            thread: text(2).parse().expect("an id"),
            time_ms: number(3),
            sources: number(4).try_into().expect("eight bits"),
            kept_out: json[5].as_str().map(kept_out),
            row: algorithm.row(|feature| features.get(&feature.path()).cloned(), &parameters),
        }
    };
    let candidates: Vec<_> = vector.list("candidates").iter().map(candidate).collect();
    told(algorithm, &algorithm.rank(&candidates, Bucket::of_ms(vector.number("bucket") * 1_000)))
}

#[test]
fn every_vector_of_algorithms_gets_the_verdict_that_it_names() {
    for vector in read_vectors("algorithms.json") {
        let cbor = vector.bytes("cbor");
        match Algorithm::decode(&cbor) {
            Err(error) => {
                assert_eq!(vector.rule.as_deref(), Some(error.rule().0), "{}: {error}", vector.name);
                let is_shape = matches!(error, AlgorithmError::Form(_)) || error.rule().0 == "ALG-1";
                assert!(!is_shape || !matches_cddl("rule-document", CHAPTERS, &cbor), "{}", vector.name);
            }
            Ok(algorithm) => {
                assert_eq!(vector.rule, None, "{}", vector.name);
                check_cddl("rule-document", CHAPTERS, &cbor, &vector.name);
                if vector.is == "algorithm" {
                    assert_eq!(algorithm.id().to_string(), vector.text("id"), "{}", vector.name);
                } else {
                    let named = (vector.list("items").to_vec(), vector.list("withheld").to_vec());
                    assert_eq!(run(&vector, &algorithm), named, "{}", vector.name);
                }
            }
        }
    }
}
