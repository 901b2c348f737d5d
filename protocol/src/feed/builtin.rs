//! The algorithms that every node has from the start. They are files like anybody's, and have no more rights.

use super::algorithm::Algorithm;

/// An algorithm that is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builtin {
    /// A short name for commands.
    pub slug: &'static str,
    /// What its author wrote.
    pub source: &'static str,
}

/// All of them; the first is what is used as long as nobody chooses.
pub const BUILTINS: [Builtin; 5] = [
    Builtin { slug: "newest", source: include_str!("builtin/newest.toml") },
    Builtin { slug: "close-friends", source: include_str!("builtin/close-friends.toml") },
    Builtin { slug: "quiet", source: include_str!("builtin/quiet.toml") },
    Builtin { slug: "conversations", source: include_str!("builtin/conversations.toml") },
    Builtin { slug: "tag-digest", source: include_str!("builtin/tag-digest.toml") },
];

impl Builtin {
    /// The one of that name.
    pub fn find(slug: &str) -> Option<Self> {
        BUILTINS.into_iter().find(|builtin| builtin.slug == slug)
    }

    /// The algorithm.
    pub fn algorithm(self) -> Algorithm {
        Algorithm::from_toml(self.source).expect("a test checks what we ship")
    }
}
