//! Commands of local identities: each becomes signed entries, in the transaction that stores them.
//! So there is never a second signature for one place (R-FRK-4): what is signed and not stored is
//! known to nobody.

use std::sync::Arc;

use xom_protocol::body::{
    Block, Body, Edit, Erase, Follow, LogHead, Post, Profile, PurgeOrder, Reaction, Repost, Unfollow, Vote,
};
use xom_protocol::entry::{Kind, Reference, SaltedBody, VerifiedEntry};
use xom_protocol::identity::purge;
use xom_protocol::log::{ComposeError, RegisterKey, Subject, register_keys};
use xom_protocol::{DeviceId, Did, EntryId};

use super::append::Stretch;
use super::batch::{Batch, HeldEntry};
use super::control::not_local;
use super::tables::flags;
use crate::command::{Command, Done};
use crate::error::{CommandError, StoreError};
use crate::keys::{AccessError, ControlKey};
use crate::model::StatusId;

/// Peers' clocks may differ by this much before the signer refuses, milliseconds (`LOG-15`).
const CLOCK_OFF_MS_MAX: u64 = 600_000;
/// A clock that was set back by less than this waits at the time of the last entry, milliseconds.
const CLOCK_STEP_MS: u64 = 2_000;

/// What a command answers.
pub(super) type Answer = Result<Done, CommandError>;

/// Nothing had to change.
pub(super) const UNCHANGED: Done = Done { entry: None, status: None, known: false };

/// An entry that was written.
pub(super) struct Said {
    pub(super) entry: EntryId,
    local_id: u64,
}

