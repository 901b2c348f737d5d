//! `/api/xom/v1/guardians`: who can recover the identity.

use axum::Json;
use serde_json::{Value, json};
use xom_protocol::Did;

use super::ownership::words;
use crate::api::entities::Account;
use crate::http::{ApiError, Call, Params};

/// The guardians, as far as this node knows who they are; null where there are none.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let Some(guardians) = call.node.guardians(call.viewer()).await? else { return Ok(Json(Value::Null)) };
    let known = guardians.known.clone();
    let read = move |reader: &xom_node::Reader| known.iter().map(|did| Ok((*did, reader.account(did)?))).collect();
    let known: Vec<(Did, Option<xom_node::model::Account>)> = call.node.read(read).await?;
    let known = known.iter().map(|(did, account)| {
        json!({
            "did": did.to_string(),
            "account": account.as_ref().map(|account| Account::new(&call.base, account)),
        })
    });
    Ok(Json(json!({
        "count": guardians.count,
        "need": guardians.need,
        "known": known.collect::<Vec<_>>(),
    })))
}

/// Names other `accounts` (DIDs or names) as guardians, `need` of whom can recover the identity; none ends
/// guarding. It is a rotation, by `words`.
pub async fn post(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let (words, passphrase) = words(&call, &mut params)?;
    let mut guardians = Vec::new();
    for name in params.texts("accounts") {
        guardians.push(guardian(&call, name.trim().to_owned()).await?);
    }
    let most = u64::try_from(guardians.len()).unwrap_or(u64::MAX);
    let need = params.number("need")?.unwrap_or(most / 2 + 1);
    if !guardians.is_empty() && !(1..=most).contains(&need) {
        return Err(ApiError::invalid(format!("need is 1 to {most}, the number of guardians")));
    }
    let dids: Vec<String> = guardians.iter().map(Did::to_string).collect();
    let kept = call.node.set_guardians(call.viewer(), guardians, need, words, passphrase).await?;
    Ok(Json(json!({ "guardians": dids, "need": need, "control_key": kept.name() })))
}

/// A guardian by DID or name.
async fn guardian(call: &Call, name: String) -> Result<Did, ApiError> {
    if let Ok(did) = name.parse() {
        return Ok(did);
    }
    let wanted = name.clone();
    let account = call.node.read(move |reader| reader.resolve_account(wanted.trim_start_matches('@'))).await?;
    let account =
        account.ok_or_else(|| ApiError::invalid(format!("nobody is known here as {name:?}; give the DID")))?;
    Ok(account.did)
}
