//! Receipts and known copies that a peer brings: checked one by one, kept by the author's devices and by
//! carriers, bounded (`RCP-1`, `RCP-3` to `RCP-6`).

use std::collections::BTreeSet;
use std::time::Instant;

use xom_protocol::receipt::Receipt;
use xom_protocol::sync::Outcome;
use xom_protocol::sync::message::{HolderReceipts, KnownCopy, ReceiptNews};
use xom_protocol::{Did, Rule};

use super::{Budget, Ingest, Taken, blocking};
use crate::error::StoreError;
use crate::net::tally::PeerTally;
use crate::store::{NewReceipt, Receipted};

/// Receipts of one holder after all checks.
struct Checked {
    holder: Did,
    stranger: bool,
    receipts: Vec<NewReceipt>,
    refused: Vec<Rule>,
}

impl Ingest {
    /// Takes one message; durable when it answers.
    pub(super) async fn take_receipts(
        &self,
        peer: &PeerTally,
        budget: &Budget,
        news: ReceiptNews,
    ) -> Result<Taken, StoreError> {
        let mut outcome = Outcome::Applied;
        match news {
            ReceiptNews::Copies(copies) => outcome = self.take_copies(peer, copies).await?,
            ReceiptNews::Receipts(items) => {
                for item in items {
                    match self.take_receipts_of(peer, budget, item).await? {
                        Outcome::Applied => {}
                        // Nothing of the message is acknowledged: it comes again another time.
                        Outcome::Dropped => return Ok(Taken::of(Outcome::Dropped)),
                        refused @ Outcome::Refused(_) => outcome = refused,
                    }
                }
            }
        }
        Ok(Taken::of(outcome))
    }

    async fn take_receipts_of(
        &self,
        peer: &PeerTally,
        budget: &Budget,
        item: HolderReceipts,
    ) -> Result<Outcome, StoreError> {
        let (ingest, objects) = (self.clone(), item.objects.clone());
        let mut checked = blocking(move || ingest.check_receipts(&item)).await?;
        if !checked.receipts.is_empty() {
            let own = peer.dids().contains(&checked.holder);
            if !own && !budget.spend(checked.receipts.len(), checked.stranger, Instant::now()) {
                return Ok(Outcome::Dropped);
            }
            self.store.insert_identity(checked.holder, objects).await?;
            let kept = self.store.take_receipts(checked.receipts).await?;
            let lies = kept.iter().filter(|kept| **kept == Receipted::NothingErased);
            checked.refused.extend(lies.map(|_| Rule("RCP-3")));
        }
        checked.refused.iter().skip(1).for_each(|rule| self.refuse(peer, *rule));
        // The session counts the first of them.
        Ok(checked.refused.first().map_or(Outcome::Applied, |rule| Outcome::Refused(*rule)))
    }

    /// Verifies the receipts of one holder by its identity. Blocking.
    fn check_receipts(&self, item: &HolderReceipts) -> Result<Checked, StoreError> {
        let decoded: Vec<_> = item.receipts.iter().map(|bytes| Receipt::decode(bytes)).collect();
        let holders: BTreeSet<Did> = decoded.iter().flatten().map(|receipt| receipt.answer().holder).collect();
        let (Some(holder), 1) = (holders.first().copied(), holders.len()) else {
            let first = decoded.into_iter().find_map(Result::err);
            return Ok(Checked::refused(first.map_or(Rule("RCP-5"), |e| e.rule())));
        };
        let snapshot = self.store.snapshot()?;
        let known = self.identities.get(&snapshot, &holder)?.and_then(|known| known.record);
        let held = snapshot.identity_objects(&holder)?;
        let record = match self.record(&held, &item.objects) {
            Ok(record) if record.did() == holder => record,
            Ok(_) => return Ok(Checked::refused(Rule("RCP-1"))),
            Err(rule) => return Ok(Checked::refused(rule)),
        };
        let mut checked = Checked { holder, stranger: known.is_none(), receipts: Vec::new(), refused: Vec::new() };
        for receipt in decoded {
            let verified = receipt.and_then(|receipt| {
                receipt.verify(self.network, record.state())?;
                Ok(receipt)
            });
            match verified {
                // Of an author who is of no concern here nothing is kept; the sender may not know.
                Ok(receipt) if self.store.wants().contains(&receipt.answer().author) => {
                    checked.receipts.push(NewReceipt(receipt));
                }
                Ok(_) => {}
                Err(e) => checked.refused.push(e.rule()),
            }
        }
        Ok(checked)
    }

    /// Takes copies that a sibling knows of; from anybody else they are refused (`RCP-6`).
    async fn take_copies(&self, peer: &PeerTally, copies: Vec<KnownCopy>) -> Result<Outcome, StoreError> {
        let proven = peer.dids();
        let own = self.store.locals().into_iter().map(|local| local.did).filter(|did| proven.contains(did));
        let own: Vec<Did> = own.collect();
        if own.is_empty() {
            return Ok(Outcome::Refused(Rule("RCP-6")));
        }
        for did in own {
            self.store.take_copies(did, copies.clone()).await?;
        }
        Ok(Outcome::Applied)
    }
}

impl Checked {
    fn refused(rule: Rule) -> Self {
        Self { holder: Did([0; 32]), stranger: true, receipts: Vec::new(), refused: vec![rule] }
    }
}
