//! From candidates to an order (`ALG-7`, `ALG-8`, `ALG-9`, `ALG-11`).

use std::collections::BTreeMap;

use proptest::prelude::*;
use xom_protocol::feed::{
    Algorithm, BUILTINS, Bucket, Candidate, Cap, CapBy, Document, KeptOut, Mix, Ranking, Reason, Value,
};
use xom_protocol::{Did, EntryId};

use super::algorithms::whole;

/// The beginning of the bucket of all tests, seconds.
pub(crate) const NOW: u64 = 1_700_000_100;

/// An algorithm whose score is how many replied.
fn by_replies(caps: &[Cap], mixes: &[Mix]) -> Algorithm {
    let mut document: Document = whole();
    document.reads = vec!["post.replies".into()];
    document.filters.clear();
    document.params.clear();
    document.terms.truncate(1);
    document.terms[0].value = "post.replies".into();
    document.cases.truncate(1);
    document.cases[0].terms.clear();
    document.cases[0].row.clear();
    document.cases[0].score = 0;
    (document.caps, document.mixes) = (caps.to_vec(), mixes.to_vec());
    Algorithm::check(document).unwrap_or_else(|e| panic!("{e}"))
}

/// A post of the number `n` by an author, with a score.
fn post(n: u8, author: u8, score: i64) -> Candidate {
    Candidate {
        entry: EntryId([n; 32]),
        author: Did([author; 32]),
        thread: EntryId([n; 32]),
        time_ms: (NOW - 60) * 1_000,
        sources: 1,
        kept_out: None,
        row: vec![Value::Int(score)],
    }
}

fn rank(algorithm: &Algorithm, candidates: &[Candidate]) -> Ranking {
    algorithm.rank(candidates, Bucket::of_ms(NOW * 1_000))
}

/// The numbers of the posts that are shown.
fn order(algorithm: &Algorithm, candidates: &[Candidate]) -> Vec<u8> {
    rank(algorithm, candidates).items.iter().map(|item| candidates[item.candidate].entry.0[0]).collect()
}

#[test]
fn r_rnk_4_higher_scores_come_first_then_later_posts_then_lower_ids() {
    let algorithm = by_replies(&[], &[]);
    let mut posts = vec![post(4, 1, 5), post(3, 2, 5), post(2, 3, 9), post(1, 4, 5)];
    posts[0].time_ms += 1;
    assert_eq!(order(&algorithm, &posts), [2, 4, 1, 3]);
    posts.reverse();
    assert_eq!(order(&algorithm, &posts), [2, 4, 1, 3], "whatever order they come in");
}

#[test]
fn r_rnk_9_where_every_term_fails_the_newest_comes_first_and_the_error_is_told() {
    let mut document = whole();
    document.filters.clear();
    document.reads = vec!["viewer.closeness".into()];
    document.terms.remove(0);
    document.params.clear();
    document.cases.truncate(1);
    document.cases[0].row.clear();
    document.cases[0].terms.remove("replies");
    document.cases[0].score = 0;
    let algorithm = Algorithm::check(document).unwrap_or_else(|e| panic!("{e}"));
    let mut posts = vec![post(1, 1, 0), post(2, 2, 0), post(3, 3, 0)];
    posts[1].time_ms += 5;
    assert_eq!(order(&algorithm, &posts), [2, 1, 3]);
    assert!(rank(&algorithm, &posts).items.iter().all(|item| item.judgement.terms[0].is_err()));
}

#[test]
fn what_is_withheld_is_counted_by_its_reason() {
    let algorithm = Algorithm::check(whole()).expect("valid");
    let parameters = algorithm.parameters(&BTreeMap::new()).expect("defaults");
    let row = |reactions: i64| {
        algorithm.row(|feature| (feature.name == "reactions").then_some(Value::Int(reactions)), &parameters)
    };
    let with = |n, reactions, change: fn(&mut Candidate)| {
        let mut post = Candidate { row: row(reactions), ..post(n, n, 0) };
        change(&mut post);
        post
    };
    let posts = [
        with(1, 0, |_| {}),
        with(2, 100, |_| {}),
        with(3, 200, |_| {}),
        with(4, 0, |post| post.kept_out = Some(KeptOut::Mute)),
        with(5, 300, |post| post.kept_out = Some(KeptOut::Word)),
        with(6, 0, |post| post.time_ms = (NOW + 300) * 1_000),
        with(7, 0, |post| post.time_ms = (NOW + 300) * 1_000 - 1),
    ];
    assert_eq!(order(&algorithm, &posts), [7, 1], "what is from the bucket itself is shown");
    let counts = rank(&algorithm, &posts).counts();
    let reader = |kept_out| (Reason::Reader(kept_out), 1);
    assert_eq!(counts, [(Reason::Later, 1), reader(KeptOut::Mute), reader(KeptOut::Word), (Reason::Clause(0), 2)]);
}

