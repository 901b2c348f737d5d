//! Texts of the page of copies of all posts.

pub(in crate::web) const TITLE: &str = "Copies of your posts";
pub(in crate::web) const LINK: &str = "Copies";
pub(in crate::web) const ASKED: &str = "Whom you asked to keep you";
pub(in crate::web) const KEPT: &str = "Whom you keep";
pub(in crate::web) const OWN: &str = "your own device";
pub(in crate::web) const WHOLE: &str = "up to date";
pub(in crate::web) const MISSING: &str = "behind";
pub(in crate::web) const SILENT: &str = "not heard of lately";
pub(in crate::web) const STATED: &str = "said so on";
pub(in crate::web) const UNTIL: &str = "keeps until";
pub(in crate::web) const OF: &str = "of";
pub(in crate::web) const HOW: &str = "Followers and keepers who were here within two days count. To have a keeper, ask somebody: xom keep ask, with their invite. What they say is a signed promise, not a proof.";
