//! Gossip: what nodes tell each other about topics they share, so that a new head is heard of before it is asked for.
//!
//! An announcement is a header with its signature and nothing else. It may be lost: comparison (chapter 04) is the
//! truth, and an announcement only says where to look sooner.

mod announcement;
mod shares;
mod topic;

pub use announcement::{Announcement, AnnouncementError, message_id};
pub use shares::Share;
pub use topic::Topic;
