//! `POST /api/xom/v1/follow`: follows by invite or DID, also somebody who is not known here yet.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::entities::Account;
use crate::http::{ApiError, Call, Sent};

/// Who is to be followed: by `invite` or by `did`.
#[derive(Deserialize, ToSchema)]
pub struct FollowRequest {
    /// An invite, which says where that node is too.
    invite: Option<String>,
    /// A DID, which is looked for in the table of who is where.
    did: Option<String>,
}

/// Somebody who is followed now.
#[derive(Serialize, ToSchema)]
pub struct Followed {
    /// Who.
    did: String,
    /// Mastodon's entity `Account`; none until something of it has come.
    #[schema(value_type = Option<Object>)]
    account: Option<Account>,
}

/// Follow by invite or DID
///
/// Follows `invite` or `did`, also somebody who is not known here yet, and dials.
#[utoipa::path(post, path = "/follow", operation_id = "follow", tag = "identities", request_body = FollowRequest,
    responses((status = 200, description = "The follow is signed", body = Followed)))]
pub async fn post(call: Call, Sent(wanted): Sent<FollowRequest>) -> Result<Json<Followed>, ApiError> {
    let named = wanted.invite.or(wanted.did).ok_or_else(|| ApiError::invalid("invite or did can't be blank"))?;
    let did = call.node.follow_invite(call.viewer(), named.trim().to_owned()).await?;
    let account = call.node.read(move |reader| reader.account(&did)).await?;
    let account = account.map(|account| Account::new(&call.base, &account));
    Ok(Json(Followed { did: did.to_string(), account }))
}