impl Batch<'_> {
    /// Carries one command out.
    pub(super) fn command(&mut self, did: &Did, command: Command) -> Answer {
        if !self.own.contains_key(did) {
            return Err(not_local(&self.shared.folder, did));
        }
        match command {
            Command::Post { post, reply_to, quote_of } => self.post(did, *post, reply_to, quote_of),
            Command::Edit { status, post } => self.edit(did, status, *post),
            Command::Erase { status, now } => self.erase_status(did, status, now.as_ref()),
            Command::EraseEntry { entry, now } => self.erase_own(did, &entry, now.as_ref()),
            Command::Favourite(status) => self.favourite(did, status),
            Command::Unfavourite(status) => self.undo(did, status, "reaction"),
            Command::Repost(status) => self.repost(did, status),
            Command::Unrepost(status) => self.undo(did, status, "repost"),
            Command::Vote { status, choices } => self.vote(did, status, choices),
            Command::Follow(subject) => self.follow(did, subject),
            Command::Unfollow(subject) => self.unfollow(did, subject),
            Command::Block(subject) => self.block(did, subject),
            Command::Unblock(subject) => self.unblock(did, subject),
            Command::Profile(profile) => self.profile(did, *profile),
            Command::PutRecord { kind, key, value } => self.put_record(did, kind, key, value),
            Command::DeleteRecord { kind, key } => self.delete_record(did, &kind, &key),
            Command::App { kind, body } => self.app(did, &kind, body),
        }
    }

    fn post(&mut self, did: &Did, mut post: Post, reply_to: Option<StatusId>, quote_of: Option<StatusId>) -> Answer {
        if let Some(status) = post.imported_from.as_ref().and_then(|source| self.own(did).imported(source)) {
            return Ok(Done { entry: None, status: Some(status), known: true });
        }
        if let Some(parent) = reply_to {
            let (reference, body) = self.original(parent)?;
            let parent = if let Body::Post(parent) = body { parent } else { Post::default() };
            post.root = parent.root.or(parent.reply).or(Some(reference));
            post.reply = Some(reference);
        }
        if let Some(quoted) = quote_of {
            post.quote = Some(self.original(quoted)?.0);
        }
        let body = Body::Post(post);
        let said = self.say(did, &body)?;
        self.forget_media(did, &body)?;
        Ok(Done { entry: Some(said.entry), status: Some(StatusId(said.local_id)), known: false })
    }

    fn edit(&mut self, did: &Did, status: StatusId, post: Post) -> Answer {
        let (target, body) = self.original(status)?;
        if target.author != *did {
            return Err(CommandError::NotYours);
        }
        if !matches!(body, Body::Post(_)) {
            return Err(CommandError::StatusNotFound);
        }
        let rev = self.next_rev(did, "edit", Subject::Entry(target.entry));
        let body = Body::Edit(Edit { target, rev, post });
        let said = self.say(did, &body)?;
        self.forget_media(did, &body)?;
        Ok(done(&said, Some(status)))
    }

    fn erase_status(&mut self, did: &Did, status: StatusId, now: Option<&ControlKey>) -> Answer {
        let held = self.status(status)?;
        if held.header.author != *did {
            return Err(CommandError::NotYours);
        }
        // An edit holds the text too.
        for edit in self.own(did).edits(&held.id) {
            self.erase(did, edit, now)?;
        }
        let said = self.erase(did, held.header.reference(held.id), now)?;
        Ok(done(&said, Some(status)))
    }

    fn favourite(&mut self, did: &Did, status: StatusId) -> Answer {
        let (target, _) = self.original(status)?;
        if self.standing_value(did, "reaction", Subject::Entry(target.entry)).is_some() {
            return Ok(Done { status: Some(status), ..UNCHANGED });
        }
        let rev = self.next_rev(did, "reaction", Subject::Entry(target.entry));
        let emoji = Reaction::FAVOURITE.to_owned();
        let said = self.say(did, &Body::Reaction(Reaction { target, rev, emoji }))?;
        Ok(done(&said, Some(status)))
    }

    fn repost(&mut self, did: &Did, status: StatusId) -> Answer {
        let (target, _) = self.original(status)?;
        if let Some(standing) = self.standing_value(did, "repost", Subject::Entry(target.entry)) {
            let status = self.local_id_of(&standing)?;
            return Ok(Done { status, ..UNCHANGED });
        }
        let rev = self.next_rev(did, "repost", Subject::Entry(target.entry));
        let said = self.say(did, &Body::Repost(Repost { target, rev }))?;
        Ok(done(&said, Some(StatusId(said.local_id))))
    }

    /// Takes a reaction to or a repost of a status back.
    fn undo(&mut self, did: &Did, status: StatusId, kind: &'static str) -> Answer {
        let (target, _) = self.original(status)?;
        let Some(standing) = self.standing_value(did, kind, Subject::Entry(target.entry)) else {
            return Ok(Done { status: Some(status), ..UNCHANGED });
        };
        let said = self.erase_entry(did, &standing)?;
        Ok(Done { status: Some(status), ..said })
    }

    fn vote(&mut self, did: &Did, status: StatusId, mut choices: Vec<u64>) -> Answer {
        let (poll, body) = self.original(status)?;
        let Body::Post(Post { poll: Some(options), .. }) = body else {
            return Err(CommandError::Refused("the status has no poll"));
        };
        choices.sort_unstable();
        choices.dedup();
        let count = options.options.len() as u64;
        let rules = [
            (poll.author != *did, "one cannot vote in one's own poll"),
            (options.ends > self.now_ms, "the poll has ended"),
            (!choices.is_empty() && choices.iter().all(|choice| *choice < count), "no such option"),
            (options.multiple || choices.len() == 1, "only one option can be chosen"),
        ];
        if let Some((_, reason)) = rules.into_iter().find(|(holds, _)| !holds) {
            return Err(CommandError::Refused(reason));
        }
        if self.standing_value(did, "vote", Subject::Entry(poll.entry)).is_some() {
            return Err(CommandError::Refused("you have voted in this poll already"));
        }
        let rev = self.next_rev(did, "vote", Subject::Entry(poll.entry));
        let said = self.say(did, &Body::Vote(Vote { poll, rev, choices }))?;
        Ok(done(&said, Some(status)))
    }

    fn follow(&mut self, did: &Did, subject: Did) -> Answer {
        if subject == *did {
            return Err(CommandError::Refused("one cannot follow oneself"));
        }
        if self.own(did).is_following(&subject) {
            return Ok(UNCHANGED);
        }
        let rev = self.next_rev(did, "follow", Subject::Identity(subject));
        let said = self.say(did, &Body::Follow(Follow { subject, rev }))?;
        self.after.wants_changed = true;
        Ok(done(&said, None))
    }

    fn unfollow(&mut self, did: &Did, subject: Did) -> Answer {
        if !self.own(did).is_following(&subject) {
            return Ok(UNCHANGED);
        }
        let rev = self.next_rev(did, "follow", Subject::Identity(subject));
        let said = self.say(did, &Body::Unfollow(Unfollow { subject, rev }))?;
        self.after.wants_changed = true;
        Ok(done(&said, None))
    }

    fn block(&mut self, did: &Did, subject: Did) -> Answer {
        if subject == *did {
            return Err(CommandError::Refused("one cannot block oneself"));
        }
        if self.standing_value(did, "block", Subject::Identity(subject)).is_some() {
            return Ok(UNCHANGED);
        }
        let rev = self.next_rev(did, "block", Subject::Identity(subject));
        let said = self.say(did, &Body::Block(Block { subject, rev }))?;
        self.unfollow(did, subject)?;
        self.withdraw_all_of(did, &subject)?;
        Ok(done(&said, None))
    }

    fn unblock(&mut self, did: &Did, subject: Did) -> Answer {
        match self.standing_value(did, "block", Subject::Identity(subject)) {
            Some(standing) => self.erase_entry(did, &standing),
            None => Ok(UNCHANGED),
        }
    }

    fn profile(&mut self, did: &Did, mut profile: Profile) -> Answer {
        let own = self.own(did);
        let registers = register_keys(&Body::Profile(profile.clone()));
        let Some(rev) = registers.iter().map(|register| own.next_rev(register)).max() else { return Ok(UNCHANGED) };
        profile.rev = rev;
        let body = Body::Profile(profile);
        let said = self.say(did, &body)?;
        self.forget_media(did, &body)?;
        Ok(done(&said, None))
    }

    fn app(&mut self, did: &Did, kind: &str, body: Vec<u8>) -> Answer {
        let kind = Kind::from_name(kind).ok_or(CommandError::Refused("a kind is 1 to 64 of a-z, 0-9, . and -"))?;
        if !matches!(kind, Kind::Other(_)) {
            return Err(CommandError::Refused("the kind is one of xom's own"));
        }
        let said = self.sign(did, kind, body, true)?;
        Ok(done(&said, None))
    }

    /// Takes an entry of this identity back, given its id.
    pub(super) fn erase_entry(&mut self, did: &Did, id: &EntryId) -> Answer {
        let place = self.place_of(id)?.ok_or(CommandError::StatusNotFound)?;
        let held = self.held(place)?.ok_or(CommandError::StatusNotFound)?;
        let said = self.erase(did, held.header.reference(held.id), None)?;
        Ok(done(&said, None))
    }

    pub(super) fn erase(
        &mut self,
        did: &Did,
        target: Reference,
        now: Option<&ControlKey>,
    ) -> Result<Said, CommandError> {
        let purge = now.map(|key| self.purge_order(did, &target.entry, key)).transpose()?;
        self.say(did, &Body::Erase(Erase { target, purge }))
    }

    fn purge_order(&mut self, did: &Did, target: &EntryId, key: &ControlKey) -> Result<PurgeOrder, CommandError> {
        let record = self.identity(did)?.ok_or(CommandError::NotLocal(*did))?;
        purge::order(record.state(), target, &[key.secret()]).map_err(|_| AccessError::Replaced.into())
    }

    /// Signs a body and stores it.
    pub(super) fn say(&mut self, did: &Did, body: &Body) -> Result<Said, CommandError> {
        body.check()?;
        let import = matches!(body, Body::Post(Post { published: Some(_), .. }));
        self.sign(did, body.kind(), body.encode(), !import)
    }

    fn sign(&mut self, did: &Did, kind: Kind, bytes: Vec<u8>, live: bool) -> Result<Said, CommandError> {
        if xom_protocol::entry::size_class(bytes.len()).is_none() {
            return Err(CommandError::Refused("the body is longer than 256 KiB"));
        }
        self.check_device(did)?;
        self.check_signing(&self.own(did).row.log)?;
        if let Some(cause) = self.own(did).doubt() {
            return Err(CommandError::Damaged(cause.to_owned()));
        }
        let time_ms = self.signing_time(did)?;
        self.write_checkpoint(did, time_ms)?;
        let salt = fresh_salt()?;
        let entry = self.own(did).composer()?.compose_bytes(kind, bytes, salt, time_ms).map_err(compose_error)?;
        self.store_own(entry, live)
    }

    /// Writes the checkpoint that is due at the next place, if one is (`LOG-8`).
    fn write_checkpoint(&mut self, did: &Did, time_ms: u64) -> Result<(), CommandError> {
        if !xom_protocol::entry::Header::is_checkpoint_place(self.own(did).position.height) {
            return Ok(());
        }
        let record = self.identity(did)?.ok_or(CommandError::NotLocal(*did))?;
        let (identity, statements) = (record.state().head, record.state().statements);
        let logs = self.log_heads(did)?;
        let salt = fresh_salt()?;
        let own = self.own_mut(did);
        let Some(checkpoint) = own.checkpoint(identity, statements, logs) else { return Ok(()) };
        let entry = own.composer()?.compose(&Body::Checkpoint(checkpoint), salt, time_ms).map_err(compose_error)?;
        self.store_own(entry, true).map(|_| ())
    }

    fn store_own(&mut self, entry: VerifiedEntry, live: bool) -> Result<Said, CommandError> {
        let header = entry.header();
        let (author, log, device) = (header.author, header.log, header.device);
        let id = entry.id();
        let run = Stretch {
            log,
            author,
            device,
            entries: vec![Arc::new(entry)],
            live,
            pushed: true,
            is_own: true,
            is_shown: false,
        };
        let place = (self.log(&log, &author, &device)?.0, run.entries[0].header().seq);
        match self.append(&run)? {
            super::Appended::Stored { new: 1, .. } => {}
            other => return Err(StoreError::Damaged(format!("own entry was not taken: {other:?}")).into()),
        }
        let local_id = self.held(place)?.map_or(0, |held| held.row().local_id);
        Ok(Said { entry: id, local_id })
    }

    /// The heads of all logs of an identity that are held.
    fn log_heads(&self, did: &Did) -> Result<Vec<LogHead>, StoreError> {
        let Some(number) = self.identity_numbers.get(&did.0)?.map(|number| number.value()) else {
            return Ok(Vec::new());
        };
        let mut heads = Vec::new();
        for row in self.logs_of.range((number, 0)..=(number, u32::MAX))? {
            let row = self.log_row(row?.0.value().1)?;
            if row.height > 0 {
                heads.push(LogHead { log: row.log, height: row.height, head: row.head });
            }
        }
        Ok(heads)
    }

    /// The heads of the logs of one device that are held.
    pub(super) fn log_heads_of(&self, did: &Did, device: &DeviceId) -> Result<Vec<LogHead>, StoreError> {
        let Some(number) = self.identity_numbers.get(&did.0)?.map(|number| number.value()) else {
            return Ok(Vec::new());
        };
        let mut heads = Vec::new();
        for row in self.logs_of.range((number, 0)..=(number, u32::MAX))? {
            let row = self.log_row(row?.0.value().1)?;
            if row.height > 0 && row.device == *device {
                heads.push(LogHead { log: row.log, height: row.height, head: row.head });
            }
        }
        Ok(heads)
    }

    /// The time to sign with; refuses where the clock can't be right (`LOG-15`).
    fn signing_time(&self, did: &Did) -> Result<u64, CommandError> {
        let offset = self.shared.clock_offset();
        if let Some(off_ms) = offset.map(i64::unsigned_abs).filter(|ms| *ms > CLOCK_OFF_MS_MAX) {
            return Err(CommandError::Clock(format!("peers' clocks differ by {} minutes", off_ms / 60_000)));
        }
        let last_ms = self.own(did).last_time_ms;
        match last_ms.saturating_sub(self.now_ms) {
            behind_ms if behind_ms <= CLOCK_STEP_MS => Ok(self.now_ms.max(last_ms)),
            behind_ms => Err(CommandError::Clock(format!("the newest own entry is {behind_ms} ms later"))),
        }
    }

    fn own(&self, did: &Did) -> &super::own::Own {
        self.own.get(did).expect("checked before each command")
    }

    fn own_mut(&mut self, did: &Did) -> &mut super::own::Own {
        self.own.get_mut(did).expect("checked before each command")
    }

    pub(super) fn next_rev(&self, did: &Did, kind: &'static str, subject: Subject) -> u64 {
        self.own(did).next_rev(&RegisterKey { kind, subject })
    }

    pub(super) fn standing_value(&self, did: &Did, kind: &'static str, subject: Subject) -> Option<EntryId> {
        self.own(did).live.value(&RegisterKey { kind, subject })
    }

    /// A live status.
    fn status(&self, status: StatusId) -> Result<HeldEntry, CommandError> {
        let place = self.local_ids.get(status.0)?.map(|place| place.value());
        let place = place.ok_or(CommandError::StatusNotFound)?;
        let held = self.held(place)?.filter(|held| held.row().is_live());
        held.ok_or(CommandError::StatusNotFound)
    }

    /// The post that a status is or passes on, with its body where it is held.
    fn original(&self, status: StatusId) -> Result<(Reference, Body), CommandError> {
        let held = self.status(status)?;
        let place = self.place_of(&held.id)?.ok_or(CommandError::StatusNotFound)?;
        match self.body_of(place, &held)?.ok_or(CommandError::StatusNotFound)? {
            Body::Repost(repost) => {
                let place = self.place_of(&repost.target.entry)?.ok_or(CommandError::StatusNotFound)?;
                let held = self.held(place)?.filter(|held| held.row().is_live());
                let held = held.ok_or(CommandError::StatusNotFound)?;
                let body = self.body_of(place, &held)?.ok_or(CommandError::StatusNotFound)?;
                Ok((repost.target, body))
            }
            body => Ok((held.header.reference(held.id), body)),
        }
    }

    fn local_id_of(&self, id: &EntryId) -> Result<Option<StatusId>, StoreError> {
        let Some(place) = self.place_of(id)? else { return Ok(None) };
        Ok(self.held(place)?.map(|held| StatusId(held.row().local_id)))
    }

    /// Shows an entry that was just stored to the identity that it is of, if it lives here.
    pub(super) fn own_sees(&mut self, local_id: u64, entry: &VerifiedEntry, body: Option<&Body>, row_flags: u8) {
        let Some(own) = self.own.get_mut(&entry.header().author) else { return };
        match row_flags & (flags::LOOSE | flags::VOID) {
            0 => {
                own.sees(entry, body, local_id);
                // A sibling device follows for all of them; an erase of its may end a follow.
                let by_sibling = entry.header().device != own.row.device;
                let may_follow = matches!(body, Some(Body::Follow(_) | Body::Unfollow(_) | Body::Erase(_)));
                self.after.wants_changed |= by_sibling && may_follow;
            }
            flags::VOID => own.sees_void(entry),
            _ => {}
        }
    }
}

pub(super) fn done(said: &Said, status: Option<StatusId>) -> Done {
    Done { entry: Some(said.entry), status, known: false }
}

fn fresh_salt() -> Result<[u8; 32], CommandError> {
    let entropy = super::folder::entropy().map_err(|e| StoreError::Storage(e.to_string()))?;
    Ok(*entropy)
}

fn compose_error(error: ComposeError) -> CommandError {
    match error {
        ComposeError::Body(reason) => CommandError::Body(reason),
        ComposeError::ClockBehind { behind_ms } => {
            CommandError::Clock(format!("the newest own entry is {behind_ms} ms later"))
        }
        ComposeError::TooLong { .. } => CommandError::Refused("the body is longer than 256 KiB"),
        ComposeError::Header(e) => StoreError::Damaged(format!("own log: {e}")).into(),
        ComposeError::ZeroSalt => StoreError::Storage(error.to_string()).into(),
    }
}

/// A stored entry as the protocol's type, once its signature and chain were verified at storing.
pub(super) fn salted(body: Option<(xom_protocol::entry::Salt, Vec<u8>)>) -> Option<SaltedBody> {
    body.map(|(salt, bytes)| SaltedBody { salt, bytes })
}
