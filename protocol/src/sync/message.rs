//! The messages of the conversation: arrays whose first member says which message it is.
//!
//! Decoding checks the form and every bound that can be seen in one message alone.

mod entry;
mod receipts;
mod singles;
mod spans;
mod wire;

use crate::encoding::EncodingError;
use crate::entry::SignedEntry;
use crate::ids::{DeviceId, Did, Digest, EntryId};
use crate::keys::Signature;
use crate::limits::{MESSAGE_NUMBER_MAX, SALTED_ID_BYTES};
use crate::log::Position;
use crate::rule::Rule;
use crate::sync::Setting;

pub(super) use entry::is_of_another_version;
pub use entry::{Place, place};
pub use receipts::{HolderReceipts, KnownCopy, ReceiptNews};
pub use spans::{SpanList, SpanPrint, Spans};

/// The id of an identity or a log, salted for one session, so that only who knows it can know it again (`SYN-5`).
pub type SaltedId = [u8; SALTED_ID_BYTES];

/// The first message of each side (`SYN-2`, `SYN-3`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The highest version of the conversation that the sender speaks.
    pub version: u64,
    /// The name of the network.
    pub network: String,
    /// 32 random bytes.
    pub nonce: [u8; 32],
    /// The sender's database epoch.
    pub epoch: u64,
    /// The receiver's epoch and the receiver's counter that the sender acknowledged last; none asks
    /// for a full offer.
    pub resume: Option<(u64, u64)>,
}

/// A signature by a device of an identity over this session (`SYN-4`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The identity.
    pub did: Did,
    /// The device.
    pub device: DeviceId,
    /// By the device's key.
    pub signature: Signature,
}

/// Ids that the sender holds or wants (`SYN-5`, `SYN-6`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// 1 for the first offer of the sender, one more after each that is complete.
    pub number: u64,
    /// True if more ids of the same offer follow.
    pub more: bool,
    /// The sender's change counter.
    pub counter: u64,
    /// The ids.
    pub ids: Vec<SaltedId>,
}

/// How far the sender holds a log that both have in common (`SYN-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// Which.
    pub id: SaltedId,
    /// Height and head hash.
    pub position: Position,
    /// False if the sender takes nothing of it.
    pub wanted: bool,
}

/// What the sender holds of an identity that both have in common (`SYN-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentityHead {
    /// Which.
    pub id: SaltedId,
    /// The digest of its objects; none where nothing is held.
    pub digest: Option<Digest>,
}

/// Where the sender stands in what is in common (`SYN-7`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heads {
    /// The sender's change counter.
    pub counter: u64,
    /// Logs.
    pub logs: Vec<LogHead>,
    /// Identities.
    pub identities: Vec<IdentityHead>,
}

/// A part of the answer to a range or fork request (`SYN-10`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The request that is answered.
    pub request: u64,
    /// The place of the first entry; the next place if there is none.
    pub from: u64,
    /// True in the last part.
    pub end: bool,
    /// The entries, with consecutive places.
    pub entries: Vec<SignedEntry>,
}

/// New entries of one log in common (`SYN-11`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// 1 for the sender's first push, counting aimed ones; then one more each.
    pub number: u64,
    /// The log.
    pub id: SaltedId,
    /// The place of the first entry.
    pub from: u64,
    /// The sender's change counter.
    pub counter: u64,
    /// The entries, with consecutive places; the last is signed.
    pub entries: Vec<SignedEntry>,
}

