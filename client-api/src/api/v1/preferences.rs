//! `/api/v1/preferences`: what a client fills in for a new post, and how it shows what others wrote.

use axum::Json;
use serde_json::{Value, json};
use xom_node::Handle;
use xom_node::private::{POSTING_DEFAULTS, PostingDefaults, read_value};
use xom_protocol::Did;

use crate::http::{ApiError, Call};

/// The preferences.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let posting = posting(&call).await?;
    Ok(Json(json!({
        "posting:default:visibility": visibility(&posting),
        "posting:default:sensitive": posting.sensitive,
        "posting:default:language": posting.language,
        "posting:default:quote_policy": "public",
        "reading:expand:media": "default",
        "reading:expand:spoilers": false,
        "reading:autoplay:gifs": false,
    })))
}

/// What the caller has set.
pub async fn posting(call: &Call) -> Result<PostingDefaults, ApiError> {
    posting_of(&call.node, call.viewer()).await
}

/// What an identity has set.
pub async fn posting_of(node: &Handle, did: Did) -> Result<PostingDefaults, ApiError> {
    let value = node.read(move |reader| reader.setting(&did, POSTING_DEFAULTS)).await?;
    Ok(value.and_then(|value| read_value(&value)).unwrap_or_default())
}

/// Mastodon's word for where new posts show.
pub fn visibility(posting: &PostingDefaults) -> &'static str {
    if posting.unlisted { "unlisted" } else { "public" }
}
