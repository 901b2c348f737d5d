//! Accounts and statuses that an address or a command names, or a 404.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use xom_node::model::{Account, AccountId, Status, StatusContent, StatusId};

use crate::http::form::parse_id;
use crate::http::{ApiError, Call};

/// The local id in the path; anything else there is a 404.
#[derive(Debug, Clone, Copy)]
pub struct Id(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(text)| parse_id(&text));
        id.map(Self).ok_or_else(ApiError::not_found)
    }
}

/// The account of a local id, or what stands in for a stranger.
pub async fn account(call: &Call, Id(id): Id) -> Result<Account, ApiError> {
    let found = call.node.read(move |reader| reader.account_by_id(AccountId(id))).await?;
    found.or_else(|| call.app.strangers().account(AccountId(id))).ok_or_else(ApiError::not_found)
}

/// The caller's own account.
pub async fn own_account(call: &Call) -> Result<Account, ApiError> {
    account(call, Id(call.identity.account.0)).await
}

/// The status of a local id, a repost as a repost.
pub async fn status(call: &Call, id: StatusId) -> Result<Status, ApiError> {
    let viewer = call.viewer();
    let found = call.node.read(move |reader| reader.status(Some(&viewer), id)).await?;
    found.ok_or_else(ApiError::not_found)
}

/// The post of a local id: of a repost, what it passes on.
pub async fn post(call: &Call, Id(id): Id) -> Result<Status, ApiError> {
    let found = status(call, StatusId(id)).await?;
    Ok(match found.content {
        StatusContent::Repost(reposted) => *reposted,
        StatusContent::Post(_) => found,
    })
}
