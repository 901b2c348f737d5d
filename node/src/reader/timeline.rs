//! Timelines: pages of statuses.

use redb::ReadOnlyTable;
use xom_protocol::Did;

use super::paging::Span;
use super::{Read, Reader, Viewer};
use crate::model::{AuthorFilter, Page, PublicScope, Status, StatusId, TagFilter};
use crate::private::{self, FilterContext, ListHead, ListReplies};
use crate::views::row::{Hash16, StatusRow, flags};
use crate::views::{find_account, source_hash, tables, tag_hash};

impl Reader {
    /// Own posts, posts and reposts of follows; a reply where it answers the author, the viewer or
    /// somebody followed; public posts with a followed tag. Without members of exclusive lists. Newest
    /// first.
    pub fn home(&self, viewer: &Did, page: &Page) -> Read<Vec<Status>> {
        let viewer = self.viewer(viewer)?;
        let shows = |row: &StatusRow, answered| {
            let left_out = viewer.lens.exclusive.contains(&row.author) && row.author != viewer.account;
            Ok(!left_out && (row.author == viewer.account || self.answers_known(&viewer, answered)?))
        };
        let tags = self.settings(&viewer.did, private::TAG)?;
        let tags = tags.iter().filter_map(|(key, _)| key.strip_prefix(private::TAG)).map(tag_hash).collect();
        self.home_where(&viewer, page, tags, shows)
    }

    /// What home would show of the members of a list, as far as its rule for answers lets it. Empty where there is no
    /// such list.
    pub fn list(&self, viewer: &Did, id: u64, page: &Page) -> Read<Vec<Status>> {
        let head = self.setting(viewer, &format!("{}{id}", private::LIST))?;
        let Some(head) = head.and_then(|value| private::read_value::<ListHead>(&value)) else {
            return Ok(Vec::new());
        };
        let members = self.list_accounts(viewer, &id.to_string())?;
        let viewer = self.viewer(viewer)?;
        let shows = |row: &StatusRow, answered| {
            let fits = match head.replies {
                ListReplies::None => answered == 0,
                ListReplies::List => answered == 0 || answered == viewer.account || members.contains(&answered),
                ListReplies::Followed => self.answers_known(&viewer, answered)?,
            };
            Ok(fits && members.contains(&row.author))
        };
        self.home_where(&viewer, page, Vec::new(), shows)
    }

