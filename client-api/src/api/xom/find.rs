//! `/api/xom/v1/statuses/find` and `/statuses/:id/erase`: statuses as the command line names them.

use axum::Json;
use serde_json::{Value, json};
use xom_node::command::Command;
use xom_node::model::{FoundStatus, StatusId};

use crate::api::entities::Status;
use crate::api::lookup::{Id, status};
use crate::api::xom::access;
use crate::http::{ApiError, Call, ErrorKind, Params};

/// The status of a Mastodon id, an entry id or a unique prefix of one; candidates where it is not unique.
pub async fn get(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let query = params.text("q").ok_or_else(|| ApiError::invalid("q can't be blank"))?;
    let found = call.node.read(move |reader| reader.find_status(query.trim())).await?;
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
    Ok(Json(json!({"id": id.0.to_string(), "entry": entry, "status": Status::new(&call.base, &found)})))
}

/// Takes an own status back; with `now` its bytes are purged at once, by an order of the control key, which
/// `passphrase` or `words` may have to open.
pub async fn erase(call: Call, Id(id): Id, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    let now = params.flag("now").unwrap_or(false);
    let found = status(&call, StatusId(id)).await?;
    let key = if now { Some(call.node.control_key(call.viewer(), access).await?) } else { None };
    let done = call.node.command(call.viewer(), Command::Erase { status: found.id, now: key }).await?;
    Ok(Json(json!({
        "id": found.id.0.to_string(),
        "entry": found.reference.entry.to_string(),
        "erased_by": done.entry.map(|entry| entry.to_string()),
        "purged": now,
    })))
}
