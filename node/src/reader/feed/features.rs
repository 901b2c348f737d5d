//! The features of one post (`ALG-12`), computed only where the algorithm reads them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::feed::{Algorithm, FEATURES, Shape, Value};
use xom_protocol::limits::SEQ_MAX;

use super::FeedQuery;
use crate::model::{PostView, Status};
use crate::private;
use crate::reader::{Read, Reader, Viewer};
use crate::store::IDS_A_MS;
use crate::store::tables::{self as stored, ArrivalRow};
use crate::views::row::{StatusRow, flags};
use crate::views::{Place, folded_tag, tables};

/// How long what the viewer wrote and reacted to counts, seconds (`ALG-12`).
const CLOSENESS_SECS: u64 = 90 * 86_400;
/// Most own reactions that are looked at, the newest (`ALG-3`).
const OWN_REACTIONS_MAX: usize = 4_096;
/// How long posts of an author count, seconds (`ALG-12`).
const POSTS_SECS: u64 = 28 * 86_400;
/// Most posts above another one that are counted (`ALG-12`).
const DEPTH_MAX: i64 = 100;

/// Features by record and name.
pub(super) type Known = BTreeMap<(&'static str, &'static str), Value>;

/// What all posts of a page have in common: who reads, when, and whom he knows.
pub(super) struct Around<'a> {
    pub(super) viewer: &'a Viewer,
    query: &'a FeedQuery,
    wanted: BTreeSet<(&'static str, &'static str)>,
    followed: BTreeSet<u64>,
    followed_tags: BTreeSet<String>,
    closeness: BTreeMap<u64, i64>,
    /// First posts of threads in which the viewer wrote.
    threads: BTreeSet<[u8; 32]>,
    /// How much authors post, as far as it was asked.
    posts: RefCell<BTreeMap<u64, u64>>,
}

impl<'a> Around<'a> {
    pub(super) fn read(reader: &Reader, viewer: &'a Viewer, algorithm: &Algorithm, query: &'a FeedQuery) -> Read<Self> {
        let wanted: BTreeSet<_> = algorithm.reads().iter().map(|feature| (feature.record, feature.name)).collect();
        let tags = reader.settings(&viewer.did, private::TAG)?;
        let mut around = Self {
            viewer,
            query,
            followed: reader.followed(viewer.account)?,
            followed_tags: tags.iter().filter_map(|(key, _)| key.strip_prefix(private::TAG)).map(folded_tag).collect(),
            closeness: BTreeMap::new(),
            threads: BTreeSet::new(),
            posts: RefCell::default(),
            wanted,
        };
        if around.wants("viewer", "closeness") || around.wants("viewer", "in_thread") {
            around.read_own(reader)?;
        }
        Ok(around)
    }

    fn wants(&self, record: &'static str, name: &'static str) -> bool {
        self.wanted.contains(&(record, name))
    }

    /// True for a time in the stretch of so many seconds before the bucket, milliseconds.
    fn is_within(&self, secs: u64, time_ms: u64) -> bool {
        let end = self.query.bucket.secs();
        (end.saturating_sub(secs) * 1_000..end * 1_000).contains(&time_ms)
    }

    /// No status that [`Around::is_within`] takes has a lower local id.
    fn low(&self, secs: u64) -> u64 {
        self.query.bucket.secs().saturating_sub(secs).saturating_mul(1_000).saturating_mul(IDS_A_MS)
    }

    /// Whom the viewer answered and reacted to, and in which threads he wrote.
    fn read_own(&mut self, reader: &Reader) -> Read<()> {
        let own = self.viewer.account;
        let low = self.low(CLOSENESS_SECS);
        for row in reader.table(tables::AUTHOR_STATUSES)?.range((own, low)..=(own, u64::MAX))? {
            let Some(row) = reader.status_row(row?.0.value().1)? else { continue };
            let within = reader.claimed_ms(row.place)?.is_some_and(|time| self.is_within(CLOSENESS_SECS, time));
            if row.flags & flags::REPOST != 0 || !within {
                continue;
            }
            if self.wants("viewer", "in_thread") {
                self.threads.insert(reader.root_of(&row)?);
            }
            if let Some((_, author)) = row.target.filter(|(_, author)| *author != own) {
                *self.closeness.entry(author).or_insert(0) += 100;
            }
        }
        for row in reader.table(tables::FAVOURITES)?.range((own, 0)..=(own, u64::MAX))?.rev().take(OWN_REACTIONS_MAX) {
            let (key, target) = row?;
            let time = reader.place_of_arrival(key.value().1)?.map(|place| reader.claimed_ms(place)).transpose()?;
            if !time.flatten().is_some_and(|time| self.is_within(CLOSENESS_SECS, time)) {
                continue;
            }
            let status = reader.status_of_entry.get(target.value())?.map(|status| status.value());
            let row = status.map(|status| reader.status_row(status)).transpose()?.flatten();
            if let Some(row) = row.filter(|row| row.author != own) {
                *self.closeness.entry(row.author).or_insert(0) += 100;
            }
        }
        Ok(())
    }

