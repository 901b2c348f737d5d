//! `POST /api/xom/v1/import/known`: which original addresses have been imported already.

use axum::Json;
use serde_json::{Value, json};

use crate::http::limits::IMPORT_BATCH_MAX;
use crate::http::{ApiError, Call, Params};

/// Those of `source_urls` that are known.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let sources = params.texts("source_urls");
    if sources.len() > IMPORT_BATCH_MAX {
        return Err(ApiError::invalid(format!("at most {IMPORT_BATCH_MAX} addresses can be asked for at once")));
    }
    let viewer = call.viewer();
    let known = call.node.read(move |reader| reader.imported(&viewer, &sources)).await?;
    let known: Vec<String> = known.into_iter().map(|(source, _)| source).collect();
    Ok(Json(json!({"known": known})))
}
