//! `/api/xom/v1/identity` and `/identities`: who lives on this node.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use xom_node::model::OwnedIdentity;
use xom_protocol::identity::DidDocument;

use crate::api::entities::Account;
use crate::api::lookup::own_account;
use crate::http::{ApiError, Call};

/// An identity that lives on this node.
#[derive(Serialize, ToSchema)]
pub struct LocalIdentity {
    /// Its DID.
    did: String,
    /// The name under which `X-Xom-As` chooses it.
    username: String,
    /// The id of its account in Mastodon's API.
    account_id: String,
    /// The device that signs here; none where the identity was restored and waits for one.
    device: Option<String>,
    /// The log that this device writes.
    log: Option<String>,
    /// Whether its 24 words were written down: `confirmed`, `unconfirmed` or `postponed`.
    phrase: &'static str,
}

/// The identity that a call acts for.
#[derive(Serialize, ToSchema)]
pub struct OwnIdentity {
    /// What is in the list of identities too.
    #[serde(flatten)]
    summary: LocalIdentity,
    /// Its W3C DID document.
    #[schema(value_type = Option<Object>)]
    document: Option<DidDocument>,
    /// Mastodon's entity `Account`.
    #[schema(value_type = Object)]
    account: Account,
}

/// Show the own identity
///
/// The identity that the call acts for, with its DID document and account.
#[utoipa::path(get, path = "/identity", operation_id = "getIdentity", tag = "identities",
    responses((status = 200, description = "The identity", body = OwnIdentity)))]
pub async fn get(call: Call) -> Result<Json<OwnIdentity>, ApiError> {
    let did = call.viewer();
    let read = call.node.read(move |reader| {
        let fresh = reader.owned_identities()?.into_iter().find(|identity| identity.did == did);
        Ok((fresh, reader.did_document(&did)?))
    });
    let (fresh, document) = read.await?;
    let account = own_account(&call).await?;
    Ok(Json(OwnIdentity {
        summary: summary(fresh.as_ref().unwrap_or(&call.identity)),
        document,
        account: Account::new(&call.base, &account),
    }))
}

/// List the identities of this node
///
/// All that live here, oldest first.
#[utoipa::path(get, path = "/identities", operation_id = "listIdentities", tag = "identities",
    responses((status = 200, description = "The identities", body = Vec<LocalIdentity>)))]
pub async fn list(call: Call) -> Result<Json<Vec<LocalIdentity>>, ApiError> {
    let identities = call.node.read(|reader| reader.owned_identities()).await?;
    Ok(Json(identities.iter().map(summary).collect()))
}

fn summary(identity: &OwnedIdentity) -> LocalIdentity {
    LocalIdentity {
        did: identity.did.to_string(),
        username: identity.username.clone(),
        account_id: identity.account.0.to_string(),
        device: identity.signer.map(|(device, _)| device.to_string()),
        log: identity.signer.map(|(_, log)| log.to_string()),
        phrase: identity.keys.phrase.name(),
    }
}
