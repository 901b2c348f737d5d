//! `/api/v1/accounts/familiar_followers`: who of those that the caller follows follows somebody too.

use axum::Json;
use serde::Serialize;
use xom_node::model::AccountId;

use crate::api::entities::Account;
use crate::http::{ApiError, Call, Params};

/// Most that are named of each account.
const FAMILIAR_MAX: usize = 40;

/// Those of one account.
#[derive(Debug, Clone, Serialize)]
pub struct FamiliarFollowers {
    id: String,
    accounts: Vec<Account>,
}

/// Those of each account of `id[]` that is known.
pub async fn get(call: Call, params: Params) -> Result<Json<Vec<FamiliarFollowers>>, ApiError> {
    let ids = params.ids("id")?;
    let viewer = call.viewer();
    let read = call.node.read(move |reader| {
        let mut found = Vec::new();
        for id in ids {
            if let Some(account) = reader.account_by_id(AccountId(id))? {
                found.push((id, reader.familiar_followers(&viewer, &account.did, FAMILIAR_MAX)?));
            }
        }
        Ok(found)
    });
    let shown = |(id, accounts): (u64, Vec<_>)| FamiliarFollowers {
        id: id.to_string(),
        accounts: accounts.iter().map(|account| Account::new(&call.base, account)).collect(),
    };
    Ok(Json(read.await?.into_iter().map(shown).collect()))
}
