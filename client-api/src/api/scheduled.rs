//! Posts that wait for their time. They are records of this node alone: who scheduled on one device finds it there,
//! and no two devices publish the same post.
//!
//! A post is published once: its key of idempotency is in the commit that makes it, and who comes back after longer
//! than such a key is remembered looks whether the post is there.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use xom_node::command::IdempotencyKey;
use xom_node::model::{AuthorFilter, MediaId, Page, Status, StatusContent};
use xom_node::{Handle, StoreError};
use xom_protocol::Did;
use xom_protocol::body::Attachment;

use super::compose::{self, now_ms};
use super::posting;
use super::private::{SCHEDULED, fresh_id};
use crate::http::{ApiError, ErrorKind, Params};

/// Scheduled posts of an identity.
pub const SCHEDULED_MAX: usize = 300;
/// How far ahead a post must be scheduled, milliseconds: 5 minutes.
pub const AHEAD_MS_MIN: u64 = 5 * 60 * 1_000;
/// Longest record, bytes.
const RECORD_BYTES_MAX: usize = 64 << 10;
/// After how long an upload that waits is taken up anew, milliseconds: it would be forgotten after a day.
const UPLOAD_MS_MAX: u64 = 12 * 3_600 * 1_000;
/// How long a key of idempotency is relied on, milliseconds; it is remembered for an hour.
const KEY_MS_MAX: u64 = 50 * 60 * 1_000;
/// For how long a post that could not be published is tried again, milliseconds: a day.
const TRIED_MS_MAX: u64 = 24 * 3_600 * 1_000;
/// Between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// What a client may say of a post that waits; the rest is left aside.
const MEMBERS: [&str; 10] = [
    "status",
    "spoiler_text",
    "sensitive",
    "language",
    "visibility",
    "in_reply_to_id",
    "quoted_status_id",
    "poll",
    "media_ids",
    "media_attributes",
];

/// A post that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    /// When it is to be published, milliseconds since 1970.
    pub at_ms: u64,
    /// What the client said of it.
    pub params: Map<String, Value>,
    /// Its uploads: the id that the client knows, the one under which it is kept now, and since when.
    pub uploads: Vec<(u64, u64, u64)>,
    /// The digest of the client's key of idempotency.
    pub key: Option<String>,
    /// When publishing it was begun first.
    pub begun_ms: Option<u64>,
}

impl Scheduled {
    /// What waits, of what a client sent.
    pub fn new(at_ms: u64, params: &Params, key: Option<String>) -> Result<Self, ApiError> {
        let named = |name: &&str| Some(((*name).to_owned(), params.get(name)?.clone()));
        let now = now_ms();
        let uploads = params.ids("media_ids")?.into_iter().map(|id| (id, id, now)).collect();
        let scheduled =
            Self { at_ms, params: MEMBERS.iter().filter_map(named).collect(), uploads, key, begun_ms: None };
        if scheduled.write().len() > RECORD_BYTES_MAX {
            return Err(ErrorKind::TooLarge.into());
        }
        Ok(scheduled)
    }

    fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// What the composer reads, with the uploads as they are kept now.
    fn request(&self) -> Params {
        let mut tree = self.params.clone();
        if tree.contains_key("media_ids") {
            let ids = self.uploads.iter().map(|(_, kept, _)| Value::String(kept.to_string()));
            tree.insert("media_ids".to_owned(), Value::Array(ids.collect()));
        }
        Params::from_map(tree)
    }
}

/// Whose it is, its id, and the post that waits.
pub type Waiting = (Did, u64, Scheduled);

fn key_of(did: &Did, id: u64) -> Vec<u8> {
    [&did.0[..], &id.to_be_bytes()].concat()
}

fn waiting((key, value): (Vec<u8>, Vec<u8>)) -> Option<Waiting> {
    let (did, id) = key.split_first_chunk::<32>()?;
    Some((Did(*did), u64::from_be_bytes(id.try_into().ok()?), Scheduled::read(&value)?))
}

