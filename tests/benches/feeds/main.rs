//! What feeds cost: compiling an expression, running a term, judging a candidate, ordering a page. Prints a table;
//! judges nothing. Pure processor time of one thread, without a store.
//!
//! `cargo bench -p xom-tests --bench feeds`

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use xom_protocol::feed::{Algorithm, BUILTINS, Bucket, Candidate, Feature, Program, Scope, Shape, Value};
use xom_protocol::{Did, EntryId};

/// Each figure is the best of so many rounds: what a machine does beside it only adds.
const ROUNDS: u32 = 7;
/// The bucket of all pages, milliseconds since 1970.
const NOW_MS: u64 = 1_700_000_100_000;
/// Candidates of a page.
const PAGES: [usize; 2] = [2_000, 20_000];
/// Authors of the candidates.
const AUTHORS: usize = 300;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for source in [
        "post.replies * 4",
        "post.replies * 4 + viewer.closeness * 3 - post.age / 60",
        "viewer.is_answered && post.replies > 3 ? 1000 : 0",
        "log2_milli(1 + post.replies)",
        "decay(viewer.closeness * 3, post.age, 43200)",
    ] {
        term(&mut out, source)?;
    }
    for builtin in BUILTINS {
        for count in PAGES {
            page(&mut out, builtin.slug, &builtin.algorithm(), count)?;
        }
    }
    Ok(())
}

/// Compiling and running one expression.
fn term(out: &mut impl Write, source: &str) -> io::Result<()> {
    let scope = Scope::new()
        .with("post", "age", Shape::INT)
        .with("post", "replies", Shape::INT)
        .with("viewer", "closeness", Shape::INT)
        .with("viewer", "is_answered", Shape::BOOL);
    let row = [Value::Int(7_777), Value::Int(12), Value::Int(300), Value::Bool(true)];
    let compiled = best(1_000, || black_box(Program::compile(black_box(source), &scope)).is_ok());
    let program = Program::compile(source, &scope).map_err(|error| io::Error::other(error.to_string()))?;
    let run = best(100_000, || black_box(program.number(black_box(&row))).is_ok());
    writeln!(out, "{:>8.0} ns to compile {:>8.1} ns to run  cost {:>3}  {source}", compiled, run, program.cost())
}

/// Judging and ordering candidates.
fn page(out: &mut impl Write, name: &str, algorithm: &Algorithm, count: usize) -> io::Result<()> {
    let parameters = algorithm.parameters(&BTreeMap::new()).map_err(|error| io::Error::other(error.to_string()))?;
    let candidates: Vec<_> = (0..count).map(|number| candidate(algorithm, &parameters, number)).collect();
    let bucket = Bucket::of_ms(NOW_MS);
    let judged = best(1, || candidates.iter().all(|candidate| black_box(algorithm.judge(&candidate.row)).score > -1));
    let ranked = best(1, || black_box(algorithm.rank(&candidates, bucket)).items.len() < usize::MAX);
    let each = judged / count as f64;
    writeln!(out, "{name:>14} {count:>6} candidates {each:>8.0} ns to judge one {:>8.2} ms a feed", ranked / 1e6)
}

/// Something like a post of a week, always the same of the same number.
fn candidate(algorithm: &Algorithm, parameters: &xom_protocol::feed::Parameters, number: usize) -> Candidate {
    let mixed = number.wrapping_mul(2_654_435_761) % 1_000_003;
    let at = |modulus: usize| Value::Int((mixed % modulus) as i64);
    let age_secs = mixed % 604_800;
    let feature = |feature: &Feature| match feature.name {
        "age" => Some(Value::Int(age_secs as i64)),
        "closeness" => Some(at(1_000)),
        "posts_28d" => Some(at(40)),
        "is_author" | "is_bot" | "has_seen" => Some(Value::Bool(mixed.is_multiple_of(23))),
        _ if feature.shape == Shape::INT => Some(at(9)),
        _ => Some(Value::Bool(!mixed.is_multiple_of(3))),
    };
    let mut entry = [0; 32];
    entry[..8].copy_from_slice(&(mixed as u64).to_be_bytes());
    entry[8..16].copy_from_slice(&(number as u64).to_be_bytes());
    let mut author = [0; 32];
    author[..8].copy_from_slice(&((mixed % AUTHORS) as u64).to_be_bytes());
    Candidate {
        entry: EntryId(entry),
        author: Did(author),
        thread: EntryId(entry),
        time_ms: NOW_MS - age_secs as u64 * 1_000,
        sources: 1 + u8::from(mixed.is_multiple_of(11)) * 2,
        kept_out: None,
        row: algorithm.row(feature, parameters),
    }
}

/// Nanoseconds of one of `times` calls, in the best round.
fn best(times: u32, mut call: impl FnMut() -> bool) -> f64 {
    let mut least = Duration::MAX;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        for _ in 0..times {
            black_box(call());
        }
        least = least.min(began.elapsed());
    }
    least.as_nanos() as f64 / f64::from(times)
}
