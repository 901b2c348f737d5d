//! The feature table: what an algorithm can know of a post, its author and who reads (`ALG-4`, `ALG-12`).
//!
//! A feature never changes its meaning: another meaning gets another name.

use super::value::Shape;

/// The version of the table.
pub const FEATURES_VERSION: u32 = 1;

/// What an algorithm can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// `post`, `author` or `viewer`.
    pub record: &'static str,
    /// The name in the record.
    pub name: &'static str,
    /// Type and bounds.
    pub shape: Shape,
    /// What a number counts; empty for what is no number.
    pub unit: &'static str,
    /// What it says, in a sentence.
    pub meaning: &'static str,
    /// Computed from what only the reader's own nodes know, and so never told to another.
    pub is_private: bool,
}

/// The whole table, in the order of a row.
pub const FEATURES: [Feature; 33] = [
    number("post", "age", "seconds", "How long ago the post was made."),
    number("post", "time", "seconds", "When the post was made, since 1970."),
    number("post", "length", "characters", "How long its text is."),
    texts("post", "languages", 8, 100, "The languages that it is said to be in."),
    texts("post", "tags", 16, 100, "Its tags, in lower case."),
    texts("post", "labels", 16, 64, "What labelers that the reader trusts say of it."),
    truth("post", "is_reply", "It answers another post."),
    truth("post", "is_quote", "It quotes another post."),
    number("post", "depth", "posts", "How many posts of its thread are above it."),
    truth("post", "has_image", "A picture is with it."),
    truth("post", "has_video", "A film is with it."),
    truth("post", "has_audio", "A sound is with it."),
    truth("post", "has_link", "It names a web address."),
    truth("post", "has_poll", "It asks in a poll."),
    truth("post", "has_warning", "It has a content warning."),
    number("post", "replies", "identities", "How many different identities answered it."),
    number("post", "reactions", "identities", "How many different identities reacted to it."),
    number("post", "reposts", "identities", "How many different identities passed it on."),
    number("author", "posts_28d", "posts", "How many posts its author made in the 28 days before."),
    truth("author", "is_bot", "Its author says to be a machine."),
    number("viewer", "now", "seconds", "The time for which the page is made, since 1970."),
    truth("viewer", "is_author", "The reader wrote it."),
    truth("viewer", "follows_author", "The reader follows its author."),
    truth("viewer", "followed_by_author", "Its author follows the reader."),
    number("viewer", "closeness", "thousandths", "How often the reader answered its author or reacted to him lately."),
    number("viewer", "known_repliers", "identities", "How many of those who answered it the reader follows."),
    number("viewer", "known_reposters", "identities", "How many of those who passed it on the reader follows."),
    truth("viewer", "is_mentioned", "It names the reader."),
    truth("viewer", "is_answered", "It answers a post of the reader."),
    truth("viewer", "in_thread", "The reader wrote in its thread."),
    private(truth("viewer", "reads_language", "It is in a language that the reader reads, or in none that is said.")),
    private(number("viewer", "followed_tags", "tags", "How many of its tags the reader follows.")),
    private(truth("viewer", "has_seen", "The reader has seen it on a page before.")),
];

impl Feature {
    /// The feature of that record and name.
    pub fn find(record: &str, name: &str) -> Option<&'static Self> {
        FEATURES.iter().find(|feature| feature.record == record && feature.name == name)
    }

    /// The feature of that path, such as `post.age`.
    pub fn of_path(path: &str) -> Option<&'static Self> {
        path.split_once('.').and_then(|(record, name)| Self::find(record, name))
    }

    /// Record and name, such as `post.age`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.record, self.name)
    }
}

const fn feature(record: &'static str, name: &'static str, shape: Shape, meaning: &'static str) -> Feature {
    Feature { record, name, shape, unit: "", meaning, is_private: false }
}

const fn number(record: &'static str, name: &'static str, unit: &'static str, meaning: &'static str) -> Feature {
    Feature { unit, ..feature(record, name, Shape::INT, meaning) }
}

const fn truth(record: &'static str, name: &'static str, meaning: &'static str) -> Feature {
    feature(record, name, Shape::BOOL, meaning)
}

const fn texts(record: &'static str, name: &'static str, items: u32, bytes: u32, meaning: &'static str) -> Feature {
    feature(record, name, Shape::texts(items, bytes), meaning)
}

const fn private(feature: Feature) -> Feature {
    Feature { is_private: true, ..feature }
}