    /// What the algorithm reads of a post.
    pub(super) fn features(
        &self,
        reader: &Reader,
        row: &StatusRow,
        view: &PostView,
        status: &Status,
        time_ms: u64,
    ) -> Read<Known> {
        let mut known = Known::new();
        for feature in FEATURES.iter().filter(|feature| self.wants(feature.record, feature.name)) {
            let value = match feature.record {
                "post" => self.of_post(reader, feature.name, row, view, time_ms)?,
                "author" => self.of_author(reader, feature.name, row, status)?,
                _ => self.of_viewer(reader, feature.name, row, view, status)?,
            };
            known.insert((feature.record, feature.name), value);
        }
        Ok(known)
    }

    fn of_post(&self, reader: &Reader, name: &str, row: &StatusRow, view: &PostView, time_ms: u64) -> Read<Value> {
        let post = &view.post;
        let has = |kind: &str| post.attachments.iter().any(|attachment| attachment.media_type.starts_with(kind));
        Ok(match name {
            "age" => number(self.query.bucket.secs().saturating_sub(time_ms / 1_000)),
            "time" => number(time_ms / 1_000),
            "length" => number(post.text.chars().count() as u64),
            "languages" => texts(post.languages.iter().map(|tag| lower(tag)), name),
            "tags" => texts(tags(&post.tags).into_iter(), name),
            "is_reply" => post.reply.is_some().into(),
            "is_quote" => post.quote.is_some().into(),
            "depth" => reader.depth_of(row)?.into(),
            "has_image" => has("image/").into(),
            "has_video" => has("video/").into(),
            "has_audio" => has("audio/").into(),
            "has_link" => (!post.links.is_empty()).into(),
            "has_poll" => post.poll.is_some().into(),
            "has_warning" => (!post.warning.is_empty() || post.sensitive).into(),
            "replies" => number(reader.repliers(row)?.len() as u64),
            "reactions" => number(reader.reactors(row)?.len() as u64),
            "reposts" => number(reader.reposters(row)?.len() as u64),
            // There are no labelers yet.
            _ => Value::Texts([].into()),
        })
    }

    fn of_author(&self, reader: &Reader, name: &str, row: &StatusRow, status: &Status) -> Read<Value> {
        if name == "is_bot" {
            return Ok(status.account.bot.into());
        }
        if let Some(posts) = self.posts.borrow().get(&row.author) {
            return Ok(number(*posts));
        }
        let mut posts = 0;
        let table = reader.table(tables::AUTHOR_STATUSES)?;
        for other in table.range((row.author, self.low(POSTS_SECS))..=(row.author, u64::MAX))? {
            let Some(other) = reader.status_row(other?.0.value().1)? else { continue };
            let is_post = other.flags & (flags::REPOST | flags::IMPORTED) == 0;
            let time = if is_post { reader.claimed_ms(other.place)? } else { None };
            posts += u64::from(time.is_some_and(|time| self.is_within(POSTS_SECS, time)));
        }
        self.posts.borrow_mut().insert(row.author, posts);
        Ok(number(posts))
    }

    fn of_viewer(&self, reader: &Reader, name: &str, row: &StatusRow, view: &PostView, status: &Status) -> Read<Value> {
        let (own, author) = (self.viewer.account, row.author);
        let known = |others: BTreeSet<u64>| number(others.intersection(&self.followed).count() as u64);
        Ok(match name {
            "now" => number(self.query.bucket.secs()),
            "is_author" => (own == author).into(),
            "follows_author" => self.followed.contains(&author).into(),
            "followed_by_author" => reader.follows.get((author, own))?.is_some().into(),
            "closeness" => self.closeness.get(&author).copied().unwrap_or(0).min(1_000).into(),
            "known_repliers" => known(reader.repliers(row)?),
            "known_reposters" => known(reader.reposters(row)?),
            "is_mentioned" => view.post.mentions.iter().any(|mention| mention.did == self.viewer.did).into(),
            "is_answered" => (row.flags & flags::REPOST == 0 && row.target.is_some_and(|(_, whom)| whom == own)).into(),
            "in_thread" => self.threads.contains(&reader.root_of(row)?).into(),
            "reads_language" => self.reads(&view.post.languages).into(),
            "followed_tags" => {
                let tags = tags(&view.post.tags);
                number(tags.iter().filter(|tag| self.followed_tags.contains(*tag)).count() as u64)
            }
            _ => self.query.seen.is_some_and(|seen| status.id <= seen).into(),
        })
    }

