//! `/api/xom/v1/refused`: pictures and other media that this node never holds again (`BLOB-12`).

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_protocol::BlobId;

use crate::http::{ApiError, Call, Sent};

/// A medium that this node is never to hold again.
#[derive(Deserialize, ToSchema)]
pub struct RefuseRequest {
    /// The id of a medium, or an address that ends with it.
    medium: String,
}

/// A medium that is refused from now on.
#[derive(Serialize, ToSchema)]
pub struct RefusedMedium {
    /// Its id, a CID.
    refused: String,
}

/// Refuse a medium
///
/// This node gives it up and never holds it again.
#[utoipa::path(post, path = "/refused", operation_id = "refuseMedium", tag = "keeping", request_body = RefuseRequest,
    responses((status = 200, description = "It is refused", body = RefusedMedium)))]
pub async fn post(call: Call, Sent(wanted): Sent<RefuseRequest>) -> Result<Json<RefusedMedium>, ApiError> {
    let blob = read(&wanted.medium);
    let blob = blob.ok_or_else(|| ApiError::invalid("that is no medium: its id begins with bafkr4i"))?;
    call.node.refuse_blob(blob).await?;
    Ok(Json(RefusedMedium { refused: blob.to_string() }))
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
