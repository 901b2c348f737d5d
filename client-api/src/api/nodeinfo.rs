//! `/nodeinfo/2.0`: what this is, for tools that ask.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::v2::instance;
use crate::http::{ApiError, App};

/// `NodeInfo` 2.0; `metadata.upstream` tells detectors whose API this speaks.
pub async fn get(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let (_, counts) = instance::contact_and_counts(&app).await?;
    Ok(Json(json!({
        "version": "2.0",
        "software": {"name": "xom", "version": env!("CARGO_PKG_VERSION")},
        "protocols": ["xom"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": false,
        "usage": {
            "users": {"total": counts.users, "activeMonth": counts.users, "activeHalfyear": counts.users},
            "localPosts": counts.statuses,
        },
        "metadata": {"nodeName": "xom", "upstream": {"name": "mastodon"}},
    })))
}
