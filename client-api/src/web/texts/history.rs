//! Texts of the page with the history of an identity.

pub(in crate::web) const TITLE: &str = "History of this identity";
pub(in crate::web) const LINK: &str = "History";
pub(in crate::web) const WHAT: &str =
    "What was signed about its keys and devices, with the days on which this node first saw it.";
