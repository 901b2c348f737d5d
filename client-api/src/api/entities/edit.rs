//! A version of a post.

use serde::Serialize;
use xom_node::model::{self, StatusContent};
use xom_protocol::body::Post;

use super::{Account, MediaAttachment, html, timestamp};
use crate::http::Base;

/// One version of a post.
#[derive(Debug, Clone, Serialize)]
pub struct StatusEdit {
    content: String,
    spoiler_text: String,
    sensitive: bool,
    created_at: String,
    account: Account,
    media_attachments: Vec<MediaAttachment>,
    emojis: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    poll: Option<EditPoll>,
}

#[derive(Debug, Clone, Serialize)]
struct EditPoll {
    options: Vec<EditOption>,
}

#[derive(Debug, Clone, Serialize)]
struct EditOption {
    title: String,
}

impl StatusEdit {
    /// A version of a status that was made at a time.
    pub fn new(base: &Base, status: &model::Status, time_ms: u64, version: &Post) -> Self {
        let mentions = match &status.content {
            StatusContent::Post(view) => view.mentions.as_slice(),
            StatusContent::Repost(_) => &[],
        };
        let options = |poll: &xom_protocol::body::Poll| EditPoll {
            options: poll.options.iter().map(|title| EditOption { title: title.clone() }).collect(),
        };
        let media = version.attachments.iter().map(|attachment| MediaAttachment::of_status(base, attachment));
        Self {
            content: html::of_post(base, version, mentions),
            spoiler_text: version.warning.clone(),
            sensitive: version.sensitive || !version.warning.is_empty(),
            created_at: timestamp(time_ms),
            account: Account::new(base, &status.account),
            media_attachments: media.collect(),
            emojis: [],
            poll: version.poll.as_ref().map(options),
        }
    }
}
