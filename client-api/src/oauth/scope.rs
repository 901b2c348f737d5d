//! Scopes: what an app may do, in Mastodon's names, and ours beside them.

use std::collections::BTreeSet;
use std::fmt;

/// Every scope with what it lets an app do, as the page of consent says it.
const ALL: &[(&str, &str)] = &[
    ("read", "read everything that you can read here, your notifications, lists and blocks too"),
    ("write", "do everything in your name: post, erase, follow, block, change your profile"),
    ("follow", "see and change whom you follow, mute and block"),
    ("push", "be told at once what happens to you"),
    ("profile", "know who you are"),
    ("read:accounts", "read accounts"),
    ("read:blocks", "see whom you block"),
    ("read:bookmarks", "see your bookmarks"),
    ("read:favourites", "see what you like"),
    ("read:filters", "see your filters"),
    ("read:follows", "see whom you follow"),
    ("read:lists", "see your lists"),
    ("read:mutes", "see whom you mute"),
    ("read:notifications", "read your notifications"),
    ("read:search", "search as you"),
    ("read:statuses", "read posts and timelines"),
    ("write:accounts", "change your profile"),
    ("write:blocks", "block and unblock"),
    ("write:bookmarks", "change your bookmarks"),
    ("write:conversations", "mark and delete conversations"),
    ("write:favourites", "like in your name"),
    ("write:filters", "change your filters"),
    ("write:follows", "follow and unfollow in your name"),
    ("write:lists", "change your lists"),
    ("write:media", "upload pictures, sound and video"),
    ("write:mutes", "mute people and conversations"),
    ("write:notifications", "clear your notifications"),
    ("write:reports", "report others"),
    ("write:statuses", "post, edit and erase in your name"),
    ("xom:copies", "see who holds copies of your posts"),
    ("xom:entries", "read signed entries, and sign entries of its own kinds"),
    ("xom:invites", "see and make your invites"),
    ("xom:network", "see the state of this node and with whom it is connected"),
    ("xom:records", "keep records on your node, which all who follow you can read, and read theirs"),
    ("admin:read", "nothing here: this node has no administration for apps"),
    ("admin:write", "nothing here: this node has no administration for apps"),
];

/// What Mastodon's old `follow` stands for.
const FOLLOW: [&str; 6] = ["read:blocks", "write:blocks", "read:follows", "write:follows", "read:mutes", "write:mutes"];

/// A set of scopes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(BTreeSet<&'static str>);

/// A scope that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such scope: {0}")]
pub struct UnknownScope(String);

/// True for a scope that can be asked for.
pub fn is_known(name: &str) -> bool {
    find(name).is_some()
}

/// Every scope, for the metadata.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

/// Every scope with what it lets an app do.
pub fn explained() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().copied()
}

fn find(name: &str) -> Option<&'static (&'static str, &'static str)> {
    ALL.iter().find(|(known, _)| *known == name)
}

impl Scopes {
    /// Reads scopes with blanks or plus signs between them; `read` where there are none, as Mastodon does.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        let mut scopes = BTreeSet::new();
        for word in text.split([' ', '+', '\n']).filter(|word| !word.is_empty()) {
            let (name, _) = find(word).ok_or_else(|| UnknownScope(word.chars().take(64).collect()))?;
            scopes.insert(*name);
        }
        if scopes.is_empty() {
            scopes.insert("read");
        }
        Ok(Self(scopes))
    }

    /// True if these scopes let somebody do what `scope` does.
    pub fn cover(&self, scope: &str) -> bool {
        if self.0.contains(scope) {
            return true;
        }
        let parent = scope.split_once(':').is_some_and(|(parent, _)| self.0.contains(parent));
        let follow = FOLLOW.contains(&scope) && self.0.contains("follow");
        // Whoever may read accounts may know whose they are.
        let profile = scope == "profile" && (self.0.contains("read") || self.0.contains("read:accounts"));
        let whole = scope == "follow" && FOLLOW.iter().all(|part| self.cover(part));
        parent || follow || profile || whole
    }

    /// True if these scopes cover all of others.
    pub fn cover_all(&self, others: &Self) -> bool {
        others.0.iter().all(|scope| self.cover(scope))
    }

    /// Each scope with what it lets an app do.
    pub fn explained(&self) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
        ALL.iter().copied().filter(|(name, _)| self.0.contains(name))
    }

    /// The names.
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().copied().collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).unwrap()
    }

    #[test]
    fn a_scope_covers_what_is_below_it_and_nothing_beside_it() {
        assert!(scopes("read").cover("read:statuses"));
        assert!(!scopes("read").cover("write:statuses"));
        assert!(!scopes("read:statuses").cover("read"));
        assert!(!scopes("read:statuses").cover("read:lists"));
        assert!(!scopes("read write").cover("push"));
        assert!(!scopes("read write follow push").cover("xom:invites"));
        assert!(!scopes("read write").cover("admin:read"));
    }

    #[test]
    fn the_old_follow_stands_for_follows_blocks_and_mutes() {
        assert!(scopes("follow").cover("write:follows") && scopes("follow").cover("read:mutes"));
        assert!(!scopes("follow").cover("write:statuses"));
        assert!(scopes("read write").cover("follow"));
        assert!(scopes("profile").cover("profile") && scopes("read:accounts").cover("profile"));
        assert!(!scopes("profile").cover("read:accounts"));
    }

    #[test]
    fn scopes_are_read_and_written_with_blanks_and_unknown_ones_are_refused() {
        assert_eq!(scopes("write read+follow").to_string(), "follow read write");
        assert_eq!(scopes(" ").to_string(), "read");
        assert!(Scopes::parse("read everything").is_err());
        assert!(Scopes::parse("READ").is_err());
    }

    #[test]
    fn an_app_gets_no_more_than_it_is_registered_for() {
        assert!(scopes("read write").cover_all(&scopes("read:statuses write")));
        assert!(!scopes("read").cover_all(&scopes("read write")));
    }
}
