//! Feeds: the candidates of an algorithm, their features (`ALG-12`), and the page that comes of them. All from what is
//! held, in one snapshot; nothing is remembered between pages, so the same entries give the same page.

mod features;
mod sources;

use std::collections::BTreeMap;

use xom_protocol::Did;
use xom_protocol::feed::{Algorithm, Bucket, Candidate, KeptOut, Parameters, Ranked, Reason};

use super::lens::Lens;
use super::{Read, Reader, Viewer};
use crate::model::{Status, StatusContent, StatusId};
use crate::private::FilterContext;
use crate::views::row::{StatusRow, flags};
use features::Around;

/// What a feed is asked for.
#[derive(Debug, Clone)]
pub struct FeedQuery {
    /// The moment of the page.
    pub bucket: Bucket,
    /// The list that a source `list` draws from.
    pub list: Option<u64>,
    /// Languages that the viewer reads; none for all.
    pub languages: Vec<String>,
    /// The newest status of home that the viewer has seen.
    pub seen: Option<StatusId>,
    /// Posts before the page.
    pub offset: usize,
    /// Most posts of the page.
    pub limit: usize,
}

/// A page of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// The posts, each with why it stands there.
    pub items: Vec<(Status, Ranked)>,
    /// How many posts the whole feed has.
    pub total: usize,
    /// How many posts are withheld, by reason.
    pub withheld: Vec<(Reason, usize)>,
}

impl Reader {
    /// A page of what an algorithm makes of what a viewer could see.
    pub fn feed(
        &self,
        viewer: &Did,
        algorithm: &Algorithm,
        parameters: &Parameters,
        query: &FeedQuery,
    ) -> Read<FeedPage> {
        let viewer = self.viewer(viewer)?;
        let found = self.candidates(&viewer, algorithm, query)?;
        let around = Around::read(self, &viewer, algorithm, query)?;
        let (mut candidates, mut statuses) = (Vec::new(), BTreeMap::new());
        for (id, sources) in found {
            let Some(row) = self.status_row(id)? else { continue };
            if let Some((candidate, status)) = self.candidate(&around, algorithm, parameters, id, &row, sources)? {
                statuses.insert(candidates.len(), status);
                candidates.push(candidate);
            }
        }
        let ranking = algorithm.rank(&candidates, query.bucket);
        let (total, withheld) = (ranking.items.len(), ranking.counts());
        let page = ranking.items.into_iter().skip(query.offset).take(query.limit);
        let items = page.filter_map(|ranked| Some((statuses.remove(&ranked.candidate)?, ranked))).collect();
        Ok(FeedPage { items, total, withheld })
    }

    /// A status as a candidate; none for what is no post of anybody's feed.
    fn candidate(
        &self,
        around: &Around<'_>,
        algorithm: &Algorithm,
        parameters: &Parameters,
        id: u64,
        row: &StatusRow,
        sources: u8,
    ) -> Read<Option<(Candidate, Status)>> {
        if row.flags & (flags::REPOST | flags::IMPORTED) != 0 {
            return Ok(None);
        }
        let Some(status) = self.status_of(Some(around.viewer), id)? else { return Ok(None) };
        let StatusContent::Post(view) = &status.content else { return Ok(None) };
        let Some(time_ms) = self.claimed_ms(row.place)? else { return Ok(None) };
        let known = around.features(self, row, view, &status, time_ms)?;
        let candidate = Candidate {
            entry: row.entry,
            author: status.account.did,
            thread: view.post.root.as_ref().map_or(row.entry, |root| root.entry),
            time_ms,
            sources,
            kept_out: kept_out(around.viewer, row.author, &status),
            row: algorithm.row(|feature| known.get(&(feature.record, feature.name)).cloned(), parameters),
        };
        Ok(Some((candidate, status)))
    }
}

/// What the viewer's own settings say of a status (`ALG-7`).
fn kept_out(viewer: &Viewer, author: u64, status: &Status) -> Option<KeptOut> {
    if viewer.blocked.contains(&author) {
        return Some(KeptOut::Block);
    }
    if viewer.lens.muted.contains(&author) {
        return Some(KeptOut::Mute);
    }
    Lens::hides(status, FilterContext::Home).then_some(KeptOut::Word)
}