    /// The lists that somebody is in.
    pub fn lists_with(&self, viewer: &Did, member: &Did) -> Read<Vec<u64>> {
        let mut found = Vec::new();
        for (key, _) in self.settings(viewer, private::LIST)? {
            let Some(id) = key.strip_prefix(private::LIST).and_then(|id| id.parse::<u64>().ok()) else { continue };
            if self.setting(viewer, &format!("{}{id}/{member}", private::LIST_MEMBER))?.is_some() {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// True where a status answers nobody else, the viewer, or somebody followed.
    fn answers_known(&self, viewer: &Viewer, answered: u64) -> Read<bool> {
        Ok(answered == 0 || answered == viewer.account || self.follows.get((viewer.account, answered))?.is_some())
    }

    /// The statuses of a home that `shows` wants, given the account that each answers or 0, and public posts with
    /// these tags.
    fn home_where(
        &self,
        viewer: &Viewer,
        page: &Page,
        tags: Vec<Hash16>,
        shows: impl Fn(&StatusRow, u64) -> Read<bool>,
    ) -> Read<Vec<Status>> {
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let home = self.table(tables::HOME)?;
        let rows = home.range((viewer.account, span.low)..=(viewer.account, span.high))?;
        let rows = rows.map(|row| row.map(|(key, answered)| (key.value().1, answered.value())).map_err(Into::into));
        let own = |(status, answered): (u64, u64)| {
            let Some(row) = self.status_row(status)? else { return Ok(None) };
            let unwanted = row.flags & flags::REPOST != 0 && viewer.lens.no_reposts.contains(&row.author);
            if unwanted || !shows(&row, answered)? {
                return Ok(None);
            }
            self.listed(Some(viewer), status, &row, FilterContext::Home)
        };
        if tags.is_empty() {
            return span.collect(rows, own);
        }
        let mut cursor = TagCursor { table: self.table(tables::TAGS)?, tags, span };
        let mut tagged = Vec::new();
        // As many as a page has, so that none is missing whatever home itself holds.
        while tagged.len() < page.limit {
            let Some((status, _)) = cursor.next()? else { break };
            let row = self.status_row(status)?.filter(|row| !viewer.lens.exclusive.contains(&row.author));
            let Some(row) = row else { continue };
            tagged.extend(self.listed(Some(viewer), status, &row, FilterContext::Home)?);
        }
        Ok(span.merge(span.collect(rows, own)?, tagged, page.limit))
    }

    /// All public posts held, without reposts and without replies to others.
    pub fn public(&self, viewer: Option<&Did>, scope: PublicScope, only_media: bool, page: &Page) -> Read<Vec<Status>> {
        let viewer = self.optional_viewer(viewer)?;
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let public = self.table(tables::PUBLIC)?;
        let rows = public.range(span.low..=span.high)?;
        let rows = rows.map(|row| row.map(|(key, flags)| (key.value(), flags.value())).map_err(Into::into));
        span.collect(rows, |(status, all)| {
            if !in_scope(all, scope, only_media) {
                return Ok(None);
            }
            self.listed_status(viewer.as_ref(), status, |_| true)
        })
    }

    /// Public posts with tags; tags compare in lower case, accents count.
    pub fn tag(
        &self,
        viewer: Option<&Did>,
        filter: &TagFilter,
        scope: PublicScope,
        only_media: bool,
        page: &Page,
    ) -> Read<Vec<Status>> {
        let viewer = self.optional_viewer(viewer)?;
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let hashes = |tags: &[String]| -> Vec<Hash16> { tags.iter().map(|tag| tag_hash(tag)).collect() };
        let (any, all, none) = (hashes(&filter.any), hashes(&filter.all), hashes(&filter.none));
        let fits = |row: &StatusRow| {
            let has = |tag| row.shown.tags.contains(tag);
            all.iter().all(has) && !none.iter().any(has)
        };
        let mut cursor = TagCursor { table: self.table(tables::TAGS)?, tags: any, span };
        let mut found = Vec::new();
        while found.len() < page.limit {
            let Some((status, row_flags)) = cursor.next()? else { break };
            if in_scope(row_flags, scope, only_media) {
                found.extend(self.listed_status(viewer.as_ref(), status, fits)?);
            }
        }
        if span.oldest_first() {
            found.reverse();
        }
        Ok(found)
    }

    /// An author's statuses, imports in their old place.
    pub fn author_statuses(
        &self,
        viewer: Option<&Did>,
        author: &Did,
        filter: &AuthorFilter,
        page: &Page,
    ) -> Read<Vec<Status>> {
        let viewer = self.optional_viewer(viewer)?;
        let span = Span::of(page);
        let (author, row) = find_account(&self.accounts, author)?;
        if span.is_empty() || row.is_none() {
            return Ok(Vec::new());
        }
        let excluded = if filter.exclude_replies { flags::REPLY } else { 0 }
            | if filter.exclude_reposts { flags::REPOST } else { 0 };
        let wanted = if filter.only_media { flags::MEDIA } else { 0 };
        let tag = filter.tagged.as_deref().map(tag_hash);
        let table = self.table(tables::AUTHOR_STATUSES)?;
        let rows = table.range((author, span.low)..=(author, span.high))?;
        let rows = rows.map(|row| row.map(|(key, flags)| (key.value().1, flags.value())).map_err(Into::into));
        span.collect(rows, |(status, all)| {
            if all & excluded != 0 || all & wanted != wanted {
                return Ok(None);
            }
            let Some(row) = self.status_row(status)? else { return Ok(None) };
            if tag.as_ref().is_some_and(|tag| !row.shown.tags.contains(tag)) {
                return Ok(None);
            }
            // One who opens the profile of somebody blocked sees it.
            self.status_of(viewer.as_ref(), status)
        })
    }

    /// Which of these original addresses an identity has imported already, with their statuses.
    pub fn imported(&self, identity: &Did, sources: &[String]) -> Read<Vec<(String, StatusId)>> {
        let (account, _) = find_account(&self.accounts, identity)?;
        let imports = self.table(tables::IMPORTS)?;
        let mut known = Vec::new();
        for source in sources {
            if let Some(status) = imports.get((account, &source_hash(source)))? {
                known.push((source.clone(), StatusId(status.value())));
            }
        }
        Ok(known)
    }

    fn listed_status(
        &self,
        viewer: Option<&Viewer>,
        status: u64,
        fits: impl Fn(&StatusRow) -> bool,
    ) -> Read<Option<Status>> {
        match self.status_row(status)? {
            Some(row) if fits(&row) => self.listed(viewer, status, &row, FilterContext::Public),
            _ => Ok(None),
        }
    }
}

fn in_scope(all: u8, scope: PublicScope, only_media: bool) -> bool {
    let local = all & flags::LOCAL != 0;
    let in_scope = match scope {
        PublicScope::All => true,
        PublicScope::Local => local,
        PublicScope::Remote => !local,
    };
    in_scope && (!only_media || all & flags::MEDIA != 0)
}

/// Walks the statuses of several tags in order, each once.
struct TagCursor {
    table: ReadOnlyTable<(&'static Hash16, u64), u8>,
    tags: Vec<Hash16>,
    span: Span,
}

impl TagCursor {
    fn next(&mut self) -> Read<Option<(u64, u8)>> {
        let mut best: Option<(u64, u8)> = None;
        if self.span.is_empty() {
            return Ok(None);
        }
        for tag in &self.tags {
            let mut rows = self.table.range((tag, self.span.low)..=(tag, self.span.high))?;
            let row = if self.span.oldest_first() { rows.next() } else { rows.next_back() };
            let Some((key, row_flags)) = row.transpose()? else { continue };
            let status = key.value().1;
            let better = |(other, _): (u64, u8)| if self.span.oldest_first() { status < other } else { status > other };
            if best.is_none_or(better) {
                best = Some((status, row_flags.value()));
            }
        }
        if let Some((status, _)) = best {
            self.pass(status);
        }
        Ok(best)
    }

    /// Moves the open end of the span beyond a status.
    fn pass(&mut self, status: u64) {
        if self.span.oldest_first() {
            self.span.low = status.saturating_add(1);
        } else if status == 0 {
            self.span.low = 1;
            self.span.high = 0;
        } else {
            self.span.high = status - 1;
        }
    }
}
