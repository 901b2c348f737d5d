//! What single expressions mean: arithmetic (`FEED-5`), logic (`FEED-6`), comparisons (`FEED-7`), functions (`FEED-8`).

use xom_protocol::feed::{Program, RunError, Scope, Shape, SourceError, Type, Value};

/// A scope with a field of each type, and a row for it.
pub(crate) fn world() -> (Scope, Vec<Value>) {
    let scope = Scope::new()
        .with("post", "n", Shape::INT)
        .with("post", "m", Shape::INT)
        .with("post", "yes", Shape::BOOL)
        .with("post", "word", Shape::text(64))
        .with("post", "tags", Shape::texts(4, 64))
        .with("viewer", "ranks", Shape::ints(4));
    let texts = |texts: &[&str]| Value::Texts(texts.iter().map(|text| Box::from(*text)).collect());
    let row = vec![
        Value::Int(7),
        Value::Int(-3),
        Value::Bool(true),
        "xóm".into(),
        texts(&["xom", "hà nội"]),
        Value::Ints([1, 7, 9].into()),
    ];
    assert!(scope.fits(&row));
    (scope, row)
}

fn run(source: &str) -> Result<Value, RunError> {
    let (scope, row) = world();
    Program::compile(source, &scope).unwrap_or_else(|e| panic!("{source}: {e}")).value(&row)
}

fn refused(source: &str) -> SourceError {
    let (scope, _) = world();
    Program::compile(source, &scope).expect_err(source)
}

fn check(source: &str, value: impl Into<Value>) {
    assert_eq!(run(source), Ok(value.into()), "{source}");
}

#[test]
fn products_come_before_sums_and_sums_before_comparisons() {
    check("1 + 2 * 3 == 7 && 10 - 4 - 3 == 3", true);
    check("-7 / 2 * 2 + -7 % 2", -7);
    check("2 * (1 + 2)", 6);
    check("- -post.n - -1", 8);
    check("1 < 2 == true", true);
    check("!!post.yes || false", true);
}

#[test]
fn comments_and_space_mean_nothing() {
    check("1 // a comment\n + // another\r\n\t2", 3);
    check("// only what follows counts\n5", 5);
}

#[test]
fn the_least_number_can_be_written_and_the_one_beyond_the_greatest_cannot() {
    check("-9223372036854775808", i64::MIN);
    check("9223372036854775807", i64::MAX);
    check("0x7fffffffffffffff", i64::MAX);
    check("-0x10", -16);
    assert_eq!(run("--9223372036854775808"), Err(RunError::Overflow));
    assert_eq!(refused("9223372036854775808").rule().0, "FEED-2");
    assert_eq!(refused("-9223372036854775809").rule().0, "FEED-2");
}

#[test]
fn overflow_and_division_by_zero_are_errors_and_not_other_numbers() {
    for source in [
        "9223372036854775807 + 1",
        "-9223372036854775808 - 1",
        "4611686018427387904 * 2",
        "-9223372036854775808 / -1",
        "-9223372036854775808 % -1",
        "abs(-9223372036854775808)",
    ] {
        assert_eq!(run(source), Err(RunError::Overflow), "{source}");
    }
    assert_eq!(run("1 / (post.n - 7)"), Err(RunError::DivisionByZero));
    assert_eq!(run("1 % 0"), Err(RunError::DivisionByZero));
    assert_eq!(run("1 / 0 + 9223372036854775807 * 2"), Err(RunError::DivisionByZero), "the leftmost error");
}

#[test]
fn what_decides_alone_wins_over_an_error_on_either_side() {
    check("false && 1 / 0 == 1", false);
    check("1 / 0 == 1 && false", false);
    check("true || 1 / 0 == 1", true);
    check("1 / 0 == 1 || true", true);
    assert_eq!(run("1 / 0 == 1 && true"), Err(RunError::DivisionByZero));
    assert_eq!(run("false || 1 / 0 == 1"), Err(RunError::DivisionByZero));
    assert_eq!(run("1 / 0 == 1 || 9223372036854775807 + 1 == 1"), Err(RunError::DivisionByZero));
}

#[test]
fn only_the_chosen_side_of_a_condition_runs() {
    check("post.yes ? 1 : 1 / 0", 1);
    check("post.n > 100 ? 1 / 0 : post.n > 5 ? 2 : 3", 2);
    check("(post.yes ? post.word : 'b') == 'xóm'", true);
    assert_eq!(run("1 / 0 == 1 ? 1 : 2"), Err(RunError::DivisionByZero));
}

