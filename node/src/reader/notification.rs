//! Notifications of a local identity.

use std::collections::BTreeSet;

use xom_protocol::Did;

use super::lens::Lens;
use super::paging::Span;
use super::{Read, Reader, Viewer};
use crate::model::{
    AccountId, Notification, NotificationId, NotificationKind, NotificationRequest, NotificationScope, Page, Status,
    StatusContent,
};
use crate::private::{FilterContext, NotificationPolicy};
use crate::records;
use crate::views::notification::kind_of_number;
use crate::views::tables;

/// How long an account counts as new, milliseconds: 30 days, as Mastodon counts.
const NEW_ACCOUNT_MS: u64 = 30 * 24 * 3_600 * 1_000;
/// Notifications that wait, the newest ones, that requests are made of.
const REQUESTED_MAX: usize = 1_000;

impl Reader {
    /// Notifications, newest first: of these kinds or all, without the excluded ones, from one account
    /// or all.
    pub fn notifications(
        &self,
        viewer: &Did,
        kinds: Option<&[NotificationKind]>,
        excluded: &[NotificationKind],
        from: Option<AccountId>,
        page: &Page,
    ) -> Read<Vec<Notification>> {
        self.notifications_in(viewer, NotificationScope::Accepted, kinds, excluded, from, page)
    }

    /// The same of those that the viewer's policy accepts, of those that wait, or of both.
    pub fn notifications_in(
        &self,
        viewer: &Did,
        scope: NotificationScope,
        kinds: Option<&[NotificationKind]>,
        excluded: &[NotificationKind],
        from: Option<AccountId>,
        page: &Page,
    ) -> Read<Vec<Notification>> {
        let viewer = self.viewer(viewer)?;
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let dismissed = self.dismissed(&viewer.did)?;
        let span = span.above(dismissed.up_to);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = |kind| kinds.is_none_or(|kinds| kinds.contains(&kind)) && !excluded.contains(&kind);
        let table = self.table(tables::NOTIFICATIONS)?;
        let rows = table.range((viewer.account, span.low)..=(viewer.account, span.high))?;
        let rows = rows.map(|row| row.map(|(key, value)| (key.value().1, value.value())).map_err(Into::into));
        span.collect(rows, |(id, (kind, by, status))| {
            let Some(kind) = kind_of_number(kind).filter(|kind| wanted(*kind)) else { return Ok(None) };
            if from.is_some_and(|account| account.0 != by) || dismissed.single.contains(&id) {
                return Ok(None);
            }
            self.notification_of(&viewer, scope, id, kind, by, status)
        })
    }

    /// Who has notifications that wait, the newest first, among the newest notifications.
    pub fn notification_requests(&self, viewer: &Did) -> Read<Vec<NotificationRequest>> {
        let page = Page { limit: REQUESTED_MAX, ..Page::default() };
        let mut requests: Vec<NotificationRequest> = Vec::new();
        for waiting in self.notifications_in(viewer, NotificationScope::Waiting, None, &[], None, &page)? {
            match requests.iter_mut().find(|known| known.account.id == waiting.account.id) {
                Some(known) => {
                    known.count += 1;
                    known.oldest = waiting.id;
                }
                None => requests.push(NotificationRequest {
                    account: waiting.account.clone(),
                    count: 1,
                    oldest: waiting.id,
                    newest: waiting,
                }),
            }
        }
        Ok(requests)
    }

    /// One notification.
    pub fn notification(&self, viewer: &Did, id: NotificationId) -> Read<Option<Notification>> {
        let viewer = self.viewer(viewer)?;
        let row = self.table(tables::NOTIFICATIONS)?.get((viewer.account, id.0))?.map(|row| row.value());
        let dismissed = self.dismissed(&viewer.did)?;
        let row = row.filter(|_| id.0 > dismissed.up_to && !dismissed.single.contains(&id.0));
        let Some((kind, by, status)) = row else { return Ok(None) };
        let Some(kind) = kind_of_number(kind) else { return Ok(None) };
        self.notification_of(&viewer, NotificationScope::Accepted, id.0, kind, by, status)
    }

    fn notification_of(
        &self,
        viewer: &Viewer,
        scope: NotificationScope,
        id: u64,
        kind: NotificationKind,
        by: u64,
        status: u64,
    ) -> Read<Option<Notification>> {
        if viewer.blocked.contains(&by) || viewer.lens.silent.contains(&by) || !self.is_in(scope, viewer, by)? {
            return Ok(None);
        }
        let about = if status == 0 { None } else { self.status_of(Some(viewer), status)? };
        // What it was about has been erased.
        if status != 0 && about.is_none() {
            return Ok(None);
        }
        if about.as_ref().is_some_and(|about| is_quiet(about) || Lens::hides(about, FilterContext::Notifications)) {
            return Ok(None);
        }
        let account = self.account_arc(by)?;
        Ok(Some(Notification { id: NotificationId(id), kind, time_ms: id >> 16, account, status: about }))
    }

    /// True for what the viewer's policy leaves in a scope.
    fn is_in(&self, scope: NotificationScope, viewer: &Viewer, by: u64) -> Read<bool> {
        let policy = viewer.lens.policy;
        if policy == NotificationPolicy::default() || viewer.lens.accepted.contains(&by) {
            return Ok(scope != NotificationScope::Waiting);
        }
        let not_following = self.follows.get((viewer.account, by))?.is_none();
        let not_follower = self.follows.get((by, viewer.account))?.is_none();
        let is_new = (policy.drop_new_accounts || policy.filter_new_accounts)
            && self.account_arc(by)?.created_ms.saturating_add(NEW_ACCOUNT_MS) > self.now_ms;
        let drops = policy.drop_not_following && not_following
            || policy.drop_not_followers && not_follower
            || policy.drop_new_accounts && is_new;
        let waits = policy.filter_not_following && not_following
            || policy.filter_not_followers && not_follower
            || policy.filter_new_accounts && is_new;
        Ok(match scope {
            NotificationScope::Accepted => !drops && !waits,
            NotificationScope::Waiting => !drops && waits,
            NotificationScope::All => !drops,
        })
    }

    /// Which notifications the viewer has put away, on this node.
    fn dismissed(&self, viewer: &Did) -> Read<Dismissed> {
        let up_to = self.record(records::NOTIFICATIONS_CLEARED, &viewer.0)?;
        let up_to = up_to.and_then(|value| Some(u64::from_be_bytes(value.try_into().ok()?))).unwrap_or(0);
        let single = self.records(records::NOTIFICATION_DISMISSED, &viewer.0, records::NOTIFICATIONS_DISMISSED_MAX)?;
        let single = single.iter().filter_map(|(key, _)| Some(u64::from_be_bytes(key.get(32..)?.try_into().ok()?)));
        Ok(Dismissed { up_to, single: single.collect() })
    }
}

/// What is not shown of the notifications of one viewer.
struct Dismissed {
    /// All of these ids and below.
    up_to: u64,
    /// And these.
    single: BTreeSet<u64>,
}

fn is_quiet(status: &Status) -> bool {
    match &status.content {
        StatusContent::Post(view) => view.quiet,
        StatusContent::Repost(inner) => is_quiet(inner),
    }
}
