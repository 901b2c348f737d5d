//! Statuses: posts and reposts.

use std::sync::Arc;

use serde::Serialize;
use xom_node::model::{self, PostView, StatusContent};
use xom_protocol::body::Visibility;

use super::account::{Accounts, SharedAccount};
use super::filter::FilterResult;
use super::tag::StatusTag;
use super::{MediaAttachment, Poll, html, timestamp};
use crate::api::compose::now_ms;
use crate::http::Base;

/// A post, or a repost with the post in `reblog`.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    id: String,
    created_at: String,
    in_reply_to_id: Option<String>,
    in_reply_to_account_id: Option<String>,
    sensitive: bool,
    spoiler_text: String,
    visibility: &'static str,
    language: Option<String>,
    /// The entry, below its author's DID.
    uri: String,
    url: String,
    replies_count: u64,
    reblogs_count: u64,
    favourites_count: u64,
    quotes_count: u64,
    edited_at: Option<String>,
    content: String,
    /// The plain text; only where the status has just been deleted, to write it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    reblog: Option<Box<Status>>,
    application: Option<Application>,
    account: SharedAccount,
    media_attachments: Vec<MediaAttachment>,
    mentions: Vec<StatusMention>,
    tags: Vec<StatusTag>,
    emojis: [(); 0],
    card: Option<()>,
    poll: Option<Poll>,
    quote: Option<Quote>,
    quote_approval: QuoteApproval,
    favourited: bool,
    reblogged: bool,
    muted: bool,
    bookmarked: bool,
    pinned: bool,
    filtered: Vec<FilterResult>,
    xom: Extension,
}

#[derive(Debug, Clone, Serialize)]
struct Application {
    name: &'static str,
    website: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct StatusMention {
    id: String,
    username: String,
    url: String,
    acct: String,
}

#[derive(Debug, Clone, Serialize)]
struct Quote {
    state: &'static str,
    quoted_status: Option<Box<Status>>,
}

#[derive(Debug, Clone, Serialize)]
struct QuoteApproval {
    automatic: [&'static str; 1],
    manual: [(); 0],
    current_user: &'static str,
}

/// What Mastodon has no member for.
#[derive(Debug, Clone, Serialize)]
struct Extension {
    entry: String,
    did: String,
    log: String,
    seq: u64,
    disputed: bool,
    imported_from: Option<String>,
    links: Vec<String>,
}

/// A thread around a status.
#[derive(Debug, Clone, Serialize)]
pub struct Context {
    ancestors: Vec<Status>,
    descendants: Vec<Status>,
}

impl Status {
    /// A status as clients see it.
    pub fn new(base: &Base, status: &model::Status) -> Self {
        Self::among(&mut Accounts::new(base), status)
    }

    /// The same as one of several in an answer.
    fn among(accounts: &mut Accounts<'_>, status: &model::Status) -> Self {
        match &status.content {
            StatusContent::Post(view) => Self::of_post(accounts, status, view),
            StatusContent::Repost(reposted) => Self::of_repost(accounts, status, reposted),
        }
    }

    /// A status that has just been deleted, with its plain text.
    pub fn deleted(base: &Base, status: &model::Status) -> Self {
        let text = match &status.content {
            StatusContent::Post(view) => Some(view.post.text.clone()),
            StatusContent::Repost(_) => None,
        };
        Self { text, ..Self::new(base, status) }
    }

