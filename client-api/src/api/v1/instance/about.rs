//! `/api/v1/instance/{rules,extended_description,privacy_policy,peers,activity,domain_blocks,translation_languages}`:
//! the node as an instance, in parts. Needs no token; says nothing of whom its owner reads.

use axum::Json;
use serde_json::{Value, json};

use crate::api::entities::{html, timestamp};
use crate::http::call::Anonymous;

/// What the node is, in some words.
const DESCRIPTION: &str = "A node of xom, a decentralized social network. Who lives here keeps an own copy of what \
    he reads and writes; nobody else runs it for him.";
/// What happens to what one writes.
const PRIVACY: &str = "Public posts are readable by everybody and are kept by everybody who follows their author. \
    What is erased is hidden at once, and purged by every node that hears of it. What the owner sets for himself \
    stays on his own devices.";
/// When the texts were written, milliseconds since 1970: 2026-11-29.
const WRITTEN_MS: u64 = 1_795_910_400_000;

/// The description.
pub async fn extended_description(_base: Anonymous) -> Json<Value> {
    Json(json!({ "updated_at": timestamp(WRITTEN_MS), "content": html::of_text(DESCRIPTION) }))
}

/// What happens to what one writes.
pub async fn privacy_policy(_base: Anonymous) -> Json<Value> {
    Json(json!({ "updated_at": timestamp(WRITTEN_MS), "content": html::of_text(PRIVACY) }))
}

/// No language is translated.
pub async fn translation_languages(_base: Anonymous) -> Json<Value> {
    Json(json!({}))
}
