//! The kind of an entry: an open set of names.

use std::fmt;

use crate::limits::KIND_BYTES_MAX;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What an entry is. A name that this version does not know is kept as [`Kind::Other`] (`LOG-3`).
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
            /// A kind of some other app or of a newer version: stored and served, in no view.
            Other(Box<str>),
        }

        impl Kind {
            /// Reads a name of 1 to 64 bytes of `[a-z0-9.-]`.
            pub fn from_name(name: &str) -> Option<Self> {
                let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
                if name.is_empty() || name.len() > KIND_BYTES_MAX || !name.bytes().all(allowed) {
                    return None;
                }
                Some(match name {
                    $($name => Self::$variant,)*
                    other => Self::Other(other.into()),
                })
            }

            /// The name on the wire.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }
        }
    };
}

kinds! {
    /// Fields of the author's profile.
    Profile = "profile",
    /// A post or reply.
    Post = "post",
    /// A vote in a poll.
    Vote = "vote",
    /// The final result of a poll, by its author.
    PollClose = "poll-close",
    /// A reaction to an entry.
    Reaction = "reaction",
    /// A repost of an entry.
    Repost = "repost",
    /// The author follows somebody.
    Follow = "follow",
    /// The author no longer follows somebody.
    Unfollow = "unfollow",
    /// The author blocks somebody.
    Block = "block",
    /// A new text for a post.
    Edit = "edit",
    /// An entry is taken back.
    Erase = "erase",
    /// The state of the log and of its siblings, at every 256th entry.
    Checkpoint = "checkpoint",
    /// Opens another public log of this device.
    LogOpen = "log-open",
    /// Others' replies are let into a thread of the author.
    Admit = "admit",
    /// An algorithm is announced.
    Algorithm = "algorithm",
    /// What an app keeps in its user's name.
    Record = "record",
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
