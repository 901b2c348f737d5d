//! What an archive holds beside the logs: proofs against devices of the identity (`ARC-19`), and what is known of
//! copies of what was erased (`ARC-20`).

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use xom_protocol::encoding;
use xom_protocol::identity::DeviceStatus;
use xom_protocol::limits::{FAULT_PROOF_BYTES_MAX, FORK_PROOF_BYTES_MAX, RECEIPT_BYTES_MAX};
use xom_protocol::log::{FaultProof, ForkProof};
use xom_protocol::receipt::{Fate, Receipt};
use xom_protocol::{DeviceId, Did, EntryId, LogId, Network};

use super::car::{self, Block, Codec};
use super::check::{Check, Owner};
use super::manifest::Manifest;
use super::tar::{Next, TarReader, invalid};
use super::{FAULTS, FORKS, RECEIPTS};
use crate::model::LogView;

/// Longest note of a copy, bytes (`ARC-20`).
const COPY_BYTES_MAX: usize = RECEIPT_BYTES_MAX + 256;

/// A member of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Proofs of forks, ascending by log.
    Forks,
    /// Proofs against checkpoints, ascending by log and place.
    Faults,
    /// What became of copies, ascending by entry and device.
    Receipts,
}

impl Evidence {
    /// Its name.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Forks => FORKS,
            Self::Faults => FAULTS,
            Self::Receipts => RECEIPTS,
        }
    }

    /// How many blocks the manifest says there are.
    pub(super) fn count(self, manifest: &mut Manifest) -> &mut u64 {
        match self {
            Self::Forks => &mut manifest.forks,
            Self::Faults => &mut manifest.faults,
            Self::Receipts => &mut manifest.receipts,
        }
    }

    fn block_bytes_max(self) -> usize {
        match self {
            Self::Forks => FORK_PROOF_BYTES_MAX,
            Self::Faults => FAULT_PROOF_BYTES_MAX,
            Self::Receipts => COPY_BYTES_MAX,
        }
    }
}

/// What the author's node knows of one device's copy of an erased entry (`ARC-20`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyNote {
    /// The erased entry.
    pub(crate) entry: EntryId,
    /// The device that holds the copy, or held it.
    pub(crate) device: DeviceId,
    /// Whose device.
    pub(crate) holder: Did,
    /// It was known to hold the entry when that was erased.
    pub(crate) known: bool,
    /// It answered purged, and sent the body afterwards.
    pub(crate) broken: bool,
    /// What it answered, to which erase.
    pub(crate) answer: Option<(Fate, EntryId)>,
    /// When the answer came, or the copy became known, milliseconds since 1970.
    pub(crate) ms: u64,
    /// When the device was last heard of, milliseconds since 1970.
    pub(crate) seen_ms: u64,
    /// The signed answer as it came, where it is kept.
    pub(crate) receipt: Option<Vec<u8>>,
}

/// A note as it is written.
#[derive(Serialize, Deserialize)]
struct CopyBlock(EntryId, DeviceId, Did, bool, bool, u64, Option<EntryId>, u64, u64, Option<ByteBuf>);

impl CopyNote {
    /// The canonical bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let fate = match self.answer {
            None => 0,
            Some((Fate::Hidden, _)) => 1,
            Some((Fate::Purged, _)) => 2,
        };
        let Self { entry, device, holder, known, broken, answer, ms, seen_ms, receipt } = self;
        let (erase, receipt) = (answer.map(|(_, erase)| erase), receipt.clone().map(ByteBuf::from));
        encoding::encode(&CopyBlock(*entry, *device, *holder, *known, *broken, fate, erase, *ms, *seen_ms, receipt))
    }

    /// Reads a note; none if it is not canonical, or its parts don't fit.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let block: CopyBlock = encoding::decode(bytes, COPY_BYTES_MAX).ok()?;
        let CopyBlock(entry, device, holder, known, broken, fate, erase, ms, seen_ms, receipt) = block;
        let answer = match (fate, erase) {
            (0, None) if receipt.is_none() => None,
            (1, Some(erase)) => Some((Fate::Hidden, erase)),
            (2, Some(erase)) => Some((Fate::Purged, erase)),
            _ => return None,
        };
        let receipt = receipt.map(ByteBuf::into_vec);
        Some(Self { entry, device, holder, known, broken, answer, ms, seen_ms, receipt })
    }

    /// Checks the signed answer, if there is one: it says what the note says, and its device signed it.
    fn check(&self, network: Network, author: Did) -> Result<(), String> {
        let Some(bytes) = &self.receipt else { return Ok(()) };
        let receipt = Receipt::decode(bytes).map_err(|e| format!("{e} ({})", e.rule()))?;
        receipt.verify_signature(network).map_err(|e| format!("{e} ({})", e.rule()))?;
        let said = receipt.answer();
        let is_same = (said.author, said.entry, said.device, said.holder)
            == (author, self.entry, self.device, self.holder)
            && self.answer == Some((said.fate, said.erase));
        if is_same { Ok(()) } else { Err("the receipt says something else (ARC-20)".into()) }
    }
}

