//! Who follows, reacts and reposts.

use redb::ReadableTable;
use xom_protocol::Did;

use super::account::HOST_SUFFIX;
use super::paging::Span;
use super::{Read, Reader};
use crate::model::{Account, Page, Relationship, StatusId};
use crate::private::{self, Mute};
use crate::views::{find_account, tables};

impl Reader {
    /// Who follows, newest first, each with the cursor that pages.
    pub fn followers(&self, did: &Did, page: &Page) -> Read<Vec<(u64, Account)>> {
        let (account, _) = find_account(&self.accounts, did)?;
        self.accounts_of(&self.table(tables::FOLLOWERS)?, account, page)
    }

    /// Who is followed, newest first, each with the cursor that pages.
    pub fn following(&self, did: &Did, page: &Page) -> Read<Vec<(u64, Account)>> {
        let (account, _) = find_account(&self.accounts, did)?;
        self.accounts_of(&self.table(tables::FOLLOWING)?, account, page)
    }

    /// Who reacted, newest first, each with the cursor that pages.
    pub fn favourited_by(&self, id: StatusId, page: &Page) -> Read<Vec<(u64, Account)>> {
        let Some(row) = self.status_row(id.0)? else { return Ok(Vec::new()) };
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.table(tables::REACTIONS)?;
        let rows = table.range((&row.entry.0, span.low)..=(&row.entry.0, span.high))?;
        let rows = rows.map(|row| row.map(|(key, by)| (key.value().1, by.value())).map_err(Into::into));
        span.collect(rows, |(cursor, by)| self.with_cursor(cursor, by))
    }

    /// Who reposted, newest first, each with the cursor that pages.
    pub fn reposted_by(&self, id: StatusId, page: &Page) -> Read<Vec<(u64, Account)>> {
        let Some(row) = self.status_row(id.0)? else { return Ok(Vec::new()) };
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let table = self.table(tables::REPOSTS)?;
        let rows = table.range((&row.entry.0, span.low)..=(&row.entry.0, span.high))?;
        let rows = rows.map(|row| row.map(|(key, by)| (key.value().1, by.value().0)).map_err(Into::into));
        span.collect(rows, |(cursor, by)| self.with_cursor(cursor, by))
    }

    /// How a viewer stands to another account.
    pub fn relationship(&self, viewer: &Did, other: &Did) -> Read<Relationship> {
        let (did, other_did) = (viewer, other);
        let (viewer, _) = find_account(&self.accounts, viewer)?;
        let (other, known) = find_account(&self.accounts, other)?;
        if known.is_none() {
            return Ok(Relationship::default());
        }
        let set = |family| self.setting(did, &format!("{family}{other_did}"));
        let mute = set(private::MUTE)?.and_then(|value| private::read_value::<Mute>(&value));
        let mute = mute.filter(|mute| mute.until_ms.is_none_or(|until| until > self.now_ms));
        let host = format!("{}{}{HOST_SUFFIX}", private::DOMAIN, other_did.short());
        Ok(Relationship {
            no_reposts: set(private::NO_REPOSTS)?.is_some(),
            muting: mute.is_some(),
            muting_notifications: mute.is_some_and(|mute| mute.notifications),
            muting_until_ms: mute.and_then(|mute| mute.until_ms),
            endorsed: set(private::ENDORSE)?.is_some(),
            host_blocking: self.setting(did, &host)?.is_some(),
            note: set(private::NOTE)?.and_then(|note| String::from_utf8(note).ok()).unwrap_or_default(),
            following: self.follows.get((viewer, other))?.is_some(),
            followed_by: self.follows.get((other, viewer))?.is_some(),
            blocking: self.blocks.get((viewer, other))?.is_some(),
            blocked_by: self.blocks.get((other, viewer))?.is_some(),
        })
    }

    /// Whom a local identity blocks, each with the cursor that pages; in no order.
    pub fn blocked(&self, viewer: &Did) -> Read<Vec<(u64, Account)>> {
        let (viewer, _) = find_account(&self.accounts, viewer)?;
        let mut found = Vec::new();
        for row in self.blocks.range((viewer, 0)..=(viewer, u64::MAX))? {
            let (key, cursor) = row?;
            found.extend(self.with_cursor(cursor.value(), key.value().1)?);
        }
        Ok(found)
    }

    /// Whom the viewer follows and who follows `other` too, the newest follow of the viewer first.
    pub fn familiar_followers(&self, viewer: &Did, other: &Did, limit: usize) -> Read<Vec<Account>> {
        let (viewer, _) = find_account(&self.accounts, viewer)?;
        let (other, _) = find_account(&self.accounts, other)?;
        let mut found = Vec::new();
        for row in self.table(tables::FOLLOWING)?.range((viewer, 0)..=(viewer, u64::MAX))?.rev() {
            let between = row?.1.value();
            if found.len() >= limit {
                break;
            }
            if between != viewer && between != other && self.follows.get((between, other))?.is_some() {
                found.push((*self.account_arc(between)?).clone());
            }
        }
        Ok(found)
    }

    fn accounts_of(
        &self,
        table: &impl ReadableTable<(u64, u64), u64>,
        account: u64,
        page: &Page,
    ) -> Read<Vec<(u64, Account)>> {
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let rows = table.range((account, span.low)..=(account, span.high))?;
        let rows = rows.map(|row| row.map(|(key, other)| (key.value().1, other.value())).map_err(Into::into));
        span.collect(rows, |(cursor, other)| self.with_cursor(cursor, other))
    }

    fn with_cursor(&self, cursor: u64, account: u64) -> Read<Option<(u64, Account)>> {
        Ok(Some((cursor, (*self.account_arc(account)?).clone())))
    }
}
