//! Entries of strangers that an author whom this node follows has admitted to his threads (`ADM-5`, `ADM-6`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use xom_protocol::entry::{Header, VerifiedEntry};
use xom_protocol::sync::{Aimed, Outcome};
use xom_protocol::{Did, Rule};

use super::{Ingest, blocking};
use crate::error::StoreError;
use crate::net::tally::PeerTally;

/// Admitted entries of one author that are taken at once (`ADM-5`).
const ENTRIES_BURST: f64 = 1_024.0;
/// The same in the long run, a second: as many in a day.
const ENTRIES_PER_SECOND: f64 = ENTRIES_BURST / 86_400.0;
/// Authors of whom is remembered how much of what they admit was taken; of more, he who has most left goes.
const AUTHORS_MAX: usize = 16_384;

/// How much of what each author admits is taken, whoever brings it.
#[derive(Debug, Default)]
pub(super) struct Shares(Mutex<BTreeMap<Did, (f64, Instant)>>);

impl Shares {
    /// Takes so many entries from an author's share; answers how many of them there was room for.
    fn spend(&self, root: Did, entries: usize, now: Instant) -> usize {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shares.len() >= AUTHORS_MAX && !shares.contains_key(&root) {
            let fullest = shares.iter().max_by(|a, b| a.1.0.total_cmp(&b.1.0)).map(|(did, _)| *did);
            fullest.and_then(|did| shares.remove(&did));
        }
        let (left, filled_at) = shares.entry(root).or_insert((ENTRIES_BURST, now));
        let secs = now.saturating_duration_since(*filled_at).as_secs_f64();
        (*left, *filled_at) = ((*left + secs * ENTRIES_PER_SECOND).min(ENTRIES_BURST), now);
        let mut fits = 0;
        while fits < entries && *left >= 1.0 {
            *left -= 1.0;
            fits += 1;
        }
        fits
    }
}

/// What is left of one author's entries after all checks.
struct Checked {
    author: Did,
    objects: Vec<Vec<u8>>,
    entries: Vec<VerifiedEntry>,
}

impl Ingest {
    /// Takes entries that `root` has admitted; the store leaves out what he has not.
    pub(super) async fn take_singles(
        &self,
        peer: &PeerTally,
        root: Did,
        items: Vec<Aimed>,
    ) -> Result<Outcome, StoreError> {
        if !self.store.wants().contains(&root) {
            return Ok(Outcome::Dropped);
        }
        let ingest = self.clone();
        let (checked, refused) = blocking(move || ingest.check_singles(items)).await?;
        refused.iter().for_each(|rule| self.refuse(peer, *rule));
        let mut outcome = refused.first().map_or(Outcome::Applied, |rule| Outcome::Refused(*rule));
        for mut item in checked {
            let fits = self.admitted.spend(root, item.entries.len(), Instant::now());
            if fits < item.entries.len() {
                item.entries.truncate(fits);
                outcome = if outcome == Outcome::Applied { Outcome::Dropped } else { outcome };
            }
            if !item.entries.is_empty() {
                let new = self.store.insert_admitted(root, item.author, item.objects, item.entries).await?;
                peer.counts.received(new);
                self.totals.received(new);
            }
        }
        Ok(outcome)
    }

    /// Verifies identities and signatures. Blocking.
    fn check_singles(&self, items: Vec<Aimed>) -> Result<(Vec<Checked>, Vec<Rule>), StoreError> {
        let (mut checked, mut refused) = (Vec::new(), Vec::new());
        let snapshot = self.store.snapshot()?;
        let wanted = self.store.wants();
        for Aimed { objects, entries } in items {
            let author = match entries.first().map(|first| Header::decode(&first.header)) {
                Some(Ok(header)) => header.author,
                Some(Err(e)) => {
                    refused.push(e.rule());
                    continue;
                }
                None => continue,
            };
            if wanted.contains(&author) {
                // Followed by now: the whole log comes.
                continue;
            }
            let record = match self.record(&snapshot.identity_objects(&author)?, &objects) {
                Ok(record) if record.did() == author => record,
                Ok(_) => {
                    refused.push(Rule("LOG-7"));
                    continue;
                }
                Err(rule) => {
                    refused.push(rule);
                    continue;
                }
            };
            let mut verified = Vec::new();
            for entry in entries {
                match self.verify_single(&record, entry) {
                    Ok(entry) => verified.push(entry),
                    Err(rule) => refused.push(rule),
                }
            }
            checked.push(Checked { author, objects, entries: verified });
        }
        Ok((checked, refused))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn adm_5_an_author_who_admits_without_end_has_so_much_taken_in_a_day_and_others_are_not_touched() {
        let (shares, now) = (Shares::default(), Instant::now());
        let (mallory, bob) = (Did([1; 32]), Did([2; 32]));
        let taken: usize = (0..10_000).map(|_| shares.spend(mallory, 16, now)).sum();
        assert_eq!(taken, 1_024);
        assert_eq!(shares.spend(bob, 16, now), 16);
        assert_eq!(shares.spend(mallory, 16, now + Duration::from_secs(3_600)), 16);
        let a_day_later = now + Duration::from_secs(90_000);
        let taken: usize = (0..10_000).map(|_| shares.spend(mallory, 16, a_day_later)).sum();
        assert!(taken <= 1_024, "{taken}");
    }
}
