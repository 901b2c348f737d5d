//! Why an identity object is refused.

use crate::encoding::EncodingError;
use crate::ids::Did;
use crate::keys::KeyError;
use crate::rule::Rule;

/// An identity object that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not canonical, or not the shape of its type (`ENC-1` to `ENC-8`).
    #[error("identity object: {0}")]
    Encoding(#[from] EncodingError),
    /// A public key that can't be used (`ENC-11`).
    #[error("identity object: {0}")]
    Key(KeyError),
    /// An object of another identity, or another genesis (`ID-1`).
    #[error("object belongs to {0}")]
    OtherIdentity(Did),
    /// A version or type that this node does not know (`ID-2`).
    #[error("version {version} of type {name:?} is not known to this node")]
    UnknownType {
        /// The version.
        version: u64,
        /// The type.
        name: String,
    },
    /// Signatures missing, not by ascending index, repeated or of no key of the list (`ID-2`).
    #[error("list of signatures is empty, out of order, repeats a key or names one that is not there")]
    SignatureList,
    /// A signature that does not verify (`ENC-12`).
    #[error("signature of key {index} does not verify")]
    Signature {
        /// Which key.
        index: u64,
    },
    /// The genesis of another network, or not a genesis (`ID-3`).
    #[error("genesis: {0}")]
    Genesis(&'static str),
    /// A list of keys or guardians that is empty, too long, repeats one or has a threshold that can't be met (`ID-4`).
    #[error("{0}")]
    KeyList(&'static str),
    /// Fewer signatures than the threshold (`ID-4`).
    #[error("{have} signatures of {need} needed")]
    Threshold {
        /// Valid signatures.
        have: u64,
        /// The threshold.
        need: u64,
    },
    /// The sequence number is not one above the predecessor's (`ID-5`).
    #[error("operation has number {seq}, its predecessor has {prev_seq}")]
    Chain {
        /// The operation's.
        seq: u64,
        /// The predecessor's.
        prev_seq: u64,
    },
    /// The revealed keys are not those that the predecessor committed to (`ID-6`).
    #[error("revealed keys are not the committed next keys")]
    NotCommitted,
    /// A key that is revealed, in force or committed to more than once (`ID-6`).
    #[error("a next key signs once and is no control key, and a commitment names neither")]
    KeyReuse,
    /// Heads or statement ids out of order, repeated, too many or impossible (`ID-7`).
    #[error("{0} are out of order, repeated, too many or out of range")]
    Heads(&'static str),
    /// Anchors none, out of order, repeated, too many or impossible (`ID-8`).
    #[error("anchors are none, out of order, repeated, too many or out of range")]
    Anchors,
    /// A device that grants itself (`ID-10`).
    #[error("a device can't grant itself")]
    SelfGrant,
    /// The addresses of a services statement (`ID-11`).
    #[error("addresses are too many, too long or not printable")]
    Addresses,
    /// A recovery that can't stand where it does (`ID-16`).
    #[error("recovery: {0}")]
    Recovery(&'static str),
    /// Approvals none, out of order, repeated, too many or with a proof that is too long (`ID-17`).
    #[error("approvals are none, out of order, repeated, too many or too long")]
    Approvals,
    /// Fewer guardians than needed (`ID-17`).
    #[error("{have} guardians of {need} needed")]
    TooFewGuardians {
        /// Guardians who approve.
        have: u64,
        /// How many must.
        need: u64,
    },
    /// Somebody who is no guardian (`ID-17`).
    #[error("{0} is not a guardian")]
    NoGuardian(Did),
    /// A proof of a guardian's keys that proves nothing (`ID-17`).
    #[error("proof of a guardian's keys does not lead from its genesis to them")]
    Proof,
    /// Ids out of order, repeated or too many (`ID-18` to `ID-20`).
    #[error("{0} are out of order, repeated, too many or out of range")]
    Ids(&'static str),
    /// An operation after the end of the identity (`ID-21`).
    #[error("the identity is retired, nothing follows")]
    Retired,
    /// A draft whose signers only the holder of the state knows.
    #[error("{0} is not signed on several machines")]
    NotShared(&'static str),
    /// The record holds as much as it may (`ID-12`).
    #[error("record already holds {0}")]
    Full(&'static str),
}

impl IdentityError {
    /// The rule that the object breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(e) => e.rule(),
            Self::Key(e) => e.rule(),
            Self::OtherIdentity(_) => Rule("ID-1"),
            Self::UnknownType { .. } | Self::SignatureList => Rule("ID-2"),
            Self::Signature { .. } => Rule("ENC-12"),
            Self::Genesis(_) => Rule("ID-3"),
            Self::KeyList(_) | Self::Threshold { .. } => Rule("ID-4"),
            Self::Chain { .. } => Rule("ID-5"),
            Self::NotCommitted | Self::KeyReuse => Rule("ID-6"),
            Self::Heads(_) => Rule("ID-7"),
            Self::Anchors => Rule("ID-8"),
            Self::SelfGrant => Rule("ID-10"),
            Self::Addresses => Rule("ID-11"),
            Self::Recovery(_) => Rule("ID-16"),
            Self::Approvals | Self::TooFewGuardians { .. } | Self::NoGuardian(_) | Self::Proof => Rule("ID-17"),
            Self::Ids("cancelled recoveries") => Rule("ID-18"),
            Self::Ids("lifted locks") => Rule("ID-20"),
            Self::Ids(_) => Rule("ID-19"),
            Self::Retired => Rule("ID-21"),
            Self::NotShared(_) => Rule("ID-2"),
            Self::Full(_) => Rule("ID-12"),
        }
    }
}
