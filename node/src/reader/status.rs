//! Statuses as a viewer sees them.

use xom_protocol::body::{Body, Post};
use xom_protocol::entry::Reference;
use xom_protocol::log::{RegisterKey, Subject};
use xom_protocol::{BlobId, Did, EntryId};

use super::lens::Lens;
use super::{Read, Reader, Viewer};
use crate::model::{AccountId, PollView, PostView, Status, StatusContent, StatusId};
use crate::private::{self, FilterContext};
use crate::store::tables::LogRow;
use crate::views::register::standing;
use crate::views::row::{StatusRow, flags};
use crate::views::{read_counts, tables};

/// How deep quotes are shown inside quotes.
const QUOTE_DEPTH_MAX: u8 = 1;

impl Reader {
    /// A status that is live.
    pub fn status(&self, viewer: Option<&Did>, id: StatusId) -> Read<Option<Status>> {
        let viewer = self.optional_viewer(viewer)?;
        self.status_of(viewer.as_ref(), id.0)
    }

    /// The status that an entry is.
    pub fn status_of_entry(&self, entry: &EntryId) -> Read<Option<StatusId>> {
        Ok(self.status_of_entry.get(&entry.0)?.map(|status| StatusId(status.value())))
    }

    /// True if a blob may be shown to whoever has its address: a live entry names it, or an upload that waits. What
    /// only erased entries name is not, though its bytes are here until they are purged.
    pub fn shows_blob(&self, blob: &BlobId) -> Read<bool> {
        self.snapshot().is_blob_shown(blob)
    }

    pub(super) fn status_row(&self, status: u64) -> Read<Option<StatusRow>> {
        self.statuses.get(status)?.map(|row| StatusRow::read(row.value())).transpose()
    }

    /// A status, whoever wrote it; a repost only where what it passes on is held.
    pub(super) fn status_of(&self, viewer: Option<&Viewer>, status: u64) -> Read<Option<Status>> {
        let Some(row) = self.status_row(status)? else { return Ok(None) };
        self.status_of_row(viewer, status, &row, 0)
    }

    /// A status for a list: none if its author, or the author of what it passes on, is blocked or muted, or a filter
    /// hides it there.
    pub(super) fn listed(
        &self,
        viewer: Option<&Viewer>,
        status: u64,
        row: &StatusRow,
        context: FilterContext,
    ) -> Read<Option<Status>> {
        if !Viewer::sees(viewer, row.author) {
            return Ok(None);
        }
        let made = self.status_of_row(viewer, status, row, 0)?.filter(|made| !Lens::hides(made, context));
        Ok(made.filter(|made| match &made.content {
            StatusContent::Repost(inner) => Viewer::sees(viewer, inner.account.id.0),
            StatusContent::Post(_) => true,
        }))
    }

    fn status_of_row(&self, viewer: Option<&Viewer>, status: u64, row: &StatusRow, depth: u8) -> Read<Option<Status>> {
        let content = if row.flags & flags::REPOST != 0 {
            self.reposted(viewer, row)?.map(StatusContent::Repost)
        } else {
            self.post_view(viewer, row, depth)?.map(|view| StatusContent::Post(Box::new(view)))
        };
        let Some(content) = content else { return Ok(None) };
        let account = self.account_arc(row.author)?;
        let log = self.log_row(row.place.log)?;
        Ok(Some(Status {
            id: StatusId(status),
            reference: Reference { entry: row.entry, author: account.did, log: log.log, seq: row.place.seq },
            time_ms: row.time_ms,
            account,
            content,
            disputed: log.disputed_from <= row.place.seq,
        }))
    }

    fn reposted(&self, viewer: Option<&Viewer>, row: &StatusRow) -> Read<Option<Box<Status>>> {
        let Some((target, _)) = row.target else { return Ok(None) };
        let Some(status) = self.status_of_entry(&target)? else { return Ok(None) };
        let Some(inner) = self.status_row(status.0)?.filter(|inner| inner.flags & flags::REPOST == 0) else {
            return Ok(None);
        };
        Ok(self.status_of_row(viewer, status.0, &inner, 0)?.map(Box::new))
    }

    fn post_view(&self, viewer: Option<&Viewer>, row: &StatusRow, depth: u8) -> Read<Option<PostView>> {
        let Some(post) = self.newest_version(row)? else { return Ok(None) };
        let (replies, reposts, reactions) = self.counts.get(&row.entry.0)?.map(|row| row.value()).unwrap_or_default();
        let mut mentions = Vec::new();
        for mention in &post.mentions {
            let (account, known) = crate::views::find_account(&self.accounts, &mention.did)?;
            if known.is_some() {
                mentions.push(self.account_arc(account)?);
            }
        }
        let own = |kind| self.stands(viewer, RegisterKey { kind, subject: Subject::Entry(row.entry) });
        let root = post.root.as_ref().map_or(row.entry, |root| root.entry);
        let mut view = PostView {
            edited_ms: row.edit.map(|(_, ms)| ms),
            in_reply_to: self.in_reply_to(row)?,
            mentions,
            quote: if depth < QUOTE_DEPTH_MAX { self.quoted(viewer, &post, depth)? } else { None },
            poll: self.poll_view(viewer, row, &post)?,
            replies,
            reposts,
            reactions,
            quotes: self.quotes_count(&row.entry)?,
            favourited: own("reaction")?,
            reposted: own("repost")?,
            bookmarked: self.is_set(viewer, private::BOOKMARK, &row.entry)?,
            pinned: self.is_set(viewer.filter(|viewer| viewer.account == row.author), private::PIN, &row.entry)?,
            quiet: viewer.is_some_and(|viewer| viewer.lens.quiet.contains(&root)),
            filtered: Vec::new(),
            post,
        };
        view.filtered = self.filtered(viewer, row.author, &row.entry, &view);
        Ok(Some(view))
    }

