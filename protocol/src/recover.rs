//! What whoever recovers an identity asks the nodes of its guardians, and what they answer. Frames only:
//! who may approve what is for the identity's log to say.

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::encoding::{self, EncodingError};
use crate::ids::Digest;
use crate::limits::{
    FRAME_BYTES_MAX, GUARDIANS_MAX, IDENTITY_OBJECT_BYTES_MAX, IDENTITY_OBJECTS_MAX, RECOVERY_WAIT_SECS_MAX,
};
use crate::rule::Rule;

/// Bytes of a request's digest that people compare (`REC-4`).
const CODE_BYTES: usize = 10;
/// Letters of a code that stand together (`REC-4`).
const CODE_GROUP: usize = 4;

/// A question to a node on which guardians may live (`REC-2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The payload of a `recover-start` without approvals.
    pub request: Vec<u8>,
    /// Objects of the identity, in an order that goes into an empty record.
    pub objects: Vec<Vec<u8>>,
}

/// What a node answers (`REC-6`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Somebody on that node has refused.
    pub refused: bool,
    /// How long the node still waits before it lets anybody approve the finish, seconds.
    pub wait_secs: u64,
    /// Approvals of the start, as the operation carries them.
    pub start: Vec<Vec<u8>>,
    /// Approvals of the finish.
    pub finish: Vec<Vec<u8>>,
}

/// A frame that is no question, or no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// Not canonical.
    #[error(transparent)]
    Encoding(EncodingError),
    /// Another kind or shape (`REC-2`, `REC-6`).
    #[error("not {0}")]
    Shape(&'static str, Rule),
    /// More members, or longer ones, than there may be (`REC-2`, `REC-6`).
    #[error("{0}: too many, too long or too large")]
    Bounds(&'static str, Rule),
}

impl RecoverError {
    /// The rule that the frame breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(e) => e.rule(),
            Self::Shape(_, rule) | Self::Bounds(_, rule) => *rule,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct AskWire(u64, ByteBuf, Vec<ByteBuf>);
#[derive(Serialize, Deserialize)]
struct AnswerWire(u64, bool, u64, Vec<ByteBuf>, Vec<ByteBuf>);

impl Ask {
    /// The frame's body. Leaves all objects out where they would not fit.
    pub fn encode(self) -> Vec<u8> {
        let whole = encoding::encode(&AskWire(0, ByteBuf::from(self.request.clone()), wire(self.objects)));
        if whole.len() <= FRAME_BYTES_MAX {
            return whole;
        }
        encoding::encode(&AskWire(0, ByteBuf::from(self.request), Vec::new()))
    }

    /// Reads a frame's body (`REC-2`).
    pub fn decode(bytes: &[u8]) -> Result<Self, RecoverError> {
        let rule = Rule("REC-2");
        let AskWire(kind, request, objects) = shape("an ask", rule, bytes)?;
        check_kind("an ask", rule, kind, 0)?;
        let fits = request.len() <= IDENTITY_OBJECT_BYTES_MAX && objects.len() <= IDENTITY_OBJECTS_MAX;
        let fits = fits && objects.iter().all(|object| object.len() <= IDENTITY_OBJECT_BYTES_MAX);
        if !fits {
            return Err(RecoverError::Bounds("request or objects", rule));
        }
        Ok(Self { request: request.into_vec(), objects: objects.into_iter().map(ByteBuf::into_vec).collect() })
    }
}

impl Answer {
    /// The frame's body.
    pub fn encode(self) -> Vec<u8> {
        encoding::encode(&AnswerWire(1, self.refused, self.wait_secs, wire(self.start), wire(self.finish)))
    }

    /// Reads a frame's body (`REC-6`).
    pub fn decode(bytes: &[u8]) -> Result<Self, RecoverError> {
        let rule = Rule("REC-6");
        let AnswerWire(kind, refused, wait_secs, start, finish) = shape("an answer", rule, bytes)?;
        check_kind("an answer", rule, kind, 1)?;
        let fits = |list: &[ByteBuf]| {
            list.len() <= GUARDIANS_MAX && list.iter().all(|approval| approval.len() <= IDENTITY_OBJECT_BYTES_MAX)
        };
        if wait_secs > RECOVERY_WAIT_SECS_MAX || !fits(&start) || !fits(&finish) {
            return Err(RecoverError::Bounds("approvals or wait", rule));
        }
        let bytes = |list: Vec<ByteBuf>| list.into_iter().map(ByteBuf::into_vec).collect();
        Ok(Self { refused, wait_secs, start: bytes(start), finish: bytes(finish) })
    }
}

/// The code by which people make sure, by voice, that they speak of the same request (`REC-4`).
pub fn code(request: &[u8]) -> String {
    let digest = Digest::of(&[request]);
    let letters = BASE32_NOPAD.encode(&digest.0[..CODE_BYTES]).to_lowercase();
    let groups = letters.as_bytes().chunks(CODE_GROUP).map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join("-")
}

fn wire(list: Vec<Vec<u8>>) -> Vec<ByteBuf> {
    list.into_iter().map(ByteBuf::from).collect()
}

fn shape<T: serde::de::DeserializeOwned>(what: &'static str, rule: Rule, bytes: &[u8]) -> Result<T, RecoverError> {
    encoding::decode(bytes, FRAME_BYTES_MAX).map_err(|e| match e {
        EncodingError::Shape(_) => RecoverError::Shape(what, rule),
        other => RecoverError::Encoding(other),
    })
}

fn check_kind(what: &'static str, rule: Rule, kind: u64, want: u64) -> Result<(), RecoverError> {
    if kind == want { Ok(()) } else { Err(RecoverError::Shape(what, rule)) }
}
