//! Headers that lead down from a named head: each is proved by the one above it, so who sends them does not
//! matter (`LOG-19`).

use xom_protocol::log::verify_ancestry;
use xom_protocol::sync::Outcome;
use xom_protocol::{Did, Digest, LogId, Rule};

use super::{Ingest, blocking};
use crate::error::StoreError;
use crate::net::tally::PeerTally;

impl Ingest {
    /// Takes the headers at and below a place of which the hash was sought.
    pub(super) async fn take_ancestors(
        &self,
        peer: &PeerTally,
        (did, log): (Did, LogId),
        head: (u64, Digest),
        headers: Vec<Vec<u8>>,
    ) -> Result<Outcome, StoreError> {
        if !self.store.wants().contains(&did) {
            return Ok(Outcome::Dropped);
        }
        let first = (head.0 + 1).checked_sub(headers.len() as u64);
        let verified = blocking(move || Ok(verify_ancestry(did, log, head, &headers).map_err(|e| e.rule()))).await?;
        match (first, verified) {
            (Some(first), Ok(hashes)) => {
                self.store.take_ancestors(log, head, (first..).zip(hashes).collect()).await?;
                Ok(Outcome::Applied)
            }
            (_, Err(rule)) => {
                self.refuse(peer, rule);
                Ok(Outcome::Refused(rule))
            }
            (None, Ok(_)) => Ok(Outcome::Refused(Rule("SYN-23"))),
        }
    }
}