/// All that an identity has scheduled, by id.
pub async fn all_of(node: &Handle, did: Did) -> Result<Vec<(u64, Scheduled)>, StoreError> {
    let kept = node.read(move |reader| reader.records(SCHEDULED, &did.0, SCHEDULED_MAX)).await?;
    Ok(kept.into_iter().filter_map(waiting).map(|(_, id, scheduled)| (id, scheduled)).collect())
}

/// Keeps a post that is to be published later; answers its id. The same key of idempotency keeps it once.
pub async fn add(node: &Handle, did: Did, scheduled: Scheduled) -> Result<(u64, Scheduled), ApiError> {
    let id = fresh_id()?;
    let added = node.records(move |records| {
        let kept: Vec<Waiting> =
            records.range(SCHEDULED, &did.0, SCHEDULED_MAX)?.into_iter().filter_map(waiting).collect();
        let is_same = |known: &&Waiting| known.2.key.is_some() && known.2.key == scheduled.key;
        if let Some((_, known, kept)) = kept.iter().find(is_same) {
            return Ok(Some((*known, kept.clone())));
        }
        if kept.len() >= SCHEDULED_MAX {
            return Ok(None);
        }
        records.put(SCHEDULED, &key_of(&did, id), &scheduled.write())?;
        Ok(Some((id, scheduled.clone())))
    });
    added.await?.ok_or_else(|| ApiError::invalid("You have exceeded the limit of scheduled posts"))
}

/// Changes a post that waits; false where there is none.
async fn change(
    node: &Handle,
    did: Did,
    id: u64,
    change: impl Fn(&mut Scheduled) + Send + 'static,
) -> Result<Option<Scheduled>, StoreError> {
    node.records(move |records| {
        let key = key_of(&did, id);
        let Some(mut scheduled) = records.get(SCHEDULED, &key)?.and_then(|value| Scheduled::read(&value)) else {
            return Ok(None);
        };
        change(&mut scheduled);
        records.put(SCHEDULED, &key, &scheduled.write())?;
        Ok(Some(scheduled))
    })
    .await
}

/// Gives a post another time; none where there is no such post.
pub async fn set_time(node: &Handle, did: Did, id: u64, at_ms: u64) -> Result<Option<Scheduled>, StoreError> {
    change(node, did, id, move |scheduled| scheduled.at_ms = at_ms).await
}

/// Takes a post out; false where there is none.
pub async fn remove(node: &Handle, did: Did, id: u64) -> Result<bool, StoreError> {
    let removed = node.records(move |records| records.remove(SCHEDULED, &key_of(&did, id)));
    Ok(removed.await?.is_some())
}

/// The uploads of a post that waits, as far as they are kept, each with the id that the client knows.
pub async fn attachments(node: &Handle, scheduled: &Scheduled) -> Result<Vec<(u64, Attachment)>, StoreError> {
    let uploads = scheduled.uploads.clone();
    node.read(move |reader| {
        let mut found = Vec::new();
        for (shown, kept, _) in uploads {
            found.extend(reader.media(MediaId(kept))?.map(|media| (shown, media.attachment)));
        }
        Ok(found)
    })
    .await
}

/// Publishes what is due until the node stops.
pub async fn run(node: Handle, stop: CancellationToken) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {}
        }
        if let Err(cause) = publish_due(&node, now_ms()).await {
            tracing::warn!(%cause, "could not look for scheduled posts");
        }
    }
}

