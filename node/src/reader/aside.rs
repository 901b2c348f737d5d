//! What a local identity has put aside, liked and pinned, in the order in which it did; and the versions of a post.

use xom_protocol::body::{Body, Post};
use xom_protocol::log::{RegisterKey, Subject};
use xom_protocol::{Did, EntryId};

use super::paging::Span;
use super::{Read, Reader, Viewer};
use crate::model::{Page, Status, StatusId};
use crate::private;
use crate::views::row::{RegisterRow, flags};
use crate::views::{Place, tables};

impl Reader {
    /// The posts of a family of settings, [`private::BOOKMARK`] or [`private::PIN`], that are held; newest first by
    /// when they were put there, as `viewer` sees them, each with the cursor that pages.
    pub fn set_aside(&self, viewer: &Did, owner: &Did, family: &str, page: &Page) -> Read<Vec<(u64, Status)>> {
        let viewer = self.viewer(viewer)?;
        let span = Span::of(page);
        let mut entries = Vec::new();
        for (key, value) in self.settings(owner, family)? {
            let (Some(cursor), Some(entry)) = (private::cursor_of(&value), private::entry_of(&key)) else { continue };
            if (span.low..=span.high).contains(&cursor) {
                entries.push((cursor, entry));
            }
        }
        entries.sort_unstable();
        if span.is_empty() {
            return Ok(Vec::new());
        }
        span.collect(entries.into_iter().map(Ok), |(cursor, entry)| self.with_entry(&viewer, cursor, &entry))
    }

    /// The posts that a local identity likes, newest like first, each with the cursor that pages.
    pub fn favourites(&self, owner: &Did, page: &Page) -> Read<Vec<(u64, Status)>> {
        let viewer = self.viewer(owner)?;
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.table(tables::FAVOURITES)?;
        let rows = table.range((viewer.account, span.low)..=(viewer.account, span.high))?;
        let rows =
            rows.map(|row| row.map(|(key, target)| (key.value().1, EntryId(*target.value()))).map_err(Into::into));
        span.collect(rows, |(cursor, target)| self.with_entry(&viewer, cursor, &target))
    }

    /// Every version of a post, the first one first, with the time of each; none if the status is no post.
    pub fn versions(&self, id: StatusId) -> Read<Option<Vec<(u64, Post)>>> {
        let Some(row) = self.status_row(id.0)?.filter(|row| row.flags & flags::REPOST == 0) else { return Ok(None) };
        let first = self.snapshot.opened((row.place.log, row.place.seq))?;
        let Some(Body::Post(first)) = first.as_deref() else { return Ok(None) };
        let mut versions = vec![(row.time_ms, first.clone())];
        let author = self.account_arc(row.author)?.did;
        let key = RegisterKey { kind: "edit", subject: Subject::Entry(row.entry) }.digest(&author);
        for value in self.registers.range((&key.0, 0, &[0; 32])..=(&key.0, u64::MAX, &[0xff; 32]))? {
            let RegisterRow { place: Place { log, seq }, time_ms, .. } = RegisterRow::read(value?.1.value())?;
            if let Some(Body::Edit(edit)) = self.snapshot.opened((log, seq))?.as_deref() {
                versions.push((time_ms, edit.post.clone()));
            }
        }
        Ok(Some(versions))
    }

    fn with_entry(&self, viewer: &Viewer, cursor: u64, entry: &EntryId) -> Read<Option<(u64, Status)>> {
        let Some(status) = self.status_of_entry(entry)? else { return Ok(None) };
        Ok(self.status_of(Some(viewer), status.0)?.map(|status| (cursor, status)))
    }
}
