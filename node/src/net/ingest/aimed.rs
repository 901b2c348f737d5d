//! Entries that strangers aim at local identities: single, signed, bounded, and about us (`SYN-12`).

use std::collections::BTreeSet;
use std::time::Instant;

use xom_protocol::body::Body;
use xom_protocol::entry::{Header, Kind, SignedEntry, VerifiedEntry, verify_signed};
use xom_protocol::identity::{IdentityRecord, SignedObject};
use xom_protocol::sync::{Aimed, Outcome};
use xom_protocol::{Did, Rule};

use super::{Budget, Ingest, blocking};
use crate::error::StoreError;
use crate::net::tally::PeerTally;
use crate::store::Snapshot;

/// What is left of an item after all checks.
struct Checked {
    author: Did,
    stranger: bool,
    entries: Vec<VerifiedEntry>,
    refused: Vec<Rule>,
}

impl Ingest {
    /// Takes the entries of one author. What is not about a local identity is left out in silence:
    /// the peer may know of an identity that moved away.
    pub(super) async fn take_aimed(
        &self,
        peer: &PeerTally,
        budget: &Budget,
        item: Aimed,
    ) -> Result<Outcome, StoreError> {
        let ingest = self.clone();
        let objects = item.objects.clone();
        let Some(checked) = blocking(move || ingest.check_aimed(item)).await? else { return Ok(Outcome::Applied) };
        checked.refused.iter().for_each(|rule| self.refuse(peer, *rule));
        if !checked.entries.is_empty() {
            if !budget.spend(checked.entries.len(), checked.stranger, Instant::now()) {
                return Ok(Outcome::Dropped);
            }
            let replies = checked.entries.iter().filter(|entry| entry.header().kind == Kind::Post).count();
            let is_turned_away = !budget.may_reply(replies, Instant::now());
            let new = self.store.insert_aimed(checked.author, objects, checked.entries, is_turned_away).await?;
            peer.counts.received(new);
            self.totals.received(new);
        }
        Ok(checked.refused.first().map_or(Outcome::Applied, |rule| Outcome::Refused(*rule)))
    }

    /// Verifies identity and signatures, and looks whom the entries are about. Blocking.
    fn check_aimed(&self, item: Aimed) -> Result<Option<Checked>, StoreError> {
        let Some(first) = item.entries.first() else { return Ok(None) };
        let author = match Header::decode(&first.header) {
            Ok(header) => header.author,
            Err(e) => return Ok(Some(Checked::refused(Did([0; 32]), e.rule()))),
        };
        let locals: BTreeSet<Did> = self.store.locals().into_iter().map(|local| local.did).collect();
        if locals.contains(&author) {
            return Ok(None);
        }
        let is_followed = self.store.wants().contains(&author);
        let snapshot = self.store.snapshot()?;
        let known = self.identities.get(&snapshot, &author)?;
        let held = snapshot.identity_objects(&author)?;
        let record = match self.record(&held, &item.objects) {
            Ok(record) if record.did() == author => record,
            Ok(_) => return Ok(Some(Checked::refused(author, Rule("LOG-7")))),
            Err(rule) => return Ok(Some(Checked::refused(author, rule))),
        };
        let stranger = known.is_none_or(|known| known.record.is_none());
        let mut checked = Checked { author, stranger, entries: Vec::new(), refused: Vec::new() };
        for entry in item.entries {
            match self.verify_single(&record, entry) {
                // Of whom is followed the whole log comes anyway, in its order, but mostly without signatures: and what is
                // to be admitted needs its own (`ADM-6`).
                Ok(entry) if is_followed && entry.header().kind != Kind::Post => drop(entry),
                Ok(entry) if is_about(&snapshot, &entry, &locals)? => checked.entries.push(entry),
                Ok(_) => {}
                Err(rule) => checked.refused.push(rule),
            }
        }
        Ok(Some(checked))
    }

    /// What is held and what was sent, together; fails with the rule of the first object that is wrong.
    pub(in crate::net) fn record(&self, held: &[Vec<u8>], sent: &[Vec<u8>]) -> Result<IdentityRecord, Rule> {
        let objects = held.iter().chain(sent).map(|bytes| SignedObject::decode(bytes));
        let objects = objects.collect::<Result<Vec<_>, _>>().map_err(|e| e.rule())?;
        IdentityRecord::from_objects(self.network, objects).map_err(|e| e.rule())
    }

    /// One entry by its own signature, of the root log of a device that is admitted at its place.
    pub(super) fn verify_single(&self, record: &IdentityRecord, entry: SignedEntry) -> Result<VerifiedEntry, Rule> {
        let header = Header::decode(&entry.header).map_err(|e| e.rule())?;
        let key = self.device_key(record.state(), &header.device).ok_or(Rule("LOG-7"))?;
        let entry = verify_signed(self.network, &key, entry).map_err(|e| e.rule())?;
        let header = entry.header();
        let own = header.author == record.did() && header.log == record.state().root_log(&header.device);
        if !own {
            return Err(Rule("LOG-7"));
        }
        let admitted = record.state().admits(&header.device, &header.log, header.seq, &entry.hash());
        admitted.map(|()| entry).map_err(|not| not.rule())
    }
}

impl Checked {
    fn refused(author: Did, rule: Rule) -> Self {
        Self { author, stranger: true, entries: Vec::new(), refused: vec![rule] }
    }
}

/// True if an entry is about one of `locals`, or changes or takes back an entry that was taken before.
fn is_about(snapshot: &Snapshot, entry: &VerifiedEntry, locals: &BTreeSet<Did>) -> Result<bool, StoreError> {
    let Some(body) = entry.body() else { return Ok(false) };
    let Ok(body) = Body::decode(&entry.header().kind, &body.bytes) else { return Ok(false) };
    let local = |did: &Did| locals.contains(did);
    let about = match &body {
        Body::Follow(body) => local(&body.subject),
        Body::Unfollow(body) => local(&body.subject),
        Body::Reaction(body) => local(&body.target.author),
        Body::Repost(body) => local(&body.target.author),
        Body::Vote(body) => local(&body.poll.author),
        Body::Post(body) => {
            let references = [&body.reply, &body.root, &body.quote];
            references.into_iter().flatten().any(|reference| local(&reference.author))
                || body.mentions.iter().any(|mention| local(&mention.did))
        }
        Body::Edit(body) => snapshot.place_of_entry(&body.target.entry)?.is_some(),
        Body::Erase(body) => snapshot.place_of_entry(&body.target.entry)?.is_some(),
        Body::Profile(_) => true,
        Body::PollClose(_)
        | Body::Block(_)
        | Body::Checkpoint(_)
        | Body::LogOpen(_)
        | Body::Admit(_)
        | Body::Algorithm(_)
        | Body::Record(_) => false,
    };
    Ok(about)
}
