//! What an archive says: posts in their order, what is private, and what could not be taken, with the reason.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::activity::{Draft, Item, read_activity};
use super::archive::{ACTOR, Archive, ArchiveError};
use super::media::resolve_media;
use super::outbox::for_each_item;
use super::poll::ArchivedPoll;

#[cfg(test)]
mod tests;

/// The whole of an archive; `posts`, `private` and `not_taken` together are as many as the outbox has items.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// Whose archive it is.
    pub actor: Actor,
    /// How many items the outbox has.
    pub items: u64,
    /// What can be published, the oldest first.
    pub posts: Vec<ArchivedPost>,
    /// What was never public and must not become so.
    pub private: Vec<PrivatePost>,
    /// What could not be taken.
    pub not_taken: Vec<NotTaken>,
    /// What of the `posts` could be taken only in part.
    pub partial: Vec<NotTaken>,
}

/// The account of an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// Its address, `https://example.com/users/lan`.
    pub id: String,
    /// The user name.
    pub username: String,
    /// The name shown.
    pub display_name: String,
    /// The archive's name for the picture, if it is there.
    pub avatar: Option<String>,
    /// The archive's name for the wide picture, if it is there.
    pub header: Option<String>,
}

/// A post, ready to be published again.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArchivedPost {
    /// Its lasting address, by which it is known and replied to.
    pub source_url: String,
    /// When it was published, milliseconds since 1970.
    pub published_ms: u64,
    /// The text, plain.
    pub text: String,
    /// The content warning; empty for none.
    pub warning: String,
    /// The media are to be hidden at first.
    pub sensitive: bool,
    /// Languages, the main one first.
    pub languages: Vec<String>,
    /// Hash tags without `#`.
    pub tags: Vec<String>,
    /// Who is mentioned.
    pub mentions: Vec<ArchivedMention>,
    /// Web addresses that the text links to, and that of the post of somebody else which this answers.
    pub links: Vec<String>,
    /// The address of the post that this answers.
    pub reply_to: Option<String>,
    /// Media that are in the archive.
    pub attachments: Vec<ArchivedMedia>,
    /// A poll.
    pub poll: Option<ArchivedPoll>,
    /// Who could see it.
    pub visibility: ArchivedVisibility,
}

/// Somebody mentioned in a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchivedMention {
    /// The name, `bob@example.com`.
    pub name: String,
    /// The address of the account.
    pub url: String,
}

/// A media file of a post.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArchivedMedia {
    /// The archive's name for it.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The media type, such as `image/jpeg`.
    pub media_type: String,
    /// The description; empty for none.
    pub alt: String,
    /// A blurred preview.
    pub blurhash: Option<String>,
    /// Width in pixels.
    pub width: Option<u64>,
    /// Height in pixels.
    pub height: Option<u64>,
    /// The point to keep in view, -1 to 1 from the centre: to the right, and up.
    pub focus: Option<(f64, f64)>,
}

/// Where a public post was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ArchivedVisibility {
    /// Everywhere.
    #[default]
    Public,
    /// Not in public timelines.
    Unlisted,
}

/// A post that was for followers or for those named in it only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrivatePost {
    /// Its address.
    pub source_url: String,
    /// Who could see it.
    pub audience: PrivateAudience,
    /// The activity as it is in the archive.
    pub activity: Value,
}

/// Who could see a post that was not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PrivateAudience {
    /// Followers, and who is mentioned.
    Followers,
    /// Only who is mentioned.
    Direct,
}

/// Something that could not be taken, or not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotTaken {
    /// Its address, or its place in the outbox if it has none.
    pub source_url: String,
    /// Why; fits after the address and a colon.
    pub reason: String,
}

impl Contents {
    /// Reads all but the media themselves.
    ///
    /// # Errors
    /// If a JSON file can't be read or is none; what is wrong with a single post goes into the lists.
    pub fn read(archive: &mut Archive) -> Result<Self, ArchiveError> {
        let mut contents = Self { actor: read_actor(archive)?, ..Self::default() };
        let mut drafts = Vec::new();
        let mut known = BTreeSet::new();
        let Self { actor, items, private, not_taken, .. } = &mut contents;
        for_each_item(archive, |activity| {
            *items += 1;
            let item = read_activity(activity, &actor.id, *items);
            if !matches!(item, Item::NotTaken(_)) && !known.insert(item.source_url().to_owned()) {
                let reason = "it is in the outbox twice".to_owned();
                not_taken.push(NotTaken { source_url: item.source_url().to_owned(), reason });
                return;
            }
            match item {
                Item::Post(draft) => drafts.push(*draft),
                Item::Private(post) => private.push(post),
                Item::NotTaken(refused) => not_taken.push(refused),
            }
        })?;
        drafts.sort_by_key(|draft| draft.post.published_ms);
        for draft in drafts {
            contents.finish(draft, archive);
        }
        contents.link_answers();
        Ok(contents)
    }

    /// Looks up the media of a post and puts it into its list.
    fn finish(&mut self, draft: Draft, archive: &Archive) {
        let Draft { mut post, media, mut notes } = draft;
        for attachment in media {
            match resolve_media(attachment, archive) {
                Ok(found) => post.attachments.push(found),
                Err(reason) => notes.push(reason),
            }
        }
        let note = |reason| NotTaken { source_url: post.source_url.clone(), reason };
        if post.is_empty() {
            let reason = if notes.is_empty() { "there is nothing in it".to_owned() } else { notes.join("; ") };
            self.not_taken.push(note(reason));
            return;
        }
        self.partial.extend(notes.into_iter().map(note));
        self.posts.push(post);
    }

    /// An answer to a post that is not taken names it as a link.
    fn link_answers(&mut self) {
        let own: BTreeSet<String> = self.posts.iter().map(|post| post.source_url.clone()).collect();
        for post in &mut self.posts {
            let answered = post.reply_to.clone().filter(|url| !own.contains(url));
            if let Some(url) = answered {
                post.add_link(url);
            }
        }
    }
}

impl ArchivedPost {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.attachments.is_empty() && self.poll.is_none()
    }
}

/// Reads the account, and finds its pictures.
fn read_actor(archive: &mut Archive) -> Result<Actor, ArchiveError> {
    let actor: Value =
        serde_json::from_reader(archive.json(ACTOR)?).map_err(|source| ArchiveError::Json { name: ACTOR, source })?;
    let text = |key: &str| actor[key].as_str().unwrap_or_default().to_owned();
    let picture = |key: &str| actor[key]["url"].as_str().or_else(|| actor[key].as_str());
    Ok(Actor {
        id: text("id"),
        username: text("preferredUsername"),
        display_name: text("name"),
        avatar: picture("icon").and_then(|url| archive.find(url)),
        header: picture("image").and_then(|url| archive.find(url)),
    })
}
