//! `/api/v1/endorsements` and `/api/v1/accounts/:id/{endorsements,endorse,unendorse,pin,unpin}`: whom the caller's
//! profile recommends. They are private settings: of others nothing is known.

use axum::Json;
use xom_node::private::ENDORSE;

use crate::api::entities::{Account, Relationship};
use crate::api::lookup::{Id, account};
use crate::api::v1::accounts::relations::relationship;
use crate::api::{page, private};
use crate::http::link::{ACCOUNTS, LinkHeader, Paging};
use crate::http::{ApiError, Call, Params};

/// Most people whom a profile recommends.
const ENDORSED_MAX: usize = 200;

/// Those of the caller, newest first.
pub async fn list(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| Ok(private::page_of(reader.endorsed(&viewer)?, &page))).await?;
    Ok(page::accounts(&call, &paging, found))
}

/// Those of somebody: the caller's own, and nobody of others.
pub async fn of_account(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    if account(&call, id).await?.did == call.viewer() {
        return list(call, params).await;
    }
    Ok((None, Json(Vec::new())))
}

/// Recommends somebody whom the caller follows.
pub async fn endorse(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    let (viewer, did) = (call.viewer(), other.did);
    let read = call.node.read(move |reader| {
        Ok((reader.relationship(&viewer, &did)?.following, reader.settings(&viewer, ENDORSE)?.len()))
    });
    let (following, count) = read.await?;
    if !following {
        return Err(ApiError::invalid("You must be already following the person you want to endorse"));
    }
    if count >= ENDORSED_MAX {
        return Err(ApiError::invalid(format!("no more than {ENDORSED_MAX} people can be endorsed")));
    }
    private::add(&call, format!("{ENDORSE}{}", other.did)).await?;
    relationship(&call, &other).await
}

/// Recommends him no more.
pub async fn unendorse(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    private::remove(&call, [format!("{ENDORSE}{}", other.did)]).await?;
    relationship(&call, &other).await
}
