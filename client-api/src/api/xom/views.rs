//! `POST /api/xom/v1/views/rebuild`: makes all views again from the entries.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{ApiError, Call, Params};

/// Views that were made again.
#[derive(Serialize, ToSchema)]
pub struct Rebuilt {
    /// Entries that were read.
    entries: u64,
}

/// Make all views again
///
/// From the entries. Answers when it is done, with the number of entries read.
#[utoipa::path(post, path = "/views/rebuild", operation_id = "rebuildViews", tag = "node",
    responses((status = 200, description = "It is done", body = Rebuilt)))]
pub async fn rebuild(call: Call, _params: Params) -> Result<Json<Rebuilt>, ApiError> {
    let entries = call.node.rebuild_views().await?;
    Ok(Json(Rebuilt { entries }))
}
