//! Tags.

use serde::Serialize;

use crate::api::text::fold;
use crate::http::Base;

/// A tag by itself.
#[derive(Debug, Clone, Serialize)]
pub struct Tag {
    id: String,
    name: String,
    url: String,
    history: [(); 0],
    following: bool,
    featuring: bool,
}

/// A tag in a status.
#[derive(Debug, Clone, Serialize)]
pub struct StatusTag {
    name: String,
    url: String,
}

impl Tag {
    /// A tag, written without `#`.
    pub fn new(base: &Base, tag: &str) -> Self {
        let name = fold(tag);
        Self { id: name.clone(), url: base.tag(&name), name, history: [], following: false, featuring: false }
    }
}

impl Tag {
    /// The same with whether the caller follows it.
    pub fn followed(self, following: bool) -> Self {
        Self { following, ..self }
    }
}

impl StatusTag {
    /// A tag, written without `#`.
    pub fn new(base: &Base, tag: &str) -> Self {
        let name = fold(tag);
        Self { url: base.tag(&name), name }
    }
}
