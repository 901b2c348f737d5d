//! Searching posts by their words. The index names candidates, newest first, and each is looked at before it counts.

mod candidates;
mod people;
mod tags;

pub use tags::FoundTag;

use xom_protocol::Did;

use super::paging::Span;
use super::{Read, Reader, Viewer};
use crate::model::{Page, Status};
use crate::search::{AuthorNamed, SearchQuery};
use crate::views::index::{Kind, form_bit, word_hash};
use crate::views::row::{StatusRow, flags};
use crate::views::{find_account, tables};
use candidates::{Candidates, Wanted};

/// Candidates that one search looks at: beyond them older posts are not found.
const CANDIDATES_MAX: usize = 5_000;

impl Reader {
    /// Posts that answer a question, newest first: public ones of anybody, unlisted ones of the viewer alone. `author`
    /// leaves only theirs; the first `offset` are passed over. Nothing of whom the viewer blocks or mutes.
    pub fn search_statuses(
        &self,
        viewer: &Did,
        query: &SearchQuery,
        author: Option<&Did>,
        offset: usize,
        page: &Page,
    ) -> Read<Vec<Status>> {
        let span = Span::of(page);
        let named = match &query.author {
            None => None,
            Some(AuthorNamed::Me) => Some(*viewer),
            Some(AuthorNamed::Other(name)) => match self.resolve_account(name)? {
                Some(account) => Some(account.did),
                None => return Ok(Vec::new()),
            },
        };
        if span.is_empty() || query.is_empty() || named.zip(author).is_some_and(|(named, author)| named != *author) {
            return Ok(Vec::new());
        }
        let author = match named.as_ref().or(author) {
            Some(did) => Some(find_account(&self.accounts, did)?.0),
            None => None,
        };
        let viewer = self.viewer(viewer)?;
        let mut found = Vec::new();
        let mut passed = 0;
        self.each_candidate(query, author, span, |status| {
            let Some(row) = self.searched(&viewer, status, author)? else { return Ok(true) };
            if !self.newest_version(&row)?.is_some_and(|post| query.fits(&post, row.time_ms)) {
                return Ok(true);
            }
            if passed < offset {
                passed += 1;
                return Ok(true);
            }
            found.extend(self.status_of(Some(&viewer), status)?);
            Ok(found.len() < page.limit)
        })?;
        if span.oldest_first() {
            found.reverse();
        }
        Ok(found)
    }

    /// Gives every candidate in its order to `take`, until it wants no more.
    fn each_candidate(
        &self,
        query: &SearchQuery,
        author: Option<u64>,
        span: Span,
        mut take: impl FnMut(u64) -> Read<bool>,
    ) -> Read<()> {
        if query.terms.is_empty() {
            // No words: only an author's posts are few enough to be looked at one by one.
            let Some(author) = author else { return Ok(()) };
            let table = self.table(tables::AUTHOR_STATUSES)?;
            let mut rows = table.range((author, span.low)..=(author, span.high))?;
            for _ in 0..CANDIDATES_MAX {
                let row = if span.oldest_first() { rows.next() } else { rows.next_back() };
                let Some(row) = row else { break };
                if !take(row?.0.value().1)? {
                    break;
                }
            }
            return Ok(());
        }
        let words = query.terms.iter().flatten();
        let wanted = words.map(|word| Wanted {
            hash: word_hash(Kind::Word, &word.folded),
            forms: if word.is_plain() { u16::MAX } else { form_bit(&word.exact) },
        });
        let mut candidates = Candidates::open(self.snapshot.txn(), wanted.collect(), span)?;
        for _ in 0..CANDIDATES_MAX {
            let Some(status) = candidates.next()? else { break };
            if !take(status)? {
                break;
            }
        }
        Ok(())
    }

    /// The row of a post that a viewer may find.
    fn searched(&self, viewer: &Viewer, status: u64, author: Option<u64>) -> Read<Option<StatusRow>> {
        let row = self.status_row(status)?;
        Ok(row.filter(|row| {
            let all = row.all_flags();
            all & flags::REPOST == 0
                && (all & flags::UNLISTED == 0 || row.author == viewer.account)
                && author.is_none_or(|author| row.author == author)
                && Viewer::sees(Some(viewer), row.author)
        }))
    }
}
