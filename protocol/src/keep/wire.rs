//! The frames of `/xom/keep/1`, as DAG-CBOR (`KEEP-6` to `KEEP-8`).

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;

use super::{Answer, Decision, HeldLog, Holding, KeepError, Question, SignedHolding, SignedQuestion, Terms};
use crate::encoding::{self, EncodingError};
use crate::ids::{DeviceId, Did, Digest, LogId};
use crate::keys::Signature;
use crate::limits::{
    FRAME_BYTES_MAX, HOLDING_BYTES_MAX, HOLDING_LOGS_MAX, IDENTITY_OBJECT_BYTES_MAX, IDENTITY_OBJECTS_MAX,
    KEEP_QUOTA_BYTES_MAX, PEER_ID_BYTES_MAX, SEQ_MAX, TIME_MS_MAX,
};
use crate::rule::Rule;

const VERSION: u64 = 1;
const ASK: u64 = 0;
const ANSWER: u64 = 1;
const QUESTION_RULE: Rule = Rule("KEEP-6");
const ANSWER_RULE: Rule = Rule("KEEP-7");
const HOLDING_RULE: Rule = Rule("KEEP-8");
/// Bytes of identity objects that travel along; more are left out.
const OBJECTS_BYTES_MAX: usize = 256 << 10;

#[derive(Serialize, Deserialize)]
struct TermsWire(u64, u64);
#[derive(Serialize, Deserialize)]
struct QuestionWire(u64, Did, DeviceId, ByteBuf, ByteBuf, Digest, Vec<TermsWire>);
#[derive(Serialize, Deserialize)]
struct AskWire(u64, Vec<ByteBuf>, ByteBuf, Signature);
#[derive(Serialize, Deserialize)]
struct HeldLogWire(LogId, u64, Digest);
#[derive(Serialize, Deserialize)]
struct HoldingWire(u64, Did, DeviceId, Did, Digest, u64, u64, u64, Vec<HeldLogWire>);
#[derive(Serialize, Deserialize)]
struct StatedWire(ByteBuf, Signature);
#[derive(Serialize, Deserialize)]
struct AnswerWire(u64, Vec<ByteBuf>, Vec<StatedWire>, u64);

pub(super) fn question(question: &Question) -> Vec<u8> {
    let wanted = question.wanted.iter().map(|terms| TermsWire(terms.quota_bytes, terms.for_ms)).collect();
    let (asker, asked) = (ByteBuf::from(question.asker.clone()), ByteBuf::from(question.asked.clone()));
    let Question { author, device, nonce, .. } = *question;
    encoding::encode(&QuestionWire(VERSION, author, device, asker, asked, Digest(nonce), wanted))
}

pub(super) fn holding(holding: &Holding) -> Vec<u8> {
    let logs = holding.logs.iter().map(|held| HeldLogWire(held.log, held.height, held.head)).collect();
    let Holding { holder, device, author, question, bytes, quota_bytes, until_ms, .. } = *holding;
    encoding::encode(&HoldingWire(VERSION, holder, device, author, question, bytes, quota_bytes, until_ms, logs))
}

impl SignedQuestion {
    /// The frame's body. Leaves all objects out where they are too many.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&AskWire(ASK, objects(&self.objects), ByteBuf::from(self.bytes.clone()), self.signature))
    }

    /// Reads a frame's body (`KEEP-6`).
    pub fn decode(frame: &[u8]) -> Result<Self, KeepError> {
        let what = "a question to a keeper";
        let AskWire(kind, objects, bytes, signature) = shape(what, QUESTION_RULE, frame)?;
        let QuestionWire(version, author, device, asker, asked, nonce, wanted) = shape(what, QUESTION_RULE, &bytes)?;
        check(kind == ASK && version == VERSION && wanted.len() <= 1, what, QUESTION_RULE)?;
        let fits = |peer: &ByteBuf| (1..=PEER_ID_BYTES_MAX).contains(&peer.len());
        bounds(fits(&asker) && fits(&asked), "a peer id", QUESTION_RULE)?;
        let out_of_bounds = || KeepError::Bounds("terms", QUESTION_RULE);
        let wanted = wanted.first().map(|terms| Terms::new(terms.0, terms.1).ok_or_else(out_of_bounds)).transpose()?;
        let (asker, asked) = (asker.into_vec(), asked.into_vec());
        let question = Question { author, device, asker, asked, nonce: nonce.0, wanted };
        Ok(Self { objects: read_objects(objects, QUESTION_RULE)?, question, bytes: bytes.into_vec(), signature })
    }
}

