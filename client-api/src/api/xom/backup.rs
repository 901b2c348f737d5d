//! `/api/xom/v1/backup`: the whole node as a sealed stream. The node writes no file: whoever asks keeps what
//! comes, and only the words open it.

use axum::Json;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use xom_node::ControlAccess;
use xom_node::backup::known_names;

use super::access;
use crate::http::{ApiError, Call, Params, stream};

/// `POST /api/xom/v1/backup/key`: makes sure that backups can be sealed for this identity. Takes `words` once,
/// where they were never here.
pub async fn prepare(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    call.node.prepare_backup(call.viewer(), access).await?;
    Ok(Json(json!({})))
}

/// `POST /api/xom/v1/backup`: the body names the files, 16 bytes each, that the asker has already.
pub async fn post(call: Call, known: Bytes) -> Result<Response, ApiError> {
    let known = known_names(&known).ok_or_else(|| ApiError::invalid("the body is not a list of names"))?;
    let did = call.viewer();
    call.node.prepare_backup(did, ControlAccess::Kept).await?;
    let node = call.node;
    let body = stream::body(|outlet| async move { node.backup(did, known, outlet).await.map(|_written| ()) });
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}