    /// The newest version, with what an edit can't change taken from the first.
    pub(super) fn newest_version(&self, row: &StatusRow) -> Read<Option<Post>> {
        let first = self.snapshot.opened((row.place.log, row.place.seq))?;
        let Some(Body::Post(first)) = first.as_deref() else { return Ok(None) };
        let edit = row.edit.map(|(place, _)| self.snapshot.opened((place.log, place.seq))).transpose()?.flatten();
        let Some(Body::Edit(edit)) = edit.as_deref() else { return Ok(Some(first.clone())) };
        // Votes name options by their place: an edit that changed them would turn votes around (`BODY-4`).
        let Post { reply, root, quote, poll, published, imported_from, .. } = first.clone();
        Ok(Some(Post { reply, root, quote, poll, published, imported_from, ..edit.post.clone() }))
    }

    fn in_reply_to(&self, row: &StatusRow) -> Read<Option<(StatusId, AccountId)>> {
        let Some((parent, _)) = row.target else { return Ok(None) };
        let Some(status) = self.status_of_entry(&parent)? else { return Ok(None) };
        Ok(self.status_row(status.0)?.map(|parent| (status, AccountId(parent.author))))
    }

    fn quoted(&self, viewer: Option<&Viewer>, post: &Post, depth: u8) -> Read<Option<Box<Status>>> {
        let Some(quote) = &post.quote else { return Ok(None) };
        let Some(status) = self.status_of_entry(&quote.entry)? else { return Ok(None) };
        let row = self.status_row(status.0)?;
        let Some(row) = row.filter(|row| Viewer::sees(viewer, row.author)) else { return Ok(None) };
        Ok(self.status_of_row(viewer, status.0, &row, depth + 1)?.map(Box::new))
    }

    fn poll_view(&self, viewer: Option<&Viewer>, row: &StatusRow, post: &Post) -> Read<Option<PollView>> {
        let Some(poll) = post.poll.clone() else { return Ok(None) };
        let counts = self.table(tables::POLLS)?.get(&row.entry.0)?.map(|counts| read_counts(counts.value()));
        let counts = counts.unwrap_or_default();
        let options = poll.options.len();
        let mut votes: Vec<u64> = (1..=options).map(|option| counts.get(option).copied().unwrap_or(0)).collect();
        let mut voters = counts.first().copied().unwrap_or(0);
        let closed = self.poll_result(row)?;
        if let Some((result, result_voters)) = &closed {
            votes = (0..options).map(|option| result.get(option).copied().unwrap_or(0)).collect();
            voters = *result_voters;
        }
        let own = match viewer {
            Some(viewer) => self.own_choices(viewer, row.entry)?,
            None => Vec::new(),
        };
        Ok(Some(PollView { poll, votes, voters, closed: closed.is_some(), own }))
    }

    /// The result that the author published.
    fn poll_result(&self, row: &StatusRow) -> Read<Option<(Vec<u64>, u64)>> {
        let author = self.account_arc(row.author)?.did;
        let key = RegisterKey { kind: "poll-close", subject: Subject::Entry(row.entry) };
        let Some(value) = standing(&self.registers, &key.digest(&author))? else { return Ok(None) };
        let place = value.row.place;
        match self.snapshot.opened((place.log, place.seq))?.as_deref() {
            Some(Body::PollClose(result)) => Ok(Some((result.votes.clone(), result.voters))),
            _ => Ok(None),
        }
    }

    fn own_choices(&self, viewer: &Viewer, poll: EntryId) -> Read<Vec<u64>> {
        let key = RegisterKey { kind: "vote", subject: Subject::Entry(poll) };
        let bits = standing(&self.registers, &key.digest(&viewer.did))?.map_or(0, |value| value.row.number);
        Ok((0..64).filter(|option| bits >> option & 1 == 1).collect())
    }

    /// True if the viewer has set something of a post.
    fn is_set(&self, viewer: Option<&Viewer>, family: &str, entry: &EntryId) -> Read<bool> {
        let Some(viewer) = viewer else { return Ok(false) };
        Ok(self.setting(&viewer.did, &private::entry_key(family, entry))?.is_some())
    }

    /// True if the viewer has a live value in a register.
    fn stands(&self, viewer: Option<&Viewer>, key: RegisterKey) -> Read<bool> {
        let Some(viewer) = viewer else { return Ok(false) };
        Ok(standing(&self.registers, &key.digest(&viewer.did))?.is_some())
    }

    fn log_row(&self, number: u32) -> Read<LogRow> {
        if let Some(row) = self.logs_known.borrow().get(&number) {
            return Ok(*row);
        }
        let row = self.snapshot.log(number)?;
        let row = row.ok_or_else(|| crate::StoreError::Damaged(format!("log {number} has no row")))?;
        self.logs_known.borrow_mut().insert(number, row);
        Ok(row)
    }
}