    fn reads(&self, languages: &[String]) -> bool {
        let main = |tag: &String| lower(tag.split('-').next().unwrap_or_default());
        let spoken: BTreeSet<String> = self.query.languages.iter().map(main).collect();
        languages.is_empty() || spoken.is_empty() || languages.iter().any(|tag| spoken.contains(&main(tag)))
    }
}

impl Reader {
    /// Who answered a post.
    fn repliers(&self, row: &StatusRow) -> Read<BTreeSet<u64>> {
        let children = self.table(tables::CHILDREN)?;
        let mut authors = BTreeSet::new();
        for child in children.range((&row.entry.0, 0)..=(&row.entry.0, u64::MAX))? {
            authors.extend(self.status_row(child?.0.value().1)?.map(|child| child.author));
        }
        Ok(authors)
    }

    /// Who reacted to a post.
    fn reactors(&self, row: &StatusRow) -> Read<BTreeSet<u64>> {
        let table = self.table(tables::REACTIONS)?;
        table.range((&row.entry.0, 0)..=(&row.entry.0, u64::MAX))?.map(|row| Ok(row?.1.value())).collect()
    }

    /// Who passed a post on.
    fn reposters(&self, row: &StatusRow) -> Read<BTreeSet<u64>> {
        let table = self.table(tables::REPOSTS)?;
        table.range((&row.entry.0, 0)..=(&row.entry.0, u64::MAX))?.map(|row| Ok(row?.1.value().0)).collect()
    }

    /// How many posts of its thread are held above a post.
    fn depth_of(&self, row: &StatusRow) -> Read<i64> {
        let (mut depth, mut parent) = (0, row.target);
        while let Some((entry, _)) = parent.filter(|_| depth < DEPTH_MAX) {
            let status = self.status_of_entry(&entry)?;
            let Some(above) = status.map(|id| self.status_row(id.0)).transpose()?.flatten() else { break };
            (depth, parent) = (depth + 1, above.target);
        }
        Ok(depth)
    }

    /// The first post of the thread of a post, as it names it.
    fn root_of(&self, row: &StatusRow) -> Read<[u8; 32]> {
        let body = self.snapshot().opened((row.place.log, row.place.seq))?;
        let root = match body.as_deref() {
            Some(xom_protocol::body::Body::Post(post)) => post.root.as_ref().map(|root| root.entry),
            _ => None,
        };
        Ok(root.unwrap_or(row.entry).0)
    }

    /// Where the entry is that came with this number of arrival.
    fn place_of_arrival(&self, counter: u64) -> Read<Option<Place>> {
        let arrivals = self.table(stored::ARRIVALS)?;
        let Some(row) = arrivals.range(..=counter)?.next_back() else { return Ok(None) };
        let (first, what) = row?;
        let ArrivalRow::Entries { log, seq, count } = what.value() else { return Ok(None) };
        let after = counter - first.value();
        Ok((after < u64::from(count)).then(|| Place { log, seq: seq + after }))
    }
}

/// A number of the table; greater ones are the greatest.
fn number(number: u64) -> Value {
    Value::Int(number.min(SEQ_MAX).cast_signed())
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Tags as they compare, each once, in their order.
fn tags(tags: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    tags.iter().map(|tag| folded_tag(tag)).filter(|tag| seen.insert(tag.clone())).collect()
}

/// The first texts that fit the bounds of a feature of posts.
fn texts(texts: impl Iterator<Item = String>, name: &str) -> Value {
    let shape = xom_protocol::feed::Feature::find("post", name).map_or(Shape::texts(0, 0), |feature| feature.shape);
    let fits = texts.filter(|text| text.len() <= shape.bytes_max as usize);
    Value::Texts(fits.take(shape.items_max as usize).map(String::into_boxed_str).collect())
}
