//! `/api/xom/v1/statuses/find` and `/statuses/:id/erase`: statuses as the command line names them.

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use xom_node::command::Command;
use xom_node::model::{FoundStatus, StatusId};

use crate::api::entities::Status;
use crate::api::lookup::{Id, status};
use crate::api::xom::access;
use crate::http::{ApiError, Call, ErrorKind, Secret, Sent};

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FindQuery {
    /// A Mastodon id, an entry id, or the beginning of one.
    q: String,
}

/// A status that was found.
#[derive(Serialize, ToSchema)]
pub struct FoundPost {
    /// Its id in Mastodon's API.
    id: String,
    /// Its entry id, a CID.
    entry: String,
    /// Mastodon's entity `Status`.
    #[schema(value_type = Object)]
    status: Status,
}

/// How a status is erased.
#[derive(Deserialize, ToSchema)]
pub struct EraseRequest {
    /// Purge the bytes at once, by an order that the control key signs.
    now: Option<bool>,
    /// Opens the control key where it lies sealed.
    #[schema(value_type = Option<String>)]
    passphrase: Option<Secret>,
    /// The 24 words, where the control key does not lie here.
    #[schema(value_type = Option<String>)]
    words: Option<Secret>,
}

/// A status that was erased.
#[derive(Serialize, ToSchema)]
pub struct Erased {
    /// Its id in Mastodon's API.
    id: String,
    /// Its entry id.
    entry: String,
    /// The entry that erases it; none if that was done before.
    erased_by: Option<String>,
    /// Its bytes were purged at once.
    purged: bool,
}

/// Find a status
///
/// The status of a Mastodon id, an entry id or a unique prefix of one; candidates where it is not unique.
#[utoipa::path(get, path = "/statuses/find", operation_id = "findStatus", tag = "entries", params(FindQuery),
    responses((status = 200, description = "The status", body = FoundPost)))]
pub async fn get(call: Call, Sent(query): Sent<FindQuery>) -> Result<Json<FoundPost>, ApiError> {
    let found = call.node.read(move |reader| reader.find_status(query.q.trim())).await?;
    let id = match found {
        FoundStatus::One(id) => id,
        FoundStatus::None => return Err(ApiError::not_found()),
        FoundStatus::Several(entries) => {
            let candidates: Vec<String> = entries.iter().map(ToString::to_string).collect();
            let text = format!("several entries begin so: {}", candidates.join(", "));
            return Err(ApiError::new(ErrorKind::Ambiguous).describe(text).with("candidates", json!(candidates)));
        }
    };
    let found = status(&call, id).await?;
    let entry = found.reference.entry.to_string();
    Ok(Json(FoundPost { id: id.0.to_string(), entry, status: Status::new(&call.base, &found) }))
}

/// Erase an own status
///
/// Takes an own status back; with `now` its bytes are purged at once, by an order of the control key, which
/// `passphrase` or `words` may have to open.
#[utoipa::path(post, path = "/statuses/{id}/erase", operation_id = "eraseStatus", tag = "entries",
    params(("id" = String, Path, description = "The status's id in Mastodon's API")), request_body = EraseRequest,
    responses((status = 200, description = "It is erased", body = Erased)))]
pub async fn erase(call: Call, Id(id): Id, Sent(how): Sent<EraseRequest>) -> Result<Json<Erased>, ApiError> {
    let access = access::of(&call, how.passphrase, how.words)?;
    let now = how.now.unwrap_or(false);
    let found = status(&call, StatusId(id)).await?;
    let key = if now { Some(call.node.control_key(call.viewer(), access).await?) } else { None };
    let done = call.node.command(call.viewer(), Command::Erase { status: found.id, now: key }).await?;
    Ok(Json(Erased {
        id: found.id.0.to_string(),
        entry: found.reference.entry.to_string(),
        erased_by: done.entry.map(|entry| entry.to_string()),
        purged: now,
    }))
}
