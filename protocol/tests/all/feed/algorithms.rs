//! Which rule documents are algorithms, and which are not.

use std::collections::BTreeMap;

use proptest::prelude::*;
use xom_protocol::body::{Body, RuleDocument};
use xom_protocol::feed::{
    Algorithm, AlgorithmError, AuthorError, BUILTINS, Bucket, Document, Expected, FEATURES, ParameterError, RunError,
    SourceError, Unusable, Value,
};
use xom_protocol::limits::{ALGORITHM_BYTES_MAX, ALGORITHM_SOURCE_BYTES_MAX};

/// One of everything.
pub(crate) const WHOLE: &str = r#"
licence = "MIT OR CC0-1.0"
name = { en = "Whole", vi = "Đủ" }
summary = { en = "One of everything." }
changes = { en = "All is new." }
previous = "bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
sources = [{ from = "follows", hours = 24 }, { from = "tag", tag = "xóm", hours = 48 }]
params = [{ id = "weight", label = { en = "Weight" }, min = -10, max = 10, default = 2 }]
filters = [{ id = "calm", label = { en = "Few reacted" }, keep = "post.reactions < 100" }]
caps = [{ by = "author", max = 2, of = 10 }, { by = "thread", max = 1, of = 5 }]
mixes = [{ source = 1, min = 1, of = 4 }]

# What the score is the sum of.
[[terms]]
id = "replies"
label = { en = "People answered" }
value = "post.replies * param.weight"

[[terms]]
id = "share"
label = { en = "The reader is close" }
value = "1000 / viewer.closeness"

[[cases]]
name = "three replies, and no closeness to divide by"
row.post.replies = 3
row.post.reactions = 0
terms = { replies = 6, share = "division by zero" }
score = 6

[[cases]]
name = "weight can be negative"
row.post.replies = 3
row.viewer.closeness = 500
params = { weight = -1 }
terms = { replies = -3, share = 2 }
score = -1

[[cases]]
name = "too many reacted"
row.post.reactions = 100
withheld = "calm"
score = 0
"#;

pub(crate) fn whole() -> Document {
    Algorithm::from_toml(WHOLE).unwrap_or_else(|e| panic!("{e}")).document().clone()
}

/// The error of the whole document with a change.
fn refused(change: impl FnOnce(&mut Document)) -> AlgorithmError {
    let mut document = whole();
    change(&mut document);
    Algorithm::check(document).expect_err("refused")
}

#[test]
fn what_is_built_in_passes_its_own_test_cases() {
    for builtin in BUILTINS {
        let algorithm = Algorithm::from_toml(builtin.source).unwrap_or_else(|e| panic!("{}: {e}", builtin.slug));
        assert_eq!(Algorithm::decode(&algorithm.document().encode()), Ok(builtin.algorithm()), "{}", builtin.slug);
        assert_eq!(algorithm.usable(), Ok(()));
        for language in ["en", "vi"] {
            assert!(algorithm.document().name.contains_key(language), "{} in {language}", builtin.slug);
        }
        assert!(algorithm.cost() < 300, "{} costs {}", builtin.slug, algorithm.cost());
    }
}

#[test]
fn the_same_rules_have_the_same_id_and_comments_are_no_rules() {
    let without: String = WHOLE.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let (one, other) = (Algorithm::from_toml(WHOLE), Algorithm::from_toml(&without));
    assert_eq!(one.expect("valid").id(), other.expect("valid").id());
    let mut changed = whole();
    changed.terms[0].label.insert("de".into(), "Antworten".into());
    assert_ne!(Algorithm::check(changed).expect("valid").id(), whole().id());
}

#[test]
fn what_an_algorithm_reads_is_told_by_its_document() {
    assert_eq!(whole().reads, ["post.replies", "post.reactions", "viewer.closeness"]);
    assert!(!Algorithm::check(whole()).expect("valid").is_private());
    assert!(BUILTINS[2].algorithm().is_private(), "quiet asks what was seen");
    let undeclared = refused(|document| drop(document.reads.remove(0)));
    assert!(
        matches!(&undeclared, AlgorithmError::Undeclared { feature, .. } if feature == "post.replies"),
        "{undeclared}"
    );
    let unread = refused(|document| document.reads.insert(0, "post.age".into()));
    assert_eq!(unread, AlgorithmError::Unread { feature: "post.age".into() });
    let unordered = refused(|document| document.reads.reverse());
    assert_eq!(unordered.rule().0, "ALG-4");
    let invented = refused(|document| document.reads.push("viewer.password".into()));
    assert_eq!(invented.rule().0, "ALG-4");
}

