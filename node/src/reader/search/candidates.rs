//! Posts that the index names for some words, in the order of their ids: segment by segment, as late as possible.

use std::collections::{BTreeSet, VecDeque};

use redb::{ReadOnlyTable, ReadTransaction, ReadableTable};

use super::super::Read;
use super::super::paging::Span;
use crate::views::index::{WordHash, hits, place_of};
use crate::views::tables;

/// Segments that one search looks at.
const SEGMENTS_MAX: usize = 16_384;
/// 64-bit words of a set of slots.
const SET_WORDS: usize = 4;

/// A word that must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its hash.
    pub(super) hash: WordHash,
    /// Any of these forms.
    pub(super) forms: u16,
}

/// What is left of a search.
pub(super) struct Candidates {
    posts: ReadOnlyTable<u32, u64>,
    words: ReadOnlyTable<(u32, WordHash), &'static [u8]>,
    wanted: Vec<Wanted>,
    span: Span,
    /// Segments that were not looked at, the one with the first possible post first; each with the rank of that one.
    segments: VecDeque<(u64, u32)>,
    /// Ranks of posts that are known and not given out yet.
    known: BTreeSet<u64>,
}

impl Candidates {
    /// Begins with the posts that wait for a segment: all of them are candidates.
    pub(super) fn open(txn: &ReadTransaction, wanted: Vec<Wanted>, span: Span) -> Read<Self> {
        let mut candidates = Self {
            posts: txn.open_table(tables::SLOT_POSTS)?,
            words: txn.open_table(tables::WORDS)?,
            wanted,
            span,
            segments: VecDeque::new(),
            known: BTreeSet::new(),
        };
        for row in txn.open_table(tables::WAITING)?.range(span.low..=span.high)? {
            candidates.known.insert(candidates.rank(row?.0.value()));
        }
        let mut segments = Vec::new();
        for row in txn.open_table(tables::SEGMENTS)?.iter()?.rev().take(SEGMENTS_MAX) {
            let (segment, range) = row?;
            let (low, high) = range.value();
            if low <= span.high && high >= span.low {
                segments.push((candidates.rank(high).min(candidates.rank(low)), segment.value()));
            }
        }
        segments.sort_unstable();
        candidates.segments = segments.into();
        Ok(candidates)
    }

    /// The next post.
    pub(super) fn next(&mut self) -> Read<Option<u64>> {
        loop {
            let first = self.known.first().copied();
            match self.segments.front() {
                Some((rank, segment)) if first.is_none_or(|first| *rank <= first) => {
                    let segment = *segment;
                    self.segments.pop_front();
                    self.look_into(segment)?;
                }
                _ => return Ok(self.known.pop_first().map(|rank| self.rank(rank))),
            }
        }
    }

    /// Ids in the order in which they are given out; its own reverse.
    fn rank(&self, status: u64) -> u64 {
        if self.span.oldest_first() { status } else { u64::MAX - status }
    }

    fn look_into(&mut self, segment: u32) -> Read<()> {
        let mut slots = [u64::MAX; SET_WORDS];
        for wanted in &self.wanted {
            let mut having = [0_u64; SET_WORDS];
            let Some(row) = self.words.get((segment, wanted.hash))? else { return Ok(()) };
            for (slot, _) in hits(row.value()).filter(|(_, forms)| forms & wanted.forms != 0 || *forms == 0) {
                having[usize::from(slot / 64)] |= 1 << (slot % 64);
            }
            slots.iter_mut().zip(having).for_each(|(slots, having)| *slots &= having);
        }
        for slot in (0..=u8::MAX).filter(|slot| slots[usize::from(slot / 64)] >> (slot % 64) & 1 == 1) {
            let Some(status) = self.posts.get(place_of(segment, slot))?.map(|status| status.value()) else { continue };
            if (self.span.low..=self.span.high).contains(&status) {
                self.known.insert(self.rank(status));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
