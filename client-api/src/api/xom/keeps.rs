//! `/api/xom/v1/keeps`: the identities that this node keeps (`KEEP-1`).

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::keep::{KeepView, Others, Policy, Terms, WishView};
use xom_protocol::{Did, LogId};

use super::answer::About;
use crate::api::entities::timestamp;
use crate::http::{ApiError, Call, Sent};

/// A log of an identity that is kept.
#[derive(Serialize, ToSchema)]
pub struct KeptLog {
    /// Whose.
    did: String,
    /// The log; none while nothing of the identity has come.
    log: Option<String>,
    /// Entries held of it.
    height: u64,
    /// What they take, bytes.
    bytes: u64,
    /// What the identity may take as a whole, bytes.
    quota_bytes: u64,
    /// Until when the promise holds.
    until: String,
}

/// An identity that is kept.
#[derive(Serialize, ToSchema)]
pub struct KeptIdentity {
    /// Whose data.
    did: String,
    /// What is held of it, bytes.
    bytes: u64,
    /// What it may take, bytes.
    quota_bytes: u64,
    /// Since when it is kept.
    since: String,
    /// Until when the promise holds.
    until: String,
    /// It is not told to others that this node keeps it.
    quiet: bool,
    /// Its logs.
    logs: Vec<KeptLog>,
}

/// Whom to keep, and on which terms.
#[derive(Deserialize, ToSchema)]
pub struct KeepRequest {
    /// A DID, an invite, or a name that is known here.
    who: String,
    /// What the identity may take, bytes, from 1 MB to 9 PB; the usual share where it is missing.
    quota_bytes: Option<u64>,
    /// How long the promise holds, milliseconds; the usual time where it is missing.
    for_ms: Option<u64>,
    /// Do not tell others that this node keeps it.
    quiet: Option<bool>,
}

/// The most that an identity is given that asks.
#[derive(Deserialize, ToSchema)]
pub struct AllowKeepRequest {
    /// What it may take, bytes, from 1 MB to 9 PB; the usual share where it is missing.
    quota_bytes: Option<u64>,
    /// How long a promise holds, milliseconds; the usual time where it is missing.
    for_ms: Option<u64>,
}

/// Somebody who may be kept.
#[derive(Serialize, ToSchema)]
pub struct KeepAllowed {
    /// Who.
    did: String,
    /// It had asked and is kept now.
    kept: bool,
}

/// Somebody who asks to be kept.
#[derive(Serialize, ToSchema)]
pub struct KeepWish {
    /// Who.
    did: String,
    /// What it wants to take, bytes.
    quota_bytes: u64,
    /// For how long, milliseconds.
    for_ms: u64,
    /// When it asked.
    asked_at: String,
}

/// Whom this node keeps when it is asked.
#[derive(Serialize, ToSchema)]
pub struct KeepPolicy {
    /// Who may be kept, each on these terms at most.
    allow: Vec<KeepTerms>,
    /// DIDs that may not.
    deny: Vec<String>,
    /// What becomes of the others: `ask` the owner, `refuse`, or keep whom somebody here follows: `followed`.
    others: &'static str,
    /// What all who are kept may take together, bytes.
    total_bytes: u64,
}

/// The most that an identity is given.
#[derive(Serialize, ToSchema)]
pub struct KeepTerms {
    /// Who.
    did: String,
    /// What it may take, bytes.
    quota_bytes: u64,
    /// How long a promise holds, milliseconds.
    for_ms: u64,
}

/// List what is kept
///
/// Each log of each identity that is kept; an identity of which nothing has come yet stands there once, without a
/// log.
#[utoipa::path(get, path = "/keeps", operation_id = "listKeeps", tag = "keeping",
    responses((status = 200, description = "The logs", body = Vec<KeptLog>)))]
pub async fn get(call: Call) -> Result<Json<Vec<KeptLog>>, ApiError> {
    let keeps = call.node.keeps().await?;
    Ok(Json(keeps.iter().flat_map(rows).collect()))
}

/// Keep an identity
///
/// Keeps the identity `who` (a DID, an invite, or a name) with `quota_bytes` for `for_ms`, `quiet` without stating
/// it in the table of who is where.
#[utoipa::path(post, path = "/keeps", operation_id = "keep", tag = "keeping", request_body = KeepRequest,
    responses((status = 200, description = "It is kept", body = Option<KeptIdentity>)))]
pub async fn post(call: Call, Sent(wanted): Sent<KeepRequest>) -> Result<Json<Option<KeptIdentity>>, ApiError> {
    let terms = terms(wanted.quota_bytes, wanted.for_ms)?;
    let named = name(&call, wanted.who.trim().to_owned()).await?;
    let did = call.node.keep(&named, terms, !wanted.quiet.unwrap_or(false)).await?;
    let keep = call.node.keeps().await?.into_iter().find(|keep| keep.did == did);
    Ok(Json(keep.map(|keep| entity(&keep))))
}

/// End a keep
///
/// What is held of the identity goes as far as nobody here follows it.
#[utoipa::path(delete, path = "/keeps/{did}", operation_id = "endKeep", tag = "keeping",
    params(("did" = String, Path, description = "A DID, or a name that is known here")),
    responses((status = 200, description = "It has ended", body = About)))]
