//! `POST /api/xom/v1/follow`: follows by invite or DID, also somebody who is not known here yet.

use axum::Json;
use serde_json::{Value, json};

use crate::api::entities::Account;
use crate::http::{ApiError, Call, Params};

/// Follows `invite` or `did`, and dials.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let named = params.text("invite").or_else(|| params.text("did"));
    let named = named.ok_or_else(|| ApiError::invalid("invite or did can't be blank"))?;
    let did = call.node.follow_invite(call.viewer(), named.trim().to_owned()).await?;
    let account = call.node.read(move |reader| reader.account(&did)).await?;
    let account = account.map(|account| Account::new(&call.base, &account));
    Ok(Json(json!({"did": did.to_string(), "account": account})))
}
