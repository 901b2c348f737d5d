//! `/api/xom/v1/backup`: the whole node as a sealed stream. The node writes no file: whoever asks keeps what
//! comes, and only the words open it.

use axum::Json;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use xom_node::ControlAccess;
use xom_node::backup::known_names;

use super::access::{self, ControlRequest};
use super::answer::Nothing;
use crate::http::{ApiError, Call, Sent, stream};

/// Make backups possible
///
/// Makes sure that backups can be sealed for this identity. Takes `words` once, where they were never here.
#[utoipa::path(post, path = "/backup/key", operation_id = "prepareBackup", tag = "archives",
    request_body = ControlRequest,
    responses((status = 200, description = "Backups can be made", body = Nothing)))]
pub async fn prepare(call: Call, Sent(key): Sent<ControlRequest>) -> Result<Json<Nothing>, ApiError> {
    let access = access::of(&call, key.passphrase, key.words)?;
    call.node.prepare_backup(call.viewer(), access).await?;
    Ok(Json(Nothing {}))
}

/// Make a backup
///
/// The whole node as a sealed stream. The body names the files, 16 bytes each, that the asker has already.
#[utoipa::path(post, path = "/backup", operation_id = "makeBackup", tag = "archives",
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "The names of the files that the asker has, 16 bytes each"),
    responses((status = 200, description = "The sealed stream", body = Vec<u8>,
        content_type = "application/octet-stream")))]
pub async fn post(call: Call, known: Bytes) -> Result<Response, ApiError> {
    let known = known_names(&known).ok_or_else(|| ApiError::invalid("the body is not a list of names"))?;
    let did = call.viewer();
    call.node.prepare_backup(did, ControlAccess::Kept).await?;
    let node = call.node;
    let body = stream::body(|outlet| async move { node.backup(did, known, outlet).await.map(|_written| ()) });
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], body).into_response())
}
