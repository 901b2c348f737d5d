//! Posts in portions that the node takes at once, and their JSON.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use crate::import::contents::ArchivedPost;
use crate::import::poll::ArchivedPoll;

/// Most posts of one request.
const POSTS_MAX: usize = 100;
/// Most media of one request's posts; the node keeps each until it is used.
const MEDIA_MAX: usize = 100;
/// Above so many bytes of JSON a request takes no more posts; the node takes twice that.
const JSON_BYTES_MAX: usize = 512 << 10;
/// Most addresses of one question for what is known: at their longest, a megabyte.
pub(super) const KNOWN_MAX: usize = 400;

/// ISO 8601 in UTC with milliseconds.
const TIME: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// Posts of one request, with their media still to be uploaded.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) posts: Vec<ArchivedPost>,
    media: usize,
    json_bytes: usize,
}

impl Batch {
    fn has_room(&self, media: usize, json_bytes: usize) -> bool {
        self.posts.is_empty()
            || (self.posts.len() < POSTS_MAX
                && self.media + media <= MEDIA_MAX
                && self.json_bytes + json_bytes <= JSON_BYTES_MAX)
    }
}

/// Divides `posts`, keeping their order.
pub(super) fn batches(posts: impl Iterator<Item = ArchivedPost>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for post in posts {
        let (media, json_bytes) = (post.attachments.len(), to_json(&post, &[]).to_string().len());
        if batches.last().is_none_or(|last| !last.has_room(media, json_bytes)) {
            batches.push(Batch::default());
        }
        if let Some(batch) = batches.last_mut() {
            batch.media += media;
            batch.json_bytes += json_bytes;
            batch.posts.push(post);
        }
    }
    batches
}

/// A post as the node's API takes it.
pub(super) fn to_json(post: &ArchivedPost, media_ids: &[String]) -> Value {
    json!({
        "source_url": post.source_url,
        "published": iso_time(post.published_ms),
        "text": post.text,
        "warning": post.warning,
        "sensitive": post.sensitive,
        "languages": post.languages,
        "tags": post.tags,
        "links": post.links,
        "mentions": post.mentions,
        "reply_to": post.reply_to,
        "media_ids": media_ids,
        "poll": post.poll.as_ref().map(poll_json),
        "visibility": post.visibility,
    })
}

fn poll_json(poll: &ArchivedPoll) -> Value {
    json!({
        "options": poll.options,
        "multiple": poll.multiple,
        "ends": iso_time(poll.ends_ms),
    })
}

/// Times of an archive end with the year 9999, so that each has a form.
fn iso_time(ms: u64) -> Option<String> {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()?;
    time.format(TIME).ok()
}

#[cfg(test)]
mod tests {
    use super::{ArchivedPost, MEDIA_MAX, POSTS_MAX, batches, iso_time};
    use crate::import::contents::ArchivedMedia;

    fn sizes(posts: Vec<ArchivedPost>) -> Vec<usize> {
        batches(posts.into_iter()).iter().map(|batch| batch.posts.len()).collect()
    }

    #[test]
    fn a_batch_is_bounded_in_posts_media_and_bytes() {
        assert_eq!(sizes(vec![ArchivedPost::default(); 2 * POSTS_MAX + 1]), [POSTS_MAX, POSTS_MAX, 1]);
        let with_media = ArchivedPost { attachments: vec![ArchivedMedia::default(); 16], ..ArchivedPost::default() };
        assert_eq!(sizes(vec![with_media; 7]), [MEDIA_MAX / 16, 1]);
        let long = ArchivedPost { text: "x".repeat(300_000), ..ArchivedPost::default() };
        assert_eq!(sizes(vec![long; 3]), [1, 1, 1]);
        assert!(sizes(Vec::new()).is_empty());
    }

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        assert_eq!(iso_time(1_667_902_830_007).as_deref(), Some("2022-11-08T10:20:30.007Z"));
        assert_eq!(iso_time(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
    }
}
