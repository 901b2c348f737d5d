//! `POST /api/xom/v1/compact`: gives the space of purged data back and overwrites what purges left behind.

use axum::Json;

use super::answer::Nothing;
use crate::http::{ApiError, Call, Params};

/// Give space back
///
/// Gives the space of purged data back and overwrites what purges left behind. Answers when it is done.
#[utoipa::path(post, path = "/compact", operation_id = "compact", tag = "node",
    responses((status = 200, description = "It is done", body = Nothing)))]
pub async fn post(call: Call, _params: Params) -> Result<Json<Nothing>, ApiError> {
    call.node.compact().await?;
    Ok(Json(Nothing {}))
}
