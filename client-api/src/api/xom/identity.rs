//! `/api/xom/v1/identity` and `/identities`: who lives on this node.

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::OwnedIdentity;

use crate::api::entities::Account;
use crate::api::lookup::own_account;
use crate::http::{ApiError, Call};

/// The identity that the call acts for, with its DID document and account.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let did = call.viewer();
    let read = call.node.read(move |reader| {
        let fresh = reader.owned_identities()?.into_iter().find(|identity| identity.did == did);
        Ok((fresh, reader.did_document(&did)?))
    });
    let (fresh, document) = read.await?;
    let account = own_account(&call).await?;
    let mut answer = summary(fresh.as_ref().unwrap_or(&call.identity));
    answer["document"] = json!(document);
    answer["account"] = json!(Account::new(&call.base, &account));
    Ok(Json(answer))
}

/// All identities of this node, oldest first.
pub async fn list(call: Call) -> Result<Json<Value>, ApiError> {
    let identities = call.node.read(|reader| reader.owned_identities()).await?;
    Ok(Json(identities.iter().map(summary).collect()))
}

fn summary(identity: &OwnedIdentity) -> Value {
    json!({
        "did": identity.did.to_string(),
        "username": identity.username,
        "account_id": identity.account.0.to_string(),
        "device": identity.signer.map(|(device, _)| device.to_string()),
        "log": identity.signer.map(|(_, log)| log.to_string()),
        "phrase": identity.keys.phrase.name(),
    })
}
