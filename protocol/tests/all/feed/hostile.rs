//! Sources of somebody who wants a machine to work, to fill up, or to fall over (R-RNK-1, R-RNK-2, R-RNK-7).

use proptest::prelude::*;
use xom_protocol::feed::{Program, Scope, Shape, SourceError};
use xom_protocol::limits::{FEED_COST_MAX, FEED_DEPTH_MAX, FEED_NODES_MAX, FEED_SOURCE_BYTES_MAX};

use super::language::world;
use super::programs::sources;

fn refused(source: &str) -> SourceError {
    Program::compile(source, &world().0).expect_err("refused")
}

#[test]
fn r_rnk_1_macros_do_not_exist_so_nothing_repeats() {
    for source in [
        "post.tags.all(t, t == 'a')",
        "post.tags.exists(t, t == 'a')",
        "post.tags.map(t, t)",
        "post.tags.filter(t, true)",
        "viewer.ranks.map(x, viewer.ranks.map(y, viewer.ranks.map(z, x)))",
        "has(post.n)",
    ] {
        let error = refused(source);
        assert!(matches!(error.rule().0, "FEED-3" | "FEED-8"), "{source}: {error}");
    }
}

#[test]
fn r_rnk_2_what_is_large_is_refused_before_it_is_read() {
    let sum = vec!["1"; 20_000].join("+");
    assert_eq!(refused(&sum), SourceError::TooLong { bytes: 39_999 });
    assert!(matches!(refused(&vec!["1"; 129].join("+")), SourceError::TooManyNodes { .. }));
    let (scope, row) = world();
    let widest = vec!["1"; 128].join("+");
    assert_eq!(Program::compile(&widest, &scope).expect("255 nodes").number(&row), Ok(128));
    let signs = "!".repeat(FEED_NODES_MAX) + "true";
    assert!(matches!(refused(&signs), SourceError::TooManyNodes { .. }));
    let items = format!("1 in [{}]", vec!["1"; 300].join(","));
    assert!(matches!(refused(&items), SourceError::TooManyNodes { .. }));
}

#[test]
fn r_rnk_2_nesting_ends_before_the_stack_does() {
    let nested = |open: &str, close: &str, depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
    let (scope, row) = world();
    let deepest = Program::compile(&nested("(", ")", FEED_DEPTH_MAX - 1), &scope).expect("as deep as allowed");
    assert_eq!(deepest.number(&row), Ok(1));
    assert!(matches!(refused(&nested("(", ")", FEED_DEPTH_MAX)), SourceError::TooDeep { .. }));
    assert!(matches!(refused(&nested("(", ")", 1_000)), SourceError::TooDeep { .. }));
    assert!(matches!(refused(&nested("abs(", ")", 300)), SourceError::TooDeep { .. }));
    assert!(matches!(refused(&"true?1:".repeat(280)), SourceError::TooDeep { .. }));
    assert!(matches!(refused(&"(".repeat(FEED_SOURCE_BYTES_MAX)), SourceError::TooDeep { .. }));
    assert!(matches!(refused(&"[".repeat(FEED_SOURCE_BYTES_MAX)), SourceError::Unexpected { .. }));
}

#[test]
fn r_rnk_7_there_are_no_patterns_and_no_texts_beyond_their_bound() {
    assert_eq!(refused("post.word.matches('(a+)+$')").rule().0, "FEED-8");
    assert_eq!(refused(&format!("post.word == '{}'", "a".repeat(FEED_SOURCE_BYTES_MAX))).rule().0, "FEED-1");
    assert_eq!(refused("post.word + post.word").rule().0, "FEED-4");
}

#[test]
fn what_could_cost_too_much_is_refused() {
    let scope = Scope::new().with("post", "tags", Shape::texts(128, 400)).with("viewer", "tags", Shape::texts(64, 400));
    let error = Program::compile("sets.intersects(post.tags, viewer.tags)", &scope).expect_err("refused");
    assert_eq!(error, SourceError::TooCostly { cost: 3 + 128 * 64 * 8 });
    let many = Scope::new().with("x", "all", Shape::texts(u32::MAX, u32::MAX));
    let source = vec!["sets.contains(x.all, x.all)"; 60].join(" && ");
    assert_eq!(Program::compile(&source, &many).expect_err("refused").rule().0, "FEED-11");
}

// Whatever comes in is refused or has an outcome, which is the same each time (`FEED-12`).
proptest! {
    #[test]
    fn no_text_breaks_the_reader(source in "\\PC{0,200}") {
        let _ = Program::compile(&source, &world().0).map_err(|error| error.rule());
    }

    #[test]
    fn no_row_of_tokens_breaks_the_reader_or_a_run(
        tokens in prop::collection::vec(prop::sample::select(vec![
            "1", "-", "!", "(", ")", "[", "]", "post", ".", "n", "yes", "tags", "word", "'a'", "\"", "\\", "+", "*", "/",
            "%", "&&", "||", "?", ":", ",", "==", "in", "<", "min", "sets", "contains", "size", "true", "0x", "//", "\n",
            "9223372036854775808", "decay", "log2_milli", "viewer", "ranks", "1.5", "null", "ó", "post.n", "post.yes",
        ]), 0..60),
        spaced in any::<bool>(),
    ) {
        let (scope, row) = world();
        if let Ok(program) = Program::compile(&tokens.join(if spaced { " " } else { "" }), &scope) {
            prop_assert!(program.cost() <= FEED_COST_MAX);
            let _ = program.value(&row);
        }
    }

    #[test]
    fn a_damaged_program_is_refused_or_runs(source in sources(), at in any::<prop::sample::Index>(), letter in any::<char>()) {
        let (scope, row) = world();
        let mut letters: Vec<char> = source.chars().collect();
        let place = at.index(letters.len());
        letters[place] = letter;
        if let Ok(program) = Program::compile(&letters.into_iter().collect::<String>(), &scope) {
            let _ = program.value(&row);
        }
    }

    #[test]
    fn what_runs_twice_gives_the_same_twice(source in sources()) {
        let (scope, row) = world();
        let Ok(program) = Program::compile(&source, &scope) else { return Ok(()) };
        prop_assert_eq!(program.value(&row), Program::compile(&source, &scope).expect("as before").value(&row));
    }
}
