//! Searching tags by their beginnings.

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::Did;

use super::super::paging::Span;
use super::super::{Read, Reader};
use super::candidates::{Candidates, Wanted};
use crate::model::Page;
use crate::search::words::{fold, longest_prefix};
use crate::views::folded_tag;
use crate::views::index::{Kind, word_hash};
use crate::views::row::flags;

/// Posts whose tags are looked at, the newest ones.
const POSTS_MAX: usize = 1_000;

/// A tag, and how much it is used among the newest posts that were looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTag {
    /// The tag as tags compare.
    pub name: String,
    /// Posts.
    pub uses: u64,
    /// People who wrote them.
    pub people: u64,
}

impl Reader {
    /// Tags of public posts that begin like `text`: without accents any form does, with accents only those with them.
    /// The tag itself first, then those that are used most.
    pub fn search_tags(&self, viewer: &Did, text: &str) -> Read<Vec<FoundTag>> {
        let exact = folded_tag(text.trim().trim_start_matches('#'));
        let folded = fold(&exact);
        if folded.is_empty() {
            return Ok(Vec::new());
        }
        let viewer = self.viewer(viewer)?;
        let fits = |tag: &str| if exact == folded { fold(tag).starts_with(&folded) } else { tag.starts_with(&exact) };
        let wanted = Wanted { hash: word_hash(Kind::Tag, &longest_prefix(&folded)), forms: u16::MAX };
        let mut candidates =
            Candidates::open(self.snapshot.txn(), vec![wanted], Span::of(&Page { limit: 1, ..Page::default() }))?;
        let mut tags: BTreeMap<String, (u64, BTreeSet<u64>)> = BTreeMap::new();
        for _ in 0..POSTS_MAX {
            let Some(status) = candidates.next()? else { break };
            let row = self.searched(&viewer, status, None)?.filter(|row| row.all_flags() & flags::UNLISTED == 0);
            let Some(row) = row else { continue };
            let Some(post) = self.newest_version(&row)? else { continue };
            let of_post: BTreeSet<String> =
                post.tags.iter().map(|tag| folded_tag(tag)).filter(|tag| fits(tag)).collect();
            for tag in of_post {
                let (uses, people) = tags.entry(tag).or_default();
                *uses += 1;
                people.insert(row.author);
            }
        }
        let found = |(name, (uses, people)): (String, (u64, BTreeSet<u64>))| FoundTag {
            name,
            uses,
            people: people.len() as u64,
        };
        let mut found: Vec<FoundTag> = tags.into_iter().map(found).collect();
        found.sort_by_key(|tag| (tag.name != exact, std::cmp::Reverse(tag.uses), tag.name.clone()));
        Ok(found)
    }
}
