//! The vectors of the feed language.

use serde_json::{Value as Json, json};
use xom_protocol::feed::{Program, Scope, Shape, SourceError, Value};

use super::language::world;
use crate::support::{Vector, check_regenerated, read_vectors};

const FILE: &str = "feed-language.json";
const ABOUT: &str = "Chapter 16. source is an expression. scope has the fields that it may read, each with record, name, type, most items and most bytes of a text (items are 1 and bytes are 0 where they mean nothing); row has a value for each. A source that is valid has a type, a cost, and an outcome: the type and the value, a text as JSON, or `error` and its name.";

/// Source and outcome.
const VALID: &[(&str, &str, &str)] = &[
    ("a sum", "1 + 2 * 3 - 4", "int 3"),
    ("division truncates towards zero", "-7 / 2", "int -3"),
    ("the rest has the sign of the dividend", "-7 % 3", "int -1"),
    ("the least number", "-9223372036854775808", "int -9223372036854775808"),
    ("a hexadecimal number", "-0xFF", "int -255"),
    ("signs in a row", "--post.n", "int 7"),
    ("the sign of the least number", "--9223372036854775808", "error overflow"),
    ("a sum beyond 64 bits", "9223372036854775807 + 1", "error overflow"),
    ("a quotient beyond 64 bits", "-9223372036854775808 / -1", "error overflow"),
    ("division by zero", "post.n / 0", "error division by zero"),
    ("an error on the right of what decides", "false && 1 / 0 == 1", "bool false"),
    ("an error on the left of what decides", "1 / 0 == 1 || true", "bool true"),
    ("an error beside what does not decide", "1 / 0 == 1 && true", "error division by zero"),
    ("a condition", "post.yes ? post.m : 1 / 0", "int -3"),
    ("conditions in a row", "post.n < 5 ? 1 : post.n < 10 ? 2 : 3", "int 2"),
    ("a text in an escape", "post.word == 'x\\u00f3m'", "bool true"),
    ("an escape of eight digits", "\"\\U0001F600\"", "string \"😀\""),
    ("characters of a text", "post.word.size()", "int 3"),
    ("texts in order", "'Z' < 'a' && 'a' < 'á'", "bool true"),
    ("an item of a list", "'hà nội' in post.tags", "bool true"),
    ("sets that meet", "sets.intersects(viewer.ranks, [2, 9])", "bool true"),
    ("a set that holds another", "sets.contains(post.tags, ['xom', 'cờ'])", "bool false"),
    ("half a half-life", "decay(1000, 1, 2)", "int 707"),
    ("a third of a half-life of a negative number", "decay(-1000000, 20, 60)", "int -793745"),
    ("sixty-four half-lives", "decay(9223372036854775807, 64, 1)", "int 0"),
    ("a half-life of nothing", "decay(1, 1, 0)", "error out of domain"),
    ("a logarithm", "log2_milli(1000)", "int 9965"),
    ("the logarithm of the greatest number", "log2_milli(9223372036854775807)", "int 62999"),
    ("the logarithm of nothing", "log2_milli(0)", "error out of domain"),
    ("a number between bounds", "clamp(post.n * 100, -10, 500)", "int 500"),
    ("a comment", "1 // one\n+ 1", "int 2"),
    ("255 nodes", "", "int 128"),
];

/// Rule and source.
const INVALID: &[(&str, &str, &str)] = &[
    ("FEED-1", "257 nodes", "1+"),
    ("FEED-1", "25 expressions inside one another", "("),
    ("FEED-1", "2,049 bytes", " "),
    ("FEED-2", "a number with a fraction", "1.5"),
    ("FEED-2", "a number with an exponent", "1e3"),
    ("FEED-2", "a number without a sign", "1u"),
    ("FEED-2", "a number beyond 64 bits", "9223372036854775808"),
    ("FEED-2", "null", "null == null"),
    ("FEED-2", "a word that is kept", "post.for"),
    ("FEED-2", "bytes", "b'a'"),
    ("FEED-2", "a raw text", "r'a'"),
    ("FEED-2", "a text in three quotes", "'''a'''"),
    ("FEED-2", "a text that does not end", "'a"),
    ("FEED-2", "a text over two lines", "'a\nb'"),
    ("FEED-2", "an escape in hexadecimal of two digits", "'\\x41'"),
    ("FEED-2", "an escape of a surrogate", "'\\ud800'"),
    ("FEED-2", "a map", "{'a': 1}"),
    ("FEED-2", "a letter that is not ASCII", "pôst.n"),
    ("FEED-3", "nothing", ""),
    ("FEED-3", "a comparison that ends early", "1 <"),
    ("FEED-3", "two values", "1 2"),
    ("FEED-3", "an index", "post.tags[0]"),
    ("FEED-3", "an empty list", "1 in []"),
    ("FEED-3", "a list of both", "1 in [1, 'a']"),
    ("FEED-3", "a list of what is no literal", "1 in [post.n]"),
    ("FEED-3", "a record", "post"),
    ("FEED-3", "a name that begins with a dot", ".post.n"),
    ("FEED-3", "mixed signs", "!-1"),
    ("FEED-3", "a condition in the middle of one", "true ? true ? 1 : 2 : 3"),
    ("FEED-3", "an argument that is missing", "min(1,)"),
    ("FEED-2", "a message", "Post{n: 1}"),
    ("FEED-4", "a field that is not there", "post.other"),
    ("FEED-4", "a record that is not there", "other.n"),
    ("FEED-4", "texts in a row", "'a' + 'b'"),
    ("FEED-4", "a number as a truth value", "post.n && true"),
    ("FEED-4", "sides of two types", "true ? 1 : 'a'"),
    ("FEED-4", "values of two types", "post.n == post.word"),
    ("FEED-4", "truth values in order", "true > false"),
    ("FEED-4", "lists that are compared", "post.tags == post.tags"),
    ("FEED-8", "a function that is not there", "sqrt(4)"),
    ("FEED-8", "an argument too many", "abs(1, 2)"),
    ("FEED-3", "a macro", "post.tags.exists(t, true)"),
    ("FEED-8", "a pattern", "post.word.matches('a')"),
    ("FEED-8", "sets of two types", "sets.contains(post.tags, [1])"),
    ("FEED-11", "a product of long lists", ""),
];

