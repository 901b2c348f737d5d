//! What is kept in memory of an identity that lives here: its keys, where its log stands, what is
//! live of it. All of it but the keys is made anew from the entries at each start.

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::body::{Body, Checkpoint, LogHead, Post};
use xom_protocol::entry::{Header, Kind, Reference, VerifiedEntry};
use xom_protocol::keys::SecretKey;
use xom_protocol::log::{
    Composer, LiveSet, MerkleMap, Position, RegisterKey, Subject, Surroundings, build_checkpoint, register_keys,
};
use xom_protocol::{Did, Digest, EntryId, Network};

use super::tables::LocalRow;
use crate::keys::AccessError;
use crate::model::StatusId;

/// A local identity in the writer's hands.
pub(crate) struct Own {
    /// Who it is.
    pub(super) row: LocalRow,
    network: Network,
    /// The device key; none while it lies sealed.
    pub(super) key: Option<SecretKey>,
    /// Where the next entry of its log goes.
    pub(super) position: Position,
    /// The time of the newest entry of its log.
    pub(super) last_time_ms: u64,
    /// What is live of the identity, on all its devices.
    pub(super) live: LiveSet,
    /// What is live of the own log, with the erases of sibling devices.
    log_live: LiveSet,
    /// What the next checkpoint commits to (`LOG-14`).
    map: MerkleMap,
    /// Follow entries: whether each follows or ends it.
    follows: BTreeMap<Did, BTreeMap<EntryId, bool>>,
    /// Edits by what they edit.
    edits: BTreeMap<EntryId, Vec<Reference>>,
    /// Imports by a hash of their original address.
    imports: BTreeMap<[u8; 16], StatusId>,
    /// What of its logs can't be read, where nothing may be signed for that.
    doubt: Option<String>,
}

impl Own {
    /// An identity of which no entry has been read yet.
    pub(super) fn new(network: Network, row: LocalRow, key: Option<SecretKey>) -> Self {
        Self {
            live: LiveSet::new(row.did),
            log_live: LiveSet::new(row.did),
            map: MerkleMap::new(),
            follows: BTreeMap::new(),
            edits: BTreeMap::new(),
            imports: BTreeMap::new(),
            doubt: None,
            network,
            key,
            position: Position::EMPTY,
            last_time_ms: 0,
            row,
        }
    }

    /// Something of its logs can't be read: nothing is signed until it can.
    pub(super) fn doubts(&mut self, cause: String) {
        self.doubt.get_or_insert(cause);
    }

