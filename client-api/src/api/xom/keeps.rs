//! `/api/xom/v1/keeps`: the identities that this node keeps (`KEEP-1`).

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_node::keep::{KEEP_FOR_MS, KEEP_QUOTA_BYTES, KeepView, Terms};
use xom_protocol::{Did, LogId};

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call, Params};

/// Each log of each identity that is kept; an identity of which nothing has come yet stands there once, without a
/// log.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let keeps = call.node.keeps().await?;
    Ok(Json(keeps.iter().flat_map(rows).collect()))
}

/// Keeps the identity `who` (a DID, an invite, or a name) with `quota_bytes` for `for_ms`, `quiet` without stating
/// it in the table of who is where.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let who = params.text("who").ok_or_else(|| ApiError::invalid("who is missing: a DID, an invite or a name"))?;
    let terms = terms(&params)?;
    let quiet = params.flag("quiet").unwrap_or(false);
    let named = name(&call, who.trim().to_owned()).await?;
    let did = call.node.keep(&named, terms, !quiet).await?;
    let keep = call.node.keeps().await?.into_iter().find(|keep| keep.did == did);
    Ok(Json(keep.map_or(Value::Null, |keep| entity(&keep))))
}

/// Ends the keep of an identity.
pub async fn delete(call: Call, Path(did): Path<String>) -> Result<Json<Value>, ApiError> {
    let did: Did = name(&call, did).await?.parse().map_err(|_| ApiError::not_found())?;
    if call.node.end_keep(did).await? {
        Ok(Json(json!({ "did": did.to_string() })))
    } else {
        Err(ApiError::not_found())
    }
}

/// What is promised, from what was sent; the usual terms where nothing was.
pub(super) fn terms(params: &Params) -> Result<Terms, ApiError> {
    let quota_bytes = params.number("quota_bytes")?.unwrap_or(KEEP_QUOTA_BYTES);
    let for_ms = params.number("for_ms")?.unwrap_or(KEEP_FOR_MS);
    let wrong = || ApiError::invalid("a quota is 1 MB to 9 PB, and a keep holds for at most a hundred years");
    Terms::new(quota_bytes, for_ms).ok_or_else(wrong)
}

/// An invite or DID as it was given, or the DID of a name.
pub(super) async fn name(call: &Call, who: String) -> Result<String, ApiError> {
    if who.starts_with("did:") || who.starts_with("xom:") {
        return Ok(who);
    }
    let wanted = who.clone();
    let account = call.node.read(move |reader| reader.resolve_account(wanted.trim_start_matches('@'))).await?;
    let nobody = || ApiError::invalid(format!("nobody is known here as {who:?}; give the DID"));
    Ok(account.ok_or_else(nobody)?.did.to_string())
}

fn rows(keep: &KeepView) -> Vec<Value> {
    if keep.logs.is_empty() {
        return vec![row(keep, None, 0, 0)];
    }
    keep.logs.iter().map(|log| row(keep, Some(log.log), log.height, log.bytes)).collect()
}

fn row(keep: &KeepView, log: Option<LogId>, height: u64, bytes: u64) -> Value {
    json!({
        "did": keep.did.to_string(),
        "log": log.map(|log| log.to_string()),
        "height": height,
        "bytes": bytes,
        "quota_bytes": keep.quota_bytes,
        "until": timestamp(keep.until_ms),
    })
}

/// A keep as a whole.
pub fn entity(keep: &KeepView) -> Value {
    json!({
        "did": keep.did.to_string(),
        "bytes": keep.bytes,
        "quota_bytes": keep.quota_bytes,
        "since": timestamp(keep.since_ms),
        "until": timestamp(keep.until_ms),
        "quiet": !keep.told,
        "logs": rows(keep),
    })
}