/// The sources that are too long to be spelled out.
fn spelled(name: &str, source: &str) -> String {
    match name {
        "255 nodes" => vec!["1"; 128].join("+"),
        "257 nodes" => vec!["1"; 129].join("+"),
        "25 expressions inside one another" => format!("{}1{}", "(".repeat(24), ")".repeat(24)),
        "2,049 bytes" => format!("{}1", " ".repeat(2_048)),
        "a product of long lists" => {
            let list = |letter: &str| (0..40).map(|i| format!("'{letter}{i}'")).collect::<Vec<_>>().join(",");
            let lists = format!("sets.contains([{}], [{}])", list("a"), list("b"));
            format!("{lists} && {lists}")
        }
        _ => source.to_owned(),
    }
}

fn json(value: &Value) -> Json {
    match value {
        Value::Int(number) => json!(number),
        Value::Bool(truth) => json!(truth),
        Value::Text(text) => json!(text),
        Value::Ints(items) => json!(items),
        Value::Texts(items) => json!(items),
    }
}

fn vector(name: &str, rule: Option<&str>, source: &str) -> Vector {
    let (scope, row) = world();
    let field = |field: &xom_protocol::feed::Field| {
        let shape = field.shape;
        json!([field.record, field.name, shape.of.to_string(), shape.items_max, shape.bytes_max])
    };
    Vector::new(name, "feed-expression", rule)
        .with("source", spelled(name, source))
        .with("scope", scope.fields().iter().map(field).collect::<Vec<_>>())
        .with("row", row.iter().map(json).collect::<Vec<_>>())
}

fn vectors() -> Vec<Vector> {
    let (scope, _) = world();
    let valid = VALID.iter().map(|(name, source, outcome)| {
        let program = Program::compile(&spelled(name, source), &scope).unwrap_or_else(|e| panic!("{name}: {e}"));
        vector(name, None, source)
            .with("type", program.shape().of.to_string())
            .with("cost", program.cost())
            .with("outcome", *outcome)
    });
    let invalid = INVALID.iter().map(|(rule, name, source)| vector(name, Some(rule), source));
    valid.chain(invalid).collect()
}

#[test]
fn the_vectors_of_the_feed_language_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

fn value(of: &str, json: &Json) -> Value {
    let text = |json: &Json| Box::from(json.as_str().expect("a text"));
    let number = |json: &Json| json.as_i64().expect("a number");
    let items = || json.as_array().expect("a list");
    match of {
        "int" => Value::Int(number(json)),
        "bool" => Value::Bool(json.as_bool().expect("a truth value")),
        "string" => Value::Text(text(json)),
        "list(int)" => Value::Ints(items().iter().map(number).collect()),
        "list(string)" => Value::Texts(items().iter().map(text).collect()),
        other => panic!("no type {other}"),
    }
}

/// Type, cost and outcome of a vector.
fn run(vector: &Vector) -> Result<(String, u64, String), SourceError> {
    let (mut scope, mut row) = (Scope::new(), Vec::new());
    for (field, given) in vector.list("scope").iter().zip(vector.list("row")) {
        let name = |place: usize| field[place].as_str().expect("a name");
        let bound = |place: usize| field[place].as_u64().and_then(|bound| bound.try_into().ok()).expect("a bound");
        let shape = match name(2) {
            "int" => Shape::INT,
            "bool" => Shape::BOOL,
            "string" => Shape::text(bound(4)),
            "list(int)" => Shape::ints(bound(3)),
            _ => Shape::texts(bound(3), bound(4)),
        };
        scope = scope.with(name(0), name(1), shape);
        row.push(value(name(2), given));
    }
    let program = Program::compile(vector.text("source"), &scope)?;
    let of = program.shape().of.to_string();
    let outcome = program.value(&row).map_or_else(|e| format!("error {e}"), |value| format!("{of} {}", json(&value)));
    Ok((of, program.cost(), outcome))
}

#[test]
fn every_vector_of_the_feed_language_has_the_outcome_that_it_names() {
    for vector in read_vectors("feed-language.json") {
        match run(&vector) {
            Ok(found) => {
                let named = (vector.text("type").into(), vector.number("cost"), vector.text("outcome").into());
                assert_eq!((vector.rule.as_deref(), found), (None, named), "{}", vector.name);
            }
            Err(error) => assert_eq!(vector.rule.as_deref(), Some(error.rule().0), "{}: {error}", vector.name),
        }
    }
}
