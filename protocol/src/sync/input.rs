//! What a session takes: frames from the peer, news and answers from the node, the passing of time.

use super::message::ReceiptNews;
use super::output::{RequestId, Ticket};
use crate::entry::SignedEntry;
use crate::ids::{Did, Digest, EntryId, LogId};
use crate::keys::SecretKey;
use crate::log::Position;
use crate::network::Network;
use crate::rule::Rule;

/// What a session is opened with. Both sides of a stream run the same machine.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// The network that both sides must name.
    pub network: Network,
    /// 32 fresh random bytes: no two sessions may share them (`SYN-3`).
    pub nonce: [u8; 32],
    /// A random number made with our database, and again when it is restored from a copy (`SYN-6`).
    pub epoch: u64,
    /// Our peer id on the connection beneath, as bytes: a proof is bound to it (`SYN-4`).
    pub our_peer_id: Vec<u8>,
    /// The other side's peer id, as the connection beneath has authenticated it.
    pub their_peer_id: Vec<u8>,
    /// The identities that we prove to the peer, so that it offers what is aimed at them (`SYN-4`).
    pub devices: Vec<LocalDevice>,
}

/// One of our identities, with the device key that proves it.
#[derive(Debug, Clone)]
pub struct LocalDevice {
    /// The identity.
    pub did: Did,
    /// The key of our device.
    pub key: SecretKey,
}

/// What we hold and want of one identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentitySummary {
    /// The identity.
    pub did: Did,
    /// The digest of all signed objects held of it (`ID-11`); none where nothing is held yet.
    pub digest: Option<Digest>,
    /// Our change counter when this was last changed.
    pub counter: u64,
}

/// What we hold and want of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSummary {
    /// Whose it is.
    pub did: Did,
    /// The log.
    pub log: LogId,
    /// How far we hold it.
    pub position: Position,
    /// Our change counter when it last grew, or when it was first wanted.
    pub counter: u64,
    /// False where we only serve it: then nothing of it is fetched or taken.
    pub wanted: bool,
}

/// Everything that we are ready to compare with this peer, now. What is not in it is not there for the peer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    /// The identities, held or wanted.
    pub identities: Vec<IdentitySummary>,
    /// The logs, held or wanted.
    pub logs: Vec<LogSummary>,
    /// Our change counter: nothing above has a greater one, and all later news will.
    pub counter: u64,
    /// What was last saved for this peer ([`super::Output::SaveResume`]); none asks for a full
    /// comparison, which is due once a day with every peer.
    pub resume: Option<Resume>,
}

/// How far everything that a peer had in common with us is durable here (`SYN-6`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// The peer's database epoch.
    pub their_epoch: u64,
    /// The peer's change counter that we acknowledged.
    pub their_counter: u64,
}

/// Entries of one author that are aimed at the peer (`SYN-12`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aimed {
    /// The author's identity: all signed objects held of it.
    pub objects: Vec<Vec<u8>>,
    /// Single entries, each with its own signature, from the oldest to the newest.
    pub entries: Vec<SignedEntry>,
}

/// What shows that a device broke the rules of its own log; it is passed on (`SYN-19`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A [`crate::log::ForkProof`], encoded.
    Fork(Vec<u8>),
    /// A [`crate::log::FaultProof`], encoded.
    Fault(Vec<u8>),
}

impl Proof {
    /// Tells it from others.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Fork(bytes) => Digest::of(&[&[0], bytes]),
            Self::Fault(bytes) => Digest::of(&[&[1], bytes]),
        }
    }
}

/// How the node took a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is durable (or was before).
    Applied,
    /// A rule was broken; what came before it, up to a verified signature, is durable.
    Refused(Rule),
    /// Not taken for reasons of our own (disk full, not followed any more); the peer is not to blame.
    Dropped,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The stream is open: the first input, once.
    Opened(Frontier),
    /// The body of one frame, without its length prefix.
    Received(Vec<u8>),
    /// An identity is new or has changed at our side.
    Identity(IdentitySummary),
    /// A log is new at our side, is now wanted or is not any more, or was changed otherwise than by growing.
    Log(LogSummary),
    /// Entries of a log that are held and live, but without their bodies (`SYN-21`): all of them, ascending, after
    /// each change of the identity.
    Lacked {
        /// The log.
        log: LogId,
        /// The places.
        places: Vec<u64>,
    },
    /// Entries that the author of a log has admitted and that are not held (`ADM-6`): all of them.
    Admitted {
        /// The log with the admissions.
        log: LogId,
        /// The place of an admission, and an entry that it names.
        entries: Vec<(u64, EntryId)>,
    },
    /// The header from which the ancestry of a named head is asked for next (`LOG-19`); told anew whenever it
    /// changes.
    Sought {
        /// The log.
        log: LogId,
        /// Its place and hash; none where nothing is sought.
        head: Option<(u64, Digest)>,
    },
    /// A log has grown at our side, from whatever source, this peer included.
    Stored {
        /// The log.
        log: LogId,
        /// The place of the first of `entries`; where the log stood before.
        from: u64,
        /// The new entries, to be pushed; may be empty, then the peer is told the new head only.
        entries: Vec<SignedEntry>,
        /// Where the log stands now.
        position: Position,
        /// Our change counter.
        counter: u64,
    },
    /// New entries of ours aimed at an identity that the peer has proven.
    Aimed {
        /// The entries.
        items: Vec<Aimed>,
        /// Our change counter.
        counter: u64,
    },
    /// A proof is held of a log: it is passed on where the peer wants the log.
    Proven {
        /// The log.
        log: LogId,
        /// The proof.
        proof: Proof,
    },
    /// Private settings, for a peer whose device the node found to be one of this identity (`PAIR-8`).
    Settings {
        /// The identity.
        did: Did,
        /// What is told.
        items: Vec<super::Setting>,
    },
    /// Answers [`super::Output::Load`].
    Loaded {
        /// Which.
        request: RequestId,
        /// The entries from `from` on, in order; fewer than asked for if they would be larger than
        /// allowed, at least one if there is one.
        entries: Vec<SignedEntry>,
    },
    /// Answers [`super::Output::LoadHeaders`].
    LoadedHeaders {
        /// Which.
        request: RequestId,
        /// The headers at the places asked for, in order; none where not all of them are held.
        headers: Vec<Vec<u8>>,
    },
    /// Answers [`super::Output::LoadIdentity`].
    LoadedIdentity {
        /// Which.
        request: RequestId,
        /// All signed objects held of it.
        objects: Vec<Vec<u8>>,
    },
    /// Answers [`super::Output::LoadAimed`].
    LoadedAimed {
        /// Which.
        request: RequestId,
        /// The newest entries, at most [`crate::limits::AIMED_ENTRIES_MAX`] in all.
        items: Vec<Aimed>,
    },
    /// Answers [`super::Output::LoadSingles`].
    LoadedSingles {
        /// Which.
        request: RequestId,
        /// Those of the entries that are held and admitted, each with its own signature.
        items: Vec<Aimed>,
    },
    /// There may be receipts or known copies for the peer that it was not given.
    ReceiptsDue,
    /// Answers [`super::Output::LoadReceipts`]; empty if there is nothing.
    LoadedReceipts(ReceiptNews),
    /// Answers [`super::Output::Apply`], once what was taken is durable.
    Applied {
        /// Which.
        ticket: Ticket,
        /// How it was taken.
        outcome: Outcome,
        /// Where the log stands now; only looked at for runs.
        position: Position,
    },
    /// Time has passed; due every second.
    Ticked,
}
