//! Which entries of an own identity an order to erase many is about. Never one that is not asked for.

use std::collections::BTreeSet;

use xom_protocol::body::Body;
use xom_protocol::entry::{Header, Kind};
use xom_protocol::log::is_erasable;
use xom_protocol::{Did, EntryId};

use super::{Read, Reader};
use crate::model::EraseScope;

/// What may be erased, with what decides whether it is.
struct Candidate {
    counter: u64,
    entry: EntryId,
    kind: Kind,
    chosen: bool,
    edits: Option<EntryId>,
}

impl Reader {
    /// The live entries of a local identity within the scope, with their kinds, in the order in which they came:
    /// so that nothing older shows again while they are erased one after the other.
    pub fn erasable(&self, did: &Did, scope: EraseScope) -> Read<Vec<(EntryId, Kind)>> {
        let mut candidates = Vec::new();
        for head in self.snapshot.heads_of(did)? {
            let Some(number) = self.snapshot.log_number(&head.log)? else { continue };
            for seq in 0..head.position.height {
                let row = self.snapshot.with_entry((number, seq), |row| {
                    let id = EntryId(Header::hash(row.header).0);
                    row.is_live().then(|| (row.counter, id, Header::decode(row.header)))
                })?;
                let Some(Some((counter, entry, Ok(header)))) = row else { continue };
                if !is_erasable(&header.kind) {
                    continue;
                }
                let body = match header.kind {
                    Kind::Post | Kind::Edit => self.snapshot.body((number, seq))?.map(|(_, body)| body),
                    _ => None,
                };
                let (published, edits) = match &body {
                    Some(Body::Post(post)) => (post.published, None),
                    Some(Body::Edit(edit)) => (None, Some(edit.target.entry)),
                    _ => (None, None),
                };
                let said_ms = published.unwrap_or(header.time_ms);
                let chosen = match scope {
                    EraseScope::Before(ms) => is_said(&header.kind) && edits.is_none() && said_ms < ms,
                    EraseScope::Device(device) => is_said(&header.kind) && header.device == device,
                    EraseScope::Everything => true,
                };
                candidates.push(Candidate { counter, entry, kind: header.kind, chosen, edits });
            }
        }
        let chosen: BTreeSet<EntryId> =
            candidates.iter().filter(|candidate| candidate.chosen).map(|candidate| candidate.entry).collect();
        candidates.retain(|one| one.chosen || one.edits.is_some_and(|edited| chosen.contains(&edited)));
        candidates.sort_unstable_by_key(|candidate| candidate.counter);
        Ok(candidates.into_iter().map(|candidate| (candidate.entry, candidate.kind)).collect())
    }
}

/// True for what somebody says, as against what describes him or whom he knows.
fn is_said(kind: &Kind) -> bool {
    matches!(kind, Kind::Post | Kind::Edit | Kind::Repost | Kind::Reaction | Kind::Vote | Kind::PollClose)
}
