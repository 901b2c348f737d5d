//! Proofs that peers pass on: taken only for logs of followed identities, and verified before they are kept
//! (`SYN-19`).

use xom_protocol::log::{FaultProof, ForkProof};
use xom_protocol::sync::{Outcome, Proof};
use xom_protocol::{Did, LogId, Rule};

use super::{Ingest, blocking};
use crate::error::StoreError;
use crate::net::tally::PeerTally;
use crate::store::ProofTaken;

/// A proof that was verified as far as it shows something by itself.
enum Checked {
    Fork(ForkProof),
    Fault(FaultProof),
}

impl Ingest {
    /// Takes a proof; one that proves nothing is the peer's fault.
    pub(super) async fn take_proof(
        &self,
        peer: &PeerTally,
        did: Did,
        log: LogId,
        proof: Proof,
    ) -> Result<Outcome, StoreError> {
        if !self.store.wants().contains(&did) {
            return Ok(Outcome::Dropped);
        }
        let network = self.network;
        let checked = match blocking(move || Ok(check(network, did, log, proof))).await? {
            Ok(checked) => checked,
            Err(rule) => {
                self.refuse(peer, rule);
                return Ok(Outcome::Refused(rule));
            }
        };
        let (taken, rule) = match checked {
            Checked::Fork(proof) => (self.store.insert_fork(proof).await?, Rule("LOG-13")),
            Checked::Fault(proof) => (self.store.insert_fault(proof).await?, Rule("LOG-18")),
        };
        match taken {
            ProofTaken::New => {
                // Counted as what it shows; the peer that passed it on is not to blame.
                self.totals.refused(if rule == Rule("LOG-18") { Rule("LOG-8") } else { rule });
                Ok(Outcome::Applied)
            }
            ProofTaken::Known | ProofTaken::Unknown => Ok(Outcome::Applied),
            ProofTaken::False => {
                self.refuse(peer, rule);
                Ok(Outcome::Refused(rule))
            }
        }
    }
}

/// Verifies what a proof shows by itself, and that it is about this log.
fn check(network: xom_protocol::Network, did: Did, log: LogId, proof: Proof) -> Result<Checked, Rule> {
    match proof {
        Proof::Fork(bytes) => {
            let proof = ForkProof::decode(&bytes).map_err(|e| e.rule())?;
            let fork = proof.verify(network).map_err(|e| e.rule())?;
            let fits = fork.author == did && fork.point.log == log;
            if fits { Ok(Checked::Fork(proof)) } else { Err(Rule("SYN-19")) }
        }
        Proof::Fault(bytes) => {
            let proof = FaultProof::decode(&bytes).map_err(|e| e.rule())?;
            let faulty = proof.verify(network).map_err(|e| e.rule())?;
            let header = faulty.entry.header();
            let fits = header.author == did && header.log == log;
            if fits { Ok(Checked::Fault(proof)) } else { Err(Rule("SYN-19")) }
        }
    }
}