#[test]
fn a_test_case_that_comes_out_otherwise_is_refused_with_what_it_is() {
    let text = |change: fn(&mut Document)| refused(change).to_string();
    assert_eq!(
        text(|document| document.cases[0].score = 7),
        r#"test case "three replies, and no closeness to divide by": the score is 6 and should be 7"#
    );
    assert_eq!(
        text(|document| drop(document.cases[0].terms.insert("share".into(), Expected::Number(0)))),
        r#"test case "three replies, and no closeness to divide by": share is division by zero and should be 0"#
    );
    assert_eq!(
        text(|document| document.cases[2].withheld = None),
        r#"test case "too many reacted": what withholds it is calm and should be nothing"#
    );
    assert_eq!(refused(|document| document.cases.clear()).rule().0, "ALG-6");
}

#[test]
fn an_error_in_a_term_counts_nothing_and_one_in_a_filter_keeps_the_post() {
    let broken = WHOLE.replace("post.reactions < 100", "1 / post.reactions < 100");
    let broken = broken.replace("withheld = \"calm\"", "terms = { share = \"division by zero\" }");
    let algorithm = Algorithm::from_toml(&broken).unwrap_or_else(|e| panic!("{e}"));
    let parameters = algorithm.parameters(&BTreeMap::new()).expect("defaults");
    let judgement = algorithm.judge(&algorithm.row(|_| None, &parameters));
    assert_eq!(judgement.withheld, None);
    assert_eq!(judgement.broken, [(0, RunError::DivisionByZero)]);
    assert_eq!(judgement.terms, [Ok(0), Err(RunError::DivisionByZero)]);
    assert_eq!(judgement.score, 0);
}

