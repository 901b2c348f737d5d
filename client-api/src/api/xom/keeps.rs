//! `/api/xom/v1/keeps`: the identities that this node keeps (`KEEP-1`).

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_node::keep::{KeepView, Others, Policy, Terms, WishView};
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

/// Lets an identity be kept that asks for it, on these terms at most, and keeps it now if it has asked.
pub async fn allow(call: Call, Path(who): Path<String>, params: Params) -> Result<Json<Value>, ApiError> {
    let did = did(&call, who).await?;
    let kept = call.node.allow_keep(did, terms(&params)?).await?;
    Ok(Json(json!({ "did": did.to_string(), "kept": kept })))
}

/// Refuses an identity that asks to be kept, now and later.
pub async fn deny(call: Call, Path(who): Path<String>) -> Result<Json<Value>, ApiError> {
    let did = did(&call, who).await?;
    call.node.deny_keep(did).await?;
    Ok(Json(json!({ "did": did.to_string() })))
}

/// Who asks to be kept, and waits.
pub async fn requests(call: Call) -> Result<Json<Value>, ApiError> {
    let wishes = call.node.keep_wishes().await?;
    Ok(Json(wishes.iter().map(wish).collect()))
}

/// Whom this node keeps when it is asked.
pub async fn policy(call: Call) -> Result<Json<Value>, ApiError> {
    Ok(Json(rules(&call.node.keep_policy().await?)))
}

async fn did(call: &Call, who: String) -> Result<Did, ApiError> {
    name(call, who).await?.parse().map_err(|_| ApiError::invalid("not a DID"))
}

fn wish(wish: &WishView) -> Value {
    json!({
        "did": wish.did.to_string(),
        "quota_bytes": wish.terms.quota_bytes,
        "for_ms": wish.terms.for_ms,
        "asked_at": timestamp(wish.asked_ms),
    })
}

fn rules(policy: &Policy) -> Value {
    let allow = policy
        .allow
        .iter()
        .map(|(did, most)| json!({ "did": did.to_string(), "quota_bytes": most.quota_bytes, "for_ms": most.for_ms }));
    let others = match policy.others {
        Others::Ask => "ask",
        Others::Refuse => "refuse",
        Others::Followed => "followed",
    };
    json!({
        "allow": allow.collect::<Vec<_>>(),
        "deny": policy.deny.iter().map(Did::to_string).collect::<Vec<_>>(),
        "others": others,
        "total_bytes": policy.total_bytes,
    })
}

/// What is promised, from what was sent; the usual terms where nothing was.
pub(super) fn terms(params: &Params) -> Result<Terms, ApiError> {
    let usual = Terms::default();
    let quota_bytes = params.number("quota_bytes")?.unwrap_or(usual.quota_bytes);
    let for_ms = params.number("for_ms")?.unwrap_or(usual.for_ms);
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
