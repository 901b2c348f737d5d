//! What a session wants done: frames to send, things to load and to store, news for the node.

use std::fmt;

use super::input::{Aimed, Proof, Resume};
use super::message::ReceiptNews;
use crate::entry::SignedEntry;
use crate::ids::{DeviceId, Did, Digest, EntryId, LogId};
use crate::rule::Rule;

/// Names something that the node is asked to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// Names a batch that the node is asked to store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What the peer sent, checked for form, order and bounds, and for nothing else: the node verifies
/// signatures and chain before it stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// Signed objects of an identity.
    Identity {
        /// Whose.
        did: Did,
        /// The objects, in no particular order.
        objects: Vec<Vec<u8>>,
    },
    /// A run of one log that ends at a signed entry. The node skips what it holds already.
    Run {
        /// Whose.
        did: Did,
        /// The log.
        log: LogId,
        /// The place of the first entry.
        from: u64,
        /// The entries, with consecutive places of this log.
        entries: Vec<SignedEntry>,
        /// True if it was pushed, just after it was stored by the peer.
        live: bool,
    },
    /// Entries that are held already, asked for again since their bodies were lacked (`SYN-21`).
    Bodies {
        /// Whose.
        did: Did,
        /// The log.
        log: LogId,
        /// The place of the first entry.
        from: u64,
        /// The entries, with consecutive places of this log; the last is signed.
        entries: Vec<SignedEntry>,
    },
    /// Single entries aimed at one of our identities, each signed.
    Aimed {
        /// The entries by author.
        items: Vec<Aimed>,
    },
    /// Single entries that the author of a log has admitted, each signed (`ADM-6`).
    Singles {
        /// Whose log.
        did: Did,
        /// The log with the admissions.
        log: LogId,
        /// The entries by author.
        items: Vec<Aimed>,
    },
    /// A proof that the peer passed on. Refused, if it proves nothing.
    Proven {
        /// Whose.
        did: Did,
        /// The log.
        log: LogId,
        /// The proof.
        proof: Proof,
    },
    /// Receipts or known copies; refused if one of them breaks `RCP-1` or `RCP-3`.
    Receipts(ReceiptNews),
    /// The headers of the peer's branch where it differs from ours (`SYN-13`): a run without bodies. Refused,
    /// if together with what is held they prove no fork.
    Fork {
        /// Whose.
        did: Did,
        /// The log.
        log: LogId,
        /// The place of the first header.
        from: u64,
        /// The headers, with consecutive places of this log; the last is signed.
        entries: Vec<SignedEntry>,
    },
    /// Headers of which the last is said to have the hash that was sought (`SYN-23`). Refused, if they are not
    /// its ancestry (`LOG-19`).
    Ancestors {
        /// Whose.
        did: Did,
        /// The log.
        log: LogId,
        /// The place of the last header, and the hash that it should have.
        head: (u64, Digest),
        /// The headers, in order.
        headers: Vec<Vec<u8>>,
    },
}

