//! What may interest somebody: people, and what is much used at present. By formulas that anybody can do again by
//! hand (decision 0074), over what this node holds; nothing of whom the viewer blocks or mutes.

mod trends;

pub use trends::{TrendingDay, TrendingLink, TrendingTag, Trends};

use std::cmp::Reverse;
use std::collections::BTreeMap;

use redb::ReadableTable;
use xom_protocol::Did;

use super::{Read, Reader, Viewer};
use crate::model::{Account, AccountId, Page, Status, StatusContent};
use crate::private::{self, FilterContext};
use crate::search::SearchQuery;
use crate::views::row::AccountRow;
use crate::views::{find_account, tables};

/// People whose follows are looked at for suggestions, the newest ones.
const FOLLOWS_LOOKED_MAX: usize = 1_000;
/// Follows of each that are looked at, the newest ones.
const FOLLOWS_OF_EACH_MAX: usize = 200;
/// Accounts that the directory looks at.
const DIRECTORY_MAX: usize = 20_000;
/// Posts that are looked at for a link.
const LINKED_MAX: usize = 1_000;
/// Milliseconds of a week.
const WEEK_MS: u64 = 7 * 86_400_000;

/// How the directory is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DirectoryOrder {
    /// Who wrote last comes first.
    #[default]
    Active,
    /// Who is new comes first.
    New,
}

impl Reader {
    /// Whom those follow whom the viewer follows, and he does not: who is followed by most of them first.
    pub fn suggestions(&self, viewer: &Did, limit: usize) -> Read<Vec<Account>> {
        let did = *viewer;
        let viewer = self.viewer(viewer)?;
        let following = self.table(tables::FOLLOWING)?;
        let newest = |account: u64, most: usize| -> Read<Vec<u64>> {
            let rows = following.range((account, 0)..=(account, u64::MAX))?.rev().take(most);
            rows.map(|row| Ok(row?.1.value())).collect()
        };
        let mut counted: BTreeMap<u64, u64> = BTreeMap::new();
        for friend in newest(viewer.account, FOLLOWS_LOOKED_MAX)? {
            for other in newest(friend, FOLLOWS_OF_EACH_MAX)? {
                *counted.entry(other).or_default() += 1;
            }
        }
        let mut ranked: Vec<(u64, u64)> = counted.into_iter().collect();
        ranked.sort_unstable_by_key(|(account, friends)| (Reverse(*friends), *account));
        let mut found = Vec::new();
        for (account, _) in ranked {
            if found.len() >= limit {
                break;
            }
            let is_known = account == viewer.account || self.follows.get((viewer.account, account))?.is_some();
            if is_known || !Viewer::sees(Some(&viewer), account) {
                continue;
            }
            let account = self.account_arc(account)?;
            if self.setting(&did, &format!("{}{}", private::NO_SUGGESTION, account.did))?.is_none() {
                found.push((*account).clone());
            }
        }
        Ok(found)
    }

    /// People of whom something is shown: those of this node alone, or all who are known.
    pub fn directory(
        &self,
        viewer: &Did,
        order: DirectoryOrder,
        local: bool,
        offset: usize,
        limit: usize,
    ) -> Read<Vec<Account>> {
        let viewer = self.viewer(viewer)?;
        let statuses = self.table(tables::AUTHOR_STATUSES)?;
        let mut ranked: Vec<(Reverse<u64>, u64)> = Vec::new();
        for row in self.accounts.iter()?.take(DIRECTORY_MAX) {
            let (account, row) = row?;
            let (account, row) = (account.value(), AccountRow::read(row.value())?);
            let is_local = self.locals()?.contains_key(&account);
            if !is_local && (local || row.statuses == 0) || !Viewer::sees(Some(&viewer), account) {
                continue;
            }
            let newest = statuses.range((account, 0)..=(account, u64::MAX))?.next_back().transpose()?;
            let rank = match order {
                DirectoryOrder::Active => newest.map_or(0, |(key, _)| key.value().1),
                DirectoryOrder::New => row.first_ms,
            };
            ranked.push((Reverse(rank), account));
        }
        ranked.sort_unstable();
        let page = ranked.into_iter().skip(offset).take(limit);
        page.map(|(_, account)| Ok((*self.account_arc(account)?).clone())).collect()
    }

    /// Public posts that name a web address, newest first. They are found by the words of it.
    pub fn link(&self, viewer: &Did, url: &str, page: &Page) -> Read<Vec<Status>> {
        let query = SearchQuery::of_words(url);
        let wanted = Page { limit: page.limit.min(LINKED_MAX), ..*page };
        let found = self.search_statuses(viewer, &query, None, 0, &wanted)?;
        let names = |status: &Status| match &status.content {
            StatusContent::Post(view) => view.post.links.iter().any(|link| link == url),
            StatusContent::Repost(_) => false,
        };
        let hidden = |status: &Status| super::lens::Lens::hides(status, FilterContext::Public);
        Ok(found.into_iter().filter(|status| names(status) && !hidden(status)).collect())
    }

    /// How many posts local identities wrote in each week back from now, the newest first, with the beginning of each.
    pub fn activity(&self, weeks: u64) -> Read<Vec<(u64, u64)>> {
        let table = self.table(tables::AUTHOR_STATUSES)?;
        let this_week = self.now_ms - self.now_ms % WEEK_MS;
        let mut found = Vec::new();
        for week in 0..weeks {
            let begin = this_week.saturating_sub(week * WEEK_MS);
            let mut posts = 0;
            for account in self.locals()?.keys() {
                let rows = table.range((*account, begin << 16)..(*account, (begin + WEEK_MS) << 16))?;
                posts += rows.count() as u64;
            }
            found.push((begin, posts));
        }
        Ok(found)
    }

    /// How often an identity used a tag, and when last, as its profile would say.
    pub fn tag_use(&self, did: &Did, tag: &str) -> Read<(u64, Option<u64>)> {
        let filter = crate::model::AuthorFilter { tagged: Some(tag.to_owned()), ..Default::default() };
        let page = Page { limit: LINKED_MAX, ..Page::default() };
        let found = self.author_statuses(None, did, &filter, &page)?;
        Ok((found.len() as u64, found.first().map(|status| status.time_ms)))
    }

    /// The tags that an identity used most among its newest posts.
    pub fn own_tags(&self, did: &Did, limit: usize) -> Read<Vec<String>> {
        let page = Page { limit: LINKED_MAX, ..Page::default() };
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for status in self.author_statuses(None, did, &Default::default(), &page)? {
            if let StatusContent::Post(view) = &status.content {
                view.post.tags.iter().for_each(|tag| *counted.entry(crate::folded_tag(tag)).or_default() += 1);
            }
        }
        let mut ranked: Vec<(String, u64)> = counted.into_iter().collect();
        ranked.sort_by_key(|(tag, uses)| (Reverse(*uses), tag.clone()));
        Ok(ranked.into_iter().take(limit).map(|(tag, _)| tag).collect())
    }

    /// Whom an identity recommends, each with the cursor that pages; in no order.
    pub fn endorsed(&self, viewer: &Did) -> Read<Vec<(u64, Account)>> {
        let mut found = Vec::new();
        for (key, value) in self.settings(viewer, private::ENDORSE)? {
            let (Some(did), Some(cursor)) = (private::did_of(&key), private::cursor_of(&value)) else { continue };
            let (account, row) = find_account(&self.accounts, &did)?;
            if row.is_some() {
                found.push((cursor, self.account_by_id(AccountId(account))?));
            }
        }
        Ok(found.into_iter().filter_map(|(cursor, account)| Some((cursor, account?))).collect())
    }
}
