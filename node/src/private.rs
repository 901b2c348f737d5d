//! What an owner sets and no log says, as private settings hold it (`PAIR-8`): every family of keys in one place, and
//! the form of its values.
//!
//! Posts are named by their entry and people by their DID, since settings travel between devices and local ids do
//! not. A value that can't be read counts as absent: another version of the program may have put it.

mod filter;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xom_protocol::{Did, EntryId};

pub use filter::{Filter, FilterContext, FilterHead, FilterHit, FilterKeyword, FilterText};

/// `bookmark/<entry>` -> a cursor: posts put aside.
pub const BOOKMARK: &str = "bookmark/";
/// `pin/<entry>` -> a cursor: own posts that the profile shows first.
pub const PIN: &str = "pin/";
/// `quiet/<entry>` -> a cursor: first posts of threads that notify no more.
pub const QUIET: &str = "quiet/";
/// `mute/<did>` -> a [`Mute`].
pub const MUTE: &str = "mute/";
/// `domain/<name>` -> a cursor: hosts whose accounts are not shown.
pub const DOMAIN: &str = "domain/";
/// `no-reposts/<did>` -> a cursor: people who are followed without what they pass on.
pub const NO_REPOSTS: &str = "no-reposts/";
/// `note/<did>` -> a text: what the owner notes of people.
pub const NOTE: &str = "note/";
/// `tag/<tag in lower case>` -> a cursor: tags that are followed.
pub const TAG: &str = "tag/";
/// `list/<id>` -> a [`ListHead`].
pub const LIST: &str = "list/";
/// `list-member/<list>/<did>` -> a cursor.
pub const LIST_MEMBER: &str = "list-member/";
/// `filter/<id>` -> a [`FilterHead`].
pub const FILTER: &str = "filter/";
/// `filter-keyword/<filter>/<id>` -> a [`FilterKeyword`].
pub const FILTER_KEYWORD: &str = "filter-keyword/";
/// `filter-status/<filter>/<entry>` -> the id of the pair, as a cursor.
pub const FILTER_STATUS: &str = "filter-status/";
/// `notifications/policy` -> a [`NotificationPolicy`].
pub const NOTIFICATION_POLICY: &str = "notifications/policy";
/// `notify/<did>` -> a cursor: people whose notifications are accepted whatever the policy says.
pub const NOTIFY: &str = "notify/";
/// `endorse/<did>` -> a cursor: people whom the profile recommends.
pub const ENDORSE: &str = "endorse/";
/// `featured-tag/<tag in lower case>` -> a cursor, which is its id: tags that the profile shows.
pub const FEATURED_TAG: &str = "featured-tag/";
/// `no-suggestion/<did>` -> a cursor: people who are not suggested any more.
pub const NO_SUGGESTION: &str = "no-suggestion/";
/// `posting/defaults` -> [`PostingDefaults`].
pub const POSTING_DEFAULTS: &str = "posting/defaults";

/// Somebody who is not shown for a while, or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// Orders the list of mutes.
    pub cursor: u64,
    /// What they do is not notified either.
    pub notifications: bool,
    /// Until when, milliseconds since 1970; none for good.
    pub until_ms: Option<u64>,
}

/// A list of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListHead {
    /// Its name.
    pub title: String,
    /// Which answers it shows.
    pub replies: ListReplies,
    /// Its members are not shown at home.
    pub exclusive: bool,
}

/// Which answers a list shows, besides those of somebody to himself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListReplies {
    /// To whomever the viewer follows.
    Followed,
    /// To members of the list.
    #[default]
    List,
    /// None.
    None,
}

/// Whose notifications are not shown, and whose wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotificationPolicy {
    /// Of whom the viewer does not follow.
    pub drop_not_following: bool,
    /// Of whoever does not follow the viewer.
    pub drop_not_followers: bool,
    /// Of who has been here for a short time.
    pub drop_new_accounts: bool,
    /// These wait until the viewer looks at them: of whom he does not follow.
    pub filter_not_following: bool,
    /// Of whoever does not follow the viewer.
    pub filter_not_followers: bool,
    /// Of who has been here for a short time.
    pub filter_new_accounts: bool,
}

/// What a client fills in for a new post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PostingDefaults {
    /// Unlisted instead of public.
    pub unlisted: bool,
    /// Media are hidden at first.
    pub sensitive: bool,
    /// The language.
    pub language: Option<String>,
}

/// True for a key that says what is filtered.
pub fn is_of_filters(key: &str) -> bool {
    [FILTER, FILTER_KEYWORD, FILTER_STATUS].iter().any(|family| key.starts_with(family))
}

/// The key of an entry in a family.
pub fn entry_key(family: &str, entry: &EntryId) -> String {
    format!("{family}{}", data_encoding::HEXLOWER.encode(&entry.0))
}

/// The entry that the end of a key names.
pub fn entry_of(key: &str) -> Option<EntryId> {
    let (_, hex) = key.rsplit_once('/')?;
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?;
    Some(EntryId(bytes.try_into().ok()?))
}

/// The DID that the end of a key names.
pub fn did_of(key: &str) -> Option<Did> {
    key.rsplit_once('/')?.1.parse().ok()
}

/// A cursor as a value.
pub fn cursor_value(cursor: u64) -> Vec<u8> {
    cursor.to_be_bytes().to_vec()
}

/// The cursor of a value.
pub fn cursor_of(value: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(value.try_into().ok()?))
}

/// A value with members.
pub fn value_of<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Reads a value with members.
pub fn read_value<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_read_back_and_strange_ones_are_none() {
        let entry = EntryId([7; 32]);
        assert_eq!(entry_of(&entry_key(BOOKMARK, &entry)), Some(entry));
        let did = Did([9; 32]);
        assert_eq!(did_of(&format!("{LIST_MEMBER}17/{did}")), Some(did));
        assert_eq!(cursor_of(&cursor_value(u64::MAX - 1)), Some(u64::MAX - 1));
        let mute = Mute { cursor: 3, notifications: true, until_ms: Some(5) };
        assert_eq!(read_value(&value_of(&mute)), Some(mute));
        assert_eq!((entry_of("bookmark/xyz"), did_of("mute/nobody"), cursor_of(b"short")), (None, None, None));
        assert_eq!(read_value::<Mute>(b"{}"), None);
        assert_eq!(read_value::<NotificationPolicy>(b"{}"), Some(NotificationPolicy::default()));
    }
}