#[test]
fn a_cap_lets_two_of_five_be_by_one_author_and_says_whom_it_held_back() {
    let algorithm = by_replies(&[Cap { by: CapBy::Author, max: 2, of: 5 }], &[]);
    let posts: Vec<_> = (1..=4).map(|n| post(n, 1, 100)).chain((5..=8).map(|n| post(n, n, 1))).collect();
    assert_eq!(order(&algorithm, &posts), [1, 2, 5, 6, 7, 3, 4, 8]);
    let ranking = rank(&algorithm, &posts);
    let third = &ranking.items[5];
    assert_eq!((third.by_score, third.moved.held_by, third.moved.against_cap), (2, Some(0), false));
    assert_eq!(ranking.items[2].moved.held_by, None, "who comes forward was not moved by a rule");
}

#[test]
fn where_only_capped_posts_are_left_they_stand_against_the_cap_and_say_so() {
    let algorithm = by_replies(&[Cap { by: CapBy::Author, max: 1, of: 3 }], &[]);
    let posts: Vec<_> = (1..=3).map(|n| post(n, 1, 1)).collect();
    let ranking = rank(&algorithm, &posts);
    let against: Vec<_> = ranking.items.iter().map(|item| item.moved.against_cap).collect();
    assert_eq!(against, [false, true, true]);
    assert_eq!(ranking.withheld, [], "a cap hides nothing");
}

#[test]
fn a_mix_brings_forward_a_share_of_a_source() {
    let algorithm = by_replies(&[], &[Mix { source: 1, min: 1, of: 4 }]);
    let mut posts: Vec<_> = (1..=8).map(|n| post(n, n, 100 - i64::from(n))).collect();
    posts[6].sources = 2;
    posts[7].sources = 3;
    assert_eq!(order(&algorithm, &posts), [1, 2, 3, 7, 4, 5, 6, 8]);
    let ranking = rank(&algorithm, &posts);
    assert_eq!(ranking.items[3].moved.lifted_by, Some(0));
    assert_eq!(ranking.items[7].moved.lifted_by, None, "it was the next one anyway");
}

#[test]
fn a_mix_does_not_break_a_cap() {
    let algorithm = by_replies(&[Cap { by: CapBy::Author, max: 1, of: 3 }], &[Mix { source: 1, min: 1, of: 2 }]);
    let mut posts: Vec<_> = (1..=4).map(|n| post(n, n, 100 - i64::from(n))).chain([post(5, 1, 0)]).collect();
    posts[4].sources = 2;
    assert_eq!(order(&algorithm, &posts), [1, 2, 3, 5, 4]);
}

#[test]
fn a_post_that_comes_twice_is_there_once() {
    let algorithm = by_replies(&[], &[]);
    let posts = [post(1, 1, 1), post(2, 2, 2), post(1, 1, 1)];
    assert_eq!(order(&algorithm, &posts), [2, 1]);
}

