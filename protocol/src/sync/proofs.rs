//! Proofs that are passed on: that a device signed two entries for one place, or a checkpoint that its log
//! belies (`SYN-19`).

use std::collections::{BTreeMap, BTreeSet};

use super::applying::Applying;
use super::input::Proof;
use super::message::{Message, SaltedId};
use super::output::Output;
use super::refusal::Refusal;
use super::set::{Item, Set};
use crate::ids::{Digest, LogId};
use crate::limits::PROOFS_A_LOG_MAX;

/// What was passed on in both directions.
#[derive(Debug, Clone, Default)]
pub(super) struct Proofs {
    /// Hashes of all proofs that went either way: none goes twice, and none back to where it came from.
    passed: BTreeSet<Digest>,
    sent: BTreeMap<LogId, u64>,
    received: BTreeMap<LogId, u64>,
}

impl Proofs {
    /// Sends a proof of ours, where the peer knows the log and wants it.
    pub(super) fn pass(&mut self, set: &Set, log: LogId, proof: Proof, out: &mut Vec<Output>) {
        let Some(state) = set.logs.get(&log) else { return };
        let wanted = state.theirs.is_some_and(|(_, wanted)| wanted) && state.told.is_some();
        let sent = self.sent.entry(log).or_default();
        if !wanted || *sent == PROOFS_A_LOG_MAX || !self.passed.insert(proof.digest()) {
            return;
        }
        *sent += 1;
        out.push(Output::Send(Message::Proven { id: state.salted, proof }.encode()));
    }

    /// Takes a proof of theirs; true if it is new.
    pub(super) fn take(
        &mut self,
        set: &Set,
        applying: &mut Applying,
        id: &SaltedId,
        proof: Proof,
        out: &mut Vec<Output>,
    ) -> Result<bool, Refusal> {
        let unasked = || Refusal::grave("SYN-19", "a proof of a log that was not asked for");
        let Some(Item::Log(log)) = set.item(id) else { return Err(unasked()) };
        let state = set.logs.get(&log).filter(|state| state.told_wanted).ok_or_else(unasked)?;
        let received = self.received.entry(log).or_default();
        *received += 1;
        Refusal::unless(*received <= PROOFS_A_LOG_MAX, "SYN-19", "too many proofs of one log")?;
        let news = self.passed.insert(proof.digest());
        if news {
            applying.proof(state.did, log, proof, out);
        }
        Ok(news)
    }
}
