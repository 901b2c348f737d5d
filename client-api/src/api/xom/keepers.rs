//! `/api/xom/v1/keepers`: who was asked to keep this identity, and which copies of its logs there are (`KEEP-8`).

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use xom_node::keep::{AskedView, HolderView, HoldersReport, LogCopies};
use xom_protocol::Did;

use super::answer::About;
use super::keeps::{name, terms};
use crate::api::entities::timestamp;
use crate::http::{ApiError, Call, Sent};

/// Whether keepers are asked first.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct KeepersQuery {
    /// Ask whoever is connected first what he holds; true where it is missing.
    ask: Option<bool>,
}

/// Which copies of the own logs there are.
#[derive(Serialize, ToSchema)]
pub struct LogHolders {
    /// The own logs.
    logs: Vec<LogCopiesView>,
    /// Who was asked to keep this identity.
    keepers: Vec<AskedKeeper>,
}

/// The copies of a log.
#[derive(Serialize, ToSchema)]
pub struct LogCopiesView {
    /// The log.
    log: String,
    /// The device that writes it.
    device: String,
    /// Entries of it here.
    height: u64,
    /// Copies of which this node knows.
    copies: u64,
    /// Copies that lack something.
    behind: u64,
    /// Who holds it.
    holders: Vec<LogHolder>,
}

/// A device that has stated what it holds of a log.
#[derive(Serialize, ToSchema)]
pub struct LogHolder {
    /// Whose device, a DID.
    did: String,
    /// What that account is called here.
    acct: Option<String>,
    /// The device.
    device: String,
    /// It is another device of the author.
    own: bool,
    /// Entries that it holds.
    height: u64,
    /// Entries that it lacks.
    behind: u64,
    /// It has answered just now.
    live: bool,
    /// When it stated that.
    stated_at: String,
    /// What it has promised, bytes.
    quota_bytes: u64,
    /// Until when it has promised to keep it.
    until: Option<String>,
}

/// Somebody who was asked to keep this identity.
#[derive(Serialize, ToSchema)]
pub struct AskedKeeper {
    /// Who.
    did: String,
    /// What became of it.
    state: &'static str,
    /// For how much, bytes.
    quota_bytes: u64,
    /// For how long, milliseconds.
    for_ms: u64,
    /// When.
    asked_at: String,
}

/// Whom to ask, and for what.
#[derive(Deserialize, ToSchema)]
pub struct KeeperRequest {
    /// A DID, an invite, or a name that is known here.
    who: String,
    /// What this identity may take there, bytes, from 1 MB to 9 PB; the usual share where it is missing.
    quota_bytes: Option<u64>,
    /// How long, milliseconds; the usual time where it is missing.
    for_ms: Option<u64>,
}

/// Show who holds the own logs
///
/// The copies of the own logs: whoever is connected is asked first, unless `ask` is false.
#[utoipa::path(get, path = "/keepers", operation_id = "listKeepers", tag = "keeping", params(KeepersQuery),
    responses((status = 200, description = "The copies", body = LogHolders)))]
pub async fn get(call: Call, Sent(query): Sent<KeepersQuery>) -> Result<Json<LogHolders>, ApiError> {
    Ok(Json(entity(&call.node.holders(call.viewer(), query.ask.unwrap_or(true)).await?)))
}

/// Ask somebody to keep this identity
///
/// Asks `who` (a DID, an invite or a name).
#[utoipa::path(post, path = "/keepers", operation_id = "askKeeper", tag = "keeping", request_body = KeeperRequest,
    responses((status = 200, description = "What is known of the answer", body = Option<AskedKeeper>)))]
pub async fn post(call: Call, Sent(wanted): Sent<KeeperRequest>) -> Result<Json<Option<AskedKeeper>>, ApiError> {
    let terms = terms(wanted.quota_bytes, wanted.for_ms)?;
    let named = name(&call, wanted.who.trim().to_owned()).await?;
    let did = call.node.ask_keeper(call.viewer(), &named, terms).await?;
    let report = call.node.holders(call.viewer(), true).await?;
    let asked = report.asked.iter().find(|asked| asked.did == did);
    Ok(Json(asked.map(one_asked)))
}

/// Ask a keeper no more
///
/// He keeps what he promised to keep.
#[utoipa::path(delete, path = "/keepers/{did}", operation_id = "forgetKeeper", tag = "keeping",
    params(("did" = String, Path, description = "A DID, or a name that is known here")),
    responses((status = 200, description = "He is not asked any more", body = About)))]
pub async fn delete(call: Call, Path(did): Path<String>) -> Result<Json<About>, ApiError> {
    let did: Did = name(&call, did).await?.parse().map_err(|_| ApiError::not_found())?;
    let forgotten = call.node.forget_keeper(call.viewer(), did).await?;
    if forgotten { Ok(Json(About { did: did.to_string() })) } else { Err(ApiError::not_found()) }
}

/// The report as clients see it.
pub fn entity(report: &HoldersReport) -> LogHolders {
    LogHolders {
        logs: report.logs.iter().map(|log| one_log(report, log)).collect(),
        keepers: report.asked.iter().map(one_asked).collect(),
    }
}

fn one_log(report: &HoldersReport, log: &LogCopies) -> LogCopiesView {
    LogCopiesView {
        log: log.log.to_string(),
        device: log.device.to_string(),
        height: log.height,
        copies: log.copies,
        behind: log.behind,
        holders: report.holders.iter().map(|holder| one_holder(holder, log)).collect(),
    }
}

fn one_holder(holder: &HolderView, log: &LogCopies) -> LogHolder {
    let height = holder.logs.iter().find(|held| held.log == log.log).map_or(0, |held| held.height);
    LogHolder {
        did: holder.did.to_string(),
        acct: holder.acct.clone(),
        device: holder.device.to_string(),
        own: holder.own,
        height,
        behind: log.height.saturating_sub(height),
        live: holder.live,
        stated_at: timestamp(holder.stated_ms),
        quota_bytes: holder.quota_bytes,
        until: holder.until_ms.map(timestamp),
    }
}

fn one_asked(asked: &AskedView) -> AskedKeeper {
    AskedKeeper {
        did: asked.did.to_string(),
        state: asked.state.name(),
        quota_bytes: asked.terms.quota_bytes,
        for_ms: asked.terms.for_ms,
        asked_at: timestamp(asked.asked_ms),
    }
}
