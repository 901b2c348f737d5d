//! What peers are served: ranges of logs, what changed, what is aimed at them.

use std::collections::BTreeSet;

use redb::ReadableTable;
use xom_protocol::entry::{SaltedBody, SignedEntry};
use xom_protocol::keys::Signature;
use xom_protocol::limits::SIGNATURE_INTERVAL;
use xom_protocol::{Did, LogId};

use super::Held;
use super::snapshot::Snapshot;
use super::tables::{self, ArrivalRow, EntryRow, PlaceKey, flags};
use crate::error::StoreError;

/// Profile entries that go with what is aimed at somebody.
const PROFILES_MAX: usize = 8;

impl Snapshot {
    /// Entries of a log from `from` on, as they are served: at most so many entries and about so many
    /// bytes, bodies of live entries only. Ends at a signature, so that the receiver can verify all of it
    /// (`LOG-9`).
    pub(crate) fn range(
        &self,
        log: &LogId,
        from: u64,
        entries_max: usize,
        bytes_max: usize,
        proven: &BTreeSet<Did>,
    ) -> Result<Vec<SignedEntry>, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(Vec::new()) };
        let Some(row) = self.log(number)? else { return Ok(Vec::new()) };
        let height = row.height;
        let to_author =
            !proven.is_empty() && self.identity(row.author)?.is_some_and(|author| proven.contains(&author.did));
        let mut served = Vec::new();
        let mut bytes = 0;
        for seq in from..height {
            let Some(entry) = self.served((number, seq), to_author)? else { break };
            bytes += entry.header.len() + 64 + entry.body.as_ref().map_or(0, |body| body.bytes.len() + 32);
            let full = served.len() >= entries_max || bytes > bytes_max;
            // A signature is never far, and without one what was read is worth nothing.
            if full && served.iter().any(|entry: &SignedEntry| entry.signature.is_some()) {
                break;
            }
            let done = full && entry.signature.is_some();
            served.push(entry);
            if done {
                break;
            }
        }
        let signed = served.iter().rposition(|entry| entry.signature.is_some()).map_or(0, |last| last + 1);
        served.truncate(signed);
        strip_signatures(from, &mut served);
        Ok(served)
    }

    /// The logs and identities that changed after an arrival counter.
    pub(crate) fn changed_since(&self, counter: u64) -> Result<(Vec<Held>, Vec<Did>), StoreError> {
        let (mut logs, mut identities) = (BTreeSet::new(), BTreeSet::new());
        if counter == 0 {
            logs.extend(self.logs()?.into_iter().map(|(number, _)| number));
            for row in self.table(tables::IDENTITIES)?.iter()? {
                let (number, row) = row?;
                if row.value().objects > 0 {
                    identities.insert(number.value());
                }
            }
        } else {
            let arrivals = self.table(tables::ARRIVALS)?;
            // The arrival before may reach beyond the counter.
            let before = arrivals.range(..=counter)?.next_back().transpose()?.map_or(0, |row| row.0.value());
            for row in arrivals.range(before..)? {
                let (first, what) = row?;
                match what.value() {
                    ArrivalRow::Entries { log, count, .. } if first.value() + u64::from(count) > counter + 1 => {
                        logs.insert(log);
                    }
                    ArrivalRow::Log(log) if first.value() > counter => {
                        logs.insert(log);
                    }
                    ArrivalRow::Identity(identity) if first.value() > counter => {
                        identities.insert(identity);
                    }
                    _ => {}
                }
            }
        }
        let mut held = Vec::with_capacity(logs.len());
        for log in logs {
            held.extend(self.held_log(log)?);
        }
        let mut dids = Vec::with_capacity(identities.len());
        for identity in identities {
            dids.extend(self.identity(identity)?.map(|row| row.did));
        }
        Ok((held, dids))
    }

    /// Entries of local identities that are aimed at `did` and came after an arrival counter, newest
    /// first, each signed; with them their authors' profiles, so that they have a name.
    pub(crate) fn aimed_at(&self, did: &Did, since: u64, entries_max: usize) -> Result<Vec<SignedEntry>, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(Vec::new()) };
        let aimed = self.table(tables::AIMED)?;
        let (mut places, mut authors) = (Vec::new(), BTreeSet::new());
        let Some(last) = since.checked_add(1) else { return Ok(Vec::new()) };
        for row in aimed.range((number, last)..=(number, u64::MAX))?.rev().take(entries_max) {
            let place = row?.1.value();
            authors.extend(self.log(place.0)?.map(|row| row.author));
            places.push(place);
        }
        let profiles = self.table(tables::OWN_PROFILES)?;
        for author in authors {
            for row in profiles.range((author, 0)..=(author, u64::MAX))?.rev().take(PROFILES_MAX) {
                places.push(row?.1.value());
            }
        }
        places.truncate(entries_max);
        let mut entries = Vec::with_capacity(places.len());
        for place in places {
            // Of a log that came as a run most signatures are not held.
            entries.extend(self.served(place, false)?.filter(|entry| entry.signature.is_some()));
        }
        Ok(entries)
    }

    /// An entry as it is served: a void one without its body, a hidden one with it only to a device of its
    /// author (`LOG-12`, `PAIR-7`).
    pub(super) fn served(&self, place: PlaceKey, to_author: bool) -> Result<Option<SignedEntry>, StoreError> {
        let Some(bytes) = self.entries.get(place)? else { return Ok(None) };
        let row = EntryRow::read(bytes.value()).ok_or_else(|| StoreError::Damaged("entry is too short".into()))?;
        let is_shown = row.is_live() || to_author && !row.is(flags::VOID);
        let body = if is_shown { self.whole_body(place, &row)? } else { None };
        Ok((!row.is(flags::LOOSE) || row.signature.is_some()).then(|| SignedEntry {
            header: row.header.to_vec(),
            signature: row.signature.copied().map(Signature),
            body: body.map(|(salt, bytes)| SaltedBody { salt, bytes }),
        }))
    }
}

/// Leaves only the signatures that a range must carry (`LOG-9`).
fn strip_signatures(from: u64, entries: &mut [SignedEntry]) {
    let last = entries.len().saturating_sub(1);
    for (index, (seq, entry)) in (from..).zip(entries).enumerate() {
        if index != last && !seq.is_multiple_of(SIGNATURE_INTERVAL) {
            entry.signature = None;
        }
    }
}