/// One thing to do. The node does them in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send the body of one frame.
    Send(Vec<u8>),
    /// Load entries of a log for the peer, in order. The node does this only while its queue of
    /// frames has room: that is what slows a session down to its peer.
    Load {
        /// To be named in [`super::Input::Loaded`].
        request: RequestId,
        /// The log.
        log: LogId,
        /// The first place.
        from: u64,
        /// The place after the last.
        to: u64,
        /// Headers, signatures and bodies together at most, but always at least one entry.
        bytes_max: u64,
        /// False if the bodies are not needed.
        bodies: bool,
    },
    /// Load the headers of consecutive entries of a log, void ones too, for the peer.
    LoadHeaders {
        /// To be named in [`super::Input::LoadedHeaders`].
        request: RequestId,
        /// The log.
        log: LogId,
        /// The first place.
        from: u64,
        /// The place after the last.
        to: u64,
    },
    /// Load all signed objects of an identity.
    LoadIdentity {
        /// To be named in [`super::Input::LoadedIdentity`].
        request: RequestId,
        /// The identity.
        did: Did,
    },
    /// Load the entries of our own identities that are aimed at this one; nothing, if this one does
    /// not admit the device.
    LoadAimed {
        /// To be named in [`super::Input::LoadedAimed`].
        request: RequestId,
        /// Who the peer says that it is.
        peer: Did,
        /// The device whose key it has proven to hold.
        device: DeviceId,
        /// Only what our change counter counts above this.
        since: u64,
        /// Headers, signatures and bodies together at most; then the newest are loaded.
        bytes_max: u64,
    },
    /// Load entries that live admissions in a log name, each with its signature, and their authors' identities.
    LoadSingles {
        /// To be named in [`super::Input::LoadedSingles`].
        request: RequestId,
        /// The log with the admissions.
        log: LogId,
        /// The entries.
        entries: Vec<EntryId>,
    },
    /// Load the next receipts or known copies that the peer may have and was not given, as many as
    /// one message takes (`RCP-4` to `RCP-6`).
    LoadReceipts,
    /// What was loaded last by [`Output::LoadReceipts`] is durable at the peer.
    ReceiptsTaken,
    /// The peer holds a log of one of the identities that we proved, from its start up to this height.
    PeerHolds {
        /// The log.
        log: LogId,
        /// How many entries.
        height: u64,
    },
    /// The peer was sent the bodies of entries of a log of one of the identities that we proved; it has
    /// not said yet whether they arrived.
    SentBodies {
        /// The log.
        log: LogId,
        /// The places of the entries.
        places: Vec<u64>,
    },
    /// The peer sent entries of a log of one of the identities that we proved, with their bodies, that
    /// are held here already.
    Resent {
        /// Their headers.
        headers: Vec<Vec<u8>>,
    },
    /// Verify and store.
    Apply {
        /// To be named in [`super::Input::Applied`].
        ticket: Ticket,
        /// What.
        batch: Batch,
    },
    /// The peer holds the key of this device: its signature has been verified. That the identity
    /// admits the device is the node's to check.
    PeerIs {
        /// The identity that the peer claims.
        did: Did,
        /// The device.
        device: DeviceId,
    },
    /// The peer tells private settings of an identity that both sides have proven. That the identity admits
    /// the peer's device is the node's to check.
    Settings {
        /// The identity.
        did: Did,
        /// What it tells.
        items: Vec<super::Setting>,
    },
    /// The peer broke a rule; to be counted. The session goes on unless [`Output::Close`] follows.
    Refused {
        /// The rule.
        rule: Rule,
        /// For the log: holds no content.
        detail: String,
    },
    /// Everything up to here is durable: to be saved for this peer and given back in the next frontier.
    SaveResume(Resume),
    /// How much is still to be fetched from this peer.
    Progress {
        /// Logs.
        logs_left: u64,
        /// Entries.
        entries_left: u64,
    },
    /// What the peer has of the logs of the devices that we prove is known, and stored where it is more
    /// than we had: once, and before most else (`SYN-18`).
    OwnHeadsKnown,
    /// Everything that the two sides had in common is applied here. Comes again after each change.
    InSync,
    /// Close the stream, after sending what was to be sent before. Nothing follows.
    Close(CloseReason),
}

/// Why a session ends (`SYN-15`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer broke a rule gravely or again and again.
    Refused(Rule),
    /// Nothing came for too long (`SYN-14`).
    Silent,
    /// The conversation did not get going in time (`SYN-14`).
    HandshakeTimeout,
    /// An answer did not come, or came too slowly (`SYN-14`).
    TooSlow,
    /// The peer does not acknowledge what it is pushed (`SYN-11`); the next comparison repairs it.
    PushWindowFull,
    /// The peer closed, with the reason that it gave.
    ByPeer(String),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(rule) => write!(f, "refused by {rule}"),
            Self::Silent => f.write_str("silent"),
            Self::HandshakeTimeout => f.write_str("handshake-timeout"),
            Self::TooSlow => f.write_str("too-slow"),
            Self::PushWindowFull => f.write_str("push-window-full"),
            Self::ByPeer(reason) => write!(f, "closed by the peer: {reason}"),
        }
    }
}
