//! `/api/v1/accounts/relationships`: how the caller stands to accounts.

use axum::Json;
use xom_node::model::AccountId;

use crate::api::entities::Relationship;
use crate::http::{ApiError, Call, Params};

/// One relationship for each id that is known, in the order asked.
pub async fn get(call: Call, params: Params) -> Result<Json<Vec<Relationship>>, ApiError> {
    let ids = params.ids("id")?;
    let viewer = call.viewer();
    let app = call.app.clone();
    let read = call.node.read(move |reader| {
        let mut found = Vec::new();
        for id in ids.into_iter().map(AccountId) {
            if let Some(account) = reader.account_by_id(id)?.or_else(|| app.strangers().account(id)) {
                found.push(Relationship::new(id, &reader.relationship(&viewer, &account.did)?));
            }
        }
        Ok(found)
    });
    Ok(Json(read.await?))
}
