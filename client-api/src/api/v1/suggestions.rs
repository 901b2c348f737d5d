//! `/api/v1/suggestions` and `/api/v2/suggestions`: whom those follow whom the caller follows.

use axum::Json;
use serde::Serialize;
use serde_json::{Value, json};
use xom_node::model;
use xom_node::private::NO_SUGGESTION;

use crate::api::entities::Account;
use crate::api::lookup::{Id, account};
use crate::api::private;
use crate::http::link::{ACCOUNTS, Paging};
use crate::http::{ApiError, Call, Params};

/// Somebody, and why he is suggested.
#[derive(Debug, Clone, Serialize)]
pub struct Suggestion {
    source: &'static str,
    sources: [&'static str; 1],
    account: Account,
}

/// Them with the reason.
pub async fn list(call: Call, params: Params) -> Result<Json<Vec<Suggestion>>, ApiError> {
    let found = suggested(&call, &params).await?;
    let shown = found.iter().map(|account| Suggestion {
        source: "past_interactions",
        sources: ["friends_of_friends"],
        account: Account::new(&call.base, account),
    });
    Ok(Json(shown.collect()))
}

/// Them alone, as old clients ask.
pub async fn accounts(call: Call, params: Params) -> Result<Json<Vec<Account>>, ApiError> {
    let found = suggested(&call, &params).await?;
    Ok(Json(found.iter().map(|account| Account::new(&call.base, account)).collect()))
}

/// Suggests somebody no more.
pub async fn delete(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    let other = account(&call, id).await?;
    private::add(&call, format!("{NO_SUGGESTION}{}", other.did)).await?;
    Ok(Json(json!({})))
}

async fn suggested(call: &Call, params: &Params) -> Result<Vec<model::Account>, ApiError> {
    let limit = Paging::read(params, ACCOUNTS)?.page().limit - 1;
    let viewer = call.viewer();
    Ok(call.node.read(move |reader| reader.suggestions(&viewer, limit)).await?)
}
