//! Random sources that are valid, for the tests that compare and for those that measure.

use proptest::prelude::*;

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (-20_i64..20).prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => (0_u32..1 << 20).prop_map(|number| format!("{number:#x}")),
        4 => prop::sample::select(vec!["post.n", "post.m"]).prop_map(str::to_owned),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("post.word".to_owned()),
        2 => "[a-c]{0,3}".prop_map(|text| format!("'{text}'")),
        1 => prop::sample::select(vec![r#""x\u00f3m""#, r"'\n\''", "'hà nội'"]).prop_map(str::to_owned),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    let literal = prop::collection::vec("[a-c]{0,2}", 1..4)
        .prop_map(|items| format!("[{}]", items.iter().map(|item| format!("'{item}'")).collect::<Vec<_>>().join(", ")));
    prop_oneof![Just("post.tags".to_owned()), literal]
}

/// Operands with operators between them, and no parentheses that would hide precedence.
fn chain(
    operand: impl Strategy<Value = String> + Clone,
    signs: &'static [&'static str],
) -> impl Strategy<Value = String> {
    let rest = prop::collection::vec((prop::sample::select(signs), any::<bool>(), operand.clone()), 0..4);
    (operand, rest).prop_map(|(first, rest)| {
        rest.into_iter().fold(first, |source, (sign, spaced, operand)| {
            source + if spaced { " " } else { "" } + sign + " " + &operand
        })
    })
}

const SUMS: &[&str] = &["+", "-", "*", "/", "%"];
const RELATIONS: &[&str] = &["<", "<=", "==", "!=", ">", ">="];

/// Sources of type int and of type bool.
fn pair() -> (BoxedStrategy<String>, BoxedStrategy<String>) {
    let mut ints: BoxedStrategy<String> = number().boxed();
    let relation = prop::sample::select(RELATIONS);
    let mut bools: BoxedStrategy<String> = prop_oneof![
        Just("post.yes".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        (text(), relation, text()).prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
        (text(), texts()).prop_map(|(item, items)| format!("{item} in {items}")),
        number().prop_map(|item| format!("{item} in viewer.ranks")),
        (text(), prop::sample::select(vec!["startsWith", "endsWith", "contains"]), text())
            .prop_map(|(left, call, right)| format!("{left}.{call}({right})")),
    ]
    .boxed();
    for _ in 0..2 {
        let relation = prop::sample::select(RELATIONS);
        let deeper_ints = prop_oneof![
            3 => chain(ints.clone(), SUMS),
            1 => ints.clone().prop_map(|inner| format!("({inner})")),
            1 => ints.clone().prop_map(|inner| format!("-({inner})")),
            1 => (bools.clone(), ints.clone(), ints.clone()).prop_map(|(c, a, b)| format!("(({c}) ? ({a}) : {b})")),
            1 => (ints.clone(), ints.clone(), prop::sample::select(vec!["min", "max"]))
                .prop_map(|(a, b, name)| format!("{name}({a}, {b})")),
            1 => text().prop_map(|text| format!("size({text})")),
            1 => texts().prop_map(|texts| format!("{texts}.size()")),
        ]
        .boxed();
        let atom = prop_oneof![
            2 => bools.clone().prop_map(|inner| format!("({inner})")),
            1 => bools.clone().prop_map(|inner| format!("!({inner})")),
            2 => (ints.clone(), relation, ints.clone()).prop_map(|(a, sign, b)| format!("{a} {sign} {b}")),
        ]
        .boxed();
        let deeper_bools = prop_oneof![3 => chain(atom, &["&&", "||"]), 1 => bools.clone()].boxed();
        (ints, bools) = (deeper_ints, deeper_bools);
    }
    (ints, bools)
}

/// Sources over the fields of `language::world`, most of which are valid.
pub(crate) fn sources() -> BoxedStrategy<String> {
    let (ints, bools) = pair();
    prop_oneof![ints, bools].boxed()
}
