//! Which blobs are fetched next, and when those that nobody had are asked for again. Pure: time comes in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use libp2p::PeerId;
use xom_protocol::BlobId;

use crate::net::backoff::{Before, delay};

/// Blobs that wait in memory, of each sort; of more the store is asked later.
const WAITING_MAX: usize = 1_024;
/// Blobs whose failures are remembered; of others the waits start anew.
pub(super) const ATTEMPTS_MAX: usize = 4_096;

/// What was tried for a blob.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempt {
    /// Who did not have it since the last wait.
    pub(super) tried: BTreeSet<PeerId>,
    /// Who sent other bytes under its id.
    pub(super) liars: BTreeSet<PeerId>,
    /// How often everybody was asked in vain.
    pub(super) failures: u32,
    due: Option<Instant>,
}

/// Blobs that wait, each once, and what was tried.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Just named by an entry that came: before all that is missing longer.
    fresh: VecDeque<BlobId>,
    later: VecDeque<BlobId>,
    waiting: BTreeSet<BlobId>,
    running: BTreeSet<BlobId>,
    attempts: BTreeMap<BlobId, Attempt>,
    due: BTreeSet<(Instant, BlobId)>,
}

impl Queue {
    /// A blob that was named just now.
    pub(super) fn push_fresh(&mut self, blob: BlobId) {
        if self.fresh.len() < WAITING_MAX && !self.running.contains(&blob) && self.waiting.insert(blob) {
            self.fresh.push_back(blob);
        }
    }

    /// A blob that is missing. One that nobody had waits for its time.
    pub(super) fn push(&mut self, blob: BlobId) {
        let waits = self.attempts.get(&blob).is_some_and(|attempt| attempt.due.is_some());
        if self.later.len() < WAITING_MAX && !waits && !self.running.contains(&blob) && self.waiting.insert(blob) {
            self.later.push_back(blob);
        }
    }

    /// Puts those whose wait is over among those that wait.
    pub(super) fn wake(&mut self, now: Instant) {
        while let Some((due, blob)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, blob));
            if let Some(attempt) = self.attempts.get_mut(&blob) {
                attempt.due = None;
                attempt.tried.clear();
            }
            self.push(blob);
        }
    }

    /// Somebody came who was not asked for these yet: that is worth asking before the wait is over.
    pub(super) fn met<'a>(&mut self, peers: impl Iterator<Item = &'a PeerId> + Clone) {
        let is_new = |attempt: &Attempt| peers.clone().any(|peer| !attempt.has_tried(peer));
        let waiting = self.attempts.iter_mut().filter(|(_, attempt)| attempt.due.is_some() && is_new(attempt));
        let mut blobs = Vec::new();
        for (blob, attempt) in waiting {
            if let Some(due) = attempt.due.take() {
                self.due.remove(&(due, *blob));
            }
            blobs.push(*blob);
        }
        blobs.into_iter().for_each(|blob| self.push(blob));
    }

    /// When the next wait is over.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Nothing is left to begin.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// So much is missing and nobody's that more of the same must wait.
    pub(super) fn is_tired(&self) -> bool {
        self.due.len() >= ATTEMPTS_MAX / 2
    }

    /// The next blob.
    pub(super) fn pop(&mut self) -> Option<BlobId> {
        let blob = self.fresh.pop_front().or_else(|| self.later.pop_front())?;
        self.waiting.remove(&blob);
        Some(blob)
    }

    /// The blob is being fetched. Answers what was tried before.
    pub(super) fn begin(&mut self, blob: BlobId) -> Attempt {
        self.running.insert(blob);
        self.attempts.get(&blob).cloned().unwrap_or_default()
    }

    /// Blobs that are being fetched.
    pub(super) fn running(&self) -> &BTreeSet<BlobId> {
        &self.running
    }

    /// It is here, or nobody wants it any more.
    pub(super) fn done(&mut self, blob: &BlobId) {
        self.running.remove(blob);
        self.forget(blob);
    }

    /// Nobody had it: it waits.
    pub(super) fn failed(&mut self, blob: BlobId, (tried, liars): (BTreeSet<PeerId>, BTreeSet<PeerId>), now: Instant) {
        self.running.remove(&blob);
        let failures = self.attempts.get(&blob).map_or(0, |attempt| attempt.failures).saturating_add(1);
        self.forget(&blob);
        if self.attempts.len() >= ATTEMPTS_MAX
            && let Some((_, oldest)) = self.due.first().copied()
        {
            self.forget(&oldest);
        }
        let due = now + delay(failures.saturating_add(2), Before::Known);
        self.due.insert((due, blob));
        self.attempts.insert(blob, Attempt { tried, liars, failures, due: Some(due) });
    }

    fn forget(&mut self, blob: &BlobId) {
        if let Some(due) = self.attempts.remove(blob).and_then(|attempt| attempt.due) {
            self.due.remove(&(due, *blob));
        }
    }
}

impl Attempt {
    fn has_tried(&self, peer: &PeerId) -> bool {
        self.tried.contains(peer) || self.liars.contains(peer)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn blob(number: usize) -> BlobId {
        BlobId::of(&number.to_le_bytes())
    }

    fn fail(queue: &mut Queue, blob: BlobId, tried: &[PeerId], now: Instant) {
        queue.begin(blob);
        queue.failed(blob, (tried.iter().copied().collect(), BTreeSet::new()), now);
    }

    #[test]
    fn a_blob_waits_once_and_what_was_just_named_comes_first() {
        let mut queue = Queue::default();
        queue.push(blob(1));
        queue.push(blob(1));
        queue.push_fresh(blob(2));
        queue.push_fresh(blob(1));
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(blob(2)), Some(blob(1)), None]);
        queue.begin(blob(1));
        queue.push(blob(1));
        queue.push_fresh(blob(1));
        assert!(queue.is_empty());
    }

    #[test]
    fn what_nobody_had_waits_ever_longer_or_until_somebody_new_comes() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let (old, new) = (PeerId::random(), PeerId::random());
        fail(&mut queue, blob(1), &[old], now);
        let first = queue.next_due().unwrap();
        queue.push(blob(1));
        queue.met([old].iter());
        queue.wake(first - Duration::from_millis(1));
        assert!(queue.is_empty());
        queue.wake(first);
        assert_eq!((queue.pop(), queue.next_due()), (Some(blob(1)), None));
        fail(&mut queue, blob(1), &[old], first);
        assert!(queue.next_due().unwrap() - first > first - now);
        queue.met([old, new].iter());
        assert_eq!((queue.pop(), queue.next_due()), (Some(blob(1)), None));
        queue.begin(blob(1));
        queue.done(&blob(1));
        assert_eq!(queue.begin(blob(1)).failures, 0);
    }

    #[test]
    fn r_blb_7_a_million_blobs_that_nobody_has_take_bounded_memory_and_tire_the_queue() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for number in 0..1_000_000 {
            queue.push(blob(number));
            queue.push_fresh(blob(number + 1_000_000));
            assert!(queue.waiting.len() <= 2 * WAITING_MAX);
        }
        assert!(!queue.is_tired());
        for number in 0..10_000 {
            fail(&mut queue, blob(number), &[], now + Duration::from_millis(number as u64));
            assert!(queue.attempts.len() <= ATTEMPTS_MAX && queue.due.len() == queue.attempts.len());
        }
        assert!(queue.is_tired());
    }
}
