//! Notifications of a local identity.

use xom_protocol::Did;

use super::paging::Span;
use super::{Read, Reader, Viewer};
use crate::model::{AccountId, Notification, NotificationId, NotificationKind, Page};
use crate::views::notification::kind_of_number;
use crate::views::tables;

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
        let viewer = self.viewer(viewer)?;
        let span = Span::of(page);
        if span.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = |kind| kinds.is_none_or(|kinds| kinds.contains(&kind)) && !excluded.contains(&kind);
        let table = self.table(tables::NOTIFICATIONS)?;
        let rows = table.range((viewer.account, span.low)..=(viewer.account, span.high))?;
        let rows = rows.map(|row| row.map(|(key, value)| (key.value().1, value.value())).map_err(Into::into));
        span.collect(rows, |(id, (kind, by, status))| {
            let Some(kind) = kind_of_number(kind).filter(|kind| wanted(*kind)) else { return Ok(None) };
            if from.is_some_and(|account| account.0 != by) {
                return Ok(None);
            }
            self.notification_of(&viewer, id, kind, by, status)
        })
    }

    /// One notification.
    pub fn notification(&self, viewer: &Did, id: NotificationId) -> Read<Option<Notification>> {
        let viewer = self.viewer(viewer)?;
        let row = self.table(tables::NOTIFICATIONS)?.get((viewer.account, id.0))?.map(|row| row.value());
        let Some((kind, by, status)) = row else { return Ok(None) };
        let Some(kind) = kind_of_number(kind) else { return Ok(None) };
        self.notification_of(&viewer, id.0, kind, by, status)
    }

    fn notification_of(
        &self,
        viewer: &Viewer,
        id: u64,
        kind: NotificationKind,
        by: u64,
        status: u64,
    ) -> Read<Option<Notification>> {
        if viewer.blocked.contains(&by) {
            return Ok(None);
        }
        let about = if status == 0 { None } else { self.status_of(Some(viewer), status)? };
        // What it was about has been erased.
        if status != 0 && about.is_none() {
            return Ok(None);
        }
        let account = self.account_arc(by)?;
        Ok(Some(Notification { id: NotificationId(id), kind, time_ms: id >> 16, account, status: about }))
    }
}
