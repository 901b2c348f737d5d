//! `/.well-known/nodeinfo`: where `NodeInfo` is.

use std::future::{Ready, ready};

use axum::Json;
use serde_json::{Value, json};

use crate::http::call::Anonymous;

/// The one link to `NodeInfo` 2.0.
pub fn nodeinfo(Anonymous(base): Anonymous) -> Ready<Json<Value>> {
    let rel = "http://nodeinfo.diaspora.software/ns/schema/2.0";
    ready(Json(json!({"links": [{"rel": rel, "href": base.url("/nodeinfo/2.0")}]})))
}