#[test]
fn a_built_in_algorithm_ranks_thousands_within_its_cost() {
    for builtin in BUILTINS {
        let algorithm = builtin.algorithm();
        let parameters = algorithm.parameters(&BTreeMap::new()).expect("defaults");
        let candidate = |n: u64| {
            let feature = |read: &xom_protocol::feed::Feature| match read.name {
                "age" => Some(Value::Int(i64::try_from(n * 37 % 90_000).expect("small"))),
                "replies" | "known_repliers" | "followed_tags" | "closeness" => {
                    Some(Value::Int(i64::try_from(n % 7).expect("small")))
                }
                "reads_language" => Some(Value::Bool(true)),
                _ => None,
            };
            let mut entry = [0; 32];
            entry[..8].copy_from_slice(&n.to_be_bytes());
            Candidate {
                entry: EntryId(entry),
                thread: EntryId(entry),
                sources: 1 + (n % 2) as u8,
                row: algorithm.row(feature, &parameters),
                ..post(0, (n % 50) as u8, 0)
            }
        };
        let candidates: Vec<_> = (0..2_000).map(candidate).collect();
        let ranking = rank(&algorithm, &candidates);
        assert_eq!(ranking.items.len() + ranking.withheld.len(), 2_000, "{}", builtin.slug);
        assert!(ranking.items.len() > 1_000, "{}", builtin.slug);
    }
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let one = (any::<u8>(), 0_u8..5, 0_u8..4, -3_i64..3, 0_u64..400, 0_u8..4, 0_u8..20);
    prop::collection::vec(one, 0..60).prop_map(|all| {
        let candidate = |(n, author, thread, score, age, sources, kept_out)| Candidate {
            thread: EntryId([thread; 32]),
            time_ms: (NOW + 310 - age) * 1_000,
            sources,
            kept_out: (kept_out == 0).then_some(KeptOut::Block),
            ..post(n, author, score)
        };
        let all: BTreeMap<_, _> = all.into_iter().map(candidate).map(|post| (post.entry, post)).collect();
        all.into_values().collect()
    })
}

fn rules() -> impl Strategy<Value = (Vec<Cap>, Vec<Mix>)> {
    let pair = (1_u32..4, 1_u32..6).prop_map(|(least, more)| (least, least + more));
    let cap = |by| prop::option::of(pair.clone().prop_map(move |(max, of)| Cap { by, max, of }));
    let mix = |source| prop::option::of(pair.clone().prop_map(move |(min, of)| Mix { source, min, of }));
    (cap(CapBy::Author), cap(CapBy::Thread), mix(0), mix(1)).prop_map(|(author, thread, one, other)| {
        (author.into_iter().chain(thread).collect(), one.into_iter().chain(other).collect())
    })
}

proptest! {
    #[test]
    fn r_rnk_3_the_order_does_not_depend_on_the_order_of_candidates(
        (posts, mixed) in candidates().prop_flat_map(|posts| (Just(posts.clone()), Just(posts).prop_shuffle())),
        (caps, mixes) in rules(),
    ) {
        let algorithm = by_replies(&caps, &mixes);
        let told = |posts: &[Candidate]| {
            let ranking = rank(&algorithm, posts);
            let items: Vec<_> = ranking.items.iter()
                .map(|item| (posts[item.candidate].entry, item.judgement.clone(), item.by_score, item.moved))
                .collect();
            let withheld: Vec<_> = ranking.withheld.iter().map(|(at, why)| (posts[*at].entry, *why)).collect();
            (items, withheld)
        };
        prop_assert_eq!(told(&posts), told(&mixed));
    }

    #[test]
    fn every_candidate_is_shown_or_withheld_and_caps_hold_where_nothing_says_otherwise(
        posts in candidates(), (caps, mixes) in rules(),
    ) {
        let algorithm = by_replies(&caps, &mixes);
        let ranking = rank(&algorithm, &posts);
        let mut places: Vec<_> = ranking.items.iter().map(|item| item.candidate)
            .chain(ranking.withheld.iter().map(|(at, _)| *at)).collect();
        places.sort_unstable();
        prop_assert_eq!(places, (0..posts.len()).collect::<Vec<_>>());
        for (cap, (at, item)) in caps.iter().flat_map(|cap| ranking.items.iter().enumerate().map(move |at| (cap, at))) {
            let group = |item: &xom_protocol::feed::Ranked| match cap.by {
                CapBy::Author => posts[item.candidate].author.0,
                CapBy::Thread => posts[item.candidate].thread.0,
            };
            let window = &ranking.items[(at + 1).saturating_sub(cap.of as usize)..at];
            let same = window.iter().filter(|before| group(before) == group(item)).count();
            prop_assert!(same < cap.max as usize || item.moved.against_cap, "position {at}");
        }
    }
}
