//! `POST /api/xom/v1/import/known`: which original addresses have been imported already.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::limits::IMPORT_BATCH_MAX;
use crate::http::{ApiError, Call, Sent};

/// Addresses that are asked for.
#[derive(Deserialize, ToSchema)]
pub struct KnownRequest {
    /// At most 1,000 original addresses.
    #[serde(default)]
    source_urls: Vec<String>,
}

/// Addresses that are known.
#[derive(Serialize, ToSchema)]
pub struct KnownSources {
    /// Those of the request that were imported.
    known: Vec<String>,
}

/// Show what was imported
///
/// Those of `source_urls` whose posts were imported already.
#[utoipa::path(post, path = "/import/known", operation_id = "findImported", tag = "archives",
    request_body = KnownRequest,
    responses((status = 200, description = "The addresses that are known", body = KnownSources)))]
pub async fn post(call: Call, Sent(wanted): Sent<KnownRequest>) -> Result<Json<KnownSources>, ApiError> {
    let sources = wanted.source_urls;
    if sources.len() > IMPORT_BATCH_MAX {
        return Err(ApiError::invalid(format!("at most {IMPORT_BATCH_MAX} addresses can be asked for at once")));
    }
    let viewer = call.viewer();
    let known = call.node.read(move |reader| reader.imported(&viewer, &sources)).await?;
    Ok(Json(KnownSources { known: known.into_iter().map(|(source, _)| source).collect() }))
}
