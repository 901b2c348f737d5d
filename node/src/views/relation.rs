//! Follows, blocks, reactions and votes.

use xom_protocol::{Did, EntryId};

use super::Views;
use super::register::{Change, Standing};
use crate::error::StoreError;
use crate::model::NotificationKind;

/// Followers of somebody that are looked at for one who introduces him.
const FOLLOWERS_LOOKED_MAX: usize = 4_096;

impl Views<'_> {
    /// The register (author, follow, subject) has another standing value.
    pub(super) fn follow_changed(&mut self, change: &Change, subject: &Did) -> Result<(), StoreError> {
        let subject = self.account_of(subject)?;
        let follower = change.author;
        let active = |value: &Option<Standing>| value.clone().filter(|value| value.row.number == 1);
        let (old, new) = (active(&change.old), active(&change.new));
        if let Some(old) = &old {
            self.follows.remove((follower, subject))?;
            self.following.remove((follower, old.row.counter))?;
            self.followers.remove((subject, old.row.counter))?;
            self.unnotify(subject, old.row.arrival_ms, old.row.counter)?;
        }
        if let Some(new) = &new {
            self.follows.insert((follower, subject), new.row.counter)?;
            self.following.insert((follower, new.row.counter), subject)?;
            self.followers.insert((subject, new.row.counter), follower)?;
            if self.local.contains_key(&subject) && subject != follower {
                self.notify_standing(subject, new, NotificationKind::Follow, follower, 0)?;
            }
        }
        if old.is_some() != new.is_some() {
            let step = |count: &mut u64| *count = if new.is_some() { *count + 1 } else { count.saturating_sub(1) };
            step(&mut self.account_row(follower)?.following);
            step(&mut self.account_row(subject)?.followers);
            self.readers.remove(&subject);
            if self.local.contains_key(&follower) && follower != subject {
                self.fill_home(follower, subject, new.is_some())?;
            }
        }
        Ok(())
    }

    /// True where somebody whom `viewer` follows follows `subject` (`ADM-2`).
    pub(crate) fn is_introduced(&mut self, viewer: &Did, subject: &Did) -> Result<bool, StoreError> {
        let (viewer, subject) = (self.account_of(viewer)?, self.account_of(subject)?);
        for row in self.followers.range((subject, 0)..=(subject, u64::MAX))?.take(FOLLOWERS_LOOKED_MAX) {
            let follower = row?.1.value();
            if self.follows.get((viewer, follower))?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The register (author, block, subject) has another standing value.
    pub(super) fn block_changed(&mut self, change: &Change, subject: &Did) -> Result<(), StoreError> {
        let subject = self.account_of(subject)?;
        match &change.new {
            Some(new) => self.blocks.insert((change.author, subject), new.row.counter)?,
            None => self.blocks.remove((change.author, subject))?,
        };
        Ok(())
    }

    /// The register (author, reaction, target) has another standing value.
    pub(super) fn reaction_changed(&mut self, change: &Change, target: &EntryId) -> Result<(), StoreError> {
        if let Some(old) = &change.old {
            self.reactions.remove((&target.0, old.row.counter))?;
            self.favourites.remove((change.author, old.row.counter))?;
            self.count(target, |(_, _, reactions)| *reactions = reactions.saturating_sub(1))?;
            self.forget(change.author, old, target)?;
        }
        if let Some(new) = &change.new {
            self.reactions.insert((&target.0, new.row.counter), change.author)?;
            if self.local.contains_key(&change.author) {
                self.favourites.insert((change.author, new.row.counter), &target.0)?;
            }
            self.count(target, |(_, _, reactions)| *reactions += 1)?;
            self.notify_author(change.author, new, target, NotificationKind::Favourite)?;
        }
        Ok(())
    }

    /// The register (author, vote, poll) has another standing value.
    pub(super) fn vote_changed(&mut self, change: &Change, poll: &EntryId) -> Result<(), StoreError> {
        let mut counts = self.polls.get(&poll.0)?.map(|counts| read_counts(counts.value())).unwrap_or_default();
        if let Some(old) = &change.old {
            add_vote(&mut counts, old.row.number, |count| *count = count.saturating_sub(1));
        }
        if let Some(new) = &change.new {
            add_vote(&mut counts, new.row.number, |count| *count += 1);
        }
        let bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
        self.polls.insert(&poll.0, bytes.as_slice())?;
        Ok(())
    }
}

/// Voters, then the votes of each option, as [`super::tables::POLLS`] holds them.
pub(crate) fn read_counts(bytes: &[u8]) -> Vec<u64> {
    let (counts, _) = bytes.as_chunks::<8>();
    counts.iter().map(|count| u64::from_le_bytes(*count)).collect()
}

/// Counts one voter and each of his choices.
fn add_vote(counts: &mut Vec<u64>, choices: u64, change: impl Fn(&mut u64)) {
    let options = 64 - choices.leading_zeros() as usize;
    if counts.len() < options + 1 {
        counts.resize(options + 1, 0);
    }
    change(&mut counts[0]);
    for (option, count) in counts[1..].iter_mut().enumerate() {
        if choices >> option & 1 == 1 {
            change(count);
        }
    }
}
