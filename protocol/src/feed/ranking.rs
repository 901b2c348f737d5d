//! From candidates to an order that explains itself (`ALG-7`, `ALG-8`, `ALG-9`, `ALG-11`). The same candidates give
//! the same order whatever order they come in: nothing but what they say decides.

mod arrange;

use super::algorithm::{Algorithm, Judgement};
use super::value::Value;
use crate::ids::{Did, EntryId};
use crate::limits::FEED_BUCKET_SECS;

/// A moment for which a feed is made: five minutes of UTC, named by their beginning (`ALG-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u64);

impl Bucket {
    /// The bucket that a time is in, milliseconds since 1970.
    pub fn of_ms(time_ms: u64) -> Self {
        let secs = time_ms / 1_000;
        Self(secs - secs % FEED_BUCKET_SECS)
    }

    /// Its beginning, seconds since 1970: what `viewer.now` is.
    pub fn secs(self) -> u64 {
        self.0
    }

    /// True for a post that claims to be from after its end.
    fn is_before(self, time_ms: u64) -> bool {
        time_ms / 1_000 >= self.0.saturating_add(FEED_BUCKET_SECS)
    }
}

/// A post that could be on the page, with all that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The post.
    pub entry: EntryId,
    /// Its author.
    pub author: Did,
    /// The first post of its thread: itself, if it answers nothing.
    pub thread: EntryId,
    /// When it is claimed to have been made, milliseconds since 1970.
    pub time_ms: u64,
    /// Which sources it came from: bit n for the source at place n.
    pub sources: u8,
    /// What the reader has set that keeps it from the page, if anything does.
    pub kept_out: Option<KeptOut>,
    /// Its features, as [`Algorithm::row`] gives them.
    pub row: Vec<Value>,
}

/// What a reader sets for all feeds (`ALG-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeptOut {
    /// He blocks the author, or the author blocks him.
    Block,
    /// He muted the author or the thread.
    Mute,
    /// A word that he does not want to see.
    Word,
    /// A label that he does not want to see.
    Label,
}

impl KeptOut {
    /// Its name in pages, vectors and receipts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Mute => "mute",
            Self::Word => "word",
            Self::Label => "label",
        }
    }
}

/// Why a post is not on any page (`ALG-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It claims to be from after the bucket.
    Later,
    /// By what the reader has set.
    Reader(KeptOut),
    /// By a clause of the algorithm, by its place.
    Clause(usize),
}

/// A post at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Its place among the candidates.
    pub candidate: usize,
    /// Its terms, its score, and the clauses that could not judge it.
    pub judgement: Judgement,
    /// Its place by score alone, from 0.
    pub by_score: usize,
    /// What moved it.
    pub moved: Moved,
}

/// What caps and mixes did to a post (`ALG-9`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// The cap that held it back first, by its place.
    pub held_by: Option<usize>,
    /// The mix that brought it forward, by its place.
    pub lifted_by: Option<usize>,
    /// It stands here against a cap, because nothing else was left.
    pub against_cap: bool,
}

/// Everything that an algorithm made of some candidates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking {
    /// What is shown, in order.
    pub items: Vec<Ranked>,
    /// What is withheld: the places among the candidates, with the reason, by entry id.
    pub withheld: Vec<(usize, Reason)>,
}

impl Ranking {
    /// How many posts each reason withholds, by reason.
    pub fn counts(&self) -> Vec<(Reason, usize)> {
        let mut counts = std::collections::BTreeMap::new();
        for (_, reason) in &self.withheld {
            *counts.entry(*reason).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }
}

impl Algorithm {
    /// Filters, scores and orders candidates for a bucket. A post that is there twice counts once, as the first.
    pub fn rank(&self, candidates: &[Candidate], bucket: Bucket) -> Ranking {
        let mut places: Vec<usize> = (0..candidates.len()).collect();
        places.sort_by_key(|place| candidates[*place].entry);
        places.dedup_by_key(|place| candidates[*place].entry);
        let (mut items, mut withheld) = (Vec::with_capacity(places.len()), Vec::new());
        for place in places {
            let candidate = &candidates[place];
            if bucket.is_before(candidate.time_ms) {
                withheld.push((place, Reason::Later));
            } else if let Some(kept_out) = candidate.kept_out {
                withheld.push((place, Reason::Reader(kept_out)));
            } else {
                let judgement = self.judge(&candidate.row);
                match judgement.withheld {
                    Some(clause) => withheld.push((place, Reason::Clause(clause))),
                    None => items.push(Ranked { candidate: place, judgement, by_score: 0, moved: Moved::default() }),
                }
            }
        }
        items.sort_by(|left, right| {
            let (one, other) = (&candidates[left.candidate], &candidates[right.candidate]);
            let by_score = right.judgement.score.cmp(&left.judgement.score);
            by_score.then(other.time_ms.cmp(&one.time_ms)).then(one.entry.cmp(&other.entry))
        });
        for (by_score, item) in items.iter_mut().enumerate() {
            item.by_score = by_score;
        }
        let document = self.document();
        let items = arrange::arrange(items, candidates, &document.caps, &document.mixes);
        Ranking { items, withheld }
    }
}
