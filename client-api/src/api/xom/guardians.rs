//! `/api/xom/v1/guardians`: who can recover the identity.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_protocol::Did;

use super::ownership::words;
use crate::api::entities::Account;
use crate::http::{ApiError, Call, Secret, Sent};

/// Who can recover the identity.
#[derive(Serialize, ToSchema)]
pub struct Guardians {
    /// How many there are.
    count: usize,
    /// How many of them must approve.
    need: u64,
    /// Those of whom this node knows who they are.
    known: Vec<Guardian>,
}

/// Somebody who can help to recover the identity.
#[derive(Serialize, ToSchema)]
pub struct Guardian {
    /// Who.
    did: String,
    /// Mastodon's entity `Account`; none where it is not held here.
    #[schema(value_type = Option<Object>)]
    account: Option<Account>,
}

/// Other guardians.
#[derive(Deserialize, ToSchema)]
pub struct GuardiansRequest {
    /// DIDs, or names that are known here; none ends guarding.
    #[serde(default)]
    accounts: Vec<String>,
    /// How many of them must approve; more than half where it is missing.
    need: Option<u64>,
    /// The 24 words: it is a rotation.
    #[schema(value_type = String)]
    words: Option<Secret>,
    /// Seals a new control key that is kept sealed.
    #[schema(value_type = Option<String>)]
    passphrase: Option<Secret>,
}

/// The guardians from now on.
#[derive(Serialize, ToSchema)]
pub struct GuardiansSet {
    /// Their DIDs.
    guardians: Vec<String>,
    /// How many of them must approve.
    need: u64,
    /// How the new control key lies on this node.
    control_key: &'static str,
}

/// Show the guardians
///
/// The guardians, as far as this node knows who they are; null where there are none.
#[utoipa::path(get, path = "/guardians", operation_id = "getGuardians", tag = "recovery",
    responses((status = 200, description = "The guardians, or null", body = Option<Guardians>)))]
pub async fn get(call: Call) -> Result<Json<Option<Guardians>>, ApiError> {
    let Some(guardians) = call.node.guardians(call.viewer()).await? else { return Ok(Json(None)) };
    let known = guardians.known.clone();
    let read = move |reader: &xom_node::Reader| known.iter().map(|did| Ok((*did, reader.account(did)?))).collect();
    let known: Vec<(Did, Option<xom_node::model::Account>)> = call.node.read(read).await?;
    let known = known.iter().map(|(did, account)| Guardian {
        did: did.to_string(),
        account: account.as_ref().map(|account| Account::new(&call.base, account)),
    });
    Ok(Json(Some(Guardians { count: guardians.count, need: guardians.need, known: known.collect() })))
}

/// Name other guardians
///
/// Names other `accounts` (DIDs or names) as guardians, `need` of whom can recover the identity; none ends
/// guarding. It is a rotation, by `words`.
#[utoipa::path(post, path = "/guardians", operation_id = "setGuardians", tag = "recovery",
    request_body = GuardiansRequest,
    responses((status = 200, description = "They are named", body = GuardiansSet)))]
pub async fn post(call: Call, Sent(wanted): Sent<GuardiansRequest>) -> Result<Json<GuardiansSet>, ApiError> {
    let (words, passphrase) = words(&call, wanted.words, wanted.passphrase)?;
    let mut guardians = Vec::new();
    for name in wanted.accounts {
        guardians.push(guardian(&call, name.trim().to_owned()).await?);
    }
    let most = u64::try_from(guardians.len()).unwrap_or(u64::MAX);
    let need = wanted.need.unwrap_or(most / 2 + 1);
    if !guardians.is_empty() && !(1..=most).contains(&need) {
        return Err(ApiError::invalid(format!("need is 1 to {most}, the number of guardians")));
    }
    let dids: Vec<String> = guardians.iter().map(Did::to_string).collect();
    let kept = call.node.set_guardians(call.viewer(), guardians, need, words, passphrase).await?;
    Ok(Json(GuardiansSet { guardians: dids, need, control_key: kept.name() }))
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