impl SignedHolding {
    /// The bytes in which it is kept.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&self.wire())
    }

    /// Reads what [`SignedHolding::encode`] wrote (`KEEP-8`).
    pub fn decode(bytes: &[u8]) -> Result<Self, KeepError> {
        Self::read(shape("what is held", HOLDING_RULE, bytes)?)
    }

    fn wire(&self) -> StatedWire {
        StatedWire(ByteBuf::from(self.bytes.clone()), self.signature)
    }

    fn read(StatedWire(bytes, signature): StatedWire) -> Result<Self, KeepError> {
        let what = "what is held";
        bounds(bytes.len() <= HOLDING_BYTES_MAX, what, HOLDING_RULE)?;
        let HoldingWire(version, holder, device, author, question, held, quota_bytes, until_ms, logs) =
            shape(what, HOLDING_RULE, &bytes)?;
        check(version == VERSION, what, HOLDING_RULE)?;
        let numbers = held <= SEQ_MAX && quota_bytes <= KEEP_QUOTA_BYTES_MAX && until_ms <= TIME_MS_MAX;
        let heights = logs.iter().all(|log| (1..=SEQ_MAX).contains(&log.1));
        bounds(numbers && heights && logs.len() <= HOLDING_LOGS_MAX, "a number", HOLDING_RULE)?;
        check(logs.is_sorted_by(|one, next| one.0 < next.0), "logs by id, each once", HOLDING_RULE)?;
        let logs = logs.into_iter().map(|HeldLogWire(log, height, head)| HeldLog { log, height, head }).collect();
        let holding = Holding { holder, device, author, question, bytes: held, quota_bytes, until_ms, logs };
        Ok(Self { holding, bytes: bytes.into_vec(), signature })
    }
}

impl Answer {
    /// The frame's body. Leaves all objects out where they are too many.
    pub fn encode(&self) -> Vec<u8> {
        let decision = match self.decision {
            Decision::NothingAsked => 0,
            Decision::Kept => 1,
            Decision::Refused => 2,
            Decision::Waits => 3,
        };
        let stated = self.stated.iter().map(SignedHolding::wire).collect();
        encoding::encode(&AnswerWire(ANSWER, objects(&self.objects), stated, decision))
    }

    /// Reads a frame's body (`KEEP-7`, `KEEP-8`).
    pub fn decode(frame: &[u8]) -> Result<Self, KeepError> {
        let what = "the answer of a keeper";
        let AnswerWire(kind, objects, mut stated, decision) = shape(what, ANSWER_RULE, frame)?;
        let decision = match decision {
            0 => Decision::NothingAsked,
            1 => Decision::Kept,
            2 => Decision::Refused,
            3 => Decision::Waits,
            _ => return Err(KeepError::Shape(what, ANSWER_RULE)),
        };
        check(kind == ANSWER && stated.len() <= 1, what, ANSWER_RULE)?;
        let stated = stated.pop().map(SignedHolding::read).transpose()?;
        Ok(Self { objects: read_objects(objects, ANSWER_RULE)?, stated, decision })
    }
}

fn objects(objects: &[Vec<u8>]) -> Vec<ByteBuf> {
    let fits = objects.iter().map(Vec::len).sum::<usize>() <= OBJECTS_BYTES_MAX;
    if fits { objects.iter().cloned().map(ByteBuf::from).collect() } else { Vec::new() }
}

fn read_objects(objects: Vec<ByteBuf>, rule: Rule) -> Result<Vec<Vec<u8>>, KeepError> {
    let fits =
        objects.len() <= IDENTITY_OBJECTS_MAX && objects.iter().all(|one| one.len() <= IDENTITY_OBJECT_BYTES_MAX);
    bounds(fits, "objects", rule)?;
    Ok(objects.into_iter().map(ByteBuf::into_vec).collect())
}

fn shape<T: DeserializeOwned>(what: &'static str, rule: Rule, bytes: &[u8]) -> Result<T, KeepError> {
    encoding::decode(bytes, FRAME_BYTES_MAX).map_err(|e| match e {
        EncodingError::Shape(_) => KeepError::Shape(what, rule),
        other => KeepError::Encoding(other),
    })
}

fn check(holds: bool, what: &'static str, rule: Rule) -> Result<(), KeepError> {
    if holds { Ok(()) } else { Err(KeepError::Shape(what, rule)) }
}

fn bounds(holds: bool, what: &'static str, rule: Rule) -> Result<(), KeepError> {
    if holds { Ok(()) } else { Err(KeepError::Bounds(what, rule)) }
}
