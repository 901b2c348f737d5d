//! `POST /api/xom/v1/import/posts`: imports posts in order, many in one commit.
//!
//! A post that answers an earlier one of the same request waits until that one is stored and has an id.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use xom_node::command::{Command, Done};
use xom_node::model::{MediaId, StatusId};
use xom_node::{CommandError, Handle};
use xom_protocol::Did;
use xom_protocol::body::{Attachment, Mention, Poll, Post, Visibility};

use crate::api::compose::{clean, clean_line, lower_scheme};
use crate::api::entities::read_timestamp;
use crate::http::limits::IMPORT_BATCH_MAX;
use crate::http::{ApiError, Call, Params};

/// Posts to be imported.
#[derive(Serialize, ToSchema)]
pub struct ImportRequest {
    /// At most 1,000, in the order in which they were written.
    posts: Vec<ImportedPost>,
}

/// A post that was published elsewhere.
#[derive(Default, Serialize, ToSchema)]
pub struct ImportedPost {
    /// Its original address: a post with the same is imported once.
    source_url: String,
    /// When it was published: a time, or milliseconds since 1970.
    published: String,
    /// Its text, plain.
    text: Option<String>,
    /// The warning before it.
    warning: Option<String>,
    /// Its media are hidden at first.
    sensitive: Option<bool>,
    /// Its languages.
    languages: Option<Vec<String>>,
    /// Its tags.
    tags: Option<Vec<String>>,
    /// Addresses that it links to.
    links: Option<Vec<String>>,
    /// Whom it mentions; those without a DID are left out.
    mentions: Option<Vec<ImportedMention>>,
    /// The original address of the post that it answers.
    reply_to: Option<String>,
    /// Media that were uploaded for it.
    media_ids: Option<Vec<String>>,
    /// Its poll.
    poll: Option<ImportedPoll>,
    /// `public` or `unlisted`.
    visibility: Option<String>,
}

/// Somebody whom an imported post mentions.
#[derive(Default, Serialize, ToSchema)]
pub struct ImportedMention {
    /// The name in the text.
    name: String,
    /// The DID.
    did: Option<String>,
}

/// The poll of an imported post.
#[derive(Default, Serialize, ToSchema)]
pub struct ImportedPoll {
    /// Its options.
    options: Vec<String>,
    /// Several could be chosen.
    multiple: Option<bool>,
    /// When it ended: a time, or milliseconds since 1970.
    ends: String,
}

/// What became of the posts.
#[derive(Serialize, ToSchema)]
pub struct Imported {
    /// One for each post, in the same order.
    results: Vec<ImportResult>,
}

/// What became of a post.
#[derive(Default, Serialize, ToSchema)]
pub struct ImportResult {
    /// Its original address.
    source_url: String,
    /// `imported`, `known` or `refused`.
    outcome: &'static str,
    /// The id of its status in Mastodon's API, unless it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Import posts
///
/// In order, many in one commit; one of `results` for each. A post whose original address is known adds nothing.
#[utoipa::path(post, path = "/import/posts", operation_id = "importPosts", tag = "archives",
    request_body = ImportRequest,
    responses((status = 200, description = "What became of each", body = Imported)))]
pub async fn post(call: Call, params: Params) -> Result<Json<Imported>, ApiError> {
    let posts = params.each_below("posts");
    if posts.len() != params.items("posts").len() {
        return Err(ApiError::invalid("posts holds something that is not a post"));
    }
    if posts.len() > IMPORT_BATCH_MAX {
        return Err(ApiError::invalid(format!("at most {IMPORT_BATCH_MAX} posts can be sent at once")));
    }
    let mut import = Import::begin(&call, &posts).await?;
    for post in &posts {
        import.take(post).await?;
    }
    import.flush().await?;
    Ok(Json(Imported { results: import.results }))
}

/// One request's import.
struct Import {
    node: Handle,
    identity: Did,
    /// Statuses by original address: those that answers in this request name, and those of this request.
    known: BTreeMap<String, StatusId>,
    media: BTreeMap<u64, Attachment>,
    /// Ready to be committed together, each with the place of its result.
    ready: Vec<(usize, String, Command)>,
    results: Vec<ImportResult>,
}

