//! `/api/xom/v1/refused`: pictures and other media that this node never holds again (`BLOB-12`).

use axum::Json;
use serde_json::{Value, json};
use xom_protocol::BlobId;

use crate::http::{ApiError, Call, Params};

/// Refuses the medium `medium`: its id, or an address that ends with it.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let missing = || ApiError::invalid("medium is missing: the id of a medium, or its address");
    let text = params.text("medium").ok_or_else(missing)?;
    let blob = read(&text).ok_or_else(|| ApiError::invalid("that is no medium: its id begins with bafkr4i"))?;
    call.node.refuse_blob(blob).await?;
    Ok(Json(json!({ "refused": blob.to_string() })))
}

/// The id of a medium in what somebody has copied from somewhere.
fn read(text: &str) -> Option<BlobId> {
    let path = text.trim().trim_end_matches("/preview");
    path.rsplit('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_alone_and_at_the_end_of_an_address() {
        let blob = BlobId::of(b"x");
        for text in [format!("{blob}"), format!(" https://xom.example/media/{blob}/preview"), format!("/media/{blob}")]
        {
            assert_eq!(read(&text), Some(blob), "{text}");
        }
        assert_eq!((read(""), read("/media/"), read("bafkr4i")), (None, None, None));
    }
}