/// Publishes what is due at `now_ms`, and keeps the uploads of the rest.
pub async fn publish_due(node: &Handle, now_ms: u64) -> Result<(), StoreError> {
    let locals = node.read(|reader| reader.local_identities()).await?;
    for did in locals.into_iter().map(|local| local.did) {
        for (id, scheduled) in all_of(node, did).await? {
            if scheduled.at_ms > now_ms {
                keep_uploads(node, did, id, &scheduled, now_ms).await?;
                continue;
            }
            let begun_ms = scheduled.begun_ms.unwrap_or(now_ms);
            match publish(node, did, id, &scheduled, now_ms).await {
                Ok(()) => {
                    remove(node, did, id).await?;
                }
                Err(cause) if now_ms.saturating_sub(begun_ms) > TRIED_MS_MAX => {
                    tracing::warn!(cause = cause.text(), id, "a scheduled post could not be published and is given up");
                    remove(node, did, id).await?;
                }
                Err(cause) => tracing::info!(cause = cause.text(), id, "a scheduled post is tried again"),
            }
        }
    }
    Ok(())
}

async fn publish(node: &Handle, did: Did, id: u64, scheduled: &Scheduled, now_ms: u64) -> Result<(), ApiError> {
    let request = scheduled.request();
    let command = match posting::command(node, did, &request).await {
        Ok(command) => command,
        Err(refused) => {
            // What was published has used up its uploads: it is looked for before it is called refused.
            if let Some(begun) = scheduled.begun_ms
                && is_published(node, did, begun, &request).await?
            {
                return Ok(());
            }
            change(node, did, id, move |scheduled| begin(scheduled, now_ms)).await?;
            return Err(refused);
        }
    };
    if let Some(begun) = scheduled.begun_ms.filter(|begun| now_ms.saturating_sub(*begun) > KEY_MS_MAX)
        && is_published(node, did, begun, &request).await?
    {
        return Ok(());
    }
    // None where it was taken out meanwhile.
    if change(node, did, id, move |scheduled| begin(scheduled, now_ms)).await?.is_none() {
        return Ok(());
    }
    let key = IdempotencyKey::new(SCHEDULED.as_bytes(), did, &id.to_string());
    node.command_once(did, key, command).await?;
    Ok(())
}

fn begin(scheduled: &mut Scheduled, now_ms: u64) {
    scheduled.begun_ms.get_or_insert(now_ms);
}

/// True if a post like this was published since.
async fn is_published(node: &Handle, did: Did, since_ms: u64, request: &Params) -> Result<bool, ApiError> {
    let text = compose::clean(&request.raw_text("status").unwrap_or_default()).trim().to_owned();
    let since_id = Some(since_ms.saturating_sub(1) << 16);
    let page = Page { limit: SCHEDULED_MAX, since_id, ..Page::default() };
    let filter = AuthorFilter { exclude_reposts: true, ..AuthorFilter::default() };
    let found = node.read(move |reader| reader.author_statuses(Some(&did), &did, &filter, &page)).await?;
    let is_it = |status: &Status| match &status.content {
        StatusContent::Post(view) => view.post.text == text,
        StatusContent::Repost(_) => false,
    };
    Ok(found.iter().any(is_it))
}

/// Takes uploads up anew that would be forgotten before the post is published.
async fn keep_uploads(node: &Handle, did: Did, id: u64, scheduled: &Scheduled, now_ms: u64) -> Result<(), StoreError> {
    let old = |(_, _, since): &(u64, u64, u64)| now_ms.saturating_sub(*since) > UPLOAD_MS_MAX;
    if !scheduled.uploads.iter().any(old) {
        return Ok(());
    }
    let mut uploads = scheduled.uploads.clone();
    for upload in uploads.iter_mut().filter(|upload| old(upload)) {
        let kept = MediaId(upload.1);
        let Some(media) = node.read(move |reader| reader.media(kept)).await? else { continue };
        match node.add_media(did, media.attachment).await {
            Ok(fresh) => (upload.1, upload.2) = (fresh.0, now_ms),
            Err(cause) => tracing::warn!(%cause, "an upload of a scheduled post could not be kept"),
        }
    }
    change(node, did, id, move |scheduled| scheduled.uploads.clone_from(&uploads)).await.map(drop)
}
