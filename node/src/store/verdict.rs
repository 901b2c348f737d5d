//! What of a log counts: how far its device goes, and which branch of a fork stands (`ID-7`, `ID-8`,
//! `LOG-13`). Follows from what is held, whatever order it came in.

use std::collections::BTreeMap;

use xom_protocol::Digest;
use xom_protocol::body::{Body, LogHead};
use xom_protocol::entry::Kind;
use xom_protocol::identity::{DeviceStatus, IdentityState};
use xom_protocol::limits::CHECKPOINT_INTERVAL;
use xom_protocol::log::{Anchor, AnchorStrength, BranchHashes, Fork, Verdict, resolve};

use super::batch::Batch;
use super::forks::KeptFork;
use super::tables::{LogRow, flags};
use crate::error::StoreError;

/// What of a held log counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The branch that is held, up to where it is void, disputed from where it forks.
    Stands {
        /// From here on entries are void.
        void_from: u64,
        /// From here on entries are disputed.
        disputed_from: u64,
        /// A named head that is not held, and is not known to lie on another branch.
        sought: Option<LogHead>,
    },
    /// Another branch counts: everything from here on goes.
    Cut(u64),
}

/// The branch that is held, where anybody asks for its hashes.
#[derive(Debug, Default)]
struct HeldBranch(BTreeMap<u64, Digest>);

impl BranchHashes for HeldBranch {
    fn hash_at(&self, seq: u64) -> Option<Digest> {
        self.0.get(&seq).copied()
    }
}

