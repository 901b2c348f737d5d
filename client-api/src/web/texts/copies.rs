//! Texts of the page of copies.

pub(in crate::web) const TITLE: &str = "Copies of this post";
pub(in crate::web) const LINK: &str = "Who holds a copy";
pub(in crate::web) const POSTED: &str = "Posted";
pub(in crate::web) const ERASED: &str = "erased";
pub(in crate::web) const POST: &str = "Back to the post";
pub(in crate::web) const HERE: &str = "It is on this node.";
pub(in crate::web) const HERE_HIDDEN: &str = "On this node it is hidden, and its bytes go at the latest on";
pub(in crate::web) const HERE_GONE: &str = "Its bytes are gone from this node.";
pub(in crate::web) const HOLDERS: &str = "Known copies";
pub(in crate::web) const HOLDS: &str = "holds it";
pub(in crate::web) const PURGED: &str = "purged";
pub(in crate::web) const HIDDEN: &str = "hidden";
pub(in crate::web) const SILENT: &str = "no answer yet";
pub(in crate::web) const BROKEN: &str = "sent it afterwards";
pub(in crate::web) const ANSWERED: &str = "answered";
pub(in crate::web) const SEEN: &str = "last seen";
pub(in crate::web) const PROMISE: &str =
    "An answer is a signed promise, not a proof: who runs another program may keep what he has.";
