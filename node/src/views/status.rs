//! Posts and reposts: profiles, homes, public and tag timelines, threads.

use xom_protocol::body::{Post, Visibility};
use xom_protocol::log::{RegisterKey, Subject};
use xom_protocol::{Did, EntryId};

use super::register::{Change, Standing};
use super::row::{Shown, StatusRow, flags};
use super::{NewEntry, Views, source_hash, tag_hash};
use crate::error::StoreError;
use crate::model::{Event, NotificationKind, StatusId};

/// What tables hold because of one version of a post.
pub(super) fn shown(post: &Post) -> Shown {
    let media = if post.attachments.is_empty() { 0 } else { flags::MEDIA };
    let unlisted = if post.visibility == Visibility::Unlisted { flags::UNLISTED } else { 0 };
    let mut tags: Vec<_> = post.tags.iter().map(|tag| tag_hash(tag)).collect();
    tags.sort_unstable();
    tags.dedup();
    Shown { flags: media | unlisted, tags }
}

impl Views<'_> {
    pub(super) fn apply_post(&mut self, entry: &NewEntry<'_>, post: &Post) -> Result<(), StoreError> {
        let status = entry.arrival.local_id;
        let author = self.account_of(&entry.header.author)?;
        let row = self.post_row(entry, post, author)?;
        self.seen_at(author, row.time_ms)?;
        if let Some((parent, _)) = &row.target {
            self.children.insert((&parent.0, status), ())?;
            if !entry.disputed {
                self.count(parent, |(replies, _, _)| *replies += 1)?;
            }
        }
        if let Some(quoted) = &post.quote {
            self.quotes.insert((&quoted.entry.0, status), ())?;
        }
        if let Some(source) = &post.imported_from {
            self.imports.insert((author, &source_hash(source)), status)?;
        }
        let is_live = entry.arrival.live && row.flags & flags::IMPORTED == 0;
        self.insert_status(status, &row, is_live)?;
        self.notify_earlier(author, &row.entry)?;
        if entry.disputed {
            return Ok(());
        }
        self.account_row(author)?.statuses += 1;
        self.notify_mentions(entry, post, &row)
    }

    pub(super) fn retract_post(&mut self, entry: &NewEntry<'_>, post: &Post) -> Result<(), StoreError> {
        let status = entry.arrival.local_id;
        let Some(row) = self.status_row(status)? else { return Ok(()) };
        if let Some((parent, _)) = &row.target {
            self.children.remove((&parent.0, status))?;
            if !entry.disputed {
                self.count(parent, |(replies, _, _)| *replies = replies.saturating_sub(1))?;
            }
        }
        if let Some(quoted) = &post.quote {
            self.quotes.remove((&quoted.entry.0, status))?;
        }
        if let Some(source) = &post.imported_from {
            let key = (row.author, &source_hash(source));
            let is_this = self.imports.get(key)?.is_some_and(|known| known.value() == status);
            if is_this {
                self.imports.remove(key)?;
            }
        }
        self.forget_all(row.author, &row.entry)?;
        self.remove_status(status, &row)?;
        if entry.disputed {
            return Ok(());
        }
        self.discount_status(row.author)?;
        self.forget_mentions(entry, post, &row)
    }

    /// The register (author, repost, target) has another standing value.
    pub(super) fn repost_changed(&mut self, change: &Change, target: &EntryId) -> Result<(), StoreError> {
        if let Some(old) = &change.old {
            self.reposts.remove((&target.0, old.row.counter))?;
            self.count(target, |(_, reposts, _)| *reposts = reposts.saturating_sub(1))?;
            if let Some(row) = self.status_row(old.row.number)? {
                self.remove_status(old.row.number, &row)?;
                self.discount_status(row.author)?;
            }
            self.forget(change.author, old, target)?;
        }
        if let Some(new) = &change.new {
            self.reposts.insert((&target.0, new.row.counter), (change.author, new.row.number))?;
            self.count(target, |(_, reposts, _)| *reposts += 1)?;
            let row = self.repost_row(change, new, target);
            self.insert_status(new.row.number, &row, true)?;
            self.account_row(change.author)?.statuses += 1;
            self.notify_author(change.author, new, target, NotificationKind::Reblog)?;
        }
        Ok(())
    }

    /// The register (author, edit, target) has another standing value.
    pub(super) fn edit_changed(&mut self, change: &Change, target: &EntryId) -> Result<(), StoreError> {
        let Some(status) = self.status_of_entry.get(&target.0)?.map(|status| status.value()) else { return Ok(()) };
        let Some(mut row) = self.status_row(status)? else { return Ok(()) };
        // Only the same identity edits; another's register of the same name has no effect here.
        if row.author != change.author {
            return Ok(());
        }
        self.hide_shown(status, &row)?;
        set_edit(&mut row, change.new.as_ref());
        self.show_shown(status, &row)?;
        self.statuses.insert(status, row.write().as_slice())?;
        self.events.push(Event::StatusEdited(StatusId(status)));
        Ok(())
    }

    pub(super) fn status_row(&self, status: u64) -> Result<Option<StatusRow>, StoreError> {
        self.statuses.get(status)?.map(|row| StatusRow::read(row.value())).transpose()
    }

    /// Changes the counts of a target.
    pub(super) fn count(
        &mut self,
        target: &EntryId,
        change: impl FnOnce(&mut (u64, u64, u64)),
    ) -> Result<(), StoreError> {
        let mut counts = self.counts.get(&target.0)?.map(|counts| counts.value()).unwrap_or_default();
        change(&mut counts);
        if counts == (0, 0, 0) {
            self.counts.remove(&target.0)?;
        } else {
            self.counts.insert(&target.0, counts)?;
        }
        Ok(())
    }

    /// Puts the statuses of an author into a home, or takes them out.
    pub(super) fn fill_home(&mut self, viewer: u64, author: u64, follows: bool) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        for item in self.author_statuses.range((author, 0)..=(author, u64::MAX))? {
            let (key, row_flags) = item?;
            rows.push((key.value().1, row_flags.value()));
        }
        for (status, row_flags) in rows {
            if !follows {
                self.home.remove((viewer, status))?;
            } else if row_flags & flags::IMPORTED == 0
                && let Some(row) = self.status_row(status)?
            {
                self.home.insert((viewer, status), answered(&row))?;
            }
        }
        Ok(())
    }

    fn post_row(&mut self, entry: &NewEntry<'_>, post: &Post, author: u64) -> Result<StatusRow, StoreError> {
        let target = match &post.reply {
            Some(parent) => Some((parent.entry, self.account_of(&parent.author)?)),
            None => None,
        };
        let is_reply = target.is_some_and(|(_, answered)| answered != author);
        let first = shown(post);
        let mut row = StatusRow {
            place: entry.place,
            entry: entry.id,
            author,
            time_ms: entry.shown_ms(),
            flags: self.local_flag(author)
                | if is_reply { flags::REPLY } else { 0 }
                | if post.imported_from.is_some() || post.published.is_some() { flags::IMPORTED } else { 0 },
            target,
            edit: None,
            shown: first.clone(),
            first,
        };
        let key = RegisterKey { kind: "edit", subject: Subject::Entry(entry.id) };
        set_edit(&mut row, self.standing(&key.digest(&entry.header.author))?.as_ref());
        Ok(row)
    }

    fn repost_row(&self, change: &Change, new: &Standing, target: &EntryId) -> StatusRow {
        StatusRow {
            place: new.row.place,
            entry: new.entry,
            author: change.author,
            time_ms: new.row.time_ms,
            flags: flags::REPOST | self.local_flag(change.author),
            target: Some((*target, 0)),
            edit: None,
            first: Shown::default(),
            shown: Shown::default(),
        }
    }

    fn local_flag(&self, author: u64) -> u8 {
        if self.local.contains_key(&author) { flags::LOCAL } else { 0 }
    }

    fn insert_status(&mut self, status: u64, row: &StatusRow, is_live: bool) -> Result<(), StoreError> {
        self.statuses.insert(status, row.write().as_slice())?;
        self.status_of_entry.insert(&row.entry.0, status)?;
        self.show_shown(status, row)?;
        if row.flags & flags::IMPORTED != 0 {
            return Ok(());
        }
        for viewer in self.readers(row.author)? {
            self.home.insert((viewer, status), answered(row))?;
        }
        if is_live {
            self.events.push(Event::StatusPosted(StatusId(status)));
        }
        Ok(())
    }

    fn remove_status(&mut self, status: u64, row: &StatusRow) -> Result<(), StoreError> {
        self.hide_shown(status, row)?;
        self.statuses.remove(status)?;
        self.status_of_entry.remove(&row.entry.0)?;
        for viewer in self.readers(row.author)? {
            self.home.remove((viewer, status))?;
        }
        self.events.push(Event::StatusErased(StatusId(status)));
        Ok(())
    }

    fn discount_status(&mut self, author: u64) -> Result<(), StoreError> {
        let author = self.account_row(author)?;
        author.statuses = author.statuses.saturating_sub(1);
        Ok(())
    }

    /// Enters a version into the tables that depend on what it shows.
    fn show_shown(&mut self, status: u64, row: &StatusRow) -> Result<(), StoreError> {
        let all = row.all_flags();
        self.author_statuses.insert((row.author, status), all)?;
        if all & flags::REPOST == 0 {
            self.index.add(status)?;
        }
        if all & (flags::UNLISTED | flags::REPOST) != 0 {
            return Ok(());
        }
        if all & (flags::REPLY | flags::IMPORTED) == 0 {
            self.public.insert(status, all)?;
        }
        for tag in &row.shown.tags {
            self.tags.insert((tag, status), all)?;
        }
        Ok(())
    }

    /// The reverse of [`Views::show_shown`].
    fn hide_shown(&mut self, status: u64, row: &StatusRow) -> Result<(), StoreError> {
        self.author_statuses.remove((row.author, status))?;
        self.index.remove(status)?;
        self.public.remove(status)?;
        for tag in &row.shown.tags {
            self.tags.remove((tag, status))?;
        }
        Ok(())
    }

    /// The local accounts in whose home an author's statuses stand: the author and local followers.
    fn readers(&mut self, author: u64) -> Result<Vec<u64>, StoreError> {
        if let Some(readers) = self.readers.get(&author) {
            return Ok(readers.clone());
        }
        let mut readers = Vec::new();
        for viewer in self.local.keys() {
            if *viewer == author || self.follows.get((*viewer, author))?.is_some() {
                readers.push(*viewer);
            }
        }
        self.readers.insert(author, readers.clone());
        Ok(readers)
    }

    fn notify_mentions(&mut self, entry: &NewEntry<'_>, post: &Post, row: &StatusRow) -> Result<(), StoreError> {
        if row.flags & flags::IMPORTED != 0 {
            return Ok(());
        }
        for viewer in self.addressed(post, row)? {
            self.notify(viewer, entry.arrival, NotificationKind::Mention, row.author, entry.arrival.local_id)?;
        }
        Ok(())
    }

    fn forget_mentions(&mut self, entry: &NewEntry<'_>, post: &Post, row: &StatusRow) -> Result<(), StoreError> {
        for viewer in self.addressed(post, row)? {
            self.unnotify(viewer, entry.arrival.ms, entry.arrival.counter)?;
        }
        Ok(())
    }

    /// The local accounts, other than the author, that a post mentions or answers.
    fn addressed(&mut self, post: &Post, row: &StatusRow) -> Result<Vec<u64>, StoreError> {
        let mentioned: Vec<Did> = post.mentions.iter().map(|mention| mention.did).collect();
        let answers = row.target.map(|(_, author)| author);
        let local = self.local.iter();
        let addressed = local.filter(|(account, did)| mentioned.contains(did) || answers == Some(**account));
        Ok(addressed.map(|(account, _)| *account).filter(|account| *account != row.author).collect())
    }
}

/// The account that a home filters by: whom a reply to another answers, else 0.
fn answered(row: &StatusRow) -> u64 {
    match row.target {
        Some((_, author)) if row.flags & flags::REPLY != 0 => author,
        _ => 0,
    }
}

/// Makes `edit` the version that is shown.
fn set_edit(row: &mut StatusRow, edit: Option<&Standing>) {
    row.edit = edit.map(|edit| (edit.row.place, edit.row.time_ms));
    row.shown = edit.map_or_else(|| row.first.clone(), |edit| edit.row.shown.clone());
}
