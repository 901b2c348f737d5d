//! Notifications of the local identities.

use xom_protocol::EntryId;
use xom_protocol::log::{RegisterKey, Subject};

use super::register::Standing;
use super::{Arrival, Views};
use crate::error::StoreError;
use crate::model::{Event, NotificationId, NotificationKind};

/// The id of the notification that an entry makes: its arrival, so that ids sort by time and
/// survive a rebuild.
pub(crate) fn notification_id(arrival_ms: u64, counter: u64) -> u64 {
    arrival_ms << 16 | counter & 0xffff
}

/// The number of a kind in the table.
pub(crate) fn kind_number(kind: NotificationKind) -> u8 {
    match kind {
        NotificationKind::Mention => 1,
        NotificationKind::Reblog => 2,
        NotificationKind::Favourite => 3,
        NotificationKind::Follow => 4,
        NotificationKind::Poll => 5,
        NotificationKind::Update => 6,
    }
}

/// The kind of a number in the table.
pub(crate) fn kind_of_number(number: u8) -> Option<NotificationKind> {
    Some(match number {
        1 => NotificationKind::Mention,
        2 => NotificationKind::Reblog,
        3 => NotificationKind::Favourite,
        4 => NotificationKind::Follow,
        5 => NotificationKind::Poll,
        6 => NotificationKind::Update,
        _ => return None,
    })
}

impl Views<'_> {
    /// Notifies a local account of what an entry did, unless it blocks the author.
    pub(super) fn notify(
        &mut self,
        viewer: u64,
        arrival: Arrival,
        kind: NotificationKind,
        by: u64,
        status: u64,
    ) -> Result<(), StoreError> {
        let Some(did) = self.local.get(&viewer).copied() else { return Ok(()) };
        let id = notification_id(arrival.ms, arrival.counter);
        self.notifications.insert((viewer, id), (kind_number(kind), by, status))?;
        self.events.push(Event::Notified { viewer: did, notification: NotificationId(id) });
        Ok(())
    }

    /// The same for the standing value of a register.
    pub(super) fn notify_standing(
        &mut self,
        viewer: u64,
        value: &Standing,
        kind: NotificationKind,
        by: u64,
        status: u64,
    ) -> Result<(), StoreError> {
        let arrival = Arrival { ms: value.row.arrival_ms, counter: value.row.counter, local_id: 0, live: true };
        self.notify(viewer, arrival, kind, by, status)
    }

    /// Takes a notification back.
    pub(super) fn unnotify(&mut self, viewer: u64, arrival_ms: u64, counter: u64) -> Result<(), StoreError> {
        self.notifications.remove((viewer, notification_id(arrival_ms, counter)))?;
        Ok(())
    }

    /// Notifies the author of `target`, if local and another than `by`.
    pub(super) fn notify_author(
        &mut self,
        by: u64,
        value: &Standing,
        target: &EntryId,
        kind: NotificationKind,
    ) -> Result<(), StoreError> {
        match self.local_author(target)? {
            Some((author, status)) if author != by => self.notify_standing(author, value, kind, by, status),
            _ => Ok(()),
        }
    }

    /// Takes back what [`Views::notify_author`] did.
    pub(super) fn forget(&mut self, by: u64, value: &Standing, target: &EntryId) -> Result<(), StoreError> {
        match self.local_author(target)? {
            Some((author, _)) if author != by => self.unnotify(author, value.row.arrival_ms, value.row.counter),
            _ => Ok(()),
        }
    }

    /// A post of a local author has come: another device wrote it, and what others did to it may have come first.
    pub(super) fn notify_earlier(&mut self, author: u64, target: &EntryId) -> Result<(), StoreError> {
        for (by, value, kind) in self.done_to(author, target)? {
            self.notify_author(by, &value, target, kind)?;
        }
        Ok(())
    }

    /// A post of a local author goes, and with it what was told of it.
    pub(super) fn forget_all(&mut self, author: u64, target: &EntryId) -> Result<(), StoreError> {
        for (by, value, _) in self.done_to(author, target)? {
            self.forget(by, &value, target)?;
        }
        Ok(())
    }

    /// The standing reactions to a post of `author`, if local, and the reposts of it.
    fn done_to(&mut self, author: u64, target: &EntryId) -> Result<Vec<(u64, Standing, NotificationKind)>, StoreError> {
        if !self.local.contains_key(&author) {
            return Ok(Vec::new());
        }
        let mut accounts = Vec::new();
        for row in self.reactions.range((&target.0, 0)..=(&target.0, u64::MAX))? {
            accounts.push((row?.1.value(), "reaction", NotificationKind::Favourite));
        }
        for row in self.reposts.range((&target.0, 0)..=(&target.0, u64::MAX))? {
            accounts.push((row?.1.value().0, "repost", NotificationKind::Reblog));
        }
        let mut done = Vec::new();
        for (by, register, kind) in accounts {
            let key = RegisterKey { kind: register, subject: Subject::Entry(*target) };
            let did = self.account_row(by)?.did;
            done.extend(self.standing(&key.digest(&did))?.map(|value| (by, value, kind)));
        }
        Ok(done)
    }

    /// The local author of a target that is held, and its status.
    fn local_author(&self, target: &EntryId) -> Result<Option<(u64, u64)>, StoreError> {
        let Some(status) = self.status_of_entry.get(&target.0)?.map(|status| status.value()) else { return Ok(None) };
        let author = self.status_row(status)?.map(|row| row.author);
        Ok(author.filter(|author| self.local.contains_key(author)).map(|author| (author, status)))
    }
}