    /// What can't be read.
    pub(super) fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }

    /// Signs the next entry of its log; not while the device key lies sealed.
    pub(super) fn composer(&self) -> Result<Composer, AccessError> {
        Ok(Composer {
            network: self.network,
            key: self.key.clone().ok_or(AccessError::DeviceSealed)?,
            author: self.row.did,
            log: self.row.log,
            position: self.position,
            last_time_ms: self.last_time_ms,
        })
    }

    /// Takes in an entry that was just stored, or is read at the start; not a void one.
    pub(super) fn sees(&mut self, entry: &VerifiedEntry, body: Option<&Body>, local_id: u64) {
        let (header, id) = (entry.header(), entry.id());
        self.live.insert(entry);
        let own_log = header.log == self.row.log;
        if own_log || header.kind == Kind::Erase {
            self.log_live.insert(entry);
        }
        if own_log {
            self.position = Position::after(entry);
            self.last_time_ms = header.time_ms;
            self.update(id, body);
        }
        match body {
            Some(Body::Follow(follow)) => self.follow(follow.subject, id, true),
            Some(Body::Unfollow(unfollow)) => self.follow(unfollow.subject, id, false),
            Some(Body::Edit(edit)) => self.edits.entry(edit.target.entry).or_default().push(header.reference(id)),
            Some(Body::Post(post)) => self.import(post, local_id),
            _ => {}
        }
    }

    /// Takes in an entry that is void. It has no effect, but for its erases: checkpoints go on counting them
    /// (`LOG-8`), since whoever reads only the logs can't tell when they became void.
    pub(super) fn sees_void(&mut self, entry: &VerifiedEntry) {
        let header = entry.header();
        if header.log != self.row.log && header.kind == Kind::Erase {
            self.log_live.insert(entry);
        }
    }

    /// An entry of this identity was erased; the erase has been seen. `local_id` is that of the entry.
    pub(super) fn erased(&mut self, header: &Header, id: EntryId, body: Option<&Body>, local_id: u64) {
        if header.log == self.row.log {
            self.update(id, body);
        }
        if let Some(Body::Post(Post { imported_from: Some(source), .. })) = body {
            let source = crate::views::source_hash(source);
            // It may have been imported again since.
            if self.imports.get(&source) == Some(&StatusId(local_id)) {
                self.imports.remove(&source);
            }
        }
    }

    /// Brings the map up to date for the registers of one entry.
    fn update(&mut self, id: EntryId, body: Option<&Body>) {
        let registers = body.map(register_keys).unwrap_or_default();
        if registers.is_empty() {
            if self.log_live.is_live(&id) {
                self.map.insert(Digest(id.0), id);
            } else {
                self.map.remove(&Digest(id.0));
            }
        }
        for register in registers {
            let key = register.digest(&self.row.did);
            match self.log_live.value(&register) {
                Some(value) => self.map.insert(key, value),
                None => self.map.remove(&key),
            };
        }
    }

    fn follow(&mut self, subject: Did, entry: EntryId, follows: bool) {
        self.follows.entry(subject).or_default().insert(entry, follows);
    }

    fn import(&mut self, post: &Post, local_id: u64) {
        if let Some(source) = &post.imported_from {
            self.imports.insert(crate::views::source_hash(source), StatusId(local_id));
        }
    }

    /// True if this identity follows `subject`.
    pub(super) fn is_following(&self, subject: &Did) -> bool {
        let register = RegisterKey { kind: "follow", subject: Subject::Identity(*subject) };
        let standing = self.live.value(&register);
        let entries = self.follows.get(subject);
        standing.and_then(|entry| entries?.get(&entry)).copied().unwrap_or(false)
    }

    /// Everybody that this identity follows.
    pub(super) fn following(&self) -> BTreeSet<Did> {
        self.follows.keys().filter(|subject| self.is_following(subject)).copied().collect()
    }

    /// The revision for the next value of a register.
    pub(super) fn next_rev(&self, register: &RegisterKey) -> u64 {
        xom_protocol::log::next_rev(self.live.highest_rev(register))
    }

    /// The live edits of an entry.
    pub(super) fn edits(&self, target: &EntryId) -> Vec<Reference> {
        let edits = self.edits.get(target).map_or(&[][..], Vec::as_slice);
        edits.iter().filter(|edit| self.live.is_live(&edit.entry)).copied().collect()
    }

    /// The status of an earlier import of the same original address.
    pub(super) fn imported(&self, source: &str) -> Option<StatusId> {
        self.imports.get(&crate::views::source_hash(source)).copied()
    }

    /// Makes the map anew, once all entries have been read.
    pub(super) fn settle(&mut self, heads: &[LogHead]) {
        self.map = MerkleMap::new();
        let height = self.position.height;
        for (key, value) in self.log_live.checkpoint_items(self.row.log, height, heads) {
            self.map.insert(key, value);
        }
    }

    /// The checkpoint that is due at the next place (`LOG-8`), if one is.
    pub(super) fn checkpoint(
        &mut self,
        identity: Digest,
        statements: Digest,
        logs: Vec<LogHead>,
    ) -> Option<Checkpoint> {
        let position = self.position;
        if !Header::is_checkpoint_place(position.height) {
            return None;
        }
        let surroundings = Surroundings { identity, statements, logs };
        build_checkpoint(self.row.log, position, &mut self.map, surroundings)
    }

    /// What the map should hold, made anew: for the check of the incremental one.
    #[cfg(test)]
    pub(super) fn map_is_right(&mut self, siblings: &[LogHead]) -> bool {
        let mut map = MerkleMap::new();
        for (key, value) in self.log_live.checkpoint_items(self.row.log, self.position.height, siblings) {
            map.insert(key, value);
        }
        map.root() == self.map.root()
    }
}

/// The identities other than the author at whom an entry is aimed (`SYN-12`).
pub(super) fn aims(body: &Body, author: &Did) -> BTreeSet<Did> {
    let mut aims: BTreeSet<Did> = match body {
        Body::Follow(follow) => BTreeSet::from([follow.subject]),
        Body::Unfollow(unfollow) => BTreeSet::from([unfollow.subject]),
        Body::Reaction(reaction) => BTreeSet::from([reaction.target.author]),
        Body::Repost(repost) => BTreeSet::from([repost.target.author]),
        Body::Vote(vote) => BTreeSet::from([vote.poll.author]),
        Body::Post(post) => {
            let references =
                [post.reply, post.root, post.quote].into_iter().flatten().map(|reference| reference.author);
            references.chain(post.mentions.iter().map(|mention| mention.did)).collect()
        }
        _ => BTreeSet::new(),
    };
    aims.remove(author);
    aims
}
