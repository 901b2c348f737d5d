//! What can be listened to: Mastodon's streams by their names, and which events each takes.

use xom_node::folded_tag;
use xom_node::model::PublicScope;

use crate::http::form::parse_id;
use crate::http::{ApiError, ErrorKind};

/// Longest tag that is listened to, bytes.
const TAG_BYTES_MAX: usize = 512;

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Channel {
    /// The home timeline and notifications.
    User,
    /// Notifications alone.
    Notifications,
    /// Public posts.
    Public {
        /// Whose.
        scope: PublicScope,
        /// Only those with media.
        only_media: bool,
    },
    /// Public posts with a tag.
    Hashtag {
        /// As the client wrote it.
        tag: String,
        /// Only of this node's identities.
        is_local: bool,
    },
    /// What a list of the caller shows.
    List(u64),
    /// Messages to the caller alone, of which there are none yet.
    Direct,
}

/// Where an event belongs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// Every stream that shows statuses.
    pub everywhere: bool,
    /// The home timeline.
    pub home: bool,
    /// Notifications.
    pub notification: bool,
    /// The public timeline.
    pub public: bool,
    /// By an identity of this node.
    pub local: bool,
    /// With media.
    pub media: bool,
    /// Tags under which it is listed, folded.
    pub tags: Vec<String>,
    /// Lists of the caller that show it.
    pub lists: Vec<u64>,
    /// The caller himself, whatever he reads.
    pub own: bool,
}

impl Channel {
    /// The stream of a name and what goes with it.
    pub fn read(name: &str, tag: Option<&str>, list: Option<&str>) -> Result<Self, ApiError> {
        let malformed = |text: &str| ApiError::with_text(ErrorKind::Malformed, text);
        let public = |scope, only_media| Self::Public { scope, only_media };
        let tag = || match tag.map(|tag| tag.trim_start_matches('#')) {
            Some(tag) if tag.is_empty() || tag.len() > TAG_BYTES_MAX => Err(malformed("That is no tag")),
            Some(tag) => Ok(tag.to_owned()),
            None => Err(malformed("Missing tag name parameter")),
        };
        Ok(match name {
            "user" => Self::User,
            "user:notification" => Self::Notifications,
            "public" => public(PublicScope::All, false),
            "public:media" => public(PublicScope::All, true),
            "public:local" => public(PublicScope::Local, false),
            "public:local:media" => public(PublicScope::Local, true),
            "public:remote" => public(PublicScope::Remote, false),
            "public:remote:media" => public(PublicScope::Remote, true),
            "hashtag" => Self::Hashtag { tag: tag()?, is_local: false },
            "hashtag:local" => Self::Hashtag { tag: tag()?, is_local: true },
            "list" => match list {
                Some(list) => Self::List(parse_id(list.trim()).ok_or_else(|| malformed("That is no list"))?),
                None => return Err(malformed("Missing list parameter")),
            },
            "direct" => Self::Direct,
            _ => return Err(malformed("Unknown stream type")),
        })
    }

    /// How a frame names it.
    pub fn labels(&self) -> Vec<String> {
        let name = match self {
            Self::User => "user",
            Self::Notifications => "user:notification",
            Self::Public { scope: PublicScope::All, only_media: false } => "public",
            Self::Public { scope: PublicScope::All, only_media: true } => "public:media",
            Self::Public { scope: PublicScope::Local, only_media: false } => "public:local",
            Self::Public { scope: PublicScope::Local, only_media: true } => "public:local:media",
            Self::Public { scope: PublicScope::Remote, only_media: false } => "public:remote",
            Self::Public { scope: PublicScope::Remote, only_media: true } => "public:remote:media",
            Self::Hashtag { is_local: false, .. } => "hashtag",
            Self::Hashtag { is_local: true, .. } => "hashtag:local",
            Self::List(_) => "list",
            Self::Direct => "direct",
        };
        let more = match self {
            Self::Hashtag { tag, .. } => Some(tag.clone()),
            Self::List(id) => Some(id.to_string()),
            _ => None,
        };
        std::iter::once(name.to_owned()).chain(more).collect()
    }

    /// True if an event belongs here.
    pub fn takes(&self, facets: &Facets) -> bool {
        match self {
            Self::User => facets.home || facets.notification || facets.everywhere || facets.own,
            Self::Notifications => facets.notification,
            Self::Public { scope, only_media } => {
                let in_scope = match scope {
                    PublicScope::All => true,
                    PublicScope::Local => facets.local,
                    PublicScope::Remote => !facets.local,
                };
                facets.everywhere || facets.public && in_scope && (!only_media || facets.media)
            }
            Self::Hashtag { tag, is_local } => {
                let has = || facets.tags.contains(&folded_tag(tag));
                facets.everywhere || (!is_local || facets.local) && has()
            }
            Self::List(id) => facets.everywhere || facets.lists.contains(id),
            Self::Direct => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_an_unknown_one_is_refused() {
        for (name, tag) in [
            ("user", None),
            ("user:notification", None),
            ("public", None),
            ("public:local:media", None),
            ("public:remote", None),
            ("hashtag", Some("xóm")),
            ("hashtag:local", Some("xóm")),
            ("direct", None),
        ] {
            let labels = Channel::read(name, tag, None).expect(name).labels();
            assert_eq!(labels, std::iter::once(name).chain(tag).collect::<Vec<_>>());
        }
        assert_eq!(Channel::read("list", None, Some("17")).expect("a list").labels(), ["list", "17"]);
        for (name, tag, list) in [
            ("users", None, None),
            ("hashtag", None, None),
            ("hashtag", Some("#"), None),
            ("list", None, None),
            ("list", None, Some("x")),
        ] {
            assert_eq!(Channel::read(name, tag, list).expect_err(name).kind(), ErrorKind::Malformed);
        }
    }

    #[test]
    fn a_tag_with_an_accent_is_another_tag() {
        let facets = Facets { tags: vec![folded_tag("Xóm")], ..Facets::default() };
        let takes = |tag: &str| Channel::Hashtag { tag: tag.into(), is_local: false }.takes(&facets);
        assert!(takes("xóm") && takes("XO\u{301}M"));
        assert!(!takes("xom"));
        assert!(!Channel::Hashtag { tag: "xóm".into(), is_local: true }.takes(&facets));
    }

    #[test]
    fn a_deletion_goes_wherever_statuses_are_shown_and_not_to_notifications() {
        let gone = Facets { everywhere: true, ..Facets::default() };
        let shows = |name, tag| Channel::read(name, tag, Some("17")).expect(name).takes(&gone);
        assert!(["user", "public", "public:local:media"].into_iter().all(|name| shows(name, None)));
        assert!(shows("hashtag", Some("x")) && shows("list", None));
        assert!(!shows("user:notification", None) && !shows("direct", None));
    }
}
