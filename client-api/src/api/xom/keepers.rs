//! `/api/xom/v1/keepers`: who was asked to keep this identity, and which copies of its logs there are (`KEEP-8`).

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_node::keep::{AskedView, HolderView, HoldersReport, LogCopies};
use xom_protocol::Did;

use super::keeps::{name, terms};
use crate::api::entities::timestamp;
use crate::http::{ApiError, Call, Params};

/// The copies of the own logs: whoever is connected is asked first, unless `ask` is false.
pub async fn get(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let ask = params.flag("ask").unwrap_or(true);
    Ok(Json(entity(&call.node.holders(call.viewer(), ask).await?)))
}

/// Asks `who` (a DID, an invite or a name) to keep this identity.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let who = params.text("who").ok_or_else(|| ApiError::invalid("who is missing: a DID, an invite or a name"))?;
    let terms = terms(&params)?;
    let named = name(&call, who.trim().to_owned()).await?;
    let did = call.node.ask_keeper(call.viewer(), &named, terms).await?;
    let report = call.node.holders(call.viewer(), true).await?;
    let asked = report.asked.iter().find(|asked| asked.did == did);
    Ok(Json(asked.map_or(Value::Null, one_asked)))
}

/// Does not ask somebody any more.
pub async fn delete(call: Call, Path(did): Path<String>) -> Result<Json<Value>, ApiError> {
    let did: Did = name(&call, did).await?.parse().map_err(|_| ApiError::not_found())?;
    let forgotten = call.node.forget_keeper(call.viewer(), did).await?;
    if forgotten { Ok(Json(json!({ "did": did.to_string() }))) } else { Err(ApiError::not_found()) }
}

/// The report as clients see it.
pub fn entity(report: &HoldersReport) -> Value {
    json!({
        "logs": report.logs.iter().map(|log| one_log(report, log)).collect::<Vec<_>>(),
        "keepers": report.asked.iter().map(one_asked).collect::<Vec<_>>(),
    })
}

fn one_log(report: &HoldersReport, log: &LogCopies) -> Value {
    let holders = report.holders.iter().map(|holder| one_holder(holder, log)).collect::<Vec<_>>();
    json!({
        "log": log.log.to_string(),
        "device": log.device.to_string(),
        "height": log.height,
        "copies": log.copies,
        "behind": log.behind,
        "holders": holders,
    })
}

fn one_holder(holder: &HolderView, log: &LogCopies) -> Value {
    let height = holder.logs.iter().find(|held| held.log == log.log).map_or(0, |held| held.height);
    json!({
        "did": holder.did.to_string(),
        "acct": holder.acct,
        "device": holder.device.to_string(),
        "own": holder.own,
        "height": height,
        "behind": log.height.saturating_sub(height),
        "live": holder.live,
        "stated_at": timestamp(holder.stated_ms),
        "quota_bytes": holder.quota_bytes,
        "until": holder.until_ms.map(timestamp),
    })
}

fn one_asked(asked: &AskedView) -> Value {
    json!({
        "did": asked.did.to_string(),
        "state": asked.state.name(),
        "quota_bytes": asked.terms.quota_bytes,
        "for_ms": asked.terms.for_ms,
        "asked_at": timestamp(asked.asked_ms),
    })
}
