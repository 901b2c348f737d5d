//! `/api/v1/accounts/:id/{followers,following}`, as far as this node knows them; newest first.

use axum::Json;

use crate::api::entities::Account;
use crate::api::lookup::{Id, account};
use crate::api::page;
use crate::http::link::{ACCOUNTS, LinkHeader, Paging};
use crate::http::{ApiError, Call, Params};

/// Who follows.
pub async fn followers(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (page, did) = (*paging.page(), account(&call, id).await?.did);
    let found = call.node.read(move |reader| reader.followers(&did, &page)).await?;
    Ok(page::accounts(&call, &paging, found))
}

/// Who is followed.
pub async fn following(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (page, did) = (*paging.page(), account(&call, id).await?.did);
    let found = call.node.read(move |reader| reader.following(&did, &page)).await?;
    Ok(page::accounts(&call, &paging, found))
}