pub async fn delete(call: Call, Path(did): Path<String>) -> Result<Json<About>, ApiError> {
    let did: Did = name(&call, did).await?.parse().map_err(|_| ApiError::not_found())?;
    if call.node.end_keep(did).await? { Ok(Json(About { did: did.to_string() })) } else { Err(ApiError::not_found()) }
}

/// Let an identity be kept
///
/// Lets an identity be kept that asks for it, on these terms at most, and keeps it now if it has asked.
#[utoipa::path(post, path = "/keeps/{did}/allow", operation_id = "allowKeep", tag = "keeping",
    params(("did" = String, Path, description = "A DID, or a name that is known here")),
    request_body = AllowKeepRequest,
    responses((status = 200, description = "It may be kept", body = KeepAllowed)))]
pub async fn allow(
    call: Call,
    Path(who): Path<String>,
    Sent(most): Sent<AllowKeepRequest>,
) -> Result<Json<KeepAllowed>, ApiError> {
    let did = did(&call, who).await?;
    let kept = call.node.allow_keep(did, terms(most.quota_bytes, most.for_ms)?).await?;
    Ok(Json(KeepAllowed { did: did.to_string(), kept }))
}

/// Refuse to keep an identity
///
/// Now and later, however often it asks.
#[utoipa::path(post, path = "/keeps/{did}/deny", operation_id = "denyKeep", tag = "keeping",
    params(("did" = String, Path, description = "A DID, or a name that is known here")),
    responses((status = 200, description = "It is refused", body = About)))]
pub async fn deny(call: Call, Path(who): Path<String>) -> Result<Json<About>, ApiError> {
    let did = did(&call, who).await?;
    call.node.deny_keep(did).await?;
    Ok(Json(About { did: did.to_string() }))
}

/// List who asks to be kept
///
/// And waits for the owner.
#[utoipa::path(get, path = "/keeps/requests", operation_id = "listKeepRequests", tag = "keeping",
    responses((status = 200, description = "Who asks", body = Vec<KeepWish>)))]
pub async fn requests(call: Call) -> Result<Json<Vec<KeepWish>>, ApiError> {
    let wishes = call.node.keep_wishes().await?;
    Ok(Json(wishes.iter().map(wish).collect()))
}

/// Show the policy of keeping
///
/// Whom this node keeps when it is asked.
#[utoipa::path(get, path = "/keeps/policy", operation_id = "getKeepPolicy", tag = "keeping",
    responses((status = 200, description = "The policy", body = KeepPolicy)))]
pub async fn policy(call: Call) -> Result<Json<KeepPolicy>, ApiError> {
    Ok(Json(rules(&call.node.keep_policy().await?)))
}

async fn did(call: &Call, who: String) -> Result<Did, ApiError> {
    name(call, who).await?.parse().map_err(|_| ApiError::invalid("not a DID"))
}

fn wish(wish: &WishView) -> KeepWish {
    KeepWish {
        did: wish.did.to_string(),
        quota_bytes: wish.terms.quota_bytes,
        for_ms: wish.terms.for_ms,
        asked_at: timestamp(wish.asked_ms),
    }
}

fn rules(policy: &Policy) -> KeepPolicy {
    let allow = policy.allow.iter();
    let allow =
        allow.map(|(did, most)| KeepTerms { did: did.to_string(), quota_bytes: most.quota_bytes, for_ms: most.for_ms });
    let others = match policy.others {
        Others::Ask => "ask",
        Others::Refuse => "refuse",
        Others::Followed => "followed",
    };
    KeepPolicy {
        allow: allow.collect(),
        deny: policy.deny.iter().map(Did::to_string).collect(),
        others,
        total_bytes: policy.total_bytes,
    }
}

/// What is promised, from what was sent; the usual terms where nothing was.
pub(super) fn terms(quota_bytes: Option<u64>, for_ms: Option<u64>) -> Result<Terms, ApiError> {
    let usual = Terms::default();
    let wrong = || ApiError::invalid("a quota is 1 MB to 9 PB, and a keep holds for at most a hundred years");
    Terms::new(quota_bytes.unwrap_or(usual.quota_bytes), for_ms.unwrap_or(usual.for_ms)).ok_or_else(wrong)
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

fn rows(keep: &KeepView) -> Vec<KeptLog> {
    if keep.logs.is_empty() {
        return vec![row(keep, None, 0, 0)];
    }
    keep.logs.iter().map(|log| row(keep, Some(log.log), log.height, log.bytes)).collect()
}

fn row(keep: &KeepView, log: Option<LogId>, height: u64, bytes: u64) -> KeptLog {
    KeptLog {
        did: keep.did.to_string(),
        log: log.map(|log| log.to_string()),
        height,
        bytes,
        quota_bytes: keep.quota_bytes,
        until: timestamp(keep.until_ms),
    }
}

/// A keep as a whole.
pub fn entity(keep: &KeepView) -> KeptIdentity {
    KeptIdentity {
        did: keep.did.to_string(),
        bytes: keep.bytes,
        quota_bytes: keep.quota_bytes,
        since: timestamp(keep.since_ms),
        until: timestamp(keep.until_ms),
        quiet: !keep.told,
        logs: rows(keep),
    }
}