#[test]
fn a_sum_beyond_64_bits_is_the_greatest_number() {
    let most = |document: &mut Document| {
        document.cases.truncate(1);
        document.cases[0].row.clear();
        document.reads.retain(|read| read == "post.reactions");
        for term in &mut document.terms {
            term.value = "9223372036854775807".into();
        }
        let ids = document.terms.iter().map(|term| term.id.clone());
        document.cases[0].terms = ids.map(|id| (id, Expected::Number(i64::MAX))).collect();
        document.cases[0].score = i64::MAX;
    };
    let mut document = whole();
    most(&mut document);
    Algorithm::check(document).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn a_community_is_refused_where_there_are_none_with_that_reason() {
    let algorithm = Algorithm::from_toml(&WHOLE.replace(r#"from = "follows""#, r#"from = "community""#));
    let algorithm = algorithm.expect("a document");
    assert_eq!(algorithm.usable(), Err(Unusable::Community));
    assert_eq!(Unusable::Community.to_string(), "it draws from a community, and this version knows none");
}

#[test]
fn parameters_stay_within_their_bounds() {
    let algorithm = Algorithm::check(whole()).expect("valid");
    let set = |value| algorithm.parameters(&BTreeMap::from([("weight".to_owned(), value)]));
    assert!(set(10).is_ok());
    assert_eq!(set(11), Err(ParameterError::OutOfBounds { id: "weight".into(), min: -10, max: 10 }));
    let unknown = algorithm.parameters(&BTreeMap::from([("boost".to_owned(), 1)]));
    assert_eq!(unknown, Err(ParameterError::Unknown("boost".into())));
}

#[test]
fn a_feature_that_does_not_fit_counts_as_nothing() {
    let algorithm = Algorithm::check(whole()).expect("valid");
    let parameters = algorithm.parameters(&BTreeMap::new()).expect("defaults");
    let row = algorithm.row(|_| Some(Value::Bool(true)), &parameters);
    assert_eq!(row, [Value::Int(0), Value::Int(0), Value::Int(0), Value::Int(2)]);
}

#[test]
fn what_an_author_writes_wrongly_is_told_with_its_place() {
    let error = |change: (&str, &str)| Algorithm::from_toml(&WHOLE.replace(change.0, change.1)).expect_err(change.1);
    let text = error(("licence =", "license =")).to_string();
    assert!(text.contains("unknown field `license`"), "{text}");
    let text = error(("post.replies *", "post.replise *")).to_string();
    assert_eq!(text, "terms: replies: post.replise at byte 0 is not there to be read");
    let text = error(("\"post.reactions < 100\"", "\"post.reactions\"")).to_string();
    assert_eq!(text, "filters: calm: expected bool and found int at byte 0");
    let text = error(("score = 6", "score = 6.0")).to_string();
    assert!(text.contains("line "), "{text}");
    let long = AuthorError::TooLong { bytes: ALGORITHM_SOURCE_BYTES_MAX + 1 };
    assert_eq!(Algorithm::from_toml(&" ".repeat(ALGORITHM_SOURCE_BYTES_MAX + 1)), Err(long));
}

#[test]
fn an_announcement_has_the_id_of_the_document_that_it_carries_and_a_bound() {
    let announced = |bytes: Vec<u8>| RuleDocument { document: bytes.into() };
    assert_eq!(announced(whole().encode()).id(), whole().id());
    let rule = |bytes| Body::Algorithm(announced(bytes)).check().map_err(|reason| reason.rule().0);
    assert_eq!(rule(vec![0; ALGORITHM_BYTES_MAX]), Ok(()), "whether it is an algorithm is not asked here");
    assert_eq!(rule(vec![0; ALGORITHM_BYTES_MAX + 1]), Err("ALG-10"));
}

#[test]
fn a_document_beyond_64_kib_is_refused_before_it_is_read() {
    let long = refused(|document| drop(document.changes.insert("vi".into(), "x".repeat(ALGORITHM_BYTES_MAX))));
    assert_eq!(long.rule().0, "ALG-1");
    assert_eq!(Algorithm::decode(&vec![0; ALGORITHM_BYTES_MAX + 1]).expect_err("too long").rule().0, "ENC-1");
}

#[test]
fn r_rnk_5_nothing_can_be_read_that_the_table_does_not_name() {
    for secret in ["viewer.password", "author.blocks", "viewer.messages", "post.text", "node.peers"] {
        let text = WHOLE.replace("post.replies * param.weight", secret);
        let error = Algorithm::from_toml(&text).expect_err(secret);
        let AuthorError::Algorithm(AlgorithmError::Source { error: SourceError::UnknownField { name, .. }, .. }) =
            error
        else {
            panic!("{secret}: {error}")
        };
        assert_eq!(name, secret);
    }
}

#[test]
fn r_rnk_2_all_expressions_together_are_bounded() {
    let costly = refused(|document| {
        let term = document.terms[0].clone();
        let sum = ["decay(post.replies, 1, 2)"; 12].join(" + ");
        document.terms = (0..20)
            .map(|place| xom_protocol::feed::Term { id: format!("t{place}"), value: sum.clone(), ..term.clone() })
            .collect();
        document.reads.retain(|read| read.starts_with("post."));
    });
    assert!(matches!(costly, AlgorithmError::TooCostly { cost } if cost > 4_096), "{costly}");
    let many = refused(|document| {
        let term = document.terms[0].clone();
        document.terms =
            (0..33).map(|place| xom_protocol::feed::Term { id: format!("t{place}"), ..term.clone() }).collect();
    });
    assert_eq!(many.rule().0, "ALG-2");
}

/// `ALG-12` is written twice, and must say the same.
#[test]
fn the_table_of_features_in_the_spec_is_the_one_in_the_code() {
    let chapter = std::fs::read_to_string(crate::support::spec().join("17-algorithms.md")).expect("the chapter");
    let rows: Vec<Vec<&str>> = chapter
        .lines()
        .filter(|line| ["| `post.", "| `author.", "| `viewer."].iter().any(|start| line.starts_with(start)))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let told: Vec<_> = rows.iter().map(|row| (row[0].to_owned(), row[1].to_owned(), row[2].to_owned())).collect();
    let known = FEATURES.map(|feature| {
        let shape = feature.shape;
        let bounds =
            if shape.bytes_max > 0 { format!(" {} × {}", shape.items_max, shape.bytes_max) } else { String::new() };
        let private = if feature.is_private { ", private" } else { "" };
        (format!("`{}`", feature.path()), format!("{}{bounds}{private}", shape.of), feature.unit.to_owned())
    });
    assert_eq!(told, known);
    assert!(rows.iter().all(|row| row.len() == 4 && !row[3].is_empty()), "a feature without a formula");
}

#[test]
fn a_bucket_is_five_minutes_of_utc() {
    assert_eq!(Bucket::of_ms(1_700_000_123_456).secs(), 1_700_000_100);
    assert_eq!(Bucket::of_ms(1_700_000_100_000), Bucket::of_ms(1_700_000_399_999));
    assert_ne!(Bucket::of_ms(1_700_000_100_000), Bucket::of_ms(1_700_000_400_000));
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader_of_documents(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Algorithm::decode(&bytes).is_err());
    }

    #[test]
    fn a_damaged_document_is_refused_or_is_another_one(at in any::<prop::sample::Index>(), bits in 1_u8..) {
        let mut bytes = whole().encode();
        let place = at.index(bytes.len());
        bytes[place] ^= bits;
        if let Ok(algorithm) = Algorithm::decode(&bytes) {
            prop_assert_eq!(algorithm.document().encode(), bytes);
            prop_assert_ne!(algorithm.id(), whole().id());
        }
    }
}
