//! What is much used at present: tags, web addresses and posts of the last days.
//!
//! Of every day its uses and the people who wrote them are counted. A tag or an address scores the people of each day,
//! halved for each day that has passed since; a post scores its reactions and answers, and its reposts twice, halved
//! the same way. One person alone makes no trend. Nobody can buy a place, and nothing else goes in.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::Did;

use super::super::{Read, Reader, Viewer};
use crate::folded_tag;
use crate::model::Status;
use crate::views::tables;

/// Days that are looked at.
const DAYS: usize = 7;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// Posts that are looked at, the newest ones.
const POSTS_MAX: usize = 2_000;
/// People who must have used a tag or an address.
const PEOPLE_MIN: usize = 2;
/// What one of today's points is worth: enough to be halved for each day.
const POINT: u64 = 1 << DAYS;
/// Of each kind.
const TRENDS_MAX: usize = 40;

/// How much something was used on one day: its beginning, milliseconds since 1970, uses, and people.
pub type TrendingDay = (u64, u64, u64);

/// A tag that is much used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendingTag {
    /// As tags compare.
    pub name: String,
    /// The newest day first.
    pub days: Vec<TrendingDay>,
}

/// A web address that is much named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendingLink {
    /// The address.
    pub url: String,
    /// The newest day first.
    pub days: Vec<TrendingDay>,
}

/// What is much used, each kind with the highest score first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trends {
    /// Tags.
    pub tags: Vec<TrendingTag>,
    /// Addresses.
    pub links: Vec<TrendingLink>,
    /// Posts.
    pub statuses: Vec<Status>,
}

/// Uses by day, and who.
type Uses = [(u64, BTreeSet<u64>); DAYS];

impl Reader {
    /// What is much used at present, as the viewer may see it.
    pub fn trends(&self, viewer: &Did) -> Read<Trends> {
        let viewer = self.viewer(viewer)?;
        let today = self.now_ms / DAY_MS;
        let (mut tags, mut links): (BTreeMap<String, Uses>, BTreeMap<String, Uses>) = Default::default();
        let mut statuses: Vec<(u64, u64)> = Vec::new();
        let first = today.saturating_sub(DAYS as u64 - 1) * DAY_MS;
        let table = self.table(tables::PUBLIC)?;
        for row in table.range(first << 16..)?.rev().take(POSTS_MAX) {
            let status = row?.0.value();
            let Some(row) = self.status_row(status)? else { continue };
            let age = today.saturating_sub(row.time_ms / DAY_MS);
            let Some(age) = usize::try_from(age).ok().filter(|age| *age < DAYS) else { continue };
            if !Viewer::sees(Some(&viewer), row.author) {
                continue;
            }
            let Some(post) = self.newest_version(&row)? else { continue };
            let note = |uses: &mut Uses| {
                uses[age].0 += 1;
                uses[age].1.insert(row.author);
            };
            let of_post: BTreeSet<String> = post.tags.iter().map(|tag| folded_tag(tag)).collect();
            of_post.into_iter().for_each(|tag| note(tags.entry(tag).or_default()));
            let of_post: BTreeSet<&String> = post.links.iter().collect();
            of_post.into_iter().for_each(|link| note(links.entry(link.clone()).or_default()));
            let (replies, reposts, reactions) =
                self.counts.get(&row.entry.0)?.map(|row| row.value()).unwrap_or_default();
            let points = replies.saturating_add(reactions).saturating_add(reposts.saturating_mul(2));
            if points > 0 {
                statuses.push((points.saturating_mul(POINT >> age), status));
            }
        }
        statuses.sort_unstable_by_key(|rank| Reverse(*rank));
        let mut shown = Vec::new();
        for (_, status) in statuses.into_iter().take(TRENDS_MAX) {
            shown.extend(self.status_of(Some(&viewer), status)?);
        }
        Ok(Trends {
            tags: ranked(tags, today).into_iter().map(|(name, days)| TrendingTag { name, days }).collect(),
            links: ranked(links, today).into_iter().map(|(url, days)| TrendingLink { url, days }).collect(),
            statuses: shown,
        })
    }
}

/// The highest scores of what more than one person used.
fn ranked(uses: BTreeMap<String, Uses>, today: u64) -> Vec<(String, Vec<TrendingDay>)> {
    let mut ranked = Vec::new();
    for (name, uses) in uses {
        let people: BTreeSet<u64> = uses.iter().flat_map(|(_, people)| people).copied().collect();
        if people.len() < PEOPLE_MIN {
            continue;
        }
        let points = uses.iter().enumerate().map(|(age, (_, people))| people.len() as u64 * (POINT >> age));
        let day = |(age, (uses, people)): (usize, &(u64, BTreeSet<u64>))| {
            (today.saturating_sub(age as u64) * DAY_MS, *uses, people.len() as u64)
        };
        ranked.push((
            Reverse(points.sum::<u64>()),
            name,
            uses.iter().enumerate().map(day).collect::<Vec<TrendingDay>>(),
        ));
    }
    ranked.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    ranked.into_iter().take(TRENDS_MAX).map(|(_, name, days)| (name, days)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_of_today_count_most_and_one_person_alone_nothing() {
        let uses = |days: &[(usize, u64, &[u64])]| {
            let mut uses = Uses::default();
            for (age, count, people) in days {
                uses[*age] = (*count, people.iter().copied().collect());
            }
            uses
        };
        let all = BTreeMap::from([
            ("alone".to_owned(), uses(&[(0, 99, &[1])])),
            ("old".to_owned(), uses(&[(3, 9, &[1, 2, 3, 4, 5, 6, 7])])),
            ("new".to_owned(), uses(&[(0, 2, &[1, 2])])),
            ("even".to_owned(), uses(&[(0, 1, &[1]), (1, 2, &[1, 2])])),
        ]);
        let ranked = ranked(all, 20_000);
        let names: Vec<&str> = ranked.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["even", "new", "old"]);
        assert_eq!(ranked[0].1.len(), DAYS);
        assert_eq!(ranked[0].1[1], (19_999 * DAY_MS, 2, 2));
    }
}
