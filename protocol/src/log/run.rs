//! Runs: contiguous stretches of a log as they come from a peer or a file.
//!
//! A run is taken up to its last verified signature before the first broken rule, and no further.

use crate::entry::{EntryError, Header, HeaderError, SignedEntry, VerifiedEntry, verify_body};
use crate::ids::{Did, Digest, LogId};
use crate::keys::{Domain, KeyError, PublicKey};
use crate::limits::SIGNATURE_INTERVAL;
use crate::network::Network;
use crate::rule::Rule;

/// How far a log goes: what is held of it, or what is offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// How many entries: the head's sequence number plus one.
    pub height: u64,
    /// The hash of the newest header; none where the height is 0.
    pub head: Option<Digest>,
}

impl Position {
    /// Nothing is held.
    pub const EMPTY: Self = Self { height: 0, head: None };

    /// The position right after `entry`.
    pub fn after(entry: &VerifiedEntry) -> Self {
        Self { height: entry.header().seq + 1, head: Some(entry.hash()) }
    }
}

/// What came of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The longest part from the start that ends at a verified signature and breaks no rule.
    pub accepted: Vec<VerifiedEntry>,
    /// Places, among the accepted, whose body did not match: it was dropped, the header stands (`LOG-6`).
    pub body_mismatches: Vec<u64>,
    /// The first broken rule; nothing at or after it was looked at further.
    pub refused: Option<RunRefusal>,
}

impl Run {
    /// Where the log stands once the accepted part is stored on top of `from`.
    pub fn position(&self, from: Position) -> Position {
        self.accepted.last().map_or(from, Position::after)
    }
}

/// Where and why a run was cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {seq} of the run: {error}")]
pub struct RunRefusal {
    /// The place in the log that the refused entry should have had.
    pub seq: u64,
    /// What is wrong with it.
    pub error: RunError,
}

/// An entry that does not continue its run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The header alone is wrong (`LOG-2` to `LOG-8`, `ENC-1` to `ENC-8`).
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Of another identity (`LOG-7`).
    #[error("of another author")]
    Author,
    /// Of another device (`LOG-7`).
    #[error("of another device")]
    Device,
    /// Of another log (`LOG-7`).
    #[error("of another log")]
    Log,
    /// Not the next place (`LOG-4`).
    #[error("at place {seq}, out of turn")]
    Seq {
        /// The place that the header claims.
        seq: u64,
    },
    /// At the next place, but not on top of the entry before it: a gap in the chain or a fork (`LOG-4`).
    #[error("not linked to the entry before it")]
    Link,
    /// No signature at a multiple of 32 or at the end (`LOG-9`).
    #[error("without the signature that is due there")]
    Unsigned,
    /// A signature that does not verify (`ENC-12`).
    #[error(transparent)]
    Signature(#[from] KeyError),
}

impl RunError {
    /// The rule that the entry breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Header(e) => e.rule(),
            Self::Author | Self::Device | Self::Log => Rule("LOG-7"),
            Self::Seq { .. } | Self::Link => Rule("LOG-4"),
            Self::Unsigned => Rule("LOG-9"),
            Self::Signature(e) => e.rule(),
        }
    }
}

impl RunRefusal {
    /// The rule that the entry breaks.
    pub fn rule(&self) -> Rule {
        self.error.rule()
    }
}

/// True where a run must carry a signature (`LOG-9`).
fn signature_due(seq: u64, is_last: bool) -> bool {
    is_last || seq.is_multiple_of(SIGNATURE_INTERVAL)
}

/// Verifies a run of the log that `key` keeps for `author`, on top of `from` (`LOG-4`, `LOG-7`, `LOG-9`).
///
/// That the identity admits the device, and up to which height, is the caller's to check. Bodies
/// may be missing; one that does not match is dropped.
pub fn verify_run(
    network: Network,
    key: &PublicKey,
    author: Did,
    log: LogId,
    from: Position,
    entries: Vec<SignedEntry>,
) -> Run {
    verify_run_to(network, key, author, log, from, entries, None)
}

/// The same for a run that was taken up to a head that the identity names (`ID-7`), where the signature that
/// covered it was not kept: at the entry with this hash none is due.
pub fn verify_run_to(
    network: Network,
    key: &PublicKey,
    author: Did,
    log: LogId,
    from: Position,
    entries: Vec<SignedEntry>,
    named: Option<Digest>,
) -> Run {
    let link = Link { network, key, author, log, named };
    let mut position = from;
    let mut run = Run::default();
    let mut covered = 0;
    let last = entries.len().saturating_sub(1);
    for (index, entry) in entries.into_iter().enumerate() {
        match link.check(position, entry, index == last, &mut run.body_mismatches) {
            Ok(entry) => {
                position = Position::after(&entry);
                let is_covered = entry.signature().is_some() || named == Some(entry.hash());
                run.accepted.push(entry);
                if is_covered {
                    covered = run.accepted.len();
                }
            }
            Err(error) => {
                run.refused = Some(RunRefusal { seq: position.height, error });
                break;
            }
        }
    }
    run.accepted.truncate(covered);
    let height = run.position(from).height;
    run.body_mismatches.retain(|seq| *seq < height);
    run
}

/// Verifies entries that stand apart from what is held: a single entry with the headers up to the
/// nearest signature (`LOG-9`). Says nothing of what they stand on.
pub fn verify_fragment(network: Network, key: &PublicKey, author: Did, log: LogId, entries: Vec<SignedEntry>) -> Run {
    let first = entries.first().and_then(|entry| Header::decode(&entry.header).ok());
    let from = first.map_or(Position::EMPTY, |first| Position { height: first.seq, head: first.prev });
    verify_run(network, key, author, log, from, entries)
}

/// What all entries of one run have in common.
struct Link<'a> {
    network: Network,
    key: &'a PublicKey,
    author: Did,
    log: LogId,
    named: Option<Digest>,
}

impl Link<'_> {
    fn check(
        &self,
        at: Position,
        entry: SignedEntry,
        is_last: bool,
        body_mismatches: &mut Vec<u64>,
    ) -> Result<VerifiedEntry, RunError> {
        let SignedEntry { header: bytes, signature, mut body } = entry;
        let header = Header::decode(&bytes)?;
        self.check_place(at, &header)?;
        match &signature {
            Some(signature) => self.key.verify(Domain::Entry, self.network, &bytes, signature)?,
            None if signature_due(header.seq, is_last && self.named != Some(Header::hash(&bytes))) => {
                return Err(RunError::Unsigned);
            }
            None => {}
        }
        let matches = body.as_ref().map_or(Ok(()), |body| verify_body(self.network, &header, body));
        if let Err(EntryError::BodyMismatch { seq }) = matches {
            body_mismatches.push(seq);
            body = None;
        }
        Ok(VerifiedEntry::new(header, bytes, signature, body))
    }

    fn check_place(&self, at: Position, header: &Header) -> Result<(), RunError> {
        if header.author != self.author {
            return Err(RunError::Author);
        }
        if header.device != self.key.device_id() {
            return Err(RunError::Device);
        }
        if header.log != self.log {
            return Err(RunError::Log);
        }
        if header.seq != at.height {
            return Err(RunError::Seq { seq: header.seq });
        }
        if header.prev != at.head {
            return Err(RunError::Link);
        }
        Ok(())
    }
}
