//! The copies of an entry: who holds it, what became of it once it was erased.

use xom_protocol::body::Body;
use xom_protocol::entry::{Header, Kind};
use xom_protocol::receipt::Fate;
use xom_protocol::{Did, EntryId};

use super::find::digests_with_prefix;
use super::{Read, Reader};
use crate::keep::HoldersReport;
use crate::model::{CopiesReport, CopyView, FoundEntry, HereBody, StatusId};
use crate::store::tables::{PlaceKey, flags};

/// How many candidates are named when a prefix fits several.
const CANDIDATES_MAX: usize = 8;
/// Entries of the own logs that are looked at for erasures, the newest.
const SCANNED_MAX: u64 = 20_000;

impl Reader {
    /// Which copies there are of the logs of a local identity, as far as their holders have stated it (`KEEP-8`).
    pub fn holders(&self, did: &Did) -> Read<HoldersReport> {
        let mut report = self.snapshot.holders(did)?;
        for holder in &mut report.holders {
            holder.acct = self.account(&holder.did)?.map(|account| account.acct);
        }
        Ok(report)
    }

    /// A local id of a status, an entry id or its unique prefix; of erased entries too.
    pub fn find_entry(&self, text: &str) -> Read<FoundEntry> {
        let text = text.trim();
        if let Ok(id) = text.parse::<u64>()
            && let Some(place) = self.snapshot.place_of_status(id)?
            && let Some(entry) = self.snapshot.with_entry(place, |row| EntryId(Header::hash(row.header).0))?
        {
            return Ok(FoundEntry::One(entry));
        }
        let Some((low, high)) = digests_with_prefix(text) else { return Ok(FoundEntry::None) };
        let found = self.snapshot.entries_between(&low, &high, CANDIDATES_MAX)?;
        Ok(match found.as_slice() {
            [] => FoundEntry::None,
            [(entry, _)] => FoundEntry::One(*entry),
            _ => FoundEntry::Several(found.into_iter().map(|(entry, _)| entry).collect()),
        })
    }

    /// What is known of the copies of an entry; none if it is not held.
    pub fn copies(&self, entry: &EntryId) -> Read<Option<CopiesReport>> {
        let Some(place) = self.snapshot.place_of_entry(entry)? else { return Ok(None) };
        self.copies_at(place, entry)
    }

    fn copies_at(&self, place: PlaceKey, entry: &EntryId) -> Read<Option<CopiesReport>> {
        let Some(log) = self.snapshot.log(place.0)? else { return Ok(None) };
        let row = self.snapshot.with_entry(place, |row| (row.flags, row.local_id, Header::decode(row.header)))?;
        let Some((flags, local_id, Ok(header))) = row else { return Ok(None) };
        let erased = self.snapshot.erased(entry, log.author)?.filter(|_| flags & flags::HIDDEN != 0);
        let here = match &erased {
            _ if flags & flags::BODY == 0 => HereBody::Gone,
            Some(erased) => HereBody::Hidden { purge_ms: erased.purge_ms },
            None => HereBody::Held,
        };
        let is_own = self.snapshot.is_owned(&header.author)?;
        let rows = if is_own { self.snapshot.copies(place, entry, erased.is_some())? } else { Vec::new() };
        let mut copies = Vec::with_capacity(rows.len());
        for row in rows {
            // An answer to an erase that was undone says nothing of the copy as it is now.
            let stands = |by: &EntryId| erased.as_ref().is_some_and(|erased| erased.by.contains(by));
            let counts = row.fate == Some(Fate::Purged) || row.erase.as_ref().is_some_and(stands);
            copies.push(CopyView {
                holder: row.holder,
                acct: self.account(&row.holder)?.map(|account| account.acct),
                device: row.device,
                own: row.holder == header.author,
                known: row.known,
                fate: row.fate.filter(|_| counts),
                answered_ms: row.answered_ms.filter(|_| counts),
                seen_ms: row.seen_ms,
                broken: row.broken,
            });
        }
        Ok(Some(CopiesReport {
            entry: *entry,
            status: (local_id != 0).then_some(StatusId(local_id)),
            author: header.author,
            kind: header.kind.name().to_owned(),
            time_ms: header.time_ms,
            erased_ms: erased.map(|erased| erased.seen_ms),
            here,
            copies,
        }))
    }

    /// Erased entries of a local identity that were statuses or profiles, the newest erasure first.
    pub fn erasures(&self, did: &xom_protocol::Did, limit: usize) -> Read<Vec<CopiesReport>> {
        let mut targets = Vec::new();
        let mut left = SCANNED_MAX;
        for head in self.snapshot.heads_of(did)? {
            let Some(number) = self.snapshot.log_number(&head.log)? else { continue };
            for seq in (0..head.position.height).rev() {
                let Some(rest) = left.checked_sub(1) else { break };
                left = rest;
                let erase = self.snapshot.with_entry((number, seq), |row| {
                    let header = Header::decode(row.header).ok().filter(|header| header.kind == Kind::Erase);
                    header.map(|_| row.counter)
                })?;
                let Some(counter) = erase.flatten() else { continue };
                if let Some((_, Body::Erase(erase))) = self.snapshot.body((number, seq))? {
                    targets.push((counter, erase.target.entry));
                }
            }
        }
        targets.sort_unstable_by(|a, b| b.cmp(a));
        let mut reports = Vec::new();
        for (_, target) in targets {
            if reports.len() == limit {
                break;
            }
            let report = self.copies(&target)?.filter(|report| report.author == *did && report.status.is_some());
            reports.extend(report);
        }
        Ok(reports)
    }
}