    fn of_post(accounts: &mut Accounts<'_>, status: &model::Status, view: &PostView) -> Self {
        let base = accounts.base;
        let post = &view.post;
        let (parent, parent_account) = view.in_reply_to.unzip();
        Self {
            id: status.id.0.to_string(),
            created_at: timestamp(status.time_ms),
            in_reply_to_id: parent.map(|id| id.0.to_string()),
            in_reply_to_account_id: parent_account.map(|id| id.0.to_string()),
            sensitive: post.sensitive || !post.warning.is_empty(),
            spoiler_text: post.warning.clone(),
            visibility: match post.visibility {
                Visibility::Public => "public",
                Visibility::Unlisted => "unlisted",
            },
            language: post.languages.first().cloned(),
            uri: uri(status),
            url: base.status(&status.account.acct, status.id.0),
            replies_count: view.replies,
            reblogs_count: view.reposts,
            favourites_count: view.reactions,
            quotes_count: view.quotes,
            edited_at: view.edited_ms.map(timestamp),
            content: html::of_post(base, post, &view.mentions),
            text: None,
            reblog: None,
            application: status.account.local.then_some(Application { name: "xom", website: None }),
            account: accounts.show(&status.account),
            media_attachments: post.attachments.iter().map(|found| MediaAttachment::of_status(base, found)).collect(),
            mentions: view.mentions.iter().map(|account| StatusMention::new(base, account)).collect(),
            tags: post.tags.iter().map(|tag| StatusTag::new(base, tag)).collect(),
            emojis: [],
            card: None,
            poll: view.poll.as_ref().map(|poll| Poll::new(status.id, poll, now_ms())),
            quote: view.quote.as_ref().map(|quoted| Quote::new(accounts, quoted)),
            quote_approval: QuoteApproval { automatic: ["public"], manual: [], current_user: "automatic" },
            favourited: view.favourited,
            reblogged: view.reposted,
            muted: view.quiet,
            bookmarked: view.bookmarked,
            pinned: view.pinned,
            filtered: view.filtered.iter().map(|hit| FilterResult::new(status.id, hit)).collect(),
            xom: Extension::new(status, post.imported_from.clone(), post.links.clone()),
        }
    }

    fn of_repost(accounts: &mut Accounts<'_>, status: &model::Status, reposted: &model::Status) -> Self {
        let base = accounts.base;
        let inner = Self::among(accounts, reposted);
        Self {
            id: status.id.0.to_string(),
            created_at: timestamp(status.time_ms),
            in_reply_to_id: None,
            in_reply_to_account_id: None,
            uri: uri(status),
            url: base.status(&status.account.acct, status.id.0),
            edited_at: None,
            application: None,
            account: accounts.show(&status.account),
            media_attachments: Vec::new(),
            poll: None,
            quote: None,
            xom: Extension::new(status, None, Vec::new()),
            reblog: Some(Box::new(inner.clone())),
            ..inner
        }
    }
}

impl StatusMention {
    fn new(base: &Base, account: &Arc<model::Account>) -> Self {
        Self {
            id: account.id.0.to_string(),
            username: account.username.clone(),
            url: base.account(&account.acct),
            acct: account.acct.clone(),
        }
    }
}

impl Quote {
    fn new(accounts: &mut Accounts<'_>, quoted: &model::Status) -> Self {
        // One level: a quote inside a quote is only named.
        let mut quoted = Status::among(accounts, quoted);
        quoted.quote = None;
        Self { state: "accepted", quoted_status: Some(Box::new(quoted)) }
    }
}

impl Extension {
    fn new(status: &model::Status, imported_from: Option<String>, links: Vec<String>) -> Self {
        let reference = &status.reference;
        Self {
            entry: reference.entry.to_string(),
            did: reference.author.to_string(),
            log: reference.log.to_string(),
            seq: reference.seq,
            disputed: status.disputed,
            imported_from,
            links,
        }
    }
}

impl Context {
    /// A thread as clients see it.
    pub fn new(base: &Base, context: &model::Context) -> Self {
        Self { ancestors: statuses(base, &context.ancestors), descendants: statuses(base, &context.descendants) }
    }
}

/// A list of statuses as clients see it.
pub fn statuses(base: &Base, list: &[model::Status]) -> Vec<Status> {
    let mut accounts = Accounts::new(base);
    list.iter().map(|status| Status::among(&mut accounts, status)).collect()
}

fn uri(status: &model::Status) -> String {
    format!("{}/entries/{}", status.reference.author, status.reference.entry)
}
