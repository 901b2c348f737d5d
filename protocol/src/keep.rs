//! What the devices of an author ask whoever holds copies of his logs, and what is answered: signed on both sides,
//! so that neither tells a stranger anything. What a node keeps is for its owner to say.

mod wire;

use crate::encoding::EncodingError;
use crate::identity::IdentityState;
use crate::ids::{DeviceId, Did, Digest, LogId};
use crate::keys::{Domain, KeyError, SecretKey, Signature};
use crate::limits::{KEEP_FOR_MS_MAX, KEEP_QUOTA_BYTES_MAX, KEEP_QUOTA_BYTES_MIN};
use crate::network::Network;
use crate::rule::Rule;

/// How much is kept, and for how long (`KEEP-1`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Bytes.
    pub quota_bytes: u64,
    /// From when it is granted on, milliseconds.
    pub for_ms: u64,
}

/// Two gigabytes for a year.
impl Default for Terms {
    fn default() -> Self {
        Self { quota_bytes: 2_000_000_000, for_ms: 365 * 86_400_000 }
    }
}

impl Terms {
    /// The terms, if they are within bounds.
    pub fn new(quota_bytes: u64, for_ms: u64) -> Option<Self> {
        let fits = (KEEP_QUOTA_BYTES_MIN..=KEEP_QUOTA_BYTES_MAX).contains(&quota_bytes);
        (fits && (1..=KEEP_FOR_MS_MAX).contains(&for_ms)).then_some(Self { quota_bytes, for_ms })
    }
}

/// What a device of an author asks one peer (`KEEP-6`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The author.
    pub author: Did,
    /// The device that asks and signs.
    pub device: DeviceId,
    /// The peer id of the side that asks.
    pub asker: Vec<u8>,
    /// The peer id of the side that is asked.
    pub asked: Vec<u8>,
    /// Fresh random bytes.
    pub nonce: [u8; 32],
    /// Asks to be kept on these terms; without, only what is held.
    pub wanted: Option<Terms>,
}

/// A question with its signature. The form was checked; see [`SignedQuestion::verify`] for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedQuestion {
    /// Objects of the author's identity, in an order that goes into an empty record; none where they are too many.
    pub objects: Vec<Vec<u8>>,
    question: Question,
    bytes: Vec<u8>,
    signature: Signature,
}

/// What became of the wish to be kept (`KEEP-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Nothing was wished.
    NothingAsked,
    /// The author is kept.
    Kept,
    /// The owner does not want to.
    Refused,
    /// The owner has not decided.
    Waits,
}

/// How far one log is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldLog {
    /// Which.
    pub log: LogId,
    /// Entries from the start.
    pub height: u64,
    /// The hash of the newest header.
    pub head: Digest,
}

/// What a holder says that it holds of an author (`KEEP-8`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Who holds it.
    pub holder: Did,
    /// The device of the holder that signs.
    pub device: DeviceId,
    /// Of whom.
    pub author: Did,
    /// The digest of the question.
    pub question: Digest,
    /// Bytes that it takes.
    pub bytes: u64,
    /// The quota, if the author is kept, else 0.
    pub quota_bytes: u64,
    /// Until when he is kept, milliseconds since 1970, else 0.
    pub until_ms: u64,
    /// The logs, by id.
    pub logs: Vec<HeldLog>,
}

/// A statement with its signature. The form was checked; see [`SignedHolding::verify`] for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHolding {
    holding: Holding,
    bytes: Vec<u8>,
    signature: Signature,
}

/// An answer (`KEEP-7`, `KEEP-8`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Objects of the holder's identity; none where they are too many.
    pub objects: Vec<Vec<u8>>,
    /// What is held; none where nobody is there to sign.
    pub stated: Option<SignedHolding>,
    /// What became of the wish.
    pub decision: Decision,
}

/// A frame or a statement that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// Not canonical.
    #[error(transparent)]
    Encoding(EncodingError),
    /// Another kind, version or shape.
    #[error("not {0}")]
    Shape(&'static str, Rule),
    /// A member outside of its bounds.
    #[error("{0}: out of bounds")]
    Bounds(&'static str, Rule),
    /// The signing device is no live device of the identity (`KEEP-6`, `KEEP-8`).
    #[error("{0} is not a live device of that identity")]
    Device(DeviceId, Rule),
    /// Made for another connection (`KEEP-6`).
    #[error("a question of or to another peer")]
    Peer,
    /// The answer to another question (`KEEP-8`).
    #[error("the answer to another question")]
    Question,
    /// The signature (`ENC-12`).
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl KeepError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(e) => e.rule(),
            Self::Shape(_, rule) | Self::Bounds(_, rule) | Self::Device(_, rule) => *rule,
            Self::Peer => Rule("KEEP-6"),
            Self::Question => Rule("KEEP-8"),
            Self::Key(e) => e.rule(),
        }
    }
}

impl SignedQuestion {
    /// Signs a question; `key` must be that of its device.
    pub fn sign(network: Network, question: Question, objects: Vec<Vec<u8>>, key: &SecretKey) -> Self {
        let bytes = wire::question(&question);
        let signature = key.sign(Domain::KeepQuestion, network, &bytes);
        Self { objects, question, bytes, signature }
    }

    /// What it asks.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// What an answer to it names.
    pub fn digest(&self, network: Network) -> Digest {
        Digest::of(&[&Domain::KeepQuestion.prefix(network), &self.bytes])
    }

    /// Checks that a live device of the author asks this very peer on this connection (`KEEP-6`).
    pub fn verify(
        &self,
        network: Network,
        author: &IdentityState,
        asker: &[u8],
        asked: &[u8],
    ) -> Result<(), KeepError> {
        if self.question.asker != asker || self.question.asked != asked {
            return Err(KeepError::Peer);
        }
        let device = self.question.device;
        let known = author.live_device(&device).filter(|_| author.did == self.question.author);
        let known = known.ok_or(KeepError::Device(device, Rule("KEEP-6")))?;
        Ok(known.key.verify(Domain::KeepQuestion, network, &self.bytes, &self.signature)?)
    }
}

impl SignedHolding {
    /// Signs a statement; `key` must be that of its device.
    pub fn sign(network: Network, holding: Holding, key: &SecretKey) -> Self {
        let bytes = wire::holding(&holding);
        let signature = key.sign(Domain::Holding, network, &bytes);
        Self { holding, bytes, signature }
    }

    /// What it says.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Checks that a live device of the holder answers this question of this author (`KEEP-8`).
    pub fn verify(&self, network: Network, holder: &IdentityState, asked: &SignedQuestion) -> Result<(), KeepError> {
        if self.holding.question != asked.digest(network) || self.holding.author != asked.question.author {
            return Err(KeepError::Question);
        }
        let device = self.holding.device;
        let known = holder.live_device(&device).filter(|_| holder.did == self.holding.holder);
        let known = known.ok_or(KeepError::Device(device, Rule("KEEP-8")))?;
        Ok(known.key.verify(Domain::Holding, network, &self.bytes, &self.signature)?)
    }
}
