//! Where this language and CEL both have a value it is the same: random programs over random rows, with the `cel` crate
//! as the other side.

use std::cell::Cell;
use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use xom_protocol::feed::{Program, RunError, Value};

use super::language::world;
use super::programs::sources;

fn outside(value: &Value) -> cel::Value {
    match value {
        Value::Int(number) => (*number).into(),
        Value::Bool(truth) => (*truth).into(),
        Value::Text(text) => (&**text).into(),
        Value::Ints(items) => items.to_vec().into(),
        Value::Texts(items) => items.iter().map(|text| text.to_string()).collect::<Vec<_>>().into(),
    }
}

/// What the other implementation makes of a source and row; nothing where it has no value.
fn other(source: &str, row: &[Value]) -> Option<cel::Value> {
    let (scope, _) = world();
    let mut records: HashMap<String, HashMap<String, cel::Value>> = HashMap::new();
    for (field, value) in scope.fields().iter().zip(row) {
        records.entry(field.record.to_string()).or_default().insert(field.name.to_string(), outside(value));
    }
    let mut context = cel::Context::default();
    context.add_function("min", |left: i64, right: i64| left.min(right)).ok()?;
    context.add_function("max", |left: i64, right: i64| left.max(right)).ok()?;
    for (name, fields) in records {
        context.add_variable_from_value(name, fields);
    }
    cel::Program::compile(source).ok()?.execute(&context).ok()
}

fn rows() -> impl Strategy<Value = Vec<Value>> {
    let number = || prop_oneof![-10_i64..10, any::<i64>()].prop_map(Value::Int);
    let texts = prop::collection::vec("[a-c]{0,2}", 0..4)
        .prop_map(|texts| Value::Texts(texts.into_iter().map(String::into_boxed_str).collect()));
    let numbers = prop::collection::vec(-10_i64..10, 0..4).prop_map(|numbers| Value::Ints(numbers.into()));
    (number(), number(), any::<bool>(), "[a-cáx]{0,4}", texts, numbers)
        .prop_map(|(n, m, yes, word, tags, ranks)| vec![n, m, Value::Bool(yes), Value::Text(word.into()), tags, ranks])
}

#[test]
fn every_value_is_the_one_that_cel_has() {
    let (scope, _) = world();
    let (both, neither, ours, theirs) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |counter: &Cell<u32>| counter.set(counter.get() + 1);
    let cases = if std::env::var_os("XOM_LONG").is_some() { 20_000 } else { 400 };
    let config = Config { cases, ..Config::default() };
    let compared = TestRunner::new(config).run(&(sources(), rows()), |(source, row)| {
        let Ok(program) = Program::compile(&source, &scope) else { return Ok(()) };
        match (program.value(&row), other(&source, &row)) {
            (Ok(value), Some(found)) => {
                prop_assert_eq!(outside(&value), found, "{}", source);
                count(&both);
            }
            (Err(error), found) => {
                prop_assert_ne!(error, RunError::UnfitRow, "{}", source);
                count(if found.is_some() { &theirs } else { &neither });
            }
            (Ok(_), None) => count(&ours),
        }
        Ok(())
    });
    compared.expect("the same values");
    let counts = format!("both {}, neither {}", both.get(), neither.get());
    assert!(both.get() > cases / 2 && neither.get() > 10, "hardly anything was compared: {counts}");
    assert_eq!((ours.get(), theirs.get()), (0, 0), "one side has a value where the other has an error");
}
