//! `/api/xom/v1/export`: everything of the identity in one file.

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::{ApiError, Call};

/// The file. Its name holds nothing that somebody chose.
pub async fn get(call: Call) -> Result<Response, ApiError> {
    let did = call.viewer();
    let bytes = call.node.export(did).await?;
    let disposition = format!("attachment; filename=\"{}.xom\"", did.short());
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, bytes).into_response())
}
