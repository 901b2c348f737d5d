//! `/api/xom/v1/export`: everything of the identity in one archive, as a stream.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::archive_page::ReadablePage;
use crate::http::{ApiError, Call, stream};

/// The archive. Its name holds nothing that somebody chose.
pub async fn get(call: Call) -> Result<Response, ApiError> {
    let did = call.viewer();
    let node = call.node;
    let body =
        stream::body(|outlet| async move { node.export(did, Arc::new(ReadablePage), outlet).await.map(|_bytes| ()) });
    let disposition = format!("attachment; filename=\"{}.tar\"", did.short());
    let headers = [(header::CONTENT_TYPE, "application/x-tar".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, body).into_response())
}
