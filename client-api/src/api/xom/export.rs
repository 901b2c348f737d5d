//! `/api/xom/v1/export`: everything of the identity in one archive, as a stream.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::archive_page::ReadablePage;
use crate::http::{ApiError, Call, stream};

/// Export the identity
///
/// Everything of the identity in one archive, which others can check and import. Its name holds nothing that somebody
/// chose.
#[utoipa::path(get, path = "/export", operation_id = "exportIdentity", tag = "archives",
    responses((status = 200, description = "A tar file", body = Vec<u8>, content_type = "application/x-tar")))]
pub async fn get(call: Call) -> Result<Response, ApiError> {
    let did = call.viewer();
    let node = call.node;
    let body =
        stream::body(|outlet| async move { node.export(did, Arc::new(ReadablePage), outlet).await.map(|_bytes| ()) });
    let disposition = format!("attachment; filename=\"{}.tar\"", did.short());
    let headers = [(header::CONTENT_TYPE, "application/x-tar".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, body).into_response())
}