impl Import {
    /// Looks up what the posts refer to, in one read.
    async fn begin(call: &Call, posts: &[Params]) -> Result<Self, ApiError> {
        let named: BTreeSet<String> = posts.iter().filter_map(|post| post.text("reply_to")).collect();
        let named: Vec<String> = named.into_iter().collect();
        let media: BTreeSet<u64> = posts.iter().filter_map(|post| post.ids("media_ids").ok()).flatten().collect();
        let identity = call.viewer();
        let read = call.node.read(move |reader| {
            let known: BTreeMap<String, StatusId> = reader.imported(&identity, &named)?.into_iter().collect();
            let mut found = BTreeMap::new();
            for id in media {
                let upload = reader.media(MediaId(id))?.filter(|upload| upload.owner == identity);
                found.extend(upload.map(|upload| (id, upload.attachment)));
            }
            Ok((known, found))
        });
        let (known, media) = read.await?;
        Ok(Self { node: call.node.clone(), identity, known, media, ready: Vec::new(), results: Vec::new() })
    }

    /// Makes one post ready; commits what is ready if the post answers some of it.
    async fn take(&mut self, params: &Params) -> Result<(), ApiError> {
        let source = params.text("source_url").unwrap_or_default();
        let parent = params.text("reply_to");
        let waits = parent.as_ref().is_some_and(|parent| self.ready.iter().any(|(_, ready, _)| ready == parent));
        if waits {
            self.flush().await?;
        }
        let place = self.results.len();
        match read_post(params, &self.media) {
            Ok(post) => {
                let reply_to = parent.and_then(|parent| self.known.get(&parent).copied());
                let command = Command::Post { post: Box::new(post), reply_to, quote_of: None };
                self.results.push(ImportResult::default());
                self.ready.push((place, source, command));
            }
            Err(reason) => self.results.push(refused(&source, &reason)),
        }
        Ok(())
    }

    /// Commits what is ready. A node that can't store or sign now ends the import, since it would refuse every post;
    /// what was committed before stays.
    async fn flush(&mut self) -> Result<(), ApiError> {
        let ready = std::mem::take(&mut self.ready);
        if ready.is_empty() {
            return Ok(());
        }
        let (places, commands): (Vec<_>, Vec<_>) =
            ready.into_iter().map(|(place, source, command)| ((place, source), command)).unzip();
        let done = self.node.commands(self.identity, commands).await;
        for ((place, source), done) in places.into_iter().zip(done) {
            self.results[place] = match done {
                Ok(done) => self.imported(source, done),
                Err(
                    cause @ (CommandError::Store(_)
                    | CommandError::Busy
                    | CommandError::Clock(_)
                    | CommandError::Access(_)
                    | CommandError::Behind
                    | CommandError::Damaged(_)
                    | CommandError::DeviceEnded
                    | CommandError::NotLocal(_)),
                ) => return Err(cause.into()),
                Err(cause) => refused(&source, &cause.to_string()),
            };
        }
        Ok(())
    }

    fn imported(&mut self, source: String, done: Done) -> ImportResult {
        let outcome = if done.known { "known" } else { "imported" };
        let id = done.status.map(|id| id.0.to_string());
        let answer = ImportResult { source_url: source.clone(), outcome, id, reason: None };
        self.known.extend(done.status.map(|id| (source, id)));
        answer
    }
}

fn refused(source: &str, reason: &str) -> ImportResult {
    ImportResult { source_url: source.to_owned(), outcome: "refused", id: None, reason: Some(reason.to_owned()) }
}

/// Reads a post as the importer sends it; the error is the reason for the user.
fn read_post(params: &Params, media: &BTreeMap<u64, Attachment>) -> Result<Post, String> {
    let source = params.text("source_url").ok_or("it has no source_url")?;
    let published = params.text("published").ok_or("it has no time")?;
    let published = published.parse().ok().or_else(|| read_timestamp(&published)).ok_or("its time can't be read")?;
    let mut attachments = Vec::new();
    for id in params.ids("media_ids").map_err(|error| error.text().to_owned())? {
        attachments.push(media.get(&id).cloned().ok_or_else(|| format!("its medium {id} was not uploaded"))?);
    }
    Ok(Post {
        text: clean(&params.raw_text("text").unwrap_or_default()),
        languages: params.texts("languages"),
        warning: clean(&params.raw_text("warning").unwrap_or_default()),
        sensitive: params.flag("sensitive").unwrap_or(false),
        mentions: params.each_below("mentions").iter().filter_map(read_mention).collect(),
        tags: params.texts("tags").iter().map(|tag| clean_line(tag)).collect(),
        links: params.texts("links").iter().map(|link| lower_scheme(link)).collect(),
        attachments,
        poll: params.below("poll").as_ref().map(read_poll).transpose()?,
        visibility: match params.text("visibility").as_deref() {
            None | Some("public") => Visibility::Public,
            Some("unlisted") => Visibility::Unlisted,
            Some(other) => return Err(format!("its visibility {other} is not public or unlisted")),
        },
        published: Some(published),
        imported_from: Some(source),
        ..Post::default()
    })
}

