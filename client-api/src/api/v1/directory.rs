//! `/api/v1/directory`: people of whom something is held.

use axum::Json;
use xom_node::DirectoryOrder;

use crate::api::entities::Account;
use crate::api::v2::search::Part;
use crate::http::link::ACCOUNTS;
use crate::http::{ApiError, Call, Params};

/// Who wrote last first, or who is new.
pub async fn get(call: Call, params: Params) -> Result<Json<Vec<Account>>, ApiError> {
    let order = match params.text("order").as_deref() {
        None | Some("active") => DirectoryOrder::Active,
        Some("new") => DirectoryOrder::New,
        Some(_) => return Err(ApiError::invalid("Order is not one of active, new")),
    };
    let local = params.flag("local").unwrap_or(false);
    let part = Part::read(&params, ACCOUNTS)?;
    let viewer = call.viewer();
    let found = call.node.read(move |reader| reader.directory(&viewer, order, local, part.offset, part.limit)).await?;
    Ok(Json(found.iter().map(|account| Account::new(&call.base, account)).collect()))
}
