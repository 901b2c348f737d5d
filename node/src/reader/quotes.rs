//! Posts that quote a post.

use redb::{ReadOnlyTable, ReadableTableMetadata};
use xom_protocol::{Did, EntryId};

use super::paging::Span;
use super::{Read, Reader};
use crate::model::{Page, Status, StatusId};
use crate::private::FilterContext;
use crate::views::tables;

/// Which posts quote which, open to be read.
pub(super) type QuotesTable = ReadOnlyTable<(&'static [u8; 32], u64), ()>;

/// Quotes that are counted.
const COUNTED_MAX: usize = 10_000;

impl Reader {
    /// The posts that quote a post, newest first.
    pub fn quotes(&self, viewer: &Did, id: StatusId, page: &Page) -> Read<Vec<Status>> {
        let span = Span::of(page);
        let Some(quoted) = self.status_row(id.0)?.filter(|_| !span.is_empty()) else { return Ok(Vec::new()) };
        let viewer = self.viewer(viewer)?;
        let table = self.table(tables::QUOTES)?;
        let rows = table.range((&quoted.entry.0, span.low)..=(&quoted.entry.0, span.high))?;
        let rows = rows.map(|row| row.map(|(key, _)| key.value().1).map_err(Into::into));
        span.collect(rows, |status| match self.status_row(status)? {
            Some(row) => self.listed(Some(&viewer), status, &row, FilterContext::Thread),
            None => Ok(None),
        })
    }

    /// How many live posts quote a post.
    pub(super) fn quotes_count(&self, entry: &EntryId) -> Read<u64> {
        let table = match self.quotes.get() {
            Some(table) => table,
            None => {
                let table = self.table(tables::QUOTES)?;
                let has_any = !table.is_empty()?;
                self.quotes.get_or_init(|| has_any.then_some(table))
            }
        };
        let Some(table) = table else { return Ok(0) };
        let rows = table.range((&entry.0, 0)..=(&entry.0, u64::MAX))?;
        Ok(rows.take(COUNTED_MAX).count() as u64)
    }
}