/// Entries aimed at an identity that the receiver has proven (`SYN-12`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AimedPush {
    /// Counts with the other pushes.
    pub number: u64,
    /// True if more of the first aimed entries of this session follow.
    pub more: bool,
    /// The sender's change counter.
    pub counter: u64,
    /// By author: objects of the identity, and single signed entries.
    pub items: Vec<super::Aimed>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The first message (`SYN-3`).
    Hello(Hello),
    /// The second message (`SYN-4`); often empty.
    Proof(Vec<Claim>),
    /// Ids held or wanted (`SYN-5`).
    Offer(Offer),
    /// Where the sender stands (`SYN-7`).
    Heads(Heads),
    /// All heads for the ids of this complete offer have been sent (`SYN-7`).
    Compared {
        /// The offer's number.
        number: u64,
    },
    /// Prints and lists of spans (`SYN-26`).
    Spans(Spans),
    /// Asks for entries of one log (`SYN-9`).
    RangeRequest {
        /// Greater than in any earlier request of the sender.
        request: u64,
        /// The log.
        id: SaltedId,
        /// The first place.
        from: u64,
        /// The place after the last.
        to: u64,
    },
    /// Answers (`SYN-10`).
    Range(Range),
    /// Asks for all objects of an identity (`SYN-8`).
    IdentityRequest {
        /// Greater than in any earlier request of the sender.
        request: u64,
        /// The identity.
        id: SaltedId,
    },
    /// Answers (`SYN-8`).
    IdentityObjects {
        /// The request that is answered.
        request: u64,
        /// True in the last part.
        end: bool,
        /// Signed objects.
        objects: Vec<Vec<u8>>,
    },
    /// New entries (`SYN-11`).
    Push(Push),
    /// What is durable at the sender (`SYN-6`, `SYN-11`).
    Ack {
        /// How many of the receiver's pushes are done with.
        pushes: u64,
        /// The receiver's change counter up to which everything in common is durable.
        counter: u64,
    },
    /// Aimed entries (`SYN-12`).
    Aimed(AimedPush),
    /// Asks for the headers around a place where the two sides differ (`SYN-13`).
    ForkRequest {
        /// Greater than in any earlier request of the sender.
        request: u64,
        /// The log.
        id: SaltedId,
        /// A place where they differ.
        at: u64,
    },
    /// Asks for headers at and below the one with this hash (`SYN-23`).
    AncestorsRequest {
        /// Greater than in any earlier request of the sender.
        request: u64,
        /// The log.
        id: SaltedId,
        /// The place of that header.
        at: u64,
        /// Its hash.
        hash: Digest,
    },
    /// Asks for entries that the author of a log has admitted (`ADM-6`).
    SinglesRequest {
        /// Greater than in any earlier request of the sender.
        request: u64,
        /// The log.
        id: SaltedId,
        /// The entries.
        entries: Vec<EntryId>,
    },
    /// Answers (`ADM-6`).
    Singles {
        /// The request that is answered.
        request: u64,
        /// By author: objects of the identity, and those of the entries that the sender holds.
        items: Vec<super::Aimed>,
    },
    /// A proof of a fork or of a false checkpoint (`SYN-19`).
    Proven {
        /// The log.
        id: SaltedId,
        /// The proof.
        proof: super::Proof,
    },
    /// Receipts, or known copies (`RCP-5`, `RCP-6`).
    Receipts {
        /// 1 for the sender's first, then one more each.
        number: u64,
        /// What it says.
        news: ReceiptNews,
    },
    /// The receiver's last message of that sort is durable (`RCP-5`).
    ReceiptsAck {
        /// Its number.
        number: u64,
    },
    /// Private settings of an identity that both sides have proven (`PAIR-8`).
    Settings {
        /// The identity.
        did: Did,
        /// Some of its settings, or all.
        items: Vec<Setting>,
    },
    /// Nothing new, but still here (`SYN-14`).
    Ping,
    /// The sender closes (`SYN-15`).
    Bye {
        /// Why, for the log.
        reason: String,
    },
}

/// A frame body that is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not canonical (`ENC-1` to `ENC-6`), or not the shape of the message (`SYN-1`).
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Not an array, or of a kind that version 1 does not know (`SYN-1`).
    #[error("not a message of version 1")]
    Unknown,
    /// A number or count outside its range, or parts that can't stand together.
    #[error("{what} is out of range")]
    Range {
        /// The rule of that bound.
        rule: Rule,
        /// What.
        what: &'static str,
    },
}

impl MessageError {
    /// The rule that the bytes break.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(EncodingError::Shape(_)) | Self::Unknown => Rule("SYN-1"),
            Self::Encoding(e) => e.rule(),
            Self::Range { rule, .. } => *rule,
        }
    }
}

/// Fails with `rule` unless the bound holds.
fn ensure(holds: bool, rule: &'static str, what: &'static str) -> Result<(), MessageError> {
    if holds { Ok(()) } else { Err(MessageError::Range { rule: Rule(rule), what }) }
}

/// Fails unless all numbers are in range (`SYN-1`).
fn check_numbers(numbers: &[u64]) -> Result<(), MessageError> {
    ensure(numbers.iter().all(|number| *number <= MESSAGE_NUMBER_MAX), "SYN-1", "a number")
}