#[test]
fn texts_are_compared_by_their_characters_and_nothing_is_folded() {
    check("post.word == \"x\\u00f3m\"", true);
    check("post.word == 'xom'", false);
    check("'Z' < 'a' && 'a' < 'á' && 'ab' > 'a'", true);
    check("post.word.startsWith('x') && post.word.endsWith('m') && post.word.contains('ó')", true);
    check("post.word.size() + size('😀') + size('')", 4);
    check(r#"'\\\'\"\`\?\n\r\t\U0001F600' == "\\'\"`?\n\r\t😀""#, true);
}

#[test]
fn lists_are_searched_and_compared_as_sets() {
    check("'xom' in post.tags && !('Xom' in post.tags)", true);
    check("post.n in viewer.ranks && !(post.m in [1, -2,])", true);
    check("post.tags.size() + size(viewer.ranks)", 5);
    check("sets.intersects(post.tags, ['cờ', 'hà nội']) && !sets.intersects(post.tags, ['cờ'])", true);
    check("sets.contains(viewer.ranks, [9, 1]) && !sets.contains([9, 1], viewer.ranks)", true);
}

#[test]
fn functions_have_the_values_of_their_table() {
    check("min(post.n, post.m) + max(1, 2) * abs(-4)", 5);
    check("clamp(20, 1, 10) + clamp(-5, 1, 10) + clamp(5, 1, 10)", 16);
    assert_eq!(run("clamp(1, 2, 1)"), Err(RunError::OutOfDomain));
    assert_eq!(run("log2_milli(0)"), Err(RunError::OutOfDomain));
    assert_eq!(run("decay(1, 1, 0)"), Err(RunError::OutOfDomain));
    assert_eq!(run("min(1, 1 / 0)"), Err(RunError::DivisionByZero));
}

#[test]
fn what_is_read_of_a_row_is_known() {
    let (scope, _) = world();
    let program = Program::compile("post.yes ? post.m + post.m : post.n", &scope).expect("valid");
    assert_eq!(program.reads(), [0, 1, 2]);
    assert_eq!(program.shape().of, Type::Int);
}

#[test]
fn each_type_is_wanted_where_it_is_wanted() {
    for (source, wanted) in [
        ("1 + true", "int"),
        ("'a' + 'b'", "int"),
        ("!1", "bool"),
        ("-true", "int"),
        ("1 && true", "bool"),
        ("true || 1", "bool"),
        ("1 ? 2 : 3", "bool"),
        ("true ? 2 : 'a'", "the same type on both sides"),
        ("1 == 'a'", "int"),
        ("true < false", "int or string"),
        ("1 in ['a']", "list(int)"),
        ("'a' in 'abc'", "list(string)"),
        ("post.tags == post.tags", "int or string"),
    ] {
        let found = refused(source);
        assert!(matches!(found, SourceError::WrongType { wanted: is, .. } if is == wanted), "{source}: {found:?}");
    }
}

#[test]
fn the_cost_of_an_expression_is_told_before_it_runs() {
    let (scope, _) = world();
    let cost = |source: &str| Program::compile(source, &scope).expect(source).cost();
    assert_eq!(cost("1"), 1);
    assert_eq!(cost("--1"), 3, "two signs and a number");
    assert_eq!(cost("post.n + 2 * 3"), 5);
    assert_eq!(cost("post.yes ? 1 : 2"), 4);
    assert_eq!(cost("post.word == 'a'"), 4, "one line of text is compared");
    assert_eq!(cost("post.word == ''"), 3, "and none of an empty one");
    assert_eq!(cost("post.n in viewer.ranks"), 7, "four items");
    assert_eq!(cost("post.word in post.tags"), 3 + 4 * 2);
    assert_eq!(cost("sets.intersects(post.tags, ['a', 'b'])"), 1 + 3 + 1 + 4 * 2 * 2);
    assert_eq!(cost("decay(post.n, 1, 2) + log2_milli(1)"), 4 + 16 + 1 + 2 + 16);
    assert_eq!(cost("post.word.contains('ab') && post.word.size() > 0"), 3 + 2 + 1 + (2 + 1) + 2);
}

#[test]
fn a_row_that_does_not_fit_gives_an_error_and_no_value() {
    let (scope, mut row) = world();
    let program = Program::compile("post.n + 1", &scope).expect("valid");
    assert_eq!(program.value(&[]), Err(RunError::UnfitRow));
    row[0] = Value::Bool(true);
    assert!(!scope.fits(&row));
    assert_eq!(program.value(&row), Err(RunError::UnfitRow));
    row[0] = Value::Int(1);
    row[3] = Value::Text("x".repeat(65).into());
    assert!(!scope.fits(&row), "a text beyond its bound");
}

#[test]
fn a_truth_value_counts_as_one_or_nothing_where_a_number_is_wanted() {
    let (scope, row) = world();
    let number = |source: &str| Program::compile(source, &scope).expect(source).number(&row);
    assert_eq!(number("post.yes"), Ok(1));
    assert_eq!(number("!post.yes"), Ok(0));
    assert_eq!(number("post.word"), Err(RunError::UnfitRow));
}
