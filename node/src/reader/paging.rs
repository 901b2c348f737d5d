//! Pages over tables that are ordered by local id.

use std::collections::BTreeMap;

use super::Read;
use crate::model::{Page, Status, StatusId};

/// Which ids of a table a page looks at, and from which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// The lowest id, inclusive.
    pub(super) low: u64,
    /// The highest id, inclusive; below `low` where the page is empty.
    pub(super) high: u64,
    oldest_first: bool,
    limit: usize,
}

impl Span {
    pub(super) fn of(page: &Page) -> Self {
        let above = page.min_id.max(page.since_id);
        Self {
            low: above.map_or(0, |id| id.saturating_add(1)),
            high: page.max_id.map_or(u64::MAX, |id| id.saturating_sub(1)),
            oldest_first: page.min_id.is_some(),
            limit: page.limit,
        }
    }

    /// The same without ids up to this one.
    pub(super) fn above(self, id: u64) -> Self {
        Self { low: self.low.max(id.saturating_add(1)), ..self }
    }

    /// True where nothing can be in it.
    pub(super) fn is_empty(&self) -> bool {
        self.low > self.high || self.limit == 0
    }

    pub(super) fn oldest_first(&self) -> bool {
        self.oldest_first
    }

    /// Takes what `make` makes something of until the page is full; newest first in the answer.
    pub(super) fn collect<I, T>(
        &self,
        items: impl DoubleEndedIterator<Item = Read<I>>,
        mut make: impl FnMut(I) -> Read<Option<T>>,
    ) -> Read<Vec<T>> {
        let mut page = Vec::new();
        let mut take = |item: Read<I>| -> Read<bool> {
            page.extend(make(item?)?);
            Ok(page.len() < self.limit)
        };
        if self.oldest_first {
            for item in items {
                if !take(item)? {
                    break;
                }
            }
            page.reverse();
        } else {
            for item in items.rev() {
                if !take(item)? {
                    break;
                }
            }
        }
        Ok(page)
    }
}

impl Span {
    /// One page out of two of the same span, each status once; newest first.
    pub(super) fn merge(&self, first: Vec<Status>, second: Vec<Status>, limit: usize) -> Vec<Status> {
        let each: BTreeMap<StatusId, Status> = first.into_iter().chain(second).map(|one| (one.id, one)).collect();
        let mut page: Vec<Status> = each.into_values().rev().collect();
        if self.oldest_first {
            page.drain(..page.len().saturating_sub(limit));
        } else {
            page.truncate(limit);
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: Page, want: &[u64]) {
        let page = Page { limit: 2, ..page };
        let span = Span::of(&page);
        let ids = (1..=6_u64).filter(|id| (span.low..=span.high).contains(id)).map(Ok).collect::<Vec<_>>();
        let got = if span.is_empty() { Ok(vec![]) } else { span.collect(ids.into_iter(), |id| Ok(Some(id))) };
        assert_eq!(got.expect("no storage involved"), want, "{page:?}");
    }

    #[test]
    fn bounds_are_exclusive_and_min_id_gives_the_page_next_to_it() {
        check(Page::default(), &[6, 5]);
        check(Page { max_id: Some(5), ..Page::default() }, &[4, 3]);
        check(Page { since_id: Some(3), ..Page::default() }, &[6, 5]);
        check(Page { min_id: Some(3), ..Page::default() }, &[5, 4]);
        check(Page { min_id: Some(1), max_id: Some(3), ..Page::default() }, &[2]);
        check(Page { max_id: Some(0), ..Page::default() }, &[]);
        check(Page { min_id: Some(u64::MAX), ..Page::default() }, &[]);
    }
}