impl Batch<'_> {
    /// What of a held log counts.
    pub(super) fn standing(&self, log: u32, row: &LogRow, state: &IdentityState) -> Result<Standing, StoreError> {
        let kept = self.kept_fork(log)?;
        let (end, accepted) = self.end_of(row, state);
        let Some(kept) = kept.filter(|kept| kept.fork.point.seq < end) else {
            return self.standing_unforked(log, end, accepted);
        };
        let anchors = self.anchors(row, state)?;
        let point = kept.fork.point.seq;
        let (verdict, is_ours) = self.verdict(log, &kept, &anchors)?;
        let disputed = |sought| Standing::Stands { void_from: end, disputed_from: point, sought };
        let ours = self.hash_at((log, point))?;
        Ok(match verdict {
            Verdict::Decided { height, .. } if is_ours || ours.is_none() => {
                Standing::Stands { void_from: height.min(end), disputed_from: LogRow::NONE, sought: None }
            }
            Verdict::Decided { .. } => Standing::Cut(point),
            Verdict::Elsewhere { head } if self.leads_to(log, &head)? => {
                Standing::Stands { void_from: head.height.min(end), disputed_from: LogRow::NONE, sought: Some(head) }
            }
            // The held branch is not the named one where it is long enough to tell.
            Verdict::Elsewhere { head } if ours.is_some() && self.hash_at((log, head.height - 1))?.is_some() => {
                Standing::Cut(point)
            }
            Verdict::Elsewhere { head } => disputed(Some(head)),
            Verdict::Disputed => disputed(None),
        })
    }

    /// True where this first header of a branch stands on one that lost, so that it is not taken again.
    pub(super) fn is_lost(
        &self,
        log: u32,
        row: &LogRow,
        state: &IdentityState,
        seq: u64,
        hash: Digest,
    ) -> Result<bool, StoreError> {
        let Some(kept) = self.kept_fork(log)?.filter(|kept| kept.fork.point.seq == seq) else { return Ok(false) };
        let anchors = self.anchors(row, state)?;
        let shown = kept.branches();
        let branches: Vec<&dyn BranchHashes> = shown.iter().map(|branch| branch as _).collect();
        Ok(match resolve(&kept.fork.point, &branches, &anchors) {
            Verdict::Decided { branch, .. } => shown[branch].hash_at(seq) != Some(hash),
            Verdict::Elsewhere { .. } => kept.rejected == Some(hash),
            Verdict::Disputed => false,
        })
    }

    /// How far the checkpoints of a log count as anchors of others: below its own fork, unless a control key
    /// settled that. No checkpoint settles what makes another one count, so nothing goes round in circles.
    fn anchors_below(&self, log: u32, row: &LogRow, state: &IdentityState) -> Result<u64, StoreError> {
        let (end, _) = self.end_of(row, state);
        let limit = row.height.min(end);
        let Some(kept) = self.kept_fork(log)? else { return Ok(limit) };
        let control = control_anchor(row, state);
        let (verdict, is_ours) = self.verdict(log, &kept, control.as_slice())?;
        Ok(match verdict {
            Verdict::Decided { height, .. } if is_ours => limit.min(height),
            _ => limit.min(kept.fork.point.seq),
        })
    }

    /// Where the device ends this log, and the head that is accepted then.
    fn end_of(&self, row: &LogRow, state: &IdentityState) -> (u64, Option<LogHead>) {
        match state.devices.get(&row.device).map(|device| &device.status) {
            Some(DeviceStatus::Live) => (LogRow::NONE, None),
            Some(DeviceStatus::Ended { accepted }) => {
                let head = accepted.get(&row.log).copied();
                (head.map_or(0, |head| head.height), head)
            }
            None => (0, None),
        }
    }

    fn standing_unforked(&self, log: u32, end: u64, accepted: Option<LogHead>) -> Result<Standing, StoreError> {
        let stands = Standing::Stands { void_from: end, disputed_from: LogRow::NONE, sought: None };
        let Some(head) = accepted else { return Ok(stands) };
        let ours = match head.height.checked_sub(1) {
            Some(seq) => self.hash_at((log, seq))?,
            None => None,
        };
        // Another branch was accepted, and nothing shows where they part: only the start is sure.
        Ok(if ours.is_some_and(|ours| ours != head.head) { Standing::Cut(0) } else { stands })
    }

    /// The verdict, and whether it is for the branch that is held.
    fn verdict(&self, log: u32, kept: &KeptFork, anchors: &[Anchor]) -> Result<(Verdict, bool), StoreError> {
        let Fork { point, .. } = &kept.fork;
        let branches = kept.branches();
        let first = self.hash_at((log, point.seq))?;
        let mut ours = HeldBranch::default();
        for anchor in anchors.iter().filter(|anchor| first.is_some() && anchor.head.height > point.seq) {
            let seq = anchor.head.height - 1;
            ours.0.extend(self.hash_at((log, seq))?.map(|hash| (seq, hash)));
        }
        let others = branches.iter().filter(|branch| branch.hash_at(point.seq) != first);
        let mut all: Vec<&dyn BranchHashes> = vec![&ours];
        all.extend(others.map(|branch| branch as &dyn BranchHashes));
        let verdict = resolve(point, &all, anchors);
        Ok((verdict, matches!(verdict, Verdict::Decided { branch: 0, .. })))
    }

    /// All heads that anchors of this log name: by control keys, and by the newest checkpoint in each log of
    /// another device.
    pub(super) fn anchors(&self, row: &LogRow, state: &IdentityState) -> Result<Vec<Anchor>, StoreError> {
        let mut anchors: Vec<Anchor> = control_anchor(row, state).into_iter().collect();
        for sibling in self.logs_of_identity(row.author)? {
            let sibling_row = self.log_row(sibling)?;
            if sibling_row.device == row.device {
                continue;
            }
            let below = self.anchors_below(sibling, &sibling_row, state)?;
            let named = self.named_by_newest_checkpoint(sibling, below, row)?;
            anchors.extend(named.map(|head| Anchor { strength: AnchorStrength::Sibling, head }));
        }
        Ok(anchors)
    }

    /// What the newest checkpoint of a log below a height says of another log. One that is void says nothing.
    fn named_by_newest_checkpoint(&self, log: u32, below: u64, of: &LogRow) -> Result<Option<LogHead>, StoreError> {
        let seq = below.saturating_sub(1) / CHECKPOINT_INTERVAL * CHECKPOINT_INTERVAL;
        let place = (log, seq);
        let Some(held) = self.held(place)?.filter(|_| seq > 0) else { return Ok(None) };
        let counts = held.header.kind == Kind::Checkpoint && held.row().flags & (flags::VOID | flags::LOOSE) == 0;
        if !counts || self.is_void_checkpoint(place)? {
            return Ok(None);
        }
        let Some(Body::Checkpoint(checkpoint)) = self.read_body(place, &held)?.0 else { return Ok(None) };
        let found = checkpoint.logs.binary_search_by_key(&of.log, |head| head.log);
        Ok(found.ok().map(|index| checkpoint.logs[index]))
    }

    /// True for a checkpoint that was found to say what its log does not (`LOG-8`).
    fn is_void_checkpoint(&self, place: super::tables::PlaceKey) -> Result<bool, StoreError> {
        Ok(self.checkpoint_faults.get(place)?.is_some())
    }
}

/// The head that control keys accept of this log.
fn control_anchor(row: &LogRow, state: &IdentityState) -> Option<Anchor> {
    let accepted = match state.devices.get(&row.device).map(|device| &device.status) {
        Some(DeviceStatus::Ended { accepted }) => accepted.get(&row.log),
        Some(DeviceStatus::Live) | None => None,
    };
    let head = accepted.or_else(|| state.anchors.get(&row.log)).copied();
    head.map(|head| Anchor { strength: AnchorStrength::Control, head })
}
