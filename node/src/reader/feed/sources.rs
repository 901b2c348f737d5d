//! Where the candidates of a feed come from (`ALG-3`).

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::entry::Header;
use xom_protocol::feed::{Algorithm, From, Source};

use super::FeedQuery;
use crate::private;
use crate::reader::{Read, Reader, Viewer};
use crate::store::IDS_A_MS;
use crate::views::row::{StatusRow, flags};
use crate::views::{Place, tables, tag_hash};

/// Most candidates of one source, the newest (`ALG-3`): what a page is made of has to be looked at one by one.
const CANDIDATES_MAX: usize = 2_000;
/// Most authors whom a source goes through (`ALG-3`).
const AUTHORS_MAX: usize = 1_000;
/// Most own posts whose answers are looked for, the newest (`ALG-3`).
const OWN_POSTS_MAX: usize = 500;

/// Candidates of one source, until they are enough.
struct Found<'r> {
    reader: &'r Reader,
    since_ms: u64,
    /// No status of that time or later has a lower local id: ids are given by arrival, or by an earlier claimed time.
    low: u64,
    bit: u8,
    found: &'r mut BTreeMap<u64, u8>,
    count: usize,
}

impl Reader {
    /// The local ids of all candidates, each with the sources that it came from.
    pub(super) fn candidates(
        &self,
        viewer: &Viewer,
        algorithm: &Algorithm,
        query: &FeedQuery,
    ) -> Read<BTreeMap<u64, u8>> {
        let mut found = BTreeMap::new();
        for (place, source) in algorithm.document().sources.iter().enumerate() {
            let since = query.bucket.secs().saturating_sub(u64::from(source.hours) * 3_600);
            let since_ms = since.saturating_mul(1_000);
            let low = since_ms.saturating_mul(IDS_A_MS);
            let mut found = Found { reader: self, since_ms, low, bit: 1 << place, found: &mut found, count: 0 };
            self.draw(viewer, source, query, &mut found)?;
        }
        Ok(found)
    }

    fn draw(&self, viewer: &Viewer, source: &Source, query: &FeedQuery, found: &mut Found<'_>) -> Read<()> {
        match source.from {
            From::Follows => {
                let home = self.table(tables::HOME)?;
                for row in home.range((viewer.account, found.low)..=(viewer.account, u64::MAX))?.rev() {
                    if !found.take(row?.0.value().1)? {
                        break;
                    }
                }
            }
            From::FriendsOfFriends => {
                let mut authors = BTreeSet::new();
                for friend in self.followed(viewer.account)? {
                    authors.extend(self.followed(friend)?);
                }
                authors.remove(&viewer.account);
                self.draw_authors(authors, found)?;
            }
            From::List => {
                if let Some(list) = query.list {
                    self.draw_authors(self.list_accounts(&viewer.did, &list.to_string())?, found)?;
                }
            }
            From::RepliesToMe => self.draw_replies(viewer.account, found)?,
            From::FollowedTags => {
                for (key, _) in self.settings(&viewer.did, private::TAG)? {
                    self.draw_tag(key.strip_prefix(private::TAG).unwrap_or_default(), found)?;
                }
            }
            From::Tag => self.draw_tag(source.tag.as_deref().unwrap_or_default(), found)?,
            // Refused before it is installed.
            From::Community => {}
        }
        Ok(())
    }

    fn draw_authors(&self, authors: BTreeSet<u64>, found: &mut Found<'_>) -> Read<()> {
        let table = self.table(tables::AUTHOR_STATUSES)?;
        for author in authors.into_iter().take(AUTHORS_MAX) {
            for row in table.range((author, found.low)..=(author, u64::MAX))?.rev() {
                if !found.take(row?.0.value().1)? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn draw_replies(&self, account: u64, found: &mut Found<'_>) -> Read<()> {
        let (own, children) = (self.table(tables::AUTHOR_STATUSES)?, self.table(tables::CHILDREN)?);
        for row in own.range((account, 0)..=(account, u64::MAX))?.rev().take(OWN_POSTS_MAX) {
            let Some(row) = self.status_row(row?.0.value().1)? else { continue };
            for child in children.range((&row.entry.0, found.low)..=(&row.entry.0, u64::MAX))?.rev() {
                if !found.take(child?.0.value().1)? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn draw_tag(&self, tag: &str, found: &mut Found<'_>) -> Read<()> {
        let (table, hash) = (self.table(tables::TAGS)?, tag_hash(tag));
        for row in table.range((&hash, found.low)..=(&hash, u64::MAX))?.rev() {
            if !found.take(row?.0.value().1)? {
                break;
            }
        }
        Ok(())
    }

    /// The accounts that one follows.
    pub(super) fn followed(&self, account: u64) -> Read<BTreeSet<u64>> {
        self.follows.range((account, 0)..=(account, u64::MAX))?.map(|row| Ok(row?.0.value().1)).collect()
    }

    /// The time that an entry claims, milliseconds since 1970.
    pub(super) fn claimed_ms(&self, place: Place) -> Read<Option<u64>> {
        let time = |header: &[u8]| Header::decode(header).ok().map(|header| header.time_ms);
        Ok(self.snapshot().with_entry((place.log, place.seq), |row| time(row.header))?.flatten())
    }

    /// A status, or what it passes on.
    fn passed_on(&self, status: u64) -> Read<Option<(u64, StatusRow)>> {
        let Some(row) = self.status_row(status)? else { return Ok(None) };
        if row.flags & flags::REPOST == 0 {
            return Ok(Some((status, row)));
        }
        let target = row.target.map(|(target, _)| self.status_of_entry(&target)).transpose()?.flatten();
        let Some(target) = target else { return Ok(None) };
        Ok(self.status_row(target.0)?.map(|row| (target.0, row)))
    }
}

impl Found<'_> {
    /// Takes a status, or what it passes on, if it is new enough; false where the source has given enough.
    fn take(&mut self, status: u64) -> Read<bool> {
        if self.count >= CANDIDATES_MAX {
            return Ok(false);
        }
        let Some((id, row)) = self.reader.passed_on(status)? else { return Ok(true) };
        if self.reader.claimed_ms(row.place)?.is_some_and(|time| time >= self.since_ms) {
            self.count += 1;
            *self.found.entry(id).or_insert(0) |= self.bit;
        }
        Ok(true)
    }
}
