//! Accounts and statuses that an address or a command names, or a 404.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use xom_node::model::{Account, AccountId, Status, StatusContent, StatusId};

use crate::http::form::parse_id;
use crate::http::{ApiError, Base, Call};

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

/// What an account's name means on this node: people of it may be written with its host and with capital letters, as
/// clients do.
pub fn here(base: &Base, text: &str) -> String {
    let text = text.trim();
    let name = text.strip_prefix('@').unwrap_or(text);
    let is_ours = |host: &str| [base.domain(), base.authority()].iter().any(|ours| ours.eq_ignore_ascii_case(host));
    match name.rsplit_once('@') {
        Some((username, host)) if is_ours(host) => username.to_lowercase(),
        None if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => name.to_lowercase(),
        Some(_) | None => text.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_of_this_node_are_known_with_its_host_and_in_capital_letters_and_others_are_left_as_they_are() {
        let base = Base::new("http", "localhost:7766");
        for name in ["lan", "@lan", "LAN", "lan@localhost", "@Lan@LOCALHOST:7766", " lan "] {
            assert_eq!(here(&base, name), "lan", "{name}");
        }
        for other in ["lan@abcdef.xom", "did:xom:Abc", "@Lan@other.example", "xom:did:xom:abc?a=/ip4/1"] {
            assert_eq!(here(&base, other), other, "{other}");
        }
    }
}