impl Check<'_> {
    /// Reads the members of proofs and receipts, as far as they are there, from `member` on; answers the first
    /// member after them.
    pub(super) fn evidence(&mut self, tar: &mut TarReader<impl Read>, owner: &Owner, member: Next) -> io::Result<Next> {
        let mut member = member;
        for of in [Evidence::Forks, Evidence::Faults, Evidence::Receipts] {
            if matches!(&member, Next::Member { name, .. } if name == of.member()) {
                self.blocks(tar, owner, of)?;
                member = tar.next()?;
            }
        }
        Ok(member)
    }

    fn blocks(&mut self, car: &mut impl Read, owner: &Owner, of: Evidence) -> io::Result<()> {
        let rule = if of == Evidence::Receipts { "ARC-20" } else { "ARC-19" };
        let at = |e: io::Error| invalid(format!("{}: {e} ({rule})", of.member()));
        let root = car::read_start(car).map_err(at)?;
        let mut last = None;
        while let Some(block) = car::read_block_up_to(car, of.block_bytes_max()).map_err(at)? {
            let count = of.count(&mut self.found);
            *count += 1;
            if block.codec != Codec::Object || (*count == 1 && block.digest != root) {
                return Err(at(invalid("does not begin with its root, or holds something else")));
            }
            let place = match of {
                Evidence::Forks => self.fork(owner, &block)?,
                Evidence::Faults => self.void_checkpoint(owner, &block)?,
                Evidence::Receipts => self.copy(owner, &block)?,
            };
            if last.is_some_and(|last| last >= place) {
                return Err(at(invalid("blocks are not in their order, each once")));
            }
            last = Some(place);
        }
        if last.is_none() { Err(at(invalid("holds nothing"))) } else { Ok(()) }
    }

    fn fork(&mut self, owner: &Owner, block: &Block) -> io::Result<([u8; 32], [u8; 32])> {
        let proof = ForkProof::decode(&block.bytes).map_err(|e| invalid(format!("{FORKS}: {e} ({})", e.rule())))?;
        let fork = proof.verify(owner.network).map_err(|e| invalid(format!("{FORKS}: {e} ({})", e.rule())))?;
        if fork.author != owner.did || !owner.has_log(&fork.device, &fork.point.log) {
            return Err(foreign(FORKS));
        }
        self.mark_fork(owner, &fork.device, &fork.point.log, fork.point.seq);
        self.taker.fork(proof)?;
        Ok((fork.point.log.0, [0; 32]))
    }

    /// Above a fork nothing is sure until a control key has named a head there, and then nothing above that head
    /// counts (`LOG-13`, `ARC-21`).
    fn mark_fork(&mut self, owner: &Owner, device: &DeviceId, log: &LogId, seq: u64) {
        let Some(view) = self.report.logs.iter_mut().find(|view| view.log == *log) else { return };
        if view.void_from.is_some_and(|end| end <= seq) {
            return;
        }
        let state = owner.record.state();
        let accepted = state.devices.get(device).and_then(|device| match &device.status {
            DeviceStatus::Live => None,
            DeviceStatus::Ended { accepted } => accepted.get(log),
        });
        match accepted.or_else(|| state.anchors.get(log)).filter(|head| head.height > seq) {
            Some(head) if head.height < view.height => view.void_from = Some(head.height),
            Some(_) => {}
            None => view.disputed = true,
        }
    }

    fn void_checkpoint(&mut self, owner: &Owner, block: &Block) -> io::Result<([u8; 32], [u8; 32])> {
        let proof = FaultProof::decode(&block.bytes).map_err(|e| invalid(format!("{FAULTS}: {e} ({})", e.rule())))?;
        let faulty = proof.verify(owner.network).map_err(|e| invalid(format!("{FAULTS}: {e} ({})", e.rule())))?;
        let header = faulty.entry.header();
        if header.author != owner.did || !owner.has_log(&header.device, &header.log) {
            return Err(foreign(FAULTS));
        }
        let (log, seq) = (header.log, header.seq);
        let counts = |view: &LogView| view.log == log && seq < view.void_from.unwrap_or(view.height);
        if self.report.logs.iter().any(counts) {
            self.report.void_checkpoints.push((log, seq));
        }
        self.taker.fault(proof)?;
        let mut place = [0; 32];
        place[..8].copy_from_slice(&seq.to_be_bytes());
        Ok((log.0, place))
    }

    fn copy(&mut self, owner: &Owner, block: &Block) -> io::Result<([u8; 32], [u8; 32])> {
        let note = CopyNote::decode(&block.bytes);
        let note = note.ok_or_else(|| invalid(format!("{RECEIPTS}: a block that is no note of a copy (ARC-20)")))?;
        note.check(owner.network, owner.did).map_err(|e| invalid(format!("{RECEIPTS}: {e}")))?;
        let place = (note.entry.0, note.device.0);
        self.taker.copy(owner.did, note)?;
        Ok(place)
    }
}

fn foreign(member: &str) -> io::Error {
    invalid(format!("{member}: a proof about a log of somebody else (ARC-19)"))
}