/// A mention of somebody with a DID; accounts of other networks have none and are links.
fn read_mention(params: &Params) -> Option<Mention> {
    let did = params.text("did")?.parse().ok()?;
    let name = clean_line(params.text("name")?.trim_start_matches('@'));
    Some(Mention { did, name })
}

/// A poll that has run elsewhere; its end may be long past.
fn read_poll(params: &Params) -> Result<Poll, String> {
    let ends = params.text("ends").ok_or("its poll has no end")?;
    let ends = ends.parse().ok().or_else(|| read_timestamp(&ends)).ok_or("the end of its poll can't be read")?;
    Ok(Poll {
        options: params.texts("options").iter().map(|option| clean_line(option)).collect(),
        multiple: params.flag("multiple").unwrap_or(false),
        hide_totals: false,
        ends,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_the_description_calls_a_post_is_read_as_one() {
        let described = ImportedPost {
            source_url: "https://a.example/1".into(),
            published: "2020-01-02T03:04:05Z".into(),
            text: Some("xin chào".into()),
            warning: Some("dài".into()),
            sensitive: Some(true),
            languages: Some(vec!["vi".into()]),
            tags: Some(vec!["xóm".into()]),
            links: Some(vec!["https://b.example".into()]),
            mentions: Some(vec![ImportedMention { name: "lan".into(), did: Some(Did([7; 32]).to_string()) }]),
            reply_to: None,
            media_ids: Some(Vec::new()),
            poll: Some(ImportedPoll {
                options: vec!["a".into(), "b".into()],
                multiple: Some(true),
                ends: "2020-01-03T00:00:00Z".into(),
            }),
            visibility: Some("unlisted".into()),
        };
        let post = read(serde_json::to_value(described).unwrap()).unwrap();
        assert_eq!((post.text.as_str(), post.warning.as_str(), post.sensitive), ("xin chào", "dài", true));
        assert_eq!((post.languages.len(), post.tags.len(), post.links.len(), post.mentions.len()), (1, 1, 1, 1));
        assert!(post.poll.unwrap().multiple);
        assert_eq!(post.visibility, Visibility::Unlisted);
    }

    fn read(tree: Value) -> Result<Post, String> {
        read_post(&Params::of(tree), &BTreeMap::new())
    }

    #[test]
    fn a_post_keeps_its_time_and_address() {
        let post = read(json!({
            "source_url": "https://a.example/1", "published": "2020-01-02T03:04:05.000Z", "text": "x\r\ny",
            "languages": ["vi"], "tags": ["Xóm"], "links": ["HTTPS://b.example"], "visibility": "unlisted",
            "mentions": [{"name": "lan@a.example", "url": "https://a.example/@lan"}],
            "poll": {"options": ["a", "b"], "ends": "2020-01-03T00:00:00Z", "votes": [1, 2]},
            "reply_to": null, "media_ids": [],
        }))
        .unwrap();
        assert_eq!(post.published, Some(1_577_934_245_000));
        assert_eq!(post.imported_from.as_deref(), Some("https://a.example/1"));
        assert_eq!(post.text, "x\ny");
        assert_eq!(post.visibility, Visibility::Unlisted);
        assert!(post.mentions.is_empty());
        assert_eq!(post.links, ["https://b.example"]);
        assert_eq!(post.poll.unwrap().ends, 1_578_009_600_000);
    }

    #[test]
    fn a_post_that_cannot_be_taken_says_why() {
        let good = || json!({"source_url": "https://a.example/1", "published": "2020-01-02T03:04:05Z", "text": "x"});
        assert!(read(good()).is_ok());
        for (name, value) in [
            ("source_url", Value::Null),
            ("published", json!("yesterday")),
            ("media_ids", json!(["7"])),
            ("visibility", json!("private")),
            ("poll", json!({"options": ["a", "b"]})),
        ] {
            let mut bad = good();
            bad[name] = value;
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
