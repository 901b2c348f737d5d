//! `/api/xom/v1/entries/:id`: a signed entry as it lies here, with what lets anybody check it by himself.

use axum::Json;
use axum::extract::Path;
use data_encoding::BASE64;
use serde::Serialize;
use utoipa::ToSchema;
use xom_node::model::EntryProof;
use xom_protocol::EntryId;

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call};

/// An entry with its proof: the hash of its header is its id, each header of `chain` holds the hash of the one before,
/// the signature is over the last, by a key that the operations in `identity` admit.
#[derive(Serialize, ToSchema)]
pub struct EntryView {
    /// Its id, a CID: SHA-256 of the header.
    entry: String,
    /// Whose.
    did: String,
    /// The device that signed.
    device: String,
    /// The log.
    log: String,
    /// Its place in the log, from 0.
    seq: u64,
    /// The hash of the header before it; null at place 0.
    prev: Option<String>,
    /// Its kind.
    kind: String,
    /// When it was written, as its device says.
    created_at: String,
    /// When it came to this node.
    stored_at: String,
    /// The id of its status in Mastodon's API, if it is one.
    status_id: Option<String>,
    /// It was neither erased nor did it become void.
    live: bool,
    /// What its salt and body hash to.
    commitment: String,
    /// The headers as they came, base64: its own first, up to one that is signed.
    chain: Vec<String>,
    /// The signature over the last header of the chain, base64; null where none is held.
    signature: Option<String>,
    /// The salt of its body, base64; null where the body is not to be had.
    salt: Option<String>,
    /// Its body as it came, base64; null where it was erased, or is not held.
    body: Option<String>,
    /// The operations of its author's identity, base64, in order.
    identity: Vec<String>,
}

/// Show an entry with its proof
///
/// Raw bytes, CID and place in the chain, so that a program can check what this node says without believing it. What
/// was erased is told without its body.
#[utoipa::path(get, path = "/entries/{id}", operation_id = "getEntry", tag = "entries",
    params(("id" = String, Path, description = "An entry id, a CID")),
    responses((status = 200, description = "The entry", body = EntryView)))]
pub async fn get(call: Call, Path(id): Path<String>) -> Result<Json<EntryView>, ApiError> {
    let id: EntryId = id.parse().map_err(|_| ApiError::not_found())?;
    let found = call.node.read(move |reader| reader.entry_proof(&id)).await?;
    Ok(Json(view(&found.ok_or_else(ApiError::not_found)?)))
}

fn view(proof: &EntryProof) -> EntryView {
    let header = &proof.header;
    EntryView {
        entry: proof.id.to_string(),
        did: header.author.to_string(),
        device: header.device.to_string(),
        log: header.log.to_string(),
        seq: header.seq,
        prev: header.prev.map(|prev| prev.to_string()),
        kind: header.kind.name().to_owned(),
        created_at: timestamp(header.time_ms),
        stored_at: timestamp(proof.stored_ms),
        status_id: proof.status.map(|status| status.0.to_string()),
        live: proof.is_live,
        commitment: header.commitment.to_string(),
        chain: proof.chain.iter().map(|header| BASE64.encode(header)).collect(),
        signature: proof.signature.map(|signature| BASE64.encode(&signature.0)),
        salt: proof.body.as_ref().map(|body| BASE64.encode(&body.salt)),
        body: proof.body.as_ref().map(|body| BASE64.encode(&body.bytes)),
        identity: proof.identity.iter().map(|object| BASE64.encode(&object.encode())).collect(),
    }
}
