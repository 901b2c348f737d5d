//! What a viewer's private settings leave out of lists, read once for a whole answer.

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::{Did, EntryId};

use super::{Read, Reader, Viewer};
use crate::model::{PostView, Status, StatusContent};
use crate::private::{
    self, Filter, FilterContext, FilterHead, FilterHit, FilterKeyword, FilterText, ListHead, Mute, NotificationPolicy,
};
use crate::views::find_account;

/// The settings of one viewer that lists look at.
#[derive(Default)]
pub(super) struct Lens {
    /// Accounts that lists leave out.
    pub(super) muted: BTreeSet<u64>,
    /// Accounts whose doings are not notified.
    pub(super) silent: BTreeSet<u64>,
    /// Accounts whose reposts home leaves out.
    pub(super) no_reposts: BTreeSet<u64>,
    /// Members of exclusive lists: home leaves them out.
    pub(super) exclusive: BTreeSet<u64>,
    /// First posts of threads that notify no more.
    pub(super) quiet: BTreeSet<EntryId>,
    /// Filters that hold now.
    filters: Vec<Filter>,
    /// Whose notifications are left out.
    pub(super) policy: NotificationPolicy,
    /// Accounts whose notifications are accepted all the same.
    pub(super) accepted: BTreeSet<u64>,
}

impl Reader {
    pub(super) fn lens(&self, did: &Did) -> Read<Lens> {
        let mut lens = Lens::default();
        for (key, value) in self.settings(did, private::MUTE)? {
            let (Some(other), Some(mute)) = (private::did_of(&key), private::read_value::<Mute>(&value)) else {
                continue;
            };
            if mute.until_ms.is_some_and(|until| until <= self.now_ms) {
                continue;
            }
            let (account, _) = find_account(&self.accounts, &other)?;
            lens.muted.insert(account);
            if mute.notifications {
                lens.silent.insert(account);
            }
        }
        for (key, _) in self.settings(did, private::DOMAIN)? {
            let host = key.strip_prefix(private::DOMAIN).unwrap_or_default();
            if let Some(account) = self.account_of_host(host)? {
                lens.muted.insert(account);
                lens.silent.insert(account);
            }
        }
        for (key, _) in self.settings(did, private::NO_REPOSTS)? {
            if let Some(other) = private::did_of(&key) {
                lens.no_reposts.insert(find_account(&self.accounts, &other)?.0);
            }
        }
        let quiet = self.settings(did, private::QUIET)?;
        lens.quiet = quiet.iter().filter_map(|(key, _)| private::entry_of(key)).collect();
        for (key, value) in self.settings(did, private::LIST)? {
            let exclusive = private::read_value::<ListHead>(&value).is_some_and(|head| head.exclusive);
            if let Some(id) = key.strip_prefix(private::LIST).filter(|_| exclusive) {
                lens.exclusive.extend(self.list_accounts(did, id)?);
            }
        }
        lens.filters = self.filters(did)?;
        lens.filters.retain(|filter| filter.holds(self.now_ms));
        let policy = self.setting(did, private::NOTIFICATION_POLICY)?;
        lens.policy = policy.and_then(|value| private::read_value(&value)).unwrap_or_default();
        if lens.policy != NotificationPolicy::default() {
            for (key, _) in self.settings(did, private::NOTIFY)? {
                if let Some(other) = private::did_of(&key) {
                    lens.accepted.insert(find_account(&self.accounts, &other)?.0);
                }
            }
        }
        Ok(lens)
    }

    /// The accounts of the members of a list.
    pub(super) fn list_accounts(&self, did: &Did, list: &str) -> Read<BTreeSet<u64>> {
        let mut accounts = BTreeSet::new();
        for (key, _) in self.settings(did, &format!("{}{list}/", private::LIST_MEMBER))? {
            if let Some(member) = private::did_of(&key) {
                accounts.insert(find_account(&self.accounts, &member)?.0);
            }
        }
        Ok(accounts)
    }

    /// The filters of a local identity, also those whose time is over, by their ids.
    pub fn filters(&self, did: &Did) -> Read<Vec<Filter>> {
        let mut filters = BTreeMap::new();
        for (key, value) in self.settings(did, private::FILTER)? {
            let id = key.strip_prefix(private::FILTER).and_then(|id| id.parse::<u64>().ok());
            if let (Some(id), Some(head)) = (id, private::read_value::<FilterHead>(&value)) {
                filters.insert(id, Filter { id, head, keywords: Vec::new(), statuses: Vec::new() });
            }
        }
        if filters.is_empty() {
            return Ok(Vec::new());
        }
        for (key, value) in self.settings(did, private::FILTER_KEYWORD)? {
            let Some((filter, id)) = key.strip_prefix(private::FILTER_KEYWORD).and_then(two_ids) else { continue };
            let keyword = private::read_value::<FilterKeyword>(&value);
            if let (Some(filter), Some(keyword)) = (filters.get_mut(&filter), keyword) {
                filter.keywords.push((id, keyword));
            }
        }
        for (key, value) in self.settings(did, private::FILTER_STATUS)? {
            let filter = key.strip_prefix(private::FILTER_STATUS).and_then(|rest| rest.split('/').next()?.parse().ok());
            let Some(filter) = filter.and_then(|filter: u64| filters.get_mut(&filter)) else { continue };
            filter.statuses.extend(private::cursor_of(&value).zip(private::entry_of(&key)));
        }
        Ok(filters.into_values().collect())
    }

    /// What of the viewer's filters a post of somebody else fits.
    pub(super) fn filtered(
        &self,
        viewer: Option<&Viewer>,
        author: u64,
        entry: &EntryId,
        view: &PostView,
    ) -> Vec<FilterHit> {
        let Some(viewer) = viewer.filter(|viewer| viewer.account != author && !viewer.lens.filters.is_empty()) else {
            return Vec::new();
        };
        let mut text = FilterText::default();
        text.add(&view.post.warning);
        text.add(&view.post.text);
        view.post.attachments.iter().for_each(|attachment| text.add(&attachment.alt));
        view.post.poll.iter().flat_map(|poll| &poll.options).for_each(|option| text.add(option));
        viewer.lens.filters.iter().filter_map(|filter| filter.hit(entry, &text)).collect()
    }
}

impl Lens {
    /// True where a filter leaves a status out of lists of this kind.
    pub(super) fn hides(status: &Status, context: FilterContext) -> bool {
        match &status.content {
            StatusContent::Post(view) => view.filtered.iter().any(|hit| hit.hides(context)),
            StatusContent::Repost(inner) => Self::hides(inner, context),
        }
    }
}

fn two_ids(text: &str) -> Option<(u64, u64)> {
    let (first, second) = text.split_once('/')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}
